//! From the manifest to jobs: one compile per model and SoC, and everything that is wrong with the request at once.

mod check;
mod dims;
mod llm;
mod targets;

use llm::Layout;
use targets::SocList;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qnn_platform::nearest::nearest;

use crate::memo::Memo;
use crate::source::{SourceFacts, inspect};
use qnn_manifest::module::identifier;
use qnn_manifest::{Manifest, Model, graphs, source_format};
use qnn_types::{CompileJob, Diagnostic, Embed, OpPackage, Samples, Target, Toolchain};
use qnn_types::{Error, Result};

/// A problem and the key, below the model's table, that it comes from.
type Located = (Vec<String>, Diagnostic);

/// What a package wants compiled.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its models, by name.
    pub models: Vec<PlannedModel>,
    /// What else should be known of the result, one sentence each.
    pub notes: Vec<String>,
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
    /// One job per SoC, or of a language model one per SoC and part and one for the embedding table; `output` is not set yet.
    pub jobs: Vec<CompileJob>,
}

impl PlannedModel {
    /// Every file that is read to compile it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.source.as_path())
            .chain(self.facts.external.iter().map(|file| file.path.as_path()))
    }
}

impl Plan {
    /// Plans all models of a package. `op_packages` are those of the manifest, built for this machine.
    ///
    /// # Errors
    /// Every problem of every model: no models, unknown SoCs, missing or damaged files, options that do not fit.
    pub fn new(
        manifest: &Manifest,
        toolchain: &Toolchain,
        memo: &Memo,
        op_packages: &[OpPackage],
    ) -> Result<Self> {
        let mut problems = Vec::new();
        if manifest.config.models.is_empty() && !manifest.gated {
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
            let around = Around { manifest, toolchain, memo, socs: &socs, op_packages };
            match plan_model(around, name, model) {
                Ok(model) => models.push(model),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.model(name))),
            }
        }
        let notes = models.iter().flat_map(|model| {
            let notes = model.facts.llm.iter().flat_map(|llm| &llm.notes);
            notes.map(|note| format!("{}: {note}", model.name))
        });
        let notes = notes.collect();
        Error::from_problems(problems).map_or(Ok(Self { models, notes }), Err)
    }

    /// Settles what depends on where the app will run, a target triple or this machine: for x86-64 that is the emulator, which
    /// cannot load graphs that share weights, so that they are shared there only when the manifest says so.
    #[must_use]
    pub fn for_target(mut self, triple: Option<&str>) -> Self {
        let arch = triple.and_then(|triple| triple.split('-').next()).unwrap_or(std::env::consts::ARCH);
        if arch == "x86_64" {
            for model in &mut self.models {
                let shares = |job: &CompileJob| job.htp.weight_sharing.is_none() && job.graphs.len() > 1;
                if model.facts.llm.is_some() && model.jobs.iter().any(shares) {
                    self.notes.push(format!(
                        "{}: compiled for the emulator, which cannot load weights that graphs share: each graph has its own \
                         here; a build for a device stores them once",
                        model.name
                    ));
                }
                for job in &mut model.jobs {
                    job.htp.weight_sharing.get_or_insert(false);
                }
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

/// What all models of a package are planned with.
#[derive(Clone, Copy)]
struct Around<'a> {
    manifest: &'a Manifest,
    toolchain: &'a Toolchain,
    memo: &'a Memo,
    socs: &'a SocList,
    op_packages: &'a [OpPackage],
}

fn plan_model(around: Around<'_>, name: &str, model: &Model) -> Result<PlannedModel, Vec<Diagnostic>> {
    let Around { manifest, toolchain, memo, socs, op_packages } = around;
    let mut problems = Vec::new();
    let at = |key: &[&str]| {
        let path: Vec<&str> = ["models", name].iter().chain(key).copied().collect();
        manifest.origin(&path).to_string()
    };
    let located = |(key, problem): Located| {
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        problem.at(at(&key))
    };
    let targets = targets::of_model(manifest, name, model, socs, &mut problems);
    let mut graphs = graphs(name, model, &[]);
    let facts = match source_format(&model.source) {
        Err(problem) => {
            problems.push(problem.at(at(&["source"])));
            None
        }
        Ok(_) if !model.source.exists() => {
            let message = format!("the model file {} does not exist", model.source.display());
            problems.push(missing_file(&model.source, "source", message).at(at(&["source"])));
            None
        }
        Ok(format) => match inspect(&model.source, format, memo) {
            Ok(facts) => {
                graphs = self::graphs(name, model, &facts.inputs);
                let list =
                    if model.soc.is_some() { at(&["soc"]) } else { manifest.origin(&["soc"]).to_string() };
                let floats = targets::floats(&targets, format, &facts, model);
                problems.extend(floats.into_iter().map(|problem| problem.at(&list)));
                let mut found = llm::foreign(format, model);
                found.extend(check::overrides(format, &facts, model, &graphs));
                let layout =
                    facts.llm.as_ref().map(|facts| Layout::new(facts, model.llm.as_ref())).transpose();
                let layout = layout.unwrap_or_else(|problems| {
                    found.extend(problems);
                    None
                });
                problems.extend(found.into_iter().map(located));
                Some((format, facts, layout))
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        },
    };
    let samples = model.samples.as_deref().map(Samples::from_text);
    let samples = samples.as_ref().and_then(|samples| match samples {
        Samples::File(file) => Some(file.as_path()),
        Samples::Generated => None,
    });
    let beside: [(&[&str], Option<&Path>); 2] =
        [(&["quantize", "encodings"], model.quantize.encodings.as_deref()), (&["samples"], samples)];
    for (keys, file) in beside {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            let key = keys.join(".");
            let what = if file.exists() { "is not a regular file" } else { "does not exist" };
            let message = format!("the file {} of `{key}` {what}", file.display());
            problems.push(missing_file(file, &key, message).at(at(keys)));
        }
    }
    for wanted in model.op_packages.iter().flatten() {
        if !op_packages.iter().any(|package| package.name == *wanted) {
            problems.push(unknown_op_package(wanted, op_packages).at(at(&["op-packages"])));
        }
    }
    let Some((format, facts, layout)) = facts.filter(|_| problems.is_empty()) else { return Err(problems) };
    let uses = |package: &&OpPackage| match &model.op_packages {
        Some(wanted) => wanted.contains(&package.name),
        None => facts.domains.contains(&package.domain) || !package.replace.is_empty(),
    };
    let used: Vec<OpPackage> = op_packages.iter().filter(uses).cloned().collect();
    let job = |soc: Target| CompileJob {
        model: name.to_owned(),
        source: model.source.clone(),
        format,
        soc,
        precision: model.precision,
        accuracy: model.accuracy,
        graphs: graphs.clone(),
        outputs: model.outputs.clone(),
        samples: model.samples.as_deref().map(Samples::from_text),
        ranges: Vec::new(),
        trace: None,
        encodings: model.quantize.encodings.clone(),
        op_packages: used.clone(),
        llm: None,
        htp: model.htp.clone(),
        toolchain: toolchain.clone(),
        output: None,
    };
    let bases = targets.into_iter().map(job);
    let jobs = match (&layout, &facts.llm) {
        (Some(layout), Some(llm)) => {
            let mut jobs = Vec::new();
            for base in bases {
                match layout.parts(llm, &base) {
                    Ok(parts) => jobs.extend(parts),
                    Err(problem) => problems.push(located(problem)),
                }
            }
            jobs.extend(jobs.first().and_then(|first| layout.table(first)));
            jobs
        }
        _ => bases.collect(),
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(PlannedModel { name: name.to_owned(), source: model.source.clone(), facts, embed: model.embed, jobs })
}

fn unknown_op_package(name: &str, known: &[OpPackage]) -> Diagnostic {
    let problem = Diagnostic::new("E0104", format!("`op-packages` names `{name}`, which is not declared"));
    match nearest(name, known.iter().map(|package| &*package.name), 1).first() {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("add [package.metadata.qnn.op-packages.{name}] with a `path`")),
    }
}

/// A missing file, with the names in its folder that come closest.
fn missing_file(path: &Path, key: &str, message: String) -> Diagnostic {
    let problem = Diagnostic::new("E0108", message);
    if let Some(target) = std::fs::read_link(path).ok().filter(|_| !path.exists()) {
        return problem
            .note(format!("it is a link to {}, which is not there", target.display()))
            .help(format!("correct the link or `{key}`, or fetch the file first"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match std::fs::read_dir(folder) {
        Err(_) => problem.note(format!("the folder {} does not exist", folder.display())),
        Ok(entries) => {
            let names: Vec<String> =
                entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            match nearest(&name, names.iter().map(String::as_str), 1).first() {
                Some(near) => problem.help(format!("did you mean `{near}`, which is there?")),
                None => problem.help(format!("correct `{key}`, or fetch the file first")),
            }
        }
    }
}

#[cfg(test)]
mod tests;
