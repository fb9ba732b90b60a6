use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;
use crate::memo::Memo;
use qnn_manifest::{ModelValue, static_shapes};
use qnn_types::{Diagnostic, SourceFormat};

/// A protobuf field that holds bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(number << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn value_info(name: &str, dtype: u64, dims: &[Option<u64>]) -> Vec<u8> {
    let dims = dims.iter().map(|dim| match dim {
        Some(dim) => field(1, &number(1, *dim)),
        None => field(1, &field(2, b"batch")),
    });
    let shape = dims.collect::<Vec<_>>().concat();
    let tensor = [number(1, dtype), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn external_tensor(name: &str, entries: &[(&str, &str)]) -> Vec<u8> {
    let entries = entries
        .iter()
        .map(|(key, value)| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat()));
    [field(8, name.as_bytes()), entries.collect::<Vec<_>>().concat(), number(14, 1)].concat()
}

/// ModelProto with a graph of these fields.
fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    [number(1, 8), field(2, b"test"), field(7, &graph.concat()), field(8, &number(2, 17))].concat()
}

fn inspect_bytes(folder: &Path, bytes: &[u8]) -> Result<SourceFacts, Vec<Diagnostic>> {
    let path = folder.join("m.onnx");
    fs::write(&path, bytes).unwrap();
    inspect(&path, SourceFormat::Onnx, &Memo::default())
}

fn code_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    inspect_bytes(folder.path(), bytes).expect_err("the file should be refused")[0].code.clone()
}

fn plain() -> Vec<Vec<u8>> {
    vec![
        field(1, &field(4, b"Relu")),
        field(11, &value_info("x", 1, &[None, Some(3)])),
        field(12, &value_info("y", 10, &[Some(1), Some(3)])),
    ]
}

/// As the scan returns what [`value_info`] writes.
fn value(name: &str, dtype: &str, shape: &[Option<u64>]) -> ModelValue {
    let symbol = |dim: &Option<u64>| if dim.is_none() { "batch".to_owned() } else { String::new() };
    ModelValue {
        name: name.to_owned(),
        dtype: dtype.to_owned(),
        shape: Some(shape.to_vec()),
        symbols: shape.iter().map(symbol).collect(),
    }
}

#[test]
fn a_symbol_fixed_by_one_input_is_fixed_everywhere() {
    let inputs = [value("a", "float32", &[None, Some(3)]), value("b", "float32", &[Some(2), None])];
    let outputs = [value("y", "float32", &[None]), ModelValue::default()];
    let fixed = |name: &str| (name == "a").then(|| vec![7, 3]);
    let none = BTreeMap::new();
    assert_eq!(static_shapes(&inputs, &inputs, &none, fixed), [Some(vec![7, 3]), Some(vec![2, 7])]);
    assert_eq!(static_shapes(&inputs, &outputs, &none, fixed), [Some(vec![7]), None]);
    assert_eq!(static_shapes(&inputs, &inputs, &none, |_| None), [None, None]);
    let dims = BTreeMap::from([("batch", 5)]);
    assert_eq!(static_shapes(&inputs, &inputs, &dims, |_| None), [Some(vec![5, 3]), Some(vec![2, 5])]);
}

#[test]
fn inputs_and_outputs_are_read_and_weights_are_no_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let mut graph = plain();
    graph.push(field(11, &value_info("w", 1, &[Some(3)])));
    graph.push(field(5, &[field(8, b"w"), field(9, &[0; 12])].concat()));
    let bytes = model(&graph);
    let facts = inspect_bytes(folder.path(), &bytes).unwrap();
    assert_eq!(facts.inputs, [value("x", "float32", &[None, Some(3)])]);
    assert_eq!(facts.outputs, [value("y", "float16", &[Some(1), Some(3)])]);
    assert_eq!((facts.bytes, facts.external.len()), (bytes.len() as u64, 0));
    assert_eq!(facts.blake3, blake3::hash(&bytes).to_hex().to_string());
}

#[test]
fn external_data_is_found_wherever_tensors_are() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "sub/d"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, [1; 64]).unwrap();
    }
    let attribute = |number, bytes: &[u8]| field(1, &field(5, &field(number, bytes)));
    let mut graph = plain();
    graph.push(field(5, &external_tensor("w", &[("location", "a"), ("offset", "32"), ("length", "32")])));
    graph.push(attribute(5, &external_tensor("c", &[("location", "b")])));
    let inner = field(5, &external_tensor("i", &[("location", "c")]));
    graph.push(attribute(6, &[field(1, &field(5, &field(6, &inner)))].concat()));
    let mut bytes = model(&graph);
    let function = field(7, &field(5, &field(5, &external_tensor("f", &[("location", "sub/d")]))));
    bytes.extend(field(25, &function));
    let facts = inspect_bytes(folder.path(), &bytes).unwrap();
    let locations: Vec<&str> = facts.external.iter().map(|file| file.location.as_str()).collect();
    assert_eq!(locations, ["a", "b", "c", "sub/d"]);
    assert_eq!(facts.total_bytes(), bytes.len() as u64 + 4 * 64);
}

#[test]
fn every_fault_of_external_data_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("short"), [0; 10]).unwrap();
    let tensors: [&[(&str, &str)]; 5] = [
        &[("location", "missing")],
        &[("location", "short"), ("offset", "8"), ("length", "4")],
        &[("location", "../outside")],
        &[("location", "/etc/passwd")],
        &[],
    ];
    let mut graph = plain();
    graph.extend(tensors.map(|entries| field(5, &external_tensor("w", entries))));
    let problems = inspect_bytes(folder.path(), &model(&graph)).unwrap_err();
    let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["E0203", "E0203", "E0204", "E0205", "E0205"], "{problems:#?}");
}

#[test]
fn what_is_no_model_is_refused_by_what_it_is() {
    assert_eq!(code_of(b""), "E0201");
    assert_eq!(code_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "E0201");
    assert_eq!(code_of(b"<!DOCTYPE html><html></html>"), "E0201");
    assert_eq!(code_of(&[0xff; 100]), "E0201");
    assert_eq!(code_of(&[0; 100]), "E0201");
    assert_eq!(code_of(&number(1, 8)), "E0201");
    assert_eq!(code_of(&model(&[])), "E0201");
}

#[test]
fn a_model_cut_anywhere_is_refused_or_reads_without_harm() {
    let mut graph = plain();
    graph.push(field(5, &[field(8, b"w"), field(9, &[7; 300])].concat()));
    let bytes = model(&graph);
    let graph_begins = 10;
    let graph_ends = bytes.len() - 4;
    for length in 0..bytes.len() {
        let folder = tempfile::tempdir().unwrap();
        let result = inspect_bytes(folder.path(), &bytes[..length]);
        if (graph_begins..graph_ends).contains(&length) {
            assert_eq!(result.unwrap_err()[0].code, "E0202", "cut at {length}");
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 1u64;
    let base = model(&plain());
    for _ in 0..2000 {
        let mut bytes = base.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        // Any answer will do.
        let _ = qnn_manifest::signature::scan(std::io::Cursor::new(&bytes), bytes.len() as u64);
    }
}

#[test]
fn graphs_nested_without_end_are_refused() {
    let mut graph = plain().concat();
    for _ in 0..200 {
        graph = [field(1, &field(5, &field(6, &graph)))].concat();
    }
    assert_eq!(code_of(&model(&[graph])), "E0201");
}

#[test]
fn other_formats_are_hashed_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.dlc");
    fs::write(&path, b"PK").unwrap();
    let facts = inspect(&path, SourceFormat::Dlc, &Memo::default()).unwrap();
    assert_eq!((facts.bytes, facts.inputs.len()), (2, 0));
    fs::write(&path, b"").unwrap();
    assert_eq!(inspect(&path, SourceFormat::Dlc, &Memo::default()).unwrap_err()[0].code, "E0212");
    assert_eq!(inspect(folder.path(), SourceFormat::Dlc, &Memo::default()).unwrap_err()[0].code, "E0214");
}
