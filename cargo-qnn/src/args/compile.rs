//! How a model file is compiled, on a command line without a manifest.

use std::path::Path;

use clap::Args;
use qnn_build::Memo;
use qnn_build::job::{CompileJob, HtpOptions, Precision, Samples, Toolchain};
use qnn_build::manifest::{Embed, Manifest, Model};
use qnn_build::plan::{Plan, source_format};
use qnn_build::source::inspect;

use super::InputArg;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::op::folder::OpPackageArgs;
use crate::project::{model_name, open_dimensions};
use crate::session::Session;

/// What decides the bytes of a context binary, next to the model file and the SoC.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model Options")]
pub(crate) struct CompileFlags {
    /// Numeric precision: fp16
    #[arg(long, value_name = "PRECISION")]
    pub(crate) precision: Option<String>,
    /// Shape of an input, with dtype and layout where they shall differ from the model's: image=1,3,224,224:uint8:nhwc
    #[arg(long, value_name = "NAME=SHAPE")]
    pub(crate) input: Vec<InputArg>,
    /// Keep only this output, or cut the model at this value; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) output_name: Vec<String>,
    /// Calibrate: find values beyond fp16 on these inputs and scale them; `generated` for random ones
    #[arg(long, value_name = "FILE.npz")]
    pub(crate) samples: Option<String>,
    /// Finalization optimization level, 1 to 3
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) optimization: Option<u8>,
    /// VTCM to plan for, MiB; the SoC's full amount by default
    #[arg(long, value_name = "MIB")]
    pub(crate) vtcm_mb: Option<u32>,
    /// HVX threads to use
    #[arg(long, value_name = "N")]
    pub(crate) hvx_threads: Option<u32>,
    /// Compress activations between layers (deep learning bandwidth compression)
    #[arg(long)]
    pub(crate) dlbc: bool,
    #[command(flatten)]
    pub(crate) own: OpPackageArgs,
}

impl CompileFlags {
    /// Whether any of them was given.
    pub(crate) fn given(&self) -> bool {
        let Self { precision, input, output_name, samples, optimization, vtcm_mb, hvx_threads, dlbc, own } =
            self;
        precision.is_some()
            || !input.is_empty()
            || !output_name.is_empty()
            || samples.is_some()
            || optimization.is_some()
            || vtcm_mb.is_some()
            || hvx_threads.is_some()
            || *dlbc
            || !own.op_package.is_empty()
    }

    /// One job per SoC for a model file, checked as a manifest would be. `output` is not set.
    pub(crate) fn jobs(
        &self,
        session: &Session,
        file: &Path,
        soc: &[String],
        toolchain: &Toolchain,
    ) -> Result<Vec<CompileJob>> {
        let format = source_format(file)?;
        let memo = Memo::default();
        if file.exists() {
            let facts = inspect(file, format, &memo).map_err(user)?;
            if let Some(problem) = open_dimensions(&facts, &self.input) {
                return Err(problem.at(file.display().to_string()).into());
            }
        }
        let precision = match self.precision.as_deref() {
            None => Precision::default(),
            Some(text) => serde_json::from_value(text.into()).map_err(|_| {
                Failure::usage(format!("unknown precision `{text}`")).help("this version compiles fp16")
            })?,
        };
        let model = Model {
            source: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
            precision,
            soc: None,
            embed: Embed::default(),
            inputs: self.input.iter().map(|input| (input.name.clone(), input.spec.clone())).collect(),
            outputs: self.output_name.clone(),
            graphs: Default::default(),
            samples: self.samples.as_deref().map(absolute_samples),
            quantize: Default::default(),
            // What the command line names is meant for this model.
            op_packages: None,
            llm: None,
            htp: HtpOptions {
                optimization: self.optimization,
                vtcm_mb: self.vtcm_mb,
                hvx_threads: self.hvx_threads,
                dlbc: self.dlbc.then_some(true),
                ..HtpOptions::default()
            },
        };
        let manifest = Manifest::of_command_line(&model_name(file)?, model, soc.to_vec());
        let plan =
            Plan::new(&manifest, toolchain, &memo, &self.own.open(session)?).map_err(|mut error| {
                // There is no file to point at; the model is named all the same.
                error.problems.iter_mut().for_each(|problem| problem.at = None);
                error
            })?;
        Ok(plan.models.into_iter().flat_map(|model| model.jobs).collect())
    }
}

/// The worker runs elsewhere.
fn absolute_samples(text: &str) -> String {
    match Samples::from_text(text) {
        Samples::Generated => text.to_owned(),
        Samples::File(path) => std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned(),
    }
}

fn user(problems: Vec<qnn_build::job::Diagnostic>) -> Failure {
    Failure { exit: Exit::User, problems }
}
