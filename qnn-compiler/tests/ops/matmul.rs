//! MatMul, Gemm, FusedMatMul.

use crate::case::{Case, Draft, case, refused};
use crate::support::{float, int};

/// Shapes of both operands.
const PRODUCTS: &[(&[usize], &[usize])] = &[
    (&[5, 7], &[7, 9]),
    (&[7], &[7, 9]),
    (&[5, 7], &[7]),
    (&[7], &[7]),
    (&[1, 1], &[1, 1]),
    (&[1, 64], &[64, 1]),
    (&[4, 5, 7], &[4, 7, 9]),
    (&[4, 5, 7], &[7, 9]),
    (&[5, 7], &[4, 7, 9]),
    (&[4, 5, 7], &[7]),
    (&[7], &[4, 7, 9]),
    (&[3, 1, 7], &[7, 2]),
    (&[2, 3, 5, 7], &[2, 3, 7, 9]),
    (&[2, 1, 5, 7], &[1, 3, 7, 9]),
    (&[2, 3, 5, 7], &[3, 7, 9]),
    (&[2, 3, 5, 7], &[7, 9]),
    (&[2, 2, 3, 5, 7], &[2, 2, 3, 7, 9]),
    (&[2, 2, 3, 5, 7], &[1, 2, 1, 7, 9]),
    (&[2, 2, 3, 5, 7], &[7, 9]),
    (&[5, 7], &[2, 2, 3, 7, 9]),
];

fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// An operand that is computed or constant.
fn operand(d: &mut Draft, shape: &[usize], constant: bool) -> String {
    if constant { d.weight(shape) } else { d.input(shape) }
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for &(a, b) in PRODUCTS {
        for (what, constants) in
            [("", [false, false]), ("_constant", [false, true]), ("_by_constant", [true, false])]
        {
            all.push(case(format!("product_of_{}_and_{}{what}", extents(a), extents(b)), move |d| {
                let (x, y) = (operand(d, a, constants[0]), operand(d, b, constants[1]));
                d.result("MatMul", &[&x, &y], &[]);
            }));
        }
    }
    all.push(case("deep_product", |d| {
        let (x, w) = (d.input(&[4, 2048]), d.weight(&[2048, 16]));
        d.result("MatMul", &[&x, &w], &[]);
    }));
    all.push(case("attention_scores_with_a_transposed_key", |d| {
        let (q, k) = (d.input(&[1, 4, 16, 32]), d.input(&[1, 4, 16, 32]));
        let turned = d.node("Transpose", &[&k], &[crate::support::ints("perm", &[0, 1, 3, 2])]);
        d.result("MatMul", &[&q, &turned], &[]);
    }));
    all.extend(gemms());
    for (name, a, b, attributes) in [
        ("scaled_with_turned_right", [2, 5, 7], [2, 9, 7], vec![int("transB", 1), float("alpha", 0.125)]),
        ("with_turned_left", [2, 7, 5], [2, 7, 9], vec![int("transA", 1)]),
    ] {
        all.push(case(format!("fused_{name}"), move |d| {
            let (x, y) = (d.input(&a), d.input(&b));
            d.result("FusedMatMul", &[&x, &y], &attributes);
            d.domain("com.microsoft");
        }));
    }
    all.push(refused("fused_with_batch_in_the_middle_is_refused", "E0302", "transBatchA", |d| {
        let (x, y) = (d.input(&[2, 2, 7]), d.input(&[2, 7, 9]));
        d.result("FusedMatMul", &[&x, &y], &[int("transBatchA", 1)]);
        d.domain("com.microsoft");
    }));
    all
}

fn gemms() -> Vec<Case> {
    let biases: &[Option<&[usize]>] =
        &[None, Some(&[9]), Some(&[1, 9]), Some(&[5, 1]), Some(&[5, 9]), Some(&[1]), Some(&[])];
    let mut all = Vec::new();
    for (ta, tb) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for &bias in biases {
            for constant in [true, false] {
                let what = bias.map_or("none".to_owned(), |b| {
                    if b.is_empty() { "scalar".to_owned() } else { extents(b) }
                });
                let kind = if constant { "constant" } else { "computed" };
                all.push(case(format!("gemm_transposed_{ta}{tb}_bias_{what}_{kind}"), move |d| {
                    gemm(d, [ta, tb], bias, constant, 1.0, 1.0);
                }));
            }
        }
        for constant in [true, false] {
            for (alpha, beta) in [(0.5, 1.0), (1.0, 0.25), (0.5, 2.0), (1.0, 0.0)] {
                let kind = if constant { "constant" } else { "computed" };
                all.push(case(
                    format!("gemm_transposed_{ta}{tb}_{kind}_alpha_{alpha}_beta_{beta}"),
                    move |d| {
                        gemm(d, [ta, tb], Some(&[9]), constant, alpha, beta);
                    },
                ));
            }
        }
    }
    all
}

fn gemm(d: &mut Draft, trans: [i64; 2], bias: Option<&[usize]>, constant: bool, alpha: f32, beta: f32) {
    let x = d.input(if trans[0] == 1 { &[7, 5] } else { &[5, 7] });
    let w = operand(d, if trans[1] == 1 { &[9, 7] } else { &[7, 9] }, constant);
    let c = bias.map(|shape| operand(d, shape, constant));
    let inputs: Vec<&str> = [&x, &w].into_iter().chain(&c).map(String::as_str).collect();
    let attributes =
        [int("transA", trans[0]), int("transB", trans[1]), float("alpha", alpha), float("beta", beta)];
    d.result("Gemm", &inputs, &attributes);
}
