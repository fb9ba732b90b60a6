//! `cargo qnn inspect`: what a file holds.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use qnn_manifest::source_format;
use qnn_pipeline::Memo;
use qnn_pipeline::source::inspect;
use qnn_types::SourceFormat;

use crate::args::examples;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::inspect::{Inspected, binary, dlc, llm, onnx};
use crate::session::Session;
use crate::target::target;
use crate::toolchain::ensure;

/// Arguments of `cargo qnn inspect`.
#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT)]
pub(crate) struct InspectArgs {
    /// A context binary (.bin), a model (.onnx), a deep learning container (.dlc), or a language model (.gguf, or a folder with
    /// config.json and .safetensors files)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// SoC to compose the graphs of a .dlc for, and to choose the encodings of a language model's weights for
    #[arg(long, value_name = "SOC", default_value = "SM8650")]
    soc: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    /// Read it in this process, whatever the vendor's library makes of it
    #[arg(long, hide = true)]
    here: bool,
}

pub(crate) fn run(session: &Session, args: &InspectArgs) -> Result<Exit> {
    let file = &args.file;
    let language_model = qnn_llm::kind(file).is_some();
    if !file.is_file() && !language_model {
        let message = if file.is_dir() {
            format!("{} is a folder without config.json, so no language model", file.display())
        } else {
            format!("{} does not exist or is not a file", file.display())
        };
        return Err(Failure::new(Exit::User, codes::INPUT_FILE, message));
    }
    let format = source_format(file);
    if !args.here && matches!(format, Ok(SourceFormat::ContextBinary | SourceFormat::Dlc)) && !language_model
    {
        return apart(session, args);
    }
    let inspected = match format {
        _ if language_model => Inspected::LanguageModel(llm(file, &target(&args.soc)?)?),
        Ok(SourceFormat::ContextBinary) => Inspected::ContextBinary(binary(session, file)?),
        Ok(SourceFormat::Dlc) => Inspected::Dlc(dlc(session, file, &args.soc)?),
        Ok(SourceFormat::Onnx) => Inspected::Onnx(onnx(file)?),
        // By their names these are language models.
        Ok(SourceFormat::Gguf | SourceFormat::Safetensors) => {
            Inspected::LanguageModel(llm(file, &target(&args.soc)?)?)
        }
        Err(unknown) => {
            // What is no model of any kind may still look like something, which the reader of models tells.
            let looks_like = inspect(file, SourceFormat::Onnx, &Memo::default());
            let notes = looks_like.err().into_iter().flatten().flat_map(|problem| problem.notes);
            return Err(notes.fold(Failure::from(unknown), Failure::note));
        }
    };
    if args.json {
        session.term.json(&inspected)?;
    } else {
        session.term.data(inspected.text())?;
    }
    Ok(Exit::Ok)
}

/// Time that reading a file's metadata may take; it takes milliseconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Reads the file in a process of its own: the vendor's library believes what a file says, and a damaged one ends it.
fn apart(session: &Session, args: &InspectArgs) -> Result<Exit> {
    // Here, so that a download is not counted.
    ensure(session)?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::user("cannot tell where this program is").note(error.to_string()))?;
    let mut command = Command::new(&program);
    command.args(["inspect", "--here", "--soc", &args.soc]);
    if args.json {
        command.arg("--json");
    }
    session.add_to(&mut command);
    command.arg("--").arg(&args.file).stdin(Stdio::null());
    let mut child = command.spawn().at("cannot run", &program)?;
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().at("cannot wait for", &program)? {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(damaged(args, &format!("reading it did not end in {} s", LIMIT.as_secs())));
            }
        }
    };
    match status.code() {
        Some(0) => Ok(Exit::Ok),
        // It has said why.
        Some(code) => Err(Failure::passed_on(code)),
        None => Err(damaged(args, &format!("the vendor's library crashed on it ({status})"))),
    }
}

fn damaged(args: &InspectArgs, why: &str) -> Failure {
    let message = format!("{} is not a whole file of its kind", args.file.display());
    Failure::new(Exit::User, codes::CONTEXT_BINARY, message)
        .note(why.to_owned())
        .help("fetch or compile the file again; do not load it in an app")
}
