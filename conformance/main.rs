//! The ONNX project's own operator tests, compiled for HTP and executed in its emulator.
//!
//! `cargo test -p qnn-compiler --test conformance` runs all of them and fails where a verdict is worse than the one that
//! `verdicts.tsv` records; `-- --update` (`just conformance`) records what it finds. `-- NAME …` runs the cases whose names
//! contain one of the words and prints each, `-- =NAME` the one of that name; `-- --folder` says where the cases are.
//!
//! A case passes if every element is within 1e-2 of its expected value plus 2e-3 of the largest one (at least 0.05);
//! integers and booleans have to be equal, but for what a case itself quantizes: from fp16 it may be one step off.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code, of which each test target uses a part"
)]

mod cases;
#[path = "../qnn-compiler/tests/emulate/mod.rs"]
mod emulate;
mod verdict;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use cases::Case;
use emulate::pool::{self, Ended};
use emulate::{compare, jobs};
use qnn_compiler::npz::{self, Array};
use qnn_types::Toolchain;
use verdict::{Outcome, Outcomes, Verdict};

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/verdicts.tsv");
/// Cases that quantize.
const QUANTIZING: [&str; 3] = ["test_quantizelinear", "test_dynamicquantizelinear", "test_qlinear"];
/// The argument before the folder of the cases, for children.
const FOLDER: &str = "--cases=";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = args.iter().find_map(|a| a.strip_prefix(FOLDER)).unwrap_or_default();
    let soc = jobs::soc();
    if let Some(code) = pool::serve(|name| judge(&Path::new(folder).join(name), &soc).to_string()) {
        return code;
    }
    let (folder, cases) = cases::all().unwrap_or_else(|error| panic!("{error}"));
    let has = |flag: &str| args.iter().any(|a| a == flag);
    if has("--folder") {
        println!("{}", folder.display());
        return ExitCode::SUCCESS;
    }
    let words: Vec<&str> = args.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| {
        words.is_empty() || words.iter().any(|w| w.strip_prefix('=').map_or(name.contains(w), |w| name == w))
    };
    if has("--list") {
        cases.iter().filter(|c| wanted(&c.name)).for_each(|c| println!("{}: test", c.name));
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    let wanted: Vec<&Case> = cases.iter().filter(|c| wanted(&c.name)).collect();
    let outcomes = run(&wanted, &folder, &soc);
    let counts = verdict::count(outcomes.values().map(|(_, outcome)| outcome));
    let count = |v| counts.get(&v).copied().unwrap_or(0);
    let summary = Verdict::ALL.map(|v| format!("{} {}", count(v), v.name())).join(", ");
    println!("{} cases in {:.0} s: {summary}", outcomes.len(), started.elapsed().as_secs_f64());
    if !words.is_empty() {
        outcomes.iter().for_each(|(name, (_, outcome))| println!("{name}\t{outcome}"));
        return compare_with_record(&outcomes, false);
    }
    if has("--update") {
        std::fs::write(RECORD, verdict::write(&outcomes)).unwrap_or_else(|e| panic!("{RECORD}: {e}"));
        return ExitCode::SUCCESS;
    }
    compare_with_record(&outcomes, true)
}

fn run(cases: &[&Case], folder: &Path, soc: &str) -> Outcomes {
    let outcomes: Mutex<Outcomes> = Mutex::default();
    let record = |case: &Case, outcome| {
        outcomes.lock().unwrap().insert(case.name.clone(), (case.op.clone(), outcome));
    };
    let names: Vec<&str> = cases.iter().map(|c| &*c.name).collect();
    let arguments = [format!("{FOLDER}{}", folder.display()), format!("--soc={soc}")];
    pool::each(&names, &arguments, |name, ended| {
        let outcome = match ended {
            Ended::Answered(said) => {
                Outcome::parse(&said).unwrap_or_else(|| Outcome::new(Verdict::Crash, &said))
            }
            Ended::Died(how) => Outcome::new(Verdict::Crash, &how),
        };
        if let Some(case) = cases.iter().find(|c| c.name == name) {
            // A case of strings or the like may compile only by a mistake.
            let unjudged = outcome.verdict == Verdict::Crash && !case.unstorable.is_empty();
            record(case, if unjudged { Outcome::new(Verdict::Wrong, &case.unstorable) } else { outcome });
        }
    });
    outcomes.into_inner().unwrap()
}

/// Compiles and executes the case of a folder.
fn judge(folder: &Path, soc: &str) -> Outcome {
    let toolchain = match jobs::toolchain() {
        Ok(toolchain) => toolchain,
        Err(error) => return Outcome::new(Verdict::Crash, &error),
    };
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("model.bin");
    // A case of strings or the like has no arrays.
    let given = npz::read(&folder.join("inputs.npz")).unwrap_or_default();
    let report = match jobs::compile(&folder.join("model.onnx"), &binary, &given, &toolchain, soc) {
        Ok(report) => report,
        Err(problems) => {
            let first = &problems.0[0];
            return Outcome::new(Verdict::Refused, &format!("{} {}", first.code, first.message));
        }
    };
    // The compiler leaves out inputs that no output depends on, and says so.
    let needed = |name: &str| report.graphs[0].inputs.iter().any(|input| input.name == name);
    let given: Vec<(String, Array)> = given
        .iter()
        .filter(|(name, _)| needed(name))
        .map(|(name, array)| (name.clone(), jobs::narrowed(array)))
        .collect();
    match execute(&given, folder, &binary, &toolchain) {
        Ok(difference) => match difference {
            None => Outcome::new(Verdict::Pass, ""),
            Some(difference) => Outcome::new(Verdict::Wrong, &difference),
        },
        Err(error) => Outcome::new(Verdict::Crash, &error),
    }
}

/// What differs from the expected values, if anything; an error where there are no values.
fn execute(
    given: &[(String, Array)],
    folder: &Path,
    binary: &Path,
    toolchain: &Toolchain,
) -> Result<Option<String>, String> {
    let (inputs, outputs) = (binary.with_extension("in.npz"), binary.with_extension("out.npz"));
    npz::write(&inputs, given.iter().map(|(n, a)| (&**n, a))).map_err(|e| e.to_string())?;
    jobs::execute(binary, &inputs, &outputs, toolchain).map_err(|p| jobs::text(&p))?;
    let read = |path: &Path| npz::read(path).map_err(|e| e.to_string());
    let (got, expected) = (read(&outputs)?, read(&folder.join("expected.npz"))?);
    let (stored, plain): (Vec<_>, Vec<_>) = expected.iter().partition(|(_, array)| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        array.dtype.size() == 1 && QUANTIZING.iter().any(|q| name.starts_with(q))
    });
    let names = |of: &[&(String, Array)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let compared = compare::all(&names(&plain), &got, &expected)
        .and_then(|()| compare::all_within(1, &names(&stored), &got, &expected));
    Ok(compared.err())
}

/// Fails where a case is worse than its record, and where one of the record is missing if these are to be `all`.
fn compare_with_record(outcomes: &Outcomes, all: bool) -> ExitCode {
    let recorded = std::fs::read_to_string(RECORD).unwrap_or_else(|e| panic!("{RECORD}: {e}"));
    let recorded = verdict::read(&recorded).unwrap_or_else(|| panic!("{RECORD} is damaged"));
    let (mut worse, mut better) = (Vec::new(), 0);
    for (name, (_, now)) in outcomes {
        match recorded.get(name).map(|(_, before)| before) {
            None => worse.push(format!("{name}: not recorded, now {now}")),
            Some(before) if before.verdict < now.verdict => {
                worse.push(format!("{name}: recorded {}, now {now}", before.verdict.name()));
            }
            Some(before) => better += usize::from(before.verdict > now.verdict),
        }
    }
    if all {
        worse.extend(recorded.keys().filter(|n| !outcomes.contains_key(*n)).map(|n| format!("{n}: is gone")));
    }
    if better > 0 {
        println!("{better} cases are better than recorded; `just conformance` records it");
    }
    if worse.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("worse than recorded in conformance/verdicts.tsv:\n  {}", worse.join("\n  "));
    ExitCode::from(101)
}
