//! Conv.

use qnn_compiler::frontend::onnx::proto::AttributeProto;

use crate::case::{Case, Draft, case};
use crate::support::{int, ints, text};

/// Input (N, C, spatial…), filters, kernel.
struct Form {
    input: &'static [usize],
    filters: usize,
    kernel: &'static [usize],
    group: usize,
}

/// A dense convolution.
const fn dense(input: &'static [usize], filters: usize, kernel: &'static [usize]) -> Form {
    Form { input, filters, kernel, group: 1 }
}

/// A convolution in groups.
const fn grouped(input: &'static [usize], filters: usize, kernel: &'static [usize], group: usize) -> Form {
    Form { input, filters, kernel, group }
}

fn write(d: &mut Draft, form: &Form, bias: bool, mut attributes: Vec<AttributeProto>) {
    let x = d.input(form.input);
    let shape = [&[form.filters, form.input[1] / form.group], form.kernel].concat();
    let w = d.weight(&shape);
    attributes.push(int("group", form.group as i64));
    let b = if bias { d.scale(&[form.filters]) } else { String::new() };
    let inputs: Vec<&str> = if bias { vec![&x, &w, &b] } else { vec![&x, &w] };
    d.result("Conv", &inputs, &attributes);
}

fn with(name: &str, form: Form, attributes: fn() -> Vec<AttributeProto>) -> Case {
    case(name, move |d| write(d, &form, true, attributes()))
}

pub fn cases() -> Vec<Case> {
    let mut all = forms();
    all.extend(paddings());
    all.extend(depthwise());
    all.extend(unusual());
    all
}

fn forms() -> Vec<Case> {
    vec![
        with("three_by_three", dense(&[1, 16, 8, 8], 32, &[3, 3]), || vec![ints("pads", &[1, 1, 1, 1])]),
        case("without_bias", |d| write(d, &dense(&[1, 16, 8, 8], 32, &[3, 3]), false, vec![])),
        with("point", dense(&[1, 37, 5, 5], 13, &[1, 1]), Vec::new),
        with("point_with_stride", dense(&[1, 8, 16, 16], 8, &[1, 1]), || vec![ints("strides", &[2, 2])]),
        with("batch_of_three", dense(&[3, 16, 8, 8], 8, &[3, 3]), || vec![ints("pads", &[1, 1, 1, 1])]),
        with("stem_7x7_stride_2", dense(&[1, 3, 32, 32], 16, &[7, 7]), || {
            vec![ints("strides", &[2, 2]), ints("pads", &[3, 3, 3, 3])]
        }),
        with("patches_16x16", dense(&[1, 3, 64, 64], 32, &[16, 16]), || vec![ints("strides", &[16, 16])]),
        with("overlapping_patches_7x7_stride_4", dense(&[1, 3, 32, 32], 32, &[7, 7]), || {
            vec![ints("strides", &[4, 4]), ints("pads", &[3, 3, 3, 3])]
        }),
        with("stride_that_leaves_a_rest", dense(&[1, 8, 10, 10], 8, &[3, 3]), || {
            vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]
        }),
        with("strides_that_differ", dense(&[1, 3, 19, 7], 5, &[5, 3]), || {
            vec![ints("strides", &[3, 1]), ints("pads", &[1, 1, 1, 1])]
        }),
        with("dilation", dense(&[1, 8, 16, 16], 8, &[3, 3]), || {
            vec![ints("dilations", &[2, 2]), ints("pads", &[2, 2, 2, 2])]
        }),
        with("dilation_that_differs_by_axis", dense(&[1, 8, 16, 16], 8, &[3, 3]), || {
            vec![ints("dilations", &[3, 1]), ints("pads", &[3, 1, 3, 1])]
        }),
        with("dilation_and_stride", dense(&[1, 8, 16, 16], 8, &[3, 3]), || {
            vec![ints("dilations", &[2, 2]), ints("strides", &[2, 2]), ints("pads", &[2, 2, 2, 2])]
        }),
        with("one_axis", dense(&[1, 16, 40], 8, &[5]), || vec![ints("pads", &[2, 2])]),
        with("one_axis_stride_and_dilation", dense(&[2, 16, 40], 8, &[3]), || {
            vec![ints("strides", &[2]), ints("dilations", &[2]), ints("pads", &[1, 3])]
        }),
        with("groups", grouped(&[1, 16, 8, 8], 32, &[3, 3], 2), || vec![ints("pads", &[1, 1, 1, 1])]),
        with("narrow_groups_with_stride", grouped(&[1, 12, 8, 8], 20, &[3, 3], 4), || {
            vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]
        }),
        with("many_groups", grouped(&[1, 128, 8, 8], 128, &[3, 3], 32), || vec![ints("pads", &[1, 1, 1, 1])]),
        with("groups_of_one_axis", grouped(&[1, 24, 30], 12, &[3], 3), || vec![ints("pads", &[1, 1])]),
        case("computed_weight", |d| {
            let (x, w) = (d.input(&[1, 9, 8, 8]), d.input(&[6, 9, 3, 3]));
            d.result("Conv", &[&x, &w], &[ints("pads", &[1, 1, 1, 1])]);
        }),
        case("computed_weight_and_bias_in_groups", |d| {
            let (x, w, b) = (d.input(&[1, 16, 8, 8]), d.input(&[16, 4, 3, 3]), d.input(&[16]));
            d.result("Conv", &[&x, &w, &b], &[int("group", 4), ints("pads", &[1, 1, 1, 1])]);
        }),
    ]
}

fn paddings() -> Vec<Case> {
    let mut all = vec![
        with("unequal_padding", dense(&[1, 3, 9, 7], 5, &[3, 3]), || vec![ints("pads", &[2, 0, 1, 3])]),
        with("padding_of_the_kernels_size", dense(&[1, 8, 6, 6], 8, &[3, 3]), || {
            vec![ints("pads", &[3, 3, 3, 3])]
        }),
        with("padding_beyond_the_kernel", dense(&[1, 8, 6, 6], 8, &[3, 3]), || {
            vec![ints("pads", &[5, 4, 6, 5]), ints("strides", &[2, 1])]
        }),
        with("padding_beyond_the_kernel_one_side", dense(&[1, 16, 5, 5], 8, &[2, 2]), || {
            vec![ints("pads", &[3, 0, 1, 2])]
        }),
        with("padding_of_a_point", dense(&[1, 8, 6, 6], 8, &[1, 1]), || vec![ints("pads", &[1, 1, 1, 1])]),
        with("padding_with_a_row_kernel", dense(&[1, 8, 6, 6], 8, &[1, 3]), || {
            vec![ints("pads", &[1, 1, 1, 1])]
        }),
        with("padding_with_stride_4", dense(&[1, 32, 17, 16], 32, &[3, 3]), || {
            vec![ints("pads", &[2, 2, 1, 0]), ints("strides", &[4, 4])]
        }),
        with("kernel_larger_than_the_input", dense(&[1, 8, 3, 3], 8, &[7, 7]), || {
            vec![ints("pads", &[3, 3, 3, 3])]
        }),
        with("kernel_shorter_than_its_step", dense(&[2, 4, 14, 7], 3, &[1, 2]), || {
            vec![ints("pads", &[1, 0, 1, 1]), ints("strides", &[2, 2])]
        }),
    ];
    for mode in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
        all.push(case(format!("auto_pad_{}", mode.to_lowercase()), move |d| {
            let attributes = vec![text("auto_pad", mode), ints("strides", &[2, 2])];
            write(d, &dense(&[1, 8, 9, 8], 8, &[3, 4]), true, attributes);
        }));
    }
    all
}

fn depthwise() -> Vec<Case> {
    let mut all = Vec::new();
    for (k, s) in [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2), (9, 1), (9, 2), (1, 3), (3, 4)] {
        all.push(case(format!("depthwise_{k}x{k}_stride_{s}"), move |d| {
            let (x, w, b) = (d.input(&[1, 40, 20, 19]), d.weight(&[40, 1, k, k]), d.scale(&[40]));
            let p = k as i64 / 2;
            let attributes = [int("group", 40), ints("strides", &[s, s]), ints("pads", &[p, p, p, p])];
            d.result("Conv", &[&x, &w, &b], &attributes);
        }));
    }
    all.extend([
        with("depthwise_of_three_channels_5x5_stride_2", grouped(&[1, 3, 15, 17], 3, &[5, 5], 3), || {
            vec![ints("strides", &[2, 2])]
        }),
        with("depthwise_dilation", grouped(&[1, 19, 17, 23], 19, &[3, 3], 19), || {
            vec![ints("dilations", &[2, 2]), ints("pads", &[2, 2, 2, 2])]
        }),
        with("depthwise_dilation_and_stride", grouped(&[1, 8, 16, 16], 8, &[3, 3], 8), || {
            vec![ints("dilations", &[2, 2]), ints("strides", &[2, 2])]
        }),
        with("depthwise_of_one_axis_long", grouped(&[1, 16, 64], 16, &[31], 16), || {
            vec![ints("pads", &[15, 15])]
        }),
        with("two_filters_a_channel", grouped(&[1, 16, 8, 8], 32, &[3, 3], 16), || {
            vec![ints("pads", &[1, 1, 1, 1])]
        }),
        with("two_filters_a_channel_stride_2", grouped(&[1, 5, 8, 8], 10, &[1, 2], 5), || {
            vec![ints("strides", &[1, 2])]
        }),
        with("three_filters_a_channel_stride_3", grouped(&[1, 33, 18, 20], 99, &[5, 5], 33), || {
            vec![ints("strides", &[3, 3])]
        }),
        with("two_filters_a_channel_dilation", grouped(&[1, 8, 16, 16], 16, &[3, 3], 8), || {
            vec![ints("dilations", &[2, 2]), ints("pads", &[2, 2, 2, 2])]
        }),
    ]);
    all
}

/// Forms that HTP's ops compute wrong when they are asked for them directly.
fn unusual() -> Vec<Case> {
    let mut all = Vec::new();
    for channels in [1, 2, 3, 4] {
        all.push(case(format!("long_kernel_over_{channels}_channels"), move |d| {
            write_plain(d, &[1, channels, 60], &[16, channels, 9], &[ints("pads", &[4, 4])]);
        }));
        all.push(case(format!("point_on_a_row_of_{channels}_channels"), move |d| {
            write_plain(d, &[1, channels, 60], &[16, channels, 1], &[]);
        }));
        all.push(case(format!("nine_by_nine_stride_2_over_{channels}_channels"), move |d| {
            let attributes = [ints("strides", &[2, 2]), ints("pads", &[4, 4, 4, 4])];
            write_plain(d, &[1, channels, 26, 27], &[8, channels, 9, 9], &attributes);
        }));
    }
    // Name, extent, kernel, dilation, padding before and after.
    let lines = [
        ("short_row", 8, 5, 1, 2, 2),
        ("row_as_long_as_its_kernel", 16, 7, 2, 6, 6),
        ("row_of_odd_extent", 37, 9, 1, 4, 4),
        ("long_row_dilated", 200, 3, 32, 32, 32),
        ("long_row_dilated_before_alone", 200, 3, 32, 64, 0),
        ("row_with_a_long_kernel", 64, 61, 1, 30, 30),
        ("row_with_unequal_padding", 40, 15, 1, 9, 5),
        ("row_just_longer_than_its_padding", 40, 5, 1, 2, 2),
        ("row_much_longer_than_its_padding", 512, 7, 3, 9, 9),
        ("row_longer_than_unequal_padding", 160, 15, 1, 9, 5),
    ];
    for (name, extent, kernel, dilation, begin, end) in lines {
        for channels in [3, 16] {
            let attributes = move || [ints("dilations", &[dilation]), ints("pads", &[begin, end])];
            all.push(case(format!("{name}_of_{channels}_channels"), move |d| {
                write_plain(d, &[1, channels, extent], &[8, channels, kernel], &attributes());
            }));
        }
        all.push(case(format!("{name}_depthwise"), move |d| {
            let attributes = [ints("dilations", &[dilation]), ints("pads", &[begin, end]), int("group", 40)];
            write_plain(d, &[1, 40, extent], &[40, 1, kernel], &attributes);
        }));
        all.push(case(format!("{name}_stood_up"), move |d| {
            let attributes = [ints("dilations", &[dilation, 1]), ints("pads", &[begin, 0, end, 0])];
            write_plain(d, &[1, 16, extent, 1], &[8, 16, kernel, 1], &attributes);
        }));
    }
    all.push(case("column_before_a_reshape", |d| {
        let (x, w) = (d.input(&[1, 8, 20, 1]), d.weight(&[4, 8, 3, 3]));
        let y = d.node("Conv", &[&x, &w], &[ints("pads", &[1, 1, 1, 1])]);
        let shape = d.ints(&[1, 80]);
        d.result("Reshape", &[&y, &shape], &[]);
    }));
    all.push(with("column_with_one_filter", dense(&[1, 8, 7, 1], 1, &[3, 3]), || {
        vec![ints("pads", &[1, 1, 1, 1])]
    }));
    all.push(with("nine_by_one_over_two_groups_of_one", grouped(&[1, 2, 13, 3], 2, &[9, 1], 2), Vec::new));
    all.push(case("followed_by_batch_normalization", |d| {
        let (x, w) = (d.input(&[1, 8, 6, 6]), d.weight(&[12, 8, 3, 3]));
        let y = d.node("Conv", &[&x, &w], &[]);
        let (scale, bias, mean, variance) =
            (d.scale(&[12]), d.weight(&[12]), d.weight(&[12]), d.scale(&[12]));
        d.result("BatchNormalization", &[&y, &scale, &bias, &mean, &variance], &[]);
    }));
    all
}

fn write_plain(d: &mut Draft, input: &[usize], weight: &[usize], attributes: &[AttributeProto]) {
    let (x, w, b) = (d.input(input), d.weight(weight), d.scale(&weight[..1]));
    d.result("Conv", &[&x, &w, &b], attributes);
}
