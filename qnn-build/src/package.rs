//! All models of one or several packages: planned, compiled, and put where they are used.

use std::path::Path;

use crate::artifacts::{ArtifactManifest, Output};
use crate::compile::{Compiled, Compiler, Request};
use crate::driver::Progress;
use crate::error::{Error, Result};
use crate::job::{CompileJob, Diagnostic, GraphInfo, Report, Toolchain};
use crate::manifest::Manifest;
use crate::memo::Memo;
use crate::plan::{Plan, PlannedModel};

/// A package with its plan.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What is to be compiled.
    pub plan: Plan,
}

/// A package with its artifacts.
#[derive(Debug)]
pub struct Built {
    /// Its name.
    pub name: String,
    /// What was compiled.
    pub plan: Plan,
    /// One for each of the plan's jobs, in their order.
    pub artifacts: Vec<Compiled>,
}

/// Plans several packages for a target triple, or for this machine.
///
/// # Errors
/// All problems of all of them.
pub fn plan(
    manifests: &[Manifest],
    toolchain: &Toolchain,
    memo: &Memo,
    target: Option<&str>,
) -> Result<Vec<Package>> {
    let mut problems = Vec::new();
    let mut packages = Vec::new();
    for manifest in manifests {
        match Plan::new(manifest, toolchain, memo) {
            Ok(plan) => {
                packages.push(Package { name: manifest.package.clone(), plan: plan.for_target(target) });
            }
            Err(error) => problems.extend(error.problems),
        }
    }
    Error::from_problems(problems).map_or(Ok(packages), Err)
}

fn requests(packages: &[Package]) -> Vec<Request<'_>> {
    let jobs = packages.iter().flat_map(|package| package.plan.jobs().map(move |job| (package, job)));
    jobs.map(|(package, (model, job))| Request { package: &package.name, job, facts: &model.facts }).collect()
}

/// Compiles what the store does not have; the warnings come with the result.
///
/// # Errors
/// All problems of all jobs, and models whose context binaries do not have the same inputs and outputs.
pub fn build(
    packages: Vec<Package>,
    compiler: &Compiler<'_>,
    progress: &dyn Progress,
) -> Result<(Vec<Built>, Vec<Diagnostic>)> {
    let (compiled, warnings) = compiler.compile(&requests(&packages), progress)?;
    let mut compiled = compiled.into_iter();
    let built: Vec<Built> = packages
        .into_iter()
        .map(|Package { name, plan }| {
            let artifacts = compiled.by_ref().take(plan.jobs().count()).collect();
            Built { name, plan, artifacts }
        })
        .collect();
    let problems = built.iter().flat_map(|built| built.models()).filter_map(|(model, artifacts)| {
        // The parts of a language model differ, and belong to one description.
        let first = artifacts.first().filter(|(job, _)| job.llm.is_none())?;
        let other = artifacts.iter().find(|other| !same_border(graphs(first.1), graphs(other.1)))?;
        let message = format!(
            "the context binaries for {} and {} differ in inputs or outputs",
            first.0.soc.name, other.0.soc.name
        );
        Some(Diagnostic::new("E0115", message).model(&model.name).help("declare them as two models"))
    });
    match Error::from_problems(problems.collect()) {
        Some(error) => Err(Error { warnings, ..error }),
        None => Ok((built, warnings)),
    }
}

/// Checks all models without finalizing; see [`Compiler::check`].
///
/// # Errors
/// All problems of all jobs.
pub fn check(
    packages: &[Package],
    compiler: &Compiler<'_>,
    progress: &dyn Progress,
) -> Result<(Vec<Report>, Vec<Diagnostic>)> {
    compiler.check(&requests(packages), progress)
}

fn graphs(compiled: &Compiled) -> &[GraphInfo] {
    &compiled.entry.record.report.graphs
}

/// Whether an app can use both through the same types. Encodings may differ.
fn same_border(one: &[GraphInfo], other: &[GraphInfo]) -> bool {
    let border = |graphs: &[GraphInfo]| {
        let mut graphs: Vec<GraphInfo> = graphs.to_vec();
        for graph in &mut graphs {
            for tensor in graph.inputs.iter_mut().chain(&mut graph.outputs) {
                tensor.quant = None;
            }
        }
        graphs
    };
    border(one) == border(other)
}

impl Built {
    /// Each model with its jobs and artifacts.
    pub fn models(&self) -> impl Iterator<Item = (&PlannedModel, Vec<(&CompileJob, &Compiled)>)> {
        let mut artifacts = self.artifacts.iter();
        self.plan.models.iter().map(move |model| (model, model.jobs.iter().zip(artifacts.by_ref()).collect()))
    }
}

/// The artifacts of a model.
pub(crate) struct ModelOutputs<'a> {
    pub(crate) model: &'a PlannedModel,
    /// Its jobs, with what they made.
    pub(crate) artifacts: Vec<(&'a CompileJob, &'a Compiled)>,
    pub(crate) outputs: Vec<Output<'a>>,
}

/// The artifacts of several packages.
///
/// # Errors
/// A context binary that is too large, or two packages with different artifacts of the same name.
pub(crate) fn outputs(built: &[Built]) -> Result<Vec<ModelOutputs<'_>>> {
    let mut models: Vec<ModelOutputs<'_>> = Vec::new();
    let mut problems = Vec::new();
    for package in built {
        for (model, artifacts) in package.models() {
            let outputs = Output::of_model(&package.name, model, &artifacts)?;
            for Output { record, .. } in &outputs {
                problems.extend(record.too_large());
                let others = models.iter().flat_map(|model| &model.outputs);
                problems.extend(others.filter_map(|other| record.clashes_with(&other.record)).next());
            }
            models.push(ModelOutputs { model, artifacts, outputs });
        }
    }
    Error::from_problems(problems).map_or(Ok(models), Err)
}

/// As the artifact manifest lists them.
pub(crate) fn listed(models: &[ModelOutputs<'_>]) -> ArtifactManifest {
    let outputs = models.iter().flat_map(|model| &model.outputs);
    let artifacts = outputs.map(|output| output.record.clone()).collect();
    ArtifactManifest { artifacts, ..ArtifactManifest::default() }
}

/// Puts the artifacts into `folder`.
pub(crate) fn place_all(models: &[ModelOutputs<'_>], folder: &Path, memo: &Memo) -> Result<()> {
    models.iter().flat_map(|model| &model.outputs).try_for_each(|output| output.place(folder, memo))
}

/// What [`collect`] put into a folder.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The manifest.
    pub manifest: ArtifactManifest,
    /// Of each artifact in it, whether it was there before the build.
    pub fresh: Vec<bool>,
}

/// Puts the artifacts of several packages into one folder, with one manifest: `<model>.<SoC>.bin`, what belongs to language
/// models, and `qnn-manifest.json`. What an earlier run put there and is not made any more is removed.
///
/// # Errors
/// A context binary that is too large, two packages with different artifacts of the same name, and files that cannot be
/// written.
pub fn collect(built: &[Built], folder: &Path, memo: &Memo) -> Result<Collected> {
    let models = outputs(built)?;
    place_all(&models, folder, memo)?;
    let manifest = listed(&models);
    manifest.write(folder)?;
    let fresh = models.iter().flat_map(|model| &model.outputs).map(|output| output.fresh).collect();
    Ok(Collected { manifest, fresh })
}
