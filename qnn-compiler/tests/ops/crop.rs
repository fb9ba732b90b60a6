//! What follows a convolution where HTP takes it for a part of the convolution: crops, borders, divided channels, slopes of volumes.

use crate::case::{Case, Draft, case};
use crate::support::{int, ints};

/// A convolution of 1x1 from 24 channels to 24.
fn convolved(d: &mut Draft, extents: [usize; 2]) -> String {
    let x = d.input(&[1, 24, extents[0], extents[1]]);
    let values = d.normal(24 * 24, 0.2);
    let w = d.constant(&[24, 24, 1, 1], &values);
    d.node("Conv", &[&x, &w], &[])
}

/// Rows from `begin` on, counted from the end where `end` is negative; the same of columns.
fn cropped(d: &mut Draft, x: &str, begin: i64, end: i64) -> String {
    let (begins, ends, axes) = (d.ints(&[begin; 2]), d.ints(&[end; 2]), d.ints(&[2, 3]));
    d.node("Slice", &[x, &begins, &ends, &axes], &[])
}

/// What is read from a crop: name and op.
fn read(d: &mut Draft, what: &str, x: &str) {
    match what {
        "convolution" => {
            let values = d.normal(16 * 24 * 9, 0.08);
            let w = d.constant(&[16, 24, 3, 3], &values);
            d.result("Conv", &[x, &w], &[]);
        }
        "depthwise" => {
            let values = d.normal(24 * 9, 0.3);
            let w = d.constant(&[24, 1, 3, 3], &values);
            d.result("Conv", &[x, &w], &[int("group", 24)]);
        }
        "average" => {
            d.result("AveragePool", &[x], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
        }
        "every_second" => {
            d.result("AveragePool", &[x], &[ints("kernel_shape", &[1, 1]), ints("strides", &[2, 2])]);
        }
        "maximum" => d.result("MaxPool", &[x], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
        "mean" => d.result("GlobalAveragePool", &[x], &[]),
        _ => d.result("Add", &[x, x], &[]),
    }
}

const READERS: [&str; 7] =
    ["convolution", "depthwise", "average", "every_second", "maximum", "mean", "sum_of_both"];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for what in READERS {
        for (name, extents, begin, end) in
            [("first", [8, 8], 1, 99), ("both_ends", [8, 8], 1, -1), ("larger", [17, 12], 2, 99)]
        {
            all.push(case(format!("{what}_of_a_crop_of_{name}"), move |d| {
                let x = convolved(d, extents);
                let x = cropped(d, &x, begin, end);
                read(d, what, &x);
            }));
        }
        for (name, pads) in [
            ("end", [0, 0, 0, 0, 0, 0, 1, 1]),
            ("around", [0, 0, 1, 1, 0, 0, 1, 1]),
            ("front", [0, 0, 1, 1, 0, 0, 0, 0]),
        ] {
            all.push(case(format!("{what}_with_a_border_{name}"), move |d| {
                let x = convolved(d, [8, 8]);
                let pads = d.ints(&pads);
                let x = d.node("Pad", &[&x, &pads], &[]);
                read(d, what, &x);
            }));
        }
    }
    all.push(case("convolution_of_gathered_rows_and_columns", |d| {
        let x = convolved(d, [8, 8]);
        let places = d.ints(&[1, 2, 3, 4, 5, 6, 7]);
        let rows = d.node("Gather", &[&x, &places], &[int("axis", 2)]);
        let columns = d.node("Gather", &[&rows, &places], &[int("axis", 3)]);
        read(d, "convolution", &columns);
    }));
    for (name, op, attribute) in [
        ("sigmoid", "Sigmoid", None),
        ("softmax", "Softmax", Some(int("axis", 1))),
        ("exponential", "Exp", None),
        ("softplus", "Softplus", None),
    ] {
        for extents in [[1, 1], [1, 9], [9, 1]] {
            let attribute = attribute.clone();
            all.push(case(
                format!("{name}_of_divided_channels_of_{}x{}", extents[0], extents[1]),
                move |d| {
                    let x = convolved(d, extents);
                    let shape = d.ints(&[1, 2, 12, extents[0] as i64, extents[1] as i64]);
                    let x = d.node("Reshape", &[&x, &shape], &[]);
                    d.result(op, &[&x], attribute.as_slice());
                },
            ));
        }
    }
    all.push(case("selective_kernels", |d| {
        let x = convolved(d, [1, 1]);
        let other = d.input(&[1, 2, 12, 6, 6]);
        let shape = d.ints(&[1, 2, 12, 1, 1]);
        let x = d.node("Reshape", &[&x, &shape], &[]);
        let x = d.node("Softmax", &[&x], &[int("axis", 1)]);
        let x = d.node("Mul", &[&other, &x], &[]);
        let axes = d.ints(&[1]);
        d.result("ReduceSum", &[&x, &axes], &[int("keepdims", 0)]);
    }));
    all.push(case("slopes_of_a_volume", |d| {
        let x = d.input(&[1, 3, 6, 7, 8]);
        let values = d.normal(8 * 3 * 27, 0.2);
        let w = d.constant(&[8, 3, 3, 3, 3], &values);
        let x = d.node("Conv", &[&x, &w], &[]);
        let slopes = d.between(8, 0.05, 0.4);
        let slopes = d.constant(&[8, 1, 1, 1], &slopes);
        d.result("PRelu", &[&x, &slopes], &[]);
    }));
    for op in ["AveragePool", "MaxPool"] {
        all.push(case(format!("{}_beyond_the_image_is_of_all_of_it", op.to_lowercase()), move |d| {
            let x = d.input(&[1, 320, 2, 3]);
            let window =
                [ints("kernel_shape", &[320, 320]), ints("strides", &[320, 320]), int("ceil_mode", 1)];
            d.result(op, &[&x], &window);
        }));
    }
    for (name, mask) in [("300", -300.0), ("1000", -1000.0), ("10000", -1.0e4)] {
        for (place, by_app) in [("input", true), ("graph", false)] {
            all.push(case(format!("log_softmax_with_logits_masked_by_{name}_in_the_{place}"), move |d| {
                let values: Vec<f32> = d.normal(8 * 24, 2.0);
                let masked = |i: usize| if i % 3 == 2 { mask } else { 0.0 };
                let x = if by_app {
                    let values: Vec<f32> =
                        values.iter().enumerate().map(|(i, v)| if i % 3 == 2 { mask } else { *v }).collect();
                    d.input_f32(&[1, 8, 24], &values)
                } else {
                    let x = d.input_f32(&[1, 8, 24], &values);
                    let masks: Vec<f32> = (0..24).map(masked).collect();
                    let masks = d.constant(&[24], &masks);
                    d.node("Add", &[&x, &masks], &[])
                };
                let y = d.node("LogSoftmax", &[&x], &[int("axis", -1)]);
                // What is not masked counts.
                let zero = d.constant(&[], &[-200.0]);
                d.result("Max", &[&y, &zero], &[]);
            }));
        }
    }
    all
}
