//! `cargo qnn explain`: the long form of an error code.

use clap::Args;
use qnn_types::codes::{CODES, Code, Group, all, find};
use serde::Serialize;

use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Arguments of `cargo qnn explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, for example E0103; without one, all codes are listed
    code: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// A code as `--json` shows it.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    title: &'static str,
    text: &'static str,
}

impl From<&'static Code> for Row {
    fn from(code: &'static Code) -> Self {
        Self { code: code.code, title: code.title, text: code.text }
    }
}

pub(crate) fn run(session: &Session, args: &ExplainArgs) -> Result<Exit> {
    let term = &session.term;
    let Some(wanted) = &args.code else {
        if args.json {
            term.json(&all().map(Row::from).collect::<Vec<_>>())?;
        } else {
            for Group { name: subject, codes: rows, .. } in CODES {
                term.data(subject)?;
                for row in *rows {
                    term.data(format!("  {}  {}", row.code, row.title))?;
                }
            }
        }
        return Ok(Exit::Ok);
    };
    let Some(code) = find(wanted) else {
        let message = format!("`{wanted}` is not an error code of cargo-qnn");
        return Err(Failure::new(Exit::Usage, codes::ARGUMENT, message)
            .help("a code looks like E0103; `cargo qnn explain` lists all of them"));
    };
    if args.json {
        term.json(&Row::from(code))?;
    } else {
        term.data(format!("{}: {}\n\n{}", code.code, code.title, code.text.trim_end()))?;
    }
    Ok(Exit::Ok)
}
