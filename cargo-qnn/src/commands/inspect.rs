//! `cargo qnn inspect`: what a file holds.

use std::path::PathBuf;

use clap::Args;
use qnn_build::Memo;
use qnn_build::job::SourceFormat;
use qnn_build::plan::source_format;
use qnn_build::source::inspect;

use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::inspect::{Inspected, binary, dlc, onnx};
use crate::session::Session;

/// Arguments of `cargo qnn inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A context binary (.bin), a model (.onnx) or a deep learning container (.dlc)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// SoC to compose the graphs of a .dlc for
    #[arg(long, value_name = "SOC", default_value = "SM8650")]
    soc: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(session: &Session, args: &InspectArgs) -> Result<Exit> {
    let file = &args.file;
    if !file.is_file() {
        let message = format!("{} does not exist or is not a file", file.display());
        return Err(Failure::new(Exit::User, codes::INPUT_FILE, message));
    }
    let inspected = match source_format(file) {
        Ok(SourceFormat::ContextBinary) => Inspected::ContextBinary(binary(session, file)?),
        Ok(SourceFormat::Dlc) => Inspected::Dlc(dlc(session, file, &args.soc)?),
        Ok(SourceFormat::Onnx) => Inspected::Onnx(onnx(file)?),
        // No path names one yet.
        Ok(format @ (SourceFormat::Gguf | SourceFormat::Safetensors)) => {
            return Err(Failure::new(
                Exit::User,
                codes::INPUT_FILE,
                format!("{format:?} files cannot be inspected"),
            ));
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
