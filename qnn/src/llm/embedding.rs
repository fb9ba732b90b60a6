//! The embedding table of the host.

use std::marker::PhantomData;

use qnn_llm::Config;

use super::artifacts::Bytes;
use super::decoder::Float;
use super::error;
use crate::{Result, TensorMut};

/// Rows of floats, one per token, in a mapped file or in the executable.
#[derive(Debug)]
pub(super) struct Table<F> {
    bytes: Bytes,
    /// Bytes of a row.
    row: usize,
    floats: PhantomData<F>,
}

impl<F: Float> Table<F> {
    pub(super) fn new(file: &str, bytes: Bytes, config: &Config) -> Result<Table<F>> {
        let row = config.hidden * size_of::<F>();
        let expected = config.vocabulary * row;
        if bytes.len() == expected {
            return Ok(Table { bytes, row, floats: PhantomData });
        }
        let found = format!(
            "it has {} bytes; {} rows of {} {} are {expected}",
            bytes.len(),
            config.vocabulary,
            config.hidden,
            F::DTYPE
        );
        Err(error::mismatch(&format!("embedding table {file}"), vec![found]))
    }

    /// Writes the rows of `tokens` to the beginning of `hidden`. Tokens must be of the vocabulary.
    pub(super) fn look_up(&self, tokens: &[u32], hidden: &mut [F]) {
        let mut hidden = TensorMut::of(hidden);
        for (to, token) in hidden.bytes_mut().chunks_exact_mut(self.row).zip(tokens) {
            let from = *token as usize * self.row;
            to.copy_from_slice(&self.bytes[from..from + self.row]);
        }
    }
}
