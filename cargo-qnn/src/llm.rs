//! Language models on a command line without a manifest.

use std::path::{Path, PathBuf};

use qnn_llm::{Heads, Strategy};

use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// The absolute path of a language model.
pub(crate) fn source(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        let message = format!("{} does not exist", path.display());
        return Err(Failure::new(Exit::User, codes::INPUT_FILE, message));
    }
    if qnn_llm::kind(path).is_none() {
        let message = format!("{} is no language model", path.display());
        return Err(Failure::new(Exit::User, codes::INPUT_FILE, message)
            .help("give a GGUF file, or a folder with config.json and safetensors files"));
    }
    Ok(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// Parses `split` or `fused`.
pub(crate) fn heads(text: &str) -> Result<Heads, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected `split` or `fused`".to_owned())
}

/// Parses the name of a strategy.
pub(crate) fn strategy(text: &str) -> Result<Strategy, String> {
    let known = "`auto`, `native`, `float-fallback`, `requantize-int8` or `requantize-int4`";
    serde_json::from_value(text.into()).map_err(|_| format!("expected {known}"))
}
