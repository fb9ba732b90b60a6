//! Encodings against ONNX Runtime: what its QuantizeLinear and DequantizeLinear make of the same numbers (`quantize.py`).
#![allow(clippy::unwrap_used, reason = "test code")]

use qnn_types::quant::{Encoding, Granularity};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    encoding: Encoding,
    shape: Vec<usize>,
    reals: Vec<f32>,
    stored: Vec<i64>,
    back: Vec<f32>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("quantize.json")).unwrap()
}

#[test]
fn integers_are_those_that_onnx_runtime_stores() {
    for case in cases() {
        assert_eq!(
            case.encoding.quantize(&case.reals, &case.shape).unwrap(),
            case.stored,
            "{:?}",
            case.encoding
        );
    }
}

#[test]
fn numbers_are_those_that_onnx_runtime_makes() {
    for case in cases() {
        let reals = case.encoding.dequantize(&case.stored, &case.shape).unwrap();
        let floats: Vec<f32> = reals.into_iter().map(|real| real as f32).collect();
        assert_eq!(floats.len(), case.back.len());
        for (got, want) in floats.iter().zip(&case.back) {
            // The scale of an expanded block is a float32 there.
            assert!((got - want).abs() <= want.abs() * f32::EPSILON, "{got} {want}: {:?}", case.encoding);
        }
    }
}

#[test]
fn what_was_rounded_once_stays() {
    for case in cases() {
        let reals = case.encoding.dequantize(&case.stored, &case.shape).unwrap();
        assert_eq!(case.encoding.quantize(&reals, &case.shape).unwrap(), case.stored, "{:?}", case.encoding);
    }
}

#[test]
fn the_other_sign_means_the_same_numbers() {
    for case in cases() {
        let signed = case.encoding.storage().is_signed();
        if matches!(case.encoding.granularity(), Granularity::BlockExpansion(_)) {
            assert!(case.encoding.with_sign(false).is_err());
            continue;
        }
        let (other, shift) = case.encoding.with_sign(!signed).unwrap();
        let moved: Vec<i64> = case.stored.iter().map(|q| q + shift).collect();
        let numbers = |encoding: &Encoding, stored: &[i64]| encoding.dequantize(stored, &case.shape).unwrap();
        assert_eq!(numbers(&other, &moved), numbers(&case.encoding, &case.stored));
        assert!(moved.iter().all(|q| (other.limits().0..=other.limits().1).contains(q)));
        assert_eq!(other.with_sign(signed).unwrap(), (case.encoding, -shift));
    }
}

#[test]
fn expanded_blocks_are_integers_of_more_bits() {
    for case in cases() {
        let Granularity::BlockExpansion(_) = case.encoding.granularity() else {
            assert!(case.encoding.decompressed(&case.stored, &case.shape).is_err());
            continue;
        };
        let (wide, integers) = case.encoding.decompressed(&case.stored, &case.shape).unwrap();
        assert_eq!(wide.bits(), 8);
        assert_eq!(
            wide.dequantize(&integers, &case.shape),
            case.encoding.dequantize(&case.stored, &case.shape)
        );
        assert!(case.encoding.decompressed(&vec![8; case.stored.len()], &case.shape).is_ok());
        assert!(case.encoding.decompressed(&vec![1 << 40; case.stored.len()], &case.shape).is_err());
    }
}

#[test]
fn axes_in_another_order_move_the_scales_along() {
    for case in cases() {
        let rank = case.shape.len();
        let order: Vec<usize> = (0..rank).rev().collect();
        let turned = case.encoding.transposed(&case.shape, &order).unwrap();
        let shape: Vec<usize> = order.iter().map(|&axis| case.shape[axis]).collect();
        // Element by element: the place of an index in the reverse order.
        let place = |mut flat: usize| {
            let mut index = vec![0; rank];
            for axis in (0..rank).rev() {
                index[axis] = flat % case.shape[axis];
                flat /= case.shape[axis];
            }
            order.iter().fold(0, |at, &axis| at * case.shape[axis] + index[axis])
        };
        let mut stored = vec![0; case.stored.len()];
        case.stored.iter().enumerate().for_each(|(at, &q)| stored[place(at)] = q);
        let (reals, turned_reals) = (
            case.encoding.dequantize(&case.stored, &case.shape).unwrap(),
            turned.dequantize(&stored, &shape).unwrap(),
        );
        for (at, real) in reals.iter().enumerate() {
            assert_eq!(turned_reals[place(at)], *real, "{turned:?}");
        }
        assert_eq!(turned.transposed(&shape, &order).unwrap(), case.encoding);
    }
}

#[test]
fn unit_axes_and_json_change_nothing() {
    for case in cases() {
        let text = serde_json::to_string(&case.encoding).unwrap();
        assert_eq!(serde_json::from_str::<Encoding>(&text).unwrap(), case.encoding, "{text}");
        let raised: Vec<usize> = [1, 1].into_iter().chain(case.shape.iter().copied()).collect();
        let encoding = case.encoding.reshaped(&case.shape, &raised).unwrap();
        assert_eq!(encoding.quantize(&case.reals, &raised).unwrap(), case.stored);
        assert_eq!(encoding.reshaped(&raised, &case.shape).unwrap(), case.encoding);
    }
}
