//! A language model in the emulator against its dequantized weights in float32, token by token of a text.

use std::collections::BTreeMap;

use half::f16;
use qnn::{Backend, Context, Device, F16, Graph, LoadOptions, Tensor as View, TensorMut};
use qnn_llm::deployment::{KEY_BIAS_ANGLES, MASKED, graph_name};
use qnn_llm::{Config, Heads};
use qnn_platform::libs::{QnnLibs, Source};
use qnn_types::{Diagnostic, EvaluateJob, Evaluation, Report, Stage};

use super::layer_output;
use crate::frontend::onnx::OnnxFile;
use crate::graph::{DType, Data, TensorType};
use crate::htp;
use crate::problem::{Problems, Result, problem};
use crate::reference::{ReferenceEngine, ReferenceModel, Tensor};
use crate::reporter::Reporter;

/// Floats by the name of their tensor, and the token ids.
struct Inputs {
    tokens: Vec<i32>,
    floats: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

/// Outputs by name.
type Outputs = BTreeMap<String, Vec<f32>>;

/// Runs a graph for a number of tokens.
trait Engine {
    fn run(&mut self, tokens: usize, inputs: &Inputs) -> Result<Outputs>;
}

/// Runs both engines over every window.
///
/// # Errors
/// What cannot be loaded or run.
pub(crate) fn evaluate(job: &EvaluateJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Import);
    let config = qnn_llm::open(&job.source)
        .map_err(|found| Problems(found.0.into_iter().map(Diagnostic::from).collect()))?
        .config;
    reporter.stage(Stage::Load);
    let mut emulator = Emulator::open(job)?;
    let mut reference = Reference::open(job)?;
    reporter.stage(Stage::Execute);
    let mut tally = Tally::default();
    let tokens = job.tokens as usize;
    let chunks: usize = job.windows.iter().map(|window| window.len().div_ceil(tokens.max(1))).sum();
    let mut done = 0;
    let mut first = None;
    for window in &job.windows {
        let (mut one, mut other) = (Stream::new(job, &config), Stream::new(job, &config));
        let mut before: Option<[Vec<f32>; 2]> = None;
        for chunk in window.chunks(tokens.max(1)) {
            let found = one.feed(&mut emulator, tokens, chunk)?;
            let wanted = other.feed(&mut reference, tokens, chunk)?;
            if tally.layers.is_empty() {
                tally.layers(&config, chunk.len(), &found, &wanted);
            }
            let logits =
                [rows(&found, "logits", chunk.len(), tokens)?, rows(&wanted, "logits", chunk.len(), tokens)?];
            tally.logits(&logits, config.vocabulary);
            tally.predictions(before.as_ref(), &logits, chunk, config.vocabulary);
            first.get_or_insert_with(|| logits[0].clone());
            before = Some(logits.map(|all| all[all.len() - config.vocabulary..].to_vec()));
            done += 1;
            reporter.progress(done, chunks);
        }
    }
    let decode_db = match (&first, job.windows.first()) {
        (Some(first), Some(window)) if job.decode > 0 => {
            let count = (job.decode as usize).min(window.len()).min(tokens);
            let mut stream = Stream::new(job, &config);
            let mut noise = Noise::default();
            for (at, token) in window[..count].iter().enumerate() {
                let found = stream.feed(&mut emulator, 1, std::slice::from_ref(token))?;
                let row = &first[at * config.vocabulary..(at + 1) * config.vocabulary];
                noise.add(row, &rows(&found, "logits", 1, 1)?);
            }
            Some(noise.db())
        }
        _ => None,
    };
    let evaluation = Evaluation { decode_db, ..tally.finish() };
    Ok(Report { evaluation: Some(evaluation), stage_ms: reporter.finish(), ..Report::default() })
}

/// The first rows of an output of so many.
fn rows(outputs: &Outputs, name: &str, count: usize, of: usize) -> Result<Vec<f32>> {
    let all = outputs.get(name).ok_or_else(|| problem("E0706", format!("the graph gives no `{name}`")))?;
    Ok(all[..all.len() / of.max(1) * count].to_vec())
}

/// A text on its way through an engine: the keys and values so far.
struct Stream<'a> {
    config: &'a Config,
    context: usize,
    heads: Heads,
    past: usize,
    /// Mean cosine and sine of each pair's angles.
    means: Vec<[f64; 2]>,
    /// Rows of each cache tensor: by head, position, element, of `context` positions.
    cache: BTreeMap<String, Vec<f32>>,
}

impl<'a> Stream<'a> {
    fn new(job: &EvaluateJob, config: &'a Config) -> Self {
        let context = job.context as usize;
        let mut cache = BTreeMap::new();
        for layer in 0..config.layers {
            for which in ["k", "v"] {
                match job.heads {
                    Heads::Fused => {
                        let empty = vec![0.0; config.kv_heads * context * config.head_dim];
                        cache.insert(format!("{which}.{layer}"), empty);
                    }
                    Heads::Split => (0..config.kv_heads).for_each(|head| {
                        let empty = vec![0.0; context * config.head_dim];
                        cache.insert(format!("{which}.{layer}.{head}"), empty);
                    }),
                }
            }
        }
        Self { config, context, heads: job.heads, past: 0, cache, means: config.rope_means(context) }
    }

    /// Runs the graph of `size` tokens on as many ids or fewer, and keeps their keys and values.
    fn feed(&mut self, engine: &mut dyn Engine, size: usize, ids: &[u32]) -> Result<Outputs> {
        let (head_dim, room) = (self.config.head_dim, self.context - size);
        if self.past > room || self.past + ids.len() > self.context {
            let message = format!("{} tokens do not fit a context of {}", self.past + size, self.context);
            return Err(problem("E0801", message).into());
        }
        let mut floats = BTreeMap::new();
        let mut mask = vec![MASKED; size * self.context];
        let mut angles: [Vec<f32>; 4] = Default::default();
        let (frequencies, amplitude) = (self.config.rope_frequencies(), self.config.rope_amplitude());
        for (i, row) in mask.chunks_exact_mut(self.context).enumerate() {
            row[..self.past].fill(0.0);
            row[room..=room + i].fill(0.0);
            for (frequency, [cos, sin]) in frequencies.iter().zip(&self.means) {
                let angle = (self.past + i) as f64 * frequency;
                let values = [angle.cos(), angle.sin(), angle.cos() - cos, angle.sin() - sin];
                angles.iter_mut().zip(values).for_each(|(all, value)| all.push((value * amplitude) as f32));
            }
        }
        floats.insert("mask".to_owned(), (vec![1, 1, size, self.context], mask));
        for (name, values) in ["cos", "sin"].into_iter().chain(KEY_BIAS_ANGLES).zip(angles) {
            floats.insert(name.to_owned(), (vec![1, size, head_dim / 2], values));
        }
        let heads = if self.heads == Heads::Split { 1 } else { self.config.kv_heads };
        let whole = self.context * head_dim;
        for (name, rows) in &self.cache {
            let past = rows.chunks_exact(whole).flat_map(|head| &head[..room * head_dim]).copied().collect();
            floats.insert(name.clone(), (vec![1, heads, room, head_dim], past));
        }
        let mut tokens: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
        tokens.resize(size, 0);
        let outputs = engine.run(size, &Inputs { tokens, floats })?;
        for (name, rows) in &mut self.cache {
            let new = outputs
                .get(&format!("{name}.new"))
                .ok_or_else(|| problem("E0706", format!("the graph gives no `{name}.new`")))?;
            for (head, new) in rows.chunks_exact_mut(whole).zip(new.chunks_exact(size * head_dim)) {
                let at = self.past * head_dim;
                head[at..at + ids.len() * head_dim].copy_from_slice(&new[..ids.len() * head_dim]);
            }
        }
        self.past += ids.len();
        Ok(outputs)
    }
}

/// The vendor's emulator.
struct Emulator {
    context: Context,
}

impl Emulator {
    fn open(job: &EvaluateJob) -> Result<Self> {
        let what = job.binary.display().to_string();
        let bytes = std::fs::read(&job.binary)
            .map_err(|e| problem("E0802", format!("{what} cannot be read: {e}")))?;
        let libs = QnnLibs { dir: job.toolchain.qnn_lib_dir.clone(), source: Source::Explicit };
        let open = || {
            let device = Device::for_soc(&Backend::open(&libs)?, job.soc.id)?;
            Context::load(&device, &bytes, &what, &LoadOptions::new())
        };
        let context = open().map_err(|e| failed(&e, &format!("{what} cannot be loaded")))?;
        Ok(Self { context })
    }
}

fn failed(error: &qnn::Error, what: &str) -> Problems {
    Diagnostic { code: "E0706".to_owned(), ..htp::diagnostic(error, what) }.into()
}

impl Engine for Emulator {
    fn run(&mut self, tokens: usize, inputs: &Inputs) -> Result<Outputs> {
        let name = graph_name(tokens);
        let failed = |e: qnn::Error| failed(&e, &format!("graph `{name}` cannot be executed"));
        let graph: Graph = self.context.graph(&name).map_err(failed)?;
        let info = graph.info();
        let halves: Vec<(&str, Vec<F16>)> = inputs
            .floats
            .iter()
            .filter(|(name, _)| info.inputs.iter().any(|input| input.name == **name))
            .map(|(name, (_, values))| (name.as_str(), values.iter().map(|v| F16::from(*v)).collect()))
            .collect();
        let mut given: Vec<(&str, View<'_>)> =
            halves.iter().map(|(name, values)| (*name, View::f16(values))).collect();
        given.push(("tokens", View::of(&inputs.tokens)));
        let mut results: Vec<(String, Vec<F16>)> = info
            .outputs
            .iter()
            .map(|output| (output.name.clone(), vec![F16(0); output.elements()]))
            .collect();
        let mut wanted: Vec<(&str, TensorMut<'_>)> =
            results.iter_mut().map(|(name, values)| (name.as_str(), TensorMut::f16(values))).collect();
        graph.execute(&given, &mut wanted).map_err(failed)?;
        let floats = |values: Vec<F16>| values.into_iter().map(|v| f16::from_bits(v.0).to_f32()).collect();
        Ok(results.into_iter().map(|(name, values)| (name, floats(values))).collect())
    }
}

/// ONNX Runtime.
struct Reference {
    model: ReferenceModel,
}

impl Reference {
    fn open(job: &EvaluateJob) -> Result<Self> {
        let library = job.toolchain.onnxruntime.as_ref().ok_or_else(|| {
            problem("E0218", "ONNX Runtime is not installed").help("run `cargo qnn toolchain install`")
        })?;
        let file = OnnxFile::open(&job.onnx)?;
        let model = ReferenceEngine::new(library).open(&file, &[]).map_err(Diagnostic::from)?;
        Ok(Self { model })
    }
}

impl Engine for Reference {
    fn run(&mut self, _: usize, inputs: &Inputs) -> Result<Outputs> {
        let tokens = Tensor {
            ty: TensorType::new(DType::I32, [inputs.tokens.len()]),
            data: Data::from_i32(&inputs.tokens),
        };
        // The ONNX form keeps biases where they are.
        let known = inputs.floats.iter().filter(|(name, _)| !KEY_BIAS_ANGLES.contains(&name.as_str()));
        let floats = known.map(|(name, (shape, values))| {
            let ty = TensorType::new(DType::F32, shape.clone());
            (name.clone(), Tensor { ty, data: Data::from_f32(values) })
        });
        let given: Vec<(String, Tensor)> =
            std::iter::once(("tokens".to_owned(), tokens)).chain(floats).collect();
        let results = self.model.run(&given).map_err(Diagnostic::from)?;
        let names = self.model.values().to_vec();
        Ok(names.into_iter().zip(results).map(|(name, t)| (name, t.data.to_f32(t.ty.dtype))).collect())
    }
}

/// Signal and noise.
#[derive(Clone, Copy, Default)]
struct Noise {
    signal: f64,
    noise: f64,
}

impl Noise {
    fn add(&mut self, wanted: &[f32], found: &[f32]) {
        for (&wanted, &found) in wanted.iter().zip(found) {
            self.signal += f64::from(wanted) * f64::from(wanted);
            self.noise += f64::from(wanted - found) * f64::from(wanted - found);
        }
    }

    /// No more than 300 dB, which equal numbers have.
    fn db(&self) -> f64 {
        (10.0 * (self.signal / self.noise.max(f64::MIN_POSITIVE)).log10()).min(300.0)
    }
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    predicted: u64,
    loss: [f64; 2],
    all: Noise,
    positions: u64,
    same: u64,
    layers: Vec<(String, f64)>,
}

impl Tally {
    fn layers(&mut self, config: &Config, count: usize, found: &Outputs, wanted: &Outputs) {
        for name in (0..config.layers).map(layer_output) {
            let (Some(found), Some(wanted)) = (found.get(&name), wanted.get(&name)) else { continue };
            let mut noise = Noise::default();
            noise.add(&wanted[..count * config.hidden], &found[..count * config.hidden]);
            self.layers.push((name, noise.db()));
        }
    }

    fn logits(&mut self, [found, wanted]: &[Vec<f32>; 2], vocabulary: usize) {
        self.all.add(wanted, found);
        for (found, wanted) in found.chunks_exact(vocabulary).zip(wanted.chunks_exact(vocabulary)) {
            self.positions += 1;
            self.same += u64::from(most_likely(found) == most_likely(wanted));
        }
    }

    /// How likely both thought each id that came; the first of a chunk was predicted by the chunk before.
    fn predictions(
        &mut self,
        before: Option<&[Vec<f32>; 2]>,
        logits: &[Vec<f32>; 2],
        ids: &[u32],
        vocabulary: usize,
    ) {
        for (at, &id) in ids.iter().enumerate() {
            let row = |which: usize| match at {
                0 => before.map(|last| &last[which][..]),
                _ => Some(&logits[which][(at - 1) * vocabulary..at * vocabulary]),
            };
            let (Some(found), Some(wanted)) = (row(0), row(1)) else { continue };
            self.predicted += 1;
            self.loss[0] += loss(found, id);
            self.loss[1] += loss(wanted, id);
        }
    }

    fn finish(self) -> Evaluation {
        let perplexity = |loss: f64| (loss / (self.predicted.max(1)) as f64).exp();
        Evaluation {
            predicted: self.predicted,
            perplexity: perplexity(self.loss[0]),
            reference_perplexity: perplexity(self.loss[1]),
            sqnr_db: self.all.db(),
            same_top: self.same as f64 / self.positions.max(1) as f64,
            layers: self.layers,
            decode_db: None,
        }
    }
}

fn most_likely(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
}

/// The negative logarithm of how likely a token is.
fn loss(logits: &[f32], id: u32) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|v| f64::from(v - most).exp()).sum();
    let own = logits.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY);
    sum.ln() - f64::from(own - most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_vocabulary() {
        assert!((loss(&[1.0; 8], 3) - 8f64.ln()).abs() < 1e-12);
        assert!(loss(&[0.0, 100.0], 1) < 1e-12);
    }
}
