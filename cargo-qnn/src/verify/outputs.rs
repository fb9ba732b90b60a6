//! The outputs of a graph by the model's names, and the comparison of what two engines made of them.

use std::path::Path;

use qnn::DataType;
use qnn_pipeline::source::SourceFacts;
use qnn_types::{CompileJob, Diagnostic, TensorInfo};

use super::arrays::{Arrays, is_float, read, to_f64};
use super::metrics::{Comparison, Thresholds, compare};
use crate::codes;
use crate::failure::{Failure, Result, list};

/// An output: its name in the model, and the tensor in the context binary. The two names differ where a tensor cannot have the
/// model's, because an input has it.
pub(super) struct Output<'a> {
    pub(super) name: String,
    pub(super) tensor: &'a TensorInfo,
}

/// Outputs of a graph, in its order, which is that of the model.
pub(super) fn named<'a>(job: &CompileJob, facts: &SourceFacts, tensors: &'a [TensorInfo]) -> Vec<Output<'a>> {
    let mut asked: Vec<&str> = Vec::new();
    for name in &job.outputs {
        if !asked.contains(&name.as_str()) {
            asked.push(name);
        }
    }
    if asked.is_empty() {
        asked = facts.outputs.iter().map(|output| output.name.as_str()).collect();
    }
    let same = asked.len() == tensors.len();
    let name = |at: usize, tensor: &TensorInfo| match asked.get(at) {
        Some(name) if same => (*name).to_owned(),
        _ => tensor.name.clone(),
    };
    tensors.iter().enumerate().map(|(at, tensor)| Output { name: name(at, tensor), tensor }).collect()
}

/// What the outputs should be, from a file.
///
/// # Errors
/// `E0802` for the file, `E0803` for an output that it does not have.
pub(super) fn expected(file: &Path, outputs: &[Output<'_>]) -> Result<Arrays> {
    let arrays = read(file)?;
    let mut found = Vec::new();
    for output in outputs {
        let names = [output.name.as_str(), output.tensor.name.as_str()];
        let array = names.iter().find_map(|name| arrays.iter().find(|(other, _)| other == name));
        let Some((_, array)) = array else {
            let message = format!("{} has no array for output `{}`", file.display(), output.name);
            return Err(Diagnostic::new(codes::ARRAYS, message)
                .note(format!("it has {}", list(arrays.iter().map(|(name, _)| name))))
                .into());
        };
        found.push((output.name.clone(), array.clone()));
    }
    Ok(found)
}

/// Compares an output with its reference.
///
/// # Errors
/// `E0803` where one of them is missing, or their shapes differ.
pub(super) fn one(
    output: &Output<'_>,
    found: &Arrays,
    reference: &Arrays,
    limits: &Thresholds,
) -> Result<Comparison> {
    let Output { name, tensor } = output;
    let (ours, theirs) = (find(found, &tensor.name)?, find(reference, name)?);
    // A scalar of the model is a tensor of one element on HTP.
    let flat = |shape: &[u64]| -> Vec<u64> { shape.iter().copied().filter(|dim| *dim != 1).collect() };
    if flat(&ours.shape) != flat(&theirs.shape) {
        let message = format!("output `{name}` has another shape than its reference");
        let problem = Diagnostic::new(codes::ARRAYS, message)
            .note(format!("in the context binary it is {} {:?}", tensor.dtype, ours.shape))
            .note(format!("the reference is {} {:?}", theirs.dtype, theirs.shape));
        return Err(problem.into());
    }
    // Stored integers of a quantized output stand for real numbers on both sides.
    let encoding = tensor.encoding.as_ref();
    let stored = !is_float(theirs.dtype) && encoding.is_some() && theirs.dtype != DataType::Bool;
    let (ours, values) = (to_f64(ours, encoding), to_f64(theirs, encoding.filter(|_| stored)));
    let dtype = theirs.dtype.name();
    if !is_float(theirs.dtype) && !stored {
        return Ok(compare(name, dtype, &ours, &values, limits));
    }
    let (ours, values) = without_masks(ours, values);
    let as_reals = compare(name, "float32", &ours, &values, limits);
    // Neighbouring integers are near enough either way.
    let ok = as_reals.ok || (stored && as_reals.equal >= limits.min_equal);
    Ok(Comparison { dtype: dtype.to_owned(), ok, ..as_reals })
}

/// Whether both sides are of one kind: a value that the model stores as integers and the binary gives as real numbers cannot be
/// compared without knowing its encoding.
pub(super) fn comparable(output: &Output<'_>, reference: &Arrays) -> bool {
    let ours = DataType::from_name(&output.tensor.dtype).unwrap_or(DataType::Float32);
    let theirs = reference.iter().find(|(name, _)| *name == output.name).map(|(_, array)| array.dtype);
    theirs.is_none_or(|theirs| is_float(theirs) || !is_float(ours))
}

fn find<'a>(arrays: &'a Arrays, name: &str) -> Result<&'a qnn_compiler::npz::Array> {
    let found = arrays.iter().find(|(other, _)| other == name).map(|(_, array)| array);
    found.ok_or_else(|| {
        Failure::from(Diagnostic::new(codes::ARRAYS, format!("output `{name}` was not computed")))
    })
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

#[cfg(test)]
mod tests {
    use qnn_types::quant::{Encoding, Storage};

    use super::super::arrays::from_f64;
    use super::*;

    const LIMITS: Thresholds =
        Thresholds { min_sqnr: 30.0, min_cosine: None, max_abs: None, min_equal: 0.99 };

    fn tensor(name: &str, dtype: &str, encoding: Option<Encoding>) -> TensorInfo {
        let (name, dtype) = (name.into(), dtype.into());
        TensorInfo { name, dtype, shape: vec![4], encoding, ..TensorInfo::default() }
    }

    fn arrays(name: &str, values: &[f64], dtype: DataType) -> Arrays {
        vec![(name.to_owned(), from_f64(values, dtype, &[values.len() as u64]))]
    }

    #[test]
    fn stored_integers_are_compared_as_what_they_stand_for() {
        let encoding = Encoding::new_per_tensor(Storage::U8, 0.05, 128).unwrap();
        let tensor = tensor("y", "uint8", Some(encoding));
        let output = Output { name: "y".into(), tensor: &tensor };
        let found = arrays("y", &[10.0, 200.0, 129.0, 255.0], DataType::Uint8);
        let near = arrays("y", &[10.0, 201.0, 129.0, 254.0], DataType::Uint8);
        let verdict = one(&output, &found, &near, &LIMITS).unwrap();
        assert!(verdict.ok && verdict.sqnr_db.unwrap() > 40.0, "{verdict:?}");
        assert_eq!((verdict.dtype.as_str(), verdict.equal), ("uint8", 0.5));
        let far = arrays("y", &[128.0, 128.0, 129.0, 128.0], DataType::Uint8);
        assert!(!one(&output, &found, &far, &LIMITS).unwrap().ok);
    }

    #[test]
    fn integers_that_are_numbers_of_something_have_to_be_equal() {
        let tensor = tensor("y", "int32", None);
        let output = Output { name: "y".into(), tensor: &tensor };
        let found = arrays("y", &[10.0, 2000.0, 7.0, 5.0], DataType::Int32);
        let other = arrays("y", &[10.0, 2001.0, 7.0, 5.0], DataType::Int64);
        assert!(!one(&output, &found, &other, &LIMITS).unwrap().ok);
        assert!(one(&output, &found, &found, &LIMITS).unwrap().ok);
    }

    #[test]
    fn an_output_with_an_inputs_name_keeps_the_models() {
        let facts = SourceFacts {
            outputs: ["x", "y"]
                .map(|name| qnn_manifest::ModelValue {
                    name: name.into(),
                    dtype: "float32".into(),
                    shape: None,
                    symbols: Vec::new(),
                })
                .to_vec(),
            ..SourceFacts::default()
        };
        let tensors = [tensor("x.1", "float32", None), tensor("y", "float32", None)];
        let job: CompileJob = serde_json::from_value(serde_json::json!({
            "model": "m", "source": "m.onnx", "format": "onnx", "precision": "fp16", "htp": {}, "soc": {"name": "SM8650", "id": 57, "arch": 75, "vtcm_mb": 8, "fp16": true},
            "graphs": [], "outputs": [], "toolchain": {"qnn_lib_dir": "."}
        }))
        .unwrap();
        let names: Vec<String> =
            named(&job, &facts, &tensors).into_iter().map(|output| output.name).collect();
        assert_eq!(names, ["x", "y"]);
    }
}
