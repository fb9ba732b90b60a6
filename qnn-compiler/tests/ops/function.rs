//! Functions of one number, and activations.

use qnn::DataType;
use qnn_compiler::graph::DType;

use crate::arithmetic::extents;
use crate::case::{Case, Draft, case};
use crate::support::{float, int, text};

/// Operator, and between which numbers it is tried.
const FUNCTIONS: &[(&str, f32, f32)] = &[
    ("Abs", -3.0, 3.0),
    ("Acos", -1.0, 1.0),
    ("Acosh", 1.0, 50.0),
    ("Asin", -1.0, 1.0),
    ("Asinh", -9.0, 9.0),
    ("Atan", -9.0, 9.0),
    ("Atanh", -0.99, 0.99),
    ("Ceil", -9.0, 9.0),
    ("Celu", -3.0, 3.0),
    ("Cos", -7.0, 7.0),
    ("Cosh", -4.0, 4.0),
    ("Elu", -3.0, 3.0),
    ("Erf", -4.0, 4.0),
    ("Exp", -6.0, 6.0),
    ("Floor", -9.0, 9.0),
    ("Gelu", -6.0, 6.0),
    ("HardSigmoid", -4.0, 4.0),
    ("HardSwish", -4.0, 4.0),
    ("LeakyRelu", -3.0, 3.0),
    ("Log", 0.01, 9.0),
    ("Mish", -9.0, 9.0),
    ("Neg", -3.0, 3.0),
    ("Reciprocal", 0.1, 9.0),
    ("Relu", -3.0, 3.0),
    ("Round", -9.0, 9.0),
    ("Selu", -3.0, 3.0),
    ("Sigmoid", -6.0, 6.0),
    ("Sign", -2.0, 2.0),
    ("Sin", -7.0, 7.0),
    ("Sinh", -4.0, 4.0),
    ("Softplus", -9.0, 9.0),
    ("Softsign", -9.0, 9.0),
    ("Sqrt", 0.0, 99.0),
    ("Tan", -1.2, 1.2),
    ("Tanh", -4.0, 4.0),
    ("ThresholdedRelu", -3.0, 3.0),
];

/// An input of numbers that fp16 holds exactly, so that steps of a function are where the reference has them.
fn input(d: &mut Draft, shape: &[usize], low: f32, high: f32) -> String {
    let values: Vec<f32> = d
        .between(shape.iter().product(), low, high)
        .into_iter()
        .map(|v| half::f16::from_f32(v).to_f32().clamp(low, high))
        .collect();
    d.input_f32(shape, &values)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for &(op, low, high) in FUNCTIONS {
        for shape in [&[7][..], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]] {
            all.push(case(format!("{}_of_{}", op.to_lowercase(), extents(shape)), move |d| {
                let x = input(d, shape, low, high);
                d.result(op, &[&x], &[]);
            }));
        }
    }
    all.extend(precise());
    all.extend(parameters());
    all.extend(clip());
    all.extend(integers());
    all.extend(prelu());
    all.extend(contrib());
    all.extend(formulas());
    all
}

/// Where a formula could lose its digits.
fn precise() -> Vec<Case> {
    let ranges: &[(&str, f32, f32)] = &[
        ("Erf", -0.03, 0.03),
        ("Erf", -90.0, 90.0),
        ("Mish", -90.0, 90.0),
        ("Mish", -11.0, -3.0),
        ("Sinh", -0.03, 0.03),
        ("Softplus", -11.0, -3.0),
        ("Softplus", -90.0, 90.0),
        ("Softplus", -1.0, 1.0),
        ("Tanh", -0.03, 0.03),
    ];
    ranges
        .iter()
        .map(|&(op, low, high)| {
            case(format!("{}_between_{low}_and_{high}", op.to_lowercase()), move |d| {
                let x = input(d, &[2, 3, 4, 8], low, high);
                d.result(op, &[&x], &[]);
            })
        })
        .collect()
}

fn parameters() -> Vec<Case> {
    let one = |name: &str, op: &'static str, list: &'static [(&'static str, f32)]| {
        case(name, move |d| {
            let x = input(d, &[2, 3, 4, 5], -3.0, 3.0);
            let attributes: Vec<_> = list.iter().map(|(n, v)| float(n, *v)).collect();
            d.result(op, &[&x], &attributes);
        })
    };
    vec![
        one("celu_with_another_alpha", "Celu", &[("alpha", 2.5)]),
        one("elu_with_another_alpha", "Elu", &[("alpha", 2.5)]),
        one("selu_with_other_numbers", "Selu", &[("alpha", 1.5), ("gamma", 2.0)]),
        one("hard_sigmoid_with_other_numbers", "HardSigmoid", &[("alpha", 0.5), ("beta", 0.6)]),
        one("leaky_relu_with_another_alpha", "LeakyRelu", &[("alpha", 0.3)]),
        one("thresholded_relu_with_a_negative_alpha", "ThresholdedRelu", &[("alpha", -0.5)]),
        one("shrink_with_bias", "Shrink", &[("lambd", 1.0), ("bias", 0.5)]),
        case("gelu_by_tanh", |d| {
            let x = input(d, &[2, 3, 4, 5], -4.0, 4.0);
            d.result("Gelu", &[&x], &[text("approximate", "tanh")]);
        }),
    ]
}

fn clip() -> Vec<Case> {
    let mut all = Vec::new();
    let bounds: &[(&str, Option<f32>, Option<f32>)] = &[
        ("both_bounds", Some(-1.0), Some(2.0)),
        ("zero_and_six", Some(0.0), Some(6.0)),
        ("a_lower_bound_of_zero", Some(0.0), None),
        ("a_lower_bound", Some(0.5), None),
        ("an_upper_bound", None, Some(0.5)),
        ("no_bounds", None, None),
        ("the_largest_float", Some(0.0), Some(f32::MAX)),
    ];
    for &(name, low, high) in bounds {
        all.push(case(format!("clip_with_{name}"), move |d| {
            let x = input(d, &[2, 3, 4, 5], -9.0, 9.0);
            let low = low.map(|v| d.constant(&[], &[v])).unwrap_or_default();
            let high = high.map(|v| d.constant(&[], &[v])).unwrap_or_default();
            d.result("Clip", &[&x, &low, &high], &[]);
        }));
    }
    all.push(case("clip_with_computed_bounds", |d| {
        let x = input(d, &[2, 3, 2, 4, 5], -3.0, 3.0);
        let (low, high) = (d.input_f32(&[], &[-1.0]), d.input_f32(&[], &[2.0]));
        d.result("Clip", &[&x, &low, &high], &[]);
    }));
    all.push(case("clip_of_integers", |d| {
        let x = d.input_i64(&[6], &[-100, -10, 0, 7, 20, 100]);
        let low = d.constant_raw(qnn_compiler::graph::DType::I64, &[], (-10i64).to_le_bytes().to_vec());
        let high = d.constant_raw(qnn_compiler::graph::DType::I64, &[], 20i64.to_le_bytes().to_vec());
        d.result("Clip", &[&x, &low, &high], &[]);
    }));
    for (name, bounds) in [("low", 1..2), ("high", 2..3), ("both", 1..3)] {
        all.push(case(format!("clip_of_int8_with_a_bound_{name}"), move |d| {
            let bytes = [-128i8, -7, -3, 0, 2, 5, 9, 127].map(|v| v as u8).to_vec();
            let x = d.input_raw(DType::I8, DataType::Int8, &[2, 4], bytes);
            let low = d.constant_raw(DType::I8, &[], vec![-3i8 as u8]);
            let high = d.constant_raw(DType::I8, &[], vec![5]);
            let inputs = [
                &*x,
                if bounds.contains(&1) { &low } else { "" },
                if bounds.contains(&2) { &high } else { "" },
            ];
            d.result("Clip", &inputs, &[]);
        }));
    }
    all.push(case("clip_before_opset_11_has_attributes", |d| {
        d.opset(10);
        let x = input(d, &[3, 5], -3.0, 3.0);
        d.result("Clip", &[&x], &[float("min", -1.0), float("max", 1.5)]);
    }));
    all
}

fn integers() -> Vec<Case> {
    ["Abs", "Neg", "Sign"]
        .into_iter()
        .map(|op| {
            case(format!("{}_of_integers", op.to_lowercase()), move |d| {
                let x = d.input_i64(&[2, 3], &[-100_000, -2, 0, 1, 7, 2_000_000]);
                d.result(op, &[&x], &[]);
            })
        })
        .collect()
}

fn prelu() -> Vec<Case> {
    let shapes: &[(&[usize], &[usize])] = &[
        (&[2, 3, 4, 5], &[3, 1, 1]),
        (&[2, 3, 4, 5], &[1]),
        (&[2, 3, 4, 5], &[2, 3, 4, 5]),
        (&[2, 3, 2, 4, 5], &[3, 1, 1, 1]),
        (&[3, 5], &[5]),
    ];
    let mut all = Vec::new();
    for &(shape, slope) in shapes {
        for constant in [true, false] {
            let kind = if constant { "constant" } else { "computed" };
            all.push(case(
                format!("prelu_of_{}_with_{kind}_slopes_{}", extents(shape), extents(slope)),
                move |d| {
                    let x = d.input(shape);
                    let s = if constant { d.scale(slope) } else { d.input(slope) };
                    d.result("PRelu", &[&x, &s], &[]);
                },
            ));
        }
    }
    all.push(case("prelu_of_the_channels_of_a_convolution", |d| {
        let (x, w, s) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]), d.scale(&[8, 1, 1]));
        let y = d.node("Conv", &[&x, &w], &[]);
        d.result("PRelu", &[&y, &s], &[]);
    }));
    all
}

fn contrib() -> Vec<Case> {
    let one = |name: &str, op: &'static str, bias: bool| {
        case(name, move |d| {
            let x = d.input(&[2, 3, 8]);
            let b = if bias { d.scale(&[8]) } else { String::new() };
            let inputs = if bias { vec![&*x, &*b] } else { vec![&*x] };
            let y = d.node(op, &inputs, &[]);
            d.domain("com.microsoft");
            d.output(&y);
        })
    };
    vec![
        one("bias_gelu", "BiasGelu", true),
        one("fast_gelu", "FastGelu", false),
        one("fast_gelu_with_bias", "FastGelu", true),
        one("microsofts_gelu", "Gelu", false),
        one("quick_gelu", "QuickGelu", false),
    ]
}

/// Functions as exporters write them, which become one op.
fn formulas() -> Vec<Case> {
    vec![
        case("gelu_written_with_erf", |d| {
            let x = d.input(&[2, 3, 8]);
            let (root, one, half) = (
                d.constant(&[], &[std::f32::consts::SQRT_2]),
                d.constant(&[], &[1.0]),
                d.constant(&[], &[0.5]),
            );
            let scaled = d.node("Div", &[&x, &root], &[]);
            let erf = d.node("Erf", &[&scaled], &[]);
            let sum = d.node("Add", &[&erf, &one], &[]);
            let product = d.node("Mul", &[&x, &sum], &[]);
            d.result("Mul", &[&product, &half], &[]);
        }),
        case("gelu_written_with_tanh", |d| {
            let x = d.input(&[2, 3, 8]);
            let numbers = [3.0, 0.044_715, 0.797_884_6, 1.0, 0.5];
            let [three, cube, slope, one, half] = numbers.map(|v| d.constant(&[], &[v]));
            let power = d.node("Pow", &[&x, &three], &[]);
            let scaled = d.node("Mul", &[&power, &cube], &[]);
            let sum = d.node("Add", &[&x, &scaled], &[]);
            let angle = d.node("Mul", &[&sum, &slope], &[]);
            let tanh = d.node("Tanh", &[&angle], &[]);
            let more = d.node("Add", &[&tanh, &one], &[]);
            let low = d.node("Mul", &[&x, &half], &[]);
            d.result("Mul", &[&low, &more], &[]);
        }),
        case("mish_written_with_softplus", |d| {
            let x = d.input(&[2, 3, 8]);
            let softplus = d.node("Softplus", &[&x], &[]);
            let tanh = d.node("Tanh", &[&softplus], &[]);
            d.result("Mul", &[&x, &tanh], &[]);
        }),
        case("swish_written_with_sigmoid", |d| {
            let x = d.input(&[1, 8, 4, 4]);
            let gate = d.node("Sigmoid", &[&x], &[]);
            d.result("Mul", &[&x, &gate], &[]);
        }),
        case("tanh_of_a_sum", |d| {
            let (a, b) = (d.input(&[1, 128]), d.input(&[1, 128]));
            let sum = d.node("Add", &[&a, &b], &[]);
            d.result("Tanh", &[&sum], &[]);
        }),
        case("sigmoid_of_a_product_that_is_nearly_nothing", |d| {
            let x = input(d, &[1, 16], 0.9, 1.1);
            let w = d.between(32 * 16, -0.6, -0.5);
            let (w, large) = (d.constant(&[32, 16], &w), d.constant(&[], &[1e4]));
            let product = d.node("Gemm", &[&x, &w], &[int("transB", 1)]);
            let gate = d.node("Sigmoid", &[&product], &[]);
            d.result("Mul", &[&gate, &large], &[]);
        }),
        case("an_input_that_is_an_output_too", |d| {
            let x = d.input(&[2, 3]);
            d.result("Identity", &[&x], &[]);
            d.result("Relu", &[&x], &[]);
        }),
        case("dropout_does_nothing", |d| {
            let x = d.input(&[2, 3]);
            let y = d.node("Dropout", &[&x], &[]);
            d.result("Relu", &[&y], &[]);
        }),
        case("an_output_that_is_read_again", |d| {
            let x = d.input(&[2, 3]);
            let y = d.node("Relu", &[&x], &[]);
            d.output(&y);
            d.result("Sigmoid", &[&y], &[]);
        }),
        case("softplus_of_the_channels_of_a_convolution", |d| {
            let (x, w) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]));
            let y = d.node("Conv", &[&x, &w], &[int("group", 1)]);
            d.result("Softplus", &[&y], &[]);
        }),
    ]
}
