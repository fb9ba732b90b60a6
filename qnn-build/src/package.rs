//! All models of one or several packages: planned, compiled, and put where they are used.

use std::path::Path;

use crate::artifacts::{ArtifactManifest, ArtifactRecord, OpPackageRecord, place, place_library};
use crate::compile::{Compiled, Compiler, Request};
use crate::driver::Progress;
use crate::error::{Error, Result};
use crate::job::{CompileJob, Diagnostic, GraphInfo, OpPackage, Report};
use crate::manifest::Manifest;
use crate::memo::Memo;
use crate::op_package::{self, Builds, Device};
use crate::plan::{Plan, PlannedModel};

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
    let found: Vec<Diagnostic> = packages.iter().flat_map(|package| package.warnings.iter().cloned()).collect();
    let warnings: Vec<Diagnostic> = found.into_iter().chain(warnings).collect();
    let built: Vec<Built> = packages
        .into_iter()
        .map(|Package { name, plan, op_packages, .. }| {
            let artifacts = compiled.by_ref().take(plan.jobs().count()).collect();
            Built { name, plan, op_packages, artifacts }
        })
        .collect();
    let problems = built.iter().flat_map(|built| built.models()).filter_map(|(model, artifacts)| {
        let first = artifacts.first()?;
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

/// The artifacts of several packages as a manifest lists them.
///
/// # Errors
/// A context binary that is too large, or two packages with different artifacts of the same name.
pub fn artifact_manifest(built: &[Built]) -> Result<ArtifactManifest> {
    let mut manifest = ArtifactManifest::default();
    let mut problems = Vec::new();
    for package in built {
        for (model, artifacts) in package.models() {
            for record in ArtifactRecord::of_model(&package.name, model, &artifacts) {
                problems.extend(record.too_large());
                problems.extend(manifest.artifacts.iter().find_map(|other| record.clashes_with(other)));
                manifest.artifacts.push(record);
            }
        }
        for device in &package.op_packages {
            let record = OpPackageRecord::new(&package.name, device);
            match manifest.op_packages.iter().find(|other| other.file == record.file) {
                Some(other) if other.blake3 != record.blake3 => problems.push(record.clashes_with(other)),
                Some(_) => {}
                None => manifest.op_packages.push(record),
            }
        }
    }
    Error::from_problems(problems).map_or(Ok(manifest), Err)
}

/// Puts the context binaries that `manifest` lists into `folder`.
pub(crate) fn place_all(
    built: &[Built],
    manifest: &ArtifactManifest,
    folder: &Path,
    memo: &Memo,
) -> Result<()> {
    let compiled = built.iter().flat_map(|package| &package.artifacts);
    for (record, compiled) in manifest.artifacts.iter().zip(compiled) {
        place(&compiled.entry, &folder.join(&record.file), memo)?;
    }
    for device in built.iter().flat_map(|package| &package.op_packages) {
        place_library(device, &folder.join(device.file()), memo)?;
    }
    Ok(())
}

/// Puts the context binaries of several packages into one folder, with one manifest: `<model>.<SoC>.bin` and
/// `qnn-manifest.json`. What an earlier run put there and is not made any more is removed.
///
/// # Errors
/// As [`artifact_manifest`], and files that cannot be written.
pub fn collect(built: &[Built], folder: &Path, memo: &Memo) -> Result<ArtifactManifest> {
    let manifest = artifact_manifest(built)?;
    place_all(built, &manifest, folder, memo)?;
    manifest.write(folder)?;
    Ok(manifest)
}
