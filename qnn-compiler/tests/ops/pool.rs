//! MaxPool, AveragePool, LpPool and their global forms.

use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case};
use crate::support::{int, ints, text};

type Attributes = fn() -> Vec<AttributeProto>;

/// Name, input, attributes, for every kind of pool.
const WINDOWS: &[(&str, &[usize], Attributes)] = &[
    ("two_by_two", &[1, 16, 8, 8], || vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
    ("three_by_three_stride_2_padded", &[1, 16, 8, 8], || {
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]
    }),
    ("three_by_three_padded_of_three_channels", &[1, 3, 14, 15], || {
        vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])]
    }),
    ("unequal_padding", &[1, 16, 8, 8], || {
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[0, 0, 1, 1])]
    }),
    ("five_by_five_padded", &[1, 16, 14, 14], || {
        vec![ints("kernel_shape", &[5, 5]), ints("pads", &[2, 2, 2, 2])]
    }),
    ("thirteen_by_thirteen_padded", &[1, 16, 14, 14], || {
        vec![ints("kernel_shape", &[13, 13]), ints("pads", &[6, 6, 6, 6])]
    }),
    ("seven_by_seven_stride_2", &[1, 33, 26, 27], || {
        vec![ints("kernel_shape", &[7, 7]), ints("strides", &[2, 2])]
    }),
    ("seven_by_seven_stride_2_padded", &[1, 33, 26, 27], || {
        vec![ints("kernel_shape", &[7, 7]), ints("strides", &[2, 2]), ints("pads", &[3, 3, 1, 1])]
    }),
    ("nine_by_nine_stride_2", &[1, 64, 24, 13], || {
        vec![ints("kernel_shape", &[9, 9]), ints("strides", &[2, 2])]
    }),
    ("even_window_padded_stride_2", &[1, 8, 14, 22], || {
        vec![ints("kernel_shape", &[4, 4]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]
    }),
    ("column_stride_2_padded", &[1, 16, 15, 9], || {
        vec![ints("kernel_shape", &[5, 1]), ints("strides", &[2, 2]), ints("pads", &[2, 0, 2, 0])]
    }),
    ("stride_4_padded", &[1, 33, 10, 9], || {
        vec![ints("kernel_shape", &[5, 5]), ints("strides", &[4, 4]), ints("pads", &[2, 0, 2, 2])]
    }),
    ("stride_beyond_the_window", &[1, 16, 12, 12], || {
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[4, 4])]
    }),
    ("rest_is_left", &[1, 16, 8, 8], || vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2])]),
    ("rest_is_rounded_up", &[1, 16, 8, 8], || {
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), int("ceil_mode", 1)]
    }),
    ("rest_is_rounded_up_with_padding", &[1, 16, 7, 8], || {
        vec![
            ints("kernel_shape", &[3, 3]),
            ints("strides", &[3, 3]),
            ints("pads", &[1, 1, 1, 1]),
            int("ceil_mode", 1),
        ]
    }),
    ("odd_extent_is_rounded_up", &[2, 5, 7, 7], || {
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), int("ceil_mode", 1)]
    }),
    ("window_larger_than_the_input", &[1, 16, 3, 3], || {
        vec![ints("kernel_shape", &[5, 5]), ints("pads", &[2, 2, 2, 2])]
    }),
    ("dilation", &[1, 8, 14, 13], || {
        vec![ints("kernel_shape", &[3, 2]), ints("dilations", &[2, 3]), ints("pads", &[1, 1, 2, 0])]
    }),
    ("one_axis", &[1, 16, 20], || {
        vec![ints("kernel_shape", &[3]), ints("strides", &[2]), ints("pads", &[1, 1])]
    }),
    ("same_upper", &[1, 8, 9, 10], || {
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), text("auto_pad", "SAME_UPPER")]
    }),
    ("same_lower", &[1, 8, 9, 10], || {
        vec![ints("kernel_shape", &[2, 4]), ints("strides", &[2, 2]), text("auto_pad", "SAME_LOWER")]
    }),
];

/// Numbers away from zero, so that padding that counts when it should not shows.
fn below_zero(d: &mut Draft, shape: &[usize]) -> String {
    let values = d.normal(shape.iter().product(), 1.0);
    let values: Vec<f32> = values.iter().map(|v| v - 4.0).collect();
    d.input_f32(shape, &values)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for &(name, shape, attributes) in WINDOWS {
        all.push(case(format!("max_{name}"), move |d| {
            let x = below_zero(d, shape);
            d.result("MaxPool", &[&x], &attributes());
        }));
        for count in [0, 1] {
            let what = if count == 1 { "average_with_padding" } else { "average" };
            all.push(case(format!("{what}_{name}"), move |d| {
                let x = below_zero(d, shape);
                let attributes = [attributes(), vec![int("count_include_pad", count)]].concat();
                d.result("AveragePool", &[&x], &attributes);
            }));
        }
    }
    // As ShuffleNet halves a plane: two products and the reshapes around them.
    for (name, count) in [("halving", 0), ("halving_with_padding", 1)] {
        all.push(case(format!("average_{name}_many_channels"), move |d| {
            let x = below_zero(d, &[1, 136, 28, 27]);
            let window =
                [ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])];
            d.result("AveragePool", &[&x], &[&window[..], &[int("count_include_pad", count)]].concat());
        }));
    }
    for p in [1, 2, 3] {
        all.push(case(format!("norm_of_order_{p}"), move |d| {
            let x = d.input(&[1, 8, 9, 10]);
            let window =
                [ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 1])];
            d.result("LpPool", &[&x], &[&window[..], &[int("p", p)]].concat());
        }));
        all.push(case(format!("global_norm_of_order_{p}"), move |d| {
            let x = d.input(&[2, 8, 5, 6]);
            d.result("GlobalLpPool", &[&x], &[int("p", p)]);
        }));
    }
    let shapes: [&[usize]; 5] =
        [&[2, 64, 7, 7], &[1, 8, 112, 112], &[1, 5, 9], &[1, 4, 3, 4, 5], &[2, 33, 1, 1]];
    for (op, name) in [("GlobalAveragePool", "global_average"), ("GlobalMaxPool", "global_max")] {
        for shape in shapes {
            let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
            all.push(case(format!("{name}_of_{}", extents.join("x")), move |d| {
                let x = below_zero(d, shape);
                d.result(op, &[&x], &[]);
            }));
        }
    }
    all.push(case("max_of_bytes", |d| {
        let values = d.between(4 * 9 * 9, 0.0, 255.0).iter().map(|&v| v as u8).collect();
        let x = d.input_raw(DType::U8, DataType::Uint8, &[1, 4, 9, 9], values);
        d.result("MaxPool", &[&x], &[ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])]);
    }));
    all
}
