//! Operators that are written as others: losses, signals, blocks, conditions, volumes.

use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, refused};
use crate::support::{int, ints, text};

pub fn cases() -> Vec<Case> {
    let mut all = losses();
    all.extend(signals());
    all.extend(placements());
    all.extend(selections());
    all.extend(volumes());
    all
}

/// A list of int64 as a constant without axes.
fn scalar(d: &mut Draft, value: i64) -> String {
    d.constant_raw(DType::I64, &[], value.to_le_bytes().to_vec())
}

fn losses() -> Vec<Case> {
    let mut all = Vec::new();
    for (op, name) in
        [("NegativeLogLikelihoodLoss", "likelihood"), ("SoftmaxCrossEntropyLoss", "cross_entropy")]
    {
        for reduction in ["none", "sum", "mean"] {
            for (weighted, ignored) in [(false, None), (true, None), (false, Some(2)), (true, Some(-1))] {
                let what = format!(
                    "{name}_{reduction}{}{}",
                    if weighted { "_weighted" } else { "" },
                    if ignored.is_some() { "_with_a_class_ignored" } else { "" }
                );
                all.push(case(what, move |d| {
                    let values = d.between(2 * 5 * 3 * 4, -3.0, -0.1);
                    let x = d.input_f32(&[2, 5, 3, 4], &values);
                    let mut target: Vec<i64> = (0..24).map(|i| i * 7 % 5).collect();
                    if ignored == Some(-1) {
                        target[3] = -1;
                    }
                    let target = d.input_i64(&[2, 3, 4], &target);
                    let weight = if weighted { d.scale(&[5]) } else { String::new() };
                    let mut attributes = vec![text("reduction", reduction)];
                    attributes.extend(ignored.map(|i| int("ignore_index", i)));
                    d.result(op, &[&x, &target, &weight], &attributes);
                }));
            }
        }
    }
    all.push(case("cross_entropy_with_logarithms_of_probabilities", |d| {
        let x = d.input(&[6, 10]);
        let target = d.input_i64(&[6], &[0, 9, 3, 3, 5, 1]);
        let outputs = d.nodes("SoftmaxCrossEntropyLoss", &[&x, &target], &[], 2);
        outputs.iter().for_each(|y| d.output(y));
    }));
    all
}

/// A transform of a signal of one shape along an axis.
fn dft(
    name: &'static str,
    shape: &'static [usize],
    axis: i64,
    length: Option<i64>,
    flags: &'static [&str],
) -> Case {
    case(format!("transform_{name}"), move |d| {
        let x = d.input(shape);
        let length = length.map_or_else(String::new, |n| scalar(d, n));
        let axis = scalar(d, axis);
        let attributes: Vec<AttributeProto> = flags.iter().map(|flag| int(flag, 1)).collect();
        d.result("DFT", &[&x, &length, &axis], &attributes);
    })
}

fn signals() -> Vec<Case> {
    let mut all = vec![
        dft("of_a_real_signal", &[2, 16, 1], 1, None, &[]),
        dft("of_a_complex_signal", &[2, 15, 2], 1, None, &[]),
        dft("one_sided", &[3, 20, 1], -2, None, &["onesided"]),
        dft("inverse", &[2, 12, 2], 1, None, &["inverse"]),
        dft("along_the_first_of_two_axes", &[2, 8, 5, 1], 1, None, &[]),
        dft("of_a_signal_with_zeros_after_it", &[2, 10, 1], 1, Some(16), &[]),
        dft("of_the_start_of_a_signal", &[2, 20, 2], 1, Some(13), &[]),
    ];
    for (name, windowed, one_sided) in [
        ("spectrogram", true, 1),
        ("spectrogram_of_both_sides", true, 0),
        ("spectrogram_without_window", false, 1),
    ] {
        all.push(case(name, move |d| {
            let x = d.input(&[2, 128, 1]);
            let (step, frame) = (scalar(d, 8), scalar(d, 16));
            let window = if windowed { d.scale(&[16]) } else { String::new() };
            d.result("STFT", &[&x, &step, &window, &frame], &[int("onesided", one_sided)]);
        }));
    }
    for op in ["HannWindow", "HammingWindow", "BlackmanWindow"] {
        for periodic in [0, 1] {
            let name = if periodic == 1 { "periodic" } else { "symmetric" };
            all.push(case(format!("{}_{name}", op.to_lowercase()), move |d| {
                let x = d.input(&[2, 10]);
                let size = scalar(d, 10);
                let window = d.node(op, &[&size], &[int("periodic", periodic)]);
                d.result("Mul", &[&x, &window], &[]);
            }));
        }
    }
    all.push(case("mel_weights", |d| {
        let x = d.input(&[3, 129]);
        let list = [8, 256, 8192].map(|v| scalar(d, v));
        let bounds = [0.0, 4096.0].map(|v| d.constant(&[], &[v]));
        let weights = d.node("MelWeightMatrix", &[&list[0], &list[1], &list[2], &bounds[0], &bounds[1]], &[]);
        d.result("MatMul", &[&x, &weights], &[]);
    }));
    all
}

fn placements() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, size, thetas) in
        [("plane", &[2, 3, 5, 6][..], &[2, 2, 3][..]), ("volume", &[1, 2, 3, 4, 5], &[1, 3, 4])]
    {
        for align in [0, 1] {
            let corners = if align == 1 { "_with_corners_aligned" } else { "" };
            all.push(case(format!("affine_grid_of_a_{name}{corners}"), move |d| {
                let theta = d.input(thetas);
                let size = d.ints(size);
                d.result("AffineGrid", &[&theta, &size], &[int("align_corners", align)]);
            }));
        }
    }
    type Crop = (&'static str, &'static [usize], &'static [i64], Option<&'static [i64]>);
    let crops: [Crop; 3] = [
        ("crop", &[20, 9, 3], &[10, 7, 3], None),
        ("pad", &[10, 7, 3], &[21, 10, 3], None),
        ("crop_and_pad_by_axes", &[20, 8, 3], &[10, 9], Some(&[0, -2])),
    ];
    for (name, shape, target, axes) in crops {
        all.push(case(format!("{name}_around_the_centre"), move |d| {
            let x = d.input(shape);
            let target = d.ints(target);
            let attributes: Vec<AttributeProto> = axes.map(|a| ints("axes", a)).into_iter().collect();
            d.result("CenterCropPad", &[&x, &target], &attributes);
        }));
    }
    type Attributes = fn() -> Vec<AttributeProto>;
    type Block = (&'static str, &'static [usize], &'static [i64], &'static [i64], Attributes);
    let blocks: [Block; 3] = [
        ("blocks_side_by_side", &[1, 5, 5], &[5, 5], &[1, 5], Vec::new),
        ("blocks_that_overlap", &[2, 12, 9], &[4, 4], &[2, 2], Vec::new),
        ("blocks_with_padding_and_steps", &[1, 18, 12], &[6, 7], &[3, 3], || {
            vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]
        }),
    ];
    for (name, shape, image, block, attributes) in blocks {
        all.push(case(name, move |d| {
            let x = d.input(shape);
            let (image, block) = (d.ints(image), d.ints(block));
            d.result("Col2Im", &[&x, &image, &block], &attributes());
        }));
    }
    all.push(case("maxima_are_put_back", |d| {
        let x = d.input(&[1, 2, 2, 2]);
        let places = d.input_i64(&[1, 2, 2, 2], &[5, 7, 13, 15, 16, 19, 28, 31]);
        d.result("MaxUnpool", &[&x, &places], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
    }));
    all
}

fn selections() -> Vec<Case> {
    let mut all = Vec::new();
    for axis in [0, 1, -1] {
        all.push(case(format!("one_for_the_largest_along_axis_{axis}"), move |d| {
            let x = d.input(&[3, 4, 5]);
            d.result("Hardmax", &[&x], &[int("axis", axis)]);
        }));
    }
    all.push(case("elements_kept_by_a_constant_condition", |d| {
        let x = d.input(&[3, 4]);
        let condition = d.constant_raw(DType::Bool, &[4], vec![1, 0, 1, 1]);
        d.result("Compress", &[&x, &condition], &[int("axis", 1)]);
    }));
    all.push(case("elements_kept_of_the_flat_tensor", |d| {
        let x = d.input(&[3, 4]);
        let condition = d.constant_raw(DType::Bool, &[7], vec![0, 1, 1, 0, 0, 0, 1]);
        d.result("Compress", &[&x, &condition], &[]);
    }));
    all.push(refused("a_computed_condition_is_refused", "E0210", "depends on", |d| {
        let x = d.input(&[4]);
        let condition = d.input_bool(&[4], &[true, false, true, true]);
        d.result("Compress", &[&x, &condition], &[]);
    }));
    for (batch, time) in [(0, 1), (1, 0)] {
        all.push(case(format!("sequences_reversed_along_axis_{time}"), move |d| {
            let x = d.input(&[4, 4, 3]);
            let lengths = d.input_i64(&[4], &[1, 2, 4, 3]);
            d.result("ReverseSequence", &[&x, &lengths], &[int("batch_axis", batch), int("time_axis", time)]);
        }));
    }
    for direction in ["LEFT", "RIGHT"] {
        all.push(case(format!("bits_of_bytes_shifted_{}", direction.to_lowercase()), move |d| {
            let x = d.input_raw(DType::U8, DataType::Uint8, &[6], vec![255, 128, 77, 3, 200, 1]);
            let by = d.input_raw(DType::U8, DataType::Uint8, &[6], vec![0, 1, 3, 7, 5, 2]);
            d.result("BitShift", &[&x, &by], &[text("direction", direction)]);
        }));
        all.push(case(format!("bits_of_uint32_shifted_{}", direction.to_lowercase()), move |d| {
            let words = |v: [u32; 6]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
            let x = words([u32::MAX, 1 << 31, 0x1234_5678, 3, 0x8000_0001, 0x7fff_ffff]);
            let x = d.input_raw(DType::U32, DataType::Uint32, &[6], x);
            let by = d.input_raw(DType::U32, DataType::Uint32, &[6], words([1, 0, 7, 31, 16, 5]));
            d.result("BitShift", &[&x, &by], &[text("direction", direction)]);
        }));
    }
    for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"] {
        all.push(case(format!("{}_of_int32", op.to_lowercase()), move |d| {
            let a = d.input_i32(&[2, 3], &[-1, i32::MIN, 0x1234_5678, 7, -356_387_803, 0]);
            let b = d.input_i32(&[3], &[0x0f0f_0f0f, i32::MAX, -99]);
            d.result(op, &[&a, &b], &[]);
        }));
        all.push(case(format!("{}_of_bytes", op.to_lowercase()), move |d| {
            let a = d.input_raw(DType::U8, DataType::Uint8, &[4], vec![255, 0, 0x5a, 17]);
            let b = d.input_raw(DType::U8, DataType::Uint8, &[4], vec![0x3c, 9, 0xa5, 240]);
            d.result(op, &[&a, &b], &[]);
        }));
    }
    all.push(case("bitwise_not_of_int32", |d| {
        let a = d.input_i32(&[4], &[-1, 0, i32::MAX, 12345]);
        d.result("BitwiseNot", &[&a], &[]);
    }));
    all
}

fn volumes() -> Vec<Case> {
    type Attributes = fn() -> Vec<AttributeProto>;
    let windows: [(&str, Attributes); 4] = [
        ("of_eight", || vec![ints("kernel_shape", &[2, 2, 2]), ints("strides", &[2, 2, 2])]),
        ("padded", || {
            vec![
                ints("kernel_shape", &[3, 3, 3]),
                ints("pads", &[1, 1, 1, 1, 1, 1]),
                ints("strides", &[1, 2, 1]),
            ]
        }),
        ("unequal", || vec![ints("kernel_shape", &[1, 3, 2]), ints("pads", &[0, 1, 0, 0, 2, 1])]),
        ("dilated", || vec![ints("kernel_shape", &[2, 2, 2]), ints("dilations", &[2, 1, 3])]),
    ];
    let mut all = Vec::new();
    for (name, attributes) in windows {
        all.push(case(format!("maximum_of_boxes_{name}"), move |d| {
            let x = d.input(&[2, 3, 5, 6, 7]);
            d.result("MaxPool", &[&x], &attributes());
        }));
        for count in [0, 1] {
            let what = if count == 1 { "_with_padding" } else { "" };
            all.push(case(format!("average_of_boxes_{name}{what}"), move |d| {
                let x = d.input(&[1, 3, 5, 6, 7]);
                d.result(
                    "AveragePool",
                    &[&x],
                    &[attributes(), vec![int("count_include_pad", count)]].concat(),
                );
            }));
        }
    }
    all.push(case("norm_of_boxes", |d| {
        let x = d.input(&[1, 3, 5, 6, 7]);
        d.result("LpPool", &[&x], &[ints("kernel_shape", &[2, 2, 2])]);
    }));
    let convolutions: [(&str, [usize; 5], [usize; 5], Attributes); 5] = [
        ("of_27", [1, 3, 5, 6, 7], [4, 3, 3, 3, 3], Vec::new),
        ("padded", [2, 8, 4, 6, 6], [8, 8, 3, 3, 3], || vec![ints("pads", &[1, 1, 1, 1, 1, 1])]),
        ("with_steps", [1, 4, 7, 8, 9], [6, 4, 3, 3, 3], || {
            vec![ints("strides", &[2, 2, 2]), ints("pads", &[1, 1, 1, 0, 0, 0])]
        }),
        ("dilated", [1, 4, 7, 9, 8], [6, 4, 2, 2, 2], || vec![ints("dilations", &[2, 2, 3])]),
        ("in_groups", [1, 8, 4, 5, 5], [4, 4, 3, 3, 3], || {
            vec![int("group", 2), ints("pads", &[1, 1, 1, 1, 1, 1])]
        }),
    ];
    for (name, x, w, attributes) in convolutions {
        all.push(case(format!("convolution_of_boxes_{name}"), move |d| {
            let x = d.input(&x);
            let (w, b) = (d.weight(&w), d.weight(&[w[0]]));
            d.result("Conv", &[&x, &w, &b], &attributes());
        }));
    }
    let transposed: [(&str, [usize; 5], [usize; 5], Attributes); 4] = [
        ("of_27", [1, 3, 3, 4, 5], [3, 4, 3, 3, 3], Vec::new),
        ("with_steps", [1, 4, 3, 4, 4], [4, 3, 2, 2, 2], || vec![ints("strides", &[2, 2, 2])]),
        ("padded", [2, 4, 3, 4, 4], [4, 2, 3, 3, 3], || {
            vec![
                ints("strides", &[2, 1, 2]),
                ints("pads", &[1, 1, 0, 1, 1, 1]),
                ints("output_padding", &[1, 0, 1]),
            ]
        }),
        ("in_groups", [1, 4, 3, 4, 4], [4, 2, 2, 3, 2], || vec![int("group", 2)]),
    ];
    for (name, x, w, attributes) in transposed {
        all.push(case(format!("transposed_convolution_of_boxes_{name}"), move |d| {
            let x = d.input(&x);
            let group = if name == "in_groups" { 2 } else { 1 };
            let (filters, w) = (w[1] * group, d.weight(&w));
            let b = d.weight(&[filters]);
            d.result("ConvTranspose", &[&x, &w, &b], &attributes());
        }));
    }
    all
}
