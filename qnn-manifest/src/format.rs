//! Kinds of model files, by their names.

use std::path::Path;

use qnn_types::{Diagnostic, SourceFormat};

/// What kind of model file a path names, by its extension.
///
/// # Errors
/// `E0109`.
pub fn source_format(path: &Path) -> Result<SourceFormat, Diagnostic> {
    const FORMATS: &[(&str, SourceFormat)] = &[
        ("onnx", SourceFormat::Onnx),
        ("dlc", SourceFormat::Dlc),
        ("bin", SourceFormat::ContextBinary),
        ("gguf", SourceFormat::Gguf),
    ];
    const SUPPORTED: &str =
        "supported: .onnx, .dlc, .gguf, a Hugging Face folder, .bin (a ready context binary)";
    if path.is_dir() {
        return Ok(SourceFormat::Safetensors);
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == extension) {
        return Ok(*format);
    }
    if extension == "safetensors" {
        let message = "a safetensors file is not a whole model: its sizes are in config.json beside it";
        return Err(Diagnostic::new("E0109", message).help("name the folder as `source`"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Err(Diagnostic::new("E0109", format!("`{name}` is no kind of model file that can be compiled"))
        .help(SUPPORTED))
}

/// Whether a model of this format is a language model.
pub fn is_llm(format: SourceFormat) -> bool {
    matches!(format, SourceFormat::Gguf | SourceFormat::Safetensors)
}
