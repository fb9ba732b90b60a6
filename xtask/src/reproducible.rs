//! Compiles models several times, each in a process with another environment, and names those that become other bytes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const USAGE: &str = "reproducible CARGO-QNN SOC FOLDER...";

/// Compiles of one model.
const TIMES: usize = 3;

/// What became of one model.
enum Verdict {
    Same,
    Differs(usize),
    Refused,
}

pub(crate) fn run(program: &Path, soc: &str, folders: &[&str]) -> ExitCode {
    let mut models = Vec::new();
    folders.iter().for_each(|folder| find(Path::new(folder), &mut models));
    models.sort();
    let (next, done) = (AtomicUsize::new(0), Mutex::new([0usize; 3]));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(model) = models.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = judge(program, soc, model);
                    if let Verdict::Differs(ways) = verdict {
                        println!("{}: {ways} of {TIMES}", model.display());
                    }
                    let mut counts = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    counts[match verdict {
                        Verdict::Same => 0,
                        Verdict::Differs(_) => 1,
                        Verdict::Refused => 2,
                    }] += 1;
                }
            });
        }
    });
    let [same, differ, refused] = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{same} models become the same bytes every time, {differ} differ, {refused} do not compile");
    if differ == 0 && same > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// ONNX files below a folder.
fn find(at: &Path, models: &mut Vec<PathBuf>) {
    if at.extension().is_some_and(|e| e == "onnx") {
        models.push(at.to_owned());
    }
    for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
        find(&entry.path(), models);
    }
}

fn judge(program: &Path, soc: &str, model: &Path) -> Verdict {
    let mut made = HashSet::new();
    for i in 0..TIMES {
        let out = std::env::temp_dir().join(format!("reproducible-{}.bin", unique()));
        let compiled = Command::new(program)
            .arg("compile")
            .arg(model)
            .args(["--soc", soc, "--quiet", "-o"])
            .arg(&out)
            .env("PADDING", "x".repeat(i * 1511))
            .env("MALLOC_PERTURB_", (i * 83).to_string())
            .output();
        let bytes = std::fs::read(&out);
        let _ = std::fs::remove_file(&out);
        match (compiled, bytes) {
            (Ok(output), Ok(bytes)) if output.status.success() => drop(made.insert(bytes)),
            _ => return Verdict::Refused,
        }
    }
    if made.len() == 1 { Verdict::Same } else { Verdict::Differs(made.len()) }
}

fn unique() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
