//! Model files as entries of the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use qnn_build::job::{Diagnostic, SourceFormat};
use qnn_build::plan::{is_llm, source_format};
use qnn_build::source::SourceFacts;

use crate::args::InputArg;
use crate::failure::{Failure, Result};

/// A model that shall be in the manifest.
#[derive(Clone, Debug)]
pub(crate) struct ModelEntry {
    /// Its name: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// Its file, relative to the Cargo.toml, with `/`.
    pub(crate) source: String,
    /// Shapes of inputs whose dimensions the model leaves open.
    pub(crate) inputs: BTreeMap<String, Vec<u64>>,
    /// Whether it is a language model.
    pub(crate) llm: bool,
}

/// The dimensions that neither the model nor `inputs` fixes, as a problem with an example of how to fix them.
pub(crate) fn open_dimensions(facts: &SourceFacts, inputs: &[InputArg]) -> Option<Diagnostic> {
    let fixed = |name: &str| inputs.iter().any(|input| input.name == name && input.spec.shape.is_some());
    let open: Vec<String> = facts
        .inputs
        .iter()
        .filter(|input| !fixed(&input.name))
        .filter_map(|input| {
            let dims = input.shape.as_ref().filter(|dims| dims.contains(&None))?;
            let dims: Vec<String> = dims.iter().map(|dim| dim.unwrap_or(1).to_string()).collect();
            Some(format!("--input {}={}", input.name, dims.join(",")))
        })
        .collect();
    let problem = Diagnostic::new(
        "E0112",
        "the model leaves dimensions of its inputs open, and the NPU needs fixed ones",
    );
    (!open.is_empty()).then(|| problem.help(format!("fix them, for example: {}", open.join(" "))))
}

/// Whether a file has the name of a model that can be compiled.
pub(crate) fn is_model(file: &Path) -> bool {
    matches!(source_format(file), Ok(SourceFormat::Onnx | SourceFormat::Dlc | SourceFormat::Gguf))
}

/// The entry of the model `file`, whose path from the package is `source`.
pub(crate) fn model_entry(file: &Path, source: String, inputs: &[InputArg]) -> Result<ModelEntry> {
    let llm = is_llm(source_format(file)?);
    if !file.exists() {
        return Err(Failure::user(format!("the model file {} does not exist", file.display())));
    }
    let name = model_name(file)?;
    let shapes = inputs.iter().filter_map(|input| Some((input.name.clone(), input.spec.shape.clone()?)));
    Ok(ModelEntry { name, source, inputs: shapes.collect(), llm })
}

/// A model's name by its file: the stem, with `-` for what a name cannot have.
pub(crate) fn model_name(file: &Path) -> Result<String> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let usable = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(usable).collect::<String>().trim_matches('-').to_owned();
    if name.is_empty() {
        return Err(Failure::user(format!("{} gives no name for the model", file.display()))
            .help("rename the file to letters and digits"));
    }
    Ok(name)
}
