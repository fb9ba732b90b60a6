//! Samples of a model's inputs, one at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use qnn::DataType;
use qnn_types::{Diagnostic, InputSpec};

use super::tensor::Tensor;
use crate::graph::{DType, Data, Graph, TensorType};
use crate::npz::{self, Array, Rows};
use crate::problem::{Problems, Result, problem};

/// Where samples come from.
#[derive(Clone, Debug)]
pub enum Samples {
    /// One sample.
    Arrays(Vec<(String, Array)>),
    /// An `.npz` file: one array per input, or batches of them, with one more axis.
    File {
        /// The file.
        path: PathBuf,
        /// Inputs of the model that the graph lacks, because no output depends on them: arrays for them are passed over.
        unused: Vec<String>,
    },
}

impl Samples {
    /// Those that a job asks for; `graph` has the model's own inputs, but for those that are `unused`.
    ///
    /// # Errors
    /// `E0803` for an input of a type that arrays do not have.
    pub fn of(
        asked: &qnn_types::Samples,
        graph: &Graph,
        unused: &[String],
        inputs: &BTreeMap<String, InputSpec>,
    ) -> Result<Self> {
        Ok(match asked {
            qnn_types::Samples::Generated => Self::Arrays(generated(graph, inputs)?),
            qnn_types::Samples::File(path) => Self::File { path: path.clone(), unused: unused.to_vec() },
        })
    }

    /// The samples from the first on, for inputs of these names and ranks.
    ///
    /// # Errors
    /// `E0802` for a file that cannot be read, `E0803` for arrays that do not fit the inputs.
    pub(super) fn open(&self, inputs: &[(String, usize)]) -> Result<Stream> {
        let parts: Vec<Part> = match self {
            Self::Arrays(arrays) => arrays.iter().map(|(name, array)| Part::of(name, array)).collect(),
            Self::File { path, unused } => {
                let rows = npz::rows(path).map_err(|e| Problems::from(problem("E0802", e.to_string())))?;
                rows.into_iter().filter(|rows| !unused.contains(&rows.name)).map(Part::Rows).collect()
            }
        };
        Stream::new(parts, inputs)
    }
}

/// An array that samples are taken from.
enum Part {
    Whole(String, DataType, Vec<u64>, Vec<u8>),
    Rows(Rows),
}

impl Part {
    fn of(name: &str, array: &Array) -> Self {
        Self::Whole(name.to_owned(), array.dtype, array.shape.clone(), array.data.clone())
    }

    fn header(&self) -> (&str, DataType, &[u64]) {
        match self {
            Self::Whole(name, dtype, shape, _) => (name, *dtype, shape),
            Self::Rows(rows) => (&rows.name, rows.dtype, &rows.shape),
        }
    }

    fn next(&mut self, elements: usize) -> std::result::Result<Vec<u8>, String> {
        match self {
            Self::Whole(.., data) => Ok(std::mem::take(data)),
            Self::Rows(rows) => rows.next(elements),
        }
    }
}

/// Samples that are read as they are asked for.
pub(super) struct Stream {
    parts: Vec<(Part, TensorType)>,
    batch: bool,
    left: usize,
}

impl Stream {
    fn new(parts: Vec<Part>, inputs: &[(String, usize)]) -> Result<Self> {
        let mut problems = Vec::new();
        for (name, _) in inputs {
            if !parts.iter().any(|part| part.header().0 == name) {
                problems.push(problem("E0803", format!("there is no array for input '{name}'")));
            }
        }
        let (mut batches, mut kept) = (Vec::new(), Vec::new());
        for part in parts {
            let (name, dtype, dims) = part.header();
            let Some((_, rank)) = inputs.iter().find(|(input, _)| input == name) else {
                let names = inputs.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ");
                let notes = vec![format!("inputs of the model: {names}")];
                let message = format!("the model has no input '{name}' for the array of that name");
                problems.push(Diagnostic { notes, ..problem("E0803", message) });
                continue;
            };
            let Some(dtype) = DType::from_name(dtype.name()) else {
                problems.push(problem("E0803", format!("array '{name}' is {}", dtype.name())));
                continue;
            };
            let shape: Vec<usize> = dims.iter().map(|&dim| dim as usize).collect();
            let batch = (shape.len() == rank + 1).then(|| shape[0]);
            batches.push(batch);
            let ty = TensorType::new(dtype, if batch.is_some() { &shape[1..] } else { &shape[..] });
            kept.push((part, ty));
        }
        if batches.windows(2).any(|w| w[0] != w[1]) {
            problems.push(problem("E0803", "the arrays do not hold the same number of samples"));
        }
        if batches.contains(&Some(0)) {
            problems.push(problem("E0803", "the arrays hold no samples"));
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let samples = batches.first().copied().flatten();
        Ok(Self { parts: kept, batch: samples.is_some(), left: samples.unwrap_or(1) })
    }

    /// Whether the arrays have an axis for samples, and not one sample without it.
    pub(super) fn is_batch(&self) -> bool {
        self.batch
    }

    /// The next sample, by the inputs' names.
    ///
    /// # Errors
    /// `E0802` where a file ends before its arrays do.
    pub(super) fn next(&mut self) -> Result<Option<Vec<(String, Tensor)>>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut sample = Vec::with_capacity(self.parts.len());
        for (part, ty) in &mut self.parts {
            let data = part.next(ty.elements());
            let name = part.header().0.to_owned();
            let data = data.map_err(|why| problem("E0802", format!("array '{name}': {why}")))?;
            sample.push((name, Tensor { ty: ty.clone(), data: Data::new(data.into()) }));
        }
        Ok(Some(sample))
    }
}

/// One sample of evenly spread numbers for each input of a graph that has the model's own types: pixels from 0 to 255 where the app
/// passes bytes, -1 to 1 for other floats, 0 and 1 for integers, which are often indices. Where the graph normalizes what the app
/// passes, the samples are normalized.
///
/// # Errors
/// `E0803` for an input of a type that arrays do not have.
fn generated(graph: &Graph, inputs: &BTreeMap<String, InputSpec>) -> Result<Vec<(String, Array)>> {
    let one = |(index, &id): (usize, &crate::graph::ValueId)| {
        let value = graph.value(id);
        let bytes = inputs.get(&value.name).and_then(|input| input.dtype.as_deref()) == Some("uint8");
        let dtype = value.ty.dtype;
        let count = value.ty.elements();
        let spread = |k: usize| {
            let bits = (k as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index as u64) >> 11;
            let unit = (bits.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1_u64 << 53) as f64;
            match (bytes, dtype.is_float()) {
                (true, _) => (unit * 255.0).round(),
                (_, true) => 2.0 * unit - 1.0,
                _ => unit.round(),
            }
        };
        let mut values: Vec<f64> = (0..count).map(spread).collect();
        let shape: Vec<u64> = value.ty.shape.iter().map(|&d| d as u64).collect();
        if let Some(normalization) = inputs.get(&value.name).and_then(InputSpec::normalization) {
            let dims: Vec<Option<u64>> = shape.iter().copied().map(Some).collect();
            normalization.of(&value.name, dtype.name(), &dims)?.apply(&mut values, &shape);
        }
        let array = DataType::from_name(dtype.name()).filter(|_| dtype != DType::Bf16).ok_or_else(|| {
            problem("E0803", format!("numbers of type {dtype} for input {:?} cannot be made", value.name))
        })?;
        let data = Data::from_floats(&values, dtype).bytes().to_vec();
        Ok((value.name.clone(), Array { dtype: array, shape, data }))
    };
    graph.inputs.iter().enumerate().map(one).collect()
}
