//! Add, Sub, Mul, Div, Max, Min, Mean, Sum, Mod and Pow.

use crate::case::{Case, Draft, case};
use crate::support::int;

/// Pairs of shapes that broadcast.
pub const SHAPES: &[(&[usize], &[usize])] = &[
    (&[5], &[5]),
    (&[3, 5], &[3, 1]),
    (&[2, 3, 4, 5], &[2, 3, 4, 5]),
    (&[2, 3, 4, 5], &[]),
    (&[2, 3, 4, 5], &[3, 1, 1]),
    (&[2, 1, 4, 1], &[1, 3, 1, 5]),
    (&[2, 3, 2, 4, 5], &[4, 1]),
    (&[2, 1, 2, 1, 5], &[1, 3, 1, 4, 1]),
];

/// A shape as part of a name.
pub fn extents(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// Numbers that are not near zero: divisors.
fn divisors(d: &mut Draft, shape: &[usize]) -> Vec<f32> {
    d.normal(shape.iter().product(), 2.0).iter().map(|v| v + 0.5f32.copysign(*v)).collect()
}

/// Integers between two bounds, none of them zero.
pub fn integers(d: &mut Draft, count: usize, low: i64, high: i64) -> Vec<i64> {
    d.between(count, low as f32, high as f32)
        .into_iter()
        .map(|v| if v as i64 == 0 { 1 } else { v as i64 })
        .collect()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for op in ["Add", "Sub", "Mul", "Div", "Max", "Min"] {
        for &(a, b) in SHAPES {
            let name = format!("{}_of_{}_and_{}", op.to_lowercase(), extents(a), extents(b));
            all.push(case(name.clone(), move |d| {
                let values = divisors(d, b);
                let (x, y) = (d.input(a), d.input_f32(b, &values));
                d.result(op, &[&x, &y], &[]);
            }));
            all.push(case(format!("{name}_constant"), move |d| {
                let values = divisors(d, b);
                let (x, y) = (d.input(a), d.constant(b, &values));
                d.result(op, &[&x, &y], &[]);
            }));
        }
        for (a, b) in [SHAPES[2], SHAPES[4], SHAPES[6], SHAPES[7]] {
            all.push(case(
                format!("{}_of_integers_{}_and_{}", op.to_lowercase(), extents(a), extents(b)),
                move |d| {
                    let (va, vb) =
                        (integers(d, a.iter().product(), -50, 50), integers(d, b.iter().product(), -9, 9));
                    let (x, y) = (d.input_i64(a, &va), d.input_i64(b, &vb));
                    d.result(op, &[&x, &y], &[]);
                },
            ));
        }
        all.push(case(format!("{}_of_a_convolution_and_channels", op.to_lowercase()), move |d| {
            let (x, w, c) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]), d.scale(&[8, 1, 1]));
            let y = d.node("Conv", &[&x, &w], &[]);
            d.result(op, &[&y, &c], &[]);
        }));
    }
    all.extend(variadic());
    all.extend(division());
    all.extend(powers());
    all.push(case("sub_of_a_constant_and_a_tensor", |d| {
        let (c, x) = (d.constant(&[1], &[2.0]), d.input(&[3, 4]));
        d.result("Sub", &[&c, &x], &[]);
    }));
    all.push(case("a_mask_of_the_lowest_float_keeps_softmax_exact", |d| {
        let (x, m) = (
            d.input(&[2, 8]),
            d.constant(&[8], &[0., 0., f32::MIN, 0., f32::MIN, 0., 0., f32::NEG_INFINITY]),
        );
        let y = d.node("Add", &[&x, &m], &[]);
        d.result("Softmax", &[&y], &[]);
    }));
    all.push(case("two_masks_on_one_score_keep_softmax_exact", |d| {
        let x = d.input(&[2, 4]);
        let m = d.constant(&[4], &[0., f32::MIN, 0., 0.]);
        let y = d.node("Add", &[&x, &m], &[]);
        let n = d.constant(&[4], &[0., f32::MIN, 0., f32::MIN]);
        let z = d.node("Add", &[&y, &n], &[]);
        d.result("Softmax", &[&z], &[]);
    }));
    all
}

fn variadic() -> Vec<Case> {
    let mut all = Vec::new();
    for op in ["Max", "Min", "Sum", "Mean"] {
        all.push(case(format!("{}_of_four_tensors", op.to_lowercase()), move |d| {
            let (a, b, c) = (d.input(&[2, 3, 4]), d.input(&[3, 1]), d.input(&[4]));
            let e = d.constant(&[1], &[0.25]);
            d.result(op, &[&a, &b, &c, &e], &[]);
        }));
    }
    all.push(case("max_of_three_integer_tensors", |d| {
        let a = d.input_i64(&[2, 3], &[1, -2, 3, 40000, 5, -6]);
        let (b, c) = (d.input_i64(&[3], &[0, 0, 100_000]), d.input_i64(&[1], &[2]));
        d.result("Max", &[&a, &b, &c], &[]);
    }));
    all
}

fn division() -> Vec<Case> {
    let mut all = Vec::new();
    for divisor in [1i64, 2, 3, 8, -4, 100] {
        all.push(case(format!("integers_divided_by_{divisor}_round_to_zero"), move |d| {
            let values: Vec<i64> = (-20..20).collect();
            let x = d.input_i64(&[4, 10], &values);
            let c = d.ints(&[divisor]);
            d.result("Div", &[&x, &c], &[]);
        }));
    }
    for fmod in [0, 1] {
        all.push(case(format!("mod_of_integers_of_both_signs_with_fmod_{fmod}"), move |d| {
            let a: Vec<i64> = (-12..12).collect();
            let x = d.input_i64(&[6, 4], &a);
            let y = d.input_i64(&[4], &[3, -3, 5, -4]);
            d.result("Mod", &[&x, &y], &[int("fmod", fmod)]);
        }));
    }
    all.push(case("mod_of_floats", |d| {
        let a = d.between(60, -9.0, 9.0);
        let b = d.between(5, 1.0, 4.0);
        let (x, y) = (d.input_f32(&[3, 4, 5], &a), d.input_f32(&[5], &b));
        d.result("Mod", &[&x, &y], &[int("fmod", 1)]);
    }));
    all
}

fn powers() -> Vec<Case> {
    let mut all = Vec::new();
    for exponent in [0.0f32, 1.0, 2.0, 3.0, 4.0, 0.5, -0.5, -1.0, 1.5, -2.0] {
        all.push(case(format!("pow_by_{exponent}"), move |d| {
            let values = d.between(24, 0.3, 3.0);
            let (x, e) = (d.input_f32(&[2, 3, 4], &values), d.constant(&[], &[exponent]));
            d.result("Pow", &[&x, &e], &[]);
        }));
    }
    for exponent in [2.0f32, 3.0, 5.0] {
        all.push(case(format!("pow_of_negative_numbers_by_{exponent}"), move |d| {
            let (x, e) = (d.input(&[2, 3, 2, 4, 5]), d.constant(&[], &[exponent]));
            d.result("Pow", &[&x, &e], &[]);
        }));
    }
    for &(a, b) in SHAPES {
        all.push(case(format!("pow_of_{}_and_{}", extents(a), extents(b)), move |d| {
            let (va, vb) =
                (d.between(a.iter().product(), 0.3, 3.0), d.between(b.iter().product(), -2.0, 2.0));
            let (x, y) = (d.input_f32(a, &va), d.input_f32(b, &vb));
            d.result("Pow", &[&x, &y], &[]);
        }));
    }
    all.push(case("pow_of_integers_by_three", |d| {
        let (x, e) = (d.input_i64(&[5], &[-2, 0, 3, 40, -100]), d.ints(&[3]));
        d.result("Pow", &[&x, &e], &[]);
    }));
    all.push(case("pow_of_integers_by_a_computed_exponent", |d| {
        let (x, e) = (d.input_i64(&[2], &[2, 3]), d.input_i64(&[2], &[2, 3]));
        d.result("Pow", &[&x, &e], &[]);
    }));
    all
}
