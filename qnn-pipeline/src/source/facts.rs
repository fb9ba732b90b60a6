//! The facts of a model file: hash, size, external data, inputs and outputs.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use qnn_manifest::ModelValue;
use qnn_manifest::signature::{Scan, WireError, scan};
use serde::{Deserialize, Serialize};

use super::llm::{self, LlmFacts};
use crate::files::{hash_file, open};
use crate::memo::Memo;
use qnn_types::io_problem;
use qnn_types::{Diagnostic, SourceFormat};

/// A model file as the plan needs to know it.
#[derive(Clone, Debug, Default)]
pub struct SourceFacts {
    /// Length of the model file, bytes.
    pub bytes: u64,
    /// blake3 of the model file, hexadecimal.
    pub blake3: String,
    /// Files with external data, by location.
    pub external: Vec<ExternalFile>,
    /// Inputs (ONNX only), without those that are weights.
    pub inputs: Vec<ModelValue>,
    /// Outputs (ONNX only).
    pub outputs: Vec<ModelValue>,
    /// Operator domains that the model imports beside the standard's own (ONNX only).
    pub domains: BTreeSet<String>,
    /// Sizes and weights of a language model.
    pub llm: Option<LlmFacts>,
    /// Whether an operator quantizes, or computes on stored integers (ONNX only).
    pub quantized: bool,
}

/// A file with external data.
#[derive(Clone, Debug)]
pub struct ExternalFile {
    /// As the model names it, relative to its folder.
    pub location: String,
    /// The file.
    pub path: PathBuf,
    /// Its length, bytes.
    pub bytes: u64,
    /// Its blake3, hexadecimal.
    pub blake3: String,
}

impl SourceFacts {
    /// Bytes of the model with its external data.
    pub fn total_bytes(&self) -> u64 {
        self.external.iter().fold(self.bytes, |sum, file| sum.saturating_add(file.bytes))
    }

    /// blake3 of the model file, or of its hash and those of its external data where there is some; hexadecimal.
    pub fn digest(&self) -> String {
        if self.external.is_empty() {
            return self.blake3.clone();
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.blake3.as_bytes());
        for file in &self.external {
            hasher.update(file.location.as_bytes());
            hasher.update(file.blake3.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// What is remembered of the model file itself; external files have a memory of their own.
#[derive(Serialize, Deserialize)]
struct Remembered {
    bytes: u64,
    blake3: String,
    external: Vec<(String, u64)>,
    inputs: Vec<ModelValue>,
    outputs: Vec<ModelValue>,
    domains: BTreeSet<String>,
    quantized: bool,
}

/// Reads the facts of a model file. Nothing is loaded: weights are hashed once per state of their file and otherwise skipped.
///
/// # Errors
/// Everything that is wrong with the files: unreadable, empty, cut off, no ONNX, external data missing, short or outside.
pub fn inspect(path: &Path, format: SourceFormat, memo: &Memo) -> Result<SourceFacts, Vec<Diagnostic>> {
    if format == SourceFormat::Safetensors {
        return llm::folder(path, memo);
    }
    let kind = match format {
        SourceFormat::Onnx => "onnx",
        SourceFormat::Dlc | SourceFormat::ContextBinary | SourceFormat::Gguf | SourceFormat::Safetensors => {
            "file"
        }
    };
    let known = memo.fact(kind, path, || remember(path, format)).map_err(|problem| vec![problem])?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    let mut external = Vec::new();
    for (location, needed) in known.external {
        match external_file(path, folder, &location, needed, memo) {
            Ok(file) => external.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut llm = None;
    if format == SourceFormat::Gguf {
        external.extend(llm::split(path, memo)?);
        let others: Vec<&str> = external.iter().map(|file| file.blake3.as_str()).collect();
        llm = Some(llm::facts(path, path, &others.concat(), memo)?);
    }
    let Remembered { bytes, blake3, inputs, outputs, domains, quantized, .. } = known;
    Ok(SourceFacts { bytes, blake3, external, inputs, outputs, domains, quantized, llm })
}

fn remember(path: &Path, format: SourceFormat) -> Result<Remembered, Diagnostic> {
    let read = |error| io_problem("E0214", "cannot read the model file", path, &error);
    let (bytes, hash) = hash_file(path).map_err(read)?;
    if bytes == 0 {
        let code = match format {
            SourceFormat::Onnx => "E0201",
            SourceFormat::Dlc => "E0212",
            SourceFormat::ContextBinary => "E0213",
            SourceFormat::Gguf | SourceFormat::Safetensors => "E0230",
        };
        return Err(Diagnostic::new(code, "the model file is empty").at(path.display().to_string()));
    }
    let scan = match format {
        SourceFormat::Onnx => scan_file(path, bytes)?,
        SourceFormat::Dlc | SourceFormat::ContextBinary | SourceFormat::Gguf | SourceFormat::Safetensors => {
            Scan::default()
        }
    };
    Ok(Remembered {
        bytes,
        blake3: hash.to_hex().to_string(),
        external: scan.external.into_iter().collect(),
        inputs: scan.inputs,
        outputs: scan.outputs,
        domains: scan.domains,
        quantized: scan.quantized,
    })
}

fn scan_file(path: &Path, bytes: u64) -> Result<Scan, Diagnostic> {
    let read = |error| io_problem("E0214", "cannot read the model file", path, &error);
    let file = open(path).map_err(read)?;
    let not_onnx = |note: String| {
        let problem = Diagnostic::new("E0201", "not an ONNX file").at(path.display().to_string()).note(note);
        match looks_like(path) {
            Some((what, help)) => problem.note(format!("it looks like {what}")).help(help),
            None => problem,
        }
    };
    match scan(file, bytes) {
        Ok(scan) if scan.graph => Ok(scan),
        Ok(_) => Err(not_onnx("it has no graph".to_owned())),
        Err(WireError::Io(error)) => Err(read(error)),
        Err(WireError::Malformed(at, what)) => Err(not_onnx(format!("at byte {at}: {what}"))),
        // Text read as protobuf fails in any way, so what it looks like comes first.
        Err(WireError::Truncated(at)) => match looks_like(path) {
            Some(_) => Err(not_onnx(format!("at byte {at}: a length leads past the end of the file"))),
            None => Err(Diagnostic::new("E0202", "the model file is truncated")
                .at(path.display().to_string())
                .note(format!(
                    "the field at byte {at} is longer than what is left of the file's {bytes} bytes"
                ))
                .help("fetch the file again and compare its size with the original")),
        },
    }
}

/// What a file that is no ONNX seems to be, and what to do then.
fn looks_like(path: &Path) -> Option<(&'static str, &'static str)> {
    const FORMS: &[(&[u8], &str, &str)] = &[
        (b"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` to fetch the file itself"),
        (b"<", "an HTML or XML page", "the download gave a page and not the file; fetch it again"),
        (b"GGUF", "a GGUF file", "give it the extension .gguf"),
        (
            b"PK\x03\x04",
            "a ZIP archive (PyTorch checkpoint, DLC, npz)",
            "export the model with torch.onnx.export",
        ),
        (b"\x89HDF", "an HDF5 file (Keras)", "convert it with tf2onnx"),
        (b"\x1f\x8b", "a gzip archive", "unpack it first"),
        (b"{", "a JSON file", "give the .onnx file"),
    ];
    let mut head = [0; 32];
    let length = open(path).and_then(|mut file| file.read(&mut head)).ok()?;
    if head.get(4..8) == Some(b"TFL3") {
        return Some(("a TFLite file", "convert it with tf2onnx"));
    }
    let form = FORMS.iter().find(|(magic, _, _)| head[..length].starts_with(magic))?;
    Some((form.1, form.2))
}

fn external_file(
    model: &Path,
    folder: &Path,
    location: &str,
    needed: u64,
    memo: &Memo,
) -> Result<ExternalFile, Diagnostic> {
    let problem = |code, message: String| Diagnostic::new(code, message).at(model.display().to_string());
    if location.is_empty() {
        return Err(problem("E0203", "external data is missing: the model names no file for it".to_owned())
            .help("save the model again with its external data beside it"));
    }
    let relative = Path::new(location);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        let message = format!("external data `{location}` lies outside the model's folder");
        return Err(problem("E0205", message)
            .help("save the model again with its external data beside it, under a plain file name"));
    }
    let path = folder.join(relative);
    // Before anything is read: a link may lead to a device, or to what is not the model's.
    if let (Ok(real), Ok(folder)) = (path.canonicalize(), real_folder(folder))
        && !real.starts_with(folder)
    {
        let message = format!("external data `{location}` is a link that leads outside the model's folder");
        return Err(problem("E0205", message)
            .note(format!("it leads to {}", real.display()))
            .help("put the file itself into the model's folder"));
    }
    match hashed(&path, memo) {
        Ok((bytes, blake3)) if bytes >= needed => {
            Ok(ExternalFile { location: location.to_owned(), path, bytes, blake3 })
        }
        Ok((bytes, _)) => Err(problem("E0204", format!("external data `{location}` is too short"))
            .note(format!("the model needs {needed} bytes of it, {} has {bytes}", path.display()))
            .help("copy the file again; it must be the one that was saved with this model")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(problem("E0203", format!("external data `{location}` is missing"))
                .note(format!("{} does not exist", path.display()))
                .help("put the file beside the model, under the name it was saved with"))
        }
        Err(error) => Err(io_problem("E0214", "cannot read external data", &path, &error)),
    }
}

fn real_folder(folder: &Path) -> std::io::Result<PathBuf> {
    if folder.as_os_str().is_empty() { Path::new(".").canonicalize() } else { folder.canonicalize() }
}

/// Length and blake3 of a file, remembered.
pub(crate) fn hashed(path: &Path, memo: &Memo) -> std::io::Result<(u64, String)> {
    memo.fact("hash", path, || hash_file(path).map(|(bytes, hash)| (bytes, hash.to_hex().to_string())))
}
