//! ArgMax, ArgMin, TopK and CumSum.

use crate::arithmetic::extents;
use crate::case::{Case, Draft, case};
use crate::support::int;

/// Different numbers in an order that is not sorted, far enough apart for fp16.
fn shuffled(d: &mut Draft, count: usize) -> Vec<f32> {
    let keys = d.between(count, 0.0, 1.0);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order.into_iter().map(|i| i as f32 - count as f32 / 2.0).collect()
}

/// Numbers of which many are equal.
fn repeated(d: &mut Draft, count: usize) -> Vec<f32> {
    d.between(count, 0.0, 4.0).into_iter().map(f32::floor).collect()
}

const SHAPES: &[&[usize]] = &[&[7], &[3, 5], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for op in ["ArgMax", "ArgMin"] {
        for &shape in SHAPES {
            for axis in 0..shape.len() as i64 {
                all.push(case(
                    format!("{}_of_{}_along_{axis}", op.to_lowercase(), extents(shape)),
                    move |d| {
                        let values = shuffled(d, shape.iter().product());
                        let x = d.input_f32(shape, &values);
                        d.result(op, &[&x], &[int("axis", axis), int("keepdims", axis % 2)]);
                    },
                ));
            }
        }
        for last in [0, 1] {
            let which = if last == 1 { "last" } else { "first" };
            all.push(case(format!("{}_takes_the_{which}_of_equal_ones", op.to_lowercase()), move |d| {
                let values = repeated(d, 36);
                let x = d.input_f32(&[4, 9], &values);
                d.result(op, &[&x], &[int("axis", 1), int("select_last_index", last)]);
            }));
            all.push(case(format!("{}_takes_the_{which}_of_equal_integers", op.to_lowercase()), move |d| {
                let values: Vec<i32> = repeated(d, 36).into_iter().map(|v| v as i32 + 70_000).collect();
                let x = d.input_i32(&[4, 9], &values);
                d.result(op, &[&x], &[int("axis", 1), int("select_last_index", last)]);
            }));
        }
        all.push(case(format!("{}_of_the_channels_of_a_convolution", op.to_lowercase()), move |d| {
            let (x, w) = (d.input(&[1, 1, 6, 7]), d.constant(&[4, 1, 1, 1], &[1.0, -2.0, 3.0, 0.5]));
            let y = d.node("Conv", &[&x, &w], &[]);
            d.result(op, &[&y], &[int("axis", 1)]);
        }));
    }
    all.extend(top_k());
    all.extend(cum_sum());
    all
}

fn top_k() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for axis in [0, shape.len() as i64 - 1] {
            for largest in [0, 1] {
                let which = if largest == 1 { "largest" } else { "smallest" };
                let name = format!("top_k_{which}_of_{}_along_{axis}", extents(shape));
                if shape.len() == 1 && axis == 0 && all.iter().any(|c: &Case| c.name == name) {
                    continue;
                }
                all.push(case(name, move |d| {
                    let values = shuffled(d, shape.iter().product());
                    let (x, k) = (d.input_f32(shape, &values), d.ints(&[2]));
                    let attributes = [int("axis", axis), int("largest", largest)];
                    let outputs = d.nodes("TopK", &[&x, &k], &attributes, 2);
                    outputs.iter().for_each(|o| d.output(o));
                }));
            }
        }
    }
    for (name, largest) in [("largest", 1), ("smallest", 0)] {
        all.push(case(format!("top_k_{name}_takes_the_first_of_equal_ones_first"), move |d| {
            let values = repeated(d, 150);
            let (x, k) = (d.input_f32(&[3, 50], &values), d.ints(&[20]));
            let outputs = d.nodes("TopK", &[&x, &k], &[int("largest", largest)], 2);
            outputs.iter().for_each(|o| d.output(o));
        }));
    }
    all.push(case("top_k_of_integers", |d| {
        let values: Vec<i64> = repeated(d, 150).into_iter().map(|v| v as i64 + 70_000).collect();
        let (x, k) = (d.input_i64(&[3, 50], &values), d.ints(&[20]));
        let outputs = d.nodes("TopK", &[&x, &k], &[], 2);
        outputs.iter().for_each(|o| d.output(o));
    }));
    all.push(case("top_k_of_all", |d| {
        let values = shuffled(d, 100);
        let (x, k) = (d.input_f32(&[1, 100], &values), d.ints(&[100]));
        let outputs = d.nodes("TopK", &[&x, &k], &[], 2);
        outputs.iter().for_each(|o| d.output(o));
    }));
    all.push(case("top_k_whose_indices_nobody_reads", |d| {
        let values = shuffled(d, 30);
        let (x, k) = (d.input_f32(&[3, 10], &values), d.ints(&[4]));
        let outputs = d.nodes("TopK", &[&x, &k], &[], 2);
        d.output(&outputs[0]);
    }));
    all
}

fn cum_sum() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for axis in [0, shape.len() as i64 - 1] {
            for flags in 0..4 {
                let (exclusive, reverse) = (flags & 1, flags >> 1);
                let name =
                    format!("cum_sum_of_{}_along_{axis}_with_flags_{exclusive}{reverse}", extents(shape));
                if all.iter().any(|c: &Case| c.name == name) {
                    continue;
                }
                all.push(case(name, move |d| {
                    let (x, a) = (d.input(shape), d.ints(&[axis]));
                    d.result("CumSum", &[&x, &a], &[int("exclusive", exclusive), int("reverse", reverse)]);
                }));
            }
        }
    }
    all.push(case("cum_sum_of_integers_exclusive_and_reverse", |d| {
        let values: Vec<i64> = (0..240).map(|i| i * 1_001 % 997 - 400).collect();
        let (x, a) = (d.input_i64(&[2, 3, 2, 4, 5], &values), d.ints(&[3]));
        d.result("CumSum", &[&x, &a], &[int("exclusive", 1), int("reverse", 1)]);
    }));
    all.push(case("an_exclusive_cum_sum_of_one_element_is_zero", |d| {
        let (x, a) = (d.input(&[3, 1]), d.ints(&[1]));
        let y = d.node("CumSum", &[&x, &a], &[int("exclusive", 1)]);
        d.result("Add", &[&x, &y], &[]);
    }));
    all.push(case("cum_sum_of_two_hundred_elements", |d| {
        let values = d.between(400, 0.0, 1.0);
        let (x, a) = (d.input_f32(&[2, 200], &values), d.ints(&[1]));
        d.result("CumSum", &[&x, &a], &[]);
    }));
    all
}
