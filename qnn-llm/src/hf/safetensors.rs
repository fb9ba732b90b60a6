//! The safetensors format: the length of a JSON header, the header, the tensors' data.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::assemble::{Elements, Stored};
use crate::problem::Problem;
use crate::weights::Format;

/// The longest header that is read; the format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// Element types: name, bits, what it is here.
const TYPES: &[(&str, u64, Option<Format>)] = &[
    ("F32", 32, Some(Format::F32)),
    ("F16", 16, Some(Format::F16)),
    ("BF16", 16, Some(Format::BF16)),
    ("F64", 64, None),
    ("F8_E4M3", 8, None),
    ("F8_E5M2", 8, None),
    ("F8_E8M0", 8, None),
    ("F4", 4, None),
    ("BOOL", 8, None),
    ("U8", 8, None),
    ("I8", 8, None),
    ("U16", 16, None),
    ("I16", 16, None),
    ("U32", 32, None),
    ("I32", 32, None),
    ("U64", 64, None),
    ("I64", 64, None),
];

/// The tensors of a file by name.
pub fn read(file: &Bytes) -> Result<Tensors, Problem> {
    let length = file.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(|| {
        if file.is_empty() { Problem::damaged("the file is empty") } else { cut(8, file.len() as u64) }
    })?;
    if file.starts_with(crate::problem::LFS) {
        return Err(crate::problem::lfs_pointer());
    }
    if length > LONGEST_HEADER {
        let message = format!("this is no safetensors file: its header would be {length} bytes long");
        return Err(Problem::damaged(message));
    }
    let data_start = 8 + length as usize;
    let header = file.get(8..data_start).ok_or_else(|| cut(data_start as u64, file.len() as u64))?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).map_err(|error| {
        Problem::damaged("the header of the safetensors file is no JSON").note(error.to_string())
    })?;
    let data = file.slice(data_start..);
    let mut places = Vec::new();
    let mut tensors = BTreeMap::new();
    for (name, entry) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let (stored, start, end) = tensor(&name, &entry, &data)?;
        places.push((start, end, name.clone()));
        tensors.insert(name, stored);
    }
    places.sort_unstable();
    if let Some(pair) = places.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        return Err(Problem::damaged(format!("tensors `{}` and `{}` overlap", pair[0].2, pair[1].2)));
    }
    Ok(Tensors(tensors))
}

/// The tensors of a safetensors file.
#[derive(Clone, Debug, Default)]
pub struct Tensors(pub(crate) BTreeMap<String, Stored>);

fn cut(wanted: u64, length: u64) -> Problem {
    Problem::damaged(format!("the file ends within its header: {wanted} bytes are needed of {length}"))
        .help("fetch or copy the file again and compare its size with the original")
}

fn tensor(name: &str, entry: &Value, data: &Bytes) -> Result<(Stored, u64, u64), Problem> {
    let wrong = |what: &str| Problem::damaged(format!("the header says of tensor `{name}` {what}"));
    let numbers =
        |key: &str| -> Option<Vec<u64>> { entry.get(key)?.as_array()?.iter().map(Value::as_u64).collect() };
    let dtype = entry.get("dtype").and_then(Value::as_str).ok_or_else(|| wrong("no `dtype`"))?;
    let dims = numbers("shape").ok_or_else(|| wrong("no `shape` of whole numbers"))?;
    let offsets = numbers("data_offsets").ok_or_else(|| wrong("no `data_offsets`"))?;
    let [start, end] = offsets[..] else { return Err(wrong("not two `data_offsets`")) };
    let slice = (start <= end && end <= data.len() as u64).then(|| data.slice(start as usize..end as usize));
    let slice = slice.ok_or_else(|| {
        Problem::damaged(format!("tensor `{name}` reaches past the end of the file"))
            .note(format!("bytes {start} to {end} of {} bytes of data", data.len()))
            .help("fetch or copy the file again and compare its size with the original")
    })?;
    let row = TYPES.iter().find(|(known, _, _)| *known == dtype);
    if let Some((_, bits, _)) = row {
        let bits = dims.iter().try_fold(*bits, |product, dim| product.checked_mul(*dim));
        if bits != (end - start).checked_mul(8) {
            let what =
                format!("that it is {dtype} {dims:?}, which are not the {} bytes that it has", end - start);
            return Err(wrong(&what));
        }
    }
    let elements = match row {
        Some((_, _, Some(format))) => Elements::Known(*format),
        _ => Elements::Unknown(dtype.to_owned()),
    };
    Ok((Stored { dims, elements, data: slice }, start, end))
}
