//! Sums by letters, determinants, integer powers, places of maxima, extremes that are scattered.

use crate::case::{Case, case};
use crate::support::{int, ints, text};

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let sums: [(&str, &str, &[&[usize]]); 6] = [
        ("diagonals_of_a_batch", "...ii->...i", &[&[3, 4, 4]]),
        ("a_trace", "ii->", &[&[5, 5]]),
        ("products_under_an_ellipsis", "...ij,...jk->...ik", &[&[2, 3, 4, 5], &[2, 3, 5, 6]]),
        ("an_ellipsis_that_broadcasts", "...ij,jk->...ik", &[&[2, 3, 4, 5], &[5, 6]]),
        ("three_operands", "ij,jk,kl->il", &[&[3, 4], &[4, 5], &[5, 6]]),
        ("a_bilinear_form", "bi,ij,bj->b", &[&[3, 4], &[4, 5], &[3, 5]]),
    ];
    for (name, equation, shapes) in sums {
        all.push(case(format!("sum_of_{name}"), move |d| {
            let operands: Vec<String> = shapes.iter().map(|shape| d.input(shape)).collect();
            let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
            d.result("Einsum", &operands, &[text("equation", equation)]);
        }));
    }
    for (n, batch) in [(1, 3), (2, 1), (3, 4), (4, 2), (5, 1)] {
        all.push(case(format!("determinant_of_{n}_rows"), move |d| {
            let x = d.input(&[batch, n, n]);
            d.result("Det", &[&x], &[]);
        }));
    }
    all.push(case("integers_to_computed_powers", |d| {
        let x = d.input_i32(&[6], &[2, -3, 7, 1, -1, 0]);
        let y = d.input_i32(&[6], &[10, 5, 9, 30, 7, 0]);
        d.result("Pow", &[&x, &y], &[]);
    }));
    all.push(case("integers_to_computed_float_powers", |d| {
        let x = d.input_i32(&[4], &[2, 3, 9, 5]);
        let y = d.input_f32(&[4], &[10.0, 7.0, 2.0, 3.0]);
        d.result("Pow", &[&x, &y], &[]);
    }));
    for order in [0, 1] {
        for (name, attributes) in [
            ("of_four", vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
            (
                "padded",
                vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 1])],
            ),
            (
                "rounded_up",
                vec![ints("kernel_shape", &[3, 2]), ints("strides", &[2, 2]), int("ceil_mode", 1)],
            ),
        ] {
            let way = if order == 1 { "_by_columns" } else { "" };
            all.push(case(format!("places_of_maxima_{name}{way}"), move |d| {
                // Far apart, so that fp16 does not make two of them one.
                let values: Vec<f32> = (0..2 * 3 * 7 * 8).map(|i| (i * 37 % 337) as f32).collect();
                let x = d.input_f32(&[2, 3, 7, 8], &values);
                let attributes = [attributes.clone(), vec![int("storage_order", order)]].concat();
                let outputs = d.nodes("MaxPool", &[&x], &attributes, 2);
                outputs.iter().for_each(|y| d.output(y));
            }));
        }
    }
    all.push(case("places_of_maxima_along_one_axis", |d| {
        let x = d.input_f32(&[1, 2, 9], &(0..18).map(|i| (i * 7 % 19) as f32).collect::<Vec<_>>());
        let outputs = d.nodes("MaxPool", &[&x], &[ints("kernel_shape", &[3]), ints("strides", &[2])], 2);
        outputs.iter().for_each(|y| d.output(y));
    }));
    for reduction in ["max", "min"] {
        all.push(case(format!("elements_scattered_by_{reduction}"), move |d| {
            let x = d.input(&[4, 5]);
            let indices = d.input_i64(&[3, 5], &[0, 1, 3, 2, 0, 0, 1, -1, 2, 1, 0, 3, 3, 2, 2]);
            let updates = d.input(&[3, 5]);
            d.result(
                "ScatterElements",
                &[&x, &indices, &updates],
                &[int("axis", 0), text("reduction", reduction)],
            );
        }));
        all.push(case(format!("rows_scattered_by_{reduction}"), move |d| {
            let x = d.input(&[4, 3, 5]);
            let indices = d.input_i64(&[4, 2], &[0, 1, 3, 2, 0, 1, 2, 0]);
            let updates = d.input(&[4, 5]);
            d.result("ScatterND", &[&x, &indices, &updates], &[text("reduction", reduction)]);
        }));
        all.push(case(format!("integers_scattered_by_{reduction}"), move |d| {
            let x = d.input_i32(&[6], &[5, -7, 100, 3, 0, 2]);
            let indices = d.input_i64(&[5, 1], &[0, 2, 0, 5, 1]);
            let updates = d.input_i32(&[5], &[9, 200, -3, 1, -70]);
            d.result("ScatterND", &[&x, &indices, &updates], &[text("reduction", reduction)]);
        }));
    }
    for axes in [2, 3] {
        all.push(case(format!("softmax_of_large_logits_over_{axes}_axes"), move |d| {
            let values: Vec<f32> = (0..60).map(|i| 10_000.0 + (i * 7 % 13) as f32).collect();
            let shape: &[usize] = if axes == 2 { &[6, 10] } else { &[2, 3, 10] };
            let x = d.input_f32(shape, &values);
            let y = d.node("Softmax", &[&x], &[int("axis", -1)]);
            let z = d.node("LogSoftmax", &[&x], &[int("axis", -1)]);
            d.output(&y);
            d.output(&z);
        }));
    }
    all
}
