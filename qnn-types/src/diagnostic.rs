//! [`Diagnostic`]: a message with the parts that every message has.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A message with the parts every message has: code, what, where, why, help.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnostic {
    /// Stable code, for example `E0103`; see docs/ERRORS.md.
    pub code: String,
    /// What is wrong, one sentence without a final stop.
    pub message: String,
    /// Model of the manifest, where one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Place in a file: `Cargo.toml:12`, or a file alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Node of the model, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its op type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// Why, or what was found: further lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with a code of [`crate::codes::CODES`] and a message: one sentence without a final stop.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }

    /// Names the model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Names the place in a file.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// Adds a line that says why, or what was found.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The message as text without colour: code and message, then one indented line per further part.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.code.is_empty() {
            write!(f, "qnn::{}: ", self.code)?;
        }
        if let Some(model) = &self.model {
            write!(f, "model `{model}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(at) = &self.at {
            write!(f, "\n  --> {at}")?;
        }
        match (&self.node, &self.op) {
            (Some(node), Some(op)) => write!(f, "\n  node: {node} ({op})")?,
            (Some(node), None) => write!(f, "\n  node: {node}")?,
            (None, Some(op)) => write!(f, "\n  op: {op}")?,
            (None, None) => {}
        }
        for note in &self.notes {
            write!(f, "\n  note: {}", note.replace('\n', "\n        "))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", help.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}
