//! Normalizations.

use crate::case::{Case, Draft, case, refused};
use crate::support::{float, int, ints};

fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

const SPATIAL: &[&[usize]] = &[&[2, 8, 5, 6], &[2, 8, 9], &[1, 8, 9], &[2, 8, 3, 4, 5]];

/// Shape and first axis.
const INNER: &[(&[usize], i64)] = &[
    (&[16], -1),
    (&[4, 16], -1),
    (&[2, 3, 16], -1),
    (&[2, 3, 4, 16], -1),
    (&[2, 2, 3, 4, 16], -1),
    (&[2, 3, 16], 1),
    (&[2, 3, 4, 8], 2),
    (&[2, 3, 4, 8], 0),
];

pub fn cases() -> Vec<Case> {
    let mut all = spatial();
    all.extend(inner());
    all.extend(others());
    all
}

fn batch(d: &mut Draft, shape: &[usize], constant: bool) {
    let x = d.input(shape);
    let c = shape[1];
    let parameters: Vec<String> = if constant {
        vec![d.scale(&[c]), d.weight(&[c]), d.weight(&[c]), d.scale(&[c])]
    } else {
        let variance = d.between(c, 0.3, 2.0);
        vec![d.input(&[c]), d.input(&[c]), d.input(&[c]), d.input_f32(&[c], &variance)]
    };
    let inputs: Vec<&str> = [&x].into_iter().chain(&parameters).map(String::as_str).collect();
    d.result("BatchNormalization", &inputs, &[float("epsilon", 1e-3)]);
}

fn spatial() -> Vec<Case> {
    let mut all = Vec::new();
    for &shape in SPATIAL {
        all.push(case(format!("batch_of_{}", extents(shape)), move |d| batch(d, shape, true)));
        all.push(case(format!("instance_of_{}", extents(shape)), move |d| {
            let (x, s, b) = (d.input(shape), d.scale(&[8]), d.weight(&[8]));
            d.result("InstanceNormalization", &[&x, &s, &b], &[]);
        }));
        all.push(case(format!("group_of_{}", extents(shape)), move |d| {
            let (x, s, b) = (d.input(shape), d.scale(&[8]), d.weight(&[8]));
            d.result("GroupNormalization", &[&x, &s, &b], &[int("num_groups", 4)]);
        }));
    }
    all.push(case("batch_of_rows", |d| batch(d, &[3, 8], true)));
    all.push(case("batch_before_a_scale_and_a_shift", |d| {
        let x = d.input(&[2, 8, 5, 6]);
        let y = d.node("Relu", &[&x], &[]);
        let parameters = [d.scale(&[8]), d.weight(&[8]), d.weight(&[8]), d.scale(&[8])];
        let inputs: Vec<&str> = [&y].into_iter().chain(&parameters).map(String::as_str).collect();
        let y = d.node("BatchNormalization", &inputs, &[]);
        let (scale, shift) = (d.scale(&[8, 1, 1]), d.weight(&[8, 1, 1]));
        let y = d.node("Mul", &[&y, &scale], &[]);
        d.result("Add", &[&y, &shift], &[]);
    }));
    all.push(case("batch_with_computed_parameters", |d| batch(d, &[2, 8, 5, 6], false)));
    all.push(case("instance_with_computed_parameters", |d| {
        let (x, s, b) = (d.input(&[2, 8, 5, 6]), d.input(&[8]), d.input(&[8]));
        d.result("InstanceNormalization", &[&x, &s, &b], &[]);
    }));
    all.push(case("instance_of_large_numbers", |d| {
        let values: Vec<f32> = d.normal(16 * 32 * 32, 30.0).iter().map(|v| v + 50.0).collect();
        let (x, s, b) = (d.input_f32(&[1, 16, 32, 32], &values), d.scale(&[16]), d.weight(&[16]));
        d.result("InstanceNormalization", &[&x, &s, &b], &[]);
    }));
    all.push(case("group_of_opset_18_has_a_scale_a_group", |d| {
        d.opset(18);
        let (x, s, b) = (d.input(&[2, 8, 5, 6]), d.scale(&[4]), d.weight(&[4]));
        d.result("GroupNormalization", &[&x, &s, &b], &[int("num_groups", 4)]);
    }));
    for groups in [1, 3, 15] {
        all.push(case(format!("group_of_15_channels_in_{groups}"), move |d| {
            let (x, s, b) = (d.input(&[1, 15, 7, 9]), d.scale(&[15]), d.weight(&[15]));
            d.result("GroupNormalization", &[&x, &s, &b], &[int("num_groups", groups)]);
        }));
    }
    all
}

fn inner() -> Vec<Case> {
    let mut all = Vec::new();
    for &(shape, axis) in INNER {
        let from = if axis < 0 { shape.len() - 1 } else { axis as usize };
        let name = format!("{}_from_{from}", extents(shape));
        let parameters = &shape[from..];
        all.push(case(format!("layer_of_{name}"), move |d| {
            let (x, s, b) = (d.input(shape), d.scale(parameters), d.weight(parameters));
            d.result("LayerNormalization", &[&x, &s, &b], &[int("axis", axis)]);
        }));
        all.push(case(format!("rms_of_{name}"), move |d| {
            d.opset(23);
            let (x, s) = (d.input(shape), d.scale(parameters));
            d.result("RMSNormalization", &[&x, &s], &[int("axis", axis)]);
        }));
    }
    all.extend([
        case("layer_without_bias", |d| {
            let (x, s) = (d.input(&[2, 3, 16]), d.scale(&[16]));
            d.result("LayerNormalization", &[&x, &s], &[]);
        }),
        case("layer_with_computed_parameters", |d| {
            let (x, s, b) = (d.input(&[2, 3, 16]), d.input(&[16]), d.input(&[16]));
            d.result("LayerNormalization", &[&x, &s, &b], &[]);
        }),
        case("layer_with_one_scale_for_all_rows", |d| {
            let (x, s, b) = (d.input(&[2, 3, 16]), d.scale(&[16]), d.weight(&[3, 1]));
            d.result("LayerNormalization", &[&x, &s, &b], &[int("axis", 1)]);
        }),
        case("layer_of_small_numbers", |d| {
            let values = d.normal(2 * 768, 0.01);
            let (x, s, b) = (d.input_f32(&[2, 768], &values), d.scale(&[768]), d.weight(&[768]));
            d.result("LayerNormalization", &[&x, &s, &b], &[float("epsilon", 1e-12)]);
        }),
        case("layer_over_channels_of_a_convolution", |d| {
            let (x, w, s, b) =
                (d.input(&[1, 4, 6, 6]), d.weight(&[8, 4, 3, 3]), d.scale(&[8]), d.weight(&[8]));
            let y = d.node("Conv", &[&x, &w], &[]);
            let last = d.node("Transpose", &[&y], &[ints("perm", &[0, 2, 3, 1])]);
            d.result("LayerNormalization", &[&last, &s, &b], &[]);
        }),
        case("layer_with_its_statistics", |d| {
            let (x, s) = (d.input(&[2, 3, 16]), d.scale(&[16]));
            let outputs = d.nodes("LayerNormalization", &[&x, &s], &[int("axis", 1)], 3);
            outputs.iter().for_each(|y| d.output(y));
        }),
        case("layer_statistics_of_large_numbers", |d| {
            let values = d.normal(2 * 64, 9000.0);
            let (x, s) = (d.input_f32(&[2, 64], &values), d.scale(&[64]));
            let outputs = d.nodes("LayerNormalization", &[&x, &s], &[], 3);
            d.output(&outputs[1]);
            let deviation = d.node("Reciprocal", &[&outputs[2]], &[]);
            d.output(&deviation);
        }),
        case("simplified_layer", |d| {
            let (x, s) = (d.input(&[2, 3, 16]), d.scale(&[16]));
            d.result("SimplifiedLayerNormalization", &[&x, &s], &[]);
        }),
    ]);
    for (op, name) in
        [("SkipLayerNormalization", "skip_layer"), ("SkipSimplifiedLayerNormalization", "skip_rms")]
    {
        all.push(case(format!("{name}_gives_the_sum_too"), move |d| {
            let (x, other, s) = (d.input(&[2, 3, 16]), d.input(&[2, 3, 16]), d.scale(&[16]));
            let (beta, bias) = (d.weight(&[16]), d.weight(&[16]));
            let full = op == "SkipLayerNormalization";
            let inputs: Vec<&str> =
                if full { vec![&x, &other, &s, &beta, &bias] } else { vec![&x, &other, &s, &bias] };
            let outputs = d.nodes(op, &inputs, &[float("epsilon", 1e-5)], 4);
            d.model.graph().node[0].output[1].clear();
            d.model.graph().node[0].output[2].clear();
            d.domain("com.microsoft");
            d.output(&outputs[0]);
            d.output(&outputs[3]);
        }));
    }
    all
}

fn others() -> Vec<Case> {
    let mut all = vec![
        case("response_of_neighbours", |d| {
            let x = d.input(&[2, 16, 5, 6]);
            d.result("LRN", &[&x], &[int("size", 5), float("alpha", 0.2)]);
        }),
        case("response_of_few_channels", |d| {
            let x = d.input(&[1, 3, 5, 5]);
            d.result(
                "LRN",
                &[&x],
                &[int("size", 5), float("alpha", 0.2), float("beta", 0.5), float("bias", 2.0)],
            );
        }),
    ];
    let forms: &[(&[usize], i64)] =
        &[(&[4, 16], -1), (&[2, 3, 16], 1), (&[2, 3, 4, 5], 1), (&[2, 3, 2, 4, 5], 3)];
    for p in [1, 2] {
        for &(shape, axis) in forms {
            let place = if axis < 0 { "last".to_owned() } else { axis.to_string() };
            all.push(case(format!("unit_norm_{p}_of_{}_along_{place}", extents(shape)), move |d| {
                let x = d.input(shape);
                d.result("LpNormalization", &[&x], &[int("axis", axis), int("p", p)]);
            }));
        }
    }
    for (name, axes) in [
        ("batch_and_space", &[0i64, 2, 3][..]),
        ("space", &[2, 3]),
        ("all", &[0, 1, 2, 3]),
        ("all_but_batch", &[1, 2, 3]),
        ("channels", &[1]),
    ] {
        all.push(case(format!("mean_and_variance_over_{name}"), move |d| {
            let x = d.input(&[2, 3, 5, 6]);
            d.result("MeanVarianceNormalization", &[&x], &[ints("axes", axes)]);
        }));
    }
    all.push(refused("mean_and_variance_over_rows_are_refused", "E0302", "axes [2]", |d| {
        let x = d.input(&[2, 3, 5, 6]);
        d.result("MeanVarianceNormalization", &[&x], &[ints("axes", &[2])]);
    }));
    all
}
