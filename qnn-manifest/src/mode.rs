//! What a build does about models on machines that cannot compile them.

use qnn_platform::env;
use qnn_platform::nearest::nearest;

use qnn_types::Diagnostic;

/// What a build does about models: `QNN_BUILD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Compiles them, or fails.
    Required,
    /// Generates the same types without the models; loading one fails at run time with a clear error. Sets `cfg(qnn_stub)`.
    Stub,
    /// Generates nothing: `qnn::include_models!()` expands to nothing. Sets `cfg(qnn_off)`.
    Off,
}

const WORDS: &[(&str, Mode)] = &[("required", Mode::Required), ("stub", Mode::Stub), ("off", Mode::Off)];

impl Mode {
    /// From `QNN_BUILD`; without it, `stub` on docs.rs and `required` elsewhere. With the reason, in words.
    ///
    /// # Errors
    /// `E0104` for any other word.
    pub fn from_env() -> Result<(Self, String), Diagnostic> {
        let Some(word) = env::string(&env::QNN_BUILD) else {
            return Ok(match env::var(&env::DOCS_RS) {
                Some(_) => (Mode::Stub, "models are not compiled on docs.rs".to_owned()),
                None => (Mode::Required, String::new()),
            });
        };
        match WORDS.iter().find(|(known, _)| *known == word.trim().to_ascii_lowercase()) {
            Some((name, mode)) => Ok((*mode, format!("built with QNN_BUILD={name}"))),
            None => {
                let words = WORDS.iter().map(|(word, _)| *word);
                let help = match nearest(&word, words, 1).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "it takes `required`, `stub` or `off`".to_owned(),
                };
                Err(Diagnostic::new("E0104", format!("QNN_BUILD cannot be `{word}`")).help(help))
            }
        }
    }
}
