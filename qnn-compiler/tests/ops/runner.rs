//! Runs the cases, and speaks like the standard test runner.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use qnn_compiler::npz::{self, Array};

use crate::case::{Case, Draft, Expect};
use crate::emulate::pool::{self, Ended};
use crate::emulate::{canonical, compare, jobs};

pub fn main(cases: &[Case]) -> ExitCode {
    let soc = jobs::soc();
    let served = pool::serve(|name| match cases.iter().find(|c| c.name == name) {
        None => "there is no such case".to_owned(),
        Some(case) => run(case, &soc).err().unwrap_or_else(|| "ok".to_owned()),
    });
    if let Some(code) = served {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let exact = args.iter().any(|a| a == "--exact");
    let filters: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let wanted: Vec<&str> = cases
        .iter()
        .map(|c| &*c.name)
        .filter(|name| {
            filters.is_empty() || filters.iter().any(|f| if exact { name == *f } else { name.contains(&**f) })
        })
        .collect();
    if args.iter().any(|a| a == "--list") {
        wanted.iter().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    parent(&wanted, cases.len(), &soc)
}

fn parent(cases: &[&str], all: usize, soc: &str) -> ExitCode {
    let started = Instant::now();
    println!("\nrunning {} tests", cases.len());
    let failures: Mutex<Vec<(String, String)>> = Mutex::default();
    pool::each(cases, &[format!("--soc={soc}")], |name, ended| {
        let why = match ended {
            Ended::Answered(said) if said == "ok" => return println!("test {name} ... ok"),
            Ended::Answered(why) | Ended::Died(why) => why,
        };
        println!("test {name} ... FAILED");
        failures.lock().unwrap().push((name.to_owned(), why));
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(name, why)| println!("\n---- {name} ----\n{why}"));
    }
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        cases.len() - failures.len(),
        failures.len(),
        all - cases.len(),
        started.elapsed().as_secs_f64()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn run(case: &Case, soc: &str) -> Result<(), String> {
    let soc = case.soc.unwrap_or(soc);
    let mut draft = Draft::new(&case.name);
    (case.build)(&mut draft);
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let dir = dir.path();
    let source = draft.model.save(dir);
    let subject = match &draft.subject {
        None => source.clone(),
        Some(model) => {
            let dir = dir.join("subject");
            std::fs::create_dir(&dir).map_err(|e| e.to_string())?;
            model.save(&dir)
        }
    };
    let toolchain = jobs::toolchain()?;
    let binary = dir.join("model.bin");
    let compiled = jobs::compile(&subject, &binary, &[], &toolchain, soc);
    if let Expect::Refused(code, words) = case.expect {
        return match compiled {
            Ok(_) => Err("it was compiled".to_owned()),
            Err(problems) => {
                let found = problems.0.iter().any(|p| p.code == code && p.to_string().contains(words));
                if found {
                    Ok(())
                } else {
                    Err(format!("expected {code} with {words:?}, got: {}", jobs::text(&problems)))
                }
            }
        };
    }
    let report = compiled.map_err(|p| format!("compile: {}", jobs::text(&p)))?;
    if let Some(most) = case.most_ops.filter(|&most| report.ops > most) {
        return Err(format!("it became {} HTP ops; the pattern is {most}", report.ops));
    }
    let write = |file: &str, arrays: &[(String, Array)]| {
        let path = dir.join(file);
        npz::write(&path, arrays.iter().map(|(n, a)| (&**n, a))).map_err(|e| e.to_string())?;
        Ok::<_, String>(path)
    };
    let outputs: Vec<String> = draft.model.graph().output.iter().map(|o| o.name.clone()).collect();
    let (inputs, expected) = (write("in.npz", &draft.inputs)?, dir.join("reference.npz"));
    jobs::reference(&source, &inputs, &expected, outputs.clone(), &toolchain)
        .map_err(|p| format!("reference: {}", jobs::text(&p)))?;
    let read = |file: &Path| npz::read(file).map_err(|e| e.to_string());
    let expected = read(&expected)?;
    let canonical = canonical::outputs(&subject, &draft.inputs, &toolchain, soc)
        .map_err(|p| format!("canonical graph: {}", jobs::text(&p)))?;
    compare::like(&canonical, &expected).map_err(|why| format!("canonical graph: {why}"))?;
    let narrow: Vec<(String, Array)> =
        draft.inputs.iter().map(|(n, a)| (n.clone(), jobs::narrowed(a))).collect();
    let got = dir.join("out.npz");
    jobs::execute(&binary, &write("narrow.npz", &narrow)?, &got, &toolchain)
        .map_err(|p| format!("execute: {}", jobs::text(&p)))?;
    let got = read(&got)?;
    match case.expect {
        Expect::Steps(steps) => compare::all_within(steps, &outputs, &got, &expected),
        _ => compare::all(&outputs, &got, &expected),
    }
}
