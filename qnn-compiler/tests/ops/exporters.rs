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

/// What is spread over the axes that it was taken of, and when.
#[derive(Clone, Copy, Debug)]
enum Spread {
    Nothing,
    Sums,
    Means,
    TiledSums,
    TiledMeans,
}

const SPREADS: &[Spread] =
    &[Spread::Nothing, Spread::Sums, Spread::Means, Spread::TiledSums, Spread::TiledMeans];

/// How a sum of squares is kept from being zero before its root is taken.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Masks,
    Where,
    WhereZero,
}

impl Choice {
    const ALL: [Self; 3] = [Self::Masks, Self::Where, Self::WhereZero];
}

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
    for (i, &spread) in SPREADS.iter().enumerate() {
        for (k, &form) in FORMS.iter().enumerate().filter(|(k, _)| k % 2 == i % 2) {
            let name = format!("standardized_{spread:?}_by_form_{k}_of_{:?}", form.0).to_lowercase();
            all.push(case(name, move |d| standardized(d, form, spread, 100.0, k % 4)));
        }
    }
    for (k, &spread) in SPREADS.iter().enumerate() {
        let name = format!("standardized_{spread:?}_of_numbers_around_six_hundred_by_form_{k}");
        let form: Form = (&[1, 16, 512], &[2], &[]);
        all.push(case(name.to_lowercase(), move |d| standardized(d, form, spread, 600.0, k % 4)));
    }
    for how in Choice::ALL {
        all.push(case(format!("clipped_by_norm_by_{how:?}").to_lowercase(), move |d| clipped(d, how)));
    }
    all.push(case("cosine_by_the_root_of_a_product_of_squares", |d| {
        let [a, b] = [1.0, 2.0].map(|by| {
            let numbers = d.normal(16 * 64, 8.0 * by);
            d.input_f32(&[1, 16, 64], &numbers)
        });
        let list = d.ints(&[2]);
        let sum = |d: &mut Draft, a: &str, b: &str| {
            let product = d.node("Mul", &[a, b], &[]);
            d.node("ReduceSum", &[&product, &list], &[int("keepdims", 1)])
        };
        let (above, left, right) = (sum(d, &a, &b), sum(d, &a, &a), sum(d, &b, &b));
        let product = d.node("Mul", &[&left, &right], &[]);
        let below = d.node("Sqrt", &[&product], &[]);
        d.result("Div", &[&above, &below], &[]);
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

/// (x − m) / deviation, with a variance written in one of four ways, and statistics that are spread to the shape of x.
fn standardized(d: &mut Draft, form: Form, spread: Spread, middle: f32, way: usize) {
    let (shape, axes, _) = form;
    let x = values(d, shape, middle);
    let count: usize = axes.iter().map(|&a| shape[a as usize]).product();
    let whole = d.ints(&shape.iter().map(|&s| s as i64).collect::<Vec<_>>());
    let repeats: Vec<i64> = shape
        .iter()
        .enumerate()
        .map(|(a, &s)| if axes.contains(&(a as i64)) { s as i64 } else { 1 })
        .collect();
    let (list, kept, repeats) = (d.ints(axes), kept(d, form), d.ints(&repeats));
    let part = number(d, 1.0 / count as f32);
    let mean = |d: &mut Draft, of: &str| {
        let sum = d.node("ReduceSum", &[of, &list], &[int("keepdims", 0)]);
        let sum = d.node("Reshape", &[&sum, &kept], &[]);
        match spread {
            Spread::Nothing => d.node("Mul", &[&sum, &part], &[]),
            Spread::Sums | Spread::TiledSums => {
                let (op, to) =
                    if matches!(spread, Spread::Sums) { ("Expand", &whole) } else { ("Tile", &repeats) };
                let sum = d.node(op, &[&sum, to], &[]);
                d.node("Mul", &[&sum, &part], &[])
            }
            Spread::Means | Spread::TiledMeans => {
                let (op, to) =
                    if matches!(spread, Spread::Means) { ("Expand", &whole) } else { ("Tile", &repeats) };
                let mean = d.node("Mul", &[&sum, &part], &[]);
                d.node(op, &[&mean, to], &[])
            }
        }
    };
    let first = mean(d, &x);
    let less = d.node("Sub", &[&x, &first], &[]);
    let epsilon = number(d, 1e-5);
    let variance = if way == 3 {
        let square = d.node("Mul", &[&less, &less], &[]);
        let variance = mean(d, &square);
        d.node("Add", &[&variance, &epsilon], &[])
    } else {
        let square = d.node("Mul", &[&x, &x], &[]);
        let (second, square) = (mean(d, &square), d.node("Mul", &[&first, &first], &[]));
        if way == 0 {
            let rest = d.node("Sub", &[&epsilon, &square], &[]);
            d.node("Add", &[&second, &rest], &[])
        } else {
            let mut variance = d.node("Sub", &[&second, &square], &[]);
            if way == 1 {
                let zero = number(d, 0.0);
                variance = d.node("Max", &[&variance, &zero], &[]);
            }
            d.node("Add", &[&variance, &epsilon], &[])
        }
    };
    let root = d.node("Sqrt", &[&variance], &[]);
    if way.is_multiple_of(2) {
        let over = d.node("Reciprocal", &[&root], &[]);
        d.result("Mul", &[&less, &over], &[]);
    } else {
        d.result("Div", &[&less, &root], &[]);
    }
}

/// c · x / max(‖x‖, c), with a norm that is safe to differentiate at zero: a row is.
fn clipped(d: &mut Draft, how: Choice) {
    let mut numbers = d.normal(16 * 64, 50.0);
    numbers[..64].fill(0.0);
    let x = d.input_f32(&[1, 16, 64], &numbers);
    let (list, ones) = (d.ints(&[2]), d.constant(&[1, 16, 1], &[1.0; 16]));
    let (zero, most) = (number(d, 0.0), number(d, 5.0));
    let square = d.node("Mul", &[&x, &x], &[]);
    let sum = d.node("ReduceSum", &[&square, &list], &[int("keepdims", 1)]);
    let norm = match how {
        Choice::Masks => {
            let yes = d.node("Greater", &[&sum, &zero], &[]);
            let no = d.node("Not", &[&yes], &[]);
            let [yes, no] = [yes, no].map(|mask| d.node("Cast", &[&mask], &[int("to", 1)]));
            let choose = |d: &mut Draft, a: &str, b: &str| {
                let (a, b) = (d.node("Mul", &[&yes, a], &[]), d.node("Mul", &[b, &no], &[]));
                d.node("Add", &[&a, &b], &[])
            };
            let safe = choose(d, &sum, &ones);
            let root = d.node("Sqrt", &[&safe], &[]);
            choose(d, &root, &sum)
        }
        Choice::Where => {
            let positive = d.node("Greater", &[&sum, &zero], &[]);
            let safe = d.node("Where", &[&positive, &sum, &ones], &[]);
            let root = d.node("Sqrt", &[&safe], &[]);
            d.node("Where", &[&positive, &root, &sum], &[])
        }
        Choice::WhereZero => {
            let none = d.node("Equal", &[&sum, &zero], &[]);
            let safe = d.node("Where", &[&none, &ones, &sum], &[]);
            let root = d.node("Sqrt", &[&safe], &[]);
            d.node("Where", &[&none, &zero, &root], &[])
        }
    };
    let (above, below) = (d.node("Mul", &[&x, &most], &[]), d.node("Max", &[&norm, &most], &[]));
    d.result("Div", &[&above, &below], &[]);
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
