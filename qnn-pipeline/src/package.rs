//! All models of one or several packages: planned, compiled, and put where they are used.

use std::path::Path;

use qnn_manifest::output::write_artifacts;
use qnn_types::{ArtifactManifest, OpPackageRecord};

use crate::artifacts::{Output, clash, library_record, place_library, too_large};
use crate::compile::{Compiled, Compiler, Request};
use crate::driver::Progress;
use crate::memo::Memo;
use crate::op_package::{self, Builds, Device};
use crate::plan::{Plan, PlannedModel};
use qnn_manifest::Manifest;
use qnn_types::{CompileJob, Diagnostic, GraphInfo, OpPackage, Report};
use qnn_types::{Error, Result};

/// A package with its plan.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What is to be compiled.
    pub plan: Plan,
    /// Libraries of op packages that the app ships.
    pub op_packages: Vec<Device>,
    /// What was found on the way and stops nothing.
    pub warnings: Vec<Diagnostic>,
}

/// A package with its artifacts.
#[derive(Debug)]
pub struct Built {
    /// Its name.
    pub name: String,
    /// What was compiled.
    pub plan: Plan,
    /// Libraries of op packages that the app ships.
    pub op_packages: Vec<Device>,
    /// One for each of the plan's jobs, in their order.
    pub artifacts: Vec<Compiled>,
}

/// Plans several packages for a target triple, or for this machine. Their op packages are built.
///
/// # Errors
/// All problems of all of them.
pub fn plan(manifests: &[Manifest], builds: &Builds<'_>, target: Option<&str>) -> Result<Vec<Package>> {
    let mut problems = Vec::new();
    let mut packages = Vec::new();
    for manifest in manifests {
        match plan_one(manifest, builds, target) {
            Ok(package) => packages.push(package),
            Err(found) => problems.extend(found),
        }
    }
    Error::from_problems(problems).map_or(Ok(packages), Err)
}

fn plan_one(
    manifest: &Manifest,
    builds: &Builds<'_>,
    target: Option<&str>,
) -> Result<Package, Vec<Diagnostic>> {
    let opened = op_package::open_all(manifest, builds)?;
    let jobs: Vec<OpPackage> = opened.iter().map(|one| one.job.clone()).collect();
    let plan = Plan::new(manifest, &builds.resolved.toolchain, builds.memo, &jobs);
    let plan = plan.map_err(|error| error.problems)?.for_target(target);
    let archs = plan.jobs().filter(|(_, job)| !job.op_packages.is_empty()).map(|(_, job)| job.soc.arch);
    let devices = op_package::devices(&opened, target, &archs.collect(), builds)?;
    let warnings = opened.iter().flat_map(|one| one.package.warnings.iter().cloned()).collect();
    Ok(Package { name: manifest.package.clone(), plan, op_packages: devices, warnings })
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
    let found: Vec<Diagnostic> =
        packages.iter().flat_map(|package| package.warnings.iter().cloned()).collect();
    let warnings: Vec<Diagnostic> = found.into_iter().chain(warnings).collect();
    let built: Vec<Built> = packages
        .into_iter()
        .map(|Package { name, plan, op_packages, .. }| {
            let artifacts = compiled.by_ref().take(plan.jobs().count()).collect();
            Built { name, plan, op_packages, artifacts }
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
                (tensor.quant, tensor.encoding) = (None, None);
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
    /// Libraries of the package's op packages.
    pub(crate) op_packages: &'a [Device],
}

/// The artifacts of several packages.
///
/// # Errors
/// A context binary that is too large, or two packages with different op packages of the same name.
pub(crate) fn outputs(built: &[Built]) -> Result<Vec<ModelOutputs<'_>>> {
    let mut models: Vec<ModelOutputs<'_>> = Vec::new();
    let mut problems = Vec::new();
    for package in built {
        for (model, artifacts) in package.models() {
            let outputs = Output::of_model(&package.name, model, &artifacts)?;
            for Output { record, .. } in &outputs {
                problems.extend(too_large(record));
            }
            models.push(ModelOutputs { model, artifacts, outputs, op_packages: &package.op_packages });
        }
    }
    let libraries = libraries(built);
    for package in built {
        let records = package.op_packages.iter().map(|device| library_record(&package.name, device));
        problems.extend(records.filter_map(|one| libraries.iter().find_map(|other| clash(&one, other))));
    }
    Error::from_problems(problems).map_or(Ok(models), Err)
}

/// As the artifact manifest lists them.
pub(crate) fn listed(models: &[ModelOutputs<'_>], built: &[Built]) -> ArtifactManifest {
    let outputs = models.iter().flat_map(|model| &model.outputs);
    let artifacts = outputs.map(|output| output.record.clone()).collect();
    ArtifactManifest { artifacts, op_packages: libraries(built), ..ArtifactManifest::default() }
}

/// Every library of an op package, each file once.
fn libraries(built: &[Built]) -> Vec<OpPackageRecord> {
    let mut records: Vec<OpPackageRecord> = Vec::new();
    for (package, device) in
        built.iter().flat_map(|one| one.op_packages.iter().map(move |device| (one, device)))
    {
        let record = library_record(&package.name, device);
        if !records.iter().any(|other| other.file == record.file) {
            records.push(record);
        }
    }
    records
}

/// Puts the artifacts and the libraries of op packages into `folder`.
pub(crate) fn place_all(
    models: &[ModelOutputs<'_>],
    built: &[Built],
    folder: &Path,
    memo: &Memo,
) -> Result<()> {
    models.iter().flat_map(|model| &model.outputs).try_for_each(|output| output.place(folder, memo))?;
    let mut devices = built.iter().flat_map(|package| &package.op_packages);
    devices.try_for_each(|device| place_library(device, folder, memo))
}

/// What [`collect`] put into a folder.
#[derive(Clone, Debug)]
pub struct Collected {
    /// What was built; the folder's manifest has what other packages put there as well.
    pub manifest: ArtifactManifest,
    /// Of each artifact in it, whether it was there before the build.
    pub fresh: Vec<bool>,
}

/// Puts the artifacts of several packages into one folder, with one manifest: `<package>/<model>.<SoC>.bin`, what belongs to language
/// models beside it, libraries of op packages, and `qnn-manifest.json`. What an earlier run put there for these packages and is not made
/// any more is removed.
///
/// # Errors
/// A context binary that is too large, two packages with different op packages of the same name, and files that cannot be written.
pub fn collect(built: &[Built], folder: &Path, memo: &Memo) -> Result<Collected> {
    let mut models = outputs(built)?;
    for output in models.iter_mut().flat_map(|model| &mut model.outputs) {
        let record = &mut output.record;
        // What a command line compiles belongs to no package, and lies in the folder itself.
        if !record.package.is_empty() {
            record.file = format!("{}/{}", record.package, record.file);
        }
    }
    place_all(&models, built, folder, memo)?;
    let manifest = listed(&models, built);
    let packages: Vec<&str> = built.iter().map(|package| package.name.as_str()).collect();
    write_artifacts(&manifest, folder, &packages)?;
    let fresh = models.iter().flat_map(|model| &model.outputs).map(|output| output.fresh).collect();
    Ok(Collected { manifest, fresh })
}
