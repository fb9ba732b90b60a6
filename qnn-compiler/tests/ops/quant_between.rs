//! Operators between QuantizeLinear and DequantizeLinear, on the integers themselves, and constants that the model quantizes.

use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, refused, steps};
use crate::quant::{S8, S16, Stored, U8, U16, bytes};
use crate::support::{int, ints, text};

const RANGE: (f32, f32) = (-2.0, 3.0);

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8, U16, S16] {
        all.extend(compared(a));
        all.extend(tables(a));
    }
    for a in [U8, S8] {
        all.extend(softmax(a));
        all.extend(trained(a));
    }
    all.push(refused("integers_that_are_added", "E0302", "(Add) computes with the integers", |d| {
        let x = d.input(&[2, 8]);
        let [scale, zero] = U8.constants(d, RANGE);
        let q = d.node("QuantizeLinear", &[&x, &scale, &zero], &[]);
        let q = d.node("Add", &[&q, &q], &[]);
        d.result("DequantizeLinear", &[&q, &scale, &zero], &[]);
    }));
    all
}

/// A number or list as stored integers.
fn codes(d: &mut Draft, a: Stored, shape: &[usize], values: &[i64]) -> String {
    d.constant_raw(a.dtype, shape, bytes(a.dtype, values))
}

/// Writes an operator on integers, from the names of two integer values of one encoding and the encoding's constants.
type Write = fn(&mut Draft, Stored, &str, &str) -> String;

const COMPARED: &[(&str, Write)] = &[
    ("pad", |d, a, x, _| {
        let (pads, filling) = (d.ints(&[0, 0, 1, 2, 0, 0, 1, 0]), codes(d, a, &[], &[a.low + 100]));
        d.node("Pad", &[x, &pads, &filling], &[])
    }),
    ("pad_with_nothing", |d, _, x, _| {
        let pads = d.ints(&[0, 0, 1, 2, 0, 0, 1, 0]);
        d.node("Pad", &[x, &pads], &[])
    }),
    ("nearest", |d, _, x, _| {
        let scales = d.constant(&[4], &[1.0, 1.0, 2.0, 2.0]);
        let how = [text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")];
        d.node("Resize", &[x, "", &scales], &how)
    }),
    ("clip", |d, a, x, _| {
        let (low, high) = (codes(d, a, &[], &[a.low + 50]), codes(d, a, &[], &[a.high - 60]));
        d.node("Clip", &[x, &low, &high], &[])
    }),
    ("max", |d, _, x, y| d.node("Max", &[x, y], &[])),
    ("min_of_a_constant", |d, a, x, _| {
        let bound = codes(d, a, &[], &[a.low + 90]);
        d.node("Min", &[x, &bound], &[])
    }),
    ("where", |d, _, x, y| {
        let condition = d.constant_raw(DType::Bool, &[4], vec![1, 0, 1, 0]);
        d.node("Where", &[&condition, x, y], &[])
    }),
    ("reduce_max", |d, _, x, _| {
        let axes = d.ints(&[3]);
        d.node("ReduceMax", &[x, &axes], &[])
    }),
    ("max_pool", |d, _, x, _| d.node("MaxPool", &[x], &[ints("kernel_shape", &[2, 2])])),
];

fn compared(a: Stored) -> Vec<Case> {
    // ONNX Runtime has few of these for 16 bits.
    let eight = a.high - a.low == 255;
    let mut all: Vec<Case> = COMPARED
        .iter()
        .filter(|(name, _)| eight && (a.low == 0 || !["clip", "max", "min_of_a_constant"].contains(name)))
        .map(|&(name, write)| {
            steps(format!("{name}_of_integers_{}", a.name), 1, move |d| {
                let x = d.input(&[1, 3, 6, 4]);
                let y = d.node("Neg", &[&x], &[]);
                let [scale, zero] = a.constants(d, RANGE);
                let x = d.node("QuantizeLinear", &[&x, &scale, &zero], &[]);
                let y = d.node("QuantizeLinear", &[&y, &scale, &zero], &[]);
                let z = write(d, a, &x, &y);
                let z = d.node("DequantizeLinear", &[&z, &scale, &zero], &[]);
                U8.output(d, &z, (-4.0, 4.0));
            })
        })
        .collect();
    if eight {
        all.push(case(format!("largest_of_integers_{}", a.name), move |d| {
            // A step apart at least: which of two equal numbers is the larger, rounding decides.
            let values: Vec<f32> = (0..48).map(|i| ((i * 29) % 48) as f32 * 0.05 - 1.0).collect();
            let x = d.input_f32(&[6, 8], &values);
            let [scale, zero] = a.constants(d, RANGE);
            let x = d.node("QuantizeLinear", &[&x, &scale, &zero], &[]);
            d.result("ArgMax", &[&x], &[int("axis", 1)]);
        }));
    }
    all
}

fn tables(a: Stored) -> Vec<Case> {
    let table = move |d: &mut Draft| {
        let values: Vec<i64> =
            d.between(20 * 8, a.low as f32, a.high as f32).iter().map(|v| *v as i64).collect();
        codes(d, a, &[20, 8], &values)
    };
    let ids = |d: &mut Draft| d.input_i64(&[1, 6], &[3, 0, 19, 7, 7, 1]);
    vec![
        steps(format!("embedding_{}", a.name), 1, move |d| {
            let (table, ids) = (table(d), ids(d));
            let [scale, zero] = a.constants(d, RANGE);
            let rows = d.node("Gather", &[&table, &ids], &[]);
            let rows = d.node("DequantizeLinear", &[&rows, &scale, &zero], &[]);
            U8.output(d, &rows, (-4.0, 4.0));
        }),
        steps(format!("embedding_of_numbers_{}", a.name), 1, move |d| {
            let (table, ids) = (table(d), ids(d));
            let [scale, zero] = a.constants(d, RANGE);
            let table = d.node("DequantizeLinear", &[&table, &scale, &zero], &[]);
            let rows = d.node("Gather", &[&table, &ids], &[]);
            let rows = d.node("Sin", &[&rows], &[]);
            U8.output(d, &rows, (-1.0, 1.0));
        }),
    ]
}

/// Softmax of 8 bits in other encodings than of 0 to 1: rounded once.
fn softmax(a: Stored) -> Vec<Case> {
    let ranges =
        [("fifth", (0.0, 0.2)), ("half", (0.0, 0.5)), ("centred", (-1.0, 1.0)), ("shifted", (-0.1, 0.7))];
    let one = move |(name, range): (&str, (f32, f32))| {
        steps(format!("softmax_{name}_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 4, 6, 12], (-3.5, 3.5));
            let y = d.node("Softmax", &[&x], &[int("axis", -1)]);
            a.output(d, &y, range);
        })
    };
    ranges.map(one).into()
}

/// Weights that are floats which the model quantizes, and weights that it turns before it multiplies by them.
fn trained(a: Stored) -> Vec<Case> {
    let attributes = |axis: i64| -> Vec<AttributeProto> { vec![int("axis", axis)] };
    let fake = move |d: &mut Draft, shape: &[usize], axis: usize| {
        let w = d.weight(shape);
        let scales: Vec<f32> = d.between(shape[axis], 0.004, 0.02);
        let scale = d.constant(&[shape[axis]], &scales);
        let zero = d.constant_raw(DType::I8, &[shape[axis]], vec![0; shape[axis]]);
        let q = d.node("QuantizeLinear", &[&w, &scale, &zero], &attributes(axis as i64));
        d.node("DequantizeLinear", &[&q, &scale, &zero], &attributes(axis as i64))
    };
    vec![
        steps(format!("conv_of_numbers_that_are_quantized_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 8, 6, 5], RANGE);
            let w = fake(d, &[12, 8, 3, 3], 0);
            let y = d.node("Conv", &[&x, &w], &[]);
            a.output(d, &y, (-6.0, 6.0));
        }),
        steps(format!("product_by_a_turned_weight_{}", a.name), 1, move |d| {
            let x = a.input(d, &[2, 5, 16], RANGE);
            let w = fake(d, &[9, 16], 0);
            let w = d.node("Transpose", &[&w], &[ints("perm", &[1, 0])]);
            let y = d.node("MatMul", &[&x, &w], &[]);
            a.output(d, &y, (-6.0, 6.0));
        }),
        steps(format!("parameters_behind_nodes_{}", a.name), 1, move |d| {
            let x = a.input(d, &[2, 5, 16], RANGE);
            let q: Vec<i64> = d.between(9 * 16, -120.0, 120.0).iter().map(|v| *v as i64).collect();
            let q = d.constant_raw(DType::I8, &[9, 16], bytes(DType::I8, &q));
            let scale = d.between(9, 0.002, 0.006);
            let scale = d.constant(&[9, 1], &scale);
            let flat = d.ints(&[9]);
            let scale = d.node("Reshape", &[&scale, &flat], &[]);
            let zero = d.constant_raw(DType::I8, &[9], vec![0; 9]);
            let zero = d.node("Identity", &[&zero], &[]);
            let w = d.node("DequantizeLinear", &[&q, &scale, &zero], &attributes(0));
            let y = d.node("Transpose", &[&w], &[ints("perm", &[1, 0])]);
            let y = d.node("MatMul", &[&x, &y], &[]);
            a.output(d, &y, (-6.0, 6.0));
        }),
    ]
}
