//! Loading and executing with the real library, and everything that must be refused before it is called.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::sync::OnceLock;

use common::*;
use qnn::__private::v1;
use qnn::compose::{ContextBuilder, GraphBuilder};
use qnn::dlc::DlcGraph;
use qnn::metadata::MetadataReader;
use qnn::{
    Artifact, Backend, Context, DataType, Device, Error, ErrorKind, Graph, LoadOptions, LoadedModel,
    Performance, PerformanceMode, ProfileLevel, ProfileUnit, Tensor, TensorMut,
};

const X_LEN: usize = H * W * C;
const Y_LEN: usize = H * W * N;

fn sm8650() -> Device {
    device(&backend(), "SM8650")
}

/// A binary for SM8650 with the graph `conv`: float32 `x` to `y`.
fn binary() -> &'static [u8] {
    static BINARY: OnceLock<Vec<u8>> = OnceLock::new();
    BINARY.get_or_init(|| conv_binary(&sm8650(), DataType::Float32))
}

fn graph() -> Graph {
    Context::from_bytes(&sm8650(), binary()).unwrap().graph("conv").unwrap()
}

fn refused(result: Result<(), Error>, kind: ErrorKind, parts: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "no {part:?} in {error}");
    }
}

#[test]
fn buffers_that_do_not_fit_are_refused_before_the_call() {
    let graph = graph();
    let (x, mut y) = (vec![0f32; X_LEN], vec![f32::NAN; Y_LEN]);

    let short = graph.execute(&[("x", Tensor::f32(&x[..4]))], &mut [("y", TensorMut::f32(&mut y))]);
    refused(short, ErrorKind::TensorLength, &["`x`", "the buffer has 16"]);
    let short = graph.execute(&[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y[1..]))]);
    refused(short, ErrorKind::TensorLength, &["`y`"]);

    let halves = vec![0u16; X_LEN];
    let typed = graph.execute(&[("x", Tensor::u16(&halves))], &mut [("y", TensorMut::f32(&mut y))]);
    refused(typed, ErrorKind::TensorType, &["the buffer is uint16"]);

    let named = graph.execute(&[("X", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))]);
    refused(named, ErrorKind::UnknownTensor, &["`X`", "it has `x`"]);
    let missing = graph.execute(&[], &mut [("y", TensorMut::f32(&mut y))]);
    refused(missing, ErrorKind::TensorCount, &["0 buffers for its input `x`"]);
    let missing = graph.execute(&[("x", Tensor::f32(&x))], &mut []);
    refused(missing, ErrorKind::TensorCount, &["0 buffers for its output `y`"]);
    let twice = [("x", Tensor::f32(&x)), ("x", Tensor::f32(&x))];
    let twice = graph.execute(&twice, &mut [("y", TensorMut::f32(&mut y))]);
    refused(twice, ErrorKind::TensorCount, &["2 buffers for its input `x`"]);

    assert!(y.iter().all(|value| value.is_nan()), "nothing was executed");
}

#[test]
fn damaged_and_foreign_binaries_are_refused_with_a_reason() {
    let device = sm8650();
    let error = Context::from_bytes(&device, &[]).unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
    let junk = vec![0x5a; 20_000];
    for bytes in [&junk[..], &binary()[..100], &binary()[..binary().len() / 2]] {
        let error = Context::from_bytes(&device, bytes).unwrap_err();
        let code = error.vendor().unwrap().code.code;
        assert!([30001, 30010].contains(&code), "{error}");
        assert!(error.help().unwrap().contains("check the file"), "{error}");
    }
}

#[test]
fn a_binary_of_another_build_is_refused_unless_allowed() {
    let device = sm8650();
    let own = device.backend().build_id();
    let other = own.replacen("v2.5", "v2.4", 1);
    let mut bytes = binary().to_vec();
    let at = bytes.windows(own.len()).position(|window| window == own.as_bytes()).unwrap();
    bytes[at..at + own.len()].copy_from_slice(other.as_bytes());

    let error = Context::from_bytes(&device, &bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
    let libs = device.backend().libs().dir.display().to_string();
    for part in [own, &other, &libs, "help: "] {
        assert!(error.to_string().contains(part), "{error}");
    }
    Context::load(&device, &bytes, "patched", &LoadOptions::new().any_build(true)).unwrap();
}

#[test]
fn a_binary_for_another_architecture_or_more_vtcm_is_refused() {
    let backend = backend();
    let error = Context::from_bytes(&device(&backend, "SM8750"), binary()).unwrap_err().to_string();
    for part in ["architecture v75", "SM8750 (v79)", "add \"SM8750\" to `soc`"] {
        assert!(error.contains(part), "{error}");
    }
    // Architecture v73 both, but 8 MiB and 4 MiB of VTCM.
    let large = conv_binary(&device(&backend, "SM8550"), DataType::Float32);
    let error = Context::from_bytes(&device(&backend, "SM8635"), &large).unwrap_err().to_string();
    assert!(error.contains("8 MiB of VTCM") && error.contains("SM8635 (v73) has 4"), "{error}");
    // Another SoC of the same architecture and size is fine.
    Context::from_bytes(&device(&backend, "QCS8550"), &large).unwrap();
}

#[test]
fn an_unknown_graph_is_answered_with_the_known_ones() {
    let context = Context::from_bytes(&sm8650(), binary()).unwrap();
    let error = context.graph("main").unwrap_err();
    assert_eq!(
        (error.kind(), error.details()),
        (ErrorKind::UnknownGraph, &["conv".to_owned()][..]),
        "{error}"
    );
}

#[test]
fn a_context_is_loaded_from_a_file_and_a_missing_file_is_named() {
    let path = scratch("from-file").join("conv.bin");
    let error = Context::from_file(&sm8650(), &path).unwrap_err();
    assert!(error.kind() == ErrorKind::File && error.to_string().contains("conv.bin"), "{error}");
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    // The text has the cause already: a chain of errors would say it twice.
    assert!(error.to_string().contains(&cause.to_string()) && std::error::Error::source(&error).is_none());
    std::fs::write(&path, binary()).unwrap();
    assert_eq!(Context::from_file(&sm8650(), &path).unwrap().info().graphs.len(), 1);
}

#[test]
fn a_detailed_profile_has_the_ops() {
    let graph = graph();
    let x = noise(X_LEN, 3);
    let mut y = vec![f32::NAN; Y_LEN];
    let basic = graph
        .profile(ProfileLevel::Basic, &[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))])
        .unwrap();
    let execute = basic.events.iter().find(|event| event.code == 400).unwrap();
    assert_eq!(execute.unit, ProfileUnit::Microseconds);
    assert!(y.iter().all(|value| value.is_finite()), "profiling executes");
    let detailed = graph
        .profile(ProfileLevel::Detailed, &[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))])
        .unwrap();
    let ops: Vec<&str> =
        detailed.events.iter().flat_map(|event| &event.parts).map(|part| part.name.as_str()).collect();
    assert!(ops.iter().any(|name| name.contains("conv")), "{ops:?}");
    assert!(basic.events.iter().all(|event| event.parts.is_empty()));
}

#[test]
fn a_performance_mode_succeeds_in_the_emulator_and_says_that_it_changes_nothing() {
    let performance = sm8650().performance(PerformanceMode::Burst).unwrap();
    assert_eq!(performance.mode(), PerformanceMode::Burst);
    assert!(!performance.is_applied());
}

#[test]
fn models_take_the_first_artifact_in_the_emulator_and_files_are_found_beside_the_executable() {
    let backend = backend();
    let build_id: &'static str = backend.build_id().to_owned().leak();
    let artifact =
        |soc, soc_id, arch, source| v1::artifact("conv", (soc, soc_id, arch), build_id, source, &[]);
    let other: &'static [u8] = conv_binary(&device(&backend, "SM8750"), DataType::Float32).leak();
    let artifacts: &'static [Artifact] = vec![
        artifact("SM8650", 57, 75, v1::embedded(binary())),
        artifact("SM8750", 69, 79, v1::embedded(other)),
    ]
    .leak();
    let model = v1::load(&backend, artifacts, &LoadOptions::new()).unwrap();
    assert_eq!(model.artifact().soc(), "SM8650");
    let x = noise(X_LEN, 3);
    let mut y = vec![f32::NAN; Y_LEN];
    model.run("conv", &[("x", (&x[..]).into())], &mut [("y", (&mut y[..]).into())]).unwrap();
    assert_close(&y, &conv_reference(&x, &conv_weights(), &conv_bias()), 2e-3);

    let name: &'static str = format!("conv-{}.bin", std::process::id()).leak();
    let checksum = qnn_platform::checksum::checksum(binary()).0;
    let file = v1::file("", name, binary().len() as u64, checksum, None);
    let files: &'static [Artifact] = vec![artifact("SM8650", 57, 75, file)].leak();
    let error = v1::load(&backend, files, &LoadOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ArtifactFile, "{error}");
    let beside = std::env::current_exe().unwrap().parent().unwrap().join("qnn");
    std::fs::create_dir_all(&beside).unwrap();
    std::fs::write(beside.join(name), binary()).unwrap();
    let loaded = v1::load(&backend, files, &LoadOptions::new());
    std::fs::remove_file(beside.join(name)).unwrap();
    assert_eq!(loaded.unwrap().context().info().graphs[0].name, "conv");
}

#[test]
fn a_stub_says_why_it_is_one() {
    let stub = v1::stub("built with QNN_BUILD=stub");
    let artifacts: &'static [Artifact] = vec![v1::artifact("conv", ("SM8650", 57, 75), "", stub, &[])].leak();
    let error = v1::load(&backend(), artifacts, &LoadOptions::new()).unwrap_err();
    assert!(error.kind() == ErrorKind::Stub && error.message().contains("`conv`"), "{error}");
    assert!(error.to_string().contains("built with QNN_BUILD=stub"), "{error}");
}

#[test]
fn contexts_are_made_executed_and_freed_on_many_threads() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let device = shared(sm8650());
    let x = noise(X_LEN, 3);
    let reference = conv_reference(&x, &conv_weights(), &conv_bias());
    let contexts: Vec<Context> = (0..2).map(|_| Context::from_bytes(&device, binary()).unwrap()).collect();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (context, x, reference) = (shared(contexts[worker % 2].clone()), &x, &reference);
            let device = device.clone();
            scope.spawn(move || {
                let graph = shared(context.graph("conv").unwrap());
                drop(context);
                for round in 0..20 {
                    let mut y = vec![f32::NAN; Y_LEN];
                    graph.execute(&[("x", Tensor::f32(x))], &mut [("y", TensorMut::f32(&mut y))]).unwrap();
                    assert_close(&y, reference, 2e-3);
                    if round % 5 == worker {
                        // Contexts come and go on other threads while this one executes.
                        drop(Context::from_bytes(&device, binary()).unwrap());
                    }
                }
            });
        }
        drop(contexts);
    });
}

#[test]
fn types_may_cross_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Backend>();
    shared::<Device>();
    shared::<Context>();
    shared::<Graph>();
    shared::<LoadedModel>();
    shared::<MetadataReader>();
    shared::<Performance>();
    shared::<ContextBuilder>();
    // What `?` into a boxed error asks for.
    shared::<Error>();
    fn sent<T: Send>() {}
    sent::<GraphBuilder<'static>>();
    sent::<DlcGraph>();
}

#[test]
fn metadata_is_read_from_many_threads_without_the_backend() {
    let libs = qnn_platform::libs::resolve(None).unwrap_or_else(|error| panic!("{error}"));
    let reader = MetadataReader::open(&libs).unwrap();
    let bytes = binary();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let info = reader.read(bytes).unwrap();
                    assert_eq!((info.version, info.soc_id, info.arch), (3, Some(57), Some(75)));
                    assert_eq!(info.graphs[0].inputs[0].byte_len(), X_LEN * 4);
                    assert!(reader.read(&bytes[..200]).is_err());
                }
            });
        }
    });
}

#[test]
fn a_folder_without_the_library_and_a_file_that_is_none_are_named() {
    let dir = scratch("no-library");
    let libs = |dir: &std::path::Path| qnn_platform::libs::QnnLibs {
        dir: dir.to_owned(),
        source: qnn_platform::libs::Source::Explicit,
    };
    let error = Backend::open(&libs(&dir)).unwrap_err();
    assert!(error.kind() == ErrorKind::Load && error.to_string().contains("no-library"), "{error}");
    std::fs::write(libs(&dir).htp(), "not a library").unwrap();
    let error = Backend::open(&libs(&dir)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Load, "{error}");
}
