//! Values between elements: GridSample, RoiAlign, DeformConv.

use crate::case::{Case, Draft, case, refused};
use crate::support::{float, int, ints, text};

/// Coordinates around an image and beyond its border, no two alike and none halfway between elements.
fn places(d: &mut Draft, shape: &[usize]) -> String {
    let values = d.between(shape.iter().product(), -1.4, 1.4);
    d.input_f32(shape, &values)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for padding in ["zeros", "border", "reflection"] {
        for align in [0, 1] {
            let corners = if align == 1 { "_with_corners_aligned" } else { "" };
            all.push(case(format!("cubic_with_{padding}{corners}"), move |d| {
                let x = d.input(&[2, 3, 5, 6]);
                // Exact in fp16, which the places are computed in.
                let grid: Vec<f32> =
                    d.between(2 * 4 * 7 * 2, -1.4, 1.4).iter().map(|v| (v * 16.0).round() / 16.0).collect();
                let grid = d.input_f32(&[2, 4, 7, 2], &grid);
                let attributes =
                    [text("mode", "cubic"), text("padding_mode", padding), int("align_corners", align)];
                d.result("GridSample", &[&x, &grid], &attributes);
            }));
            for mode in ["nearest", "linear"] {
                all.push(case(format!("{mode}_in_a_volume_with_{padding}{corners}"), move |d| {
                    let x = d.input(&[1, 2, 4, 5, 3]);
                    let grid = places(d, &[1, 2, 3, 4, 3]);
                    let attributes =
                        [text("mode", mode), text("padding_mode", padding), int("align_corners", align)];
                    d.result("GridSample", &[&x, &grid], &attributes);
                }));
            }
        }
    }
    for mode in ["avg", "max"] {
        for coordinates in ["half_pixel", "output_half_pixel"] {
            all.push(case(format!("regions_{mode}_{coordinates}"), move |d| {
                let x = d.input(&[2, 3, 10, 12]);
                // Places that are exact in fp16, in which they are computed.
                let rois = [1.0, 2.0, 9.0, 18.0, 0.0, 3.0, 16.0, 19.0, 4.0, 6.0, 28.0, 26.0];
                let rois = d.input_f32(&[3, 4], &rois);
                let batches = d.input_i64(&[3], &[0, 1, 1]);
                let attributes = [
                    text("mode", mode),
                    text("coordinate_transformation_mode", coordinates),
                    int("output_height", 4),
                    int("output_width", 2),
                    int("sampling_ratio", 2),
                    float("spatial_scale", 0.5),
                ];
                d.result("RoiAlign", &[&x, &rois, &batches], &attributes);
            }));
        }
    }
    all.push(refused(
        "regions_with_as_many_samples_as_they_are_large_are_refused",
        "E0302",
        "sampling_ratio",
        |d| {
            let x = d.input(&[1, 3, 10, 12]);
            let rois = d.input_f32(&[1, 4], &[1.0, 1.5, 8.0, 7.0]);
            let batches = d.input_i64(&[1], &[0]);
            d.result("RoiAlign", &[&x, &rois, &batches], &[int("output_height", 3), int("output_width", 4)]);
        },
    ));
    for (name, mask, bias, group, parts) in [
        ("plain", false, false, 1, 1),
        ("with_mask_and_bias", true, true, 1, 1),
        ("with_groups_of_offsets", false, true, 1, 2),
        ("in_groups", true, false, 2, 2),
    ] {
        all.push(case(format!("deformed_convolution_{name}"), move |d| {
            let x = d.input(&[2, 4, 7, 6]);
            let w = d.weight(&[6, 4 / group, 3, 3]);
            // Exact in fp16, which the places are computed in.
            let offsets = d.between(2 * parts * 18 * 7 * 6, -1.5, 1.5);
            let offsets: Vec<f32> = offsets.iter().map(|v| (v * 16.0).round() / 16.0).collect();
            let offset = d.input_f32(&[2, parts * 18, 7, 6], &offsets);
            let b = if bias { d.weight(&[6]) } else { String::new() };
            let shares = d.between(2 * parts * 9 * 7 * 6, 0.0, 1.0);
            let m = if mask { d.input_f32(&[2, parts * 9, 7, 6], &shares) } else { String::new() };
            let attributes =
                [ints("pads", &[1, 1, 1, 1]), int("group", group as i64), int("offset_group", parts as i64)];
            d.opset(22);
            d.result("DeformConv", &[&x, &w, &offset, &b, &m], &attributes);
        }));
    }
    all
}
