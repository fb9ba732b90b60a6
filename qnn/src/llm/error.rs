//! What can go wrong with a language model, beyond what goes wrong with any.

use std::path::PathBuf;

/// An error of a language model: what was found, and after `help:` what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// A folder has no description of a compiled model.
    #[error(
        "{} has no description of a language model (`<model>.<soc>.llm.json`)\nhelp: name the folder that `cargo qnn build` \
         collected the model in, target/<triple>/<profile>/qnn", .folder.display()
    )]
    NoModel {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder has descriptions of several models.
    #[error(
        "{} has several models: {}\nhelp: name the description of one, a file `<model>.<soc>.llm.json`",
        .folder.display(), .models.join(", ")
    )]
    SeveralModels {
        /// The folder.
        folder: PathBuf,
        /// Their names.
        models: Vec<String>,
    },
    /// A description cannot be read, or its numbers do not fit each other.
    #[error("{origin}: {why}\nhelp: compile the model again with the cargo-qnn of this release")]
    Description {
        /// Where it is from.
        origin: String,
        /// What is wrong.
        why: String,
    },
    /// A file of a model is not what its description says.
    #[error("{file} is not what the model's description says: {}\nhelp: keep the files of one build together, or compile the model again", .found.join("; "))]
    Mismatch {
        /// The file.
        file: String,
        /// Each a disagreement.
        found: Vec<String>,
    },
    /// The model has no tokenizer.
    #[error(
        "model `{model}` has no tokenizer, since its file had none\nhelp: tokenize by other means and use `Session::feed`"
    )]
    NoTokenizer {
        /// The model.
        model: String,
    },
    /// A tokenizer refuses its file or a text.
    #[error(
        "tokenizer: {why}\nhelp: check that tokenizer.json is of the model and of a kind that the `tokenizers` library reads"
    )]
    Tokenizer {
        /// What it says.
        why: String,
    },
    /// The model has no chat template.
    #[error(
        "model `{model}` has no chat template\nhelp: it may be a base model, made to complete texts and not to answer: use \
         `Session::complete`; else give its template to `Llm::chat_with`"
    )]
    NoTemplate {
        /// The model.
        model: String,
    },
    /// A chat template is wrong or refuses a conversation.
    #[error(
        "chat template: {why}\nhelp: many templates want user and assistant by turns, some no system message; else give a \
         changed template to `Llm::chat_with`"
    )]
    Template {
        /// What it says.
        why: String,
    },
    /// More tokens than the context has room for.
    #[error(
        "{given} tokens do not fit: {used} of the context's {context} are in use\nhelp: `Session::reset` or `Session::truncate` \
         make room; a longer context is `context` in the model's `llm` options, at compile time"
    )]
    ContextFull {
        /// Positions of the context.
        context: usize,
        /// Tokens in it.
        used: usize,
        /// Tokens that were to be added.
        given: usize,
    },
    /// No such token.
    #[error("there is no token {token}: the model has {vocabulary}\nhelp: use the tokenizer of this model")]
    UnknownToken {
        /// The token.
        token: u32,
        /// Number of tokens.
        vocabulary: usize,
    },
    /// Nothing was fed from which the next token could follow.
    #[error(
        "there are no logits yet\nhelp: feed at least one token first; `truncate` and `reset` drop the logits, too"
    )]
    NoLogits,
    /// The model computed something that is no number.
    #[error(
        "the model's logits are not numbers (NaN) after {tokens} tokens\nhelp: `cargo qnn verify` on the model file tells where \
         numbers go wrong"
    )]
    NotANumber {
        /// Tokens in the context.
        tokens: usize,
    },
    /// A sampling option out of its range.
    #[error("sampling: `{option}` is {value}\nhelp: it must be {range}")]
    Sampling {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f32,
        /// What it may be.
        range: &'static str,
    },
}
