//! What can go wrong with a language model, beyond what goes wrong with any, in words.

use std::fmt::Display;
use std::path::Path;

use crate::{Error, ErrorKind};

pub(super) fn not_found(folder: &Path) -> Error {
    let folder = folder.display();
    Error::new(
        ErrorKind::LlmNotFound,
        format!("{folder} has no description of a language model (`<model>.<soc>.llm.json`)"),
    )
    .with_help("name the folder that `cargo qnn build` collected the model in, target/<triple>/<profile>/qnn")
}

pub(super) fn several(folder: &Path, models: Vec<String>) -> Error {
    let folder = folder.display();
    Error::new(ErrorKind::SeveralLlms, format!("{folder} has several models: {}", models.join(", ")))
        .with_details(models)
        .with_help("name the description of one, a file `<model>.<soc>.llm.json`")
}

pub(super) fn description(origin: &str, why: impl Display) -> Error {
    Error::new(ErrorKind::LlmDescription, format!("{origin}: {why}"))
        .with_help("compile the model again with the cargo-qnn of this release")
}

pub(super) fn mismatch(file: &str, found: Vec<String>) -> Error {
    Error::new(
        ErrorKind::LlmMismatch,
        format!("{file} is not what the model's description says: {}", found.join("; ")),
    )
    .with_details(found)
    .with_help("keep the files of one build together, or compile the model again")
}

pub(super) fn no_tokenizer(model: &str) -> Error {
    Error::new(ErrorKind::NoTokenizer, format!("model `{model}` has no tokenizer, since its file had none"))
        .with_help("tokenize by other means and use `Session::feed`")
}

pub(super) fn tokenizer(why: impl Display) -> Error {
    Error::new(ErrorKind::Tokenizer, format!("tokenizer: {why}")).with_help(
        "check that tokenizer.json is of the model and of a kind that the `tokenizers` library reads",
    )
}

pub(super) fn no_template(model: &str) -> Error {
    Error::new(ErrorKind::NoChatTemplate, format!("model `{model}` has no chat template")).with_help(
        "it may be a base model, made to complete texts and not to answer: use `Session::complete`; else give its template to `Llm::chat_with`",
    )
}

pub(super) fn template(why: impl Display) -> Error {
    Error::new(ErrorKind::ChatTemplate, format!("chat template: {why}")).with_help(
        "many templates want user and assistant by turns, some no system message; else give a changed template to `Llm::chat_with`",
    )
}

/// More than the positions of the `context` that are not `used`.
pub(super) fn context_full(context: usize, used: usize, given: usize) -> Error {
    Error::new(
        ErrorKind::ContextFull,
        format!("{given} tokens do not fit: {used} of the context's {context} are in use"),
    )
    .with_help("`Session::reset` or `Session::truncate` make room; a longer context is `context` in the model's `llm` options, at compile time")
}

pub(super) fn unknown_token(token: u32, vocabulary: usize) -> Error {
    Error::new(ErrorKind::UnknownToken, format!("there is no token {token}: the model has {vocabulary}"))
        .with_help("use the tokenizer of this model")
}

pub(super) fn no_logits() -> Error {
    Error::new(ErrorKind::NoLogits, "there are no logits yet")
        .with_help("feed at least one token first; `truncate` and `reset` drop the logits, too")
}

pub(super) fn not_a_number(tokens: usize) -> Error {
    Error::new(
        ErrorKind::NotANumber,
        format!("the model's logits are not numbers (NaN) after {tokens} tokens"),
    )
    .with_help("`cargo qnn verify` on the model file tells where numbers go wrong")
}

pub(super) fn sampling(option: &str, value: f32, range: &str) -> Error {
    Error::new(ErrorKind::Sampling, format!("sampling: `{option}` is {value}"))
        .with_help(format!("it must be {range}"))
}
