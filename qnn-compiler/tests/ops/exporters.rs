//! Normalizations as the exporters of TensorFlow and JAX write them: means are sums times 1/n, axes come back by Reshape, the root
//! is divided by in every way there is, and scales are where the axes are.

use crate::case::{Case, Draft, case};
use crate::support::int;

/// Shape, normalized axes, shape of scale and offset.
type Form = (&'static [usize], &'static [i64], &'static [usize]);

const FORMS: &[Form] = &[
    (&[1, 16, 64], &[2], &[1, 1, 64]),
    (&[1, 64, 16], &[1], &[1, 64, 1]),
    (&[1, 8, 12, 16], &[1, 2], &[1, 1, 1, 16]),
    (&[1, 16, 8, 12], &[2, 3], &[1, 16, 1, 1]),
    (&[1, 16, 8, 12], &[2, 3], &[1, 1, 8, 12]),
    (&[3, 8, 12, 16], &[0, 1, 2], &[16]),
    (&[3, 16, 8, 12], &[0, 2, 3], &[1, 16, 1, 1]),
];

/// How one over the root of a variance is written.
#[derive(Clone, Copy, Debug)]
enum Inverse {
    Reciprocal,
    Pow,
    Quotient,
    RootOfReciprocal,
}

const INVERSES: &[Inverse] =
    &[Inverse::Reciprocal, Inverse::Pow, Inverse::Quotient, Inverse::RootOfReciprocal];

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (i, &form) in FORMS.iter().enumerate() {
        let how = INVERSES[i % INVERSES.len()];
        let named =
            |what: &str| format!("{what}_of_{:?}_over_{:?}_by_{how:?}", form.0, form.1).to_lowercase();
        all.push(case(named("flax_norm"), move |d| flax(d, form, how, false)));
        all.push(case(named("flax_norm_expanded"), move |d| flax(d, form, how, true)));
        all.push(case(named("keras_norm"), move |d| keras(d, form, how)));
        all.push(case(named("unit_length"), move |d| unit_length(d, form, how)));
    }
    for how in ["expand", "gather", "tile"] {
        all.push(case(format!("flax_group_norm_by_{how}"), move |d| groups(d, how)));
    }
    all.push(case("softmax_with_a_maximum_that_begins_at_infinity", |d| {
        let x = values(d, &[1, 16, 64], 30.0);
        let axes = d.ints(&[2]);
        let (max, least) =
            (d.node("ReduceMax", &[&x, &axes], &[int("keepdims", 0)]), number(d, f32::NEG_INFINITY));
        let max = d.node("Max", &[&least, &max], &[]);
        let kept = d.ints(&[1, 16, 1]);
        let max = d.node("Reshape", &[&max, &kept], &[]);
        let below = d.node("Sub", &[&x, &max], &[]);
        let exp = d.node("Exp", &[&below], &[]);
        let sum = d.node("ReduceSum", &[&exp, &axes], &[int("keepdims", 0)]);
        let sum = d.node("Reshape", &[&sum, &kept], &[]);
        d.result("Div", &[&exp, &sum], &[]);
    }));
    all.push(case("standardized_with_epsilon_inside_the_variance", |d| {
        let shape = [1, 8, 24];
        let x = values(d, &shape, 100.0);
        let square = d.node("Mul", &[&x, &x], &[]);
        let [first, second] = [&x, &square].map(|of| {
            let (mean, dims) = (mean(d, of, &shape, &[2]), d.ints(&[1, 8, 1]));
            d.node("Reshape", &[&mean, &dims], &[])
        });
        let (epsilon, square) = (number(d, 1e-5), d.node("Mul", &[&first, &first], &[]));
        let rest = d.node("Sub", &[&epsilon, &square], &[]);
        let variance = d.node("Add", &[&second, &rest], &[]);
        let root = d.node("Sqrt", &[&variance], &[]);
        let (less, over) = (d.node("Sub", &[&x, &first], &[]), d.node("Reciprocal", &[&root], &[]));
        d.result("Mul", &[&less, &over], &[]);
    }));
    all.push(case("batch_normalization_of_numbers_around_two_hundred", |d| {
        let steps = d.between(8 * 64, -12.0, 12.0);
        let x =
            d.input_f32(&[1, 8, 8, 8], &steps.iter().map(|s| 200.0 + s.round() / 8.0).collect::<Vec<_>>());
        let (scale, bias) = (d.scale(&[8]), d.weight(&[8]));
        let (mean, variance) = (d.constant(&[8], &[200.1; 8]), d.constant(&[8], &[0.7; 8]));
        d.result("BatchNormalization", &[&x, &scale, &bias, &mean, &variance], &[]);
    }));
    all
}

fn number(d: &mut Draft, number: f32) -> String {
    d.constant(&[], &[number])
}

/// Numbers that fp16 has, far from zero for their spread.
fn values(d: &mut Draft, shape: &[usize], middle: f32) -> String {
    let numbers = d.normal(shape.iter().product(), 3.0);
    let exact: Vec<f32> = numbers.iter().map(|v| half::f16::from_f32(v + middle).to_f32()).collect();
    d.input_f32(shape, &exact)
}

/// The sum over axes that are dropped, times 1/n.
fn mean(d: &mut Draft, x: &str, shape: &[usize], axes: &[i64]) -> String {
    let count: usize = axes.iter().map(|&a| shape[a as usize]).product();
    let (list, part) = (d.ints(axes), number(d, 1.0 / count as f32));
    let sum = d.node("ReduceSum", &[x, &list], &[int("keepdims", 0)]);
    d.node("Mul", &[&sum, &part], &[])
}

/// max(0, E[x²] − E[x]²) and E[x], without their axes.
fn moments(d: &mut Draft, x: &str, shape: &[usize], axes: &[i64]) -> (String, String) {
    let square = d.node("Mul", &[x, x], &[]);
    let (first, second) = (mean(d, x, shape, axes), mean(d, &square, shape, axes));
    let square = d.node("Mul", &[&first, &first], &[]);
    let (zero, variance) = (number(d, 0.0), d.node("Sub", &[&second, &square], &[]));
    (first, d.node("Max", &[&zero, &variance], &[]))
}

fn inverse(d: &mut Draft, variance: &str, epsilon: f32, how: Inverse) -> String {
    let epsilon = number(d, epsilon);
    let sum = d.node("Add", &[variance, &epsilon], &[]);
    match how {
        Inverse::Reciprocal => {
            let root = d.node("Sqrt", &[&sum], &[]);
            d.node("Reciprocal", &[&root], &[])
        }
        Inverse::Pow => {
            let power = number(d, -0.5);
            d.node("Pow", &[&sum, &power], &[])
        }
        Inverse::Quotient => {
            let (root, one) = (d.node("Sqrt", &[&sum], &[]), number(d, 1.0));
            d.node("Div", &[&one, &root], &[])
        }
        Inverse::RootOfReciprocal => {
            let over = d.node("Reciprocal", &[&sum], &[]);
            d.node("Sqrt", &[&over], &[])
        }
    }
}

/// The shape with ones where the axes were, as a constant.
fn kept(d: &mut Draft, (shape, axes, _): Form) -> String {
    let dims: Vec<i64> = shape
        .iter()
        .enumerate()
        .map(|(a, &s)| if axes.contains(&(a as i64)) { 1 } else { s as i64 })
        .collect();
    d.ints(&dims)
}

/// (x − m) · (r · γ) + β
fn flax(d: &mut Draft, form: Form, how: Inverse, expanded: bool) {
    let (shape, axes, scale) = form;
    let x = values(d, shape, 100.0);
    let (m, variance) = moments(d, &x, shape, axes);
    let dims = kept(d, form);
    let (mut m, variance) =
        (d.node("Reshape", &[&m, &dims], &[]), d.node("Reshape", &[&variance, &dims], &[]));
    if expanded {
        let whole = d.ints(&shape.iter().map(|&s| s as i64).collect::<Vec<_>>());
        m = d.node("Expand", &[&m, &whole], &[]);
    }
    let centred = d.node("Sub", &[&x, &m], &[]);
    let (gamma, beta) = (d.scale(scale), d.weight(scale));
    let factor = inverse(d, &variance, 1e-6, how);
    let factor = d.node("Mul", &[&factor, &gamma], &[]);
    let scaled = d.node("Mul", &[&centred, &factor], &[]);
    d.result("Add", &[&scaled, &beta], &[]);
}

/// x · (r · γ) + (−m · (r · γ) + β)
fn keras(d: &mut Draft, form: Form, how: Inverse) {
    let (shape, axes, scale) = form;
    let x = values(d, shape, 100.0);
    let (m, variance) = moments(d, &x, shape, axes);
    let dims = kept(d, form);
    let (m, variance) = (d.node("Reshape", &[&m, &dims], &[]), d.node("Reshape", &[&variance, &dims], &[]));
    let (gamma, beta) = (d.scale(scale), d.weight(scale));
    let factor = inverse(d, &variance, 1e-3, how);
    let factor = d.node("Mul", &[&factor, &gamma], &[]);
    let minus = d.node("Neg", &[&m], &[]);
    let shift = d.node("Mul", &[&minus, &factor], &[]);
    let shift = d.node("Add", &[&shift, &beta], &[]);
    let scaled = d.node("Mul", &[&x, &factor], &[]);
    d.result("Add", &[&scaled, &shift], &[]);
}

/// x / sqrt(Σ x² + ε)
fn unit_length(d: &mut Draft, form: Form, how: Inverse) {
    let (shape, axes, _) = form;
    let (x, list) = (values(d, shape, 300.0), d.ints(axes));
    let square = d.node("Mul", &[&x, &x], &[]);
    let sum = d.node("ReduceSum", &[&square, &list], &[int("keepdims", 1)]);
    let factor = inverse(d, &sum, 1e-12, how);
    d.result("Mul", &[&x, &factor], &[]);
}

/// Mean and variance of four groups of four channels, spread to the channels.
fn groups(d: &mut Draft, how: &'static str) {
    let x = values(d, &[2, 6, 8, 16], 80.0);
    let grouped = d.ints(&[2, 6, 8, 4, 4]);
    let parts = d.node("Reshape", &[&x, &grouped], &[]);
    let (m, variance) = moments(d, &parts, &[2, 6, 8, 4, 4], &[1, 2, 4]);
    let spread = |d: &mut Draft, statistic: &str| {
        let (single, fours, each) = (d.ints(&[2, 4, 1]), d.ints(&[2, 4, 4]), d.ints(&[1, 1, 4]));
        let all = match how {
            "gather" => {
                let indices = d.ints(&(0..16).map(|i| i / 4).collect::<Vec<i64>>());
                d.node("Gather", &[statistic, &indices], &[int("axis", 1)])
            }
            _ => {
                let column = d.node("Reshape", &[statistic, &single], &[]);
                let (op, to) = if how == "tile" { ("Tile", each) } else { ("Expand", fours) };
                d.node(op, &[&column, &to], &[])
            }
        };
        let dims = d.ints(&[2, 1, 1, 16]);
        d.node("Reshape", &[&all, &dims], &[])
    };
    let (m, variance) = (spread(d, &m), spread(d, &variance));
    let centred = d.node("Sub", &[&x, &m], &[]);
    let (gamma, beta) = (d.scale(&[1, 1, 1, 16]), d.weight(&[1, 1, 1, 16]));
    let factor = inverse(d, &variance, 1e-6, Inverse::Reciprocal);
    let factor = d.node("Mul", &[&factor, &gamma], &[]);
    let scaled = d.node("Mul", &[&centred, &factor], &[]);
    d.result("Add", &[&scaled, &beta], &[]);
}
