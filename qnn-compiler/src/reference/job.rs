//! The job that runs a model on the reference engine.

use qnn::DataType;
use qnn_types::{Diagnostic, ReferenceJob};

use super::engine::{ReferenceEngine, ReferenceError};
use super::model::ReferenceModel;
use super::tensor::Tensor;
use crate::frontend::onnx::OnnxFile;
use crate::graph::{DType, Data, TensorType};
use crate::npz::{self, Array};
use crate::problem::{Problems, Result, not_written, problem};

/// Runs the model of a job on the arrays of its `.npz` file and writes the wanted values to another.
///
/// An array with one more axis than the input has is a batch of samples: the model runs once for each, and every result gets
/// that axis in front.
///
/// # Errors
///
/// `E0801` to `E0803` for the arrays, `E0218` for the engine, and those of opening the model.
pub fn run_job(job: &ReferenceJob) -> Result<()> {
    let Some(library) = &job.toolchain.onnxruntime else {
        return Err(Diagnostic {
            help: Some("`cargo qnn toolchain install` installs it".to_owned()),
            ..problem("E0218", "ONNX Runtime is not installed")
        }
        .into());
    };
    let arrays = npz::read(&job.inputs).map_err(|e| Problems::from(problem("E0802", e.to_string())))?;
    let file = OnnxFile::open(&job.source)?;
    let mut model = ReferenceEngine::load(library)
        .and_then(|engine| engine.open(&file, &job.values))
        .map_err(Diagnostic::from)?;
    let batch = arrange(&model, arrays)?;
    let results = run_all(&mut model, &batch).map_err(Diagnostic::from)?;
    let mut arrays = Vec::with_capacity(results.len());
    for (name, tensor) in model.values().iter().zip(results) {
        arrays.push((name.clone(), to_array(name, tensor)?));
    }
    npz::write(&job.outputs, arrays.iter().map(|(name, array)| (&**name, array)))
        .map_err(|e| not_written(&e).into())
}

/// Inputs of a model.
struct Batch {
    inputs: Vec<(String, Tensor)>,
    /// How many samples the inputs hold, where they have an axis for them.
    samples: Option<usize>,
}

/// The arrays as inputs of the model.
fn arrange(model: &ReferenceModel, arrays: Vec<(String, Array)>) -> Result<Batch> {
    let declared = model.inputs().map_err(Diagnostic::from)?;
    let mut problems = Vec::new();
    let mut inputs = Vec::new();
    let mut batches: Vec<Option<usize>> = Vec::new();
    for input in &declared {
        if !arrays.iter().any(|(array, _)| *array == input.name) {
            problems.push(problem("E0803", format!("there is no array for input '{}'", input.name)));
        }
    }
    for (name, array) in arrays {
        let Some(input) = declared.iter().find(|input| input.name == name) else {
            let names = declared.iter().map(|input| &*input.name).collect::<Vec<_>>().join(", ");
            let notes = vec![format!("inputs of the model: {names}")];
            let message = format!("the model has no input '{name}' for the array of that name");
            problems.push(Diagnostic { notes, ..problem("E0803", message) });
            continue;
        };
        let shape: Vec<usize> = array.shape.iter().map(|d| *d as usize).collect();
        let Some(dtype) = DType::from_name(array.dtype.name()) else {
            problems.push(problem("E0803", format!("array '{name}' is {}", array.dtype.name())));
            continue;
        };
        batches.push((shape.len() == input.dims.len() + 1).then(|| shape[0]));
        inputs.push((name, Tensor { ty: TensorType::new(dtype, shape), data: Data::new(array.data.into()) }));
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
    Ok(Batch { inputs, samples: batches.first().copied().flatten() })
}

fn run_all(model: &mut ReferenceModel, batch: &Batch) -> std::result::Result<Vec<Tensor>, ReferenceError> {
    let Some(samples) = batch.samples else { return model.run(&batch.inputs) };
    let mut all: Vec<(TensorType, Vec<u8>)> = Vec::new();
    for i in 0..samples {
        let sample: Vec<(String, Tensor)> =
            batch.inputs.iter().map(|(name, t)| (name.clone(), pick(t, i))).collect();
        for (at, result) in model.run(&sample)?.into_iter().enumerate() {
            match all.get_mut(at) {
                None => all.push((result.ty, result.data.bytes().to_vec())),
                Some((ty, bytes)) if *ty == result.ty => bytes.extend_from_slice(result.data.bytes()),
                Some(_) => {
                    let why = "its shape differs between samples".to_owned();
                    return Err(ReferenceError::Value { name: model.values()[at].clone(), why });
                }
            }
        }
    }
    let stacked = |(ty, bytes): (TensorType, Vec<u8>)| {
        let shape = [&[samples], &ty.shape[..]].concat();
        Tensor { ty: TensorType::new(ty.dtype, shape), data: Data::new(bytes.into()) }
    };
    Ok(all.into_iter().map(stacked).collect())
}

/// The `i`-th sample of a batch.
fn pick(batch: &Tensor, i: usize) -> Tensor {
    let ty = TensorType::new(batch.ty.dtype, &batch.ty.shape[1..]);
    let length = ty.bytes();
    Tensor { data: Data::new(batch.data.bytes().slice(i * length..(i + 1) * length)), ty }
}

fn to_array(name: &str, tensor: Tensor) -> Result<Array> {
    let Some(dtype) = DataType::from_name(tensor.ty.dtype.name()) else {
        return Err(problem("E0803", format!("value '{name}' is {}", tensor.ty.dtype)).into());
    };
    Ok(Array {
        dtype,
        shape: tensor.ty.shape.iter().map(|d| *d as u64).collect(),
        data: tensor.data.bytes().to_vec(),
    })
}
