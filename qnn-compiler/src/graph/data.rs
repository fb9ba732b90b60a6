//! Constant data: bytes that may be a slice of a mapped file.

use super::DType;
use bytes::Bytes;
use half::{bf16, f16};

/// Little-endian, row-major, dense elements. Cloning shares; nothing says the bytes are aligned.
#[derive(Clone, Debug)]
pub struct Data(Bytes);

impl Data {
    /// Wraps bytes, which may be a slice of a mapped file.
    pub fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// From values of the type that fits the dtype they will be used with.
    pub fn from_f32(values: &[f32]) -> Self {
        pack(values.iter().copied(), f32::to_le_bytes)
    }

    /// From 32-bit integers.
    pub fn from_i32(values: &[i32]) -> Self {
        Self(values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// From 64-bit integers.
    pub fn from_i64(values: &[i64]) -> Self {
        Self(values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Integers as elements of any dtype; they wrap where they do not fit.
    pub fn from_ints(values: &[i64], dtype: DType) -> Self {
        let ints = values.iter().copied();
        match dtype {
            DType::Bool => pack(ints, |v| [u8::from(v != 0)]),
            _ if dtype.is_float() => Self::from_floats(&ints.map(|v| v as f64).collect::<Vec<_>>(), dtype),
            _ => match dtype.size() {
                8 => pack(ints, i64::to_le_bytes),
                4 => pack(ints, |v| (v as i32).to_le_bytes()),
                2 => pack(ints, |v| (v as i16).to_le_bytes()),
                _ => pack(ints, |v| (v as i8).to_le_bytes()),
            },
        }
    }

    /// Doubles as elements of any dtype: rounded to nearest for floats, towards zero for integers; what is not zero is true.
    pub fn from_floats(values: &[f64], dtype: DType) -> Self {
        let floats = values.iter().copied();
        match dtype {
            DType::F64 => pack(floats, f64::to_le_bytes),
            DType::F32 => pack(floats, |v| (v as f32).to_le_bytes()),
            DType::F16 => pack(floats, |v| f16::from_f64(v).to_le_bytes()),
            DType::Bf16 => pack(floats, |v| bf16::from_f64(v).to_le_bytes()),
            DType::Bool => pack(floats, |v| [u8::from(v != 0.0)]),
            _ => Self::from_ints(&floats.map(|v| v as i64).collect::<Vec<_>>(), dtype),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Elements as 64-bit integers (floats truncated towards zero; bool as 0 and 1).
    pub fn to_i64(&self, dtype: DType) -> Vec<i64> {
        fn each<const N: usize>(b: &[u8], f: impl Fn([u8; N]) -> i64) -> Vec<i64> {
            b.as_chunks().0.iter().map(|&c| f(c)).collect()
        }
        let b = &self.0[..];
        match dtype {
            DType::I64 => each(b, i64::from_le_bytes),
            DType::U64 => each(b, |c| i64::try_from(u64::from_le_bytes(c)).unwrap_or(i64::MAX)),
            DType::I32 => each(b, |c| i32::from_le_bytes(c).into()),
            DType::U32 => each(b, |c| u32::from_le_bytes(c).into()),
            DType::I16 => each(b, |c| i16::from_le_bytes(c).into()),
            DType::U16 => each(b, |c| u16::from_le_bytes(c).into()),
            DType::I8 | DType::I4 => each(b, |[c]| (c as i8).into()),
            DType::U8 | DType::Bool | DType::U4 => each(b, |[c]| c.into()),
            DType::F32 | DType::F16 | DType::Bf16 | DType::F64 => {
                self.to_f64(dtype).into_iter().map(|v| v as i64).collect()
            }
        }
    }

    /// Elements as doubles.
    pub fn to_f64(&self, dtype: DType) -> Vec<f64> {
        fn each<const N: usize>(b: &[u8], f: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            b.as_chunks().0.iter().map(|&c| f(c)).collect()
        }
        let b = &self.0[..];
        match dtype {
            DType::F32 => each(b, |c| f32::from_le_bytes(c).into()),
            DType::F16 => each(b, |c| f16::from_le_bytes(c).into()),
            DType::Bf16 => each(b, |c| bf16::from_le_bytes(c).into()),
            DType::F64 => each(b, f64::from_le_bytes),
            _ => self.to_i64(dtype).into_iter().map(|v| v as f64).collect(),
        }
    }

    /// The largest absolute number of float32 elements, NaN where one is none.
    pub fn largest_f32(&self) -> f32 {
        // Without their sign, bits of floats are in the order of the numbers, and NaN is behind infinity.
        let size = |c: &[u8]| c.try_into().map_or(0, u32::from_le_bytes) & 0x7fff_ffff;
        f32::from_bits(self.bytes().chunks_exact(4).map(size).max().unwrap_or(0))
    }

    /// Elements as 32-bit floats.
    pub fn to_f32(&self, dtype: DType) -> Vec<f32> {
        if dtype == DType::F32 {
            return self.0.as_chunks().0.iter().map(|&c| f32::from_le_bytes(c)).collect();
        }
        self.to_f64(dtype).into_iter().map(|v| v as f32).collect()
    }
}

fn pack<T, const N: usize>(values: impl ExactSizeIterator<Item = T>, bytes: impl Fn(T) -> [u8; N]) -> Data {
    let elements: Vec<[u8; N]> = values.map(bytes).collect();
    Data::new(elements.into_flattened().into())
}
