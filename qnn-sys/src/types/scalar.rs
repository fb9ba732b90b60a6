//! Element types and scalar values.

use std::ffi::c_char;

c_enum! {
    /// `Qnn_DataType_t`: element type of a tensor or scalar.
    ///
    /// Fixed-point types are integers with a quantization encoding; the plain integer types have none.
    DataType, "QNN_DATATYPE_" {
        INT_2 = 0x0002,
        INT_4 = 0x0004,
        INT_8 = 0x0008,
        INT_16 = 0x0016,
        INT_32 = 0x0032,
        INT_64 = 0x0064,
        UINT_2 = 0x0102,
        UINT_4 = 0x0104,
        UINT_8 = 0x0108,
        UINT_16 = 0x0116,
        UINT_32 = 0x0132,
        UINT_64 = 0x0164,
        FLOAT_4 = 0x0204,
        FLOAT_8 = 0x0208,
        FLOAT_16 = 0x0216,
        BFLOAT_16 = 0x0226,
        FLOAT_32 = 0x0232,
        FLOAT_64 = 0x0264,
        SFIXED_POINT_2 = 0x0302,
        SFIXED_POINT_4 = 0x0304,
        SFIXED_POINT_8 = 0x0308,
        SFIXED_POINT_16 = 0x0316,
        SFIXED_POINT_32 = 0x0332,
        UFIXED_POINT_2 = 0x0402,
        UFIXED_POINT_4 = 0x0404,
        UFIXED_POINT_8 = 0x0408,
        UFIXED_POINT_16 = 0x0416,
        UFIXED_POINT_32 = 0x0432,
        BOOL_8 = 0x0508,
        STRING = 0x0608,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_FloatEncoding_t`: micro-scaling formats.
    FloatEncoding, "QNN_FLOAT_ENCODING_" {
        MXFP8_E5M2 = 0,
        MXFP8_E4M3 = 1,
        MXFP6_E3M2 = 2,
        MXFP6_E2M3 = 3,
        MXFP4_E2M1 = 4,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_Precision_t`: arithmetic of float graphs.
    Precision, "QNN_PRECISION_" {
        FLOAT32 = 0,
        FLOAT16 = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`Scalar`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ScalarValue {
    /// [`DataType::FLOAT_32`]
    pub f32: f32,
    /// [`DataType::FLOAT_64`]
    pub f64: f64,
    /// [`DataType::UINT_64`]
    pub u64: u64,
    /// [`DataType::INT_64`]
    pub i64: i64,
    /// [`DataType::UINT_32`]
    pub u32: u32,
    /// [`DataType::INT_32`]
    pub i32: i32,
    /// [`DataType::UINT_16`]
    pub u16: u16,
    /// [`DataType::INT_16`]
    pub i16: i16,
    /// [`DataType::UINT_8`]
    pub u8: u8,
    /// [`DataType::INT_8`]
    pub i8: i8,
    /// [`DataType::BOOL_8`]: 0 or 1.
    pub bool8: u8,
    /// [`DataType::BFLOAT_16`]: the bits.
    pub bfloat16: i16,
    /// [`DataType::STRING`]: NUL-terminated.
    pub string: *const c_char,
}

/// `Qnn_Scalar_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scalar {
    /// Which member of `value` counts.
    pub data_type: DataType,
    /// The value.
    pub value: ScalarValue,
}

impl Scalar {
    // The whole union is written first so that no byte of a struct handed to the library is uninitialised.
    const fn new(data_type: DataType) -> Self {
        Self { data_type, value: ScalarValue { u64: 0 } }
    }

    /// An 8-bit boolean.
    pub const fn bool8(value: bool) -> Self {
        let mut scalar = Self::new(DataType::BOOL_8);
        scalar.value.bool8 = value as u8;
        scalar
    }

    /// An unsigned 32-bit integer.
    pub const fn u32(value: u32) -> Self {
        let mut scalar = Self::new(DataType::UINT_32);
        scalar.value.u32 = value;
        scalar
    }

    /// A signed 32-bit integer.
    pub const fn i32(value: i32) -> Self {
        let mut scalar = Self::new(DataType::INT_32);
        scalar.value.i32 = value;
        scalar
    }

    /// A 32-bit float.
    pub const fn f32(value: f32) -> Self {
        let mut scalar = Self::new(DataType::FLOAT_32);
        scalar.value.f32 = value;
        scalar
    }
}
