//! ONNX Runtime as the reference engine.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use std::path::{Path, PathBuf};

use qnn::DataType;
use qnn_compiler::frontend::onnx::OnnxFile;
use qnn_compiler::graph::{DType, Data, TensorType};
use qnn_compiler::npz::{self, Array};
use qnn_compiler::reference::{ReferenceEngine, ReferenceError, Tensor, run_job};
use qnn_types::{ReferenceJob, Toolchain};
use support::{Dim, Model, f32s, import_file, int, node, noise, ops, output_shape, reference};

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor { ty: TensorType::new(DType::F32, shape), data: Data::from_f32(values) }
}

fn array(shape: &[u64], values: &[f32]) -> Array {
    Array { dtype: DataType::Float32, shape: shape.to_vec(), data: Data::from_f32(values).bytes().to_vec() }
}

fn floats(array: &Array) -> Vec<f32> {
    array.data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect()
}

/// `y = -|x|`, with a free first dimension.
fn model() -> Model {
    Model::new(13)
        .typed_input("x", DType::F32, &[Dim::Free("n"), Dim::Fixed(2)])
        .node(node("Abs", &["x"], &["a"], &[]))
        .node(node("Neg", &["a"], &["y"], &[]))
        .output("y")
}

fn job(dir: &Path, source: PathBuf, values: &[&str]) -> ReferenceJob {
    ReferenceJob {
        source,
        inputs: dir.join("in.npz"),
        outputs: dir.join("out.npz"),
        values: values.iter().map(|s| (*s).to_owned()).collect(),
        toolchain: Toolchain {
            qnn_lib_dir: PathBuf::new(),
            onnxruntime: Some(qnn_platform::libs::onnxruntime().unwrap_or_else(|e| panic!("{e}"))),
        },
    }
}

#[test]
fn intermediate_values_are_reported_in_the_order_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = OnnxFile::open(&model().save(dir.path())).unwrap();
    let values = ["y".to_owned(), "a".to_owned(), "x".to_owned()];
    let mut model = reference().open(&file, &values).unwrap();
    let results = model.run(&[("x".to_owned(), tensor(&[2, 2], &[1.0, -2.0, 3.0, -4.0]))]).unwrap();
    let results: Vec<Vec<f32>> = results.iter().map(|t| t.data.to_f32(DType::F32)).collect();
    assert_eq!(results, [[-1.0, -2.0, -3.0, -4.0], [1.0, 2.0, 3.0, 4.0], [1.0, -2.0, 3.0, -4.0]]);
}

#[test]
fn a_job_reads_and_writes_arrays() {
    let dir = tempfile::tempdir().unwrap();
    let job = job(dir.path(), model().save(dir.path()), &[]);
    npz::write(&job.inputs, [("x", &array(&[1, 2], &[5.0, -6.0]))]).unwrap();
    run_job(&job).unwrap();
    let out = npz::read(&job.outputs).unwrap();
    assert_eq!(out.len(), 1);
    assert_eq!((&*out[0].0, &out[0].1.shape[..], floats(&out[0].1)), ("y", &[1, 2][..], vec![-5.0, -6.0]));
}

#[test]
fn one_axis_more_is_a_batch_of_samples() {
    let dir = tempfile::tempdir().unwrap();
    let job = job(dir.path(), model().save(dir.path()), &["a"]);
    npz::write(&job.inputs, [("x", &array(&[3, 1, 2], &[1.0, -2.0, 3.0, -4.0, 5.0, -6.0]))]).unwrap();
    run_job(&job).unwrap();
    let out = npz::read(&job.outputs).unwrap();
    assert_eq!(out[0].1.shape, [3, 1, 2]);
    assert_eq!(floats(&out[0].1), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn every_array_that_does_not_fit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let job = job(dir.path(), model().save(dir.path()), &[]);
    npz::write(&job.inputs, [("z", &array(&[1, 2], &[0.0, 0.0]))]).unwrap();
    let problems = run_job(&job).unwrap_err().0;
    assert_eq!(problems.iter().map(|p| &*p.code).collect::<Vec<_>>(), ["E0803", "E0803"]);
    assert!(problems[0].message.contains("'x'") && problems[1].message.contains("'z'"), "{problems:?}");
}

#[test]
fn a_shape_that_the_model_refuses_is_the_engines_error() {
    let dir = tempfile::tempdir().unwrap();
    let job = job(dir.path(), model().save(dir.path()), &[]);
    npz::write(&job.inputs, [("x", &array(&[1, 3], &[0.0; 3]))]).unwrap();
    let problems = run_job(&job).unwrap_err().0;
    assert_eq!((problems.len(), &*problems[0].code), (1, "E0218"));
}

#[test]
fn external_data_is_found_beside_the_model() {
    use qnn_compiler::frontend::onnx::proto::{EXTERNAL, StringStringEntryProto, TensorProto};
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("w.bin"), Data::from_f32(&[10.0, 20.0]).bytes()).unwrap();
    let weight = TensorProto {
        name: "w".to_owned(),
        data_type: 1,
        dims: vec![2],
        data_location: EXTERNAL,
        external_data: vec![StringStringEntryProto { key: "location".to_owned(), value: "w.bin".to_owned() }],
        ..TensorProto::default()
    };
    let model = Model::new(13)
        .input("x", &[2])
        .weight(weight)
        .node(node("Add", &["x", "w"], &["s"], &[]))
        .node(node("Neg", &["s"], &["y"], &[]))
        .output("y");
    let file = OnnxFile::open(&model.save(dir.path())).unwrap();
    let mut model = reference().open(&file, &["s".to_owned()]).unwrap();
    let results = model.run(&[("x".to_owned(), tensor(&[2], &[1.0, 2.0]))]).unwrap();
    assert_eq!(results[0].data.to_f32(DType::F32), [11.0, 22.0]);
}

#[test]
fn half_precision_passes_through() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(13)
        .typed_input("x", DType::F16, &[Dim::Fixed(2)])
        .node(node("Cast", &["x"], &["y"], &[int("to", 1)]))
        .output("y");
    let file = OnnxFile::open(&model.save(dir.path())).unwrap();
    let mut model = reference().open(&file, &["x".to_owned(), "y".to_owned()]).unwrap();
    let input =
        Tensor { ty: TensorType::new(DType::F16, [2]), data: Data::from_floats(&[1.5, -0.25], DType::F16) };
    let results = model.run(&[("x".to_owned(), input)]).unwrap();
    assert_eq!(results[0].ty.dtype, DType::F16);
    assert_eq!(results[1].data.to_f32(DType::F32), [1.5, -0.25]);
}

#[test]
fn a_library_that_is_not_there() {
    // Another one is loaded already or this one is not found: either way the path is named.
    let error = ReferenceEngine::load("/nowhere/libonnxruntime.so").unwrap_err();
    assert!(
        matches!(error, ReferenceError::Load { .. }) && error.to_string().contains("/nowhere/"),
        "{error}"
    );
}

#[test]
fn an_operator_that_the_table_lacks_is_asked_of_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let mut unknown = node("QuickGelu", &["n"], &["q"], &[]);
    unknown.domain = "com.microsoft".to_owned();
    let mut asked = node("NGramRepeatBlock", &["ids", "q"], &["y"], &[int("ngram_size", 2)]);
    asked.domain = "com.microsoft".to_owned();
    let model = Model::new(13)
        .import_set("com.microsoft", 1)
        .typed_input("ids", DType::I64, &[Dim::Fixed(1), Dim::Fixed(4)])
        .input("x", &[1, 8])
        .node(node("Neg", &["x"], &["n"], &[]))
        .node(unknown)
        .node(asked)
        .output("y");
    let path = model.save(dir.path());
    let alone = support::only_problem(import_file(&path, &[], &[], None));
    assert!(alone.0 == "E0301" && alone.1.contains("NGramRepeatBlock"), "{alone:?}");
    let imported = import_file(&path, &[], &[], Some(&reference())).unwrap();
    assert_eq!(output_shape(&imported, 0), [1, 8]);
}

#[test]
fn constants_without_an_evaluator_are_computed_by_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(13)
        .input("x", &[1, 2, 3, 3])
        .weight(noise("image", &[1, 1, 5, 5]))
        .weight(noise("kernel", &[2, 1, 3, 3]))
        .weight(f32s("bias", &[2], &[0.5, -0.5]))
        .node(node("Conv", &["image", "kernel", "bias"], &["c"], &[]))
        .node(node("Add", &["x", "c"], &["y"], &[]))
        .output("y");
    let path = model.save(dir.path());
    assert_eq!(ops(&import_file(&path, &[], &[], None).unwrap()), ["Conv", "Add"]);
    let imported = import_file(&path, &[], &[], Some(&reference())).unwrap();
    assert_eq!(ops(&imported), ["Add"]);
    let constant = imported.graph.const_f32(imported.graph.nodes[0].input(1).unwrap()).unwrap();
    let file = OnnxFile::open(&path).unwrap();
    let mut whole = reference().open(&file, &["c".to_owned()]).unwrap();
    let want = whole.run(&[("x".to_owned(), tensor(&[1, 2, 3, 3], &[0.0; 18]))]).unwrap();
    assert_eq!(constant, want[0].data.to_f32(DType::F32));
}
