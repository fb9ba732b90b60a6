//! Any bytes as a GGUF file, from its header to the last number of its weights.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use qnn_llm::block::{dequantize_rows, unpack_rows};

fuzz_target!(|data: &[u8]| {
    let Ok(model) = qnn_llm::of_gguf_bytes(Bytes::copy_from_slice(data)) else { return };
    assert!(model.config.rope_frequencies().len() == model.config.head_dim / 2);
    for weight in model.weights.values() {
        // A damaged file may speak of more columns than it has bytes for; only what it holds is asked for.
        let mut row = vec![0.0; weight.columns];
        let last = weight.rows - 1..weight.rows;
        let numbers = dequantize_rows(weight, last.clone(), &mut row);
        let unpacked = unpack_rows(weight, last);
        assert!(weight.format.block() == 1 || numbers.is_ok() || unpacked.is_err());
    }
});
