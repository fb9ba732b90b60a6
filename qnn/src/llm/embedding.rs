//! The embedding table of the host.

use qnn_llm::Config;

use super::artifacts::Bytes;
use super::error;
use crate::{F16, Result, TensorMut};

/// Rows of float16, one per token, in a mapped file or in the executable.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Bytes,
    /// Bytes of a row.
    row: usize,
}

impl Table {
    pub(super) fn new(file: &str, bytes: Bytes, config: &Config) -> Result<Table> {
        let row = config.hidden * size_of::<F16>();
        let expected = config.vocabulary * row;
        if bytes.len() == expected {
            return Ok(Table { bytes, row });
        }
        let found = format!(
            "it has {} bytes; {} rows of {} float16 are {expected}",
            bytes.len(),
            config.vocabulary,
            config.hidden
        );
        Err(error::mismatch(&format!("embedding table {file}"), vec![found]))
    }

    /// Writes the rows of `tokens` to the beginning of `hidden`. Tokens must be of the vocabulary.
    pub(super) fn look_up(&self, tokens: &[u32], hidden: &mut [F16]) {
        let mut hidden = TensorMut::f16(hidden);
        for (to, token) in hidden.bytes_mut().chunks_exact_mut(self.row).zip(tokens) {
            let from = *token as usize * self.row;
            to.copy_from_slice(&self.bytes[from..from + self.row]);
        }
    }
}
