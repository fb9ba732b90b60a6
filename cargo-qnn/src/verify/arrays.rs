//! Arrays as numbers, and from the dtype and layout of the model to those that the app asked for, and back.

use std::path::Path;

use qnn::{DataType, F16};
use qnn_compiler::npz::{self, Array};
use qnn_types::Diagnostic;
use qnn_types::quant::Encoding;

use crate::codes;
use crate::failure::{Failure, Result};

/// Named arrays.
pub(crate) type Arrays = Vec<(String, Array)>;

/// Whether a type's values are real numbers and not integers.
pub(crate) fn is_float(dtype: DataType) -> bool {
    matches!(dtype, DataType::Float16 | DataType::BFloat16 | DataType::Float32 | DataType::Float64)
}

/// All arrays of a file.
pub(crate) fn read(file: &Path) -> Result<Arrays> {
    read_where(file, |_, _, _| true)
}

/// The arrays of a file that are wanted by their name, dtype and shape.
pub(crate) fn read_where(file: &Path, wanted: impl FnMut(&str, DataType, &[u64]) -> bool) -> Result<Arrays> {
    npz::read_where(file, wanted).map_err(|error| {
        let message = format!("{} cannot be used", file.display());
        Diagnostic::new(codes::INPUT_FILE, message).note(error.to_string()).into()
    })
}

/// Writes arrays to a file.
pub(crate) fn write(file: &Path, arrays: &Arrays) -> Result<()> {
    npz::write(file, arrays.iter().map(|(name, array)| (name.as_str(), array)))
        .map_err(|error| Failure::user(format!("cannot write {}", file.display())).note(error.to_string()))
}

/// The elements of an array as numbers: the real ones where it holds the stored integers of a quantized tensor.
pub(crate) fn to_f64(array: &Array, encoding: Option<&Encoding>) -> Vec<f64> {
    let bytes = array.data.as_slice();
    macro_rules! numbers {
        ($($dtype:ident => $ty:ty),*) => {
            match array.dtype {
                $(DataType::$dtype => bytes
                    .chunks_exact(size_of::<$ty>())
                    .map(|chunk| {
                        let mut value = [0; size_of::<$ty>()];
                        value.copy_from_slice(chunk);
                        <$ty>::from_le_bytes(value) as f64
                    })
                    .collect(),)*
                DataType::Float16 => bytes
                    .chunks_exact(2)
                    .map(|chunk| f64::from(f32::from(F16(u16::from_le_bytes([chunk[0], chunk[1]])))))
                    .collect(),
                // Booleans, and quantized types, whose storage an array has.
                _ => bytes.iter().map(|byte| f64::from(*byte)).collect::<Vec<f64>>(),
            }
        };
    }
    let values: Vec<f64> = numbers!(
        Float32 => f32, Float64 => f64, Int8 => i8, Int16 => i16, Int32 => i32, Int64 => i64,
        Uint8 => u8, Uint16 => u16, Uint32 => u32, Uint64 => u64
    );
    let Some(encoding) = encoding else { return values };
    let stored: Vec<i64> = values.iter().map(|value| *value as i64).collect();
    encoding.dequantize(&stored, &sizes(&array.shape)).unwrap_or(values)
}

/// Real numbers as the stored integers of a tensor of some shape, where it is quantized.
pub(crate) fn stored(values: &[f64], encoding: Option<&Encoding>, shape: &[u64]) -> Vec<f64> {
    let integers = encoding.and_then(|encoding| encoding.quantize(values, &sizes(shape)).ok());
    integers.map_or_else(|| values.to_vec(), |all| all.into_iter().map(|q| q as f64).collect())
}

/// Dimensions as an encoding has them; one of elements alone has any.
fn sizes(shape: &[u64]) -> Vec<usize> {
    shape.iter().map(|&dim| dim as usize).collect()
}

/// Numbers as an array: rounded to even and saturated where the type is an integer. Files have no bfloat16: it is float32 there, with
/// the digits that bfloat16 has.
pub(crate) fn from_f64(values: &[f64], dtype: DataType, shape: &[u64]) -> Array {
    macro_rules! bytes {
        ($($dtype:ident => $ty:ty),*) => {
            match dtype {
                $(DataType::$dtype => values
                    .iter()
                    .flat_map(|value| (value.round_ties_even() as $ty).to_le_bytes())
                    .collect(),)*
                DataType::Float32 => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
                DataType::Float64 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                DataType::Float16 => values
                    .iter()
                    .flat_map(|value| F16::from(*value as f32).0.to_le_bytes())
                    .collect(),
                DataType::BFloat16 => values.iter().flat_map(|value| brain(*value).to_le_bytes()).collect(),
                _ => values.iter().map(|value| u8::from(*value != 0.0)).collect::<Vec<u8>>(),
            }
        };
    }
    let data: Vec<u8> = bytes!(
        Int8 => i8, Int16 => i16, Int32 => i32, Int64 => i64,
        Uint8 => u8, Uint16 => u16, Uint32 => u32, Uint64 => u64
    );
    let dtype = if dtype == DataType::BFloat16 { DataType::Float32 } else { dtype };
    Array { dtype, shape: shape.to_vec(), data }
}

/// The nearest number of bfloat16.
fn brain(value: f64) -> f32 {
    let value = value as f32;
    if !value.is_finite() {
        return value;
    }
    let bits = value.to_bits();
    f32::from_bits(bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
}

/// Moves the channels of samples of shape `nhwc` (batch, space, channels) behind the batch: `nchw`. Leading axes more than the
/// shape has are batches of samples.
pub(crate) fn channels_first(values: &[f64], nhwc: &[u64]) -> Vec<f64> {
    let (batch, space, channels) = split(nhwc);
    moved(values, batch * space * channels, |out, sample| {
        for image in sample.chunks_exact(space * channels) {
            for channel in 0..channels {
                out.extend((0..space).map(|at| image[at * channels + channel]));
            }
        }
    })
}

/// The inverse of [`channels_first`]; `nhwc` is the shape of the result.
pub(crate) fn channels_last(values: &[f64], nhwc: &[u64]) -> Vec<f64> {
    let (batch, space, channels) = split(nhwc);
    moved(values, batch * space * channels, |out, sample| {
        for image in sample.chunks_exact(space * channels) {
            for at in 0..space {
                out.extend((0..channels).map(|channel| image[channel * space + at]));
            }
        }
    })
}

/// Batch, elements of space, channels of a channels-last shape.
fn split(nhwc: &[u64]) -> (usize, usize, usize) {
    match nhwc {
        [batch, space @ .., channels] => {
            (*batch as usize, space.iter().product::<u64>() as usize, *channels as usize)
        }
        _ => (1, 1, 1),
    }
}

fn moved(values: &[f64], sample: usize, turn: impl Fn(&mut Vec<f64>, &[f64])) -> Vec<f64> {
    let mut out = Vec::with_capacity(values.len());
    for sample in values.chunks_exact(sample.max(1)) {
        turn(&mut out, sample);
    }
    out
}

#[cfg(test)]
mod tests {
    use qnn_types::quant::Storage;

    use super::*;

    #[test]
    fn every_type_keeps_its_numbers() {
        let values = [0.0, 1.0, 3.0, 100.0];
        for dtype in [
            DataType::Float16,
            DataType::Float32,
            DataType::Float64,
            DataType::Int8,
            DataType::Int64,
            DataType::Uint8,
            DataType::Uint16,
        ] {
            assert_eq!(to_f64(&from_f64(&values, dtype, &[4]), None), values, "{dtype}");
        }
        let brain = from_f64(&[1.0, 1.00390625, 1.01171875, -3.0e38], DataType::BFloat16, &[4]);
        assert_eq!(brain.dtype, DataType::Float32);
        // Halfway cases go to the even neighbour, as in ml_dtypes.bfloat16.
        assert_eq!(to_f64(&brain, None)[..3], [1.0, 1.0, 1.015625]);
        let flags = from_f64(&[0.0, 2.0], DataType::Bool, &[2]);
        assert_eq!(to_f64(&flags, None), [0.0, 1.0]);
    }

    #[test]
    fn integers_saturate_and_encodings_are_applied() {
        assert_eq!(from_f64(&[300.0, -5.0, 2.5], DataType::Uint8, &[3]).data, [255, 0, 2]);
        let stored = from_f64(&[128.0, 130.0], DataType::Uint8, &[2]);
        let encoding = Encoding::new_per_tensor(Storage::U8, 0.5, 128).unwrap();
        assert_eq!(to_f64(&stored, Some(&encoding)), [0.0, 1.0]);
    }

    #[test]
    fn layouts_turn_back_and_forth() {
        // Two samples of one image of 1 x 2 pixels with 3 channels.
        let nhwc: Vec<f64> = (0..12).map(f64::from).collect();
        let nchw = channels_first(&nhwc, &[1, 1, 2, 3]);
        assert_eq!(nchw[..6], [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(channels_last(&nchw, &[1, 1, 2, 3]), nhwc);
    }
}
