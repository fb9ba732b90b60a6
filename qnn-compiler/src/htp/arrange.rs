//! Arrays of a file as the inputs of a graph.

use std::path::Path;

use qnn::{DataType, F16, GraphInfo, TensorInfo};
use qnn_types::Diagnostic;

use crate::npz::{self, Array};
use crate::problem::{Problems, Result, problem};

/// Each input's array in the graph's order, and how many samples there are where they are batches. What does not fit by its header is
/// not read.
///
/// # Errors
/// `E0802` for the file, `E0803` for every array that is missing or does not fit.
pub(super) fn arrange(graph: &GraphInfo, file: &Path) -> Result<(Vec<Array>, Option<usize>)> {
    let mut problems = Vec::new();
    let mut named = Vec::new();
    let arrays = npz::read_where(file, |name, dtype, shape| {
        named.push(name.to_owned());
        match graph.inputs.iter().find(|input| input.name == name) {
            Some(input) => match fit(&Wanted::of(input), dtype, shape) {
                Ok(_) => return true,
                Err(why) => problems.push(problem("E0803", why)),
            },
            None => {
                let known: Vec<&str> = graph.inputs.iter().map(|i| &*i.name).collect();
                let message = format!("the graph has no input {name:?}; it has {}", known.join(", "));
                problems.push(problem("E0803", message));
            }
        }
        false
    });
    let arrays = arrays.map_err(|e| problem("E0802", e.to_string()))?;
    let (mut found, mut batches) = (Vec::new(), Vec::new());
    for input in &graph.inputs {
        match arrays.iter().find(|(name, _)| *name == input.name) {
            None if named.contains(&input.name) => {}
            None => problems.push(problem("E0803", format!("there is no array for input {:?}", input.name))),
            Some((_, array)) => {
                let input = &Wanted::of(input);
                batches.push(fit(input, array.dtype, &array.shape).ok().flatten());
                match converted(input, array) {
                    Ok(array) => found.push(array),
                    Err(p) => problems.push(p),
                }
            }
        }
    }
    if problems.is_empty() && batches.windows(2).any(|w| w[0] != w[1]) {
        problems.push(problem("E0803", "the arrays hold different numbers of samples"));
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok((found, batches.first().copied().flatten()))
}

/// An input as arrays have to fit it.
struct Wanted {
    name: String,
    dtype: DataType,
    dims: Vec<u64>,
}

impl Wanted {
    fn of(input: &TensorInfo) -> Self {
        let dims = input.dims.iter().map(|&d| u64::from(d)).collect();
        Self { name: input.name.clone(), dtype: input.dtype.storage(), dims }
    }
}

/// How many samples an array holds, `None` for just one without an axis for it; or why it does not fit.
fn fit(input: &Wanted, found: DataType, shape: &[u64]) -> std::result::Result<Option<usize>, String> {
    let Wanted { name, dtype, dims } = input;
    let (dtype, dims) = (*dtype, &dims[..]);
    let wanted = format!("input {name:?} is {dtype} {dims:?}");
    if found != dtype && !(found == DataType::Bool && dtype.size() == 1) && conversion(found, dtype).is_none()
    {
        return Err(format!("{wanted}; its array is {found} {shape:?}"));
    }
    // A scalar of the model is a tensor of one element on HTP.
    if shape == dims || (shape.is_empty() && dims == [1]) {
        return Ok(None);
    }
    match shape.split_first() {
        Some((&samples, rest)) if rest == dims && samples > 0 => Ok(Some(samples as usize)),
        _ => Err(format!("{wanted}; its array is {found} {shape:?}")),
    }
}

/// One element's bytes as another type's; `None` where that type does not have the number.
type Convert = fn(&[u8]) -> Option<Vec<u8>>;

/// NumPy's own types (int64, float64), and those that a model has before HTP makes int32 of them.
#[rustfmt::skip]
const CONVERSIONS: &[(DataType, DataType, Convert)] = &[
    (DataType::Int64, DataType::Int32, |b| Some(i32::try_from(i64::from_le_bytes(b.try_into().ok()?)).ok()?.to_le_bytes().to_vec())),
    (DataType::Uint64, DataType::Int32, |b| Some(i32::try_from(u64::from_le_bytes(b.try_into().ok()?)).ok()?.to_le_bytes().to_vec())),
    (DataType::Uint32, DataType::Int32, |b| Some(i32::try_from(u32::from_le_bytes(b.try_into().ok()?)).ok()?.to_le_bytes().to_vec())),
    (DataType::Int64, DataType::Uint32, |b| Some(u32::try_from(i64::from_le_bytes(b.try_into().ok()?)).ok()?.to_le_bytes().to_vec())),
    (DataType::Float64, DataType::Float32, |b| Some((f64::from_le_bytes(b.try_into().ok()?) as f32).to_le_bytes().to_vec())),
    (DataType::Float64, DataType::Float16, |b| Some(F16::from(f64::from_le_bytes(b.try_into().ok()?) as f32).0.to_le_bytes().to_vec())),
    (DataType::Float32, DataType::Float16, |b| Some(F16::from(f32::from_le_bytes(b.try_into().ok()?)).0.to_le_bytes().to_vec())),
];

fn conversion(from: DataType, to: DataType) -> Option<Convert> {
    CONVERSIONS.iter().find(|row| (row.0, row.1) == (from, to)).map(|row| row.2)
}

fn converted(input: &Wanted, array: &Array) -> std::result::Result<Array, Diagnostic> {
    let dtype = input.dtype;
    let Some(convert) = conversion(array.dtype, dtype) else { return Ok(array.clone()) };
    let mut data = Vec::with_capacity(array.data.len() / array.dtype.size() * dtype.size());
    for (index, element) in array.data.chunks_exact(array.dtype.size()).enumerate() {
        match convert(element) {
            Some(bytes) => data.extend(bytes),
            None => {
                let message = format!(
                    "input {:?} is {dtype}, which cannot hold element {index} of its {} array",
                    input.name, array.dtype
                );
                return Err(problem("E0803", message));
            }
        }
    }
    Ok(Array { dtype, shape: array.shape.clone(), data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int64(values: &[i64]) -> Array {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Array { dtype: DataType::Int64, shape: vec![values.len() as u64], data }
    }

    fn ids(count: u64) -> Wanted {
        Wanted { name: "ids".into(), dtype: DataType::Int32, dims: vec![count] }
    }

    #[test]
    fn numpys_integers_become_the_devices_where_it_has_them() {
        let array = converted(&ids(3), &int64(&[-1, 0, i64::from(i32::MAX)])).unwrap();
        let values: Vec<i32> =
            array.data.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!((array.dtype, &values[..]), (DataType::Int32, &[-1, 0, i32::MAX][..]));
        let found = converted(&ids(2), &int64(&[5, 1 << 31])).unwrap_err();
        assert!(found.message.contains("element 1"), "{}", found.message);
    }

    #[test]
    fn other_types_and_shapes_are_named_with_the_wanted_ones() {
        let why = fit(&ids(3), DataType::Float32, &[3]).unwrap_err();
        assert!(why.contains("int32 [3]") && why.contains("float32 [3]"), "{why}");
        assert!(fit(&ids(3), DataType::Int64, &[4]).is_err());
        assert_eq!(fit(&ids(3), DataType::Int64, &[7, 3]), Ok(Some(7)));
    }
}
