//! From the manifest to jobs: one compile per model and SoC, and everything that is wrong with the request at once.

mod check;
mod targets;

use targets::SocList;
pub use targets::target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qnn_platform::nearest::nearest;

use crate::codegen::identifier;
use crate::error::{Error, Result};
use crate::job::{CompileJob, Diagnostic, GraphSpec, InputSpec, Samples, SourceFormat, Target, Toolchain};
use crate::key::Key;
use crate::manifest::{Embed, Manifest, Model};
use crate::memo::Memo;
use crate::source::{SourceFacts, inspect};

/// What a package wants compiled.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its models, by name.
    pub models: Vec<PlannedModel>,
}

/// A model and the SoCs it is compiled for.
#[derive(Clone, Debug)]
pub struct PlannedModel {
    /// Name in the manifest.
    pub name: String,
    /// The model file.
    pub source: PathBuf,
    /// What is known of it.
    pub facts: SourceFacts,
    /// How its context binaries get into the app.
    pub embed: Embed,
    /// One job per SoC; `output` is not set yet.
    pub jobs: Vec<CompileJob>,
}

impl PlannedModel {
    /// The key of one of its jobs.
    pub fn key(&self, job: &CompileJob, build_id: &str, schema: u32) -> Key {
        Key::new(job, &self.facts, build_id, schema)
    }

    /// Every file that is read to compile it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.source.as_path())
            .chain(self.facts.external.iter().map(|file| file.path.as_path()))
    }
}

impl Plan {
    /// Plans all models of a package.
    ///
    /// # Errors
    /// Every problem of every model: no models, unknown SoCs, missing or damaged files, options that do not fit.
    pub fn new(manifest: &Manifest, toolchain: &Toolchain, memo: &Memo) -> Result<Self> {
        let mut problems = Vec::new();
        if manifest.config.models.is_empty() {
            problems.push(
                Diagnostic::new("E0101", format!("package `{}` declares no model", manifest.package))
                    .at(manifest.path.display().to_string())
                    .help("add [package.metadata.qnn.models.NAME] with a `source`; `cargo qnn init` does it"),
            );
        }
        problems.extend(names(manifest));
        let socs = targets::of_package(manifest, &mut problems);
        let mut models = Vec::new();
        for (name, model) in &manifest.config.models {
            match plan_model(manifest, toolchain, memo, &socs, name, model) {
                Ok(model) => models.push(model),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.model(name))),
            }
        }
        Error::from_problems(problems).map_or(Ok(Self { models }), Err)
    }

    /// Settles what depends on where the app will run, a target triple or this machine: for x86-64 that is the emulator, which
    /// cannot load graphs that share weights, so that they are shared there only when the manifest says so.
    #[must_use]
    pub fn for_target(mut self, triple: Option<&str>) -> Self {
        let arch = triple.and_then(|triple| triple.split('-').next()).unwrap_or(std::env::consts::ARCH);
        if arch == "x86_64" {
            for job in self.models.iter_mut().flat_map(|model| &mut model.jobs) {
                job.htp.weight_sharing.get_or_insert(false);
            }
        }
        self
    }

    /// Every job with its model.
    pub fn jobs(&self) -> impl Iterator<Item = (&PlannedModel, &CompileJob)> {
        self.models.iter().flat_map(|model| model.jobs.iter().map(move |job| (model, job)))
    }
}

/// Names of models and graphs that cannot become Rust names, and pairs that would become the same.
fn names(manifest: &Manifest) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut modules: BTreeMap<String, &str> = BTreeMap::new();
    let usable = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            && name.contains(|c: char| c.is_ascii_alphanumeric())
    };
    for (name, model) in &manifest.config.models {
        let at = manifest.origin(&["models", name]).to_string();
        let bad = std::iter::once(name).chain(model.graphs.keys()).filter(|name| !usable(name));
        problems.extend(bad.map(|bad| {
            Diagnostic::new("E0113", format!("`{bad}` cannot be used as a name"))
                .at(&at)
                .help("use letters, digits, `-` and `_`")
        }));
        if let Some(other) = modules.insert(identifier(name), name) {
            let message =
                format!("models `{other}` and `{name}` would both be the Rust module `{}`", identifier(name));
            problems.push(Diagnostic::new("E0113", message).at(at).help("rename one of them"));
        }
    }
    problems
}

fn plan_model(
    manifest: &Manifest,
    toolchain: &Toolchain,
    memo: &Memo,
    socs: &SocList,
    name: &str,
    model: &Model,
) -> Result<PlannedModel, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let at = |key: &[&str]| {
        let path: Vec<&str> = ["models", name].iter().chain(key).copied().collect();
        manifest.origin(&path).to_string()
    };
    let targets = targets::of_model(manifest, name, model, socs, &mut problems);
    let graphs = graphs(name, model);
    let facts = match source_format(&model.source) {
        Err(problem) => {
            problems.push(problem.at(at(&["source"])));
            None
        }
        Ok(_) if !model.source.exists() => {
            let message = format!("the model file {} does not exist", model.source.display());
            problems.push(missing_file(&model.source, message).at(at(&["source"])));
            None
        }
        Ok(format) => match inspect(&model.source, format, memo) {
            Ok(facts) => {
                let list =
                    if model.soc.is_some() { at(&["soc"]) } else { manifest.origin(&["soc"]).to_string() };
                let floats = targets::floats(&targets, format, &facts, model);
                problems.extend(floats.into_iter().map(|problem| problem.at(&list)));
                problems.extend(check::overrides(format, &facts, model, &graphs).into_iter().map(
                    |(key, problem)| {
                        let key: Vec<&str> = key.iter().map(String::as_str).collect();
                        problem.at(at(&key))
                    },
                ));
                Some((format, facts))
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        },
    };
    if let Some(file) = model.quantize.encodings.as_deref().filter(|file| !file.is_file()) {
        let message = format!("the encodings file {} does not exist", file.display());
        problems.push(missing_file(file, message).at(at(&["quantize", "encodings"])));
    }
    let Some((format, facts)) = facts.filter(|_| problems.is_empty()) else { return Err(problems) };
    let job = |soc: Target| CompileJob {
        model: name.to_owned(),
        source: model.source.clone(),
        format,
        soc,
        precision: model.precision,
        graphs: graphs.clone(),
        outputs: model.outputs.clone(),
        samples: model.samples.as_deref().map(Samples::from_text),
        encodings: model.quantize.encodings.clone(),
        htp: model.htp.clone(),
        toolchain: toolchain.clone(),
        output: None,
    };
    let jobs = targets.into_iter().map(job).collect();
    Ok(PlannedModel { name: name.to_owned(), source: model.source.clone(), facts, embed: model.embed, jobs })
}

/// What kind of model file a path names, by its extension.
///
/// # Errors
/// `E0109`, or `E0110` for formats of later versions.
pub fn source_format(path: &Path) -> Result<SourceFormat, Diagnostic> {
    const FORMATS: &[(&str, SourceFormat)] =
        &[("onnx", SourceFormat::Onnx), ("dlc", SourceFormat::Dlc), ("bin", SourceFormat::ContextBinary)];
    const LATER: &[&str] = &["gguf", "safetensors"];
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == extension) {
        return Ok(*format);
    }
    const SUPPORTED: &str = "supported: .onnx, .dlc, .bin (a ready context binary)";
    if LATER.contains(&extension.as_str()) || path.is_dir() {
        let what = if path.is_dir() { "a folder".to_owned() } else { format!(".{extension} files") };
        let message = format!("{what} as a model source: not supported by this version");
        return Err(Diagnostic::new("E0110", message).help(SUPPORTED));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Err(Diagnostic::new("E0109", format!("`{name}` is no kind of model file that can be compiled"))
        .help(SUPPORTED))
}

/// One graph named after the model, or those the manifest names; what a graph does not say of an input comes from the model.
pub(crate) fn graphs(name: &str, model: &Model) -> Vec<GraphSpec> {
    if model.graphs.is_empty() {
        return vec![GraphSpec { name: name.to_owned(), inputs: model.inputs.clone() }];
    }
    let merge = |below: &BTreeMap<String, InputSpec>, above: &BTreeMap<String, InputSpec>| {
        let mut inputs = below.clone();
        for (name, above) in above {
            let input = inputs.entry(name.clone()).or_default();
            input.shape = above.shape.clone().or(input.shape.take());
            input.dtype = above.dtype.clone().or(input.dtype.take());
            input.layout = above.layout.clone().or(input.layout.take());
        }
        inputs
    };
    let graph = |(name, graph): (&String, &crate::manifest::Graph)| GraphSpec {
        name: name.clone(),
        inputs: merge(&model.inputs, &graph.inputs),
    };
    model.graphs.iter().map(graph).collect()
}

/// A missing file, with the names in its folder that come closest.
fn missing_file(path: &Path, message: String) -> Diagnostic {
    let problem = Diagnostic::new("E0108", message);
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match std::fs::read_dir(folder) {
        Err(_) => problem.note(format!("the folder {} does not exist", folder.display())),
        Ok(entries) => {
            let names: Vec<String> =
                entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            match nearest(&name, names.iter().map(String::as_str), 1).first() {
                Some(near) => problem.help(format!("did you mean `{near}`, which is there?")),
                None => problem.help("correct `source`, or fetch the model first"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
