//! The command line.

use qnn::llm::Sampling;

/// What is asked for.
pub(crate) struct Options {
    /// The text to go on from.
    pub(crate) text: String,
    /// How.
    pub(crate) sampling: Sampling,
}

const USAGE: &str = "usage: llm-chat [--greedy] [--seed N] [--temperature T] [--tokens N] TEXT...";

/// Reads the arguments; all that are not options are the text.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut sampling = Sampling::default().with_max_tokens(48);
    let mut words = Vec::new();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--greedy" => sampling.temperature = 0.0,
            "--seed" => sampling.seed = value(&argument, arguments.next())?,
            "--temperature" => sampling.temperature = value(&argument, arguments.next())?,
            "--tokens" => sampling.max_tokens = Some(value(&argument, arguments.next())?),
            option if option.starts_with("--") => return Err(format!("unknown option {option}; {USAGE}")),
            word => words.push(word.to_owned()),
        }
    }
    if words.is_empty() {
        words.push("In the beginning".to_owned());
    }
    Ok(Options { text: words.join(" "), sampling })
}

fn value<T: std::str::FromStr>(option: &str, text: Option<String>) -> Result<T, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{option} needs a number; {USAGE}"))
}
