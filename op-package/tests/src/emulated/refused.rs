//! Graphs that the package must refuse, and what its message has to name.

use qnn::compose::{Quant, Scalar};

use super::{Graph, Operand, graphs};
use crate::stored::{Encoding, Stored};

/// What is changed in a graph that is right, and words that the refusal must have: op, operand, found, expected.
type Change = (&'static str, fn(&mut Graph), &'static [&'static str]);

const CHANGES: &[Change] = &[
    ("SiLU", |g| g.output.dims = vec![2], &["`y`", "has 2 at dimension 0", "expected 1 as `x`"]),
    ("SiLU", |g| g.output.dims = vec![1, 1], &["`y`", "has rank 2", "expected 1 as `x`"]),
    (
        "SiLU",
        |g| g.inputs[0] = Operand::index("x", 1),
        &["`x`", "is UINT_32", "expected FLOAT_32, FLOAT_16, UFIXED_POINT_8"],
    ),
    ("SiLU", |g| g.output = float16("y", &[1]), &["`y`", "is FLOAT_16", "expected FLOAT_32 as `x`"]),
    ("SiLU", |g| g.inputs.push(float16("more", &[1])), &["`inputs`", "found 2", "expected 1"]),
    (
        "SiLU",
        |g| g.params.push(("epsilon", Scalar::F32(0.0))),
        &["`parameters`", "found 1", "expected 0 at most"],
    ),
    ("SiLU", |g| g.inputs[0] = fixed("x", &[1], per_axis()), &["`x`", "has no encoding"]),
    ("SiLU", five_dimensions, &["`x`", "has rank 5", "expected 1 to 4"]),
    ("SiluMul", |g| g.inputs[1].dims = vec![13, 10], &["`up`", "has rank 2", "expected 1 as `gate`"]),
    ("RMSNorm", |g| g.inputs[1] = float16("weight", &[63]), &["`weight`", "has 63 elements", "expected 64"]),
    ("RMSNorm", |g| g.inputs[1] = float16("weight", &[1, 64]), &["`weight`", "has rank 2", "expected 1"]),
    ("RMSNorm", |g| g.params = vec![("epsilon", Scalar::F32(-1.0))], &["`epsilon`", "is -1", "not negative"]),
    (
        "RMSNorm",
        |g| g.params = vec![("epsilon", Scalar::U32(1))],
        &["`epsilon`", "is UINT_32", "expected FLOAT_32"],
    ),
    ("RMSNorm", |g| g.params = vec![("epsylon", Scalar::F32(1.0))], &["`epsilon`", "found `epsylon`"]),
    (
        "LayerNorm",
        |g| g.inputs[2] = fixed("bias", &[64], quant()),
        &["`bias`", "is UFIXED_POINT_8", "expected a float as `x`"],
    ),
    ("RoPE", |g| resize(&mut g.inputs[1..], &[5, 33]), &["`sin`", "has 33 pairs", "expected 32 at most"]),
    ("RoPE", |g| resize(&mut g.inputs[1..], &[6, 32]), &["`sin`", "has 6 rows", "expected 5"]),
    (
        "RoPE",
        |g| resize(&mut g.inputs[2..], &[5, 31]),
        &["`cos`", "has 31 at dimension 1", "expected 32 as `sin`"],
    ),
    (
        "RoPE",
        |g| g.params = vec![("interleaved", Scalar::U32(2))],
        &["`interleaved`", "is 2", "expected 0 or 1"],
    ),
    ("CausalMask", |g| g.inputs[1].dims = vec![2], &["`position`", "has 2 elements", "expected 1"]),
    (
        "CausalMask",
        |g| g.params = vec![("mask_value", Scalar::F32(f32::NAN))],
        &["`mask_value`", "is not a number"],
    ),
    ("Quantize", |g| g.params[0].1 = Scalar::F32(0.5), &["`scale`", "is 0.5", "as in the encoding of `y`"]),
    ("Quantize", |g| g.params[1].1 = Scalar::I32(3), &["`offset`", "is 3", "as in the encoding of `y`"]),
    ("Quantize", |g| g.params.clear(), &["`scale`", "is missing"]),
    ("Quantize", |g| g.params.reverse(), &["`scale`", "found `offset`"]),
    ("Dequantize", |g| g.params[0].1 = Scalar::F32(0.5), &["`scale`", "is 0.5", "as in the encoding of `x`"]),
    ("DequantizeAdd", |g| g.inputs[1] = float16("bias", &[3]), &["`bias`", "has 3 elements", "expected 130"]),
    ("KVCache", |g| g.params = vec![("axis", Scalar::I32(1))], &["`axis`", "is 1", "expected -2 or -3"]),
    (
        "KVCache",
        |g| g.params = vec![("axis", Scalar::I32(-2))],
        &["`added`", "has 1 at dimension 1", "expected 16 as `cache`"],
    ),
    (
        "KVCache",
        |g| resize(&mut g.inputs[1..2], &[1, 17, 2, 32]),
        &["`added`", "has 17 at dimension 1", "expected 16 at most"],
    ),
    (
        "KVCache",
        |g| g.inputs[1] = float16("added", &[1, 1, 2, 32]),
        &["`added`", "is FLOAT_16", "expected FLOAT_32 as `cache`"],
    ),
];

fn quant() -> Quant {
    Quant::PerTensor { scale: 0.1, offset: 0 }
}

fn per_axis() -> Quant {
    Quant::PerAxis { axis: 0, scale_offsets: vec![(0.1, 0)] }
}

fn resize(operands: &mut [Operand], dims: &[u32]) {
    for operand in operands {
        operand.dims = dims.to_vec();
        operand.bytes = vec![0; dims.iter().product::<u32>() as usize * operand.dtype.size()];
    }
}

fn float16(name: &'static str, dims: &[u32]) -> Operand {
    let mut operand = Operand::new(name, Encoding { stored: Stored::F16, zero: 0, step: 0.0 }, dims, vec![]);
    resize(std::slice::from_mut(&mut operand), dims);
    operand
}

fn fixed(name: &'static str, dims: &[u32], quant: Quant) -> Operand {
    let mut operand = Operand::new(name, Encoding { stored: Stored::U8, zero: 0, step: 1.0 }, dims, vec![]);
    resize(std::slice::from_mut(&mut operand), dims);
    Operand { quant, ..operand }
}

fn five_dimensions(graph: &mut Graph) {
    graph.inputs[0].dims = vec![1; 5];
    graph.output.dims = vec![1; 5];
}

/// Every graph, with the words.
pub fn refused() -> Vec<(Graph, &'static [&'static str])> {
    let changed = CHANGES.iter().map(|(op, change, words)| {
        let mut graph = graphs(op).swap_remove(0);
        change(&mut graph);
        (graph, *words)
    });
    changed.collect()
}
