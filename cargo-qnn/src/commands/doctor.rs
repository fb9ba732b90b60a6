//! `cargo qnn doctor`: what works on this machine, what does not, and what to do.

use clap::Args;
use serde::Serialize;

use crate::codes;
use crate::doctor::{self, Answer, CHECKS, Check, Verdict};
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::session::Session;

/// Arguments of `cargo qnn doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Run only these checks
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// The whole answer.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    /// The worst of all verdicts.
    verdict: Verdict,
    checks: Vec<Answer>,
}

pub(crate) fn run(session: &Session, args: &DoctorArgs) -> Result<Exit> {
    let checks = selected(&args.checks)?;
    let answers = doctor::run_all(&checks);
    // What is skipped is not needed here: a machine on which all the rest is well is well.
    let counted = answers.iter().map(|answer| answer.verdict).filter(|verdict| *verdict != Verdict::Skip);
    let worst = counted.max().unwrap_or(Verdict::Ok);
    if args.json {
        let version = env!("CARGO_PKG_VERSION");
        session.term.json(&Report { version, verdict: worst, checks: answers })?;
    } else {
        let width = answers.iter().map(|answer| answer.id.len()).max().unwrap_or(0);
        for Answer { id, verdict, detail, remedy, title, .. } in &answers {
            session.term.data(format!("{:<4}  {id:<width$}  {title}: {detail}", verdict.word()))?;
            if let Some(remedy) = remedy {
                session.term.data(format!("      {:<width$}  help: {remedy}", ""))?;
            }
        }
    }
    Ok(if worst == Verdict::Fail { Exit::Toolchain } else { Exit::Ok })
}

fn selected(ids: &[String]) -> Result<Vec<Check>> {
    if ids.is_empty() {
        return Ok(CHECKS.to_vec());
    }
    let find = |id: &String| {
        CHECKS.iter().find(|check| check.id == id).copied().ok_or_else(|| {
            Failure::new(Exit::Usage, codes::ARGUMENT, format!("`{id}` is not a check"))
                .help(format!("the checks are: {}", list(CHECKS.iter().map(|check| check.id))))
        })
    };
    ids.iter().map(find).collect()
}
