//! Functions of numbers far from zero, and formulas of exponentials that leave fp16.

use crate::case::{Case, Draft, case};
use crate::support::{int, ints, text};

/// Operator, and between which numbers it is tried.
const FAR: &[(&str, f32, f32)] = &[
    ("Acosh", 1.0, 60_000.0),
    ("Asinh", -60_000.0, 60_000.0),
    ("Asinh", -0.01, 0.01),
    ("Asin", -0.05, 0.05),
    ("Atan", -60_000.0, 60_000.0),
    ("Atanh", -0.01, 0.01),
    ("Celu", -60_000.0, 10.0),
    ("Cosh", -10.0, 10.0),
    ("Elu", -60_000.0, 10.0),
    ("Erf", -60_000.0, 60_000.0),
    ("Exp", -60_000.0, 2.0),
    ("Exp", -120.0, 2.0),
    ("Gelu", -60_000.0, 60_000.0),
    ("HardSwish", -60_000.0, 60_000.0),
    ("Mish", -60_000.0, 60_000.0),
    ("Selu", -60_000.0, 10.0),
    ("Sigmoid", -60_000.0, 60_000.0),
    ("Sinh", -10.0, 10.0),
    ("Softplus", -300.0, 300.0),
    ("Softsign", -60_000.0, 60_000.0),
    ("Sqrt", 0.0, 60_000.0),
    ("Tanh", -60_000.0, 60_000.0),
];

pub fn cases() -> Vec<Case> {
    let mut all: Vec<Case> = FAR
        .iter()
        .map(|&(op, low, high)| {
            case(format!("{op}_from_{low}_to_{high}").to_lowercase(), move |d| {
                let x = input(d, low, high);
                d.result(op, &[&x], &[]);
            })
        })
        .collect();
    all.extend(FORMULAS.iter().map(|&(name, formula)| {
        case(name, move |d| {
            let x = input(d, -100.0, 100.0);
            formula(d, &x);
        })
    }));
    all.extend(angles());
    all.extend(weights());
    all
}

/// Products of positions and frequencies, of which sines and cosines are taken.
fn angles() -> Vec<Case> {
    let frequencies =
        |n: usize| -> Vec<f32> { (0..n).map(|i| 10_000f32.powf(-(i as f32) / n as f32)).collect() };
    let both = |d: &mut Draft, angles: &str| {
        let (sin, cos) = (d.node("Sin", &[angles], &[]), d.node("Cos", &[angles], &[]));
        d.result("Concat", &[&sin, &cos], &[int("axis", -1)]);
    };
    vec![
        case("embedding_of_integer_timesteps", move |d| {
            let (x, f) =
                (d.input_i64(&[4, 1], &[981, 0, -77, 60_000]), d.constant(&[1, 16], &frequencies(16)));
            let x = d.node("Cast", &[&x], &[int("to", 1)]);
            let angles = d.node("Mul", &[&x, &f], &[]);
            both(d, &angles);
        }),
        case("embedding_of_float_timesteps", move |d| {
            let (x, f) = (d.input_f32(&[3], &[981.0, 0.375, 17.25]), d.constant(&[16], &frequencies(16)));
            let (axes, by) = (d.ints(&[1]), number(d, 2.0));
            let x = d.node("Unsqueeze", &[&x, &axes], &[]);
            let x = d.node("Mul", &[&x, &by], &[]);
            let angles = d.node("Mul", &[&x, &f], &[]);
            both(d, &angles);
        }),
        case("rotary_angles_by_a_matrix_product", move |d| {
            let positions: Vec<i64> = (1990..2006).collect();
            let (x, f) = (d.input_i64(&[1, 1, 16], &positions), d.constant(&[1, 8, 1], &frequencies(8)));
            let x = d.node("Cast", &[&x], &[int("to", 1)]);
            let angles = d.node("MatMul", &[&f, &x], &[]);
            let angles = d.node("Transpose", &[&angles], &[ints("perm", &[0, 2, 1])]);
            let angles = d.node("Concat", &[&angles, &angles], &[int("axis", -1)]);
            both(d, &angles);
        }),
        case("rotary_angles_by_einsum", move |d| {
            let positions: Vec<i64> = (1990..2006).collect();
            let (x, f) = (d.input_i64(&[16], &positions), d.constant(&[8], &frequencies(8)));
            let x = d.node("Cast", &[&x], &[int("to", 1)]);
            let angles = d.node("Einsum", &[&x, &f], &[text("equation", "i, j -> ij")]);
            both(d, &angles);
        }),
        case("octaves_of_a_coordinate", move |d| {
            let numbers = d.between(32, -3.0, 3.0);
            let exact: Vec<f32> = numbers.iter().map(|&v| half::f16::from_f32(v).to_f32()).collect();
            let octaves: Vec<f32> = (0..10).map(|k| std::f32::consts::PI * 2f32.powi(k)).collect();
            let (x, f) = (d.input_f32(&[1, 32, 1], &exact), d.constant(&[10], &octaves));
            let angles = d.node("Mul", &[&x, &f], &[]);
            both(d, &angles);
        }),
    ]
}

/// Weights beyond fp16, of which the results are within.
fn weights() -> Vec<Case> {
    let small = |d: &mut Draft, shape: &[usize]| {
        let numbers = d.between(shape.iter().product(), -0.01, 0.01);
        d.input_f32(shape, &numbers)
    };
    let large = |d: &mut Draft, shape: &[usize]| {
        let mut numbers = d.between(shape.iter().product(), -2.0, 2.0);
        numbers.iter_mut().step_by(7).for_each(|v| *v *= 1.0e5);
        d.constant(shape, &numbers)
    };
    vec![
        case("product_with_large_weights", move |d| {
            let (x, w) = (small(d, &[1, 8, 16]), large(d, &[16, 12]));
            d.result("MatMul", &[&x, &w], &[]);
        }),
        case("product_with_large_matrices", move |d| {
            let (x, w) = (small(d, &[2, 8, 16]), large(d, &[2, 16, 12]));
            d.result("MatMul", &[&x, &w], &[]);
        }),
        case("gemm_with_large_weights_and_a_bias", move |d| {
            let (x, w, b) = (small(d, &[8, 16]), large(d, &[12, 16]), d.weight(&[12]));
            d.result("Gemm", &[&x, &w, &b], &[int("transB", 1)]);
        }),
        case("convolution_with_large_weights", move |d| {
            let (x, w, b) = (small(d, &[1, 8, 10, 10]), large(d, &[6, 8, 3, 3]), d.weight(&[6]));
            d.result("Conv", &[&x, &w, &b], &[]);
        }),
        case("factors_beyond_fp16", move |d| {
            let (x, w) = (small(d, &[1, 8, 16]), large(d, &[16]));
            d.result("Mul", &[&x, &w], &[]);
        }),
    ]
}

/// Numbers that fp16 has.
fn input(d: &mut Draft, low: f32, high: f32) -> String {
    let numbers = d.between(128, low, high);
    let exact: Vec<f32> = numbers.iter().map(|&v| half::f16::from_f32(v).to_f32().clamp(low, high)).collect();
    d.input_f32(&[1, 8, 16], &exact)
}

fn number(d: &mut Draft, number: f32) -> String {
    d.constant(&[], &[number])
}

/// exp(−x)
fn decay(d: &mut Draft, x: &str) -> String {
    let minus = d.node("Neg", &[x], &[]);
    d.node("Exp", &[&minus], &[])
}

/// A formula of one input.
type Formula = fn(&mut Draft, &str);

const FORMULAS: &[(&str, Formula)] = &[
    ("bell_curve", |d, x| {
        let square = d.node("Mul", &[x, x], &[]);
        let y = decay(d, &square);
        d.output(&y);
    }),
    ("sigmoid_by_reciprocal", |d, x| {
        let (exp, one) = (decay(d, x), number(d, 1.0));
        let sum = d.node("Add", &[&one, &exp], &[]);
        d.result("Reciprocal", &[&sum], &[]);
    }),
    ("sigmoid_of_a_multiple_by_division", |d, x| {
        let (by, one) = (number(d, -1.702), number(d, 1.0));
        let scaled = d.node("Mul", &[x, &by], &[]);
        let exp = d.node("Exp", &[&scaled], &[]);
        let sum = d.node("Add", &[&exp, &one], &[]);
        d.result("Div", &[&one, &sum], &[]);
    }),
    ("elu_by_a_choice", |d, x| {
        let (zero, one) = (number(d, 0.0), number(d, 1.0));
        let (positive, low) = (d.node("Greater", &[x, &zero], &[]), d.node("Min", &[x, &zero], &[]));
        let exp = d.node("Exp", &[&low], &[]);
        let less = d.node("Sub", &[&exp, &one], &[]);
        d.result("Where", &[&positive, x, &less], &[]);
    }),
    ("logarithm_of_two_exponentials", |d, x| {
        let (shift, one) = (number(d, 17.0), number(d, 1.0));
        let other = d.node("Sub", &[&shift, x], &[]);
        let (larger, apart) = (d.node("Max", &[x, &other], &[]), d.node("Sub", &[x, &other], &[]));
        let apart = d.node("Abs", &[&apart], &[]);
        let exp = decay(d, &apart);
        let sum = d.node("Add", &[&exp, &one], &[]);
        let log = d.node("Log", &[&sum], &[]);
        d.result("Add", &[&larger, &log], &[]);
    }),
    ("decay_of_a_state", |d, x| {
        let (step, rates) = (d.node("Softplus", &[x], &[]), d.between(16, -16.0, -0.1));
        let rates = d.constant(&[16], &rates);
        let power = d.node("Mul", &[&step, &rates], &[]);
        d.result("Exp", &[&power], &[]);
    }),
    ("log_sum_exp_of_numbers_far_apart", |d, x| {
        let axes = d.ints(&[2]);
        d.result("ReduceLogSumExp", &[x, &axes], &[]);
    }),
    ("powers_of_a_number_below_one", |d, x| {
        let (size, base) = (d.node("Abs", &[x], &[]), number(d, 0.1));
        d.result("Pow", &[&base, &size], &[]);
    }),
    ("hyperbolic_tangent_of_two_exponentials", |d, x| {
        let by = number(d, 0.05);
        let x = d.node("Mul", &[x, &by], &[]);
        let (up, down) = (d.node("Exp", &[&x], &[]), decay(d, &x));
        let (above, below) = (d.node("Sub", &[&up, &down], &[]), d.node("Add", &[&up, &down], &[]));
        d.result("Div", &[&above, &below], &[]);
    }),
    ("hyperbolic_tangent_of_one_exponential", |d, x| {
        let (by, two, one) = (number(d, 0.4), number(d, 2.0), number(d, 1.0));
        let x = d.node("Mul", &[x, &by], &[]);
        let double = d.node("Mul", &[&x, &two], &[]);
        let exp = d.node("Exp", &[&double], &[]);
        let (above, below) = (d.node("Sub", &[&exp, &one], &[]), d.node("Add", &[&exp, &one], &[]));
        d.result("Div", &[&above, &below], &[]);
    }),
    ("logarithm_of_a_sigmoid", |d, x| {
        let by = number(d, 0.12);
        let x = d.node("Mul", &[x, &by], &[]);
        let gate = d.node("Sigmoid", &[&x], &[]);
        d.result("Log", &[&gate], &[]);
    }),
];
