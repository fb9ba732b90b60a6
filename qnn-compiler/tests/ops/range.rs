//! Numbers that fp16 cannot hold, in the forms in which exporters write them.

use crate::case::{Case, Draft, case, refused};
use crate::support::{int, text};

/// How a variance is written.
#[derive(Clone, Copy, Debug)]
enum Variance {
    /// E[x²] − E[x]²
    Moments,
    /// E[(x − E[x])²] by Pow.
    Centred,
    /// Σ (x − E[x])² / (n − 1)
    Unbiased,
}

/// How its root divides.
#[derive(Clone, Copy, Debug)]
enum Root {
    Div,
    Reciprocal,
    Pow,
    /// x · a + (β − mean · a)
    Parts,
}

/// Shape, axes, shape of scale and offset.
const NORMS: &[(&[usize], &[i64], &[usize])] = &[
    (&[1, 16, 64], &[2], &[64]),
    (&[2, 8, 12, 10], &[2, 3], &[8, 1, 1]),
    (&[1, 8, 12, 10], &[1], &[8, 1, 1]),
    (&[2, 8, 12, 10], &[1, 2, 3], &[8, 1, 1]),
    (&[1, 12, 10, 24], &[3], &[24]),
    (&[1, 12, 10, 8], &[1, 2], &[8]),
    (&[2, 8, 40], &[2], &[8, 1]),
];

pub fn cases() -> Vec<Case> {
    let mut all = norms();
    all.extend(squares());
    all.extend(exponents());
    all.extend(masks());
    all.extend(constants());
    all.extend(sizes());
    all
}

/// Sizes that only a damaged model has.
fn sizes() -> Vec<Case> {
    let crop = |x: &'static [usize], sizes: &'static [i64]| {
        move |d: &mut Draft| {
            let (x, sizes) = (d.input(x), d.ints(sizes));
            d.result("Resize", &[&x, "", "", &sizes], &[text("mode", "linear"), int("antialias", 1)]);
        }
    };
    vec![
        refused("larger_than_a_device", "E0309", "too large", crop(&[1, 1, 4, 4], &[1, 1, 3, 268_435_459])),
        refused("product_with_a_huge_matrix", "E0302", "matrix", crop(&[1, 1, 1, 9000], &[1, 1, 1, 80_000])),
    ]
}

fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// An input of numbers from `low` to `high`.
fn spread(d: &mut Draft, shape: &[usize], low: f32, high: f32) -> String {
    let values = d.between(count(shape), low, high);
    d.input_f32(shape, &values)
}

fn scalar(d: &mut Draft, number: f32) -> String {
    d.constant(&[], &[number])
}

fn mean(d: &mut Draft, x: &str, axes: &[i64], keep: i64) -> String {
    let axes = d.ints(axes);
    d.node("ReduceMean", &[x, &axes], &[int("keepdims", keep)])
}

/// Mean and variance.
fn moments(d: &mut Draft, x: &str, shape: &[usize], axes: &[i64], how: Variance) -> (String, String) {
    let m = mean(d, x, axes, 1);
    let variance = match how {
        Variance::Moments => {
            let square = d.node("Mul", &[x, x], &[]);
            let of_squares = mean(d, &square, axes, 1);
            let square = d.node("Mul", &[&m, &m], &[]);
            d.node("Sub", &[&of_squares, &square], &[])
        }
        Variance::Centred => {
            let (centred, two) = (d.node("Sub", &[x, &m], &[]), scalar(d, 2.0));
            let square = d.node("Pow", &[&centred, &two], &[]);
            mean(d, &square, axes, 1)
        }
        Variance::Unbiased => {
            let centred = d.node("Sub", &[x, &m], &[]);
            let square = d.node("Mul", &[&centred, &centred], &[]);
            let list = d.ints(axes);
            let sum = d.node("ReduceSum", &[&square, &list], &[int("keepdims", 1)]);
            let n: usize = axes.iter().map(|&a| shape[a as usize]).product();
            let n = scalar(d, n as f32 - 1.0);
            d.node("Div", &[&sum, &n], &[])
        }
    };
    (m, variance)
}

fn norm(d: &mut Draft, (shape, axes, scale): (&[usize], &[i64], &[usize]), how: Variance, root: Root) {
    let x = spread(d, shape, 100.0, 600.0);
    let (m, variance) = moments(d, &x, shape, axes, how);
    let epsilon = scalar(d, 1e-5);
    let variance = d.node("Add", &[&variance, &epsilon], &[]);
    let (gamma, beta) = (d.scale(scale), d.weight(scale));
    let centred = d.node("Sub", &[&x, &m], &[]);
    let normal = match root {
        Root::Div => {
            let root = d.node("Sqrt", &[&variance], &[]);
            d.node("Div", &[&centred, &root], &[])
        }
        Root::Reciprocal => {
            let root = d.node("Sqrt", &[&variance], &[]);
            let inverse = d.node("Reciprocal", &[&root], &[]);
            d.node("Mul", &[&inverse, &centred], &[])
        }
        Root::Pow => {
            let power = scalar(d, -0.5);
            let inverse = d.node("Pow", &[&variance, &power], &[]);
            d.node("Mul", &[&centred, &inverse], &[])
        }
        Root::Parts => {
            let root = d.node("Sqrt", &[&variance], &[]);
            let inverse = d.node("Reciprocal", &[&root], &[]);
            let factor = d.node("Mul", &[&inverse, &gamma], &[]);
            let scaled = d.node("Mul", &[&x, &factor], &[]);
            let shift = d.node("Mul", &[&m, &factor], &[]);
            let rest = d.node("Sub", &[&beta, &shift], &[]);
            return d.result("Add", &[&scaled, &rest], &[]);
        }
    };
    let scaled = d.node("Mul", &[&normal, &gamma], &[]);
    d.result("Add", &[&scaled, &beta], &[]);
}

fn norms() -> Vec<Case> {
    let mut all = Vec::new();
    for &form in NORMS {
        for (how, root) in [
            (Variance::Moments, Root::Div),
            (Variance::Moments, Root::Reciprocal),
            (Variance::Centred, Root::Pow),
            (Variance::Centred, Root::Div),
            (Variance::Moments, Root::Parts),
            (Variance::Unbiased, Root::Div),
        ] {
            let extents: Vec<String> = form.0.iter().map(usize::to_string).collect();
            let name = format!("{how:?}_{root:?}_norm_of_{}_over_{:?}", extents.join("x"), form.1);
            all.push(case(name.to_lowercase(), move |d| norm(d, form, how, root)));
        }
        all.push(case(format!("rms_norm_of_{:?}_over_{:?}", form.0, form.1), move |d| {
            let (shape, axes, scale) = form;
            let (x, two) = (spread(d, shape, -600.0, 600.0), scalar(d, 2.0));
            let square = d.node("Pow", &[&x, &two], &[]);
            let (mean, epsilon) = (mean(d, &square, axes, 1), scalar(d, 1e-6));
            let sum = d.node("Add", &[&mean, &epsilon], &[]);
            let root = d.node("Sqrt", &[&sum], &[]);
            let inverse = d.node("Reciprocal", &[&root], &[]);
            let (y, gamma) = (d.node("Mul", &[&x, &inverse], &[]), d.scale(scale));
            d.result("Mul", &[&gamma, &y], &[]);
        }));
    }
    all
}

/// Ranges whose squares overflow or vanish.
const SPREADS: &[(f32, f32)] = &[(-2.0, 3.0), (100.0, 600.0), (0.0, 1e-3), (-3e4, 3e4)];

fn squares() -> Vec<Case> {
    let mut all = Vec::new();
    for &(low, high) in SPREADS {
        for how in [Variance::Moments, Variance::Centred] {
            let name = format!("deviation_by_{how:?}_from_{low}_to_{high}");
            all.push(case(name.to_lowercase(), move |d| {
                let x = spread(d, &[1, 32, 50], low, high);
                let (_, variance) = moments(d, &x, &[1, 32, 50], &[2], how);
                let least = scalar(d, 1e-10);
                let variance = d.node("Clip", &[&variance, &least], &[]);
                d.result("Sqrt", &[&variance], &[]);
            }));
        }
        all.push(case(format!("deviation_without_kept_axes_from_{low}_to_{high}"), move |d| {
            let x = spread(d, &[1, 32, 50], low, high);
            let (m, square) = (mean(d, &x, &[2], 0), d.node("Mul", &[&x, &x], &[]));
            let (of_squares, square) = (mean(d, &square, &[2], 0), d.node("Mul", &[&m, &m], &[]));
            let variance = d.node("Sub", &[&of_squares, &square], &[]);
            d.result("Sqrt", &[&variance], &[]);
        }));
        all.push(case(format!("unit_vectors_from_{low}_to_{high}"), move |d| {
            let (x, axes, least) = (spread(d, &[2, 6, 50], low, high), d.ints(&[2]), scalar(d, 1e-12));
            let norm = d.node("ReduceL2", &[&x, &axes], &[int("keepdims", 1)]);
            let norm = d.node("Clip", &[&norm, &least], &[]);
            d.result("Div", &[&x, &norm], &[]);
        }));
        all.push(case(format!("norms_with_an_epsilon_from_{low}_to_{high}"), move |d| {
            let (x, axes, epsilon) = (spread(d, &[2, 6, 4], low, high), d.ints(&[2]), scalar(d, 1e-6));
            let square = d.node("Mul", &[&x, &x], &[]);
            let sum = d.node("ReduceSum", &[&square, &axes], &[int("keepdims", 0)]);
            let sum = d.node("Add", &[&sum, &epsilon], &[]);
            d.result("Sqrt", &[&sum], &[]);
        }));
        all.push(case(format!("l2_norms_from_{low}_to_{high}"), move |d| {
            let (x, axes) = (spread(d, &[2, 6, 4], low, high), d.ints(&[2]));
            d.result("ReduceL2", &[&x, &axes], &[int("keepdims", 0)]);
        }));
    }
    for shape in [[12, 12, 8], [2, 20, 16]] {
        all.push(case(format!("rms_norm_of_many_rows_{shape:?}"), move |d| {
            let (x, s) = (d.input(&shape), d.scale(&shape[2..]));
            d.result("SimplifiedLayerNormalization", &[&x, &s], &[]);
        }));
    }
    all
}

const SHAPE: &[usize] = &[1, 8, 16];

/// Exponentials of `x`, their sum along an axis.
fn exponentials(d: &mut Draft, x: &str, axis: i64) -> (String, String) {
    let (exp, axes) = (d.node("Exp", &[x], &[]), d.ints(&[axis]));
    let sum = d.node("ReduceSum", &[&exp, &axes], &[int("keepdims", 1)]);
    (exp, sum)
}

fn exponents() -> Vec<Case> {
    let wide = |d: &mut Draft| spread(d, SHAPE, -20.0, 20.0);
    let mut all = vec![
        case("softplus_written_out", move |d| {
            let (x, one) = (wide(d), scalar(d, 1.0));
            let exp = d.node("Exp", &[&x], &[]);
            let sum = d.node("Add", &[&one, &exp], &[]);
            d.result("Log", &[&sum], &[]);
        }),
        case("logarithm_of_a_softmax", move |d| {
            let x = wide(d);
            let y = d.node("Softmax", &[&x], &[int("axis", 1)]);
            d.result("Log", &[&y], &[]);
        }),
        case("logarithm_of_a_sum_of_exponentials", move |d| {
            let x = wide(d);
            let (_, sum) = exponentials(d, &x, 2);
            d.result("Log", &[&sum], &[]);
        }),
        case("root_by_the_logarithm_of_zero", |d| {
            let values: Vec<f32> = (0..128).map(|i| (i / 4) as f32 / 32.0).collect();
            let (x, half) = (d.input_f32(SHAPE, &values), scalar(d, 0.5));
            let log = d.node("Log", &[&x], &[]);
            let product = d.node("Mul", &[&log, &half], &[]);
            d.result("Exp", &[&product], &[]);
        }),
    ];
    for axis in [1, 2] {
        for shifted in [false, true] {
            let name = if shifted { "shifted_" } else { "" };
            let operand = move |d: &mut Draft| {
                let x = wide(d);
                if !shifted {
                    return x;
                }
                let axes = d.ints(&[axis]);
                let max = d.node("ReduceMax", &[&x, &axes], &[int("keepdims", 1)]);
                d.node("Sub", &[&x, &max], &[])
            };
            all.push(case(format!("{name}softmax_written_out_along_{axis}"), move |d| {
                let x = operand(d);
                let (exp, sum) = exponentials(d, &x, axis);
                d.result("Div", &[&exp, &sum], &[]);
            }));
            all.push(case(format!("{name}log_softmax_written_out_along_{axis}"), move |d| {
                let x = operand(d);
                let (_, sum) = exponentials(d, &x, axis);
                let log = d.node("Log", &[&sum], &[]);
                d.result("Sub", &[&x, &log], &[]);
            }));
        }
    }
    all
}

fn masks() -> Vec<Case> {
    let mut all = Vec::new();
    let allowed = |hidden_row: bool| -> Vec<bool> {
        (0..128).map(|i| (i % 16 < 9 || i % 5 == 0) && !(hidden_row && i / 16 == 3)).collect()
    };
    for (name, mask) in
        [("smallest_float", f32::MIN), ("infinity", f32::NEG_INFINITY), ("1e9", -1e9), ("1e4", -1e4)]
    {
        all.push(case(format!("constant_mask_of_{name}"), move |d| {
            let values: Vec<f32> = allowed(false).iter().map(|&a| if a { 0.0 } else { mask }).collect();
            let (x, m) = (spread(d, SHAPE, -3.0, 3.0), d.constant(SHAPE, &values));
            let scores = d.node("Add", &[&x, &m], &[]);
            d.result("Softmax", &[&scores], &[]);
        }));
        all.push(case(format!("chosen_mask_of_{name}"), move |d| {
            let (x, m) = (spread(d, SHAPE, -3.0, 3.0), d.input_bool(SHAPE, &allowed(false)));
            let (zero, mask) = (scalar(d, 0.0), scalar(d, mask));
            let m = d.node("Where", &[&m, &zero, &mask], &[]);
            let scores = d.node("Add", &[&x, &m], &[]);
            d.result("Softmax", &[&scores], &[]);
        }));
        all.push(case(format!("filled_in_mask_of_{name}"), move |d| {
            let (x, m) = (spread(d, SHAPE, -3.0, 3.0), d.input_bool(SHAPE, &allowed(false)));
            let mask = scalar(d, mask);
            let scores = d.node("Where", &[&m, &x, &mask], &[]);
            d.result("Softmax", &[&scores], &[]);
        }));
        if mask.is_finite() {
            all.push(case(format!("computed_mask_of_{name}"), move |d| {
                let values: Vec<f32> = allowed(false).iter().map(|&a| f32::from(a)).collect();
                let (x, m) = (spread(d, SHAPE, -3.0, 3.0), d.input_f32(SHAPE, &values));
                let (one, mask) = (scalar(d, 1.0), scalar(d, mask));
                let m = d.node("Sub", &[&one, &m], &[]);
                let m = d.node("Mul", &[&m, &mask], &[]);
                let scores = d.node("Add", &[&x, &m], &[]);
                d.result("Softmax", &[&scores], &[]);
            }));
        }
    }
    all.push(case("rows_that_a_mask_hides_altogether", move |d| {
        let (x, m) = (spread(d, SHAPE, -3.0, 3.0), d.input_bool(SHAPE, &allowed(true)));
        let (zero, mask) = (scalar(d, 0.0), scalar(d, f32::NEG_INFINITY));
        let m = d.node("Where", &[&m, &zero, &mask], &[]);
        let scores = d.node("Add", &[&x, &m], &[]);
        let y = d.node("Softmax", &[&scores], &[]);
        let nan = d.node("IsNaN", &[&y], &[]);
        d.result("Where", &[&nan, &zero, &y], &[]);
    }));
    all
}

fn constants() -> Vec<Case> {
    let one = |op: &'static str, low: f32, high: f32, number: f32| {
        move |d: &mut Draft| {
            let (x, c) = (spread(d, SHAPE, low, high), scalar(d, number));
            d.result(op, &[&x, &c], &[]);
        }
    };
    let mut all = vec![
        case("factor_beyond_the_largest_number", one("Mul", -1e-3, 1e-3, 1e5)),
        case("negative_factor_beyond_the_largest_number", one("Mul", -1e-3, 1e-3, -4e6)),
        case("divisor_beyond_the_largest_number", one("Div", -6e4, 6e4, 1e5)),
    ];
    for op in ["Add", "Max"] {
        all.push(case(format!("guard_by_{op}_against_division_by_zero").to_lowercase(), move |d| {
            let values: Vec<f32> =
                (0..128).map(|i| if i % 3 == 0 { 0.0 } else { i as f32 / 128.0 }).collect();
            let (x, guard) = (d.input_f32(SHAPE, &values), scalar(d, 1e-12));
            let guarded = d.node(op, &[&x, &guard], &[]);
            d.result("Div", &[&x, &guarded], &[]);
        }));
    }
    all
}
