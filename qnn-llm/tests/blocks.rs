//! Numbers of blocks, against those that gguf-py makes of the same bytes (`data/blocks.py`).

#![allow(clippy::unwrap_used, reason = "test code")]

use bytes::Bytes;
use qnn_llm::block::{Unpacked, dequantize_rows, unpack_rows};
use qnn_llm::{Class, Format, Weight};
use qnn_types::quant::Granularity;

struct Case {
    format: Format,
    bytes: Bytes,
    numbers: Vec<f32>,
}

fn cases() -> Vec<Case> {
    let mut rest = Bytes::from_static(include_bytes!("data/blocks.bin"));
    let mut cases = Vec::new();
    while !rest.is_empty() {
        let name = String::from_utf8(rest.split_to(8).to_vec()).unwrap();
        let mut number = || u32::from_le_bytes(rest.split_to(4)[..].try_into().unwrap()) as usize;
        let (bytes, elements) = (number(), number());
        let format = Format::all().find(|format| format.name() == name.trim_end_matches('\0')).unwrap();
        let bytes = rest.split_to(bytes);
        let numbers = rest.split_to(elements * 4);
        let numbers = numbers.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        cases.push(Case { format, bytes, numbers });
    }
    cases
}

/// The blocks in two rows.
fn weight(case: &Case) -> Weight {
    let columns = case.numbers.len() / 2;
    Weight { name: "w".to_owned(), rows: 2, columns, format: case.format, data: case.bytes.clone() }
}

#[test]
fn numbers_are_those_of_gguf_py_in_every_bit() {
    let cases = cases();
    assert_eq!(cases.len(), Format::all().count());
    for case in &cases {
        let weight = weight(case);
        let mut out = vec![7.0; case.numbers.len()];
        dequantize_rows(&weight, 0..2, &mut out).unwrap();
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out), bits(&case.numbers), "{:?}", case.format);
        let (_, second) = case.numbers.split_at(weight.columns);
        let mut row = vec![0.0; weight.columns];
        dequantize_rows(&weight, 1..2, &mut row).unwrap();
        assert_eq!(bits(&row), bits(second), "{:?}", case.format);
    }
}

#[test]
fn integers_and_their_encoding_give_the_same_numbers() {
    for case in cases() {
        let weight = weight(&case);
        let unpacked = unpack_rows(&weight, 0..2);
        if case.format.block() == 1 {
            assert_eq!(unpacked.unwrap_err().class, Class::Config, "{:?}", case.format);
            continue;
        }
        let Unpacked { q, encoding } = unpacked.unwrap();
        let shape = [2, weight.columns];
        assert_eq!((q.len(), encoding.fits(&shape)), (case.numbers.len(), Ok(())), "{:?}", case.format);
        let integers: Vec<i64> = q.iter().map(|q| i64::from(*q)).collect();
        let reals = encoding.dequantize(&integers, &shape).unwrap();
        let Granularity::PerBlock(blocks) = encoding.granularity() else { panic!("{encoding:?}") };
        let (least, most) = encoding.limits();
        for (index, (q, wanted)) in q.iter().zip(&case.numbers).enumerate() {
            assert!((least..=most).contains(&i64::from(*q)), "{:?}: {q}", case.format);
            let (at, real) = (index / blocks.size(), reals[index]);
            let (scale, minimum) = (blocks.scales()[at], blocks.minimums().get(at).copied().unwrap_or(0.0));
            // What rounding of the minimum and of the number itself can make of it.
            let room = (f64::from(scale).abs() * 32.0 + f64::from(minimum).abs()) * 2e-7;
            assert!((real - f64::from(*wanted)).abs() <= room, "{:?} {index}: {real} {wanted}", case.format);
        }
        let second = unpack_rows(&weight, 1..2).unwrap();
        assert_eq!(second.q, q[weight.columns..], "{:?}", case.format);
        let scales = encoding.scales();
        assert_eq!(second.encoding.scales(), &scales[scales.len() / 2..], "{:?}", case.format);
    }
}

#[test]
fn a_scale_that_is_not_finite_is_named_by_tensor_and_row() {
    for case in cases() {
        for bad in [[0x00, 0x7c], [0x01, 0x7e]] {
            let mut bytes = case.bytes.to_vec();
            // The scale, or the number, of the last block.
            let at = match case.format {
                Format::Q6_K => bytes.len() - 2,
                format => bytes.len() - format.block_bytes(),
            };
            match case.format {
                Format::F32 => bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes()),
                Format::BF16 => bytes[at..].copy_from_slice(&[0x80, 0x7f]),
                _ => bytes[at..at + 2].copy_from_slice(&bad),
            }
            let weight = Weight { data: bytes.into(), ..weight(&case) };
            let mut out = vec![0.0; case.numbers.len()];
            let problem = dequantize_rows(&weight, 0..2, &mut out).unwrap_err();
            assert_eq!(problem.class, Class::Damaged);
            assert!(problem.message.contains("`w`") && problem.message.ends_with("row 1"), "{problem}");
            if case.format.block() > 1 {
                let unpacking = unpack_rows(&weight, 1..2).unwrap_err();
                assert_eq!(unpacking, problem, "{:?}", case.format);
            }
        }
    }
}

#[test]
fn rows_beyond_the_weight_are_refused() {
    for case in cases() {
        let weight = weight(&case);
        let mut out = vec![0.0; weight.columns];
        assert!(dequantize_rows(&weight, 2..3, &mut out).is_err());
        assert!(dequantize_rows(&weight, 0..2, &mut out).is_err(), "two rows into room for one");
        assert!(unpack_rows(&weight, 1..usize::MAX).is_err());
        let short = Weight { data: weight.data.slice(1..), ..weight.clone() };
        assert!(dequantize_rows(&short, 1..2, &mut out).is_err());
    }
}
