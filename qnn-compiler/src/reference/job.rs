//! The job that runs a model on the reference engine.

use qnn::DataType;
use qnn_types::{Diagnostic, ReferenceJob};

use super::engine::{ReferenceEngine, ReferenceError};
use super::model::ReferenceModel;
use super::samples::{Samples, Stream};
use super::tensor::Tensor;
use crate::frontend::onnx::OnnxFile;
use crate::graph::{Data, TensorType};
use crate::npz::{self, Array};
use crate::problem::{Result, not_written, problem};

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
    let file = OnnxFile::open(&job.source)?;
    let mut model = ReferenceEngine::load(library)
        .and_then(|engine| engine.open(&file, &job.values))
        .map_err(Diagnostic::from)?;
    let declared = model.inputs().map_err(Diagnostic::from)?;
    let inputs: Vec<_> = declared.into_iter().map(|input| (input.name, input.dims.len())).collect();
    let samples = Samples::File { path: job.inputs.clone(), unused: Vec::new() }.open(&inputs)?;
    let results = run_all(&mut model, samples)?;
    let mut arrays = Vec::with_capacity(results.len());
    for (name, tensor) in model.values().iter().zip(results) {
        arrays.push((name.clone(), to_array(name, tensor)?));
    }
    npz::write(&job.outputs, arrays.iter().map(|(name, array)| (&**name, array)))
        .map_err(|e| not_written(&e).into())
}

/// The results of every sample: where there is an axis for samples, with that axis in front.
fn run_all(model: &mut ReferenceModel, mut samples: Stream) -> Result<Vec<Tensor>> {
    let mut all: Vec<(TensorType, Vec<u8>)> = Vec::new();
    let mut count = 0;
    while let Some(sample) = samples.next()? {
        count += 1;
        for (at, result) in model.run(&sample).map_err(Diagnostic::from)?.into_iter().enumerate() {
            match all.get_mut(at) {
                None => all.push((result.ty, result.data.bytes().to_vec())),
                Some((ty, bytes)) if *ty == result.ty => bytes.extend_from_slice(result.data.bytes()),
                Some(_) => {
                    let why = "its shape differs between samples".to_owned();
                    let name = model.values()[at].clone();
                    return Err(Diagnostic::from(ReferenceError::Value { name, why }).into());
                }
            }
        }
    }
    let stacked = |(ty, bytes): (TensorType, Vec<u8>)| {
        let axis = samples.is_batch().then_some(count);
        let shape: Vec<usize> = axis.into_iter().chain(ty.shape.iter().copied()).collect();
        Tensor { ty: TensorType::new(ty.dtype, shape), data: Data::new(bytes.into()) }
    };
    Ok(all.into_iter().map(stacked).collect())
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
