//! Any bytes as an ONNX model, through the small reader that build scripts use.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qnn_pipeline::Memo;
use qnn_pipeline::source::inspect;
use qnn_types::SourceFormat;

fuzz_target!(|data: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("model.onnx");
    if std::fs::write(&path, data).is_ok() {
        let _ = inspect(&path, SourceFormat::Onnx, &Memo::default());
    }
});
