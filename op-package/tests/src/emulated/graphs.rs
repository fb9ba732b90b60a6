//! Graphs with what they must compute.

use qnn::compose::Scalar;

use super::{Graph, Operand};
use crate::harness::Buffer;
use crate::reference::{self, Near};
use crate::stored::{ALL, Encoding, Stored};
use crate::trials::{Expected, Random};

/// The package's ops, in the order of its definitions.
pub const OPS: [&str; 10] = [
    "SiLU",
    "SiluMul",
    "RMSNorm",
    "LayerNorm",
    "RoPE",
    "CausalMask",
    "Quantize",
    "Dequantize",
    "DequantizeAdd",
    "KVCache",
];

/// Types of norms and their weights.
const NORM_TYPES: [Stored; 4] = [Stored::F32, Stored::F16, Stored::U8, Stored::U16];
const FIXED: [Stored; 4] = [Stored::U8, Stored::S8, Stored::U16, Stored::S16];
const FLOATS: [Stored; 2] = [Stored::F32, Stored::F16];

struct Maker {
    random: Random,
    graphs: Vec<Graph>,
}

fn count(dims: &[u32]) -> usize {
    dims.iter().product::<u32>() as usize
}

impl Maker {
    /// An operand with numbers, and the numbers.
    fn operand(
        &mut self,
        name: &'static str,
        encoding: Encoding,
        dims: &[u32],
        limit: f64,
    ) -> (Operand, Vec<f64>) {
        let Buffer { bytes, .. } = self.random.buffer(encoding, count(dims), limit);
        let numbers = encoding.decode(&bytes);
        (Operand::new(name, encoding, dims, bytes), numbers)
    }

    fn graph(
        &mut self,
        op: &'static str,
        inputs: Vec<Operand>,
        params: Vec<(&'static str, Scalar)>,
        (encoding, dims): (Encoding, &[u32]),
        expected: Vec<Expected>,
    ) {
        let name = format!("{op}_{}", self.graphs.len());
        let output = Operand::new("y", encoding, dims, vec![]);
        self.graphs.push(Graph {
            name,
            op,
            inputs,
            output,
            params,
            encoding,
            expected,
            between: false,
            vtcm_mb: None,
        });
    }
}

fn near(values: impl IntoIterator<Item = Near>) -> Vec<Expected> {
    values.into_iter().map(Expected::Near).collect()
}

/// The graphs of an op.
pub fn graphs(op: &str) -> Vec<Graph> {
    let mut maker = Maker { random: Random::new(7), graphs: vec![] };
    match op {
        "SiLU" => silu(&mut maker),
        "SiluMul" => silu_mul(&mut maker),
        "RMSNorm" => rms_norm(&mut maker),
        "LayerNorm" => layer_norm(&mut maker),
        "RoPE" => rope(&mut maker),
        "CausalMask" => causal_mask(&mut maker),
        "Quantize" => quantize(&mut maker),
        "Dequantize" => dequantize(&mut maker),
        "DequantizeAdd" => dequantize_add(&mut maker),
        "KVCache" => kv_cache(&mut maker),
        other => panic!("no graphs for {other}"),
    }
    maker.graphs
}

fn silu(maker: &mut Maker) {
    for stored in ALL {
        let (encoding, result) = (Encoding::for_limit(stored, 8.0), Encoding::for_limit(stored, 8.0));
        for dims in [&[1u32][..], &[77], &[5, 33], &[2, 3, 50], &[2, 3, 17, 40]] {
            let (x, numbers) = maker.operand("x", encoding, dims, 8.0);
            let expected = near(numbers.into_iter().map(reference::silu));
            maker.graph("SiLU", vec![x], vec![], (result, dims), expected);
        }
    }
}

fn silu_mul(maker: &mut Maker) {
    for stored in ALL {
        let [first, second, result] = [6.0, 3.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
        for dims in [&[130u32][..], &[1, 7, 300]] {
            let (gate, a) = maker.operand("gate", first, dims, 6.0);
            let (up, b) = maker.operand("up", second, dims, 3.0);
            let expected = near(a.iter().zip(&b).map(|(a, b)| reference::silu_mul(*a, *b)));
            maker.graph("SiluMul", vec![gate, up], vec![], (result, dims), expected);
        }
    }
}

fn rms_norm(maker: &mut Maker) {
    for stored in NORM_TYPES {
        let [of_x, of_weight, result] = [3.0, 2.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
        // Without a parameter it is the definition's default.
        for (dims, epsilon) in
            [(&[1u32, 9, 64][..], None), (&[3, 100], Some(0.25f32)), (&[2, 2, 3, 1000], Some(1e-5))]
        {
            let (x, numbers) = maker.operand("x", of_x, dims, 3.0);
            let width = *dims.last().unwrap();
            let (weight, weights) = maker.operand("weight", of_weight, &[width], 2.0);
            let rows = numbers.chunks(width as usize);
            let expected = near(
                rows.flat_map(|row| reference::rms_norm(row, &weights, f64::from(epsilon.unwrap_or(1e-6)))),
            );
            let params = epsilon.map(|epsilon| ("epsilon", Scalar::F32(epsilon))).into_iter().collect();
            maker.graph("RMSNorm", vec![x, weight.constant()], params, (result, dims), expected);
        }
    }
}

fn layer_norm(maker: &mut Maker) {
    for stored in NORM_TYPES {
        let [of_x, of_weight, of_bias, result] =
            [3.0, 2.0, 1.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
        for (dims, epsilon) in [(&[1u32, 9, 64][..], None), (&[2, 3, 300], Some(0.5f32))] {
            let (x, numbers) = maker.operand("x", of_x, dims, 3.0);
            let width = *dims.last().unwrap();
            let (weight, weights) = maker.operand("weight", of_weight, &[width], 2.0);
            let (bias, biases) = maker.operand("bias", of_bias, &[width], 1.0);
            let rows = numbers.chunks(width as usize);
            let expected = near(rows.flat_map(|row| {
                reference::layer_norm(row, &weights, &biases, f64::from(epsilon.unwrap_or(1e-5)))
            }));
            let params = epsilon.map(|epsilon| ("epsilon", Scalar::F32(epsilon))).into_iter().collect();
            let inputs = vec![x, weight.constant(), bias.constant()];
            maker.graph("LayerNorm", inputs, params, (result, dims), expected);
        }
    }
}

fn rope(maker: &mut Maker) {
    for stored in ALL {
        let [of_x, of_table, result] = [4.0, 1.0, 6.0].map(|limit| Encoding::for_limit(stored, limit));
        // Rank 4 and 3; all of a row and a part of it; constant tables and tables that are inputs.
        for (dims, pairs, interleaved) in [
            (&[2u32, 5, 3, 64][..], 32u32, None),
            (&[1, 7, 2, 48], 24, Some(1)),
            (&[4, 2, 80], 16, Some(0)),
            (&[1, 3, 1, 10], 4, Some(1)),
        ] {
            let (positions, heads, width) =
                (dims[dims.len() - 3], dims[dims.len() - 2], dims[dims.len() - 1]);
            let (x, numbers) = maker.operand("x", of_x, dims, 4.0);
            let (mut sin, s) = maker.operand("sin", of_table, &[positions, pairs], 1.0);
            let (mut cos, c) = maker.operand("cos", of_table, &[positions, pairs], 1.0);
            if interleaved.is_none() {
                (sin, cos) = (sin.constant(), cos.constant());
            }
            let rows = numbers.chunks(width as usize).enumerate();
            let expected = near(rows.flat_map(|(row, x)| {
                let angle = row / heads as usize % positions as usize * pairs as usize;
                let table = angle..angle + pairs as usize;
                reference::rope(x, &s[table.clone()], &c[table], interleaved == Some(1))
            }));
            let params = interleaved.map(|value| ("interleaved", Scalar::U32(value))).into_iter().collect();
            maker.graph("RoPE", vec![x, sin, cos], params, (result, dims), expected);
        }
    }
}

fn causal_mask(maker: &mut Maker) {
    for stored in ALL {
        let encoding = Encoding::for_limit(stored, 8.0);
        for (dims, position, value) in [
            (&[1u32, 2, 6, 6][..], 0u32, None),
            (&[3, 4, 70], 66, Some(-30000f32)),
            (&[1, 1, 5, 300], 40, Some(-1.5)),
        ] {
            let (scores, numbers) = maker.operand("scores", encoding, dims, 8.0);
            let (queries, keys) = (dims[dims.len() - 2] as usize, dims[dims.len() - 1] as usize);
            let blocked = f64::from(value.unwrap_or(-65504.0));
            let expected = (0..numbers.len()).map(|i| {
                let seen = i % keys <= i / keys % queries + position as usize;
                // What is passed on is not computed: it must be the same.
                match seen {
                    true => Expected::Bytes(encoding.encode(&[numbers[i]])),
                    false => Expected::Bytes(encoding.encode(&[encoding.saturated(blocked)])),
                }
            });
            let expected = expected.collect();
            let params = value.map(|value| ("mask_value", Scalar::F32(value))).into_iter().collect();
            let inputs = vec![scores, Operand::index("position", position)];
            maker.graph("CausalMask", inputs, params, (encoding, dims), expected);
        }
    }
}

fn explicit(encoding: Encoding, with_offset: bool) -> Vec<(&'static str, Scalar)> {
    let mut params = vec![("scale", Scalar::F32(encoding.step))];
    if with_offset {
        params.push(("offset", Scalar::I32(-encoding.zero)));
    }
    params
}

fn quantize(maker: &mut Maker) {
    for (from, to) in FLOATS.into_iter().flat_map(|from| FIXED.map(|to| (from, to))) {
        let of_x = Encoding::for_limit(from, 0.0);
        let dims = [2, 3, 130];
        let (x, numbers) = maker.operand("x", of_x, &dims, 5.0);
        let expected = near(numbers.iter().map(|x| reference::identity(*x)));
        let result = Encoding::for_limit(to, 4.0);
        maker.graph("Quantize", vec![x.clone()], explicit(result, true), (result, &dims), expected.clone());
        let result = Encoding { zero: 0, ..result };
        maker.graph("Quantize", vec![x], explicit(result, false), (result, &dims), expected);
    }
}

fn dequantize(maker: &mut Maker) {
    for (from, to) in FIXED.into_iter().flat_map(|from| FLOATS.map(|to| (from, to))) {
        let (of_x, result) = (Encoding::for_limit(from, 4.0), Encoding::for_limit(to, 0.0));
        for of_x in [of_x, Encoding { zero: 0, ..of_x }] {
            let dims = [3, 257];
            let (x, numbers) = maker.operand("x", of_x, &dims, 4.0);
            let expected = near(numbers.iter().map(|x| reference::identity(*x)));
            let params = explicit(of_x, of_x.zero != 0);
            maker.graph("Dequantize", vec![x], params, (result, &dims), expected);
        }
    }
}

fn dequantize_add(maker: &mut Maker) {
    for (from, to) in FIXED.into_iter().flat_map(|from| FLOATS.map(|to| (from, to))) {
        let (of_x, result) = (Encoding::for_limit(from, 4.0), Encoding::for_limit(to, 0.0));
        let dims = [2, 3, 130];
        // A bias of the last dimension, and a residual.
        for bias_dims in [&[130u32][..], &dims] {
            let (x, numbers) = maker.operand("x", of_x, &dims, 4.0);
            let (bias, biases) = maker.operand("bias", result, bias_dims, 2.0);
            let sums = numbers.iter().zip(biases.iter().cycle());
            let expected = near(sums.map(|(x, b)| reference::sum(*x, *b)));
            maker.graph("DequantizeAdd", vec![x, bias], explicit(of_x, true), (result, &dims), expected);
        }
    }
}

fn kv_cache(maker: &mut Maker) {
    for stored in ALL {
        let encoding = Encoding::for_limit(stored, 8.0);
        for (dims, axis, added, position) in [
            (&[1u32, 16, 2, 32][..], None, 1u32, 9u32),
            (&[2, 3, 12, 20], Some(-2i32), 4, 8),
            (&[10, 6], Some(-2), 3, 0),
            (&[1, 5, 2, 8], Some(-3), 5, 0),
        ] {
            let at = (dims.len() as i32 + axis.unwrap_or(-3)) as usize;
            let mut added_dims = dims.to_vec();
            added_dims[at] = added;
            let (cache, _) = maker.operand("cache", encoding, dims, 8.0);
            let (more, _) = maker.operand("added", encoding, &added_dims, 8.0);
            let (rows, inner) = (dims[at] as usize, count(&dims[at + 1..]));
            let size = stored.size();
            let expected = (0..count(dims)).map(|i| {
                let (part, row, place) = (i / (rows * inner), i / inner % rows, i % inner);
                let (from, index) = match row.checked_sub(position as usize) {
                    Some(new) if new < added as usize => {
                        (&more, (part * added as usize + new) * inner + place)
                    }
                    _ => (&cache, i),
                };
                Expected::Bytes(from.bytes[index * size..][..size].to_vec())
            });
            let expected = expected.collect();
            let params = axis.map(|axis| ("axis", Scalar::I32(axis))).into_iter().collect();
            let inputs = vec![cache, more, Operand::index("position", position)];
            maker.graph("KVCache", inputs, params, (encoding, dims), expected);
        }
    }
}

/// SiLU between matrix products, which keep their results in another layout than the op's.
pub fn neighbours() -> Vec<Graph> {
    let mut maker = Maker { random: Random::new(8), graphs: vec![] };
    let encoding = Encoding::for_limit(Stored::F16, 0.0);
    let dims = [1, 2, 40, 64];
    let (x, numbers) = maker.operand("x", encoding, &dims, 8.0);
    // The last product rounds once more.
    let expected = near(numbers.into_iter().map(|x| {
        let Near { value, slack } = reference::silu(x);
        Near { value, slack: slack + value.abs() * 5e-4 }
    }));
    maker.graph("SiLU", vec![x], vec![], (encoding, &dims), expected);
    maker.graphs.iter_mut().for_each(|graph| graph.between = true);
    maker.graphs
}

/// SiluMul on tensors of 3 MB, of which none fits the 2 MB of VTCM that the smallest chips have.
pub fn beyond_vtcm() -> Vec<Graph> {
    let mut maker = Maker { random: Random::new(9), graphs: vec![] };
    let encoding = Encoding::for_limit(Stored::F16, 0.0);
    let dims = [1, 1536, 1024];
    let (gate, a) = maker.operand("gate", encoding, &dims, 6.0);
    let (up, b) = maker.operand("up", encoding, &dims, 3.0);
    let expected = near(a.iter().zip(&b).map(|(a, b)| reference::silu_mul(*a, *b)));
    maker.graph("SiluMul", vec![gate, up], vec![], (encoding, &dims), expected);
    maker.graphs.iter_mut().for_each(|graph| graph.vtcm_mb = Some(2));
    maker.graphs
}
