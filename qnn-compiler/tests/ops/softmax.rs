//! Softmax and LogSoftmax.

use crate::case::{Case, case};
use crate::support::int;

pub fn cases() -> Vec<Case> {
    let forms: &[(&[usize], i64)] = &[
        (&[10], 0),
        (&[4, 10], 1),
        (&[4, 10], 0),
        (&[2, 3, 10], -1),
        (&[2, 5, 6], 1),
        (&[1, 8, 16, 16], -1),
        (&[1, 5, 6, 7], 1),
        (&[1, 5, 6, 7], 2),
        (&[2, 2, 3, 4, 5], -1),
        (&[2, 2, 3, 4, 5], 1),
        (&[1, 1000], 1),
        (&[3, 1], 1),
        (&[2, 3, 1, 1], 3),
    ];
    let mut all = Vec::new();
    for (op, name) in [("Softmax", "softmax"), ("LogSoftmax", "log_softmax")] {
        for &(shape, axis) in forms {
            let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
            let place = if axis < 0 { "last".to_owned() } else { axis.to_string() };
            all.push(case(format!("{name}_of_{}_along_{place}", extents.join("x")), move |d| {
                let x = d.input(shape);
                d.result(op, &[&x], &[int("axis", axis)]);
            }));
        }
        all.push(case(format!("{name}_before_opset_13_joins_axes"), move |d| {
            d.opset(11);
            let x = d.input(&[2, 3, 4]);
            d.result(op, &[&x], &[int("axis", 1)]);
        }));
        all.push(case(format!("{name}_of_a_wide_range"), move |d| {
            let values = d.normal(400, 10.0);
            let x = d.input_f32(&[4, 100], &values);
            d.result(op, &[&x], &[int("axis", 1)]);
        }));
        all.push(case(format!("{name}_over_channels_of_a_convolution"), move |d| {
            let (x, w) = (d.input(&[1, 4, 6, 6]), d.weight(&[8, 4, 3, 3]));
            let y = d.node("Conv", &[&x, &w], &[]);
            d.result(op, &[&y], &[int("axis", 1)]);
        }));
    }
    all
}
