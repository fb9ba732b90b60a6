//! Attention and rotary embeddings.

use crate::case::{Case, Draft, case};
use crate::support::{float, int};

pub fn cases() -> Vec<Case> {
    let mut all = heads();
    all.extend(masks());
    all.extend(caches());
    all.extend(outputs());
    all.extend(rotary());
    all
}

/// Query, key and value of four axes.
fn qkv(d: &mut Draft, heads: [usize; 2], lengths: [usize; 2], widths: [usize; 2]) -> [String; 3] {
    let q = d.input(&[2, heads[0], lengths[0], widths[0]]);
    let k = d.input(&[2, heads[1], lengths[1], widths[0]]);
    let v = d.input(&[2, heads[1], lengths[1], widths[1]]);
    [q, k, v]
}

fn heads() -> Vec<Case> {
    let mut all = vec![
        case("four_axes", |d| {
            d.opset(23);
            let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
            d.result("Attention", &[&q, &k, &v], &[]);
        }),
        case("heads_that_share_keys", |d| {
            d.opset(23);
            let [q, k, v] = qkv(d, [6, 2], [4, 6], [8, 8]);
            d.result("Attention", &[&q, &k, &v], &[]);
        }),
        case("values_of_another_width", |d| {
            d.opset(23);
            let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 10]);
            d.result("Attention", &[&q, &k, &v], &[float("scale", 0.2)]);
        }),
        case("scores_below_a_cap", |d| {
            d.opset(23);
            let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
            d.result("Attention", &[&q, &k, &v], &[float("softcap", 1.5)]);
        }),
    ];
    for (queries, keys) in [(3, 3), (6, 2)] {
        all.push(case(format!("three_axes_{queries}_{keys}_heads"), move |d| {
            d.opset(23);
            let q = d.input(&[2, 4, queries * 8]);
            let (k, v) = (d.input(&[2, 6, keys * 8]), d.input(&[2, 6, keys * 8]));
            let counts = [int("q_num_heads", queries as i64), int("kv_num_heads", keys as i64)];
            d.result("Attention", &[&q, &k, &v], &counts);
        }));
    }
    all
}

fn masks() -> Vec<Case> {
    let mut all = vec![case("causal", |d| {
        d.opset(23);
        let [q, k, v] = qkv(d, [3, 3], [5, 5], [8, 8]);
        d.result("Attention", &[&q, &k, &v], &[int("is_causal", 1)]);
    })];
    for shape in [&[4, 6][..], &[2, 1, 4, 6], &[2, 3, 4, 6]] {
        for constant in [false, true] {
            let kind = if constant { "constant" } else { "computed" };
            all.push(case(format!("{kind}_mask_of_{}_axes_{}", shape.len(), shape[1]), move |d| {
                d.opset(23);
                let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
                let mask = if constant { d.weight(shape) } else { d.input(shape) };
                d.result("Attention", &[&q, &k, &v, &mask], &[]);
            }));
        }
    }
    all.push(case("mask_of_truths", |d| {
        d.opset(23);
        let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
        let seen: Vec<bool> = (0..24).map(|i| i % 5 != 2).collect();
        let mask = d.input_bool(&[4, 6], &seen);
        d.result("Attention", &[&q, &k, &v, &mask], &[]);
    }));
    all.push(case("mask_of_the_lowest_float", |d| {
        d.opset(23);
        let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
        let values: Vec<f32> = (0..24).map(|i| if i % 5 == 2 { f32::MIN } else { 0.0 }).collect();
        let mask = d.input_f32(&[4, 6], &values);
        d.result("Attention", &[&q, &k, &v, &mask], &[]);
    }));
    all
}

fn caches() -> Vec<Case> {
    [false, true]
        .map(|causal| {
            let name = if causal { "causal_after_a_cache" } else { "after_a_cache" };
            case(name, move |d| {
                d.opset(23);
                let [q, k, v] = qkv(d, [4, 2], [3, 3], [8, 8]);
                let (past_k, past_v) = (d.input(&[2, 2, 5, 8]), d.input(&[2, 2, 5, 8]));
                let attributes = [int("is_causal", causal.into())];
                let inputs = [&*q, &*k, &*v, "", &*past_k, &*past_v];
                for y in d.nodes("Attention", &inputs, &attributes, 3) {
                    d.output(&y);
                }
            })
        })
        .into()
}

fn outputs() -> Vec<Case> {
    (0..4)
        .map(|mode| {
            case(format!("scores_as_an_output_{mode}"), move |d| {
                d.opset(23);
                let [q, k, v] = qkv(d, [3, 3], [4, 6], [8, 8]);
                let mask = d.input(&[4, 6]);
                let attributes = [int("qk_matmul_output_mode", mode), float("softcap", 2.0)];
                let y = d.nodes("Attention", &[&q, &k, &v, &mask], &attributes, 4);
                d.output(&y[0]);
                d.output(&y[3]);
            })
        })
        .collect()
}

/// Angles of 20 positions for some pairs.
fn tables(d: &mut Draft, pairs: usize, constant: bool) -> [String; 2] {
    let angles: Vec<f32> =
        (0..20 * pairs).map(|i| (i / pairs) as f32 * 0.3f32.powi((i % pairs) as i32)).collect();
    [f32::cos, f32::sin].map(|f| {
        let values: Vec<f32> = angles.iter().map(|a| f(*a)).collect();
        if constant { d.constant(&[20, pairs], &values) } else { d.input_f32(&[20, pairs], &values) }
    })
}

fn rotary() -> Vec<Case> {
    let mut all = Vec::new();
    for interleaved in [0, 1] {
        for (width, constant) in [(8, true), (8, false), (4, true)] {
            let kind = if constant { "constant" } else { "computed" };
            all.push(case(
                format!("rotary_{width}_of_8_{kind}_tables_interleaved_{interleaved}"),
                move |d| {
                    d.opset(23);
                    let x = d.input(&[2, 3, 5, 8]);
                    let [cos, sin] = tables(d, width / 2, constant);
                    let positions = d.input_i64(&[2, 5], &[0, 1, 2, 3, 4, 7, 8, 9, 10, 19]);
                    let attributes = [
                        int("interleaved", interleaved),
                        int("rotary_embedding_dim", if width == 8 { 0 } else { 4 }),
                    ];
                    d.result("RotaryEmbedding", &[&x, &cos, &sin, &positions], &attributes);
                },
            ));
        }
    }
    all.push(case("rotary_of_three_axes_with_an_angle_a_token", |d| {
        d.opset(23);
        let x = d.input(&[2, 5, 24]);
        let (cos, sin) = (d.input(&[2, 5, 4]), d.input(&[2, 5, 4]));
        d.result("RotaryEmbedding", &[&x, &cos, &sin], &[int("num_heads", 3)]);
    }));
    all
}
