//! A context binary for looking at each layer: the whole model as one part, with the hidden state behind each layer as an output.

use std::path::Path;

use qnn_llm::deployment::graph_name;
use qnn_pipeline::driver::JobId;
use qnn_types::{CompileJob, Evaluated, GraphSpec, Job, LlmPart, LlmPartKind};

use super::windows::Source;
use super::{Ready, Request};
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::progress::COMPILE;
use crate::session::Session;

/// Compiles it into `folder`, with the options of the plan.
pub(super) fn compile(session: &Session, request: &Request, folder: &Path) -> Result<Ready> {
    let of_layers = |job: &&CompileJob| {
        job.llm.as_ref().is_some_and(|part| matches!(part.what, LlmPartKind::Layers { .. }))
    };
    let job = request.model.jobs.iter().find(of_layers);
    let none = || Failure::user("no language model is planned");
    let (job, part) = job.and_then(|job| Some((job, job.llm.as_ref()?))).ok_or_else(none)?;
    let facts = request.model.facts.llm.as_ref().ok_or_else(none)?;
    let tokens = job.graphs.iter().filter_map(|graph| graph.tokens).max().unwrap_or(1);
    let mut sizes = vec![tokens, 1];
    sizes.dedup();
    let graph = |tokens: u32| GraphSpec {
        name: graph_name(tokens as usize),
        tokens: Some(tokens),
        ..GraphSpec::default()
    };
    let count = u32::try_from(facts.config.layers).unwrap_or(u32::MAX);
    let what = LlmPartKind::Layers { first: 0, count, embedding: true, head: true };
    let binary = folder.join("layers.bin");
    let job = CompileJob {
        graphs: sizes.into_iter().map(graph).collect(),
        llm: Some(LlmPart { what, layers: true, ..part.clone() }),
        output: Some(binary.clone()),
        ..job.clone()
    };
    let id = JobId { model: job.model.clone(), soc: job.soc.name.clone(), ..JobId::default() };
    jobs::run(session, &Job::Compile(job), &id, COMPILE, request.timeout)?;
    let tokenizer = qnn_llm::open(&request.model.source)
        .map_err(|found| Failure {
            exit: crate::exit::Exit::User,
            problems: found.0.into_iter().map(Into::into).collect(),
        })?
        .text
        .tokenizer;
    Ok(Ready {
        what: Evaluated::Layers { binary, tokens, context: part.context, heads: part.heads },
        source: Source::new(tokenizer.as_deref().map(str::as_bytes), &facts.text)?,
        context: part.context as usize,
        artifacts: vec!["layers.bin".to_owned()],
        not_run: vec![
            "the files that an app loads: for a look at each layer the whole model is compiled as one context binary; without --layers they are run"
                .to_owned(),
        ],
    })
}
