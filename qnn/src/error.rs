//! Everything that can go wrong, each with what was found and what to do.

use std::fmt;
use std::path::PathBuf;

use crate::codes::Code;
use crate::{DataType, Stub};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the runtime. Its text has the facts and, after `help:`, the remedy; [`Error::help`] gives the remedy alone.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The QNN libraries are in none of the places where they may be.
    #[error(transparent)]
    LibrariesNotFound(#[from] qnn_platform::libs::NotFound),
    /// A QNN library was found and could not be used.
    #[error(transparent)]
    Load(#[from] qnn_sys::LoadError),
    /// The loaded library is too old for what was asked of it.
    #[error("{_0}{help}", help = help_line("use a newer QNN release"))]
    MissingFunction(#[from] qnn_sys::interface::MissingFunction),
    /// These libraries cannot compose DLC files.
    #[error("{_0}{help}", help = help_line("use the backend and System libraries of one QNN release"))]
    Dlc(#[source] qnn_sys::system::ComposeError),
    /// A call of the vendor's library failed.
    #[error(transparent)]
    Vendor(Box<VendorError>),
    /// No SoC of this name or id is known.
    #[error(transparent)]
    UnknownSoc(#[from] qnn_platform::soc::UnknownSoc),
    /// The app was built without its models.
    #[error(transparent)]
    Stub(#[from] Stub),
    /// None of the model's artifacts runs on this device.
    #[error("model `{model}` has no artifact for {device}: it was built for {}{}", list(.built), help_line(.help))]
    NoArtifact {
        /// The model.
        model: String,
        /// The device, or the SoC that is emulated.
        device: String,
        /// SoCs that the model was built for.
        built: Vec<String>,
        /// What to do.
        help: String,
    },
    /// A context binary that is kept as a file is not there.
    #[error("context binary `{file}` of model `{model}` was not found; looked in {}{}", paths(.looked), help_line("build with `cargo qnn build` and copy target/<triple>/<profile>/qnn beside the executable, or set QNN_ARTIFACT_DIR to that folder"))]
    ArtifactFile {
        /// The model.
        model: String,
        /// File name.
        file: String,
        /// Folders that were searched.
        looked: Vec<PathBuf>,
    },
    /// A context binary that is kept as a file is there, and is not the one that the app was built with: of another build, of another
    /// app, or damaged.
    #[error("context binary `{file}` of model `{model}` is not the one that the app was built with: {}{}", .others.join("; "), help_line("build with `cargo qnn build` and copy target/<triple>/<profile>/qnn together with the executable"))]
    OtherArtifact {
        /// The model.
        model: String,
        /// File name.
        file: String,
        /// The files of that name, and how they differ.
        others: Vec<String>,
    },
    /// A slice does not have as many elements as the tensor that it is for.
    #[error(
        "tensor `{tensor}` of graph `{graph}` has {expected} elements; the slice has {given}{}",
        help_line("pass as many as the tensor has: `LEN` and `SHAPE` of the generated module")
    )]
    SliceLength {
        /// The graph.
        graph: String,
        /// The tensor.
        tensor: String,
        /// Elements the tensor has.
        expected: usize,
        /// Elements the slice has.
        given: usize,
    },
    /// A context binary does not fit the library or the device it would be loaded on.
    #[error("{what} cannot be loaded: {}{}", .found.join("; "), help_line(.help))]
    Incompatible {
        /// Which binary.
        what: String,
        /// What was found, each a disagreement.
        found: Vec<String>,
        /// What to do.
        help: String,
    },
    /// The emulator has one amount of VTCM for the whole process, that of the graph that was compiled or loaded last.
    #[error(
        "graph `{graph}` was planned for {planned_mb} MiB of VTCM, the emulator has {emulated_mb} MiB since another graph was loaded or compiled{}",
        help_line(
            "give all models the same `vtcm-mb`, or load the one that runs last; a device has no such limit"
        )
    )]
    EmulatedVtcm {
        /// The graph.
        graph: String,
        /// VTCM it was planned for, MiB.
        planned_mb: u64,
        /// VTCM the emulator has now, MiB.
        emulated_mb: u64,
    },
    /// A context binary uses ops of packages that were not registered.
    #[error(
        "{what} cannot be loaded: ops that no registered op package has: {}{}",
        .ops.join(", "),
        help_line("register the op package before loading: Backend::register_op_package, or op-packages in the manifest for generated code; where it is registered, it has another version than the model was compiled with: build both again")
    )]
    OpPackageMissing {
        /// Which binary.
        what: String,
        /// The ops, as `package::Op` or as the library names their kernels.
        ops: Vec<String>,
    },
    /// The library of an op package is not there.
    #[error("op package `{name}` (`{file}`) was not found; looked in {}{}", paths(.looked), help_line("copy the files of target/<triple>/<profile>/qnn beside the executable, or set QNN_ARTIFACT_DIR to their folder"))]
    OpPackageFile {
        /// The package.
        name: String,
        /// File name of its library.
        file: String,
        /// Folders that were searched.
        looked: Vec<PathBuf>,
    },
    /// A file could not be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The context has no graph of this name.
    #[error("there is no graph `{graph}`; the context has {}{}", list(.known), help_line("use one of these names"))]
    UnknownGraph {
        /// The name asked for.
        graph: String,
        /// Names of the context's graphs.
        known: Vec<String>,
    },
    /// The graph has no input or output of this name.
    #[error("graph `{graph}` has no {side} `{tensor}`; it has {}{}", list(.known), help_line("use one of these names"))]
    UnknownTensor {
        /// The graph.
        graph: String,
        /// `input` or `output`.
        side: &'static str,
        /// The name asked for.
        tensor: String,
        /// Names the graph has.
        known: Vec<String>,
    },
    /// An input or output of the graph was given no buffer, or two.
    #[error(
        "graph `{graph}` was given {given} buffers for its {side} `{tensor}`{}",
        help_line("pass exactly one buffer for each input and each output")
    )]
    TensorCount {
        /// The graph.
        graph: String,
        /// `input` or `output`.
        side: &'static str,
        /// The tensor.
        tensor: String,
        /// 0, or 2 and more.
        given: usize,
    },
    /// A buffer's element type is not the tensor's.
    #[error("tensor `{tensor}` of graph `{graph}` is {expected}, the buffer is {given}{}", help_line(&format!("pass {} values", .expected.storage())))]
    TensorType {
        /// The graph.
        graph: String,
        /// The tensor.
        tensor: String,
        /// Type of the tensor.
        expected: DataType,
        /// Type of the buffer.
        given: DataType,
    },
    /// A buffer's length is not the tensor's.
    #[error(
        "tensor `{tensor}` of graph `{graph}` is {dtype} {dims:?}, {expected} bytes; the buffer has {given}{}",
        help_line("pass a buffer of exactly that size")
    )]
    TensorLength {
        /// The graph.
        graph: String,
        /// The tensor.
        tensor: String,
        /// Dimensions of the tensor.
        dims: Vec<u32>,
        /// Type of the tensor.
        dtype: DataType,
        /// Bytes the tensor has.
        expected: usize,
        /// Bytes the buffer has.
        given: usize,
    },
    /// A language model cannot be loaded, or not do what was asked of it.
    #[cfg(feature = "llm")]
    #[error(transparent)]
    Llm(#[from] crate::llm::LlmError),
    /// What is to be built or loaded is wrong in a way that the library would not have noticed.
    #[error("{what}: {why}")]
    Invalid {
        /// What is wrong, for example ``tensor `weights` ``.
        what: String,
        /// In which way.
        why: String,
    },
}

/// The text for people: what `fn main() -> Result<(), Box<dyn std::error::Error>>` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// What to do, without the rest of the message.
    pub fn help(&self) -> Option<String> {
        match self {
            Error::LibrariesNotFound(error) => Some(error.remedy.clone()),
            Error::Vendor(error) => Some(error.code.remedy.to_owned()),
            Error::Stub(stub) => Some(stub.help().to_owned()),
            Error::NoArtifact { help, .. } | Error::Incompatible { help, .. } => Some(help.clone()),
            other => other.to_string().split_once("\nhelp: ").map(|(_, help)| help.to_owned()),
        }
    }

    /// The vendor's error, where one is behind this.
    pub fn vendor(&self) -> Option<&VendorError> {
        match self {
            Error::Vendor(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Error {
        Error::Invalid { what: what.into(), why: why.into() }
    }
}

/// A call of the vendor's library that failed.
#[derive(Clone, Debug)]
pub struct VendorError {
    /// The vendor's name of the function, for example `graphFinalize`.
    pub call: &'static str,
    /// What the call was about, for example ``op `conv1` (Conv2d)``; may be empty.
    pub subject: String,
    /// The decoded error code: number, name, cause, remedy.
    pub code: Code,
    /// What the library logged during the call, oldest first: errors and warnings.
    pub log: Vec<String>,
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Code { code, name, cause, remedy } = self.code;
        write!(f, "{} failed", self.call)?;
        if !self.subject.is_empty() {
            write!(f, " for {}", self.subject)?;
        }
        write!(f, ": {code} {name}: {cause}")?;
        for line in &self.log {
            write!(f, "\n  log: {line}")?;
        }
        write!(f, "{}", help_line(remedy))
    }
}

impl std::error::Error for VendorError {}

impl From<VendorError> for Error {
    fn from(error: VendorError) -> Error {
        Error::Vendor(Box::new(error))
    }
}

fn help_line(text: &str) -> String {
    format!("\nhelp: {text}")
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
