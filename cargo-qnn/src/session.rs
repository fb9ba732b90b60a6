//! The state that all commands share: the terminal, and whether the network may be used.

use std::process::Command;

use qnn_platform::env;

use crate::args::GlobalArgs;
use crate::term::{ColorChoice, Terminal, Verbosity};

/// The state of one run.
pub(crate) struct Session {
    pub(crate) term: Terminal,
    /// Whether the network may not be used.
    pub(crate) offline: bool,
    /// What `--color` says.
    color: Option<ColorChoice>,
}

impl Session {
    /// From the global flags and the environment, the flags winning; `frozen` says that the command has cargo's flag of that name.
    pub(crate) fn new(args: &GlobalArgs, frozen: bool) -> Self {
        let verbosity = match (args.quiet, args.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::VeryVerbose,
        };
        let color = args.color.unwrap_or_else(|| match env::string(&env::CARGO_TERM_COLOR).as_deref() {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => ColorChoice::Auto,
        });
        let dumb = env::string(&env::TERM).is_some_and(|term| term == "dumb");
        let no_color = dumb || env::var(&env::NO_COLOR).is_some();
        let progress = match env::string(&env::CARGO_TERM_PROGRESS).as_deref() {
            Some("always") => true,
            Some("never") => false,
            _ => !dumb && env::var(&env::CI).is_none(),
        };
        let offline = frozen
            || args.offline
            || env::string(&env::CARGO_NET_OFFLINE).is_some_and(|v| v == "true" || v == "1");
        Self { term: Terminal::new(verbosity, color, no_color, progress), offline, color: args.color }
    }

    /// Passes the global flags on to a cargo command.
    pub(crate) fn add_to(&self, command: &mut Command) {
        match self.term.verbosity {
            Verbosity::Quiet => command.arg("--quiet"),
            Verbosity::Normal => command,
            Verbosity::Verbose => command.arg("-v"),
            Verbosity::VeryVerbose => command.arg("-vv"),
        };
        if let Some(choice) = self.color {
            command.args(["--color", choice.word()]);
        }
    }
}
