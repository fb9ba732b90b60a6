//! Model files as entries of the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use qnn_manifest::{ModelValue, static_shapes};
use qnn_manifest::{is_llm, source_format};
use qnn_pipeline::source::SourceFacts;
use qnn_types::{Diagnostic, SourceFormat};

use crate::args::{DimArg, InputArg, sizes};
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
    /// Sizes of free dimensions.
    pub(crate) dims: BTreeMap<String, u64>,
}

/// The dimensions that nothing fixes, neither the model nor what was said, as a problem with an example of how to fix them.
pub(crate) fn open_dimensions(
    facts: &SourceFacts,
    inputs: &[InputArg],
    dims: &[DimArg],
) -> Option<Diagnostic> {
    let fixed = |name: &str| inputs.iter().find(|input| input.name == name)?.spec.shape.clone();
    let sizes = dims.iter().map(|dim| (dim.name.as_str(), dim.size)).collect();
    let shapes = static_shapes(&facts.inputs, &facts.inputs, &sizes, fixed);
    let open =
        facts.inputs.iter().zip(shapes).filter(|(input, shape)| shape.is_none() && input.shape.is_some());
    let open: Vec<&ModelValue> = open.map(|(input, _)| input).collect();
    let (mut flags, mut names) = (Vec::new(), BTreeSet::new());
    for input in &open {
        let dims = input.shape.iter().flatten().enumerate();
        let size = |axis, dim: &Option<u64>| dim.or_else(|| sizes.get(input.symbol(axis)?).copied());
        let left = dims.clone().filter(|(axis, dim)| size(*axis, dim).is_none());
        names.extend(left.map(|(axis, _)| input.symbol(axis)));
        let example: Vec<String> = dims.map(|(axis, dim)| size(axis, dim).unwrap_or(1).to_string()).collect();
        flags.push(format!("--input {}={}", input.name, example.join(",")));
    }
    // Names for all of them: shorter to say, and the same in every input.
    if let Some(names) = names.into_iter().collect::<Option<Vec<&str>>>() {
        flags = names.iter().map(|name| format!("--dim {name}=1")).collect();
    }
    let mut problem = Diagnostic::new(
        "E0112",
        "the model leaves dimensions of its inputs open, and the NPU needs fixed ones",
    );
    problem.notes = open
        .iter()
        .filter_map(|input| Some(format!("input `{}` is {}", input.name, input.shape_text()?)))
        .collect();
    (!open.is_empty()).then(|| problem.help(format!("fix them, for example: {}", flags.join(" "))))
}

/// Whether a file has the name of a model that can be compiled.
pub(crate) fn is_model(file: &Path) -> bool {
    matches!(source_format(file), Ok(SourceFormat::Onnx | SourceFormat::Dlc | SourceFormat::Gguf))
}

/// The entry of the model `file`, whose path from the package is `source`. Sizes of dimensions are for the models that have
/// them: `facts` tell, where the file can be read.
pub(crate) fn model_entry(
    file: &Path,
    source: String,
    facts: Option<&SourceFacts>,
    inputs: &[InputArg],
    dims: &[DimArg],
) -> Result<ModelEntry> {
    let llm = is_llm(source_format(file)?);
    if !file.exists() {
        return Err(Failure::user(format!("the model file {} does not exist", file.display())));
    }
    let name = model_name(file)?;
    let shapes = inputs.iter().filter_map(|input| Some((input.name.clone(), input.spec.shape.clone()?)));
    let has = |name: &str| {
        let has = |input: &ModelValue| input.symbols.iter().any(|symbol| symbol == name);
        facts.is_none_or(|facts| facts.inputs.iter().any(has))
    };
    let mut dims = sizes(dims);
    dims.retain(|name, _| has(name));
    Ok(ModelEntry { name, source, inputs: shapes.collect(), dims, llm })
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
