//! Compile, execute, run the reference, compare.

use std::path::{Path, PathBuf};
use std::time::Duration;

use qnn::DataType;
use qnn_build::Affine;
use qnn_build::driver::JobId;
use qnn_build::job::{
    CompileJob, Diagnostic, ExecuteJob, GraphInfo, GraphSpec, Job, ReferenceJob, Report, TensorInfo,
};
use qnn_build::source::{ModelValue, SourceFacts};
use qnn_compiler::npz::{self, Array};
use serde::Serialize;

use super::arrays::{channels_first, channels_last, from_f64, to_f64};
use super::departure::Departure;
use super::generate::{Random, default_range};
use super::layers::{Layer, layers};
use super::metrics::{Comparison, Thresholds, compare};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::jobs;
use crate::progress::{COMPILE, EXECUTE, REFERENCE};
use crate::session::Session;

/// The model that is verified.
pub(crate) struct Subject {
    /// How to compile it; `output` is not looked at.
    pub(crate) job: CompileJob,
    pub(crate) facts: SourceFacts,
    pub(crate) timeout: Option<Duration>,
}

/// What it is fed with.
pub(crate) enum Inputs {
    /// An `.npz` file with one array per input of the model file, in its dtype and layout.
    File(PathBuf),
    /// Random numbers.
    Generated { seed: u64, range: Option<(f64, f64)> },
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
    pub(crate) departure: Option<Departure>,
}

/// A value inside the model, compared.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LayerVerdict {
    pub(crate) node: String,
    pub(crate) op: String,
    #[serde(flatten)]
    pub(crate) comparison: Comparison,
}

/// Verifies every graph of a model.
pub(crate) fn verify(
    session: &Session,
    subject: &Subject,
    inputs: &Inputs,
    limits: &Thresholds,
    with_layers: bool,
) -> Result<Vec<Verdicts>> {
    let folder = tempfile::Builder::new().prefix("cargo-qnn-verify-").tempdir();
    let folder = folder.map_err(|error| Failure::io("cannot write to", &std::env::temp_dir(), &error))?;
    let bench = Bench { session, subject, folder: folder.path() };
    let compiled = bench.compile("model.bin", &subject.job)?;
    let mut verdicts = Vec::new();
    for spec in &subject.job.graphs {
        let graph = graph_of(&compiled, &spec.name)?;
        let (border, model) = bench.inputs(spec, graph, inputs)?;
        let outputs = bench.run(spec, graph, "model.bin", &border, &model, limits)?;
        let (mut all, mut departure) = (Vec::new(), None);
        if with_layers {
            let layers = layers(&subject.job, spec)?;
            let look = |wanted: &[Layer]| bench.layers(spec, &border, &model, limits, wanted);
            all = look(&layers)?;
            if !outputs.iter().all(|output| output.ok) {
                departure = Departure::find(&layers, &all, look)?;
            }
        }
        verdicts.push(Verdicts { graph: spec.name.clone(), outputs, layers: all, departure });
    }
    Ok(verdicts)
}

fn graph_of<'r>(report: &'r Report, name: &str) -> Result<&'r GraphInfo> {
    report.graphs.iter().find(|graph| graph.name == name).ok_or_else(|| {
        let found = list(report.graphs.iter().map(|graph| &graph.name));
        Failure::new(Exit::User, codes::ARRAYS, format!("the context binary has no graph `{name}`"))
            .note(format!("it has {found}"))
    })
}

/// Named arrays.
type Arrays = Vec<(String, Array)>;

/// The jobs of one verification, and the folder of its files.
struct Bench<'a> {
    session: &'a Session,
    subject: &'a Subject,
    folder: &'a Path,
}

impl Bench<'_> {
    fn id(&self) -> JobId {
        let job = &self.subject.job;
        JobId::of("", job)
    }

    fn compile(&self, file: &str, job: &CompileJob) -> Result<Report> {
        let job = Job::Compile(CompileJob { output: Some(self.folder.join(file)), ..job.clone() });
        jobs::run(self.session, &job, &self.id(), COMPILE, self.subject.timeout)
    }

    /// Runs both engines and compares all outputs of `graph`.
    fn run(
        &self,
        spec: &GraphSpec,
        graph: &GraphInfo,
        binary: &str,
        border: &Arrays,
        model: &Arrays,
        limits: &Thresholds,
    ) -> Result<Vec<Comparison>> {
        let values: Vec<String> = graph.outputs.iter().map(|output| output.name.clone()).collect();
        let found = self.execute(&spec.name, binary, border)?;
        let reference = self.reference(model, values)?;
        let compare = |output: &TensorInfo| one(output, &found, &reference, limits);
        graph.outputs.iter().map(compare).collect()
    }

    fn execute(&self, graph: &str, binary: &str, inputs: &Arrays) -> Result<Arrays> {
        let (from, to) = (self.folder.join("htp-inputs.npz"), self.folder.join("htp-outputs.npz"));
        write(&from, inputs)?;
        let job = &self.subject.job;
        let job = Job::Execute(ExecuteJob {
            binary: self.folder.join(binary),
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

    fn reference(&self, inputs: &Arrays, values: Vec<String>) -> Result<Arrays> {
        let (from, to) =
            (self.folder.join("reference-inputs.npz"), self.folder.join("reference-outputs.npz"));
        write(&from, inputs)?;
        let job = &self.subject.job;
        let id = JobId { soc: "reference".to_owned(), ..self.id() };
        let job = Job::Reference(ReferenceJob {
            source: job.source.clone(),
            inputs: from,
            outputs: to.clone(),
            values,
            toolchain: job.toolchain.clone(),
        });
        jobs::run(self.session, &job, &id, REFERENCE, self.subject.timeout)?;
        read(&to)
    }

    /// The same numbers twice: as the context binary takes them, and as the model file takes them.
    fn inputs(&self, spec: &GraphSpec, graph: &GraphInfo, inputs: &Inputs) -> Result<(Arrays, Arrays)> {
        let given = match inputs {
            Inputs::File(file) => Some(read(file)?),
            Inputs::Generated { .. } => None,
        };
        let (mut border, mut model) = (Vec::new(), Vec::new());
        for (index, declared) in self.subject.facts.inputs.iter().enumerate() {
            // An input that no output depends on is not in the context binary; the reference engine wants it all the same.
            let info = graph.inputs.iter().find(|input| input.name == declared.name);
            let layout = spec.inputs.get(&declared.name).and_then(|input| input.layout.as_deref());
            let nhwc = layout == Some("nhwc");
            let shape = model_shape(spec, declared, info, nhwc);
            let affine = normalization(spec, declared, &shape)?;
            let array = match (&given, inputs) {
                (Some(arrays), _) => {
                    let array =
                        arrays.iter().find(|(name, _)| *name == declared.name).map(|(_, array)| array);
                    array.cloned().ok_or_else(|| missing(declared, arrays))?
                }
                (None, Inputs::Generated { seed, range }) => {
                    let dtype = info.map_or(declared.dtype.as_str(), |info| info.dtype.as_str());
                    let mut random = Random::new(seed.wrapping_add(index as u64));
                    let count = shape.iter().product::<u64>() as usize;
                    let mut values = random.uniform(count, range.unwrap_or_else(|| default_range(dtype)));
                    // The numbers are the app's.
                    affine.iter().for_each(|affine| affine.apply(&mut values, &shape));
                    from_f64(&values, dtype_of(&declared.dtype), &shape)
                }
                (None, Inputs::File(file)) => return Err(unreadable(file, "it was not read")),
            };
            let mut values = to_f64(&array, None);
            let Some(info) = info else {
                model.push((declared.name.clone(), array));
                continue;
            };
            // What the border cannot express, the reference must not see either.
            let dims = &info.shape;
            affine.iter().for_each(|affine| affine.undo(&mut values, &shape));
            let values = if nhwc { channels_last(&values, dims) } else { values };
            let batch = batch(values.len(), dims);
            let at_border =
                from_f64(&encode(&values, info.quant), dtype_of(&info.dtype), &with_batch(batch, dims));
            let values = to_f64(&at_border, info.quant);
            let mut values = if nhwc { channels_first(&values, dims) } else { values };
            affine.iter().for_each(|affine| affine.apply(&mut values, &shape));
            let at_model = from_f64(&values, dtype_of(&declared.dtype), &with_batch(batch, &shape));
            border.push((declared.name.clone(), at_border));
            model.push((declared.name.clone(), at_model));
        }
        Ok((border, model))
    }

    /// Compiles the model with these values as its outputs and compares each.
    fn layers(
        &self,
        spec: &GraphSpec,
        border: &Arrays,
        model: &Arrays,
        limits: &Thresholds,
        layers: &[Layer],
    ) -> Result<Vec<LayerVerdict>> {
        let outputs = layers.iter().map(|layer| layer.value.clone()).collect();
        let job = CompileJob { outputs, graphs: vec![spec.clone()], ..self.subject.job.clone() };
        let compiled = self.compile("layers.bin", &job)?;
        let graph = graph_of(&compiled, &spec.name)?;
        // Of inputs that these outputs do not depend on the binary knows nothing.
        let known = |(name, _): &&(String, Array)| graph.inputs.iter().any(|input| input.name == *name);
        let border: Arrays = border.iter().filter(known).cloned().collect();
        let comparisons = self.run(spec, graph, "layers.bin", &border, model, limits)?;
        let verdict = |Layer { value, node, op }: &Layer| {
            let comparison = comparisons.iter().find(|comparison| comparison.name == *value)?.clone();
            Some(LayerVerdict { node: node.clone(), op: op.clone(), comparison })
        };
        Ok(layers.iter().filter_map(verdict).collect())
    }
}

/// The shape of an input as the model file has it: said by the user, fixed by the model, or that of the binary turned back.
fn model_shape(spec: &GraphSpec, declared: &ModelValue, info: Option<&TensorInfo>, nhwc: bool) -> Vec<u64> {
    let said = spec.inputs.get(&declared.name).and_then(|input| input.shape.clone());
    let fixed =
        || declared.shape.as_ref().and_then(|dims| dims.iter().copied().collect::<Option<Vec<u64>>>());
    let of_binary = || {
        let dims = info.map(|info| info.shape.clone()).unwrap_or_default();
        match dims.as_slice() {
            [batch, space @ .., channels] if nhwc => [&[*batch, *channels], space].concat(),
            _ => dims,
        }
    };
    said.or_else(fixed).unwrap_or_else(of_binary)
}

/// What the graph makes of the app's numbers in an input, where that is not themselves.
fn normalization(spec: &GraphSpec, declared: &ModelValue, shape: &[u64]) -> Result<Option<Affine>> {
    let normalization = spec.inputs.get(&declared.name).and_then(|input| input.normalization());
    let dims: Vec<Option<u64>> = shape.iter().copied().map(Some).collect();
    let affine = normalization.map(|normalization| normalization.of(&declared.name, &declared.dtype, &dims));
    Ok(affine.transpose()?)
}

fn one(output: &TensorInfo, found: &Arrays, reference: &Arrays, limits: &Thresholds) -> Result<Comparison> {
    let name = &output.name;
    let find =
        |arrays: &Arrays| arrays.iter().find(|(other, _)| other == name).map(|(_, array)| array.clone());
    let (Some(found), Some(reference)) = (find(found), find(reference)) else {
        return Err(Failure::new(Exit::User, codes::ARRAYS, format!("output `{name}` was not computed")));
    };
    let dtype = reference.dtype;
    let (found, reference) = (to_f64(&found, output.quant), to_f64(&reference, None));
    if found.len() != reference.len() {
        let message =
            format!("output `{name}` has {} elements, the reference {}", found.len(), reference.len());
        return Err(Failure::new(Exit::User, codes::ARRAYS, message));
    }
    let (found, reference) = without_masks(found, reference);
    Ok(compare(name, dtype.name(), &found, &reference, limits))
}

/// The largest number of fp16.
pub(super) const LARGEST: f64 = 65504.0;
/// Numbers from here on stand for infinity: masks, which HTP clamps to the largest number of fp16.
const MASK: f64 = 1e9;

/// Masks of the reference, and what the HTP has in their place, as the largest number.
fn without_masks(mut found: Vec<f64>, mut reference: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    for (f, r) in found.iter_mut().zip(&mut reference).filter(|(_, r)| r.abs() >= MASK) {
        *r = LARGEST.copysign(*r);
        *f = f.clamp(-LARGEST, LARGEST);
    }
    (found, reference)
}

/// Samples in `count` elements of a tensor.
fn batch(count: usize, dims: &[u64]) -> Option<u64> {
    let one = dims.iter().product::<u64>().max(1);
    let samples = count as u64 / one;
    (samples > 1).then_some(samples)
}

fn with_batch(batch: Option<u64>, dims: &[u64]) -> Vec<u64> {
    batch.into_iter().chain(dims.iter().copied()).collect()
}

/// Real numbers as stored values.
fn encode(values: &[f64], quant: Option<(f32, i32)>) -> Vec<f64> {
    match quant {
        None => values.to_vec(),
        Some((scale, offset)) => {
            values.iter().map(|value| value / f64::from(scale) - f64::from(offset)).collect()
        }
    }
}

fn dtype_of(name: &str) -> DataType {
    DataType::from_name(name).unwrap_or(DataType::Float32)
}

fn missing(declared: &ModelValue, arrays: &Arrays) -> Failure {
    let names = list(arrays.iter().map(|(name, _)| name));
    Diagnostic::new(codes::ARRAYS, format!("there is no array for input `{}`", declared.name))
        .note(format!("the file has {names}"))
        .into()
}

fn unreadable(file: &Path, why: &str) -> Failure {
    Diagnostic::new(codes::INPUT_FILE, format!("{} cannot be used", file.display())).note(why).into()
}

fn read(file: &Path) -> Result<Arrays> {
    npz::read(file).map_err(|error| unreadable(file, &error.to_string()))
}

fn write(file: &Path, arrays: &Arrays) -> Result<()> {
    npz::write(file, arrays.iter().map(|(name, array)| (name.as_str(), array)))
        .map_err(|error| Failure::user(format!("cannot write {}", file.display())).note(error.to_string()))
}
