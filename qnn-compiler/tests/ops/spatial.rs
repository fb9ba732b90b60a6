//! DepthToSpace, SpaceToDepth, GridSample.

use crate::case::{Case, Draft, case};
use crate::support::{int, text};

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for mode in ["DCR", "CRD"] {
        for (shape, block) in [([1, 16, 5, 6], 2), ([2, 18, 4, 5], 3), ([1, 4, 5, 7], 2), ([1, 256, 8, 8], 2)]
        {
            all.push(case(format!("depth_to_space_{mode}_{}_by_{block}", shape[1]), move |d| {
                let x = d.input(&shape);
                d.result("DepthToSpace", &[&x], &[int("blocksize", block), text("mode", mode)]);
            }));
        }
    }
    for (shape, block) in [([1, 4, 8, 6], 2), ([2, 3, 6, 9], 3), ([1, 1, 8, 8], 2), ([1, 64, 8, 8], 4)] {
        all.push(case(format!("space_to_depth_{}_by_{block}", shape[1]), move |d| {
            let x = d.input(&shape);
            d.result("SpaceToDepth", &[&x], &[int("blocksize", block)]);
        }));
    }
    for mode in ["linear", "nearest"] {
        for padding in ["zeros", "border", "reflection"] {
            for align in [0, 1] {
                let name = format!("grid_sample_{mode}_{padding}_align_corners_{align}");
                all.push(case(name, move |d| {
                    let x = d.input(&[2, 5, 10, 12]);
                    let places = places(d, 2 * 6 * 7, align == 1);
                    let grid = d.input_f32(&[2, 6, 7, 2], &places);
                    let attributes =
                        [text("mode", mode), text("padding_mode", padding), int("align_corners", align)];
                    d.result("GridSample", &[&x, &grid], &attributes);
                }));
            }
        }
    }
    all
}

/// Places for a plane of 10x12, from a little outside of it, well away from where the nearest element changes.
fn places(d: &mut Draft, count: usize, align: bool) -> Vec<f32> {
    let random = d.between(4 * count, 0.0, 1.0);
    let along = |extent: f32, which: f32, within: f32| {
        let at = (which * (extent + 2.0)).floor() - 1.0 + (within - 0.5) * 0.6;
        if align { 2.0 * at / (extent - 1.0) - 1.0 } else { (2.0 * at + 1.0) / extent - 1.0 }
    };
    random.chunks_exact(4).flat_map(|r| [along(12.0, r[0], r[1]), along(10.0, r[2], r[3])]).collect()
}
