//! What `cargo qnn` prints for programs: lines of `build --message-format json`, and the answer of a command with `--json` that failed.
//!
//! Fields are only added. A reader ignores lines whose `reason` it does not know: cargo's own are among them.
//!
//! ```
//! # let line = r#"{"reason":"qnn-artifact","path":"/app/target/debug/qnn/app/digits.SM8650.bin","fresh":true,"package":"app","model":"digits","soc":"SM8650"}"#;
//! use qnn_types::Message;
//!
//! if let Ok(Message::Artifact { path, artifact, .. }) = serde_json::from_str(line) {
//!     println!("{} for {} is {}", artifact.model, artifact.soc, path.display());
//! }
//! # let Ok(Message::Artifact { artifact, .. }) = serde_json::from_str(line) else { panic!() };
//! # assert_eq!(artifact.soc, "SM8650");
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::artifacts::ArtifactRecord;
use crate::diagnostic::Diagnostic;

/// A line on standard output of `cargo qnn build --message-format json`, beside cargo's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason")]
#[non_exhaustive]
pub enum Message {
    /// A file that is ready.
    #[serde(rename = "qnn-artifact")]
    Artifact {
        /// Where it is.
        path: PathBuf,
        /// Whether it was there before this build.
        fresh: bool,
        /// What it is.
        #[serde(flatten)]
        artifact: Box<ArtifactRecord>,
    },
    /// Something that is wrong, or should be known.
    #[serde(rename = "qnn-diagnostic")]
    Diagnostic {
        /// `error` or `warning`.
        level: String,
        /// What.
        #[serde(flatten)]
        diagnostic: Box<Diagnostic>,
    },
    /// What `--dry-run` found.
    #[serde(rename = "qnn-plan")]
    Plan {
        /// Every job.
        models: Vec<PlannedJob>,
        /// Variables that cargo gets.
        environment: Vec<(String, String)>,
        /// The command that would follow.
        command: Vec<String>,
    },
}

/// A job of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedJob {
    /// The package.
    pub package: String,
    /// The model.
    pub model: String,
    /// The SoC.
    pub soc: String,
    /// The part of a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The model file.
    pub source: PathBuf,
    /// Whether the store has it; unknown before the libraries are installed.
    pub fresh: Option<bool>,
}

/// What a command with `--json` answers when it fails before it has an answer of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failed {
    /// Always false.
    pub ok: bool,
    /// The exit code.
    pub exit_code: u8,
    /// Everything that is wrong.
    pub problems: Vec<Diagnostic>,
}
