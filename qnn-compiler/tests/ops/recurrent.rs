//! LSTM, GRU and RNN.

use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, pattern, refused};
use crate::support::{float, int, text};

/// Operator, gates, and its outputs.
const KINDS: [(&str, usize, usize); 3] = [("LSTM", 4, 3), ("GRU", 3, 2), ("RNN", 1, 2)];
const STEPS: usize = 5;
const BATCH: usize = 2;
const WIDTH: usize = 6;
const HIDDEN: usize = 8;

/// A node with its weights, all outputs those of the model. The further inputs begin at the lengths.
fn net(
    d: &mut Draft,
    kind: usize,
    directions: usize,
    bias: bool,
    more: &[&str],
    attributes: &[AttributeProto],
) {
    let (op, gates, outputs) = KINDS[kind];
    let x = d.input(&[STEPS, BATCH, WIDTH]);
    let w = d.weight(&[directions, gates * HIDDEN, WIDTH]);
    let r = d.weight(&[directions, gates * HIDDEN, HIDDEN]);
    let b = if bias { d.weight(&[directions, 2 * gates * HIDDEN]) } else { String::new() };
    let mut inputs = vec![&*x, &*w, &*r, &*b];
    inputs.extend(more);
    let mut attributes = attributes.to_vec();
    attributes.push(int("hidden_size", HIDDEN as i64));
    for y in d.nodes(op, &inputs, &attributes, outputs) {
        d.output(&y);
    }
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (kind, (op, ..)) in KINDS.iter().enumerate() {
        for (direction, count) in [("forward", 1), ("reverse", 1), ("bidirectional", 2)] {
            all.push(case(format!("{op}_{direction}"), move |d| {
                net(d, kind, count, true, &[], &[text("direction", direction)]);
            }));
            all.push(case(format!("{op}_{direction}_with_lengths_and_states"), move |d| {
                let lengths = d.constant_raw(
                    qnn_compiler::graph::DType::I32,
                    &[BATCH],
                    [3i32, 5].iter().flat_map(|v| v.to_le_bytes()).collect(),
                );
                states(d, kind, count, &lengths, direction);
            }));
            all.push(case(format!("{op}_{direction}_with_computed_lengths"), move |d| {
                let lengths = d.input_i32(&[BATCH], &[4, 2]);
                states(d, kind, count, &lengths, direction);
            }));
        }
        all.push(case(format!("{op}_without_a_bias_clipped"), move |d| {
            net(d, kind, 1, false, &[], &[float("clip", 0.3)]);
        }));
    }
    all.push(case("GRU_linear_before_reset", |d| {
        net(d, 1, 2, true, &[], &[text("direction", "bidirectional"), int("linear_before_reset", 1)])
    }));
    all.push(case("LSTM_with_peepholes", |d| {
        let state = d.input(&[1, BATCH, HIDDEN]);
        let p = d.weight(&[1, 3 * HIDDEN]);
        net(d, 0, 1, true, &["", "", &state, &p], &[]);
    }));
    all.push(case("LSTM_with_coupled_gates", |d| net(d, 0, 1, true, &[], &[int("input_forget", 1)])));
    for (direction, directions) in [("forward", 1), ("bidirectional", 2)] {
        for channels in [false, true] {
            let name = format!("quantized_LSTM_{direction}{}", if channels { "_by_channel" } else { "" });
            all.push(case(name, move |d| quantized(d, direction, directions, channels)));
        }
    }
    all.extend(activations());
    all.extend(long());
    all
}

/// LSTM as ONNX Runtime quantizes it: weights of 8 bits, (directions, in, gates · hidden). The oracle is its float LSTM on the weights'
/// numbers and the rounded input: its own kernel rounds the state of each step as well, which is nobody's aim.
fn quantized(d: &mut Draft, direction: &str, directions: usize, channels: bool) {
    // Whole steps of 1/32 over all of 8 bits, so that none lies between two of them in fp16.
    let mut x: Vec<f32> =
        d.between(STEPS * BATCH * WIDTH, -4.0, 3.96).iter().map(|v| (v * 32.0).round() / 32.0).collect();
    (x[0], x[1]) = (-4.0, 3.96875);
    let x = d.input_f32(&[STEPS, BATCH, WIDTH], &x);
    let wide = 4 * HIDDEN;
    let slices = if channels { vec![directions, wide] } else { vec![directions] };
    let count: usize = slices.iter().product();
    let (mut stored, mut scales, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for depth in [WIDTH, HIDDEN] {
        let numbers: Vec<f32> =
            d.between(directions * depth * wide, -60.0, 60.0).iter().map(|v| v.trunc()).collect();
        let bytes = numbers.iter().map(|v| *v as i8 as u8).collect();
        stored.push(d.constant_raw(DType::I8, &[directions, depth, wide], bytes));
        let steps = d.between(count, 0.004, 0.008);
        scales.push(d.constant(&slices, &steps));
        scales.push(d.constant_raw(DType::I8, &slices, vec![0; count]));
        let mut real = Vec::with_capacity(numbers.len());
        for side in 0..directions {
            for to in 0..wide {
                let step = if channels { steps[side * wide + to] } else { steps[side] };
                real.extend((0..depth).map(|from| numbers[(side * depth + from) * wide + to] * step));
            }
        }
        plain.push(d.constant(&[directions, wide, depth], &real));
    }
    let bias = d.weight(&[directions, 2 * wide]);
    let inputs: Vec<&str> = [&*x, &stored[0], &stored[1], &bias, "", "", "", ""]
        .into_iter()
        .chain(scales.iter().map(String::as_str))
        .collect();
    let attributes = [text("direction", direction), int("hidden_size", HIDDEN as i64)];
    let outputs = d.nodes("DynamicQuantizeLSTM", &inputs, &attributes, 3);
    d.domain("com.microsoft");
    outputs.iter().for_each(|y| d.output(y));
    d.oracle();
    let q = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
    let rounded = d.node("DequantizeLinear", &[&q[0], &q[1], &q[2]], &[]);
    let real = d.nodes("LSTM", &[&rounded, &plain[0], &plain[1], &bias], &attributes, 3);
    for (value, output) in real.iter().zip(&outputs) {
        d.answer(value, output);
    }
}

fn states(d: &mut Draft, kind: usize, directions: usize, lengths: &str, direction: &str) {
    let h = d.input(&[directions, BATCH, HIDDEN]);
    let c = if kind == 0 { d.input(&[directions, BATCH, HIDDEN]) } else { String::new() };
    let states = if kind == 0 { vec![lengths, &*h, &*c] } else { vec![lengths, &*h] };
    net(d, kind, directions, true, &states, &[text("direction", direction)]);
}

fn activations() -> Vec<Case> {
    const NAMES: [(&str, f32, f32); 9] = [
        ("Relu", 0.0, 0.0),
        ("Affine", 0.7, 0.1),
        ("LeakyRelu", 0.2, 0.0),
        ("ThresholdedRelu", 0.1, 0.0),
        ("ScaledTanh", 0.8, 1.5),
        ("HardSigmoid", 0.3, 0.4),
        ("Elu", 0.9, 0.0),
        ("Softsign", 0.0, 0.0),
        ("Softplus", 0.0, 0.0),
    ];
    NAMES
        .map(|(name, alpha, beta)| {
            case(format!("RNN_with_{name}"), move |d| {
                let strings = AttributeProto {
                    strings: vec![name.as_bytes().to_vec().into()],
                    r#type: qnn_compiler::frontend::onnx::proto::attribute_type::STRINGS,
                    ..crate::support::attr("activations")
                };
                let numbers = [
                    crate::support::floats("activation_alpha", &[alpha]),
                    crate::support::floats("activation_beta", &[beta]),
                ];
                let takes = usize::from(alpha != 0.0) + usize::from(beta != 0.0);
                let attributes: Vec<AttributeProto> =
                    [strings].into_iter().chain(numbers.into_iter().take(takes)).collect();
                net(d, 2, 1, true, &[], &attributes);
            })
        })
        .into()
}

fn long() -> Vec<Case> {
    fn lstm(d: &mut Draft, steps: usize) {
        let x = d.input(&[steps, 1, 16]);
        let (w, r) = (d.weight(&[1, 4 * 64, 16]), d.weight(&[1, 4 * 64, 64]));
        let y = d.nodes("LSTM", &[&x, &w, &r], &[int("hidden_size", 64)], 3);
        y.iter().for_each(|y| d.output(y));
    }
    vec![
        case("LSTM_of_forty_steps", |d| lstm(d, 40)),
        // Fifteen ops a step, and what is around them.
        pattern("LSTM_of_four_steps", 65, |d| lstm(d, 4)),
        refused("LSTM_of_too_many_steps", "E0302", "1024 are written out", |d| lstm(d, 1025)),
    ]
}
