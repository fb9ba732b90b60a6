//! Data and encodings of values.

use super::Checker;
use crate::graph::{DType, Encoding, TensorType, Value, ValueId};

/// Constants up to so many elements are looked through.
const ELEMENTS: usize = 1 << 16;

pub(super) fn check(checker: &mut Checker<'_>) {
    let graph = checker.graph;
    let mut used = vec![false; graph.value_count()];
    let nodes = graph.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs).flatten());
    for &id in graph.inputs.iter().chain(&graph.outputs).chain(nodes) {
        if !std::mem::replace(&mut used[id.index()], true) {
            value(checker, id);
        }
    }
}

fn value(checker: &mut Checker<'_>, id: ValueId) {
    let graph = checker.graph;
    let value = graph.value(id);
    if let Some(data) = &value.data
        && data.len() != value.ty.bytes()
    {
        let what = format!("has {} bytes of data; {} are expected", data.len(), value.ty.bytes());
        checker.say(None, Some(id), what);
        return;
    }
    let Some(encoding) = &value.encoding else { return };
    let wrong = shape(encoding, &value.ty).or_else(|| storage(encoding, value));
    if let Some(what) = wrong {
        checker.say(None, Some(id), what);
    }
}

/// What is wrong with an encoding's granularity.
fn shape(encoding: &Encoding, ty: &TensorType) -> Option<String> {
    let Encoding { bits, axis, block, scales, zero_points, shifts, .. } = encoding;
    if !(1..=32).contains(bits) {
        return Some(format!("its encoding has {bits} bits; 1 to 32 are expected"));
    }
    let rank = ty.shape.len();
    let expected = match axis {
        None if *block > 0 => return Some("its encoding has blocks along no axis".to_owned()),
        None => 1,
        Some(axis) if *axis >= rank => {
            return Some(format!("its encoding is along axis {axis} of {rank}"));
        }
        Some(axis) if *block == 0 => ty.shape[*axis],
        Some(_) => encoding.scales_shape(&ty.shape).iter().product(),
    };
    if scales.len() != expected {
        return Some(format!("its encoding has {} scales; {expected} are expected", scales.len()));
    }
    // None at all are zeros.
    if !zero_points.is_empty() && zero_points.len() != scales.len() {
        let count = scales.len();
        return Some(format!("its encoding has {} zero points for {count} scales", zero_points.len()));
    }
    if !shifts.is_empty() && (*block == 0 || shifts.len() != scales.len()) {
        let count = shifts.len();
        return Some(format!("its encoding has {count} shifts; one a block is expected, or none"));
    }
    let scale = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0));
    scale.map(|scale| format!("its encoding has the scale {scale}; a positive number is expected"))
}

/// What is wrong with the dtype that carries an encoding.
fn storage(encoding: &Encoding, value: &Value) -> Option<String> {
    let dtype = value.ty.dtype;
    let stored = format!("{}int{}", if encoding.signed { "" } else { "u" }, encoding.bits);
    let Some(data) = &value.data else {
        return (!dtype.is_float())
            .then(|| format!("is computed, has an encoding and is {dtype}; a float is expected"));
    };
    let (low, high) = encoding.limits();
    let holds = limits(dtype).is_some_and(|(least, most)| least <= low && high <= most);
    if !holds {
        return Some(format!("is a constant with an encoding of {stored}, which {dtype} does not hold"));
    }
    if value.ty.elements() > ELEMENTS {
        return None;
    }
    let outside = data.to_i64(dtype).into_iter().find(|q| !(low..=high).contains(q));
    outside.map(|q| format!("holds {q}, which its encoding of {stored} has not"))
}

/// The least and the largest number of an integer dtype.
fn limits(dtype: DType) -> Option<(i64, i64)> {
    let bits = match dtype {
        DType::U4 | DType::I4 => 4,
        _ if dtype.is_int() => 8 * dtype.size() as u32,
        _ => return None,
    };
    let signed = matches!(dtype, DType::I4 | DType::I8 | DType::I16 | DType::I32 | DType::I64);
    Some(match (signed, bits) {
        (true, 64) => (i64::MIN, i64::MAX),
        (false, 64) => (0, i64::MAX),
        (true, bits) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        (false, bits) => (0, (1 << bits) - 1),
    })
}
