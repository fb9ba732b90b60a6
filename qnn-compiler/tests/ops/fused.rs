//! Operators of ONNX Runtime that its CPU has no kernels for: what they are documented to compute, in operators of the standard.

use crate::case::{Case, Draft, case};
use crate::support::{float, int, ints, text};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("bias_add", |d| {
            let (x, skip) = (d.input(&[2, 6, 8]), d.input(&[2, 6, 8]));
            let bias = d.weight(&[8]);
            let y = contrib(d, "BiasAdd", &[&x, &bias, &skip], &[], 1).remove(0);
            let sum = d.node("Add", &[&x, &bias], &[]);
            let sum = d.node("Add", &[&sum, &skip], &[]);
            d.answer(&sum, &y);
        }),
        case("bias_split_gelu", |d| {
            let x = d.input(&[2, 5, 16]);
            let bias = d.weight(&[16]);
            let y = contrib(d, "BiasSplitGelu", &[&x, &bias], &[], 1).remove(0);
            let sum = d.node("Add", &[&x, &bias], &[]);
            let halves = d.ints(&[8, 8]);
            let parts = d.nodes("Split", &[&sum, &halves], &[int("axis", -1)], 2);
            let gate = gelu(d, &parts[1]);
            let product = d.node("Mul", &[&parts[0], &gate], &[]);
            d.answer(&product, &y);
        }),
    ];
    for bias in [true, false] {
        let name = if bias { "gemm_fast_gelu" } else { "gemm_fast_gelu_without_bias" };
        cases.push(case(name, move |d| {
            let x = d.input(&[2, 6, 16]);
            let (w, b) = (d.weight(&[16, 12]), d.weight(&[12]));
            let inputs = if bias { vec![&*x, &w, &b] } else { vec![&*x, &w] };
            let y = contrib(d, "GemmFastGelu", &inputs, &[], 1).remove(0);
            let mut product = d.node("MatMul", &[&x, &w], &[]);
            if bias {
                product = d.node("Add", &[&product, &b], &[]);
            }
            let active = d.node("Gelu", &[&product], &[text("approximate", "tanh")]);
            d.answer(&active, &y);
        }));
    }
    for (name, last, swish) in [
        ("group_norm", None, 0),
        ("group_norm_swish", None, 1),
        ("group_norm_channels_first", Some(0), 1),
        ("group_norm_channels_last", Some(1), 0),
    ] {
        cases.push(case(name, move |d| {
            let last_axis = last != Some(0);
            let x = d.input(if last_axis { &[2, 6, 5, 8] } else { &[2, 8, 6, 5] });
            let (scale, bias) = (d.scale(&[8]), d.weight(&[8]));
            let mut attrs = vec![int("groups", 4), int("activation", swish), float("epsilon", 1e-3)];
            attrs.extend(last.map(|last| int("channels_last", last)));
            let y = contrib(d, "GroupNorm", &[&x, &scale, &bias], &attrs, 1).remove(0);
            let normal = group_norm(d, (&x, &scale, &bias), last_axis, swish != 0, 1e-3);
            d.answer(&normal, &y);
        }));
    }
    // The shapes that a skip can have, with and without a bias.
    for (name, skip, bias, swish) in [
        ("skip_group_norm", &[2, 6, 5, 8][..], false, 0),
        ("skip_group_norm_bias", &[2, 6, 5, 8], true, 1),
        ("skip_group_norm_of_channels", &[2, 1, 1, 8], true, 1),
        ("skip_group_norm_of_rows", &[2, 8], true, 0),
    ] {
        cases.push(case(name, move |d| {
            let (x, skip_in) = (d.input(&[2, 6, 5, 8]), d.input(skip));
            let (scale, shift, add) = (d.scale(&[8]), d.weight(&[8]), d.scale(&[8]));
            let mut inputs = vec![&*x, &scale, &shift, &skip_in];
            if bias {
                inputs.push(&add);
            }
            let attrs = [int("groups", 2), int("activation", swish)];
            let outputs = contrib(d, "SkipGroupNorm", &inputs, &attrs, 2);
            let shape = d.ints(&[2, 1, 1, 8]);
            let wide =
                if skip.len() == 2 { d.node("Reshape", &[&skip_in, &shape], &[]) } else { skip_in.clone() };
            let mut sum = d.node("Add", &[&x, &wide], &[]);
            if bias {
                sum = d.node("Add", &[&sum, &add], &[]);
            }
            let normal = group_norm(d, (&sum, &scale, &shift), true, swish != 0, 1e-5);
            d.answer(&normal, &outputs[0]);
            d.answer(&sum, &outputs[1]);
        }));
    }
    cases
}

/// The node to test, all of whose outputs are the model's; what follows is the oracle.
fn contrib(
    d: &mut Draft,
    op: &str,
    inputs: &[&str],
    attrs: &[qnn_compiler::frontend::onnx::proto::AttributeProto],
    outputs: usize,
) -> Vec<String> {
    let outputs = d.nodes(op, inputs, attrs, outputs);
    d.domain("com.microsoft");
    outputs.iter().for_each(|output| d.output(output));
    d.oracle();
    outputs
}

/// x · Φ(x), by the error function.
fn gelu(d: &mut Draft, x: &str) -> String {
    let (root, one, half) =
        (d.constant(&[], &[std::f32::consts::SQRT_2]), d.constant(&[], &[1.0]), d.constant(&[], &[0.5]));
    let scaled = d.node("Div", &[x, &root], &[]);
    let erf = d.node("Erf", &[&scaled], &[]);
    let lifted = d.node("Add", &[&erf, &one], &[]);
    let gate = d.node("Mul", &[&lifted, &half], &[]);
    d.node("Mul", &[x, &gate], &[])
}

/// Mean and variance of each group of channels, by reductions; images of 6 x 5 pixels with 8 channels.
fn group_norm(
    d: &mut Draft,
    (x, scale, bias): (&str, &str, &str),
    last: bool,
    swish: bool,
    epsilon: f32,
) -> String {
    let groups = if epsilon == 1e-3 { 4 } else { 2 };
    let first = if last { d.node("Transpose", &[x], &[ints("perm", &[0, 3, 1, 2])]) } else { x.to_owned() };
    let (split, whole) = (d.ints(&[2, groups, -1]), d.ints(&[2, 8, 6, 5]));
    let (axes, column, small) = (d.ints(&[2]), d.ints(&[8, 1, 1]), d.constant(&[], &[epsilon]));
    let grouped = d.node("Reshape", &[&first, &split], &[]);
    let mean = d.node("ReduceMean", &[&grouped, &axes], &[]);
    let centred = d.node("Sub", &[&grouped, &mean], &[]);
    let square = d.node("Mul", &[&centred, &centred], &[]);
    let variance = d.node("ReduceMean", &[&square, &axes], &[]);
    let lifted = d.node("Add", &[&variance, &small], &[]);
    let deviation = d.node("Sqrt", &[&lifted], &[]);
    let unit = d.node("Div", &[&centred, &deviation], &[]);
    let image = d.node("Reshape", &[&unit, &whole], &[]);
    let (scale, bias) = (d.node("Reshape", &[scale, &column], &[]), d.node("Reshape", &[bias, &column], &[]));
    let scaled = d.node("Mul", &[&image, &scale], &[]);
    let mut y = d.node("Add", &[&scaled, &bias], &[]);
    if swish {
        let gate = d.node("Sigmoid", &[&y], &[]);
        y = d.node("Mul", &[&y, &gate], &[]);
    }
    if last { d.node("Transpose", &[&y], &[ints("perm", &[0, 2, 3, 1])]) } else { y }
}
