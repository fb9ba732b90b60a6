//! What ONNX Runtime's exporters and optimizers put into transformers, of its own domain.

use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, refused};
use crate::support::{float, int, ints, text};

const BATCH: usize = 2;
const HEADS: usize = 3;
const WIDTH: usize = 8;

pub fn cases() -> Vec<Case> {
    let mut all = multi_head();
    all.extend(packed());
    all.extend(grouped());
    all.extend(rotary());
    all.extend(bits());
    all.extend(fused());
    all
}

/// A node of the domain whose outputs are all the model's.
fn node(d: &mut Draft, op: &str, inputs: &[&str], attributes: &[AttributeProto], outputs: usize) {
    let outputs = d.nodes(op, inputs, attributes, outputs);
    d.domain("com.microsoft");
    outputs.iter().for_each(|y| d.output(y));
}

/// Query of 4, key and value of 6 tokens.
fn qkv(d: &mut Draft) -> [String; 3] {
    let hidden = HEADS * WIDTH;
    [d.input(&[BATCH, 4, hidden]), d.input(&[BATCH, 6, hidden]), d.input(&[BATCH, 6, hidden])]
}

fn multi_head() -> Vec<Case> {
    const OP: &str = "MultiHeadAttention";
    let heads = int("num_heads", HEADS as i64);
    let mut all = Vec::new();
    let one = |name: &str, build: fn(&mut Draft, AttributeProto)| {
        let heads = heads.clone();
        case(format!("multi_head_{name}"), move |d| build(d, heads.clone()))
    };
    all.push(one("plain", |d, heads| {
        let [q, k, v] = qkv(d);
        node(d, OP, &[&q, &k, &v], &[heads], 1);
    }));
    all.push(one("with_bias_and_scale", |d, heads| {
        let [q, k, v] = qkv(d);
        let bias = d.weight(&[3 * HEADS * WIDTH]);
        node(d, OP, &[&q, &k, &v, &bias], &[heads, float("scale", 0.3)], 1);
    }));
    all.push(one("with_lengths", |d, heads| {
        let [q, k, v] = qkv(d);
        let lengths = d.input_i32(&[BATCH], &[6, 3]);
        node(d, OP, &[&q, &k, &v, "", &lengths], &[heads], 1);
    }));
    all.push(one("with_a_mask_of_keys", |d, heads| {
        let [q, k, v] = qkv(d);
        let mask = d.input_i32(&[BATCH, 6], &[1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1]);
        node(d, OP, &[&q, &k, &v, "", &mask], &[heads], 1);
    }));
    all.push(one("with_a_bias_of_scores", |d, heads| {
        let [q, k, v] = qkv(d);
        let bias = d.input(&[1, HEADS, 4, 6]);
        node(d, OP, &[&q, &k, &v, "", "", &bias], &[heads], 1);
    }));
    all.push(one("causal_with_a_cache", |d, heads| {
        let q = d.input(&[BATCH, 4, HEADS * WIDTH]);
        let (k, v) = (d.input(&[BATCH, 4, HEADS * WIDTH]), d.input(&[BATCH, 4, HEADS * WIDTH]));
        let (pk, pv) = (d.input(&[BATCH, HEADS, 5, WIDTH]), d.input(&[BATCH, HEADS, 5, WIDTH]));
        let inputs = [&*q, &k, &v, "", "", "", &pk, &pv];
        node(d, OP, &inputs, &[heads, int("unidirectional", 1)], 3);
    }));
    all.push(one("with_keys_of_four_axes", |d, heads| {
        let q = d.input(&[BATCH, 4, HEADS * WIDTH]);
        let (k, v) = (d.input(&[BATCH, HEADS, 6, WIDTH]), d.input(&[BATCH, HEADS, 6, WIDTH]));
        node(d, OP, &[&q, &k, &v], &[heads], 1);
    }));
    all
}

fn packed() -> Vec<Case> {
    let hidden = HEADS * WIDTH;
    let one = |name: &str, build: fn(&mut Draft, [String; 3], AttributeProto)| {
        case(format!("packed_attention_{name}"), move |d| {
            let x = d.input(&[BATCH, 5, 16]);
            let parts = [x, d.weight(&[16, 3 * hidden]), d.weight(&[3 * hidden])];
            build(d, parts, int("num_heads", HEADS as i64));
        })
    };
    vec![
        one("plain", |d, [x, w, b], heads| node(d, "Attention", &[&x, &w, &b], &[heads], 1)),
        one("causal", |d, [x, w, b], heads| {
            node(d, "Attention", &[&x, &w, &b], &[heads, int("unidirectional", 1)], 1);
        }),
        one("with_a_mask_of_keys", |d, [x, w, b], heads| {
            let mask = d.input_i32(&[BATCH, 5], &[1, 1, 1, 0, 0, 1, 1, 1, 1, 0]);
            node(d, "Attention", &[&x, &w, &b, &mask], &[heads], 1);
        }),
        one("with_a_mask_of_queries_and_keys", |d, [x, w, b], heads| {
            let seen: Vec<i32> = (0..50).map(|i| i32::from(i % 3 != 1)).collect();
            let mask = d.input_i32(&[BATCH, 5, 5], &seen);
            node(d, "Attention", &[&x, &w, &b, &mask], &[heads], 1);
        }),
        one("with_a_cache", |d, [x, w, b], heads| {
            let past = d.input(&[2, BATCH, HEADS, 3, WIDTH]);
            node(d, "Attention", &[&x, &w, &b, "", &past], &[heads, int("unidirectional", 1)], 2);
        }),
        case("packed_attention_with_values_of_another_width", move |d| {
            let x = d.input(&[BATCH, 5, 16]);
            let (w, b) = (d.weight(&[16, 2 * 24 + 12]), d.weight(&[2 * 24 + 12]));
            let attributes = [int("num_heads", 3), ints("qkv_hidden_sizes", &[24, 24, 12])];
            node(d, "Attention", &[&x, &w, &b], &attributes, 1);
        }),
    ]
}

/// Cosines and sines of 24 positions.
fn tables(d: &mut Draft, pairs: usize) -> [String; 2] {
    let angles: Vec<f32> =
        (0..24 * pairs).map(|i| (i / pairs) as f32 * 0.4f32.powi((i % pairs) as i32)).collect();
    [f32::cos, f32::sin].map(|f| {
        let values: Vec<f32> = angles.iter().map(|a| f(*a)).collect();
        d.constant(&[24, pairs], &values)
    })
}

/// Four query heads on two shared ones; a head is 16 wide. `before` tokens are in a cache of `places`.
struct Grouped {
    packed: bool,
    new: usize,
    places: usize,
    before: [i32; 2],
    /// Whether it is known how many are in it.
    constant: bool,
    more: Vec<AttributeProto>,
}

fn grouped() -> Vec<Case> {
    let plain =
        || Grouped { packed: false, new: 1, places: 12, before: [7, 4], constant: false, more: vec![] };
    let rotary = || vec![int("do_rotary", 1)];
    let list = [
        ("first_tokens", Grouped { new: 5, places: 0, before: [0, 0], ..plain() }),
        ("first_tokens_rotated", Grouped { new: 5, places: 0, before: [0, 0], more: rotary(), ..plain() }),
        ("one_token", plain()),
        ("one_token_rotated", Grouped { more: rotary(), ..plain() }),
        (
            "one_token_rotated_by_neighbours",
            Grouped { more: vec![int("do_rotary", 1), int("rotary_interleaved", 1)], ..plain() },
        ),
        ("one_token_packed", Grouped { packed: true, ..plain() }),
        ("one_token_after_a_full_cache", Grouped { places: 7, before: [7, 7], constant: true, ..plain() }),
        ("one_token_in_a_window", Grouped { more: vec![int("local_window_size", 3)], ..plain() }),
        ("one_token_below_a_cap", Grouped { more: vec![float("softcap", 1.5)], ..plain() }),
    ];
    list.into_iter()
        .map(|(name, form)| case(format!("grouped_{name}"), move |d| write_grouped(d, &form)))
        .collect()
}

/// A cache with zeros where no token is.
fn cache(d: &mut Draft, places: usize, before: [i32; 2]) -> String {
    let shape = [BATCH, 2, places, 16];
    let mut values = d.normal(shape.iter().product(), 1.0);
    for (i, row) in values.chunks_mut(16).enumerate() {
        if i % places >= before[i / (2 * places)] as usize {
            row.fill(0.0);
        }
    }
    d.input_f32(&shape, &values)
}

fn write_grouped(d: &mut Draft, form: &Grouped) {
    let &Grouped { packed, new, places, before, constant, .. } = form;
    let qkv = if packed {
        [d.input(&[BATCH, new, 8 * 16]), String::new(), String::new()]
    } else {
        [d.input(&[BATCH, new, 64]), d.input(&[BATCH, new, 32]), d.input(&[BATCH, new, 32])]
    };
    let past = if places > 0 {
        [cache(d, places, before), cache(d, places, before)]
    } else {
        [String::new(), String::new()]
    };
    let last = before.map(|n| n + new as i32 - 1);
    let total = last.iter().max().unwrap() + 1;
    // The first tokens come without a cache: where they are, nothing that is computed says.
    let lasts = if constant || places == 0 {
        d.constant_raw(DType::I32, &[BATCH], last.iter().flat_map(|v| v.to_le_bytes()).collect())
    } else {
        d.input_i32(&[BATCH], &last)
    };
    let total = d.constant_raw(DType::I32, &[1], total.to_le_bytes().to_vec());
    let rotated = form.more.iter().any(|a| a.name == "do_rotary");
    let tables = if rotated { tables(d, 8) } else { [String::new(), String::new()] };
    let inputs = [&*qkv[0], &qkv[1], &qkv[2], &past[0], &past[1], &lasts, &total, &tables[0], &tables[1]];
    let attributes = [&[int("num_heads", 4), int("kv_num_heads", 2)][..], &form.more].concat();
    node(d, "GroupQueryAttention", &inputs, &attributes, 3);
}

fn rotary() -> Vec<Case> {
    [0, 1]
        .into_iter()
        .flat_map(|interleaved| {
            [&[2, 5][..], &[1]].map(|positions: &'static [usize]| {
                case(format!("rotary_{}_positions_interleaved_{interleaved}", positions.len()), move |d| {
                    let x = d.input(&[BATCH, 5, 32]);
                    let places: &[i64] =
                        if positions.len() == 2 { &[3, 4, 5, 6, 7, 0, 1, 2, 3, 4] } else { &[6] };
                    let positions = d.input_i64(positions, places);
                    let [cos, sin] = tables(d, 8);
                    let attributes = [int("interleaved", interleaved)];
                    node(d, "RotaryEmbedding", &[&x, &positions, &cos, &sin], &attributes, 1);
                })
            })
        })
        .collect()
}

fn bits() -> Vec<Case> {
    let mut all = Vec::new();
    for bits in [4, 8] {
        for zeros in [false, true] {
            let name = if zeros { "with_zero_points" } else { "without_zero_points" };
            all.push(case(format!("product_with_{bits}_bits_{name}"), move |d| {
                let (depth, columns, block) = (80, 24, 32);
                let x = d.input(&[2, 3, depth]);
                let blocks = depth.div_ceil(block);
                let count = columns * blocks * block * bits / 8;
                let bytes: Vec<u8> = (0..count).map(|i| (i * 89 + 7) as u8).collect();
                let w = d.constant_raw(DType::U8, &[columns, blocks, block * bits / 8], bytes);
                let scales = d.between(columns * blocks, 0.002, 0.01);
                let scales = d.constant(&[columns * blocks], &scales);
                let mut inputs = vec![x, w, scales];
                if zeros {
                    let row = (blocks * bits).div_ceil(8);
                    let bytes: Vec<u8> = (0..columns * row).map(|i| (i * 37 + 101) as u8).collect();
                    inputs.push(d.constant_raw(DType::U8, &[columns * row], bytes));
                }
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                let attributes = [
                    int("K", depth as i64),
                    int("N", columns as i64),
                    int("bits", bits as i64),
                    int("block_size", block as i64),
                ];
                node(d, "MatMulNBits", &inputs, &attributes, 1);
            }));
        }
    }
    all.push(case("product_with_blocks_of_scale_zero", |d| {
        let (depth, columns) = (64, 24);
        let x = d.input(&[2, 3, depth]);
        let bytes: Vec<u8> = (0..columns * depth / 2).map(|i| (i * 89 + 7) as u8).collect();
        let w = d.constant_raw(DType::U8, &[columns, 2, 16], bytes);
        let mut scales = d.between(columns * 2, 0.002, 0.01);
        scales.iter_mut().step_by(3).for_each(|scale| *scale = 0.0);
        let scales = d.constant(&[columns * 2], &scales);
        let attributes = [int("K", 64), int("N", 24), int("bits", 4), int("block_size", 32)];
        node(d, "MatMulNBits", &[&x, &w, &scales], &attributes, 1);
    }));
    all.push(refused("product_with_computed_weights", "E0302", "not constant", |d| {
        let (x, scales) = (d.input(&[2, 32]), d.scale(&[4]));
        let w = d.input_raw(DType::U8, qnn::DataType::Uint8, &[4, 1, 16], vec![0; 64]);
        let attributes = [int("K", 32), int("N", 4), int("bits", 4), int("block_size", 32)];
        node(d, "MatMulNBits", &[&x, &w, &scales], &attributes, 1);
    }));
    all
}

fn fused() -> Vec<Case> {
    let mut all = vec![
        case("fused_convolution_with_a_sum", |d| {
            let (x, w, b) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]), d.weight(&[8]));
            let sum = d.input(&[1, 8, 6, 7]);
            let attributes = [text("activation", "Relu"), ints("pads", &[1, 1, 1, 1])];
            node(d, "FusedConv", &[&x, &w, &b, &sum], &attributes, 1);
        }),
        case("embeddings_with_a_mask", |d| {
            let ids = d.input_i32(&[BATCH, 4], &[1, 5, 0, 7, 2, 2, 6, 3]);
            let segments = d.input_i32(&[BATCH, 4], &[0, 0, 1, 1, 0, 1, 1, 1]);
            let mask = d.input_i32(&[BATCH, 4], &[1, 1, 1, 0, 1, 1, 0, 0]);
            let [words, places, kinds] = [[8, 16], [6, 16], [2, 16]].map(|shape| d.weight(&shape));
            let (scale, bias) = (d.scale(&[16]), d.weight(&[16]));
            let inputs = [&*ids, &segments, &words, &places, &kinds, &scale, &bias, &mask];
            node(d, "EmbedLayerNormalization", &inputs, &[], 3);
        }),
    ];
    for (name, parameters) in [
        ("LeakyRelu", vec![0.3]),
        ("Tanh", vec![]),
        ("HardSigmoid", vec![0.3, 0.4]),
        ("Clip", vec![-0.2, 0.4]),
    ] {
        all.push(case(format!("fused_convolution_{name}"), move |d| {
            let (x, w) = (d.input(&[1, 4, 6, 7]), d.weight(&[8, 4, 3, 3]));
            let mut attributes = vec![text("activation", name)];
            if !parameters.is_empty() {
                attributes.push(crate::support::floats("activation_params", &parameters));
            }
            node(d, "FusedConv", &[&x, &w], &attributes, 1);
        }));
    }
    for name in ["Relu", "LeakyRelu", "Sigmoid"] {
        all.push(case(format!("fused_gemm_{name}"), move |d| {
            let (a, b, c) = (d.input(&[3, 16]), d.weight(&[8, 16]), d.weight(&[8]));
            let mut attributes = vec![int("transB", 1), float("alpha", 0.7), text("activation", name)];
            if name == "LeakyRelu" {
                attributes.push(float("activation_alpha", 0.2));
            }
            node(d, "FusedGemm", &[&a, &b, &c], &attributes, 1);
        }));
    }
    all
}
