//! Any bytes as a Hugging Face folder: config.json, a zero byte, and behind it model.safetensors.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use qnn_llm::block::dequantize_rows;

fuzz_target!(|data: &[u8]| {
    let zero = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (config, file) = (&data[..zero], data.get(zero + 1..).unwrap_or_default());
    let Ok(model) = qnn_llm::of_folder_bytes(config, Bytes::copy_from_slice(file)) else { return };
    for weight in model.weights.values() {
        let mut row = vec![0.0; weight.columns];
        // Random floats need not be finite.
        let _ = dequantize_rows(weight, 0..1, &mut row);
    }
});
