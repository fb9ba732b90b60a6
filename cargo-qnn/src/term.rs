//! The terminal: status lines as cargo prints them, diagnostics, progress bars, and data on standard output.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use qnn_platform::text::shown;
use qnn_types::Diagnostic;
use serde::Serialize;

use crate::failure::{Failure, Result};

const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// When to use colours, as cargo's `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// As cargo's flag takes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ColorChoice::Auto => "auto",
            ColorChoice::Always => "always",
            ColorChoice::Never => "never",
        }
    }
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Status lines.
    Normal,
    /// Also the commands that are run.
    Verbose,
    /// Also what the vendor library says.
    VeryVerbose,
}

/// Standard output and standard error of this process.
pub(crate) struct Terminal {
    pub(crate) verbosity: Verbosity,
    color: bool,
    bars: MultiProgress,
    /// Whether an answer in JSON is on standard output.
    answered: AtomicBool,
}

impl Terminal {
    /// `progress` says whether bars may be drawn at all; they also need a terminal.
    pub(crate) fn new(verbosity: Verbosity, color: ColorChoice, no_color: bool, progress: bool) -> Self {
        let tty = std::io::stderr().is_terminal();
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => tty && !no_color,
        };
        let draw = tty && progress && verbosity > Verbosity::Quiet;
        let target = if draw { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let answered = AtomicBool::new(false);
        Self { verbosity, color, bars: MultiProgress::with_draw_target(target), answered }
    }

    /// Whether a person sees what is drawn on standard error.
    pub(crate) fn is_interactive(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// Whether colours are written to standard error.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    /// `   Compiling digits (SM8650)`: a green verb and what it is about.
    pub(crate) fn status(&self, verb: &str, what: impl Display) {
        self.line(Verbosity::Normal, GREEN, verb, &what);
    }

    /// As [`Terminal::status`], only with `-v`.
    pub(crate) fn verbose(&self, verb: &str, what: impl Display) {
        self.line(Verbosity::Verbose, CYAN, verb, &what);
    }

    fn line(&self, least: Verbosity, style: Style, verb: &str, what: &dyn Display) {
        if self.verbosity >= least {
            let what = what.to_string();
            self.eprint(&format!("{} {}", self.paint(style, &format!("{verb:>12}")), shown(&what)));
        }
    }

    /// `warning: …`, with notes and help where the diagnostic has them.
    pub(crate) fn warning(&self, diagnostic: &Diagnostic) {
        if self.verbosity > Verbosity::Quiet {
            self.eprint(&self.render(diagnostic, "warning", YELLOW));
        }
    }

    /// A warning that is one sentence.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        self.warning(&Diagnostic { message: message.into(), ..Diagnostic::default() });
    }

    /// `note: …`
    pub(crate) fn note(&self, message: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.eprint(&format!(
                "{}{}",
                self.paint(CYAN, "note"),
                self.paint(BOLD, &format!(": {}", shown(&message.to_string())))
            ));
        }
    }

    /// `error[qnn::E0103]: …`, with notes and help where the diagnostics have them. Those that differ only in their place are
    /// shown as one with all places.
    pub(crate) fn errors(&self, diagnostics: &[Diagnostic]) {
        for (diagnostic, places) in grouped(diagnostics) {
            self.eprint(&self.render_at(diagnostic, &places, "error", RED));
        }
    }

    fn render(&self, diagnostic: &Diagnostic, level: &str, style: Style) -> String {
        self.render_at(diagnostic, &places(diagnostic), level, style)
    }

    fn render_at(&self, diagnostic: &Diagnostic, places: &[String], level: &str, style: Style) -> String {
        let head = match diagnostic.code.as_str() {
            "" => level.to_owned(),
            code => format!("{level}[qnn::{code}]"),
        };
        let mut text = format!(
            "{}{}",
            self.paint(style, &head),
            self.paint(BOLD, &format!(": {}", shown(&diagnostic.message)))
        );
        for place in places {
            text += &format!("\n {} {}", self.paint(CYAN, "-->"), shown(place));
        }
        for note in &diagnostic.notes {
            let note = shown(note.trim_end()).replace('\n', "\n           ");
            text += &format!("\n  {} note: {note}", self.paint(CYAN, "="));
        }
        if let Some(help) = &diagnostic.help {
            text += &format!("\n{}: {}", self.paint(CYAN, "help"), shown(help));
        }
        text
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Writes a line to standard error, above the progress bars. A closed standard error is no reason to stop.
    fn eprint(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        });
    }

    /// Lets `action` write to the terminal without the bars in its way.
    pub(crate) fn suspend<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bars.suspend(action)
    }

    /// A bar over `total` bytes; hidden when the output is no terminal.
    pub(crate) fn bytes_bar(&self, verb: &str, total: u64) -> ProgressBar {
        let template = "{msg:>12.cyan.bold} [{bar:27}] {decimal_bytes}/{decimal_total_bytes} {elapsed}";
        let bar = ProgressBar::hidden().with_style(style(template)).with_message(verb.to_owned());
        bar.set_length(total);
        self.bars.add(bar)
    }

    /// A line with a spinner and the elapsed time, for work whose length is unknown; hidden when the output is no terminal.
    pub(crate) fn spinner(&self, verb: &str, what: &str) -> ProgressBar {
        let style = style("{prefix:>12.cyan.bold} {msg} {spinner} {elapsed}");
        let bar = ProgressBar::hidden().with_style(style);
        let bar = self.bars.add(bar.with_prefix(verb.to_owned()).with_message(shown(what).into_owned()));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Data on standard output, with a line end. A reader who closed the pipe wants no more of it: that ends the
    /// process quietly, as it does for other Unix tools.
    pub(crate) fn data(&self, text: impl Display) -> Result<()> {
        let mut stdout = std::io::stdout().lock();
        let text = text.to_string();
        match writeln!(stdout, "{}", shown(&text)).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Err(Failure::silent(crate::exit::Exit::Ok))
            }
            Err(error) => Err(Failure::user("cannot write to standard output").note(error.to_string())),
        }
    }

    /// One JSON document on standard output, indented.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::user("cannot express the result as JSON").note(error.to_string()))?;
        self.answered.store(true, Ordering::Relaxed);
        self.data(text)
    }

    /// Whether [`Terminal::json`] was called: one run answers with one document.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// One JSON message on one line of standard output.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|error| Failure::user("cannot express the message as JSON").note(error.to_string()))?;
        self.data(text)
    }
}

/// Where a diagnostic points: a place in a file, then the model and its node.
fn places(diagnostic: &Diagnostic) -> Vec<String> {
    let model = diagnostic.model.as_ref().map(|model| format!("model `{model}`"));
    let node = match (&diagnostic.node, &diagnostic.op) {
        (Some(node), Some(op)) => Some(format!("node `{node}` ({op})")),
        (Some(node), None) => Some(format!("node `{node}`")),
        (None, Some(op)) => Some(format!("op {op}")),
        (None, None) => None,
    };
    let within: Vec<String> = model.into_iter().chain(node).collect();
    let within = (!within.is_empty()).then(|| within.join(", "));
    diagnostic.at.clone().into_iter().chain(within).collect()
}

/// Diagnostics that say the same of different places, together; in the order of the first of each.
fn grouped(diagnostics: &[Diagnostic]) -> Vec<(&Diagnostic, Vec<String>)> {
    let mut groups: Vec<(&Diagnostic, Vec<String>)> = Vec::new();
    for diagnostic in diagnostics {
        let same = |other: &Diagnostic| {
            let text = |d: &Diagnostic| (d.code.clone(), d.message.clone(), d.notes.clone(), d.help.clone());
            text(other) == text(diagnostic)
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, all)) => {
                for place in places(diagnostic) {
                    if !all.contains(&place) {
                        all.push(place);
                    }
                }
            }
            None => groups.push((diagnostic, places(diagnostic))),
        }
    }
    groups
}

/// The templates are constants of this file; a wrong one would only cost the bar its looks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// `1.4 GB`, `23 MB`, `512 bytes`: sizes for people, in powers of ten as disks and downloads count.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let value = bytes as f64 / *unit as f64;
            if value < 10.0 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
        }
        None => format!("{bytes} bytes"),
    }
}

/// `0.43 s`, `2 m 05 s`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.2}s")
    } else {
        format!("{}m {:02}s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_with_two_significant_digits() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_400_000_000), "1.4 GB");
        assert_eq!(size(23_753_652), "24 MB");
    }

    #[test]
    fn a_diagnostic_shows_code_place_notes_and_help() {
        let term = Terminal::new(Verbosity::Normal, ColorChoice::Never, true, false);
        let diagnostic = Diagnostic {
            code: "E0103".into(),
            message: "op `Foo` is not supported".into(),
            model: Some("digits".into()),
            at: Some("Cargo.toml:12".into()),
            node: Some("Foo_3".into()),
            op: Some("Foo".into()),
            notes: vec!["two\nlines".into()],
            help: Some("use Bar".into()),
        };
        let expected = "error[qnn::E0103]: op `Foo` is not supported\n --> Cargo.toml:12\n --> model `digits`, \
                        node `Foo_3` (Foo)\n  = note: two\n           lines\nhelp: use Bar";
        assert_eq!(term.render(&diagnostic, "error", RED), expected);
    }

    #[test]
    fn names_from_files_do_not_act_on_the_terminal() {
        let term = Terminal::new(Verbosity::Normal, ColorChoice::Always, true, false);
        let bad = "\u{1b}]0;title\u{7}\u{1b}[2J";
        let diagnostic = Diagnostic {
            node: Some(bad.into()),
            at: Some(bad.into()),
            notes: vec![bad.into()],
            help: Some(bad.into()),
            ..Diagnostic::new("E0301", bad)
        };
        let text = term.render(&diagnostic, "error", RED);
        assert!(
            !text.contains("\u{1b}]") && !text.contains("\u{1b}[2J") && !text.contains('\u{7}'),
            "{text:?}"
        );
    }

    #[test]
    fn the_same_problem_of_several_nodes_is_shown_once_with_all_of_them() {
        let at = |node: &str| Diagnostic { node: Some(node.into()), ..Diagnostic::new("E0301", "no Foo") };
        let other = Diagnostic::new("E0302", "bad");
        let all = [at("a"), other, at("b")];
        let groups: Vec<_> =
            grouped(&all).into_iter().map(|(d, places)| (d.code.as_str(), places.len())).collect();
        assert_eq!(groups, [("E0301", 2), ("E0302", 0)]);
    }
}
