//! Reads an encodings file into one list, whatever its version.

use std::path::Path;

use qnn_types::Diagnostic;
use serde_json::{Map, Value};

use super::entry::{Blocks, Entry, Target};
use crate::graph::Storage;
use crate::problem::problem;

/// Reads a file.
///
/// # Errors
/// `E0219` for one that cannot be read, and as [`read`].
pub fn open(path: &Path) -> Result<Vec<Entry>, Diagnostic> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| problem("E0219", format!("{} cannot be read: {e}", path.display())))?;
    read(path, &text)
}

/// Reads a file's text. Entries of floats are left out: nothing is to be quantized there.
///
/// # Errors
/// `E0219` with the place in the file, for everything that is no encoding.
pub fn read(path: &Path, text: &str) -> Result<Vec<Entry>, Diagnostic> {
    let wrong = |why: String| {
        let mut p = problem("E0219", format!("{}: {why}", path.display()));
        p.help = Some(
            "AIMET's encodings of versions 0.6.1, 1.0.0 and 2.0.0 are read, and QAIRT quantization overrides"
                .to_owned(),
        );
        p
    };
    let json: Value = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
    let Value::Object(top) = json else { return Err(wrong("the file holds no JSON object".to_owned())) };
    if let Some(list) = top.get("encodings") {
        return onnx_style(list).map_err(wrong);
    }
    let sections = [("activation_encodings", Target::Activation), ("param_encodings", Target::Parameter)];
    if sections.iter().all(|(name, _)| !top.contains_key(*name)) {
        return Err(wrong(
            "it has neither `encodings` nor `activation_encodings` nor `param_encodings`".to_owned(),
        ));
    }
    let mut entries = Vec::new();
    for (section, target) in sections {
        match top.get(section) {
            None | Some(Value::Null) => {}
            Some(Value::Object(tensors)) => {
                for (name, list) in tensors {
                    let at = format!("{section}.{name}");
                    entries.extend(by_name(name, target, list, &at).map_err(wrong)?);
                }
            }
            Some(Value::Array(list)) => {
                for (i, entry) in list.iter().enumerate() {
                    entries.extend(listed(target, entry, &format!("{section}[{i}]")).map_err(wrong)?);
                }
            }
            Some(_) => return Err(wrong(format!("{section} is neither an object nor a list"))),
        }
    }
    Ok(entries)
}

type Found<T> = Result<T, String>;

fn object<'v>(value: &'v Value, at: &str) -> Found<&'v Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{at} is no object"))
}

fn number(map: &Map<String, Value>, key: &str, at: &str) -> Found<Option<f64>> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(v) => v.as_f64().map(Some).ok_or_else(|| format!("{at}.{key} is no number")),
    }
}

/// `true`, or the text "True" as older exporters write it.
fn flag(map: &Map<String, Value>, key: &str) -> Option<bool> {
    match map.get(key)? {
        Value::Bool(b) => Some(*b),
        Value::String(s) => Some(s.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

fn bits(value: Option<f64>, at: &str) -> Found<u8> {
    match value {
        None => Ok(8),
        Some(b) if (2.0..=32.0).contains(&b) && b.fract() == 0.0 => Ok(b as u8),
        Some(b) => Err(format!("{at} has {b} bits; 2 to 32 are possible")),
    }
}

fn is_float(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_str).is_some_and(|s| s.to_ascii_lowercase().contains("float"))
}

fn good_scale(scale: f64, at: &str) -> Found<f32> {
    let narrow = scale as f32;
    if narrow.is_finite() && narrow > 0.0 {
        Ok(narrow)
    } else {
        Err(format!("{at} has scale {scale}; a scale is finite and above 0"))
    }
}

/// Where zero is. Of integers of up to 16 bits, which are the ones that are used, it lies among them or near: further out no integer
/// stands for a number near zero, and arithmetic on it leaves 32 bits.
fn good_zero(zero: f64, bits: u8, at: &str) -> Found<i32> {
    const FARTHEST: f64 = (1 << 20) as f64;
    let zero = zero.round();
    if zero.is_nan() || (bits <= 16 && zero.abs() > FARTHEST) {
        return Err(format!("{at} has its zero at {zero}, far from all integers of {bits} bits"));
    }
    Ok(zero as i32)
}

/// A scale and an offset (the negated zero point of unsigned integers), or the range that they give.
fn scale_offset(map: &Map<String, Value>, bits: u8, symmetric: bool, at: &str) -> Found<(f32, i32)> {
    let steps = ((1u64 << bits) - 1) as f64;
    let (scale, offset) = (number(map, "scale", at)?, number(map, "offset", at)?);
    let (min, max) = (number(map, "min", at)?, number(map, "max", at)?);
    match (scale, offset, min, max) {
        (Some(scale), offset, min, _) => {
            let scale = good_scale(scale, at)?;
            // A range that is there says where zero is, whatever the sign convention of the offset.
            let zero = match (min, offset) {
                (Some(min), _) => -min / f64::from(scale),
                (None, Some(offset)) => -offset,
                (None, None) if symmetric => (steps + 1.0) / 2.0,
                (None, None) => 0.0,
            };
            Ok((scale, good_zero(zero, bits, at)?))
        }
        (None, _, Some(min), Some(max)) => {
            let (min, max) = if symmetric {
                let most = min.abs().max(max.abs());
                (-most, most)
            } else {
                (min.min(0.0), max.max(0.0))
            };
            let scale = if symmetric { max / ((steps - 1.0) / 2.0) } else { (max - min) / steps };
            let scale = good_scale(scale, at)?;
            let zero = if symmetric { (steps + 1.0) / 2.0 } else { -min / f64::from(scale) };
            Ok((scale, good_zero(zero, bits, at)?))
        }
        _ => Err(format!("{at} has neither `scale` nor `min` and `max`")),
    }
}

/// Version 0.6.1 and overrides: an object a tensor, or one a channel.
fn by_name(name: &str, target: Target, list: &Value, at: &str) -> Found<Option<Entry>> {
    let one = std::slice::from_ref(list);
    let list = list.as_array().map_or(one, Vec::as_slice);
    let Some(first) = list.first() else { return Err(format!("{at} is an empty list")) };
    let first = object(first, at)?;
    if is_float(first, "dtype") {
        return Ok(None);
    }
    let bits = bits(number(first, "bitwidth", at)?, at)?;
    let symmetric = flag(first, "is_symmetric").unwrap_or(false);
    let storage = storage(bits, false, at)?;
    let mut entry = Entry { storage, symmetric, ..Entry::named(name, target) };
    for (i, channel) in list.iter().enumerate() {
        let at = format!("{at}[{i}]");
        let (scale, zero) = scale_offset(object(channel, &at)?, bits, symmetric, &at)?;
        entry.scales.push(scale);
        entry.zero_points.push(zero);
    }
    Ok(Some(entry))
}

fn storage(bits: u8, signed: bool, at: &str) -> Found<Storage> {
    Storage::new(bits, signed).map_err(|why| format!("{at} has {why}"))
}

/// Numbers, in lists of lists where a tensor of scales is written so.
fn numbers(map: &Map<String, Value>, key: &str, at: &str) -> Found<Option<Vec<f64>>> {
    fn flatten(value: &Value, into: &mut Vec<f64>) -> Option<()> {
        match value {
            Value::Array(list) => list.iter().try_for_each(|value| flatten(value, into)),
            value => value.as_f64().map(|number| into.push(number)),
        }
    }
    let Some(value) = map.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let mut all = Vec::new();
    match flatten(value, &mut all) {
        Some(()) => Ok(Some(all)),
        None if value.is_array() => Err(format!("{at}.{key} holds something that is no number")),
        None => Err(format!("{at}.{key} is no number")),
    }
}

/// The blocks that an entry has scales for; `None` where it has none. Integers of block expansion have `bits` of them.
fn blocks(map: &Map<String, Value>, bits: u8, by_channel: bool, at: &str) -> Found<Option<Blocks>> {
    let Some(size) = number(map, "block_size", at)? else {
        let lonely = map.get("per_block_int_scale").is_some_and(|value| !value.is_null());
        return if lonely {
            Err(format!("{at} has per_block_int_scale and no block_size"))
        } else {
            Ok(None)
        };
    };
    if !(1.0..=f64::from(1 << 20)).contains(&size) || size.fract() != 0.0 {
        return Err(format!("{at} has block_size {size}; a whole number from 1 on is possible"));
    }
    let whole = |scale: f64| match scale {
        1.0..=32768.0 if scale.fract() == 0.0 => Ok(scale as u16),
        _ => Err(format!("{at}.per_block_int_scale holds {scale}; whole numbers from 1 on are possible")),
    };
    let ints = numbers(map, "per_block_int_scale", at)?;
    let ints = ints.map(|ints| ints.into_iter().map(whole).collect::<Found<Vec<u16>>>()).transpose()?;
    Ok(Some(Blocks { size: size as usize, by_channel, expansion: ints.map(|ints| (bits, ints)) }))
}

/// Version 1.0.0: lists of scales and offsets.
fn listed(target: Target, value: &Value, at: &str) -> Found<Option<Entry>> {
    const KINDS: [&str; 4] = ["PER_TENSOR", "PER_CHANNEL", "PER_BLOCK", "LPBQ"];
    let map = object(value, at)?;
    let name = map.get("name").and_then(Value::as_str).ok_or_else(|| format!("{at} has no name"))?;
    if is_float(map, "dtype") {
        return Ok(None);
    }
    let kind = map.get("enc_type").and_then(Value::as_str).unwrap_or("PER_TENSOR");
    if !KINDS.contains(&kind) {
        return Err(format!("{at} ({name}) has enc_type {kind}; there are {}", KINDS.join(", ")));
    }
    let width = bits(number(map, "bw", at)?, at)?;
    let symmetric = flag(map, "is_sym").unwrap_or(false);
    let scales = numbers(map, "scale", at)?.ok_or_else(|| format!("{at} ({name}) has no scale"))?;
    let zeros = numbers(map, "offset", at)?.map(|offsets| offsets.iter().map(|o| -o).collect());
    let head = |storage| Entry { storage, symmetric, ..Entry::named(name, target) };
    if kind == "LPBQ" {
        // The width is that of integers with their block's integer multiplied in.
        let own = bits(number(map, "compressed_bw", at)?, at)?;
        let blocks = blocks(map, width.saturating_sub(own), true, at)?;
        let blocks = blocks.filter(|blocks| blocks.expansion.is_some());
        let blocks = blocks.ok_or_else(|| format!("{at} ({name}) has no blocks"))?;
        return finish(Entry { blocks: Some(blocks), ..head(storage(own, true, at)?) }, scales, None, at)
            .map(Some);
    }
    let blocks = if kind == "PER_BLOCK" { blocks(map, 0, true, at)? } else { None };
    finish(Entry { blocks, ..head(storage(width, false, at)?) }, scales, zeros, at).map(Some)
}

/// Version 2.0.0: what ONNX's own operators say.
fn onnx_style(list: &Value) -> Found<Vec<Entry>> {
    let list = list.as_array().ok_or("`encodings` is no list")?;
    let mut entries = Vec::new();
    for (i, value) in list.iter().enumerate() {
        let at = format!("encodings[{i}]");
        let map = object(value, &at)?;
        let name = map.get("name").and_then(Value::as_str).ok_or_else(|| format!("{at} has no name"))?;
        let dtype = map.get("output_dtype").and_then(Value::as_str).unwrap_or("uint8");
        if dtype.contains("float") {
            continue;
        }
        let (signed, width) = match (dtype.strip_prefix("uint"), dtype.strip_prefix("int")) {
            (Some(width), _) => (false, width),
            (None, Some(width)) => (true, width),
            _ => return Err(format!("{at} ({name}) has output_dtype {dtype:?}")),
        };
        let width = bits(width.parse().ok(), &at)?;
        // Integers of blocks have as many bits as the integers that they are multiplied with.
        let blocks = blocks(map, width, false, &at)?;
        let expanded = blocks.as_ref().is_some_and(|blocks| blocks.expansion.is_some());
        let key = if expanded { "per_channel_float_scale" } else { "y_scale" };
        let scales = numbers(map, key, &at)?.ok_or_else(|| format!("{at} ({name}) has no {key}"))?;
        let zeros = numbers(map, "y_zero_point", &at)?;
        let axis = number(map, "axis", &at)?.map(|a| a as i64);
        if blocks.is_some() && axis.is_none() {
            return Err(format!("{at} ({name}) has block_size and no axis"));
        }
        if expanded && zeros.iter().flatten().any(|zero| *zero != 0.0) {
            return Err(format!("{at} ({name}) has zero points beside per_block_int_scale"));
        }
        let symmetric = zeros.is_none();
        let entry = Entry {
            storage: storage(width, signed, &at)?,
            symmetric,
            axis,
            blocks,
            ..Entry::named(name, Target::Either)
        };
        entries.push(finish(entry, scales, zeros.filter(|_| !expanded), &at)?);
    }
    Ok(entries)
}

/// An entry with its scales and zero points, which are as many, one for all, or none.
fn finish(entry: Entry, scales: Vec<f64>, zeros: Option<Vec<f64>>, at: &str) -> Found<Entry> {
    let (name, bits) = (&entry.name, entry.storage.bits());
    if scales.is_empty() {
        return Err(format!("{at} ({name}) has no scale"));
    }
    let zero_points: Vec<i32> = match zeros {
        Some(zeros) if zeros.len() == 1 => vec![good_zero(zeros[0], bits, at)?; scales.len()],
        Some(zeros) => zeros.iter().map(|z| good_zero(*z, bits, at)).collect::<Found<_>>()?,
        None => vec![0; scales.len()],
    };
    if zero_points.len() != scales.len() {
        return Err(format!("{at} ({name}) has {} scales and {} offsets", scales.len(), zero_points.len()));
    }
    let scales = scales.into_iter().map(|s| good_scale(s, at)).collect::<Found<_>>()?;
    Ok(Entry { scales, zero_points, ..entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<Entry> {
        read(Path::new("x.encodings"), text).unwrap()
    }

    #[test]
    fn versions_say_the_same_in_their_ways() {
        let old = entries(
            r#"{"version": "0.6.1", "activation_encodings": {"x": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "False",
                "min": -1.0, "max": 1.55, "offset": -100, "scale": 0.01}]}, "param_encodings": {}}"#,
        );
        let lists = entries(
            r#"{"version": "1.0.0", "activation_encodings": [{"name": "x", "bw": 8, "dtype": "INT", "enc_type": "PER_TENSOR",
                "is_sym": false, "offset": [-100], "scale": [0.01]}], "param_encodings": []}"#,
        );
        let onnx = entries(
            r#"{"version": "2.0.0", "encodings": [{"name": "x", "output_dtype": "uint8", "y_scale": 0.01, "y_zero_point": 100}]}"#,
        );
        assert_eq!(old, lists);
        assert_eq!(onnx, [Entry { target: Target::Either, ..old[0].clone() }]);
        assert_eq!((old[0].scales[0], old[0].zero_points[0]), (0.01, 100));
    }

    #[test]
    fn blocks_say_the_same_in_both_versions() {
        // As AIMET writes one and the same quantizer.
        let lists = entries(
            r#"{"version": "1.0.0", "activation_encodings": [], "param_encodings": [{"name": "w", "dtype": "INT", "enc_type": "LPBQ",
                "compressed_bw": 4, "bw": 8, "is_sym": true, "block_size": 32, "scale": [0.5, 0.25], "offset": [-128, -128],
                "per_block_int_scale": [1, 2, 16, 4]}]}"#,
        );
        let onnx = entries(
            r#"{"version": "2.0.0", "encodings": [{"name": "w", "output_dtype": "int4", "axis": 1, "block_size": 32,
                "per_channel_float_scale": [[0.5], [0.25]], "per_block_int_scale": [[1, 2], [16, 4]]}]}"#,
        );
        let (list, onnx) = (&lists[0], &onnx[0]);
        assert_eq!((list.storage, &list.scales), (onnx.storage, &onnx.scales));
        let expansion = |entry: &Entry| entry.blocks.as_ref().and_then(|blocks| blocks.expansion.clone());
        assert_eq!(expansion(list), Some((4, vec![1, 2, 16, 4])));
        assert_eq!(expansion(list), expansion(onnx));
        assert_eq!((list.axis, onnx.axis), (None, Some(1)));
    }

    #[test]
    fn a_range_alone_is_enough() {
        let found = entries(r#"{"activation_encodings": {"x": [{"bitwidth": 8, "min": -1.0, "max": 4.1}]}}"#);
        assert_eq!(found[0].zero_points, [50]);
        assert!((found[0].scales[0] - 0.02).abs() < 1e-7);
    }

    #[test]
    fn floats_are_left_as_they_are() {
        let text =
            r#"{"activation_encodings": {"x": [{"bitwidth": 16, "dtype": "float"}]}, "param_encodings": {}}"#;
        assert_eq!(entries(text), []);
    }

    #[test]
    fn problems_name_the_place() {
        let fault = |text: &str| read(Path::new("x.encodings"), text).unwrap_err().message;
        assert!(fault("{\n  \"a\": ,\n}").contains("line 2 column"), "{}", fault("{\n  \"a\": ,\n}"));
        let text = r#"{"param_encodings": {"w": [{"scale": 0.1, "offset": -128}, {"scale": 0.0}]}}"#;
        assert!(fault(text).contains("param_encodings.w[1] has scale 0"), "{}", fault(text));
        assert!(fault("{}").contains("neither"));
        let far = r#"{"encodings": [{"name": "x", "output_dtype": "int8", "y_scale": 1, "y_zero_point": -2147483648}]}"#;
        assert!(fault(far).contains("encodings[0] has its zero at -2147483648"), "{}", fault(far));
        let far = r#"{"activation_encodings": {"x": [{"bitwidth": 8, "scale": 1e-30, "min": 1.0}]}}"#;
        assert!(fault(far).contains("activation_encodings.x[0] has its zero at"), "{}", fault(far));
        let blocks = |more: &str| {
            let head = r#"{"encodings": [{"name": "w", "output_dtype": "int4", "block_size": 2"#;
            fault(&format!("{head}{more}}}]}}"))
        };
        assert!(blocks(r#", "y_scale": [[0.1]]"#).contains("no axis"));
        assert!(blocks(r#", "axis": 1, "per_block_int_scale": [[1.5]]"#).contains("holds 1.5"));
        assert!(
            blocks(r#", "axis": 1, "per_block_int_scale": [[1]]"#).contains("no per_channel_float_scale")
        );
        let listed = r#"{"param_encodings": [{"name": "w", "enc_type": "LPBQ", "bw": 8, "scale": [0.1]}]}"#;
        assert!(fault(listed).contains("no blocks"), "{}", fault(listed));
    }
}
