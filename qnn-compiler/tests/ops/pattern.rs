//! Nodes as exporters write them that are one HTP op, or fewer than they are nodes.

use crate::case::{Case, Draft, case, pattern};
use crate::support::{float, int, ints};

pub fn cases() -> Vec<Case> {
    let mut all = shuffles();
    all.extend(products());
    all.extend(activations());
    all.extend(normalizations());
    all.extend(shapes());
    all
}

/// Reshape, Transpose, Reshape.
fn moved(d: &mut Draft, x: &str, middle: &[i64], perm: &[i64], result: &[i64]) -> String {
    let middle = d.ints(middle);
    let apart = d.node("Reshape", &[x, &middle], &[]);
    let moved = d.node("Transpose", &[&apart], &[ints("perm", perm)]);
    let result = d.ints(result);
    d.node("Reshape", &[&moved, &result], &[])
}

fn shuffles() -> Vec<Case> {
    // Between two convolutions, so that the transposes at the border are not part of the count.
    fn between(
        name: &str,
        most: u64,
        middle: &'static [i64],
        perm: &'static [i64],
        result: &'static [i64],
    ) -> Case {
        pattern(name, most, move |d| {
            let x = d.input(&[1, 3, 8, 6]);
            let w = d.weight(&[36, 3, 3, 3]);
            let y = d.node("Conv", &[&x, &w], &[ints("pads", &[1, 1, 1, 1])]);
            let y = moved(d, &y, middle, perm, result);
            let w = d.weight(&[4, result[1] as usize, 1, 1]);
            d.result("Conv", &[&y, &w], &[]);
        })
    }
    vec![
        between("channel_shuffle", 5, &[1, 3, 12, 8, 6], &[0, 2, 1, 3, 4], &[1, 36, 8, 6]),
        between("pixel_shuffle", 5, &[1, 4, 3, 3, 8, 6], &[0, 1, 4, 2, 5, 3], &[1, 4, 24, 18]),
        between("depth_to_space_depth_first", 5, &[1, 2, 2, 9, 8, 6], &[0, 3, 4, 1, 5, 2], &[1, 9, 16, 12]),
        between("pixel_unshuffle", 5, &[1, 36, 4, 2, 3, 2], &[0, 1, 3, 5, 2, 4], &[1, 144, 4, 3]),
        between("space_to_depth_block_first", 5, &[1, 36, 4, 2, 3, 2], &[0, 3, 5, 1, 2, 4], &[1, 144, 4, 3]),
        case("blocks_that_are_not_square_stay_apart", |d| {
            let x = d.input(&[1, 12, 4, 5]);
            let y = moved(d, &x, &[1, 2, 2, 3, 4, 5], &[0, 1, 4, 2, 5, 3], &[1, 2, 8, 15]);
            d.output(&y);
        }),
        case("a_reshape_that_something_else_reads_stays", |d| {
            let x = d.input(&[1, 6, 4, 5]);
            let middle = d.ints(&[1, 2, 3, 4, 5]);
            let apart = d.node("Reshape", &[&x, &middle], &[]);
            let moved = d.node("Transpose", &[&apart], &[ints("perm", &[0, 2, 1, 3, 4])]);
            let shape = d.ints(&[1, 6, 4, 5]);
            d.result("Reshape", &[&moved, &shape], &[]);
            d.result("Relu", &[&apart], &[]);
        }),
    ]
}

fn products() -> Vec<Case> {
    vec![
        pattern("matmul_and_its_bias", 1, |d| {
            let (x, w, b) = (d.input(&[2, 7, 32]), d.weight(&[32, 48]), d.weight(&[48]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            d.result("Add", &[&b, &y], &[]);
        }),
        pattern("matmul_and_a_bias_with_axes_of_one", 1, |d| {
            let (x, w, b) = (d.input(&[3, 32]), d.weight(&[32, 48]), d.weight(&[1, 48]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            d.result("Add", &[&y, &b], &[]);
        }),
        pattern("matmul_of_five_axes_and_its_bias", 3, |d| {
            let (x, w, b) = (d.input(&[2, 2, 3, 4, 16]), d.weight(&[16, 8]), d.weight(&[8]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            d.result("Add", &[&y, &b], &[]);
        }),
        case("a_number_a_row_is_no_bias", |d| {
            let (x, w, b) = (d.input(&[6, 6]), d.weight(&[6, 6]), d.weight(&[6, 1]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            d.result("Add", &[&y, &b], &[]);
        }),
        case("a_product_that_something_else_reads_keeps_its_numbers", |d| {
            let (x, w, b) = (d.input(&[4, 6]), d.weight(&[6, 6]), d.weight(&[6]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            d.result("Add", &[&y, &b], &[]);
            d.result("Relu", &[&y], &[]);
        }),
        pattern("convolution_batch_normalization_activation", 4, |d| {
            let x = d.input(&[1, 8, 6, 6]);
            let w = d.weight(&[16, 8, 3, 3]);
            let y = d.node("Conv", &[&x, &w], &[]);
            let (g, b, m, v) = (d.scale(&[16]), d.weight(&[16]), d.weight(&[16]), d.scale(&[16]));
            let y = d.node("BatchNormalization", &[&y, &g, &b, &m, &v], &[]);
            d.result("Relu", &[&y], &[]);
        }),
    ]
}

fn activations() -> Vec<Case> {
    vec![
        pattern("gelu_by_erf", 1, |d| {
            let x = d.input(&[4, 40]);
            let (root, one, half) =
                (d.constant(&[], &[2f32.sqrt()]), d.constant(&[], &[1.0]), d.constant(&[], &[0.5]));
            let y = d.node("Div", &[&x, &root], &[]);
            let y = d.node("Erf", &[&y], &[]);
            let y = d.node("Add", &[&y, &one], &[]);
            let y = d.node("Mul", &[&x, &y], &[]);
            d.result("Mul", &[&y, &half], &[]);
        }),
        pattern("gelu_by_tanh", 1, |d| {
            let x = d.input(&[4, 40]);
            let number = |d: &mut Draft, v: f32| d.constant(&[], &[v]);
            let (three, cube, slope) = (number(d, 3.0), number(d, 0.044_715), number(d, 0.797_884_6));
            let (one, half) = (number(d, 1.0), number(d, 0.5));
            let y = d.node("Pow", &[&x, &three], &[]);
            let y = d.node("Mul", &[&y, &cube], &[]);
            let y = d.node("Add", &[&x, &y], &[]);
            let y = d.node("Mul", &[&y, &slope], &[]);
            let y = d.node("Tanh", &[&y], &[]);
            let y = d.node("Add", &[&y, &one], &[]);
            let x = d.node("Mul", &[&x, &half], &[]);
            d.result("Mul", &[&x, &y], &[]);
        }),
        pattern("hard_swish_by_clip", 1, |d| {
            let x = d.input(&[4, 40]);
            let (three, low, high) =
                (d.constant(&[], &[3.0]), d.constant(&[], &[0.0]), d.constant(&[], &[6.0]));
            let y = d.node("Add", &[&x, &three], &[]);
            let y = d.node("Clip", &[&y, &low, &high], &[]);
            let y = d.node("Div", &[&y, &high], &[]);
            d.result("Mul", &[&x, &y], &[]);
        }),
        pattern("hard_swish_by_hard_sigmoid", 1, |d| {
            let x = d.input(&[4, 40]);
            let y = d.node("HardSigmoid", &[&x], &[float("alpha", 1.0 / 6.0), float("beta", 0.5)]);
            d.result("Mul", &[&x, &y], &[]);
        }),
        pattern("silu", 2, |d| {
            let x = d.input(&[4, 40]);
            let y = d.node("Sigmoid", &[&x], &[]);
            d.result("Mul", &[&x, &y], &[]);
        }),
    ]
}

fn normalizations() -> Vec<Case> {
    vec![
        pattern("layer_normalization_in_eight_nodes", 1, |d| {
            let x = d.input(&[3, 40]);
            let (g, b, two, e) =
                (d.scale(&[40]), d.weight(&[40]), d.constant(&[], &[2.0]), d.constant(&[], &[1e-5]));
            let axes = d.ints(&[-1]);
            let mean = d.node("ReduceMean", &[&x, &axes], &[]);
            let centred = d.node("Sub", &[&x, &mean], &[]);
            let square = d.node("Pow", &[&centred, &two], &[]);
            let variance = d.node("ReduceMean", &[&square, &axes], &[]);
            let sum = d.node("Add", &[&variance, &e], &[]);
            let root = d.node("Sqrt", &[&sum], &[]);
            let y = d.node("Div", &[&centred, &root], &[]);
            let y = d.node("Mul", &[&y, &g], &[]);
            d.result("Add", &[&y, &b], &[]);
        }),
        pattern("root_mean_square_normalization_in_six_nodes", 1, |d| {
            let x = d.input(&[3, 40]);
            let (g, two, e) = (d.scale(&[40]), d.constant(&[], &[2.0]), d.constant(&[], &[1e-5]));
            let axes = d.ints(&[-1]);
            let square = d.node("Pow", &[&x, &two], &[]);
            let mean = d.node("ReduceMean", &[&square, &axes], &[]);
            let sum = d.node("Add", &[&mean, &e], &[]);
            let root = d.node("Sqrt", &[&sum], &[]);
            let root = d.node("Reciprocal", &[&root], &[]);
            let y = d.node("Mul", &[&x, &root], &[]);
            d.result("Mul", &[&g, &y], &[]);
        }),
        pattern("group_normalization_in_five_nodes", 3, |d| {
            let x = d.input(&[2, 12, 6, 5]);
            let y = grouped(d, &x, 4, &[2, 12, 6, 5]);
            let (scale, bias) = (d.scale(&[12, 1, 1]), d.weight(&[12, 1, 1]));
            let y = d.node("Mul", &[&y, &scale], &[]);
            d.result("Add", &[&bias, &y], &[]);
        }),
        case("group_normalization_of_one_group_in_a_row", |d| {
            let x = d.input(&[1, 8, 50]);
            let y = grouped(d, &x, 1, &[1, 8, 50]);
            d.output(&y);
        }),
        case("a_sum_along_the_rows_is_no_offset_of_groups", |d| {
            let x = d.input(&[1, 8, 6, 5]);
            let y = grouped(d, &x, 2, &[1, 8, 6, 5]);
            let row = d.weight(&[1, 1, 5]);
            d.result("Add", &[&y, &row], &[]);
        }),
    ]
}

/// Every group of channels normalized as one channel.
fn grouped(d: &mut Draft, x: &str, groups: i64, shape: &[i64]) -> String {
    let (apart, back) = (d.ints(&[shape[0], groups, -1]), d.ints(shape));
    let (scale, bias) = (d.scale(&[groups as usize]), d.weight(&[groups as usize]));
    let y = d.node("Reshape", &[x, &apart], &[]);
    let y = d.node("InstanceNormalization", &[&y, &scale, &bias], &[float("epsilon", 1e-5)]);
    d.node("Reshape", &[&y, &back], &[])
}

fn shapes() -> Vec<Case> {
    vec![
        pattern("reshapes_of_reshapes", 2, |d| {
            let x = d.input(&[2, 3, 4, 5]);
            let (a, b, c) = (d.ints(&[6, 20]), d.ints(&[1, 1, 120]), d.ints(&[5, 24]));
            let y = d.node("Reshape", &[&x, &a], &[]);
            let y = d.node("Reshape", &[&y, &b], &[]);
            let y = d.node("Reshape", &[&y, &c], &[]);
            d.result("Relu", &[&y], &[]);
        }),
        pattern("reshapes_there_and_back", 2, |d| {
            let x = d.input(&[2, 3, 4, 5]);
            let (a, b) = (d.ints(&[6, 20]), d.ints(&[2, 3, 4, 5]));
            let x = d.node("Neg", &[&x], &[]);
            let y = d.node("Reshape", &[&x, &a], &[]);
            let y = d.node("Reshape", &[&y, &b], &[]);
            d.result("Relu", &[&y], &[]);
        }),
        pattern("everything_gathered_in_order", 1, |d| {
            let x = d.input_bool(&[2, 5], &[true, false, true, true, false, false, true, false, true, true]);
            let indices = d.ints(&[0, 1, 2, 3, 4]);
            let y = d.node("Gather", &[&x, &indices], &[int("axis", 1)]);
            d.result("Not", &[&y], &[]);
        }),
        pattern("everything_gathered_in_order_in_two_axes", 2, |d| {
            let x = d.input(&[3, 6]);
            let bytes = (0..6i64).flat_map(i64::to_le_bytes).collect();
            let indices = d.constant_raw(qnn_compiler::graph::DType::I64, &[2, 3], bytes);
            let y = d.node("Gather", &[&x, &indices], &[int("axis", 1)]);
            d.result("Neg", &[&y], &[]);
        }),
        pattern("windows_of_a_plane", 3, |d| {
            // As window attention cuts them: six axes.
            let x = d.input(&[1, 8, 8, 16]);
            let y = moved(d, &x, &[1, 2, 4, 2, 4, 16], &[0, 1, 3, 2, 4, 5], &[4, 16, 16]);
            d.output(&y);
        }),
        pattern("heads_of_attention", 6, |d| {
            let (x, w, b) = (d.input(&[1, 9, 24]), d.weight(&[24, 72]), d.weight(&[72]));
            let y = d.node("MatMul", &[&x, &w], &[]);
            let y = d.node("Add", &[&y, &b], &[]);
            let shape = d.ints(&[1, 9, 3, 4, 6]);
            let y = d.node("Reshape", &[&y, &shape], &[]);
            let y = d.node("Transpose", &[&y], &[ints("perm", &[2, 0, 3, 1, 4])]);
            let first = d.constant_raw(qnn_compiler::graph::DType::I64, &[], 0i64.to_le_bytes().to_vec());
            d.result("Gather", &[&y, &first], &[int("axis", 0)]);
        }),
    ]
}
