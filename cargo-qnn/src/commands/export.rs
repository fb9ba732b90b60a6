//! `cargo qnn export`: a language model as a file for other tools.

use std::path::PathBuf;

use clap::Args;
use qnn_llm::{Heads, Strategy};
use qnn_pipeline::driver::JobId;
use qnn_types::{ExportJob, Job};

use crate::args::JobArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::llm;
use crate::outputs::not_over;
use crate::progress::EXPORT;
use crate::session::Session;
use crate::target::target;
use crate::toolchain::ensure;

/// Arguments of `cargo qnn export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A GGUF file, or a Hugging Face folder with safetensors
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// ONNX file to write, with dequantized float32 weights beside it in FILE.data
    #[arg(long, value_name = "FILE.onnx")]
    onnx: Option<PathBuf>,
    /// File to write with the scales of the model's quantized weights, in AIMET's format 2.0.0
    #[arg(long, value_name = "FILE")]
    encodings: Option<PathBuf>,
    /// DLC file to write, with weights encoded for a SoC
    #[arg(long, value_name = "FILE.dlc", requires = "soc")]
    dlc: Option<PathBuf>,
    /// SoC of the DLC
    #[arg(long, value_name = "SOC")]
    soc: Option<String>,
    /// Tokens per execution
    #[arg(long, value_name = "N", default_value_t = 128)]
    tokens: u32,
    /// Positions the graph sees, the new ones included; twice the tokens by default
    #[arg(long, value_name = "N")]
    context: Option<u32>,
    /// Attention heads: `fused` or `split`
    #[arg(long, value_name = "HEADS", default_value = "fused", value_parser = llm::heads)]
    heads: Heads,
    /// What is done with quantized weights in a DLC: `auto`, `native`, `float-fallback`, `requantize-int8`, `requantize-int4`
    #[arg(long, value_name = "STRATEGY", default_value = "auto", value_parser = llm::strategy)]
    strategy: Strategy,
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) fn run(session: &Session, args: &ExportArgs) -> Result<Exit> {
    let written: Vec<&PathBuf> = [&args.onnx, &args.encodings, &args.dlc].into_iter().flatten().collect();
    if written.is_empty() {
        return Err(Failure::usage("name what to write: --onnx FILE, --encodings FILE or --dlc FILE"));
    }
    for output in &written {
        not_over(output, [args.model.as_path()])?;
    }
    let dlc = match (&args.dlc, &args.soc) {
        (Some(path), Some(soc)) => Some((absolute(path), target(soc)?, args.strategy)),
        _ => None,
    };
    let job = ExportJob {
        source: llm::source(&args.model)?,
        tokens: args.tokens,
        context: args.context.unwrap_or(args.tokens.saturating_mul(2)),
        heads: args.heads,
        onnx: args.onnx.as_ref().map(absolute),
        encodings: args.encodings.as_ref().map(absolute),
        dlc,
        toolchain: ensure(session)?.for_job(),
    };
    let name = args.model.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let id = JobId { model: name, soc: args.soc.clone().unwrap_or_default(), ..JobId::default() };
    jobs::run(session, &Job::Export(job), &id, EXPORT, args.job.timeout()?)?;
    for file in written {
        session.term.status("Wrote", file.display());
    }
    Ok(Exit::Ok)
}

/// The worker runs elsewhere.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}
