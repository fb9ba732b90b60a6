//! Cast between every two types.

use qnn::DataType;
use qnn_compiler::frontend::onnx::element;
use qnn_compiler::graph::{DType, Data};

use crate::arithmetic::extents;
use crate::case::{Case, case, refused};
use crate::support::int;

const TYPES: &[(DType, DataType)] = &[
    (DType::F32, DataType::Float32),
    (DType::F16, DataType::Float16),
    (DType::I32, DataType::Int32),
    (DType::I64, DataType::Int64),
    (DType::U8, DataType::Uint8),
    (DType::Bool, DataType::Bool),
];

const NUMBERS: [f32; 12] = [-3.75, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 3.75, 100.0, 127.0];

/// The numbers as elements of a type, those that it cannot hold made positive.
fn bytes(dtype: DType, signed: bool, count: usize) -> Vec<u8> {
    let numbers = NUMBERS.iter().cycle().take(count).map(|v| if signed { *v } else { v.abs() });
    match dtype {
        DType::F32 => numbers.flat_map(f32::to_le_bytes).collect(),
        DType::F16 => numbers.flat_map(|v| half::f16::from_f32(v).to_le_bytes()).collect(),
        DType::I32 => Data::from_i32(&numbers.map(|v| v as i32).collect::<Vec<_>>()).bytes().to_vec(),
        DType::I64 => Data::from_i64(&numbers.map(|v| v as i64).collect::<Vec<_>>()).bytes().to_vec(),
        DType::Bool => numbers.map(|v| u8::from(v != 0.0)).collect(),
        _ => numbers.map(|v| v as u8).collect(),
    }
}

fn number(dtype: DType) -> i64 {
    (1..32).find(|&n| element::dtype(n).is_ok_and(|d| d == dtype)).unwrap()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for &(from, array) in TYPES {
        for &(to, _) in TYPES {
            if from == to {
                continue;
            }
            for shape in [&[12][..], &[2, 3, 2, 2, 2]] {
                all.push(case(format!("{from}_to_{to}_of_{}", extents(shape)), move |d| {
                    // What leaves the range of uint8 is not defined.
                    let signed = from != DType::U8 && to != DType::U8;
                    let data = bytes(from, signed, shape.iter().product());
                    let mut x = d.input_raw(from, array, shape, data);
                    if from.is_float() && to.is_float() {
                        x = d.node("Neg", &[&x], &[]);
                    }
                    d.result("Cast", &[&x], &[int("to", number(to))]);
                }));
            }
        }
    }
    all.push(case("int64_to_uint8_keeps_the_low_byte", |d| {
        let x = d.input_i64(&[6], &[-300, -1, 0, 255, 256, 1000]);
        d.result("Cast", &[&x], &[int("to", number(DType::U8))]);
    }));
    all.push(case("cast_like_takes_the_type_of_another_tensor", |d| {
        let (x, like) = (d.input_i64(&[4], &[-1, 0, 7, 1000]), d.input(&[4]));
        let y = d.node("CastLike", &[&x, &like], &[]);
        d.result("Mul", &[&y, &like], &[]);
    }));
    all.push(case("a_constant_that_is_cast_like_a_tensor_is_a_constant", |d| {
        let (x, c) = (d.input(&[2, 3]), d.ints(&[3]));
        let number = d.node("CastLike", &[&c, &x], &[]);
        let empty = d.ints(&[]);
        let number = d.node("Reshape", &[&number, &empty], &[]);
        let pads = d.ints(&[1, 0, 0, 1]);
        d.result("Pad", &[&x, &pads, &number], &[]);
    }));
    all.push(refused("floats_that_are_only_cast_are_refused", "E0302", "infinity", |d| {
        let x = d.input(&[4]);
        d.result("Cast", &[&x], &[int("to", number(DType::F16))]);
    }));
    for to in [DType::F32, DType::F16, DType::I32, DType::U8, DType::Bool] {
        all.push(case(format!("int8_to_{to}"), move |d| {
            let x = d.input_raw(DType::I8, DataType::Int8, &[5], vec![0, 1, 127, 128, 255]);
            d.result("Cast", &[&x], &[int("to", number(to))]);
        }));
    }
    for (from, array) in
        [(DType::F32, DataType::Float32), (DType::I32, DataType::Int32), (DType::Bool, DataType::Bool)]
    {
        all.push(case(format!("{from}_to_int8"), move |d| {
            let data = bytes(from, true, 12);
            let x = d.input_raw(from, array, &[12], data);
            d.result("Cast", &[&x], &[int("to", number(DType::I8))]);
        }));
    }
    all.push(case("int64_to_int8_keeps_the_low_byte", |d| {
        let x = d.input_i64(&[7], &[-300, -1, 0, 127, 128, 255, 1000]);
        d.result("Cast", &[&x], &[int("to", number(DType::I8))]);
    }));
    for op in ["Add", "Mul", "Max", "Div"] {
        all.push(case(format!("{}_of_int8", op.to_lowercase()), move |d| {
            let a = d.input_raw(DType::I8, DataType::Int8, &[4], vec![7, 253, 100, 156]);
            let b = d.input_raw(DType::I8, DataType::Int8, &[4], vec![3, 2, 1, 254]);
            d.result(op, &[&a, &b], &[]);
        }));
    }
    all
}
