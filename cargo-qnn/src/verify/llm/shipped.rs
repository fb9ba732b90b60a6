//! The files of a language model as the plan makes them.

use std::path::Path;

use qnn_llm::Deployment;
use qnn_llm::deployment::Embedding;
use qnn_pipeline::package;
use qnn_types::{ArtifactKind, Evaluated};

use super::windows::Source;
use super::{Ready, Request};
use crate::failure::{Failure, Result};
use crate::models::Models;
use crate::progress::{COMPILE, Shown};
use crate::session::Session;

/// Builds the model through the store, and collects its files in `folder`.
pub(super) fn build(session: &Session, models: &Models, request: &Request, folder: &Path) -> Result<Ready> {
    let progress = Shown::new(&session.term, COMPILE);
    let (built, warnings) = package::build(vec![request.alone()], &models.compiler()?, &progress)?;
    warnings.iter().for_each(|warning| session.term.warning(warning));
    let collected = package::collect(&built, folder, &models.memo)?;
    let mut artifacts = collected.manifest.artifacts.iter();
    let description = artifacts
        .find(|artifact| artifact.kind == ArtifactKind::Description)
        .map(|artifact| folder.join(&artifact.file))
        .ok_or_else(|| Failure::user("no language model was built"))?;
    let text =
        std::fs::read(&description).map_err(|error| Failure::io("cannot read", &description, &error))?;
    let deployment: Deployment = serde_json::from_slice(&text)
        .map_err(|error| Failure::user("the model's description cannot be read").note(error.to_string()))?;
    let beside = description.parent().unwrap_or(folder);
    let tokenizer = deployment.text.tokenizer.as_ref().map(|file| beside.join(file));
    let parts = deployment.parts.iter().map(|part| part.file.clone());
    let table = match &deployment.embedding {
        Embedding::Host { file } => Some(file.clone()),
        Embedding::Graph => None,
    };
    Ok(Ready {
        source: Source::of(tokenizer.as_deref(), &deployment.text)?,
        context: deployment.context,
        artifacts: parts.chain(table).chain(deployment.text.tokenizer.clone()).collect(),
        not_run: not_run(&deployment),
        what: Evaluated::Deployment { description },
    })
}

/// What of the plan for a device has no place in the emulator.
fn not_run(deployment: &Deployment) -> Vec<String> {
    let shared = deployment.tokens.len() > 1;
    let sentence = "the context binaries that a build for a device makes: their graphs share weights, which the emulator cannot load; these have the same \
                    graphs, each with weights of its own";
    shared.then(|| sentence.to_owned()).into_iter().collect()
}
