//! Holds the emulator's numbers against the reference's.

use qnn::DataType;
use qnn_compiler::graph::{DType, Data};
use qnn_compiler::npz::Array;

/// Error that is always allowed, as a share of the reference value.
const RELATIVE: f64 = 1e-2;
/// Error that is always allowed, as a share of the largest reference value.
const OF_LARGEST: f64 = 2e-3;
/// The least that the largest reference value counts as.
const LARGEST: f64 = 0.05;

/// What is wrong with the named outputs, if anything.
pub fn all(outputs: &[String], got: &[(String, Array)], reference: &[(String, Array)]) -> Result<(), String> {
    each(outputs, got, reference, difference)
}

/// As [`all`], for stored integers that may be off by `steps`.
pub fn all_within(
    steps: i64,
    outputs: &[String],
    got: &[(String, Array)],
    reference: &[(String, Array)],
) -> Result<(), String> {
    each(outputs, got, reference, |name, got, reference| apart(name, got, reference, steps))
}

/// As [`all`], for the outputs that are there and of the reference's kind: an encoded value may be stored integers on one side.
pub fn like(got: &[(String, Array)], reference: &[(String, Array)]) -> Result<(), String> {
    let float = |array: &Array| dtype(array.dtype).is_some_and(DType::is_float);
    for (name, got) in got {
        let other = reference.iter().find(|(other, _)| other == name).map(|(_, array)| array);
        other
            .filter(|other| float(other) == float(got))
            .map_or(Ok(()), |other| difference(name, got, other))?;
    }
    Ok(())
}

fn each(
    outputs: &[String],
    got: &[(String, Array)],
    reference: &[(String, Array)],
    compare: impl Fn(&str, &Array, &Array) -> Result<(), String>,
) -> Result<(), String> {
    for name in outputs {
        let find = |arrays: &'_ [(String, Array)]| arrays.iter().position(|(n, _)| n == name);
        let (Some(g), Some(r)) = (find(got), find(reference)) else {
            return Err(format!("output {name} is missing"));
        };
        compare(name, &got[g].1, &reference[r].1)?;
    }
    Ok(())
}

/// What is wrong with `got`, if anything.
fn difference(name: &str, got: &Array, reference: &Array) -> Result<(), String> {
    let scalar = reference.shape.is_empty() && got.shape == [1];
    if got.shape != reference.shape && !scalar {
        return Err(format!("output {name}: shape {:?}, expected {:?}", got.shape, reference.shape));
    }
    match (dtype(got.dtype), dtype(reference.dtype)) {
        (Some(g), Some(r)) if r.is_float() && g.is_float() => {
            let g = Data::new(got.data.clone().into()).to_f64(g);
            floats(name, &g, &Data::new(reference.data.clone().into()).to_f64(r))
        }
        (Some(g), Some(r)) if !r.is_float() && !g.is_float() => {
            let g = Data::new(got.data.clone().into()).to_i64(g);
            let r = Data::new(reference.data.clone().into()).to_i64(r);
            integers(name, &g, &r)
        }
        _ => Err(format!("output {name}: {}, expected {}", got.dtype, reference.dtype)),
    }
}

/// What is wrong with stored integers `got`, which may be off by `steps`.
fn apart(name: &str, got: &Array, reference: &Array, steps: i64) -> Result<(), String> {
    let scalar = reference.shape.is_empty() && got.shape == [1];
    if got.shape != reference.shape && !scalar {
        return Err(format!("output {name}: shape {:?}, expected {:?}", got.shape, reference.shape));
    }
    let (Some(g), Some(r)) = (dtype(got.dtype), dtype(reference.dtype)) else {
        return Err(format!("output {name}: {}, expected {}", got.dtype, reference.dtype));
    };
    if g != r || r.is_float() {
        return Err(format!("output {name}: {}, expected integers of {}", got.dtype, reference.dtype));
    }
    let got = Data::new(got.data.clone().into()).to_i64(g);
    let reference = Data::new(reference.data.clone().into()).to_i64(r);
    let off = |i: usize| (got[i] - reference[i]).abs();
    let Some(worst) = (0..reference.len()).max_by_key(|&i| off(i)) else { return Ok(()) };
    if off(worst) <= steps {
        return Ok(());
    }
    let wrong = (0..reference.len()).filter(|&i| off(i) > steps).count();
    Err(format!(
        "output {name}: {wrong} of {} elements are more than {steps} steps off; the worst, element {worst}, is {} where {} is \
         expected",
        reference.len(),
        got[worst],
        reference[worst]
    ))
}

fn integers(name: &str, got: &[i64], reference: &[i64]) -> Result<(), String> {
    let wrong: Vec<usize> = (0..reference.len()).filter(|&i| got.get(i) != reference.get(i)).collect();
    let Some(&first) = wrong.first() else { return Ok(()) };
    Err(format!(
        "output {name}: {} of {} elements differ; element {first} is {:?}, expected {}",
        wrong.len(),
        reference.len(),
        got.get(first),
        reference[first]
    ))
}

fn floats(name: &str, got: &[f64], reference: &[f64]) -> Result<(), String> {
    let largest = reference.iter().filter(|r| r.is_finite()).fold(LARGEST, |max, r| max.max(r.abs()));
    let allowed = |r: f64| RELATIVE * r.abs() + OF_LARGEST * largest;
    // An infinity of the reference is anything that large in fp16.
    let fits = |g: f64, r: f64| match r {
        r if r.is_nan() => g.is_nan(),
        r if r.is_infinite() => g.signum() == r.signum() && g.abs() >= 65504.0,
        r => (g - r).abs() <= allowed(r),
    };
    let (mut wrong, mut worst) = (0, (0, 0.0));
    for (i, (&g, &r)) in got.iter().zip(reference).enumerate() {
        if !fits(g, r) {
            wrong += 1;
            let excess = (g - r).abs() / allowed(r);
            if worst.1 == 0.0 || excess > worst.1 {
                worst = (i, excess);
            }
        }
    }
    if wrong == 0 && got.len() == reference.len() {
        return Ok(());
    }
    let (i, excess) = worst;
    Err(format!(
        "output {name}: {wrong} of {} elements differ; the worst, element {i}, is {} where {} is expected, {excess:.1} \
         times the tolerance",
        reference.len(),
        got.get(i).copied().unwrap_or(f64::NAN),
        reference.get(i).copied().unwrap_or(f64::NAN)
    ))
}

fn dtype(dtype: DataType) -> Option<DType> {
    Some(match dtype {
        DataType::Float32 => DType::F32,
        DataType::Float16 => DType::F16,
        DataType::Float64 => DType::F64,
        DataType::Int8 => DType::I8,
        DataType::Int16 => DType::I16,
        DataType::Int32 => DType::I32,
        DataType::Int64 => DType::I64,
        DataType::Uint8 => DType::U8,
        DataType::Uint16 => DType::U16,
        DataType::Uint32 => DType::U32,
        DataType::Uint64 => DType::U64,
        DataType::Bool => DType::Bool,
        _ => return None,
    })
}
