//! Resize and Upsample.

use qnn_compiler::frontend::onnx::proto::AttributeProto;

use crate::case::{Case, Draft, case, refused};
use crate::support::{float, floats, int, text};

/// Height and width, before and after.
const SIZES: &[([usize; 2], [usize; 2])] = &[
    ([8, 8], [16, 16]),
    ([5, 6], [15, 18]),
    ([16, 16], [8, 8]),
    ([7, 9], [15, 13]),
    ([20, 20], [13, 13]),
    ([1, 1], [6, 5]),
    ([9, 8], [1, 8]),
];

const TRANSFORMATIONS: &[&str] =
    &["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"];

fn to_size(d: &mut Draft, from: [usize; 2], to: [usize; 2], attributes: &[AttributeProto]) {
    let x = d.input(&[1, 5, from[0], from[1]]);
    let sizes = d.ints(&[1, 5, to[0] as i64, to[1] as i64]);
    d.result("Resize", &[&x, "", "", &sizes], attributes);
}

fn sizes_name((from, to): ([usize; 2], [usize; 2])) -> String {
    format!("{}x{}_to_{}x{}", from[0], from[1], to[0], to[1])
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(computed_regions());
    for &transformation in TRANSFORMATIONS {
        for &sizes in SIZES {
            for mode in ["linear", "cubic"] {
                all.push(case(format!("{mode}_{transformation}_{}", sizes_name(sizes)), move |d| {
                    let attributes =
                        [text("mode", mode), text("coordinate_transformation_mode", transformation)];
                    to_size(d, sizes.0, sizes.1, &attributes);
                }));
            }
            for nearest in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] {
                let name = format!("nearest_{transformation}_{nearest}_{}", sizes_name(sizes));
                all.push(case(name, move |d| {
                    let attributes = [
                        text("mode", "nearest"),
                        text("coordinate_transformation_mode", transformation),
                        text("nearest_mode", nearest),
                    ];
                    to_size(d, sizes.0, sizes.1, &attributes);
                }));
            }
        }
    }
    all.extend(scaled());
    all.extend(special());
    all
}

/// Scales that are not the ratio of the extents.
fn scaled() -> Vec<Case> {
    let mut all = Vec::new();
    for mode in ["nearest", "linear", "cubic"] {
        for scale in [1.7f32, 0.6, 2.0] {
            all.push(case(format!("{mode}_by_{scale}"), move |d| {
                let x = d.input(&[2, 3, 9, 7]);
                let scales = d.constant(&[4], &[1.0, 1.0, scale, scale]);
                d.result("Resize", &[&x, "", &scales], &[text("mode", mode)]);
            }));
        }
    }
    for mode in ["nearest", "linear"] {
        all.push(case(format!("{mode}_of_one_axis"), move |d| {
            let x = d.input(&[1, 6, 20]);
            let scales = d.constant(&[3], &[1.0, 1.0, 2.5]);
            d.result("Resize", &[&x, "", &scales], &[text("mode", mode)]);
        }));
        all.push(case(format!("upsample_{mode}"), move |d| {
            d.opset(9);
            let x = d.input(&[1, 6, 5, 4]);
            let scales = d.constant(&[4], &[1.0, 1.0, 2.0, 3.0]);
            d.result("Upsample", &[&x, &scales], &[text("mode", mode)]);
        }));
        all.push(case(format!("upsample_{mode}_with_attributes"), move |d| {
            d.opset(7);
            let x = d.input(&[1, 6, 5, 4]);
            d.result("Upsample", &[&x], &[text("mode", mode), floats("scales", &[1.0, 1.0, 2.0, 2.0])]);
        }));
    }
    all
}

fn special() -> Vec<Case> {
    let crop = || [text("mode", "linear"), text("coordinate_transformation_mode", "tf_crop_and_resize")];
    let mut all = Vec::new();
    for (name, region) in [
        ("inside", [0.0, 0.0, 0.1, 0.2, 1.0, 1.0, 0.9, 0.7]),
        ("reaching_outside", [0.0, 0.0, -0.1, 0.2, 1.0, 1.0, 0.9, 1.3]),
    ] {
        all.push(case(format!("crop_{name}"), move |d| {
            let (x, region) = (d.input(&[1, 3, 9, 8]), d.constant(&[8], &region));
            let sizes = d.ints(&[1, 3, 7, 11]);
            let attributes = [&crop()[..], &[float("extrapolation_value", 2.0)]].concat();
            d.result("Resize", &[&x, &region, "", &sizes], &attributes);
        }));
    }
    for mode in ["linear", "cubic"] {
        for (sizes, exclude) in [(([16, 18], [7, 9]), 0), (([16, 18], [5, 4]), 1), (([6, 5], [9, 10]), 0)] {
            let name = format!("{mode}_antialiased_{}_exclude_outside_{exclude}", sizes_name(sizes));
            all.push(case(name, move |d| {
                let attributes = [text("mode", mode), int("antialias", 1), int("exclude_outside", exclude)];
                to_size(d, sizes.0, sizes.1, &attributes);
            }));
        }
    }
    all.extend([
        case("cubic_without_outside_elements", |d| {
            to_size(d, [7, 9], [15, 13], &[text("mode", "cubic"), int("exclude_outside", 1)]);
        }),
        case("cubic_with_another_coefficient", |d| {
            to_size(d, [7, 9], [14, 18], &[text("mode", "cubic"), float("cubic_coeff_a", -0.5)]);
        }),
        case("linear_of_channels_too", |d| {
            let (x, sizes) = (d.input(&[1, 4, 5, 6]), d.ints(&[1, 6, 10, 6]));
            d.result("Resize", &[&x, "", "", &sizes], &[text("mode", "linear")]);
        }),
        case("nearest_after_a_convolution", |d| {
            let (x, w) = (d.input(&[1, 4, 6, 6]), d.weight(&[8, 4, 3, 3]));
            let y = d.node("Conv", &[&x, &w], &[]);
            let scales = d.constant(&[4], &[1.0, 1.0, 2.0, 2.0]);
            d.result("Resize", &[&y, "", &scales], &[text("mode", "nearest")]);
        }),
        refused("nearest_crop_reaching_outside_is_refused", "E0302", "outside", |d| {
            let region = d.constant(&[8], &[0.0, 0.0, -0.1, 0.2, 1.0, 1.0, 0.9, 1.3]);
            let (x, sizes) = (d.input(&[1, 3, 9, 8]), d.ints(&[1, 3, 7, 11]));
            let attributes =
                [text("mode", "nearest"), text("coordinate_transformation_mode", "tf_crop_and_resize")];
            d.result("Resize", &[&x, &region, "", &sizes], &attributes);
        }),
    ]);
    all
}

/// Regions that the app gives; those of batch and channels are constant, as exporters write them.
fn computed_regions() -> Vec<Case> {
    let mut all = Vec::new();
    // Numbers that fp16 has: the device rounds what the app gives.
    let regions = [
        ("inside", vec![0.125, 0.25, 0.8125, 0.6875]),
        ("turned", vec![0.875, 0.0, 0.125, 1.0]),
        ("beyond", vec![-0.3125, 0.25, 0.75, 1.375]),
    ];
    for (name, region) in regions {
        for outside in [0.0, 2.5] {
            let region = region.clone();
            all.push(case(format!("crop_computed_{name}_{outside}"), move |d| {
                let x = d.input(&[1, 3, 16, 12]);
                let region = d.input_f32(&[4], &region);
                let (two, sizes) = (d.ints(&[2, 2]), d.ints(&[1, 3, 7, 5]));
                let halves = d.nodes("Split", &[&region, &two], &[int("axis", 0)], 2);
                let (zeros, ones) = (d.constant(&[2], &[0.0; 2]), d.constant(&[2], &[1.0; 2]));
                let region = d.node("Concat", &[&zeros, &halves[0], &ones, &halves[1]], &[int("axis", 0)]);
                let attributes = [
                    text("mode", "linear"),
                    text("coordinate_transformation_mode", "tf_crop_and_resize"),
                    float("extrapolation_value", outside),
                ];
                d.result("Resize", &[&x, &region, "", &sizes], &attributes);
            }));
        }
    }
    all.push(case("crop_computed_nearest", |d| {
        let x = d.input(&[1, 3, 16, 16]);
        let region = d.input_f32(&[8], &[0.0, 0.0, 0.125, 0.25, 1.0, 1.0, 0.72, 0.8]);
        let sizes = d.ints(&[1, 3, 6, 5]);
        let attributes =
            [text("mode", "nearest"), text("coordinate_transformation_mode", "tf_crop_and_resize")];
        d.result("Resize", &[&x, &region, "", &sizes], &attributes);
    }));
    all
}
