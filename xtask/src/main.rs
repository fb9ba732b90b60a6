//! Development commands of this repository.
//!
//! `cargo run -p xtask -- docs` writes the pages of `docs/` that are generated from tables in the code; with `--check` it
//! only compares, and fails where a page is out of date.
//!
//! `cargo run -p xtask -- public-api` writes the public interface of the crate `qnn` into `qnn/public-api.txt`; with `--check` it shows
//! what has changed, and fails where anything has.
//!
//! `cargo run --release -p xtask -- reproducible CARGO-QNN SOC FOLDER...` compiles every ONNX file below the folders several times and
//! names those that become other bytes.
//!
//! `cargo run --release -p xtask -- llm-synthetic OUT.gguf` writes a language model of random weights, `llm-corpus` small ones for
//! the fuzz targets.

mod pages;
mod public_api;
mod reproducible;
mod synthetic;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the conformance test's own module; reading is all that pages need"
)]
#[path = "../../conformance/verdict.rs"]
mod verdict;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["docs"] => docs(false),
        ["docs", "--check"] => docs(true),
        ["public-api"] => public_api::run(false),
        ["public-api", "--check"] => public_api::run(true),
        ["llm-synthetic", ref args @ ..] => synthetic::run(args),
        ["reproducible", program, soc, ref folders @ ..] if !folders.is_empty() => {
            reproducible::run(Path::new(program), soc, folders)
        }
        ["llm-corpus", folder] => synthetic::corpus(Path::new(folder)),
        _ => {
            eprintln!("usage: cargo run -p xtask -- docs [--check]");
            eprintln!("       cargo run -p xtask -- public-api [--check]");
            eprintln!("       cargo run --release -p xtask -- {}", synthetic::USAGE);
            eprintln!("       cargo run --release -p xtask -- llm-corpus FOLDER    (fuzz/corpus)");
            eprintln!("       cargo run --release -p xtask -- {}", reproducible::USAGE);
            ExitCode::from(2)
        }
    }
}

fn docs(check: bool) -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut stale = 0;
    for (name, text) in pages::all() {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            eprintln!("docs/{name} is out of date; run `cargo run -p xtask -- docs`");
            stale += 1;
        } else if let Err(error) = std::fs::write(&path, text) {
            eprintln!("docs/{name}: {error}");
            stale += 1;
        }
    }
    if stale == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_pages_are_those_of_the_tables() {
        assert_eq!(docs(true), ExitCode::SUCCESS, "run `just docs`");
    }
}
