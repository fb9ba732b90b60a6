//! How a model file is compiled, on a command line without a manifest.

use std::path::{Path, PathBuf};

use clap::Args;
use qnn_manifest::{Llm, Manifest, Model};
use qnn_manifest::{is_llm, source_format};
use qnn_pipeline::Memo;
use qnn_pipeline::plan::Plan;
use qnn_pipeline::source::inspect;
use qnn_types::Embed;
use qnn_types::{Accuracy, CompileJob, HtpOptions, Precision, Samples, Toolchain};

use super::{DimArg, InputArg, sizes};
use crate::codes;
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
    /// What GELU, SiLU, sigmoid and tanh may cost in accuracy: fast, balanced (the default) or exact
    #[arg(long, value_name = "WORD", value_parser = ["fast", "balanced", "exact"])]
    pub(crate) accuracy: Option<String>,
    /// Shape of an input, with dtype and layout where they shall differ from the model's, and what makes the model's numbers of the
    /// app's: image=1,3,224,224:uint8:nhwc:scale=1/255:mean=0.5:std=0.5
    #[arg(long, value_name = "NAME=SHAPE")]
    pub(crate) input: Vec<InputArg>,
    /// Size of a free dimension, by the model's name for it, in all inputs: batch=4
    #[arg(long, value_name = "NAME=N")]
    pub(crate) dim: Vec<DimArg>,
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
    /// Store weights once for each graph, as the emulator needs it; they are shared by default
    #[arg(long)]
    pub(crate) no_weight_sharing: bool,
    #[command(flatten)]
    pub(crate) own: OpPackageArgs,
}

impl CompileFlags {
    /// Whether any of them was given.
    pub(crate) fn given(&self) -> bool {
        let Self {
            precision,
            accuracy,
            input,
            dim,
            output_name,
            samples,
            optimization,
            vtcm_mb,
            hvx_threads,
            dlbc,
            no_weight_sharing,
            own,
        } = self;
        precision.is_some()
            || accuracy.is_some()
            || !input.is_empty()
            || !dim.is_empty()
            || !output_name.is_empty()
            || samples.is_some()
            || optimization.is_some()
            || vtcm_mb.is_some()
            || hvx_threads.is_some()
            || *dlbc
            || *no_weight_sharing
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
        let plan = self.plan(session, file, soc, None, toolchain, &Memo::default())?;
        Ok(plan.models.into_iter().flat_map(|model| model.jobs).collect())
    }

    /// What activations may cost; clap knows the words.
    fn accuracy(&self) -> Accuracy {
        match self.accuracy.as_deref() {
            Some("fast") => Accuracy::Fast,
            Some("exact") => Accuracy::Exact,
            _ => Accuracy::Balanced,
        }
    }

    /// Files beside a model file that hold its weights.
    pub(crate) fn external(&self, file: &Path) -> Vec<PathBuf> {
        let facts = source_format(file).ok().and_then(|format| inspect(file, format, &Memo::default()).ok());
        facts.into_iter().flat_map(|facts| facts.external).map(|external| external.path).collect()
    }

    /// The plan for a model file, checked as a manifest would be.
    pub(crate) fn plan(
        &self,
        session: &Session,
        file: &Path,
        soc: &[String],
        llm: Option<Llm>,
        toolchain: &Toolchain,
        memo: &Memo,
    ) -> Result<Plan> {
        let format = source_format(file)?;
        if file.exists() && !is_llm(format) {
            let facts = inspect(file, format, memo).map_err(user)?;
            if let Some(problem) = open_dimensions(&facts, &self.input, &self.dim) {
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
            features: Vec::new(),
            source: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
            precision,
            accuracy: self.accuracy(),
            soc: None,
            embed: Embed::default(),
            inputs: self.input.iter().map(|input| (input.name.clone(), input.spec.clone())).collect(),
            dims: sizes(&self.dim),
            outputs: self.output_name.clone(),
            graphs: Default::default(),
            samples: self.samples.as_deref().map(absolute_samples),
            quantize: Default::default(),
            // What the command line names is meant for this model.
            op_packages: None,
            llm,
            htp: HtpOptions {
                optimization: self.optimization,
                vtcm_mb: self.vtcm_mb,
                hvx_threads: self.hvx_threads,
                dlbc: self.dlbc.then_some(true),
                weight_sharing: self.no_weight_sharing.then_some(false),
            },
        };
        let manifest = Manifest::of_command_line(&model_name(file)?, model, soc.to_vec());
        let plan = Plan::new(&manifest, toolchain, memo, &self.own.open(session)?).map_err(|mut error| {
            // There is no file to point at; the model is named all the same.
            error.problems.iter_mut().for_each(|problem| problem.at = None);
            let unknown_soc = error.problems.iter().all(|problem| problem.code == codes::UNKNOWN_SOC);
            let failure = Failure::from(error);
            if unknown_soc { Failure { exit: Exit::Usage, ..failure } } else { failure }
        })?;
        Ok(plan)
    }
}

/// The worker runs elsewhere.
fn absolute_samples(text: &str) -> String {
    match Samples::from_text(text) {
        Samples::Generated => text.to_owned(),
        Samples::File(path) => std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned(),
    }
}

fn user(problems: Vec<qnn_types::Diagnostic>) -> Failure {
    Failure { exit: Exit::User, problems }
}
