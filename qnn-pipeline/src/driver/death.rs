//! Diagnoses a worker process that ended without an answer.

use std::process::ExitStatus;
use std::time::Duration;

use qnn_types::{Diagnostic, Stage};

/// How a worker ended.
pub(super) struct Death<'a> {
    pub(super) status: Option<ExitStatus>,
    /// The SoC it compiled for; may be empty.
    pub(super) soc: &'a str,
    /// The last stage it announced.
    pub(super) stage: Stage,
    pub(super) elapsed: Duration,
    /// The time it was given, when that was what ended it.
    pub(super) timeout: Option<Duration>,
    /// Whether it wrote too much that is no event.
    pub(super) garbage: bool,
    /// Ops of packages whose code may have been running.
    pub(super) at_risk: &'a [String],
    /// The last of what it wrote to standard error.
    pub(super) stderr: &'a str,
    /// Whether the kernel ended a process for lack of memory meanwhile.
    pub(super) oom_kill: bool,
}

/// Signals as Linux numbers them, what they are called, what they say.
const SIGNALS: &[(i32, &str, &str)] = &[
    (1, "SIGHUP", "hangup"),
    (2, "SIGINT", "interrupt"),
    (3, "SIGQUIT", "quit"),
    (4, "SIGILL", "illegal instruction"),
    (5, "SIGTRAP", "trap"),
    (6, "SIGABRT", "abort"),
    (7, "SIGBUS", "bus error"),
    (8, "SIGFPE", "division by zero"),
    (9, "SIGKILL", "killed"),
    (11, "SIGSEGV", "invalid memory access"),
    (13, "SIGPIPE", "broken pipe"),
    (15, "SIGTERM", "terminated"),
    (24, "SIGXCPU", "processor time limit"),
    (25, "SIGXFSZ", "file size limit"),
    (31, "SIGSYS", "forbidden system call"),
];
/// Signals that ask a program to end.
const ASKED: &[i32] = &[1, 2, 3, 15];
const SIGKILL: i32 = 9;
/// What a process says that could get no memory.
const OUT_OF_MEMORY: &[&str] =
    &["bad_alloc", "memory allocation of", "out of memory", "Out of memory", "Cannot allocate memory"];
/// Lines of standard error that are shown.
const SHOWN: usize = 8;

impl Death<'_> {
    pub(super) fn diagnostic(&self) -> Diagnostic {
        let stage = match self.soc {
            "" => self.stage.to_string(),
            soc => format!("{} for {soc}", self.stage),
        };
        let after = format!("after {:.1} s", self.elapsed.as_secs_f64());
        let said_memory = OUT_OF_MEMORY.iter().any(|text| self.stderr.contains(text));
        let signal = self.status.and_then(signal);
        let out_of_memory = |how: &str| {
            Diagnostic::new("E0504", format!("out of memory while {stage}, {after}")).note(how).help(
                "run fewer jobs at once (-j 1, --mem-limit MIB), or compile on a machine with more memory",
            )
        };
        let problem = if let Some(timeout) = self.timeout {
            let limit = format!("{} s", timeout.as_secs_f64());
            Diagnostic::new("E0505", format!("not finished in {limit}, stopped while {stage}"))
                .help("raise --timeout (or QNN_TIMEOUT), or compile with htp.optimization = 1")
        } else if self.garbage {
            Diagnostic::new("E0506", "the worker writes what is no answer").help("is CARGO_QNN a cargo-qnn?")
        } else if let Some(signal) = signal {
            let (name, says) = SIGNALS
                .iter()
                .find(|(number, ..)| *number == signal)
                .map_or((format!("signal {signal}"), "ended by a signal"), |(_, name, says)| {
                    ((*name).to_owned(), *says)
                });
            if signal == SIGKILL {
                out_of_memory(if self.oom_kill {
                    "the process was ended by SIGKILL: by the kernel's out-of-memory killer"
                } else {
                    "the process was ended by SIGKILL: most likely by the out-of-memory killer of the kernel or the container"
                })
            } else if said_memory {
                out_of_memory(&format!("the process ended by {name}, and said that it got no memory"))
            } else if ASKED.contains(&signal) {
                Diagnostic::new("E0509", format!("stopped from outside by {name} while {stage}, {after}"))
            } else if !self.at_risk.is_empty() {
                self.package_crashed(&format!("{name}: {says}"), &stage, &after)
            } else {
                Diagnostic::new(
                    "E0503",
                    format!("the compiler crashed ({name}: {says}) while {stage}, {after}"),
                )
                .help(self.after_a_crash())
            }
        } else if said_memory {
            out_of_memory("the process said that it got no memory")
        } else if self.status.and_then(|status| status.code()) == Some(101) {
            Diagnostic::new("E0510", format!("the worker panicked while {stage}, {after}"))
                .help("this is a defect of cargo-qnn: please report it; QNN_KEEP=folder keeps the job")
        } else {
            let status = self.status.map_or("no exit status".to_owned(), |status| status.to_string());
            if self.status.is_some() && !self.at_risk.is_empty() {
                return self.with_last_words(self.package_crashed(&status, &stage, &after));
            }
            Diagnostic::new(
                "E0506",
                format!("the worker ended without an answer ({status}) while {stage}, {after}"),
            )
        };
        self.with_last_words(problem)
    }

    /// What to try. The vendor's optimizer dies of some graphs at one level and not at another.
    fn after_a_crash(&self) -> &'static str {
        match self.stage {
            Stage::Finalize => {
                "try another optimization level: --optimization 3 or 1, in Cargo.toml `htp.optimization` of the model; QNN_KEEP=folder \
                 keeps the job for a report"
            }
            _ => "`cargo qnn check` finds many causes; QNN_KEEP=folder keeps the job for a report",
        }
    }

    /// A crash while code of an op package may have been running.
    fn package_crashed(&self, how: &str, stage: &str, after: &str) -> Diagnostic {
        let (whose, rest) = match self.at_risk {
            [only] => (format!("op {only}"), String::new()),
            all => ("one of the model's own ops".to_owned(), format!(": {}", all.join(", "))),
        };
        Diagnostic::new("E0911", format!("{whose} crashed, or the compiler on its account ({how}), while {stage}, {after}"))
            .note(format!("code of op packages was running{rest}"))
            .help(
                "look for reads and writes beyond the tensors in the op's kernel, and test the kernel by itself under a sanitizer; \
                 QNN_KEEP=folder keeps the job",
            )
    }

    fn with_last_words(&self, problem: Diagnostic) -> Diagnostic {
        match last_lines(self.stderr) {
            lines if lines.is_empty() => problem,
            lines => problem.note(format!("its last words:\n{lines}")),
        }
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}

/// The signal that ended a process. Programs started through a shell report it as an exit code above 128.
fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(signal);
    }
    status.code().map(|code| code - 128).filter(|signal| SIGNALS.iter().any(|(known, ..)| known == signal))
}

/// How many processes the kernel has ended for lack of memory since it started.
pub(super) fn oom_kills() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}
