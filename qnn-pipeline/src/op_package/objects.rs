//! One object: its command, what it was made from, and whether that is still so.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::{Deserialize, Serialize};

use super::depfile;
use super::toolchain::Compiler;
use crate::files::Stat;
use qnn_types::Diagnostic;

/// How something was made: the same command on files in the same state makes the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// Hash of the command, the compiler's file and its variables.
    command: String,
    /// Every file that was read.
    inputs: Vec<(PathBuf, Stat)>,
    /// What was made.
    output: Stat,
}

impl Made {
    /// Whether `output` is what the command would make now.
    pub(super) fn is_current(&self, command: &str, output: &Path) -> bool {
        let same = |(path, stat): &(PathBuf, Stat)| Stat::of(path).is_ok_and(|now| now == *stat);
        self.command == command
            && Stat::of(output).is_ok_and(|now| now.is_but_for_links(&self.output))
            && self.inputs.iter().all(same)
    }
}

/// Something to run.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) compiler: Compiler,
    pub(super) arguments: Vec<OsString>,
    pub(super) output: PathBuf,
    pub(super) folder: PathBuf,
}

impl Step {
    /// All words of the command line.
    pub(super) fn words(&self) -> Vec<OsString> {
        let program = self.compiler.program.clone().into_os_string();
        std::iter::once(program)
            .chain(self.compiler.arguments.clone())
            .chain(self.arguments.clone())
            .collect()
    }

    /// The command as a shell takes it.
    pub(super) fn line(&self) -> String {
        let quote = |word: &OsString| {
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./,:@%^".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.into_owned()
            } else {
                format!("'{}'", word.replace('\'', "'\\''"))
            }
        };
        self.words().iter().map(quote).collect::<Vec<_>>().join(" ")
    }

    /// What tells one command from another.
    pub(super) fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let env = self.compiler.env.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
        for word in self.words().into_iter().chain(env) {
            hasher.update(word.as_encoded_bytes());
            hasher.update(b"\0");
        }
        hasher.update(format!("{:?}", Stat::of(&self.compiler.program).ok()).as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// Runs it; what it was made from is `sources` and what `depfile` lists. With the compiler's words, where it had any.
    ///
    /// # Errors
    /// The compiler cannot be run, or refuses: with its own text and the command line.
    pub(super) fn run(
        &self,
        what: &str,
        sources: &[PathBuf],
        depfile: Option<&Path>,
    ) -> Result<(Made, String), Diagnostic> {
        // States from before the command: what is changed while it runs is made again.
        let before: Vec<(PathBuf, Option<Stat>)> =
            sources.iter().map(|path| (path.clone(), Stat::of(path).ok())).collect();
        let output = self.output().map_err(|error| {
            Diagnostic::new("E0905", format!("cannot run {}", self.compiler.program.display()))
                .note(error.to_string())
                .note(format!("command: {}", self.line()))
        })?;
        let said = [output.stderr, output.stdout].concat();
        let said = String::from_utf8_lossy(&said).trim_end().to_owned();
        if !output.status.success() {
            let problem = Diagnostic::new("E0906", what.to_owned());
            let problem =
                if said.is_empty() { problem.note(output.status.to_string()) } else { problem.note(said) };
            return Err(problem.note(format!("command: {}", self.line())));
        }
        let made = Stat::of(&self.output).map_err(|error| {
            Diagnostic::new("E0906", format!("{what}: the compiler reports success and made nothing"))
                .note(format!("{}: {error}", self.output.display()))
                .note(format!("command: {}", self.line()))
        })?;
        let mut inputs: Vec<(PathBuf, Stat)> =
            before.into_iter().filter_map(|(path, stat)| Some((path, stat?))).collect();
        let listed = depfile.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        for path in depfile::parse(&listed) {
            let path = self.folder.join(path);
            if !inputs.iter().any(|(known, _)| *known == path)
                && let Ok(stat) = Stat::of(&path)
            {
                inputs.push((path, stat));
            }
        }
        Ok((Made { command: self.hash(), inputs, output: made }, said))
    }

    fn output(&self) -> std::io::Result<Output> {
        let mut command = Command::new(&self.compiler.program);
        command.args(&self.compiler.arguments).args(&self.arguments);
        command.envs(self.compiler.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.folder).stdin(Stdio::null()).output()
    }
}
