//! ConvTranspose.

use qnn_compiler::frontend::onnx::proto::AttributeProto;

use crate::case::{Case, Draft, case};
use crate::support::{int, ints, text};

fn write(
    d: &mut Draft,
    input: &[usize],
    filters: usize,
    kernel: &[usize],
    group: usize,
    attributes: &[AttributeProto],
) {
    let x = d.input(input);
    let w = d.weight(&[&[input[1], filters / group], kernel].concat());
    let b = d.scale(&[filters]);
    let attributes = [attributes, &[int("group", group as i64)]].concat();
    d.result("ConvTranspose", &[&x, &w, &b], &attributes);
}

type Attributes = fn() -> Vec<AttributeProto>;

/// Name, filters, kernel, groups, attributes, over an input (1, 16, 8, 7).
const PLANE: &[(&str, usize, &[usize], usize, Attributes)] = &[
    ("three_by_three", 32, &[3, 3], 1, Vec::new),
    ("two_by_two_stride_2", 8, &[2, 2], 1, || vec![ints("strides", &[2, 2])]),
    ("four_by_four_stride_2", 8, &[4, 4], 1, || vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]),
    ("output_padding", 8, &[3, 3], 1, || {
        vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1]), ints("output_padding", &[1, 1])]
    }),
    ("output_padding_without_padding", 8, &[3, 3], 1, || {
        vec![ints("strides", &[2, 2]), ints("output_padding", &[1, 0])]
    }),
    ("output_padding_behind_the_last_element", 8, &[2, 2], 1, || {
        vec![ints("strides", &[3, 3]), ints("output_padding", &[2, 2])]
    }),
    ("output_padding_of_three", 8, &[3, 3], 1, || {
        vec![ints("strides", &[4, 4]), ints("pads", &[1, 1, 1, 1]), ints("output_padding", &[3, 2])]
    }),
    ("unequal_padding", 8, &[3, 3], 1, || vec![ints("strides", &[2, 2]), ints("pads", &[2, 1, 0, 2])]),
    ("padding_beyond_the_kernel", 8, &[3, 3], 1, || {
        vec![ints("strides", &[2, 2]), ints("pads", &[4, 4, 4, 4])]
    }),
    ("stride_beyond_the_kernel", 8, &[2, 2], 1, || vec![ints("strides", &[3, 3])]),
    ("strides_that_differ", 8, &[3, 4], 1, || vec![ints("strides", &[2, 1])]),
    ("dilation", 8, &[3, 3], 1, || vec![ints("dilations", &[2, 3])]),
    ("dilation_and_stride", 8, &[3, 2], 1, || {
        vec![ints("dilations", &[2, 2]), ints("strides", &[2, 2]), ints("pads", &[1, 0, 2, 1])]
    }),
    ("groups", 8, &[3, 3], 2, || vec![ints("strides", &[2, 2])]),
    ("depthwise", 16, &[4, 4], 16, || vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]),
    ("two_filters_a_channel", 32, &[3, 3], 16, Vec::new),
    ("output_shape_even", 8, &[3, 3], 1, || vec![ints("strides", &[2, 2]), ints("output_shape", &[16, 14])]),
    ("output_shape_upper", 8, &[4, 4], 1, || {
        vec![ints("strides", &[2, 2]), ints("output_shape", &[15, 15]), text("auto_pad", "SAME_UPPER")]
    }),
    ("auto_pad_same_upper", 8, &[3, 3], 1, || vec![ints("strides", &[2, 2]), text("auto_pad", "SAME_UPPER")]),
    ("auto_pad_same_lower", 8, &[3, 3], 1, || vec![ints("strides", &[2, 2]), text("auto_pad", "SAME_LOWER")]),
];

pub fn cases() -> Vec<Case> {
    let mut all: Vec<Case> = PLANE
        .iter()
        .map(|&(name, filters, kernel, group, attributes)| {
            case(name, move |d| write(d, &[1, 16, 8, 7], filters, kernel, group, &attributes()))
        })
        .collect();
    all.extend([
        case("one_axis", |d| {
            write(d, &[1, 16, 20], 8, &[10], 1, &[ints("strides", &[5]), ints("pads", &[2, 3])]);
        }),
        case("one_axis_in_groups", |d| write(d, &[2, 12, 20], 6, &[4], 3, &[ints("strides", &[2])])),
        case("batch_of_two", |d| write(d, &[2, 5, 7, 6], 3, &[3, 3], 1, &[ints("strides", &[2, 2])])),
        case("depthwise_of_four_channels_5x5", |d| {
            write(
                d,
                &[1, 4, 11, 11],
                4,
                &[5, 5],
                4,
                &[ints("strides", &[2, 2]), ints("pads", &[2, 0, 1, 1])],
            );
        }),
        case("from_a_single_position", |d| write(d, &[1, 64, 1, 1], 32, &[4, 4], 1, &[])),
        case("without_bias", |d| {
            let (x, w) = (d.input(&[1, 12, 8, 8]), d.weight(&[12, 5, 3, 3]));
            d.result("ConvTranspose", &[&x, &w], &[]);
        }),
        case("computed_weight", |d| {
            let (x, w) = (d.input(&[1, 12, 8, 8]), d.input(&[12, 5, 3, 3]));
            d.result("ConvTranspose", &[&x, &w], &[ints("strides", &[2, 2])]);
        }),
        case("dilation_of_a_computed_weight", |d| {
            let (x, w) = (d.input(&[1, 12, 8, 8]), d.input(&[12, 5, 3, 3]));
            d.result("ConvTranspose", &[&x, &w], &[ints("dilations", &[2, 3])]);
        }),
    ]);
    all
}
