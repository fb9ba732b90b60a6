//! The reductions.

use crate::arithmetic::extents;
use crate::case::{Case, case, refused};
use crate::support::int;

const REDUCTIONS: &[&str] = &[
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
];

const FORMS: &[(&[usize], &[i64])] = &[
    (&[7], &[0]),
    (&[3, 5], &[1]),
    (&[2, 3, 4, 5], &[-1]),
    (&[2, 3, 4, 5], &[2, 3]),
    (&[2, 3, 4, 5], &[0, 2]),
    (&[2, 3, 4, 5], &[0, 1, 2, 3]),
    (&[2, 3, 2, 4, 5], &[1]),
    (&[2, 3, 2, 4, 5], &[0, 2, 4]),
];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for &op in REDUCTIONS {
        let name = format!("{}_{}", &op[..6], &op[6..]).to_lowercase();
        for &(shape, axes) in FORMS {
            let factors: usize =
                axes.iter().map(|&a| shape[a.rem_euclid(shape.len() as i64) as usize]).product();
            if op == "ReduceProd" && factors > 8 {
                continue;
            }
            for keep in [0, 1] {
                let places: Vec<String> = axes.iter().map(i64::to_string).collect();
                let kept = if keep == 1 { "kept" } else { "dropped" };
                all.push(case(
                    format!("{name}_of_{}_over_{}_{kept}", extents(shape), places.join("_")),
                    move |d| {
                        let (low, high) = match op {
                            "ReduceProd" => (0.8, 1.2),
                            "ReduceLogSum" => (0.1, 2.0),
                            _ => (-2.0, 2.0),
                        };
                        let values = d.between(shape.iter().product(), low, high);
                        let (x, a) = (d.input_f32(shape, &values), d.ints(axes));
                        d.result(op, &[&x, &a], &[int("keepdims", keep)]);
                    },
                ));
            }
        }
        all.push(case(format!("{name}_over_the_rows_of_a_convolution"), move |d| {
            let values = d.between(8 * 42, 0.5, 1.5);
            let (x, w) = (d.input_f32(&[1, 8, 6, 7], &values), d.scale(&[8, 1, 1, 1]));
            let (y, a) = (d.node("Conv", &[&x, &w], &[int("group", 8)]), d.ints(&[2]));
            d.result(op, &[&y, &a], &[]);
        }));
        if !matches!(op, "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp") {
            for (shape, axes) in [(&[2usize, 3, 4, 5][..], &[1i64][..]), (&[2, 3, 2, 4, 5], &[0, 2])] {
                all.push(case(format!("{name}_of_integers_{}", extents(shape)), move |d| {
                    let values = crate::arithmetic::integers(d, shape.iter().product(), -4, 9);
                    let values: Vec<i32> = values.into_iter().map(|v| v as i32).collect();
                    let (x, a) = (d.input_i32(shape, &values), d.ints(axes));
                    d.result(op, &[&x, &a], &[]);
                }));
            }
        }
    }
    all.push(case("reduce_l2_of_large_numbers_does_not_overflow", |d| {
        let values = d.between(4 * 512, -400.0, 400.0);
        let (x, a) = (d.input_f32(&[4, 512], &values), d.ints(&[1]));
        d.result("ReduceL2", &[&x, &a], &[]);
    }));
    all.push(case("reduce_l2_of_zeros", |d| {
        let (x, a) = (d.input_f32(&[3, 8], &[0.0; 24]), d.ints(&[1]));
        d.result("ReduceL2", &[&x, &a], &[]);
    }));
    all.push(case("reduce_log_sum_exp_of_large_numbers_does_not_overflow", |d| {
        let values = d.between(400, -40.0, 40.0);
        let (x, a) = (d.input_f32(&[4, 100], &values), d.ints(&[1]));
        d.result("ReduceLogSumExp", &[&x, &a], &[]);
    }));
    all.push(case("reduce_mean_of_many_numbers", |d| {
        let values = d.between(4 * 4096, 0.0, 60.0);
        let (x, a) = (d.input_f32(&[4, 4096], &values), d.ints(&[1]));
        d.result("ReduceMean", &[&x, &a], &[]);
    }));
    all.push(refused("reduce_prod_of_more_than_fp16_holds_is_refused", "E0302", "12 numbers", |d| {
        let (x, a) = (d.input(&[3, 4]), d.ints(&[0, 1]));
        d.result("ReduceProd", &[&x, &a], &[]);
    }));
    all.push(case("reduce_prod_of_an_odd_count_of_both_signs", |d| {
        let values = d.between(21, -1.3, 1.3);
        let (x, a) = (d.input_f32(&[3, 7], &values), d.ints(&[1]));
        d.result("ReduceProd", &[&x, &a], &[]);
    }));
    all.push(case("reduce_sum_of_no_axes_is_of_all", |d| {
        let x = d.input(&[2, 3, 4]);
        d.result("ReduceSum", &[&x], &[]);
    }));
    all
}
