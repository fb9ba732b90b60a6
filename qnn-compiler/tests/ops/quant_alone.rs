//! Quantized operators on a SoC without floats, where integers are all there is; and weights of few bits in products with floats.

use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, steps};
use crate::quant::{S8, S16, Stored, U8, U16, bytes};
use crate::support::{int, text};

/// Has no fp16 unit.
const SOC: &str = "QCS6490";

/// Operator, range of the operand, range of the result, steps of 16 bits that it may be off.
type Function = (&'static str, (f32, f32), (f32, f32), i64);

const FUNCTIONS: &[Function] = &[
    ("Ceil", (-3.0, 5.0), (-3.0, 5.0), 8),
    ("Cos", (-3.0, 3.0), (-1.0, 1.0), 16),
    ("Erf", (-3.0, 3.0), (-1.0, 1.0), 16),
    ("Floor", (-3.0, 5.0), (-3.0, 5.0), 8),
    ("Mish", (-4.0, 4.0), (-0.4, 4.0), 16),
    ("Selu", (-3.0, 3.0), (-1.8, 3.2), 16),
    ("Sin", (-3.0, 3.0), (-1.0, 1.0), 16),
    ("Softplus", (-4.0, 4.0), (0.0, 4.1), 16),
    ("Softsign", (-4.0, 4.0), (-0.8, 0.8), 64),
    ("Sqrt", (0.0, 4.0), (0.0, 2.0), 128),
];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8, U16, S16] {
        all.extend(functions(a));
        all.extend(choices(a));
        all.extend(moves(a));
        all.extend(sums(a));
    }
    let mut all: Vec<Case> = all.into_iter().map(|case| case.on(SOC)).collect();
    all.extend(few_bits());
    all
}

fn off(a: Stored, wide: i64) -> i64 {
    if a.high - a.low == 255 { 1 } else { wide }
}

fn functions(a: Stored) -> Vec<Case> {
    let one = |&(op, from, to, wide): &Function| {
        steps(format!("{}_{}", op.to_lowercase(), a.name), off(a, wide), move |d| {
            let x = a.input(d, &[1, 8, 6, 5], from);
            let y = d.node(op, &[&x], &[]);
            a.output(d, &y, to);
        })
    };
    FUNCTIONS.iter().map(one).collect()
}

fn choices(a: Stored) -> Vec<Case> {
    let compared = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].into_iter().map(|op| {
        case(format!("{}_{}", op.to_lowercase(), a.name), move |d| {
            let x = a.input(d, &[1, 8, 6, 5], (-3.0, 5.0));
            let zero = d.constant(&[], &[0.0]);
            d.result(op, &[&x, &zero], &[]);
        })
    });
    let mut all: Vec<Case> = compared.collect();
    all.push(steps(format!("where_{}", a.name), 1, move |d| {
        let x = a.input(d, &[1, 8, 6, 5], (-3.0, 5.0));
        let y = a.input(d, &[1, 8, 6, 5], (-1.0, 2.0));
        let more = d.node("Greater", &[&x, &y], &[]);
        let z = d.node("Where", &[&more, &x, &y], &[]);
        a.output(d, &z, (-2.0, 5.0));
    }));
    all
}

fn moves(a: Stored) -> Vec<Case> {
    let pad = |mode: &'static str| {
        steps(format!("pad_{mode}_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 8, 6, 5], (-3.0, 5.0));
            let pads = d.ints(&[0, 0, 1, 2, 0, 0, 2, 1]);
            let y = d.node("Pad", &[&x, &pads], &[text("mode", mode)]);
            a.output(d, &y, (-2.0, 6.0));
        })
    };
    let mut all: Vec<Case> = ["edge", "reflect"].map(pad).into();
    all.push(steps(format!("pad_with_a_stored_number_{}", a.name), 1, move |d| {
        let x = a.input(d, &[1, 8, 6, 5], (-3.0, 5.0));
        let pads = d.ints(&[0, 0, 1, 2, 0, 0, 2, 1]);
        let [scale, zero] = a.constants(d, (-3.0, 5.0));
        let q = d.constant_raw(a.dtype, &[], bytes(a.dtype, &[a.low + 9]));
        let value = d.node("DequantizeLinear", &[&q, &scale, &zero], &[]);
        let y = d.node("Pad", &[&x, &pads, &value], &[]);
        a.output(d, &y, (-3.0, 5.0));
    }));
    all.push(steps(format!("gather_elements_{}", a.name), 1, move |d| {
        let x = a.input(d, &[3, 4], (-3.0, 5.0));
        let at = d.constant_raw(DType::I64, &[3, 2], bytes(DType::I64, &[0, 3, 2, 2, 1, 0]));
        let y = d.node("GatherElements", &[&x, &at], &[int("axis", 1)]);
        a.output(d, &y, (-3.0, 5.0));
    }));
    all.push(steps(format!("lower_triangle_{}", a.name), 1, move |d| {
        let x = a.input(d, &[2, 6, 6], (-3.0, 5.0));
        let y = d.node("Trilu", &[&x], &[int("upper", 0)]);
        a.output(d, &y, (-2.0, 5.0));
    }));
    all
}

type Written = fn(&mut Draft, &str) -> String;

fn sums(a: Stored) -> Vec<Case> {
    let one = move |name: &str, shape: &'static [usize], to: (f32, f32), wide: i64, write: Written| {
        steps(format!("{name}_{}", a.name), off(a, wide), move |d| {
            let x = a.input(d, shape, (-3.0, 5.0));
            let y = write(d, &x);
            a.output(d, &y, to);
        })
    };
    vec![
        one("batch_normalization", &[1, 8, 6, 5], (-8.0, 8.0), 8, |d, x| {
            let (scale, shift, mean) = (d.scale(&[8]), d.scale(&[8]), d.scale(&[8]));
            let variance = d.between(8, 0.5, 2.0);
            let variance = d.constant(&[8], &variance);
            d.node("BatchNormalization", &[x, &scale, &shift, &mean, &variance], &[])
        }),
        one("instance_normalization", &[1, 8, 6, 5], (-3.0, 5.0), 32, |d, x| {
            let (scale, shift) = (d.scale(&[8]), d.scale(&[8]));
            d.node("InstanceNormalization", &[x, &scale, &shift], &[])
        }),
        one("layer_normalization", &[2, 5, 24], (-3.0, 5.0), 32, |d, x| {
            let (scale, shift) = (d.scale(&[24]), d.scale(&[24]));
            d.node("LayerNormalization", &[x, &scale, &shift], &[])
        }),
        one("log_softmax", &[4, 16], (-9.0, 0.0), 24, |d, x| d.node("LogSoftmax", &[x], &[int("axis", -1)])),
        one("reduce_sum", &[1, 8, 6, 5], (-10.0, 60.0), 8, |d, x| {
            let axes = d.ints(&[2, 3]);
            d.node("ReduceSum", &[x, &axes], &[])
        }),
        one("linear_layer_rounded_after_its_bias", &[2, 5, 32], (-3.0, 3.0), 128, |d, x| {
            let w: Vec<i64> = d.between(320, -127.0, 127.0).iter().map(|v| *v as i64).collect();
            let w = d.constant_raw(DType::I8, &[32, 10], bytes(DType::I8, &w));
            let (scale, zero) = (d.constant(&[], &[0.001]), d.constant_raw(DType::I8, &[], vec![0]));
            let w = d.node("DequantizeLinear", &[&w, &scale, &zero], &[]);
            let bias = d.between(10, -0.5, 0.5);
            let bias = d.constant(&[10], &bias);
            let y = d.node("MatMul", &[x, &w], &[]);
            d.node("Add", &[&y, &bias], &[])
        }),
        one("power", &[1, 8, 6, 5], (-27.0, 125.0), 32, |d, x| {
            let three = d.constant(&[], &[3.0]);
            d.node("Pow", &[x, &three], &[])
        }),
        one("prelu", &[1, 8, 6, 5], (-1.0, 5.0), 16, |d, x| {
            let slopes = d.between(8, 0.05, 0.3);
            let slopes = d.constant(&[8, 1, 1], &slopes);
            d.node("PRelu", &[x, &slopes], &[])
        }),
    ]
}

/// Rows of integers that are not whole 32-bit words, in products with floats: on any SoC, of more than the library unpacks itself.
fn few_bits() -> Vec<Case> {
    let one = |dtype: DType, bits: usize, columns: usize, turned: bool| {
        let name = format!("{bits}_bits_in_rows_of_{columns}{}", if turned { "_turned" } else { "" });
        case(name, move |d| {
            let rows = 300;
            let x = d.input(&[3, columns]);
            let most = if bits == 4 { 7.0 } else { 127.0 };
            let q: Vec<i64> =
                d.between(rows * columns, -most, most).iter().map(|v| v.round() as i64).collect();
            let data = match dtype {
                DType::I4 => q.chunks(2).map(|p| (p[0] & 15) as u8 | ((p[1] & 15) as u8) << 4).collect(),
                dtype => bytes(dtype, &q),
            };
            let (shape, axis) = if turned { ([rows, columns], 0) } else { ([columns, rows], 1) };
            let w = d.constant_raw(dtype, &shape, data);
            let scales: Vec<f32> = d.between(rows, 0.05, 0.1).iter().map(|s| s / most).collect();
            let scales = d.constant(&[rows], &scales);
            let w = d.node("DequantizeLinear", &[&w, &scales], &[int("axis", axis)]);
            match turned {
                true => d.result("Gemm", &[&x, &w], &[int("transB", 1)]),
                false => d.result("MatMul", &[&x, &w], &[]),
            }
        })
    };
    vec![
        one(DType::I8, 8, 301, true),
        one(DType::I8, 8, 302, false),
        one(DType::I8, 8, 304, true),
        one(DType::I4, 4, 300, true),
        one(DType::I4, 4, 301, false),
    ]
}
