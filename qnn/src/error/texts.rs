//! The errors of the runtime in words. Those of language models are in `llm/error.rs`.

use std::path::{Path, PathBuf};

use super::{Error, ErrorKind};
use crate::DataType;

impl From<qnn_platform::libs::NotFound> for Error {
    fn from(error: qnn_platform::libs::NotFound) -> Error {
        let places: String = error.looked.iter().map(|place| format!("\n  {place}")).collect();
        let message = format!("{} was not found{places}", error.library);
        Error::new(ErrorKind::LibrariesNotFound, message).with_help(error.remedy)
    }
}

impl From<qnn_platform::soc::UnknownSoc> for Error {
    fn from(error: qnn_platform::soc::UnknownSoc) -> Error {
        Error::new(ErrorKind::UnknownSoc, "").with_cause(error)
    }
}

impl From<qnn_sys::LoadError> for Error {
    fn from(error: qnn_sys::LoadError) -> Error {
        Error::new(ErrorKind::Load, "").with_cause(error)
    }
}

impl From<qnn_sys::interface::MissingFunction> for Error {
    fn from(error: qnn_sys::interface::MissingFunction) -> Error {
        Error::new(ErrorKind::MissingFunction, error.to_string()).with_help("use a newer QNN release")
    }
}

/// For errors of files: `map_err(file(path))`.
pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::new(ErrorKind::File, path.display().to_string()).with_cause(error)
}

impl Error {
    /// What is wrong, and in which way: what the library would not have noticed.
    pub(crate) fn invalid(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Invalid, format!("{what}: {why}"))
    }

    #[cfg(feature = "compose")]
    pub(crate) fn dlc(error: qnn_sys::system::ComposeError) -> Error {
        Error::new(ErrorKind::Dlc, "")
            .with_cause(error)
            .with_help("use the backend and System libraries of one QNN release")
    }

    pub(crate) fn stub(model: &str, reason: &str) -> Error {
        Error::new(ErrorKind::Stub, format!("model `{model}` was not compiled: {reason}"))
            .with_help("build the app again with QNN_BUILD unset on a machine where models can be compiled")
    }

    pub(crate) fn no_artifact(model: &str, device: &str, built: Vec<String>, soc: &str) -> Error {
        let socs = list(&built);
        Error::new(
            ErrorKind::NoArtifact,
            format!("model `{model}` has no artifact for {device}: it was built for {socs}"),
        )
        .with_details(built)
        .with_help(format!("add \"{soc}\" to `soc` in [package.metadata.qnn] and build again"))
    }

    pub(crate) fn artifact_file(model: &str, file: &str, looked: &[PathBuf]) -> Error {
        let looked = paths(looked);
        Error::new(
            ErrorKind::ArtifactFile,
            format!("context binary `{file}` of model `{model}` was not found; looked in {looked}"),
        )
        .with_help("build with `cargo qnn build` and copy target/<triple>/<profile>/qnn beside the executable, or set QNN_ARTIFACT_DIR to that folder")
    }

    pub(crate) fn other_artifact(model: &str, file: &str, others: Vec<String>) -> Error {
        let what = others.join("; ");
        Error::new(
            ErrorKind::OtherArtifact,
            format!(
                "context binary `{file}` of model `{model}` is not the one that the app was built with: {what}"
            ),
        )
        .with_details(others)
        .with_help(
            "build with `cargo qnn build` and copy target/<triple>/<profile>/qnn together with the executable",
        )
    }

    pub(crate) fn slice_length(graph: &str, tensor: &str, expected: usize, given: usize) -> Error {
        Error::new(
            ErrorKind::SliceLength,
            format!("tensor `{tensor}` of graph `{graph}` has {expected} elements; the slice has {given}"),
        )
        .with_help("pass as many as the tensor has: `LEN` and `SHAPE` of the generated module")
    }

    pub(crate) fn incompatible(what: &str, found: Vec<String>, help: impl Into<String>) -> Error {
        Error::new(ErrorKind::Incompatible, format!("{what} cannot be loaded: {}", found.join("; ")))
            .with_details(found)
            .with_help(help.into())
    }

    pub(crate) fn emulated_vtcm(graph: &str, planned_mb: u64, emulated_mb: u64) -> Error {
        Error::new(
            ErrorKind::EmulatedVtcm,
            format!("graph `{graph}` was planned for {planned_mb} MiB of VTCM, the emulator has {emulated_mb} MiB since another graph was loaded or compiled"),
        )
        .with_help("give all models the same `vtcm-mb`, or load the one that runs last; a device has no such limit")
    }

    pub(crate) fn op_package_missing(what: &str, ops: Vec<String>) -> Error {
        Error::new(
            ErrorKind::OpPackageMissing,
            format!("{what} cannot be loaded: ops that no registered op package has: {}", ops.join(", ")),
        )
        .with_details(ops)
        .with_help("register the op package before loading: Backend::register_op_package, or op-packages in the manifest for generated code; where it is registered, it has another version than the model was compiled with: build both again")
    }

    pub(crate) fn op_package_file(name: &str, file: &str, looked: &[PathBuf]) -> Error {
        let looked = paths(looked);
        Error::new(
            ErrorKind::OpPackageFile,
            format!("op package `{name}` (`{file}`) was not found; looked in {looked}"),
        )
        .with_help("copy the files of target/<triple>/<profile>/qnn beside the executable, or set QNN_ARTIFACT_DIR to their folder")
    }

    pub(crate) fn unknown_graph(graph: &str, known: Vec<String>) -> Error {
        let names = list(&known);
        Error::new(ErrorKind::UnknownGraph, format!("there is no graph `{graph}`; the context has {names}"))
            .with_details(known)
            .with_help("use one of these names")
    }

    pub(crate) fn unknown_tensor(graph: &str, side: &str, tensor: &str, known: Vec<String>) -> Error {
        let names = list(&known);
        Error::new(
            ErrorKind::UnknownTensor,
            format!("graph `{graph}` has no {side} `{tensor}`; it has {names}"),
        )
        .with_details(known)
        .with_help("use one of these names")
    }

    pub(crate) fn tensor_count(graph: &str, side: &str, tensor: &str, given: usize) -> Error {
        Error::new(
            ErrorKind::TensorCount,
            format!("graph `{graph}` was given {given} buffers for its {side} `{tensor}`"),
        )
        .with_help("pass exactly one buffer for each input and each output")
    }

    pub(crate) fn list_length(graph: &str, side: &str, expected: usize, given: usize) -> Error {
        Error::new(
            ErrorKind::TensorCount,
            format!("graph `{graph}` was given {given} {side}s; it has {expected}"),
        )
        .with_help("pass exactly one buffer for each input and each output")
    }

    pub(crate) fn other_shape(model: &str, what: String) -> Error {
        Error::new(
            ErrorKind::OtherShape,
            format!(
                "the context binary of model `{model}` is not the one that its code was generated for: {what}"
            ),
        )
        .with_help("build the app again")
    }

    pub(crate) fn tensor_type(graph: &str, tensor: &str, expected: DataType, given: DataType) -> Error {
        Error::new(
            ErrorKind::TensorType,
            format!("tensor `{tensor}` of graph `{graph}` is {expected}, the buffer is {given}"),
        )
        .with_help(format!("pass {} values", expected.storage()))
    }

    pub(crate) fn tensor_length(
        graph: &str,
        tensor: &str,
        (dtype, dims): (DataType, &[u32]),
        expected: usize,
        given: usize,
    ) -> Error {
        Error::new(
            ErrorKind::TensorLength,
            format!("tensor `{tensor}` of graph `{graph}` is {dtype} {dims:?}, {expected} bytes; the buffer has {given}"),
        )
        .with_help("pass a buffer of exactly that size")
    }

    pub(crate) fn tensor_alignment(graph: &str, tensor: &str, dtype: DataType) -> Error {
        let bytes = dtype.size();
        Error::new(
            ErrorKind::TensorAlignment,
            format!("the buffer for tensor `{tensor}` of graph `{graph}` does not begin at a multiple of {bytes} bytes, as {dtype} must"),
        )
        .with_help("copy the bytes into a list of the element's type, or use the buffers of `Graph::prepare`")
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
