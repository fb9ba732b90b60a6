//! The library and its sessions.

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use qnn_types::Diagnostic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

use super::tensor::{self, Tensor};
use crate::problem::problem;

/// Where ONNX Runtime looks for the external data of a model that it gets as bytes.
const EXTERNAL_FOLDER: &str = "session.model_external_initializers_file_folder_path";

/// What went wrong in the reference engine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// The library cannot be used.
    #[error("ONNX Runtime cannot be loaded from '{}': {why}", library.display())]
    Load {
        /// The library.
        library: PathBuf,
        /// What the loader says.
        why: String,
    },
    /// The model is refused.
    #[error("ONNX Runtime refuses the model: {0}")]
    Session(String),
    /// The model fails.
    #[error("ONNX Runtime fails to run the model: {0}")]
    Run(String),
    /// An input or output that cannot be passed.
    #[error("value '{name}' of the model: {why}")]
    Value {
        /// Name in the model.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

impl From<ReferenceError> for Diagnostic {
    fn from(error: ReferenceError) -> Self {
        problem("E0218", error.to_string())
    }
}

/// The library of this process: ONNX Runtime can be loaded once.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// ONNX Runtime, loaded when it is first used. Cheap to make and to clone.
#[derive(Clone, Debug)]
pub struct ReferenceEngine {
    library: PathBuf,
}

impl ReferenceEngine {
    /// The engine of a library, which is not loaded yet.
    pub fn new(library: impl Into<PathBuf>) -> Self {
        Self { library: library.into() }
    }

    /// Loads the library now.
    ///
    /// # Errors
    ///
    /// [`ReferenceError::Load`]: there is no such library, it is older than 1.24, or another one is loaded.
    pub fn load(library: impl Into<PathBuf>) -> std::result::Result<Self, ReferenceError> {
        let engine = Self::new(library);
        engine.environment()?;
        Ok(engine)
    }

    fn environment(&self) -> std::result::Result<Environment, ReferenceError> {
        let failed = |why: String| ReferenceError::Load { library: self.library.clone(), why };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some((library, environment)) if *library == self.library => Ok(environment.clone()),
            Some((library, _)) => Err(failed(format!("'{}' is loaded already", library.display()))),
            None => {
                let environment = open(&self.library).map_err(failed)?;
                *loaded = Some((self.library.clone(), environment.clone()));
                Ok(environment)
            }
        }
    }

    /// A session of a model given as bytes. Nothing is optimized: every operator runs as the standard defines it, and every
    /// value exists.
    pub(super) fn session(
        &self,
        model: &[u8],
        folder: Option<&Path>,
    ) -> std::result::Result<Session, ReferenceError> {
        let mut builder = self.builder()?;
        if let Some(folder) = folder.and_then(Path::to_str) {
            builder = builder.with_config_entry(EXTERNAL_FOLDER, folder).map_err(refused)?;
        }
        builder.commit_from_memory(model).map_err(refused)
    }

    /// As [`Self::session`], with the constants that the model says are in a file `name` beside it.
    pub(super) fn session_beside(
        &self,
        model: &[u8],
        name: &str,
        constants: Arc<[u8]>,
    ) -> std::result::Result<Session, ReferenceError> {
        let mut builder = self.builder()?;
        if !constants.is_empty() {
            builder = builder.with_external_initializer_file_in_memory(name, constants).map_err(refused)?;
        }
        builder.commit_from_memory(model).map_err(refused)
    }

    fn builder(&self) -> std::result::Result<SessionBuilder, ReferenceError> {
        Session::builder(&self.environment()?)
            .map_err(refused)?
            .with_optimization_level(GraphOptimizationLevel::Disable)
            .map_err(refused)
    }
}

fn refused<R>(e: ort::Error<R>) -> ReferenceError {
    ReferenceError::Session(first_line(e.message()))
}

fn open(library: &Path) -> std::result::Result<Environment, String> {
    let library = library.canonicalize().map_err(|e| e.to_string())?;
    let environment = ort::init_from(&library)
        .map_err(|e| e.to_string())?
        .with_name("cargo-qnn")
        .with_telemetry(false)
        .build()
        .map_err(|e| e.message().to_owned())?;
    environment.set_log_level(LogLevel::Fatal);
    Ok(environment)
}

/// Messages of the library can go on for pages.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// Runs a session and takes the named outputs.
pub(super) fn run(
    session: &mut Session,
    inputs: &[(String, Tensor)],
    outputs: &[String],
) -> std::result::Result<Vec<Tensor>, ReferenceError> {
    let failed = |e: ort::Error| ReferenceError::Run(first_line(e.message()));
    let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
    for (name, value) in inputs {
        let value = tensor::to_ort(value).map_err(|why| ReferenceError::Value { name: name.clone(), why })?;
        values.push((name, value.into()));
    }
    let selector = outputs.iter().fold(OutputSelector::no_default(), |s, name| s.with(name));
    let options = RunOptions::new().map_err(failed)?.with_outputs(selector);
    let results = session.run_with_options(values, &options).map_err(failed)?;
    let one = |name: &String| {
        let fault = |why: String| ReferenceError::Value { name: name.clone(), why };
        let value = results.get(name).ok_or_else(|| fault("the engine does not give it".to_owned()))?;
        tensor::from_ort(value).map_err(fault)
    };
    outputs.iter().map(one).collect()
}
