//! Verifying a language model: perplexity and logits in the emulator against its dequantized weights in float32.
//!
//! What runs are the files that the plan makes, loaded as an app loads them. Only for a look at each layer a context binary is
//! compiled that no app has.

mod layers;
mod shipped;
mod verdict;
mod windows;

use std::path::PathBuf;
use std::time::Duration;

use qnn_pipeline::driver::JobId;
use qnn_pipeline::package::Package;
use qnn_pipeline::plan::{Plan, PlannedModel};
use qnn_types::{EvaluateJob, Evaluated, Evaluation, Job, Target};

use self::windows::Source;
use super::scratch::Scratch;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::models::Models;
use crate::progress::EVALUATE;
use crate::session::Session;

pub(crate) use verdict::{failure, table};

/// What to verify, and how much of the text.
pub(crate) struct Request {
    /// Package of the model; empty for a file that belongs to none.
    pub(crate) package: String,
    /// The model, with the jobs of one SoC.
    pub(crate) model: PlannedModel,
    /// The text.
    pub(crate) text: PathBuf,
    /// How many windows; the whole text without it.
    pub(crate) windows: Option<usize>,
    /// Whether to look at each layer.
    pub(crate) layers: bool,
    pub(crate) timeout: Option<Duration>,
}

/// Tokens of the first window that also go through the graph of one token.
const DECODED: u32 = 16;

/// What stands ready to run.
struct Ready {
    what: Evaluated,
    source: Source,
    context: usize,
    /// As in [`Evaluation`].
    artifacts: Vec<String>,
    not_run: Vec<String>,
}

impl Request {
    /// For the first SoC of a model.
    pub(crate) fn one_soc(package: &str, mut model: PlannedModel, text: PathBuf) -> Self {
        let soc = model.jobs.first().map(|job| job.soc.id);
        model.jobs.retain(|job| Some(job.soc.id) == soc);
        // The emulator cannot load weights that graphs share.
        model.jobs.iter_mut().for_each(|job| job.htp.weight_sharing = Some(false));
        Self { package: package.to_owned(), model, text, windows: None, layers: false, timeout: None }
    }

    fn soc(&self) -> Result<&Target> {
        let first = self.model.jobs.first().map(|job| &job.soc);
        first.ok_or_else(|| Failure::user("the model is compiled for no SoC"))
    }

    /// The package with nothing but the model.
    fn alone(&self) -> Package {
        let plan = Plan { models: vec![self.model.clone()], notes: Vec::new() };
        Package { name: self.package.clone(), plan, op_packages: Vec::new(), warnings: Vec::new() }
    }
}

/// Makes what shall run, or takes it from the store, and runs it and the reference over the text.
pub(crate) fn evaluate(session: &Session, models: &Models, request: &Request) -> Result<Evaluation> {
    let soc = request.soc()?.clone();
    // What can be wrong with the text is found before anything is compiled.
    let text = windows::text(request)?;
    let folder = Scratch::new()?;
    let ready = match request.layers {
        true => layers::compile(session, request, folder.path())?,
        false => shipped::build(session, models, request, folder.path())?,
    };
    let windows = windows::cut(&text, &ready, request)?;
    let job = Job::Evaluate(EvaluateJob {
        source: request.model.source.clone(),
        what: ready.what,
        soc: soc.clone(),
        windows,
        decode: DECODED,
        folder: folder.path().to_owned(),
        toolchain: models.resolved.toolchain.clone(),
    });
    let id = JobId { model: request.model.name.clone(), soc: soc.name, ..JobId::default() };
    let evaluation = jobs::run(session, &job, &id, EVALUATE, request.timeout)?.evaluation;
    let missing = || Failure::new(Exit::User, codes::ARRAYS, "the worker reports no evaluation".to_owned());
    let evaluation = evaluation.ok_or_else(missing)?;
    Ok(Evaluation { artifacts: ready.artifacts, not_run: ready.not_run, ..evaluation })
}
