//! What an encoding cuts off stays cut off: between floats, through what moves elements, and where the encoding that follows is
//! wider.

use crate::case::{Case, Draft, steps};
use crate::quant::{S8, S16, Stored, U8, U16};
use crate::support::{float, int, ints, text};

/// The numbers that inputs have; encodings in the middle are narrower, those at the end wider.
const IN: (f32, f32) = (-3.0, 3.5);
const NARROW: (f32, f32) = (-1.0, 1.25);
const RELU: (f32, f32) = (0.0, 1.5);
const WIDE: (f32, f32) = (-7.0, 7.0);

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8, U16, S16] {
        all.extend(between_floats(a));
        all.extend(moved(a));
        all.extend(joined(a));
    }
    all
}

/// A case of one encoding in the middle; its output has so wide steps that rounding before is within one of them.
fn one(
    name: &str,
    a: Stored,
    range: (f32, f32),
    end: (f32, f32),
    before: impl Fn(&mut Draft, &str) -> String + Send + Sync + 'static,
    after: impl Fn(&mut Draft, &str) -> String + Send + Sync + 'static,
) -> Case {
    // Of 16 bits the floats between are coarser than the steps.
    let off = if a.high - a.low == 255 { 2 } else { 160 };
    steps(format!("{name}_{}", a.name), off, move |d| {
        let x = a.input(d, &[1, 8, 6, 4], IN);
        let y = before(d, &x);
        let y = a.rounded(d, &y, range);
        let z = after(d, &y);
        a.output(d, &z, end);
    })
}

fn node(op: &'static str) -> impl Fn(&mut Draft, &str) -> String + Send + Sync + 'static {
    move |d, x| d.node(op, &[x], &[])
}

fn normalized(d: &mut Draft, x: &str) -> String {
    let (scale, bias) = (d.constant(&[8], &[1.0; 8]), d.constant(&[8], &[0.0; 8]));
    d.node("InstanceNormalization", &[x, &scale, &bias], &[])
}

fn conv(d: &mut Draft, x: &str) -> String {
    let w = d.weight(&[8, 8, 1, 1]);
    let w = S8.rounded(d, &w, (-2.0, 2.0));
    d.node("Conv", &[x, &w], &[])
}

fn between_floats(a: Stored) -> Vec<Case> {
    vec![
        one("relu_in_the_range_between_floats", a, RELU, WIDE, normalized, node("Sin")),
        one("clip_in_the_range_between_floats", a, NARROW, WIDE, normalized, normalized),
        one("clip_between_floats_through_reshapes", a, NARROW, WIDE, normalized, |d, x| {
            let rows = d.ints(&[1, 48, 4]);
            let y = d.node("Reshape", &[x, &rows], &[]);
            let y = d.node("Transpose", &[&y], &[ints("perm", &[0, 2, 1])]);
            d.node("Sin", &[&y], &[])
        }),
    ]
}

fn moved(a: Stored) -> Vec<Case> {
    let twice = |name: &str, op: &'static str| {
        steps(format!("two_ranges_of_one_value_{name}_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let (y, z) = (a.rounded(d, &x, NARROW), a.rounded(d, &x, (0.0, 3.5)));
            let sum = d.node(op, &[&y, &z], &[]);
            a.output(d, &sum, WIDE);
        })
    };
    let concat = move |d: &mut Draft, x: &str| d.node("Concat", &[x, x], &[int("axis", 1)]);
    vec![
        twice("added", "Add"),
        twice("multiplied", "Mul"),
        twice("compared", "Max"),
        one("narrow_before_concat", a, NARROW, WIDE, conv, concat),
        one("narrow_sum_before_concat", a, NARROW, WIDE, |d, x| d.node("Add", &[x, x], &[]), concat),
        steps(format!("concat_of_two_ranges_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let y = d.node("Neg", &[&x], &[]);
            let (y, z) = (a.rounded(d, &y, NARROW), a.rounded(d, &x, (-2.0, 2.0)));
            let all = d.node("Concat", &[&y, &z], &[int("axis", 1)]);
            a.output(d, &all, WIDE);
        }),
        one("rounded_by_a_transpose", a, IN, WIDE, node("Neg"), move |d, x| {
            let y = d.node("Transpose", &[x], &[ints("perm", &[0, 1, 3, 2])]);
            let y = a.rounded(d, &y, NARROW);
            conv(d, &y)
        }),
        steps(format!("app_input_in_pieces_{}", a.name), 1, move |d| {
            let x = d.input(&[1, 4, 6, 4]);
            let y = a.rounded(d, &x, NARROW);
            let parts = d.nodes("Split", &[&y], &[int("axis", 1), int("num_outputs", 2)], 2);
            let z = d.node("Concat", &[&parts[1], &parts[0]], &[int("axis", 1)]);
            let z = a.rounded(d, &z, NARROW);
            let z = d.node("Sin", &[&z], &[]);
            U8.output(d, &z, WIDE);
        }),
    ]
}

fn joined(a: Stored) -> Vec<Case> {
    vec![
        one("narrow_sum_then_relu", a, NARROW, WIDE, |d, x| d.node("Add", &[x, x], &[]), node("Relu")),
        one("narrow_conv_then_relu", a, NARROW, WIDE, conv, node("Relu")),
        one("narrow_conv_then_hard_swish", a, NARROW, WIDE, conv, node("HardSwish")),
        one("narrow_product_then_sum", a, NARROW, WIDE, half, |d, x| d.node("Add", &[x, x], &[])),
        one("narrow_product_then_softmax", a, NARROW, (0.0, 1.0), half, |d, x| {
            d.node("Softmax", &[x], &[int("axis", -1)])
        }),
        one(
            "narrow_average_then_average",
            a,
            (-0.2, 0.2),
            (-1.0, 1.0),
            |d, x| {
                let attributes = [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
                d.node("AveragePool", &[x], &attributes)
            },
            node("GlobalAveragePool"),
        ),
        one("narrow_interpolation_then_relu", a, NARROW, WIDE, larger, node("Relu")),
        one("narrow_slope", a, NARROW, WIDE, conv, |d, x| d.node("LeakyRelu", &[x], &[float("alpha", 0.5)])),
    ]
}

fn half(d: &mut Draft, x: &str) -> String {
    let half = d.constant(&[], &[0.7]);
    d.node("Mul", &[x, &half], &[])
}

fn larger(d: &mut Draft, x: &str) -> String {
    let scales = d.constant(&[4], &[1.0, 1.0, 2.0, 2.0]);
    d.node("Resize", &[x, "", &scales], &[text("mode", "linear")])
}
