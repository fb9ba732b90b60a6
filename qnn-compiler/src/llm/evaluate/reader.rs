//! What reads a text and tells its logits.

use qnn::llm::{Decoder, Execute, Session};

use super::failed;
use crate::problem::{Problems, Result};

/// Values by name.
pub(super) type Named = Vec<(String, Vec<f32>)>;

/// A sequence on an engine.
pub(super) trait Reader {
    /// Begins a new text.
    fn restart(&mut self);

    /// Reads on; `each` gets the logits after every token.
    fn read(&mut self, tokens: &[u32], each: &mut dyn FnMut(&[f32])) -> Result<()>;

    /// The hidden state behind each layer in the last execution, where the engine tells it.
    fn layers(&self) -> Named;
}

/// What an app runs.
impl Reader for Session {
    fn restart(&mut self) {
        self.reset();
    }

    fn read(&mut self, tokens: &[u32], each: &mut dyn FnMut(&[f32])) -> Result<()> {
        self.feed_each(tokens, |_, logits| each(logits))
            .map_err(|e| failed(&e, "the model cannot be executed"))
    }

    fn layers(&self) -> Named {
        Vec::new()
    }
}

/// An engine of ours.
pub(super) trait Engine: Execute<Error = Problems> {
    /// As [`Reader::layers`].
    fn layers(&self) -> Named;
}

impl<E: Engine> Reader for Decoder<E> {
    fn restart(&mut self) {
        self.reset();
    }

    fn read(&mut self, tokens: &[u32], each: &mut dyn FnMut(&[f32])) -> Result<()> {
        let mut floats: Vec<f32> = Vec::new();
        self.feed_each(tokens, |_, logits| {
            floats.clear();
            floats.extend(logits.iter().map(|logit| (*logit).into()));
            each(&floats);
        })?;
        Ok(())
    }

    fn layers(&self) -> Named {
        self.engine().layers()
    }
}
