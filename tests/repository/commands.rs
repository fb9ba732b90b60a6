//! `cargo qnn WORD --option`, wherever it stands: in pages, comments, messages and scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::texts;

/// What `--help` of a command says.
#[derive(Default)]
struct Help {
    options: BTreeSet<String>,
    commands: BTreeMap<String, Help>,
}

/// Asks a command, and those below it.
fn help(path: &[&str]) -> Help {
    let output =
        Command::new(env!("CARGO_BIN_EXE_cargo-qnn")).arg("qnn").args(path).arg("--help").output().unwrap();
    assert!(output.status.success(), "{path:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut options, mut commands) = (BTreeSet::new(), BTreeMap::new());
    let mut listing = false;
    for line in text.lines() {
        let words = line.trim_start().split([' ', ',', '=']).filter(|word| !word.is_empty());
        if line.trim_start().starts_with('-') {
            options.extend(
                words
                    .take_while(|word| word.starts_with('-'))
                    .map(|word| word.trim_end_matches('.').to_owned()),
            );
        } else if !line.starts_with(' ') {
            listing = line == "Commands:";
        } else if let (true, Some(name)) = (listing, words.clone().next()) {
            // `help` takes the name of any command, and has no help of its own.
            let below = [path, &[name]].concat();
            let help = if name == "help" { Help::default() } else { help(&below) };
            commands.insert(name.to_owned(), help);
        }
    }
    Help { options, commands }
}

/// The words of a command line behind `cargo qnn`, up to what ends it in a shell, in Markdown or in a string.
fn words(rest: &str) -> impl Iterator<Item = &str> {
    let end = rest.find(['`', '"', '\n', '#', '|', ';', '&', '(', ')', '\\', '…', '>']).unwrap_or(rest.len());
    let plain = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric() || "-.".contains(c)) && *word != "--"
    };
    rest[..end].split_whitespace().take_while(plain)
}

/// What is wrong with a command line.
fn fault(help: &Help, rest: &str) -> Option<String> {
    let mut at = help;
    let mut named = false;
    for word in words(rest) {
        let word = word.trim_end_matches(['.', ',', ':', '\'']);
        if let Some(option) = word.strip_prefix('-').map(|_| word.split(['=', '/']).next().unwrap_or(word)) {
            if !at.options.contains(option) {
                return Some(format!("no option {option}"));
            }
        } else if !at.commands.is_empty() {
            match at.commands.get(word) {
                Some(below) => at = below,
                None if named || !word.chars().all(|c| c.is_ascii_lowercase() || c == '-') => return None,
                None => return Some(format!("no command {word:?}")),
            }
            named = true;
        }
    }
    None
}

#[test]
fn every_command_and_option_that_is_named_exists() {
    let help = help(&[]);
    assert!(
        help.commands.contains_key("build") && help.commands["toolchain"].commands.contains_key("install")
    );
    assert!(
        fault(&help, "bundle x").is_some() && fault(&help, "build --no-such").is_some(),
        "faults are found"
    );
    let mut found = Vec::new();
    let kinds = [".md", ".rs", ".toml", ".sh", "justfile", "run", ".py", ".txt", ".yml", ".stderr"];
    for file in texts::all(&kinds) {
        if file.path.ends_with("repository/commands.rs") {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for (at, name) in line.match_indices("cargo qnn ") {
                if let Some(fault) = fault(&help, &line[at + name.len()..]) {
                    found.push(format!("{}:{}: {fault}: {}", file.path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    texts::none(&found);
}
