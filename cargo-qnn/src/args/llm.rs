//! How a language model is compiled, on a command line without a manifest.

use clap::Args;
use qnn_manifest::{Llm, Shards};
use serde::de::DeserializeOwned;

/// `models.NAME.llm` as flags.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Language Model Options")]
pub(crate) struct LlmFlags {
    /// Positions that the graphs see, prompt and answer together; what the model was made for by default, at most 1024
    #[arg(long, value_name = "TOKENS")]
    pub(crate) context: Option<u32>,
    /// Tokens of a prompt that are taken at once, separated by commas; 128 by default
    #[arg(long, alias = "tokens", value_name = "TOKENS", value_delimiter = ',')]
    pub(crate) prefill: Vec<u32>,
    /// Attention heads one by one or together: split, fused
    #[arg(long, value_name = "HEADS")]
    pub(crate) heads: Option<String>,
    /// Context binaries that the layers are divided into: auto or a number
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<Shards>,
    /// The head in a context binary of its own or in that of the last layers: separate, inside
    #[arg(long, value_name = "PLACE")]
    pub(crate) lm_head: Option<String>,
    /// Where token ids become vectors: host, graph
    #[arg(long, value_name = "PLACE")]
    pub(crate) embedding: Option<String>,
    /// What is done with weights: auto, native, float-fallback, requantize-int8, requantize-int4
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) strategy: Option<String>,
}

impl LlmFlags {
    /// Whether any of them was given.
    pub(crate) fn given(&self) -> bool {
        *self != Self::default()
    }

    /// As the manifest would say it; `None` when nothing is said.
    pub(crate) fn options(&self) -> Result<Option<Llm>, String> {
        if !self.given() {
            return Ok(None);
        }
        Ok(Some(Llm {
            context: self.context,
            prefill: (!self.prefill.is_empty()).then(|| self.prefill.clone()),
            heads: word("--heads", self.heads.as_deref())?,
            shards: self.shards.unwrap_or_default(),
            lm_head: word("--lm-head", self.lm_head.as_deref())?,
            embedding: word("--embedding", self.embedding.as_deref())?,
            strategy: word("--strategy", self.strategy.as_deref())?,
            ..Llm::default()
        }))
    }
}

/// A word of an option, whose own message lists the words that there are.
fn word<T: DeserializeOwned + Default>(flag: &str, word: Option<&str>) -> Result<T, String> {
    let parse = |word: &str| serde_json::from_value(word.into()).map_err(|error| format!("{flag}: {error}"));
    word.map_or_else(|| Ok(T::default()), parse)
}

#[cfg(test)]
mod tests {
    use qnn_manifest::LmHead;

    use super::*;

    #[test]
    fn flags_become_the_options_of_the_manifest() {
        assert_eq!(LlmFlags::default().options(), Ok(None));
        let flags = LlmFlags {
            context: Some(512),
            prefill: vec![64, 16],
            lm_head: Some("inside".to_owned()),
            shards: Some("2".parse().unwrap()),
            ..LlmFlags::default()
        };
        let options = flags.options().unwrap().unwrap();
        assert_eq!((options.context, options.lm_head), (Some(512), LmHead::Inside));
        assert_eq!(options.prefill.as_deref(), Some(&[64, 16][..]));
        assert_eq!(options.shards, Shards::Count(2));
    }

    #[test]
    fn an_unknown_word_is_told_with_those_that_there_are() {
        let flags = LlmFlags { heads: Some("both".to_owned()), ..LlmFlags::default() };
        let error = flags.options().unwrap_err();
        assert!(error.contains("--heads") && error.contains("`split`"), "{error}");
        assert!("0".parse::<Shards>().is_err() && "all".parse::<Shards>().is_err());
    }
}
