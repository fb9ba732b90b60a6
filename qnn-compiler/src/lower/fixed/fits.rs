//! How well HTP computes nodes on integers whose operator it does not always compute well; the rows of operators name these.

use qnn::DataType;
use qnn_types::Target;

use crate::graph::{Graph, Node};
use crate::op::Fit;

/// As near as floats with 8 bits.
pub(crate) fn narrow(_: &Graph, _: &Node, dtype: DataType, _: &Target) -> Fit {
    if dtype == DataType::UFixed8 { Fit::Well } else { Fit::Worse }
}

/// There with 8 bits only.
pub(crate) fn narrow_only(_: &Graph, _: &Node, dtype: DataType, _: &Target) -> Fit {
    if dtype == DataType::UFixed8 { Fit::Worse } else { Fit::No }
}

/// A normalization whose vectors are all constant.
pub(crate) fn constant_affine(graph: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let constant = node.inputs.iter().skip(1).flatten().all(|&id| graph.is_constant(id));
    let alone = node.outputs.iter().flatten().count() == 1;
    if constant && alone { Fit::Worse } else { Fit::No }
}

/// A convolution with a weight.
pub(crate) fn has_weight(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    Fit::well(node.input(1).is_some())
}

/// A Gemm without factors, of rows as they are.
pub(crate) fn unscaled(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let factor = |name: &str| node.attrs.float_or(name, 1.0) == 1.0;
    Fit::well(factor("alpha") && factor("beta") && node.attrs.int_or("transA", 0) == 0)
}

/// By the length of vectors, not by their sum.
pub(crate) fn euclidean(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    match node.attrs.int_or("p", 2) {
        2 => Fit::Worse,
        _ => Fit::No,
    }
}

/// Two computed operands. Products of 8 bits are off by a step in 3 of 100 results, floats in fewer. Of 16 bits, both unsigned are
/// refused; the second one signed and swapped is right to 0.6 to 2 steps from v73 on, where floats are 3 steps off, and refused
/// before (measured on SM8650, SM7550, SM8450 and QCS6490), where it is multiplied by in two parts of 8 bits.
pub(crate) fn product(graph: &Graph, node: &Node, dtype: DataType, target: &Target) -> Fit {
    match node.input(1) {
        Some(id) if graph.is_constant(id) => Fit::Well,
        _ if dtype == DataType::UFixed8 => Fit::Worse,
        _ if target.arch >= 73 => Fit::Well,
        _ => Fit::Worse,
    }
}

/// A normalization with constant scale and offset; of 16 bits it is right to half a step, where floats are 2 steps off.
pub(crate) fn constant_vectors(graph: &Graph, node: &Node, dtype: DataType, _: &Target) -> Fit {
    let constant = node.inputs.iter().skip(1).flatten().all(|&id| graph.is_constant(id));
    let alone = node.outputs.iter().flatten().count() == 1;
    match constant && alone {
        true if dtype == DataType::UFixed16 => Fit::Well,
        true => Fit::Worse,
        false => Fit::No,
    }
}

/// Padding of whole windows is computed apart, and the bias with it, which then has no type of its own.
pub(crate) fn little_padding(graph: &Graph, node: &Node, dtype: DataType, _: &Target) -> Fit {
    let Some(weight) = node.input(1) else { return Fit::No };
    let computed = !graph.is_constant(weight);
    if computed && dtype != DataType::UFixed8 {
        return Fit::No;
    }
    let Some(&[kh, kw, _, _]) = graph.shape(weight).first_chunk::<4>() else { return Fit::No };
    let dilations = node.attrs.ints("dilations").unwrap_or(&[1, 1]);
    let reach =
        |axis: usize, kernel: usize| (kernel as i64 - 1) * dilations.get(axis).copied().unwrap_or(1) + 1;
    let pads = node.attrs.ints("pads").unwrap_or(&[0; 4]);
    let reaches = [reach(0, kh), reach(1, kw)].into_iter().cycle();
    match pads.iter().zip(reaches).all(|(&p, reach)| p < reach) {
        true if computed => Fit::Worse,
        little => Fit::well(little),
    }
}

/// The forms of an average that are one op, or a convolution with equal weights.
pub(crate) fn plain_average(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let small = |name: &str, most: i64| node.attrs.ints(name).is_none_or(|v| v.iter().all(|&v| v <= most));
    Fit::well(small("kernel_shape", 7) && small("strides", 2) && small("dilations", 1))
}

/// Nearest neighbours are only moved; of interpolations those are taken that are one op.
pub(crate) fn native_resize(graph: &Graph, node: &Node, dtype: DataType, _: &Target) -> Fit {
    match is_native_resize(graph, node) {
        // Of 16 bits the op is garbage (measured on QCS6490: 6 dB): products with matrices stand for it.
        true if node.attrs.str_or("mode", "nearest") == "cubic" && dtype != DataType::UFixed8 => Fit::Worse,
        native => Fit::well(native),
    }
}

fn is_native_resize(graph: &Graph, node: &Node) -> bool {
    let modes = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];
    match node.attrs.str_or("mode", "nearest") {
        "nearest" => true,
        "linear" | "cubic" => {
            let (Some(x), Some(y)) = (node.input(0), node.output(0)) else { return false };
            let (from, to) = (graph.shape(x), graph.shape(y));
            let exact = node.input(2).and_then(|id| graph.const_f32(id)).is_none_or(|scales| {
                let mut factors: Vec<f32> = scales;
                if factors.len() == 4 {
                    factors = vec![factors[0], factors[2], factors[3], factors[1]];
                }
                factors.is_empty()
                    || factors.len() == from.len()
                        && factors
                            .iter()
                            .zip(from.iter().zip(to))
                            .all(|(s, (&f, &t))| (f64::from(*s) * f as f64 - t as f64).abs() < 1e-3)
            });
            from.len() == 4
                && from[0] == to[0]
                && from[3] == to[3]
                && to[1] > 1
                && to[2] > 1
                && exact
                && node.attrs.int_or("antialias", 0) == 0
                && node.attrs.int_or("exclude_outside", 0) == 0
                && modes.contains(&node.attrs.str_or("coordinate_transformation_mode", "half_pixel"))
        }
        _ => false,
    }
}
