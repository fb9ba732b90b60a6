//! Opening an ONNX file.

use bytes::Bytes;
use prost::Message;
use qnn_types::Diagnostic;
use std::path::{Path, PathBuf};

use super::proto::ModelProto;
use crate::frontend::mapped;
use crate::problem::{Result, problem};

/// A decoded ONNX file. Tensors of the file are slices of its map.
#[derive(Clone, Debug)]
pub struct OnnxFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub model: ModelProto,
    /// The file itself.
    pub raw: Bytes,
}

/// How files begin that are given for ONNX files: offset, bytes, what it is, what to do.
const OTHERS: [(usize, &[u8], &str, &str); 8] = [
    (0, b"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` to get the model itself"),
    (0, b"GGUF", "a GGUF model", "export the model to ONNX"),
    (
        0,
        b"PK\x03\x04",
        "a zip archive (PyTorch or Keras?)",
        "export the model to ONNX, for example by torch.onnx.export",
    ),
    (
        0,
        b"\x80\x02",
        "a Python pickle (PyTorch?)",
        "export the model to ONNX, for example by torch.onnx.export",
    ),
    (0, b"\x89HDF", "an HDF5 file (Keras?)", "export the model to ONNX, for example by tf2onnx"),
    (4, b"TFL3", "a TensorFlow Lite model", "convert it, for example by tf2onnx with --tflite"),
    (0, b"<", "an HTML or XML file", "the download may have given an error page instead of the model"),
    (4, b"ORTM", "a model in ONNX Runtime's own format", "use the .onnx file that it was made from"),
];

impl OnnxFile {
    /// Maps and decodes a file.
    ///
    /// # Errors
    ///
    /// `E0108` where there is no file, `E0214` where it cannot be read, `E0201` where it is not an ONNX model, `E0202` where it is cut
    /// short.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = mapped::map(path).map_err(|e| {
            let code = if e.kind() == std::io::ErrorKind::NotFound { "E0108" } else { "E0214" };
            problem(code, format!("model file '{}' cannot be read: {e}", path.display()))
        })?;
        Self::of_bytes(path, bytes)
    }

    /// Decodes the bytes of a file; external data is looked for beside `path`.
    ///
    /// # Errors
    ///
    /// As [`OnnxFile::open`] for what is in the file.
    pub fn of_bytes(path: &Path, bytes: Bytes) -> Result<Self> {
        let model = decode(bytes.clone()).map_err(|e| Diagnostic {
            message: format!("'{}' is not an ONNX model: {}", path.display(), e.message),
            ..e
        })?;
        Ok(Self { path: path.to_owned(), model, raw: bytes })
    }
}

fn decode(bytes: Bytes) -> std::result::Result<ModelProto, Diagnostic> {
    let bad = |message: &str| problem("E0201", message);
    if bytes.is_empty() {
        return Err(bad("the file is empty"));
    }
    for (offset, magic, what, help) in OTHERS {
        if bytes.get(offset..).is_some_and(|b| b.starts_with(magic)) {
            return Err(Diagnostic { help: Some(help.to_owned()), ..bad(&format!("it is {what}")) });
        }
    }
    let whole = bytes.clone();
    let model = ModelProto::decode(bytes).map_err(|e| {
        let error = if cut_short(&whole) {
            problem("E0202", "it is cut short")
        } else {
            bad("it is no protobuf message of that kind")
        };
        Diagnostic { notes: vec![e.to_string()], ..error }
    })?;
    match &model.graph {
        None => Err(bad("it has no graph")),
        Some(graph) if graph.node.is_empty() && graph.output.is_empty() => {
            Err(bad("its graph has neither nodes nor outputs"))
        }
        Some(_) => Ok(model),
    }
}

/// Whether the bytes are fields of a model, the last of which says that it is longer than what is left.
fn cut_short(bytes: &[u8]) -> bool {
    /// The highest field number of a model that is in use.
    const LAST_FIELD: u64 = 26;
    let mut rest = bytes;
    loop {
        let Ok(key) = prost::encoding::decode_varint(&mut rest) else { return false };
        if key >> 3 == 0 || key >> 3 > LAST_FIELD {
            return false;
        }
        let number = match key & 7 {
            0 | 2 => prost::encoding::decode_varint(&mut rest),
            _ => return false,
        };
        let Ok(number) = number else { return rest.len() < 10 };
        if key & 7 == 2 {
            match usize::try_from(number).ok().and_then(|length| rest.get(length..)) {
                Some(after) => rest = after,
                None => return true,
            }
        }
    }
}
