//! The element types of the ONNX standard, by number.

use crate::graph::DType;

/// A row: number in the file, name in the standard, what it becomes here.
type Row = (i32, &'static str, Option<DType>);

/// Element types by number. Those without a [`DType`] have no counterpart on the device.
const ROWS: [Row; 26] = [
    (1, "FLOAT", Some(DType::F32)),
    (2, "UINT8", Some(DType::U8)),
    (3, "INT8", Some(DType::I8)),
    (4, "UINT16", Some(DType::U16)),
    (5, "INT16", Some(DType::I16)),
    (6, "INT32", Some(DType::I32)),
    (7, "INT64", Some(DType::I64)),
    (8, "STRING", None),
    (9, "BOOL", Some(DType::Bool)),
    (10, "FLOAT16", Some(DType::F16)),
    (11, "DOUBLE", Some(DType::F64)),
    (12, "UINT32", Some(DType::U32)),
    (13, "UINT64", Some(DType::U64)),
    (14, "COMPLEX64", None),
    (15, "COMPLEX128", None),
    (16, "BFLOAT16", Some(DType::Bf16)),
    (17, "FLOAT8E4M3FN", None),
    (18, "FLOAT8E4M3FNUZ", None),
    (19, "FLOAT8E5M2", None),
    (20, "FLOAT8E5M2FNUZ", None),
    (21, "UINT4", Some(DType::U4)),
    (22, "INT4", Some(DType::I4)),
    (23, "FLOAT4E2M1", None),
    (24, "FLOAT8E8M0", None),
    (25, "UINT2", None),
    (26, "INT2", None),
];

/// The dtype of an element type, or the reason why there is none.
pub fn dtype(number: i64) -> Result<DType, String> {
    match ROWS.iter().find(|row| i64::from(row.0) == number) {
        Some((_, _, Some(dtype))) => Ok(*dtype),
        Some((_, name, None)) => Err(format!("element type {name} is not supported")),
        None => Err(format!("element type {number} is not one of the ONNX standard")),
    }
}

/// The error code for an element type that has no dtype: text and complex numbers, or a dtype that the device lacks.
pub(super) fn code(number: i32) -> &'static str {
    if matches!(number, 8 | 14 | 15) { "E0216" } else { "E0304" }
}

/// The number of a dtype.
pub fn number(dtype: DType) -> i32 {
    ROWS.iter().find(|row| row.2 == Some(dtype)).map_or(0, |row| row.0)
}

/// The name of an element type as users know it: numpy's where there is one, else the standard's.
pub fn name(number: i32) -> String {
    match ROWS.iter().find(|row| row.0 == number) {
        Some((_, _, Some(dtype))) => dtype.name().to_owned(),
        Some((_, name, None)) => name.to_ascii_lowercase(),
        None => format!("element type {number}"),
    }
}
