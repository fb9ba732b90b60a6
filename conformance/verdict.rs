//! What became of each case, and the list of it that is kept in the repository.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Compiled, executed, and equal within the tolerance.
    Pass,
    /// Not compiled: a diagnostic says why.
    Refused,
    /// Compiled and executed, with other numbers than expected.
    Wrong,
    /// The compiler, the vendor's library or the emulator ended the process, hung or failed without a diagnostic of ours.
    Crash,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Pass, Self::Refused, Self::Wrong, Self::Crash];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Refused => "refused",
            Self::Wrong => "wrong",
            Self::Crash => "crash",
        }
    }
}

/// The verdict on one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// Code and first line of the diagnostic, or what differs; empty for a pass.
    pub reason: String,
}

impl Outcome {
    pub fn new(verdict: Verdict, reason: &str) -> Self {
        Self { verdict, reason: reason.lines().next().unwrap_or_default().replace('\t', " ") }
    }

    /// From the line that [`Display`] writes.
    pub fn parse(line: &str) -> Option<Self> {
        let (verdict, reason) = line.split_once('\t')?;
        let verdict = Verdict::ALL.into_iter().find(|v| v.name() == verdict)?;
        Some(Self { verdict, reason: reason.to_owned() })
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}", self.verdict.name(), self.reason)
    }
}

/// Operator and outcome of every case, by name.
pub type Outcomes = BTreeMap<String, (String, Outcome)>;

/// Reads `verdicts.tsv`: case, operator, verdict and reason a line.
pub fn read(text: &str) -> Option<Outcomes> {
    let line = |line: &str| {
        let (name, rest) = line.split_once('\t')?;
        let (op, outcome) = rest.split_once('\t')?;
        Some((name.to_owned(), (op.to_owned(), Outcome::parse(outcome)?)))
    };
    text.lines().map(line).collect()
}

/// The text of `verdicts.tsv`.
pub fn write(outcomes: &Outcomes) -> String {
    outcomes.iter().map(|(name, (op, outcome))| format!("{name}\t{op}\t{outcome}\n")).collect()
}

/// Number of cases by verdict.
pub fn count<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> BTreeMap<Verdict, usize> {
    outcomes.into_iter().fold(BTreeMap::new(), |mut counts, outcome| {
        *counts.entry(outcome.verdict).or_default() += 1;
        counts
    })
}
