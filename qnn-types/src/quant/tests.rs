//! What no encoding can be.

use super::{Encoding, Granularity, Invalid, Storage};

const SCALES: [f32; 4] = [0.0, -1.0, f32::NAN, f32::INFINITY];

#[test]
fn integers_have_two_to_thirty_two_bits() {
    for bits in [0, 1, 33, 255] {
        assert_eq!(Storage::new(bits, false), Err(Invalid::Bits { bits }));
    }
    assert_eq!(Storage::I4.limits(), (-8, 7));
    assert_eq!(Storage::new(32, false).unwrap().limits(), (0, u32::MAX.into()));
    assert_eq!((Storage::U16.centre(), Storage::I32.centre()), (32768, 0));
}

#[test]
fn scales_are_finite_and_above_zero() {
    for scale in SCALES {
        assert!(Encoding::new_per_tensor(Storage::U8, scale, 0).is_err(), "{scale}");
        assert!(Encoding::new_per_axis(Storage::U8, 0, vec![1.0, scale], vec![]).is_err(), "{scale}");
        let along = (1, 4);
        assert!(
            Encoding::new_block_expansion(Storage::I4, 0, along, vec![scale], 4, vec![1]).is_err(),
            "{scale}"
        );
        let blocks = Encoding::new_per_block(Storage::I4, along, vec![scale], vec![], vec![]);
        assert_eq!(blocks.is_ok(), scale == -1.0, "{scale}");
    }
}

#[test]
fn lists_belong_together() {
    let axis = |scales: usize, zeros: usize| {
        Encoding::new_per_axis(Storage::U8, 0, vec![1.0; scales], (1..=zeros as i32).collect())
    };
    assert!(axis(0, 0).is_err() && axis(3, 2).is_err() && axis(3, 4).is_err());
    // None means zeros, and zeros mean none.
    assert_eq!(axis(3, 0), Encoding::new_per_axis(Storage::U8, 0, vec![1.0; 3], vec![0; 3]));
    assert!(Encoding::new_per_axis(Storage::U8, 0, vec![1.0; 3], vec![0; 2]).is_err());
    let blocks =
        |minimums: Vec<f32>| Encoding::new_per_block(Storage::I4, (0, 2), vec![1.0; 2], vec![], minimums);
    assert!(blocks(vec![0.0, 1.0]).is_ok());
    assert!(blocks(vec![1.0]).is_err() && blocks(vec![1.0, f32::NAN]).is_err());
    assert!(Encoding::new_per_block(Storage::I4, (0, 0), vec![1.0], vec![], vec![]).is_err());
}

#[test]
fn zero_points_are_near() {
    for far in [i32::MIN, i32::MAX, 1 << 21] {
        assert!(Encoding::new_per_tensor(Storage::U8, 1.0, far).is_err(), "{far}");
        let wide = Encoding::new_per_tensor(Storage::I32, 1.0, far).unwrap();
        assert_eq!(wide.dequantize(&[i64::MAX, 0], &[2]).unwrap().len(), 2);
    }
}

#[test]
fn block_scales_are_small_integers_above_zero() {
    let made =
        |bits, scale| Encoding::new_block_expansion(Storage::I4, 0, (1, 2), vec![1.0], bits, vec![scale]);
    assert!(made(4, 1).is_ok() && made(4, 16).is_ok());
    assert!(made(4, 0).is_err() && made(4, 17).is_err() && made(0, 1).is_err() && made(16, 1).is_err());
    assert!(Encoding::new_block_expansion(Storage::U4, 0, (1, 2), vec![1.0], 4, vec![1]).is_err());
    assert!(Encoding::new_block_expansion(Storage::I4, 1, (1, 2), vec![1.0], 4, vec![1]).is_err());
}

#[test]
fn a_tensor_of_another_shape_is_refused() {
    let axis = Encoding::new_per_axis(Storage::I8, 1, vec![1.0; 3], vec![]).unwrap();
    assert!(axis.fits(&[2, 3]).is_ok());
    for shape in [&[][..], &[3], &[3, 2], &[usize::MAX, 4]] {
        assert!(axis.fits(shape).is_err(), "{shape:?}");
        assert!(axis.quantize(&[0.0f32; 6], shape).is_err() && axis.dequantize(&[0; 6], shape).is_err());
        assert!(axis.transposed(shape, &[0]).is_err() && axis.reshaped(shape, &[2, 3]).is_err());
    }
    assert!(axis.quantize(&[0.0f32; 5], &[2, 3]).is_err());
    for order in [&[0][..], &[0, 0], &[0, 2], &[0, 1, 2]] {
        assert!(axis.transposed(&[2, 3], order).is_err(), "{order:?}");
    }
    assert!(axis.reshaped(&[2, 3], &[6]).is_err());
    // The last block of a line may be shorter.
    let blocks = Encoding::new_per_block(Storage::I4, (1, 2), vec![1.0; 4], vec![], vec![]).unwrap();
    assert!(blocks.fits(&[2, 3]).is_ok() && blocks.fits(&[2, 5]).is_err());
    assert_eq!(blocks.dequantize(&[1; 6], &[2, 3]).unwrap(), [1.0; 6]);
}

#[test]
fn odd_numbers_saturate_and_never_panic() {
    let encoding = Encoding::new_per_tensor(Storage::I8, f32::MIN_POSITIVE, 3).unwrap();
    let odd = [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::NAN];
    assert_eq!(encoding.quantize(&odd, &[4]).unwrap(), [127, -128, 127, 0]);
    assert_eq!(Storage::U4.store(1e300f64, 1e-30, 0), 15);
    assert_eq!(encoding.quantize_within(&[1.0f32], &[], (-7, 7)).unwrap(), [7]);
}

#[test]
fn blocks_have_a_minimum() {
    let encoding = Encoding::new_per_block(
        Storage::I4,
        (1, 2),
        vec![1.0, 2.0, 3.0, -4.0],
        vec![],
        vec![0.5, 0.0, 0.0, 1.0],
    );
    let encoding = encoding.unwrap();
    let (integers, reals) = ([1, 1, 1, 1, 2, 2, 2, 2], [1.5, 1.5, 2.0, 2.0, 6.0, 6.0, -7.0, -7.0]);
    assert_eq!(encoding.dequantize(&integers, &[2, 4]).unwrap(), reals);
    assert_eq!(encoding.quantize(&reals, &[2, 4]).unwrap(), integers);
    let halved = encoding.clone().scaled(0.5).unwrap();
    assert_eq!(halved.dequantize(&integers, &[2, 4]).unwrap()[0], 0.75);
    assert!(encoding.clone().scaled(0.0).is_err() && encoding.clone().scaled(f32::MAX).is_err());
    let wide = encoding.widened(Storage::I8).unwrap();
    assert!(matches!(wide.granularity(), Granularity::PerBlock(blocks) if blocks.minimums().len() == 4));
    assert!(wide.clone().widened(Storage::I4).is_err() && wide.widened(Storage::U16).is_err());
}

#[test]
fn json_goes_through_the_same_checks() {
    let read = |text: &str| serde_json::from_str::<Encoding>(text);
    let good = r#"{"bits":8,"signed":true,"granularity":"per-tensor","scale":0.5,"zero-point":-3}"#;
    assert_eq!(read(good).unwrap(), Encoding::new_per_tensor(Storage::I8, 0.5, -3).unwrap());
    assert_eq!(serde_json::to_string(&read(good).unwrap()).unwrap(), good);
    assert!(read(&good.replace("0.5", "0.0")).unwrap_err().to_string().contains("scale 0"));
    assert!(read(&good.replace("\"bits\":8", "\"bits\":0")).is_err());
}
