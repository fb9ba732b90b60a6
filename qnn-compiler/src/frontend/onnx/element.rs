//! The element types of the ONNX standard, by number.

use crate::graph::DType;

/// A row: number in the file, name in the standard, bits of an element in a file, what it becomes here.
type Row = (i32, &'static str, u64, Option<DType>);

/// Element types by number. Those without a [`DType`] have no counterpart on the device.
const ROWS: [Row; 26] = [
    (1, "FLOAT", 32, Some(DType::F32)),
    (2, "UINT8", 8, Some(DType::U8)),
    (3, "INT8", 8, Some(DType::I8)),
    (4, "UINT16", 16, Some(DType::U16)),
    (5, "INT16", 16, Some(DType::I16)),
    (6, "INT32", 32, Some(DType::I32)),
    (7, "INT64", 64, Some(DType::I64)),
    (8, "STRING", 0, None),
    (9, "BOOL", 8, Some(DType::Bool)),
    (10, "FLOAT16", 16, Some(DType::F16)),
    (11, "DOUBLE", 64, Some(DType::F64)),
    (12, "UINT32", 32, Some(DType::U32)),
    (13, "UINT64", 64, Some(DType::U64)),
    (14, "COMPLEX64", 64, None),
    (15, "COMPLEX128", 128, None),
    (16, "BFLOAT16", 16, Some(DType::Bf16)),
    (17, "FLOAT8E4M3FN", 8, None),
    (18, "FLOAT8E4M3FNUZ", 8, None),
    (19, "FLOAT8E5M2", 8, None),
    (20, "FLOAT8E5M2FNUZ", 8, None),
    (21, "UINT4", 4, Some(DType::U4)),
    (22, "INT4", 4, Some(DType::I4)),
    (23, "FLOAT4E2M1", 4, None),
    (24, "FLOAT8E8M0", 8, None),
    (25, "UINT2", 2, None),
    (26, "INT2", 2, None),
];

/// The dtype of an element type, or the reason why there is none.
pub fn dtype(number: i64) -> Result<DType, String> {
    match ROWS.iter().find(|row| i64::from(row.0) == number) {
        Some((_, _, _, Some(dtype))) => Ok(*dtype),
        Some((_, name, _, None)) => Err(format!("element type {name} is not supported")),
        None => Err(format!("element type {number} is not one of the ONNX standard")),
    }
}

/// The error code for an element type that has no dtype: text and complex numbers, or a dtype that the device lacks.
pub(super) fn code(number: i32) -> &'static str {
    if matches!(number, 8 | 14 | 15) { "E0216" } else { "E0304" }
}

/// The number of a dtype.
pub fn number(dtype: DType) -> i32 {
    ROWS.iter().find(|row| row.3 == Some(dtype)).map_or(0, |row| row.0)
}

/// The name of an element type as users know it: numpy's where there is one, else the standard's.
pub fn name(number: i32) -> String {
    match ROWS.iter().find(|row| row.0 == number) {
        Some((_, _, _, Some(dtype))) => dtype.name().to_owned(),
        Some((_, name, _, None)) => name.to_ascii_lowercase(),
        None => format!("element type {number}"),
    }
}

/// Bits that an element takes in a file; 0 for text and unknown types.
pub fn bits(number: i32) -> u64 {
    ROWS.iter().find(|row| row.0 == number).map_or(0, |row| row.2)
}
