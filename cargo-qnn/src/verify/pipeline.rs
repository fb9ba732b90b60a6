//! Compile, execute, run the reference, compare.

use std::path::{Path, PathBuf};
use std::time::Duration;

use qnn_manifest::ModelValue;
use qnn_pipeline::compile::Request;
use qnn_pipeline::driver::JobId;
use qnn_pipeline::source::SourceFacts;
use qnn_types::{
    CompileJob, ComputedValue, ExecuteJob, GraphInfo, GraphSpec, Job, ReferenceJob, Report, TensorInfo,
};
use serde::Serialize;

use super::arrays::{Arrays, read, write};
use super::divergence::Divergence;
use super::feed::{Feed, Inputs};
use super::metrics::{Comparison, Thresholds};
use super::outputs::{Output, comparable, expected, named, one};
use super::scratch::Scratch;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::jobs;
use crate::models::Models;
use crate::progress::{COMPILE, EXECUTE, READ, REFERENCE, Shown};
use crate::session::Session;

/// The model that is verified.
pub(crate) struct Subject {
    /// Its package; empty for a file that belongs to none.
    pub(crate) package: String,
    /// How to compile it; `output` is not looked at.
    pub(crate) job: CompileJob,
    pub(crate) facts: SourceFacts,
    pub(crate) timeout: Option<Duration>,
}

/// How it is verified.
pub(crate) struct Method {
    pub(crate) inputs: Inputs,
    pub(crate) limits: Thresholds,
    /// Whether every value inside the model is compared.
    pub(crate) layers: bool,
    /// What the outputs should be, in place of what the reference engine computes.
    pub(crate) expected: Option<PathBuf>,
}

/// A graph's outputs, compared.
#[derive(Debug, Serialize)]
pub(crate) struct Verdicts {
    pub(crate) graph: String,
    pub(crate) outputs: Vec<Comparison>,
    /// With `--layers`: every value inside the model, in the order in which they are computed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<LayerVerdict>,
    /// With `--layers`, when an output is too far: where it begins.
    pub(crate) departure: Option<Divergence>,
}

/// A value inside the model, compared.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LayerVerdict {
    pub(crate) node: String,
    pub(crate) op: String,
    #[serde(flatten)]
    pub(crate) comparison: Comparison,
}

/// Verifies every graph of a model. The context binary comes from the store of `models`, where it has it, or goes there.
pub(crate) fn verify(
    session: &Session,
    models: &Models,
    subject: &Subject,
    method: &Method,
) -> Result<Vec<Verdicts>> {
    let folder = Scratch::new()?;
    let bench = Bench { session, subject, method, folder: folder.path() };
    // What can be wrong with the arrays is found before anything is compiled.
    let declared = &subject.facts.inputs;
    let feed = |spec: &GraphSpec| Ok((spec.name.clone(), Feed::new(spec, declared, &method.inputs)?));
    let feeds: Vec<(String, Feed<'_>)> = if declared.is_empty() {
        Vec::new()
    } else {
        subject.job.graphs.iter().map(feed).collect::<Result<_>>()?
    };
    if let Some(file) = &method.expected {
        read(file)?;
    }
    let (binary, compiled) = bench.stored(models)?;
    let mut verdicts = Vec::new();
    for graph in &compiled.graphs {
        // A DLC and a context binary have graphs of their own, of which only the compile tells.
        let own = || GraphSpec { name: graph.name.clone(), ..GraphSpec::default() };
        let spec = subject.job.graphs.iter().find(|spec| spec.name == graph.name);
        let spec = spec.cloned().unwrap_or_else(own);
        let tensors: Vec<ModelValue>;
        let in_binary;
        let feed = match feeds.iter().find(|(name, _)| *name == graph.name) {
            Some((_, feed)) => feed,
            None => {
                tensors = graph.inputs.iter().map(declared_by).collect();
                in_binary = Feed::new(&spec, &tensors, &method.inputs)?;
                &in_binary
            }
        };
        let (border, model) = feed.arrays(graph)?;
        let outputs = bench.run(&subject.job, graph, &binary, &border, &model, |_, _| true)?;
        let (mut all, mut departure) = (Vec::new(), None);
        if method.layers {
            let layers = bench.computed(&spec)?;
            let look = |wanted: &[ComputedValue]| bench.layers(&spec, &border, &model, wanted);
            all = look(&layers)?;
            if !outputs.iter().all(|output| output.ok) {
                departure = Divergence::find(&layers, &all, look)?;
            }
        }
        verdicts.push(Verdicts { graph: graph.name.clone(), outputs, layers: all, departure });
    }
    Ok(verdicts)
}

/// A tensor of a context binary as a model file would declare it.
fn declared_by(tensor: &TensorInfo) -> ModelValue {
    ModelValue {
        name: tensor.name.clone(),
        dtype: tensor.dtype.clone(),
        shape: Some(tensor.shape.iter().copied().map(Some).collect()),
        symbols: Vec::new(),
    }
}

fn graph_of<'r>(report: &'r Report, name: &str) -> Result<&'r GraphInfo> {
    report.graphs.iter().find(|graph| graph.name == name).ok_or_else(|| {
        let found = list(report.graphs.iter().map(|graph| &graph.name));
        Failure::new(Exit::User, codes::ARRAYS, format!("the context binary has no graph `{name}`"))
            .note(format!("it has {found}"))
    })
}

/// The jobs of one verification, and the folder of its files.
struct Bench<'a> {
    session: &'a Session,
    subject: &'a Subject,
    method: &'a Method,
    folder: &'a Path,
}

impl Bench<'_> {
    fn id(&self) -> JobId {
        JobId::of(&self.subject.package, &self.subject.job)
    }

    /// The model's context binary in the store.
    fn stored(&self, models: &Models) -> Result<(PathBuf, Report)> {
        let Subject { package, job, facts, .. } = self.subject;
        let request = Request { package, job, facts };
        let progress = Shown::new(&self.session.term, COMPILE);
        let (compiled, warnings) = models.compiler()?.compile(&[request], &progress)?;
        warnings.iter().for_each(|warning| self.session.term.warning(warning));
        let compiled = compiled.into_iter().next();
        let entry = compiled.map(|compiled| compiled.entry);
        entry
            .map(|entry| (entry.path, entry.record.report))
            .ok_or_else(|| Failure::user("nothing was compiled"))
    }

    fn compile(&self, file: &Path, job: &CompileJob) -> Result<Report> {
        let job = Job::Compile(CompileJob { output: Some(file.to_owned()), ..job.clone() });
        jobs::run(self.session, &job, &self.id(), COMPILE, self.subject.timeout)
    }

    /// Runs both engines and compares the wanted outputs of `graph`, which `job` was compiled to.
    fn run(
        &self,
        job: &CompileJob,
        graph: &GraphInfo,
        binary: &Path,
        border: &Arrays,
        model: &Arrays,
        wanted: impl Fn(&Output<'_>, &Arrays) -> bool,
    ) -> Result<Vec<Comparison>> {
        let outputs = named(job, &self.subject.facts, &graph.outputs);
        let reference = match &self.method.expected {
            Some(file) => expected(file, &outputs)?,
            None => self.reference(model, &outputs)?,
        };
        let found = self.execute(&graph.name, binary, border)?;
        let compared = outputs.iter().filter(|output| wanted(output, &reference));
        compared.map(|output| one(output, &found, &reference, &self.method.limits)).collect()
    }

    fn execute(&self, graph: &str, binary: &Path, inputs: &Arrays) -> Result<Arrays> {
        let (from, to) = (self.folder.join("htp-inputs.npz"), self.folder.join("htp-outputs.npz"));
        write(&from, inputs)?;
        let job = &self.subject.job;
        let job = Job::Execute(ExecuteJob {
            binary: binary.to_owned(),
            graph: Some(graph.to_owned()),
            soc: Some(job.soc.clone()),
            inputs: from,
            outputs: to.clone(),
            op_packages: job.op_packages.clone(),
            toolchain: job.toolchain.clone(),
        });
        jobs::run(self.session, &job, &self.id(), EXECUTE, self.subject.timeout)?;
        read(&to)
    }

    fn reference(&self, inputs: &Arrays, outputs: &[Output<'_>]) -> Result<Arrays> {
        // An output that is an input is known without computing, and the engine does not give it.
        let input = |name: &String| inputs.iter().find(|(input, _)| input == name).cloned();
        let mut known: Arrays = outputs.iter().filter_map(|output| input(&output.name)).collect();
        let names = outputs.iter().map(|output| output.name.clone());
        let values: Vec<String> = names.filter(|name| input(name).is_none()).collect();
        if values.is_empty() {
            return Ok(known);
        }
        let (from, to) =
            (self.folder.join("reference-inputs.npz"), self.folder.join("reference-outputs.npz"));
        write(&from, inputs)?;
        let job = &self.subject.job;
        let id = JobId { soc: "reference".to_owned(), ..self.id() };
        let work = Job::Reference(ReferenceJob {
            source: job.source.clone(),
            inputs: from,
            outputs: to.clone(),
            values,
            toolchain: job.toolchain.clone(),
        });
        let ran = jobs::run(self.session, &work, &id, REFERENCE, self.subject.timeout);
        ran.map_err(without_reference)?;
        known.extend(read(&to)?);
        Ok(known)
    }

    /// The values inside the model that can be compared.
    fn computed(&self, spec: &GraphSpec) -> Result<Vec<ComputedValue>> {
        let job = CompileJob { graphs: vec![spec.clone()], ..self.subject.job.clone() };
        Ok(jobs::run(self.session, &Job::Values(job), &self.id(), READ, self.subject.timeout)?.computed)
    }

    /// Compiles the model with these values as its outputs and compares each.
    fn layers(
        &self,
        spec: &GraphSpec,
        border: &Arrays,
        model: &Arrays,
        layers: &[ComputedValue],
    ) -> Result<Vec<LayerVerdict>> {
        let outputs = layers.iter().map(|layer| layer.value.clone()).collect();
        let job = CompileJob { outputs, graphs: vec![spec.clone()], ..self.subject.job.clone() };
        let binary = self.folder.join("layers.bin");
        let compiled = self.compile(&binary, &job)?;
        let graph = graph_of(&compiled, &spec.name)?;
        // Of inputs that these outputs do not depend on the binary knows nothing.
        let known = |(name, _): &&(String, qnn_compiler::npz::Array)| {
            graph.inputs.iter().any(|input| input.name == *name)
        };
        let border: Arrays = border.iter().filter(known).cloned().collect();
        let comparisons = self.run(&job, graph, &binary, &border, model, comparable)?;
        let verdict = |ComputedValue { value, node, op }: &ComputedValue| {
            let comparison = comparisons.iter().find(|comparison| comparison.name == *value)?.clone();
            Some(LayerVerdict { node: node.clone(), op: op.clone(), comparison })
        };
        Ok(layers.iter().filter_map(verdict).collect())
    }
}

/// Says what is left to do where the reference engine has no kernel for an operator.
fn without_reference(failure: Failure) -> Failure {
    let refused = failure.problems.iter().any(|problem| problem.code == codes::REFERENCE);
    if !refused {
        return failure;
    }
    failure.help("--expected FILE.npz compares with outputs that another program computed, with --inputs for what it got")
}
