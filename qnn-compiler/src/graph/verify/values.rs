//! Data and encodings of values.

use super::Checker;
use crate::graph::{DType, Encoding, Value, ValueId};

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
    let fits =
        encoding.fits(&value.ty.shape).err().map(|why| format!("has an encoding that does not fit: {why}"));
    let wrong = fits.or_else(|| storage(encoding, value));
    if let Some(what) = wrong {
        checker.say(None, Some(id), what);
    }
}

/// What is wrong with the dtype that carries an encoding.
fn storage(encoding: &Encoding, value: &Value) -> Option<String> {
    let dtype = value.ty.dtype;
    let (sign, bits) = (if encoding.storage().is_signed() { "" } else { "u" }, encoding.bits());
    let stored = format!("{sign}int{bits}");
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
