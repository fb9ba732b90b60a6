//! The range of every value of a model over some samples.

use std::collections::{BTreeMap, HashMap};

use qnn::DataType;
use qnn_types::{Diagnostic, InputSpec};

use super::engine::{ReferenceEngine, ReferenceError};
use super::job::{arrange, pick};
use crate::frontend::onnx::OnnxFile;
use crate::graph::{DType, Data, Graph};
use crate::npz::Array;
use crate::problem::{Result, problem};

/// The largest finite absolute number of each of the float `values` over all samples: `arrays` hold one sample, or a batch with one
/// more axis, of each input of the model file.
///
/// # Errors
/// `E0803` for arrays that do not fit, `E0218` for the engine.
pub fn ranges(
    engine: &ReferenceEngine,
    file: &OnnxFile,
    arrays: Vec<(String, Array)>,
    values: &[String],
) -> Result<HashMap<String, f64>> {
    let mut model = engine.open(file, values).map_err(Diagnostic::from)?;
    let batch = arrange(&model, arrays)?;
    let names = model.values().to_vec();
    let mut largest: HashMap<String, f64> = HashMap::new();
    for i in 0..batch.samples.unwrap_or(1) {
        let sample = batch
            .inputs
            .iter()
            .map(|(name, t)| (name.clone(), if batch.samples.is_some() { pick(t, i) } else { t.clone() }));
        let sample: Vec<_> = sample.collect();
        let results = model.run(&sample).map_err(|e: ReferenceError| Diagnostic::from(e))?;
        for (name, tensor) in names.iter().zip(results) {
            let numbers = tensor.data.to_f32(tensor.ty.dtype);
            let max = numbers.iter().filter(|v| v.is_finite()).fold(0.0_f32, |m, v| m.max(v.abs()));
            let entry = largest.entry(name.clone()).or_default();
            *entry = entry.max(f64::from(max));
        }
    }
    Ok(largest)
}

/// One sample of evenly spread numbers for each input of a graph that has the model's own types: pixels from 0 to 255 where the app
/// passes bytes, -1 to 1 for other floats, 0 and 1 for integers, which are often indices. Where the graph normalizes what the app
/// passes, the samples are normalized.
///
/// # Errors
/// `E0803` for an input of a type that arrays do not have.
pub fn generated(graph: &Graph, inputs: &BTreeMap<String, InputSpec>) -> Result<Vec<(String, Array)>> {
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
