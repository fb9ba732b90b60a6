//! A model's weights as constants of a graph, in the encoding that the strategy and the SoC ask for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use half::f16;
use qnn_llm::block::{dequantize_rows, unpack_rows};
use qnn_llm::strategy::{self, WeightFormat};
use qnn_llm::{Format, Model, Role, Strategy, Weight};
use qnn_types::quant::Invalid;
use qnn_types::{Diagnostic, WeightReport};

use super::requantize;
use super::spill::Spill;
use crate::graph::{DType, Data, Encoding, Granularity, Graph, Storage, TensorType, ValueId};
use crate::problem::{Problems, Result, problem};

/// What the graph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An HTP of an architecture.
    Htp {
        /// Hexagon architecture, for example 75.
        arch: u32,
        /// What is done with quantized weights.
        strategy: Strategy,
    },
    /// ONNX, with dequantized float32 weights.
    Onnx,
}

/// Gives weights, and remembers what became of them.
pub struct Weights<'m> {
    model: &'m Model,
    target: Target,
    spill: Option<&'m Spill>,
    /// Whether keys are what the file says, biases included, whatever that costs.
    plain_keys: bool,
    report: RefCell<BTreeMap<String, Became>>,
    /// Largest number of each tensor that has some beyond fp16.
    beyond: RefCell<BTreeMap<String, f32>>,
}

/// Biases of keys above this are added after the rotation. Below it they cost fp16's scores less than its own rounding does.
const LARGE_KEY_BIAS: f32 = 4.0;

/// The largest number of fp16.
const FP16_MAX: f32 = 65504.0;

/// What became of a tensor so far.
struct Became {
    report: WeightReport,
    signal: f64,
    noise: f64,
}

impl<'m> Weights<'m> {
    /// The weights of a model.
    pub fn new(model: &'m Model, target: Target) -> Self {
        Self {
            model,
            target,
            spill: None,
            plain_keys: false,
            report: RefCell::default(),
            beyond: RefCell::default(),
        }
    }

    /// The same for a graph whose keys others read.
    #[must_use]
    pub fn with_plain_keys(self) -> Self {
        Self { plain_keys: true, ..self }
    }

    /// Dequantized weights for ONNX, whose data go to a file.
    pub fn spilling(model: &'m Model, spill: &'m Spill) -> Self {
        Self { spill: Some(spill), ..Self::new(model, Target::Onnx) }
    }

    /// The model.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// What the graph is for.
    pub fn target(&self) -> Target {
        self.target
    }

    /// What became of each tensor that was asked for, by name.
    pub fn into_report(self) -> Vec<WeightReport> {
        let finish = |became: Became| WeightReport {
            sqnr_db: (became.noise > 0.0).then(|| 10.0 * (became.signal / became.noise).log10()),
            ..became.report
        };
        self.report.into_inner().into_values().map(finish).collect()
    }

    /// Whether queries' weights are divided by the root of a head's size. Where it is a power of two that changes no digit of a
    /// weight or a scale; where queries are normalized it would be undone.
    pub fn scales_queries(&self) -> bool {
        let config = &self.model.config;
        let root = (config.head_dim as f64).sqrt();
        !config.qk_norm && root.log2().fract() == 0.0
    }

    fn factor(&self, role: Role) -> f32 {
        let scaled = matches!(role, Role::Query | Role::QueryBias) && self.scales_queries();
        if scaled { 1.0 / (self.model.config.head_dim as f32).sqrt() } else { 1.0 }
    }

    fn find(&self, layer: Option<usize>, role: Role) -> Result<&'m Weight> {
        self.model
            .weight(layer, role)
            .ok_or_else(|| problem("E0232", format!("the model has no {role:?} of layer {layer:?}")).into())
    }

    /// Rows of a layer's projection.
    pub(super) fn rows(&self, layer: usize, role: Role) -> Result<usize> {
        Ok(self.find(Some(layer), role)?.rows)
    }

    /// Some rows of a layer's projection, (rows, columns).
    pub(super) fn matrix(
        &self,
        graph: &mut Graph,
        layer: usize,
        role: Role,
        rows: Range<usize>,
        name: &str,
    ) -> Result<ValueId> {
        let weight = self.find(Some(layer), role)?;
        self.constant(graph, weight, rows, self.factor(role), &format!("{name}.weight"))
    }

    /// The head, (vocabulary, hidden).
    pub(super) fn head(&self, graph: &mut Graph) -> Result<ValueId> {
        let weight = self.model.head().ok_or_else(|| problem("E0232", "the model has no head"))?;
        self.constant(graph, weight, 0..weight.rows, 1.0, "head.weight")
    }

    /// The bias that belongs to a projection, where the model has one.
    pub(super) fn bias(
        &self,
        graph: &mut Graph,
        layer: usize,
        role: Role,
        rows: Range<usize>,
        float: DType,
        name: &str,
    ) -> Result<Option<ValueId>> {
        let Some(numbers) = self.bias_numbers(layer, role, rows)? else { return Ok(None) };
        Ok(Some(vector(graph, &format!("{name}.bias"), &numbers, float)))
    }

    fn bias_numbers(&self, layer: usize, role: Role, rows: Range<usize>) -> Result<Option<Vec<f32>>> {
        let weight = role.bias().and_then(|role| self.model.weight(Some(layer), role));
        let Some(weight) = weight else { return Ok(None) };
        let factor = self.factor(role);
        let numbers = floats(weight, 0..1)?;
        let numbers: Vec<f32> = numbers.get(rows).unwrap_or_default().iter().map(|v| v * factor).collect();
        self.measure(&weight.name, &numbers);
        Ok(Some(numbers))
    }

    /// Whether a layer's biases of keys are added after the rotation, less their mean; see [`qnn_llm::deployment::KEY_BIAS_ANGLES`].
    pub(super) fn turns_key_bias(&self, layer: usize) -> Result<bool> {
        if self.plain_keys || self.target == Target::Onnx || self.model.config.qk_norm {
            return Ok(false);
        }
        let Some(weight) = self.model.weight(Some(layer), Role::KeyBias) else { return Ok(false) };
        Ok(floats(weight, 0..1)?.iter().any(|bias| bias.abs() > LARGE_KEY_BIAS))
    }

    /// The biases of keys, the same for every token: (1, heads, tokens, size).
    pub(super) fn key_bias(
        &self,
        graph: &mut Graph,
        layer: usize,
        rows: Range<usize>,
        tokens: usize,
        name: &str,
    ) -> Result<ValueId> {
        let size = self.model.config.head_dim;
        let numbers = self.bias_numbers(layer, Role::Key, rows)?.unwrap_or_default();
        let each = numbers.chunks_exact(size).flat_map(|head| std::iter::repeat_n(head, tokens));
        let all: Vec<f32> = each.flatten().copied().collect();
        let ty = TensorType::new(DType::F16, [1, numbers.len() / size, tokens, size]);
        Ok(graph.add_constant(format!("{name}.bias"), ty, halves(&all, 1.0)))
    }

    /// Remembers a tensor whose numbers fp16 does not hold.
    fn measure(&self, name: &str, numbers: &[f32]) {
        let most = numbers.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        if most > FP16_MAX && self.target != Target::Onnx {
            self.beyond.borrow_mut().insert(name.to_owned(), most);
        }
    }

    /// What to say of tensors whose numbers fp16 does not hold.
    pub(super) fn warning(&self) -> Option<Diagnostic> {
        beyond_fp16(&self.beyond.borrow())
    }

    /// A vector of gains.
    pub(super) fn vector(
        &self,
        graph: &mut Graph,
        layer: Option<usize>,
        role: Role,
        float: DType,
    ) -> Result<ValueId> {
        let weight = self.find(layer, role)?;
        let numbers = floats(weight, 0..1)?;
        self.measure(&weight.name, &numbers);
        Ok(vector(graph, &weight.name, &numbers, float))
    }

    /// The embedding table, (vocabulary, hidden), as floats.
    pub(super) fn embedding(&self, graph: &mut Graph, float: DType) -> Result<ValueId> {
        let weight = self.find(None, Role::Embedding)?;
        match float {
            DType::F32 => self.float32(graph, weight, 0..weight.rows, 1.0, "embedding.table"),
            _ => self.float16(graph, weight, 0..weight.rows, 1.0, "embedding.table"),
        }
    }

    fn constant(
        &self,
        graph: &mut Graph,
        weight: &Weight,
        rows: Range<usize>,
        factor: f32,
        name: &str,
    ) -> Result<ValueId> {
        let Target::Htp { arch, strategy } = self.target else {
            return self.float32(graph, weight, rows, factor, name);
        };
        let choice = strategy::choose(strategy, weight.format, arch);
        let (mut signal, mut noise) = (0.0, 0.0);
        let shape = [rows.len(), weight.columns];
        let unfit = |why: Invalid| Problems::from(problem("E0232", format!("`{}` has {why}", weight.name)));
        let id = match choice.format {
            WeightFormat::Fp16 => self.float16(graph, weight, rows.clone(), factor, name)?,
            WeightFormat::FloatBlock { bits, .. } => {
                let unpacked = unpack_rows(weight, rows.clone()).map_err(Diagnostic::from)?;
                let encoding = unpacked.encoding;
                if factors(&encoding).any(|v| v.abs() > FP16_MAX / 256.0) {
                    self.measure(&weight.name, &floats(weight, rows.clone())?);
                }
                let storage = Storage::new(bits as u8, true).map_err(unfit)?;
                let encoding = encoding.widened(storage).and_then(|own| own.scaled(factor)).map_err(unfit)?;
                integers(graph, name, shape, unpacked.q, encoding)
            }
            WeightFormat::AxisInt8 | WeightFormat::AxisInt4 => {
                let bits = if choice.format == WeightFormat::AxisInt8 { 8 } else { 4 };
                let numbers = floats(weight, rows.clone())?;
                let made = requantize::rows(&numbers, weight.columns, bits).map_err(unfit)?;
                (signal, noise) = (made.signal, made.noise);
                let encoding = made.encoding.scaled(factor).map_err(unfit)?;
                integers(graph, name, shape, made.stored, encoding)
            }
        };
        let mut report = self.report.borrow_mut();
        let became = report.entry(weight.name.clone()).or_insert_with(|| Became {
            report: WeightReport {
                tensor: weight.name.clone(),
                source: weight.format.name().to_owned(),
                encoding: choice.format.to_string(),
                exact: choice.exact,
                why: choice.why.clone(),
                weights: 0,
                sqnr_db: None,
            },
            signal: 0.0,
            noise: 0.0,
        });
        became.report.weights += (rows.len() * weight.columns) as u64;
        became.signal += signal;
        became.noise += noise;
        Ok(id)
    }

    fn float16(
        &self,
        graph: &mut Graph,
        weight: &Weight,
        rows: Range<usize>,
        factor: f32,
        name: &str,
    ) -> Result<ValueId> {
        let count = rows.len();
        let data = match weight.format {
            // A slice of the mapped file.
            Format::F16 if factor == 1.0 => {
                let row = weight.columns * 2;
                Data::new(weight.data.slice(rows.start * row..rows.end * row))
            }
            _ => {
                let numbers = floats(weight, rows)?;
                self.measure(&weight.name, &numbers);
                halves(&numbers, factor)
            }
        };
        Ok(graph.add_constant(name, TensorType::new(DType::F16, [count, weight.columns]), data))
    }

    fn float32(
        &self,
        graph: &mut Graph,
        weight: &Weight,
        rows: Range<usize>,
        factor: f32,
        name: &str,
    ) -> Result<ValueId> {
        let ty = TensorType::new(DType::F32, [rows.len(), weight.columns]);
        let numbers = || {
            let numbers: Vec<f32> = floats(weight, rows)?.into_iter().map(|v| v * factor).collect();
            Result::Ok(Data::from_f32(&numbers))
        };
        let Some(spill) = self.spill else { return Ok(graph.add_constant(name, ty, numbers()?)) };
        let failed = |e| qnn_types::io_problem("E0605", "cannot write the weights", spill.path(), &e);
        // Another graph of the same weights has written it.
        let data = match spill.written(name).map_err(failed)? {
            Some(data) => data,
            None => spill.add(name, &numbers()?).map_err(failed)?,
        };
        Ok(graph.add_constant(name, ty, data))
    }
}

fn beyond_fp16(beyond: &BTreeMap<String, f32>) -> Option<Diagnostic> {
    let (first, most) = beyond.first_key_value()?;
    let message =
        format!("{} weights have numbers beyond fp16, which the device computes with as 65504", beyond.len());
    let more = if beyond.len() > 1 { " …" } else { "" };
    Some(
        Diagnostic::new("E0241", message)
            .note(format!("{first} has {most:e}{more}"))
            .help("what the model says may be wrong; take a file of the model that was made for fp16"),
    )
}

/// The embedding table as float16 rows, one after another, and what to say of numbers that these do not hold.
///
/// # Errors
/// The table cannot be read.
pub fn embedding_table(model: &Model) -> Result<(Data, Option<Diagnostic>)> {
    let weight = model
        .weight(None, Role::Embedding)
        .ok_or_else(|| problem("E0232", "the model has no embedding table"))?;
    match weight.format {
        Format::F16 => Ok((Data::new(weight.data.clone()), None)),
        _ => {
            let numbers = floats(weight, 0..weight.rows)?;
            let most = numbers.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            let beyond = (most > FP16_MAX).then(|| (weight.name.clone(), most));
            Ok((halves(&numbers, 1.0), beyond_fp16(&beyond.into_iter().collect())))
        }
    }
}

/// Scales of blocks, and their minimums.
fn factors(encoding: &Encoding) -> impl Iterator<Item = f32> + '_ {
    let minimums = match encoding.granularity() {
        Granularity::PerBlock(blocks) => blocks.minimums(),
        _ => &[],
    };
    encoding.scales().iter().chain(minimums).copied()
}

fn floats(weight: &Weight, rows: Range<usize>) -> Result<Vec<f32>> {
    let mut numbers = vec![0.0; rows.len() * weight.columns];
    dequantize_rows(weight, rows, &mut numbers).map_err(Diagnostic::from)?;
    Ok(numbers)
}

fn halves(numbers: &[f32], factor: f32) -> Data {
    let halves: Vec<[u8; 2]> = numbers.iter().map(|v| f16::from_f32(v * factor).to_le_bytes()).collect();
    Data::new(halves.into_flattened().into())
}

fn vector(graph: &mut Graph, name: &str, numbers: &[f32], float: DType) -> ValueId {
    let data = match float {
        DType::F32 => Data::from_f32(numbers),
        _ => halves(numbers, 1.0),
    };
    graph.add_constant(name, TensorType::new(float, [numbers.len()]), data)
}

fn integers(
    graph: &mut Graph,
    name: &str,
    shape: [usize; 2],
    stored: Vec<i8>,
    encoding: Encoding,
) -> ValueId {
    let bytes: Vec<u8> = stored.into_iter().map(|q| q as u8).collect();
    let id = graph.add_constant(name, TensorType::new(DType::I8, shape), Data::new(bytes.into()));
    graph.value_mut(id).encoding = Some(encoding);
    id
}
