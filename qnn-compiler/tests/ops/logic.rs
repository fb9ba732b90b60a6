//! Comparisons, And, Or, Xor, Not, Where, IsNaN and IsInf.

use qnn::DataType;
use qnn_compiler::graph::DType;

use crate::arithmetic::{SHAPES, extents};
use crate::case::{Case, Draft, case, refused};
use crate::support::int;

/// Few different numbers, so that some are equal.
fn coarse(d: &mut Draft, shape: &[usize]) -> Vec<f32> {
    d.between(shape.iter().product(), -3.0, 3.0).into_iter().map(f32::round).collect()
}

fn truths(d: &mut Draft, shape: &[usize]) -> Vec<bool> {
    d.between(shape.iter().product(), 0.0, 1.0).into_iter().map(|v| v > 0.5).collect()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for op in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"] {
        for &(a, b) in SHAPES {
            all.push(case(format!("{}_of_{}_and_{}", op.to_lowercase(), extents(a), extents(b)), move |d| {
                let (va, vb) = (coarse(d, a), coarse(d, b));
                let (x, y) = (d.input_f32(a, &va), d.input_f32(b, &vb));
                d.result(op, &[&x, &y], &[]);
            }));
        }
        for (a, b) in [SHAPES[4], SHAPES[7]] {
            all.push(case(
                format!("{}_of_integers_{}_and_{}", op.to_lowercase(), extents(a), extents(b)),
                move |d| {
                    // Numbers that float32, let alone fp16, would confuse.
                    let integers = |d: &mut Draft, shape: &[usize]| -> Vec<i64> {
                        coarse(d, shape).into_iter().map(|v| v as i64 + 100_000_000).collect()
                    };
                    let (va, vb) = (integers(d, a), integers(d, b));
                    let (x, y) = (d.input_i64(a, &va), d.input_i64(b, &vb));
                    d.result(op, &[&x, &y], &[]);
                },
            ));
        }
    }
    all.push(case("equal_of_truths", |d| {
        let (va, vb) = (truths(d, &[3, 5]), truths(d, &[3, 5]));
        let (x, y) = (d.input_bool(&[3, 5], &va), d.input_bool(&[3, 5], &vb));
        d.result("Equal", &[&x, &y], &[]);
    }));
    all.push(case("a_comparison_counts_in_a_sum", |d| {
        let (x, c) = (d.input(&[2, 3, 2, 4, 5]), d.constant(&[], &[0.0]));
        let more = d.node("Greater", &[&x, &c], &[]);
        let ones = d.node("Cast", &[&more], &[int("to", 1)]);
        d.result("Mul", &[&x, &ones], &[]);
    }));
    for op in ["And", "Or", "Xor"] {
        for &(a, b) in SHAPES {
            all.push(case(format!("{}_of_{}_and_{}", op.to_lowercase(), extents(a), extents(b)), move |d| {
                let (va, vb) = (truths(d, a), truths(d, b));
                let (x, y) = (d.input_bool(a, &va), d.input_bool(b, &vb));
                d.result(op, &[&x, &y], &[]);
            }));
        }
    }
    for shape in [&[7][..], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]] {
        all.push(case(format!("not_of_{}", extents(shape)), move |d| {
            let v = truths(d, shape);
            let x = d.input_bool(shape, &v);
            d.result("Not", &[&x], &[]);
        }));
    }
    all.extend(choices());
    all.extend(not_finite());
    all
}

fn choices() -> Vec<Case> {
    let shapes: &[[&[usize]; 3]] = &[
        [&[2, 3, 4, 5], &[2, 3, 4, 5], &[2, 3, 4, 5]],
        [&[4, 5], &[2, 3, 4, 5], &[1]],
        [&[3, 1, 1], &[2, 3, 4, 5], &[2, 1, 4, 5]],
        [&[2, 3, 2, 4, 5], &[2, 3, 2, 4, 5], &[2, 3, 2, 4, 5]],
        [&[2, 1, 1, 4, 1], &[2, 3, 2, 4, 5], &[5]],
        [&[5], &[3, 5], &[]],
    ];
    let mut all = Vec::new();
    for &[c, a, b] in shapes {
        let name = format!("{}_{}_{}", extents(c), extents(a), extents(b));
        all.push(case(format!("where_of_{name}"), move |d| {
            let v = truths(d, c);
            let (c, x, y) = (d.input_bool(c, &v), d.input(a), d.input(b));
            d.result("Where", &[&c, &x, &y], &[]);
        }));
        all.push(case(format!("where_of_integers_{name}"), move |d| {
            let v = truths(d, c);
            let (va, vb): (Vec<i64>, Vec<i64>) = (
                (0..a.iter().product::<usize>() as i64).map(|i| i * 70_001).collect(),
                (0..b.iter().product::<usize>() as i64).map(|i| -i).collect(),
            );
            let (c, x, y) = (d.input_bool(c, &v), d.input_i64(a, &va), d.input_i64(b, &vb));
            d.result("Where", &[&c, &x, &y], &[]);
        }));
        all.push(case(format!("where_of_bytes_{name}"), move |d| {
            let v = truths(d, c);
            let bytes = |shape: &[usize]| -> Vec<u8> { (0..shape.iter().product::<usize>() as u8).collect() };
            let x = d.input_raw(DType::U8, DataType::Uint8, a, bytes(a));
            let y = d.input_raw(DType::U8, DataType::Uint8, b, bytes(b));
            let c = d.input_bool(c, &v);
            d.result("Where", &[&c, &x, &y], &[]);
        }));
    }
    all.push(case("where_with_a_mask_of_the_lowest_float_keeps_softmax_exact", |d| {
        let v = [true, false, true, true, false, true, true, true];
        let (c, x) = (d.input_bool(&[8], &v), d.input(&[2, 8]));
        let low = d.constant(&[], &[f32::MIN]);
        let y = d.node("Where", &[&c, &x, &low], &[]);
        d.result("Softmax", &[&y], &[]);
    }));
    all
}

fn not_finite() -> Vec<Case> {
    const NUMBERS: [f32; 6] = [1.0, f32::INFINITY, 0.0, f32::NEG_INFINITY, 65504.0, -65504.0];
    let mut all = Vec::new();
    for op in ["IsNaN", "IsInf"] {
        all.push(refused(format!("{op}_of_a_float32_input_is_refused"), "E0302", "as one", move |d| {
            let x = d.input_f32(&[6], &NUMBERS);
            d.result(op, &[&x], &[]);
        }));
    }
    all.push(case("a_guard_of_a_float32_input", |d| {
        let (x, zero) = (d.input_f32(&[6], &[1.0, -4.0, 0.0, 9.0, 60000.0, 1e-3]), d.constant(&[], &[0.0]));
        let (nan, infinite) = (d.node("IsNaN", &[&x], &[]), d.node("IsInf", &[&x], &[]));
        let bad = d.node("Or", &[&nan, &infinite], &[]);
        d.result("Where", &[&bad, &zero, &x], &[]);
    }));
    all.push(case("isinf_of_nothing", |d| {
        let x = d.input_f32(&[6], &NUMBERS);
        d.result("IsInf", &[&x], &[int("detect_positive", 0), int("detect_negative", 0)]);
    }));
    all.push(case("isnan_of_a_computed_number", |d| {
        let x = d.input_f32(&[6], &[1.0, -4.0, 0.0, 9.0, 65504.0, 1e-7]);
        let root = d.node("Sqrt", &[&x], &[]);
        d.result("IsNaN", &[&root], &[]);
    }));
    let halves = |d: &mut Draft, numbers: &[f32]| {
        let bytes = numbers.iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect();
        d.input_raw(DType::F16, DataType::Float16, &[numbers.len()], bytes)
    };
    all.push(case("isnan_of_halves_leaves_infinity_out", move |d| {
        let x = halves(d, &[1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0]);
        d.result("IsNaN", &[&x], &[]);
    }));
    all.push(case("a_choice_by_isnan_repairs_a_root", |d| {
        let (x, zero) = (d.input_f32(&[4], &[4.0, -1.0, 9.0, -2.0]), d.constant(&[], &[0.0]));
        let root = d.node("Sqrt", &[&x], &[]);
        let bad = d.node("IsNaN", &[&root], &[]);
        d.result("Where", &[&bad, &zero, &root], &[]);
    }));
    all
}
