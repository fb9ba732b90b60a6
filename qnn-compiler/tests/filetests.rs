//! File tests: graphs as text in `qnn-compiler/tests/filetests`, what a stage, lowering or the verifier makes of each, and what is expected.
//!
//! ```text
//! ; test fuse                        which stage of `passes::STAGES`; verify, physical, device; place SOC; lower SOC
//! ; What the test is about.
//! graph t                            the input; result types that the inference table knows need not be written
//! ...
//! ; check: Gelu(%x)                  a line of the output that has this text; the next check is for a line below; ` ... ` is any text
//! ; not: Erf                         no line between the checks around it has this text
//! ; count: Mul 2                     how many lines of the output have this operator
//! ; expect                           instead, or too: from here on is the output, line by line
//! ```
//!
//! `cargo test -p qnn-compiler --test filetests -- fuse` runs files whose paths contain `fuse`. `QNN_BLESS=1` in front of it writes
//! outputs behind `; expect`: read what it wrote before you commit it. These tests hold the form of graphs. Numbers are held by the
//! suites that compare with ONNX Runtime: a file that is blessed shows what the code does, not that it is right.

#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "filetest/command.rs"]
mod command;
#[path = "filetest/expect.rs"]
mod expect;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lines of a file: what does not fit a screen is two tests.
const LINES: usize = 40;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let name = |file: &PathBuf| file.strip_prefix(&folder).unwrap().display().to_string();
    let all = files.len();
    files.retain(|file| filters.is_empty() || filters.iter().any(|filter| name(file).contains(&**filter)));
    if args.iter().any(|arg| arg == "--list") {
        files.iter().for_each(|file| println!("{}: test", name(file)));
        return ExitCode::SUCCESS;
    }
    #[expect(clippy::disallowed_methods, reason = "of this test only")]
    let bless = std::env::var_os("QNN_BLESS").is_some();
    println!("\nrunning {} tests", files.len());
    let mut failed = 0;
    for file in &files {
        if let Err(why) = test(file, bless) {
            failed += 1;
            println!("test {} ... FAILED\n{why}\n", name(file));
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out\n",
        files.len() - failed,
        all - files.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "graph") {
            files.push(path);
        }
    }
}

fn test(file: &Path, bless: bool) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let lines = text.lines().count();
    if lines > LINES {
        return Err(format!("it has {lines} lines; {LINES} are the most"));
    }
    let parts = expect::Parts::of(&text)?;
    let output = command::run(parts.command, parts.input)?;
    if bless && let Some(blessed) = parts.blessed(&output) {
        return fs::write(file, blessed).map_err(|error| error.to_string());
    }
    parts.hold(&output)
}
