//! Concat, Split, Slice, Pad, Reshape, Transpose, Tile and Expand.

use qnn::DataType;
use qnn_compiler::graph::DType;

use crate::arithmetic::extents;
use crate::case::{Case, Draft, case, refused};
use crate::support::{int, ints, text};

const SHAPES: &[&[usize]] = &[&[7], &[3, 5], &[2, 3, 4, 5], &[2, 3, 2, 4, 5]];

/// Element types that move through HTP, each in its own way.
pub const TYPES: &[(&str, DType, DataType)] = &[
    ("floats", DType::F32, DataType::Float32),
    ("halves", DType::F16, DataType::Float16),
    ("integers", DType::I64, DataType::Int64),
    ("bytes", DType::U8, DataType::Uint8),
    ("truths", DType::Bool, DataType::Bool),
];

/// An input of any of the types, all elements different where the type allows it.
pub fn typed(d: &mut Draft, dtype: DType, array: DataType, shape: &[usize]) -> String {
    let count = shape.iter().product::<usize>();
    let data: Vec<u8> = match dtype {
        DType::F32 => (0..count).flat_map(|i| (i as f32 - 9.0).to_le_bytes()).collect(),
        DType::F16 => (0..count).flat_map(|i| half::f16::from_f32(i as f32 - 9.0).to_le_bytes()).collect(),
        DType::I64 => (0..count).flat_map(|i| (i as i64 * 70_001 - 9).to_le_bytes()).collect(),
        DType::Bool => (0..count).map(|i| u8::from(i % 3 == 0 || i % 7 == 2)).collect(),
        _ => (0..count).map(|i| i as u8).collect(),
    };
    d.input_raw(dtype, array, shape, data)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(together());
    all.extend(apart());
    all.extend(slices());
    all.extend(pads());
    all.extend(shapes());
    all.extend(transposes());
    all.extend(repeats());
    all
}

/// A convolution's result, whose channels are innermost on HTP.
fn channels_last(d: &mut Draft) -> String {
    let (x, w) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]));
    d.node("Conv", &[&x, &w], &[])
}

fn together() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for axis in 0..shape.len() as i64 {
            all.push(case(format!("concat_of_{}_along_{axis}", extents(shape)), move |d| {
                let (a, b, c) = (d.input(shape), d.scale(shape), d.input(shape));
                d.result("Concat", &[&a, &b, &c], &[int("axis", axis)]);
            }));
        }
    }
    for &(name, dtype, array) in TYPES {
        for shape in [&[2usize, 3, 4][..], &[2, 3, 2, 4, 5]] {
            all.push(case(format!("concat_of_{name}_{}", extents(shape)), move |d| {
                let (a, b) = (typed(d, dtype, array, shape), typed(d, dtype, array, shape));
                d.result("Concat", &[&a, &b], &[int("axis", 1)]);
            }));
        }
    }
    all.push(case("concat_of_channels_of_a_convolution", |d| {
        let (a, b) = (channels_last(d), d.input(&[1, 3, 4, 5]));
        d.result("Concat", &[&a, &b], &[int("axis", 1)]);
    }));
    all
}

fn apart() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for axis in (0..shape.len()).filter(|&a| shape[a] > 2) {
            all.push(case(format!("split_of_{}_along_{axis}", extents(shape)), move |d| {
                let (x, s) = (d.input(shape), d.ints(&[1, shape[axis] as i64 - 1]));
                let outputs = d.nodes("Split", &[&x, &s], &[int("axis", axis as i64)], 2);
                outputs.iter().for_each(|o| d.output(o));
            }));
        }
    }
    for &(name, dtype, array) in TYPES {
        all.push(case(format!("split_of_{name}"), move |d| {
            let (x, s) = (typed(d, dtype, array, &[2, 3, 2, 4, 5]), d.ints(&[1, 2, 1]));
            let outputs = d.nodes("Split", &[&x, &s], &[int("axis", 3)], 3);
            outputs.iter().for_each(|o| d.output(o));
        }));
    }
    all.push(case("split_into_three_equal_parts_of_which_one_is_read", |d| {
        let x = d.input(&[2, 6, 3]);
        let outputs = d.nodes("Split", &[&x], &[int("axis", 1), int("num_outputs", 3)], 3);
        d.output(&outputs[1]);
    }));
    all.push(case("split_of_the_channels_of_a_convolution", |d| {
        let (x, s) = (channels_last(d), d.ints(&[3, 5]));
        let outputs = d.nodes("Split", &[&x, &s], &[int("axis", 1)], 2);
        outputs.iter().for_each(|o| d.output(o));
    }));
    all
}

fn slices() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for step in [1i64, 2, -1, -2] {
            all.push(case(format!("slice_of_{}_by_{step}", extents(shape)), move |d| {
                let rank = shape.len();
                let of = |f: fn(i64) -> i64| shape.iter().map(|&s| f(s as i64)).collect::<Vec<_>>();
                let (starts, ends) =
                    if step > 0 { (vec![1; rank], of(|s| s)) } else { (of(|s| s - 1), of(|s| -s - 1)) };
                let x = d.input(shape);
                let (s, e) = (d.ints(&starts), d.ints(&ends));
                let (a, t) = (d.ints(&(0..rank as i64).collect::<Vec<_>>()), d.ints(&vec![step; rank]));
                d.result("Slice", &[&x, &s, &e, &a, &t], &[]);
            }));
        }
    }
    for &(name, dtype, array) in TYPES {
        all.push(case(format!("slice_of_{name}"), move |d| {
            let x = typed(d, dtype, array, &[2, 5, 2, 4, 3]);
            let (s, e, a, t) = (d.ints(&[1, 0]), d.ints(&[5, 3]), d.ints(&[1, 3]), d.ints(&[2, 1]));
            d.result("Slice", &[&x, &s, &e, &a, &t], &[]);
        }));
    }
    all.push(case("slice_of_channels_and_columns_of_a_convolution", |d| {
        let x = channels_last(d);
        let (s, e, a) = (d.ints(&[2, 1]), d.ints(&[7, 4]), d.ints(&[1, 3]));
        d.result("Slice", &[&x, &s, &e, &a], &[]);
    }));
    all
}

fn pads() -> Vec<Case> {
    let mut all = Vec::new();
    for mode in ["constant", "reflect", "edge", "wrap"] {
        for &shape in SHAPES {
            let pads: Vec<i64> = shape
                .iter()
                .map(|&s| i64::from(s > 1))
                .chain(shape.iter().map(|&s| if s > 2 { 2 } else { 0 }))
                .collect();
            for &(name, dtype, array) in TYPES.iter().filter(|t| ["floats", "integers"].contains(&t.0)) {
                let pads = pads.clone();
                all.push(case(format!("pad_{mode}_of_{name}_{}", extents(shape)), move |d| {
                    let (x, p) = (typed(d, dtype, array, shape), d.ints(&pads));
                    d.result("Pad", &[&x, &p], &[text("mode", mode)]);
                }));
            }
        }
        all.push(case(format!("pad_{mode}_of_the_plane_of_a_convolution"), move |d| {
            let (x, p) = (channels_last(d), d.ints(&[0, 0, 2, 3, 0, 0, 1, 2]));
            d.result("Pad", &[&x, &p], &[text("mode", mode)]);
        }));
        all.push(case(format!("pad_{mode}_that_also_takes_away"), move |d| {
            let (x, p) = (d.input(&[2, 3, 4, 5]), d.ints(&[0, 0, 1, -1, 0, 0, -1, 2]));
            d.result("Pad", &[&x, &p], &[text("mode", mode)]);
        }));
    }
    all.push(case("pad_that_only_takes_away", |d| {
        let (x, p) = (d.input(&[2, 3, 4, 5]), d.ints(&[0, -1, 0, -1, 0, 0, -1, 0]));
        d.result("Pad", &[&x, &p], &[]);
    }));
    all.push(case("pad_with_a_number", |d| {
        let (x, p, v) = (d.input(&[2, 3, 4]), d.ints(&[1, 2]), d.constant(&[], &[2.5]));
        let a = d.ints(&[-1]);
        d.result("Pad", &[&x, &p, &v, &a], &[]);
    }));
    all.push(case("pad_with_minus_infinity_before_a_pool", |d| {
        let (x, p) = (d.input(&[1, 3, 4, 4]), d.ints(&[0, 0, 1, 1, 0, 0, 1, 1]));
        let v = d.constant(&[], &[f32::NEG_INFINITY]);
        let y = d.node("Pad", &[&x, &p, &v], &[]);
        d.result("MaxPool", &[&y], &[ints("kernel_shape", &[3, 3])]);
    }));
    all.push(case("pad_of_truths", |d| {
        let (x, p) = (typed(d, DType::Bool, DataType::Bool, &[2, 3]), d.ints(&[1, 0, 0, 1]));
        d.result("Pad", &[&x, &p], &[]);
    }));
    all.push(case("constant_output_beside_a_computed_one", |d| {
        let x = d.input(&[2, 3]);
        let c = d.constant(&[2, 2], &[1.0, -2.0, 3.5, 0.25]);
        d.result("Relu", &[&x], &[]);
        d.result("Identity", &[&c], &[]);
    }));
    all.push(refused("a_model_of_constants_is_refused", "E0310", "no input is read", |d| {
        let x = d.input(&[2, 3]);
        d.result("Shape", &[&x], &[]);
    }));
    all.push(case("pad_with_a_computed_number", |d| {
        let (x, p, v) = (d.input(&[2, 3]), d.ints(&[1, 0, 0, 1]), d.input(&[]));
        d.result("Pad", &[&x, &p, &v], &[]);
    }));
    all
}

fn shapes() -> Vec<Case> {
    let forms: &[(&[usize], &[i64])] = &[
        (&[2, 3, 4], &[6, 4]),
        (&[2, 3, 4], &[-1]),
        (&[24], &[2, 3, 4]),
        (&[2, 3, 2, 4, 5], &[6, 8, 5]),
        (&[2, 3, 4, 5], &[2, 3, 2, 2, 5]),
        (&[1], &[]),
    ];
    let mut all = Vec::new();
    for &(from, to) in forms {
        for &(name, dtype, array) in TYPES {
            let target = if to.is_empty() {
                "scalar".to_owned()
            } else {
                to.iter().map(i64::to_string).collect::<Vec<_>>().join("x")
            };
            all.push(case(format!("reshape_of_{name}_{}_to_{target}", extents(from)), move |d| {
                let (x, s) = (typed(d, dtype, array, from), d.ints(to));
                d.result("Reshape", &[&x, &s], &[]);
            }));
        }
    }
    all.push(case("squeeze_unsqueeze_and_flatten", |d| {
        let x = d.input(&[1, 3, 1, 4]);
        let (a, b) = (d.ints(&[0, 2]), d.ints(&[1, 3]));
        let y = d.node("Squeeze", &[&x, &a], &[]);
        let y = d.node("Unsqueeze", &[&y, &b], &[]);
        d.result("Flatten", &[&y], &[int("axis", 2)]);
    }));
    all
}

fn transposes() -> Vec<Case> {
    let forms: &[(&[usize], &[i64])] = &[
        (&[3, 5], &[1, 0]),
        (&[2, 3, 5], &[2, 0, 1]),
        (&[2, 3, 4, 5], &[3, 1, 0, 2]),
        (&[2, 3, 2, 4, 5], &[0, 1, 4, 2, 3]),
        (&[2, 3, 2, 4, 5], &[4, 2, 0, 3, 1]),
        (&[1, 3, 1, 4, 5], &[4, 2, 0, 3, 1]),
    ];
    let mut all = Vec::new();
    for &(shape, perm) in forms {
        for &(name, dtype, array) in TYPES {
            let order: Vec<String> = perm.iter().map(i64::to_string).collect();
            all.push(case(
                format!("transpose_of_{name}_{}_to_{}", extents(shape), order.join("")),
                move |d| {
                    let x = typed(d, dtype, array, shape);
                    d.result("Transpose", &[&x], &[ints("perm", perm)]);
                },
            ));
        }
    }
    // Six axes between reshapes: more than HTP has.
    for (name, batch) in [("one_image", 1), ("two_images", 2)] {
        all.push(case(format!("pixel_shuffle_by_a_transpose_of_six_axes_of_{name}"), move |d| {
            let x = d.input(&[batch, 12, 3, 5]);
            let n = batch as i64;
            let (apart, together) = (d.ints(&[n, 3, 2, 2, 3, 5]), d.ints(&[n, 3, 6, 10]));
            let y = d.node("Reshape", &[&x, &apart], &[]);
            let y = d.node("Transpose", &[&y], &[ints("perm", &[0, 1, 4, 2, 5, 3])]);
            d.result("Reshape", &[&y, &together], &[]);
        }));
    }
    all.push(case("arithmetic_on_six_axes", |d| {
        let x = d.input(&[2, 12, 3, 5]);
        let (apart, together) = (d.ints(&[2, 3, 2, 2, 3, 5]), d.ints(&[2, 180]));
        let c = d.scale(&[3, 1, 1, 1, 1]);
        let y = d.node("Reshape", &[&x, &apart], &[]);
        let y = d.node("Mul", &[&y, &c], &[]);
        let y = d.node("Sigmoid", &[&y], &[]);
        let a = d.ints(&[3, 5]);
        let s = d.node("ReduceSum", &[&y, &a], &[]);
        let y = d.node("Sub", &[&y, &s], &[]);
        d.result("Reshape", &[&y, &together], &[]);
    }));
    all.push(refused("an_output_of_six_axes_is_refused", "E0305", "6 dimensions", |d| {
        let (x, s) = (d.input(&[2, 12]), d.ints(&[2, 3, 1, 2, 1, 2]));
        d.result("Reshape", &[&x, &s], &[]);
    }));
    all
}

fn repeats() -> Vec<Case> {
    let tiles: &[(&[usize], &[i64])] = &[
        (&[3], &[2]),
        (&[2, 3, 4], &[2, 1, 3]),
        (&[2, 3, 4, 5], &[1, 2, 1, 2]),
        (&[2, 3, 2, 4, 5], &[1, 1, 2, 1, 1]),
        (&[1, 1, 1, 1], &[2, 3, 4, 5]),
    ];
    let expands: &[(&[usize], &[i64])] = &[
        (&[1], &[5]),
        (&[3, 1], &[2, 3, 4]),
        (&[1, 3, 1, 5], &[2, 3, 4, 5]),
        (&[2, 1, 1, 4, 1], &[2, 3, 2, 4, 5]),
        (&[5], &[2, 3, 4, 2, 5]),
        (&[], &[3, 4]),
        (&[3, 4], &[1, 1]),
    ];
    let mut all = Vec::new();
    for (op, forms) in [("Tile", tiles), ("Expand", expands)] {
        for &(shape, to) in forms {
            for &(name, dtype, array) in TYPES {
                let target: Vec<String> = to.iter().map(i64::to_string).collect();
                let label =
                    format!("{}_of_{name}_{}_by_{}", op.to_lowercase(), extents(shape), target.join("x"));
                all.push(case(label, move |d| {
                    let (x, s) = (typed(d, dtype, array, shape), d.ints(to));
                    d.result(op, &[&x, &s], &[]);
                }));
            }
        }
    }
    all.push(case("tile_of_a_convolution", |d| {
        let (x, r) = (channels_last(d), d.ints(&[1, 2, 1, 3]));
        d.result("Tile", &[&x, &r], &[]);
    }));
    all
}
