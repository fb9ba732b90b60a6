//! Typed views of the app's buffers, and descriptions of a graph's tensors.

use std::fmt;
use std::sync::Arc;

use crate::{DataType, Error, F16};

/// A Rust type that tensor elements can have.
///
/// Sealed: the runtime reads and writes these types as plain bytes, which is sound only for types without padding and
/// without invalid bit patterns.
pub trait Element: Copy + sealed::Sealed + 'static {
    /// The matching element type.
    const DTYPE: DataType;
}

mod sealed {
    /// Not nameable outside: no other type can become an element.
    pub trait Sealed {}
}

macro_rules! elements {
    ($($ty:ty = $dtype:ident, $ctor:ident, $about:literal;)*) => {
        $(
            impl sealed::Sealed for $ty {}

            impl Element for $ty {
                const DTYPE: DataType = DataType::$dtype;
            }

            impl<'a> Tensor<'a> {
                #[doc = concat!("An input of ", $about, ".")]
                pub fn $ctor(values: &'a [$ty]) -> Tensor<'a> {
                    Tensor::of(values)
                }
            }

            impl<'a> TensorMut<'a> {
                #[doc = concat!("An output of ", $about, ".")]
                pub fn $ctor(values: &'a mut [$ty]) -> TensorMut<'a> {
                    TensorMut::of(values)
                }
            }
        )*
    };
}

elements! {
    f32 = Float32, f32, "32-bit floats";
    F16 = Float16, f16, "16-bit floats";
    u8 = Uint8, u8, "unsigned bytes; also for booleans, one byte each";
    i8 = Int8, i8, "signed bytes";
    u16 = Uint16, u16, "unsigned 16-bit integers";
    i16 = Int16, i16, "signed 16-bit integers";
    u32 = Uint32, u32, "unsigned 32-bit integers";
    i32 = Int32, i32, "signed 32-bit integers";
    u64 = Uint64, u64, "unsigned 64-bit integers";
    i64 = Int64, i64, "signed 64-bit integers";
    f64 = Float64, f64, "64-bit floats";
}

#[cfg(feature = "half")]
impl sealed::Sealed for half::f16 {}

/// As [`F16`]: both are the bits of a 16-bit float.
#[cfg(feature = "half")]
impl Element for half::f16 {
    const DTYPE: DataType = DataType::Float16;
}

/// What the app passes in: row-major elements of one type.
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    dtype: DataType,
    bytes: &'a [u8],
}

/// Where a result goes: row-major elements of one type.
pub struct TensorMut<'a> {
    dtype: DataType,
    bytes: &'a mut [u8],
}

impl<'a> Tensor<'a> {
    /// An input of any element type.
    pub fn of<T: Element>(values: &'a [T]) -> Tensor<'a> {
        Tensor { dtype: T::DTYPE, bytes: bytes_of(values) }
    }

    /// An input given as bytes in the machine's order, for callers that know the type only at run time.
    pub fn raw(dtype: DataType, bytes: &'a [u8]) -> Tensor<'a> {
        Tensor { dtype, bytes }
    }

    /// Element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// The elements as bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> TensorMut<'a> {
    /// An output of any element type.
    pub fn of<T: Element>(values: &'a mut [T]) -> TensorMut<'a> {
        TensorMut { dtype: T::DTYPE, bytes: bytes_of_mut(values) }
    }

    /// An output given as bytes in the machine's order, for callers that know the type only at run time.
    pub fn raw(dtype: DataType, bytes: &'a mut [u8]) -> TensorMut<'a> {
        TensorMut { dtype, bytes }
    }

    /// Element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// The elements as bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// The elements as bytes, to write to.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl<'a> Tensor<'a> {
    /// The elements, of bytes that begin where a `T` may.
    #[expect(unsafe_code, reason = "bytes viewed as the numbers that they are")]
    pub(crate) fn into_elements<T: Element>(self) -> &'a [T] {
        // SAFETY: every bit pattern is a valid value of an `Element`.
        let (before, elements, after) = unsafe { self.bytes.align_to::<T>() };
        debug_assert!(before.is_empty() && after.is_empty(), "{self:?}");
        elements
    }
}

impl<'a> TensorMut<'a> {
    /// The elements, of bytes that begin where a `T` may.
    #[expect(unsafe_code, reason = "bytes viewed as the numbers that they are")]
    pub(crate) fn into_elements<T: Element>(self) -> &'a mut [T] {
        // SAFETY: as above, and an `Element` has no padding, so that the bytes stay initialized.
        let (before, elements, after) = unsafe { self.bytes.align_to_mut::<T>() };
        debug_assert!(before.is_empty() && after.is_empty());
        elements
    }
}

impl<'a, T: Element> From<&'a [T]> for Tensor<'a> {
    fn from(values: &'a [T]) -> Tensor<'a> {
        Tensor::of(values)
    }
}

impl<'a, T: Element, const N: usize> From<&'a [T; N]> for Tensor<'a> {
    fn from(values: &'a [T; N]) -> Tensor<'a> {
        Tensor::of(values)
    }
}

impl<'a, T: Element> From<&'a mut [T]> for TensorMut<'a> {
    fn from(values: &'a mut [T]) -> TensorMut<'a> {
        TensorMut::of(values)
    }
}

impl<'a, T: Element, const N: usize> From<&'a mut [T; N]> for TensorMut<'a> {
    fn from(values: &'a mut [T; N]) -> TensorMut<'a> {
        TensorMut::of(values)
    }
}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({}, {} bytes)", self.dtype, self.bytes.len())
    }
}

impl fmt::Debug for TensorMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TensorMut({}, {} bytes)", self.dtype, self.bytes.len())
    }
}

/// Quantization of a tensor; a stored value `q` means `(q + offset) * scale`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Quant {
    /// Not quantized.
    #[default]
    None,
    /// One scale and offset.
    PerTensor {
        /// Step size.
        scale: f32,
        /// Offset (the negated zero point).
        offset: i32,
    },
    /// One scale and offset per slice along `axis`.
    PerAxis {
        /// The axis, from the outermost.
        axis: u32,
        /// One per slice.
        scale_offsets: Vec<(f32, i32)>,
    },
    /// Per-tensor with values narrower than their storage.
    BitWidth {
        /// Bits used, for example 4.
        bits: u32,
        /// Step size.
        scale: f32,
        /// Offset.
        offset: i32,
    },
    /// Per-axis with values narrower than their storage.
    BitWidthPerAxis {
        /// Bits used, for example 4.
        bits: u32,
        /// The axis, from the outermost.
        axis: u32,
        /// One per slice.
        scale_offsets: Vec<(f32, i32)>,
    },
    /// One float scale and offset per block of a weight, with values narrower than their storage or of its width.
    FloatBlocks {
        /// Bits used, 4 or 8.
        bits: u32,
        /// Extent of a block in each dimension of the tensor.
        block: Vec<u32>,
        /// One per block: output channel by output channel, the blocks of a channel in order, whatever the layout of the
        /// tensor.
        scale_offsets: Arc<[(f32, f32)]>,
    },
    /// Block expansion (LPBQ) of a weight: a float scale per slice along the axis of output channels, times a small integer per
    /// block of the slice. Stored values use half of their type's bits: -8 to 7 in 8.
    BlockExpansion {
        /// The axis of output channels, from the outermost.
        axis: u32,
        /// One per slice; offsets are zero.
        scales: Vec<f32>,
        /// Bits of a block's integer: the HTP takes 4.
        block_scale_bits: u32,
        /// From 1 to 2 to the power of `block_scale_bits`; slice by slice, the blocks of a slice in order, whatever the layout
        /// of the tensor.
        block_scales: Arc<[u8]>,
    },
    /// An encoding that this version does not decode: its number in the vendor's enumeration.
    Other(u32),
}

/// A tensor at a graph's border, as a context binary's metadata describes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TensorInfo {
    /// Name.
    pub name: String,
    /// The library's id of the tensor within its graph.
    pub id: u32,
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub dims: Vec<u32>,
    /// Quantization.
    pub quant: Quant,
    /// Which of the library's two tensor layouts (1 or 2) describes it in the binary.
    pub(crate) version: u32,
    /// Elements and bytes, held against what a tensor can have when the metadata was read: buffers are checked by these.
    size: Size,
}

/// Size of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    elements: usize,
    bytes: usize,
}

impl Size {
    /// The size of a shape; `None` for what is larger than the 4 GiB that the library's own lengths can say.
    fn of(dtype: DataType, dims: &[u32]) -> Option<Size> {
        let elements = dims.iter().try_fold(1u64, |product, dim| product.checked_mul(u64::from(*dim)))?;
        let bytes =
            elements.checked_mul(dtype.size() as u64).filter(|bytes| *bytes <= u64::from(u32::MAX))?;
        Some(Size { elements: usize::try_from(elements).ok()?, bytes: usize::try_from(bytes).ok()? })
    }
}

impl TensorInfo {
    /// A tensor of this name, type, shape and so on.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a shape of more than 4 GiB, as a damaged binary may state it.
    pub(crate) fn new(
        name: String,
        id: u32,
        dtype: DataType,
        dims: Vec<u32>,
        quant: Quant,
        version: u32,
    ) -> Result<TensorInfo, Error> {
        let size = Size::of(dtype, &dims).ok_or_else(|| {
            let why = format!("{dtype} {dims:?} is larger than the 4 GiB that a tensor can have");
            Error::invalid(format!("tensor `{name}` of the context binary"), why)
        })?;
        Ok(TensorInfo { name, id, dtype, dims, quant, version, size })
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.size.elements
    }

    /// Size of the buffer, bytes.
    pub fn byte_len(&self) -> usize {
        self.size.bytes
    }

    /// Holds the type of elements against the tensor's: the same, or what it is stored as.
    pub(crate) fn check_type(&self, graph: &str, dtype: DataType) -> Result<(), Error> {
        let bytes_for_bool = self.dtype == DataType::Bool && dtype == DataType::Uint8;
        match dtype == self.dtype || dtype == self.dtype.storage() || bytes_for_bool {
            true => Ok(()),
            false => Err(Error::tensor_type(graph, &self.name, self.dtype, dtype)),
        }
    }

    /// Holds a buffer's type, length and beginning against the tensor: the library itself checks none of them and would read or
    /// write past the end of a short buffer.
    pub(crate) fn check(
        &self,
        graph: &str,
        dtype: DataType,
        data: *const u8,
        bytes: usize,
    ) -> Result<(), Error> {
        let bytes_for_bool = self.dtype == DataType::Bool && dtype == DataType::Uint8;
        if dtype != self.dtype && dtype != self.dtype.storage() && !bytes_for_bool {
            return Err(Error::tensor_type(graph, &self.name, self.dtype, dtype));
        }
        if bytes != self.byte_len() {
            let of = (self.dtype, &*self.dims);
            return Err(Error::tensor_length(graph, &self.name, of, self.byte_len(), bytes));
        }
        if !data.addr().is_multiple_of(self.dtype.size()) {
            return Err(Error::tensor_alignment(graph, &self.name, self.dtype));
        }
        Ok(())
    }
}

#[expect(unsafe_code, reason = "plain numbers viewed as the bytes they are made of")]
fn bytes_of<T: Element>(values: &[T]) -> &[u8] {
    // SAFETY: `Element` is sealed to numbers without padding, so all `size_of_val` bytes are initialized; `u8` has no
    // alignment, and the view borrows `values`.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

#[expect(unsafe_code, reason = "plain numbers viewed as the bytes they are made of")]
fn bytes_of_mut<T: Element>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; every bit pattern is a valid value of an `Element`, so any bytes may be written, and the
    // view borrows `values` exclusively.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const ALIGNED: *const u8 = std::ptr::dangling::<u64>().cast();

    #[test]
    fn bytes_begin_where_an_element_may() {
        let tensor = TensorInfo::new("x".into(), 1, DataType::Float32, vec![2], Quant::None, 1).unwrap();
        let check = |at: *const u8| tensor.check("g", DataType::Float32, at, 8);
        assert!(check(ALIGNED).is_ok());
        assert_eq!(check(ALIGNED.wrapping_add(2)).unwrap_err().kind(), ErrorKind::TensorAlignment);
    }

    fn image() -> TensorInfo {
        let quant = Quant::PerTensor { scale: 0.5, offset: -128 };
        TensorInfo::new("image".into(), 1, DataType::UFixed8, vec![1, 2, 3], quant, 1).unwrap()
    }

    #[test]
    fn a_quantized_tensor_takes_its_plain_integers_and_nothing_else() {
        assert!(image().check("g", DataType::Uint8, ALIGNED, 6).is_ok());
        assert!(image().check("g", DataType::UFixed8, ALIGNED, 6).is_ok());
        let error = image().check("g", DataType::Int8, ALIGNED, 6).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TensorType);
        assert!(error.to_string().contains("is ufixed8, the buffer is int8"), "{error}");
    }

    #[test]
    fn shapes_that_no_tensor_has_are_refused_instead_of_wrapping_to_a_small_size() {
        for dims in [vec![1 << 31, 1 << 31, 4, 3], vec![u32::MAX, u32::MAX, u32::MAX], vec![1 << 16, 1 << 16]]
        {
            let error = TensorInfo::new("x".into(), 1, DataType::Float32, dims, Quant::None, 1).unwrap_err();
            assert!(error.to_string().contains("`x`") && error.to_string().contains("4 GiB"), "{error}");
        }
        let largest =
            TensorInfo::new("x".into(), 1, DataType::Uint8, vec![u32::MAX], Quant::None, 1).unwrap();
        assert_eq!(largest.byte_len(), u32::MAX as usize);
    }

    #[test]
    fn too_short_and_too_long_buffers_are_refused() {
        for length in [0, 5, 7] {
            let error = image().check("g", DataType::Uint8, ALIGNED, length).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TensorLength);
            assert!(error.to_string().contains("6 bytes"), "{error}");
        }
    }

    #[test]
    fn typed_slices_are_seen_as_their_bytes() {
        assert_eq!(Tensor::f32(&[1.0]).bytes(), 1f32.to_ne_bytes());
        let mut values = [0u16; 2];
        let mut tensor = TensorMut::from(&mut values);
        assert_eq!((tensor.dtype(), tensor.bytes().len()), (DataType::Uint16, 4));
        tensor.bytes_mut().copy_from_slice(&[1, 0, 2, 0]);
        assert_eq!(values, [u16::from_ne_bytes([1, 0]), u16::from_ne_bytes([2, 0])]);
    }
}
