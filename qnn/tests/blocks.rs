//! Weights in blocks with scales and offsets of their own, as GGUF files have them.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{ContextConfig, GraphConfig, Quant, Role, TensorSpec};
use qnn::{Context, DataType, F16, Tensor, TensorMut};

const ROWS: usize = 3;
const IN: usize = 256;
const OUT: usize = 512;

/// Signal to noise of a FullyConnected against the arithmetic in doubles, dB.
fn quality(soc: &str, bits: u32, block: usize, offsets: bool) -> f64 {
    let device = device(&backend(), soc);
    let limit = if bits == 4 { 7.0 } else { 127.0 };
    let blocks = IN / block;
    let stored: Vec<i8> = noise(OUT * IN, 1)
        .iter()
        .map(|v| (v * (limit + 0.99f32)).floor().clamp(-limit - 1.0, limit) as i8)
        .collect();
    let half = |v: f32| f32::from(F16::from(v));
    // Scales of both signs: llama.cpp's Q4_0 has them.
    let scale_offsets: Vec<(f32, f32)> = noise(OUT * blocks, 2)
        .iter()
        .zip(noise(OUT * blocks, 7))
        .map(|(v, o)| {
            let scale = half((v.abs() + 0.1) * v.signum() * 0.02 / limit);
            (scale, if offsets { o * 0.02 / scale } else { 0.0 })
        })
        .collect();
    let meant = |o: usize, i: usize| {
        let (scale, offset) = scale_offsets[o * blocks + i / block];
        (f64::from(stored[o * IN + i]) + f64::from(offset)) * f64::from(scale)
    };
    let x: Vec<F16> = noise(ROWS * IN, 3).into_iter().map(F16::from).collect();
    let bias: Vec<F16> = noise(OUT, 9).into_iter().map(F16::from).collect();

    let quant = Quant::FloatBlocks {
        bits,
        block: vec![1, block as u32],
        scale_offsets: scale_offsets.as_slice().into(),
    };
    let context = device.new_context(&ContextConfig::default()).unwrap();
    let (stored_bytes, bias_bytes) = (bytes(&stored), bytes(&bias));
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let mut tensor = |name, role, dtype, dims, quant| {
        graph.tensor(&TensorSpec { name, role, dtype, dims, quant }).unwrap()
    };
    let half = DataType::Float16;
    let x_tensor = tensor("x", Role::Input, half, &[ROWS as u32, IN as u32], &Quant::None);
    let w = tensor("w", Role::Static(&stored_bytes), DataType::SFixed8, &[OUT as u32, IN as u32], &quant);
    let b = tensor("b", Role::Static(&bias_bytes), half, &[OUT as u32], &Quant::None);
    let y_tensor = tensor("y", Role::Output, half, &[ROWS as u32, OUT as u32], &Quant::None);
    graph.add(&op("fc", "FullyConnected", &[x_tensor, w, b], &[y_tensor], &[])).unwrap();
    graph.finalize().unwrap();

    let loaded = Context::from_bytes(&device, &binary_of(&context)).unwrap();
    let mut y = vec![F16(0x7e00); ROWS * OUT];
    let graph = loaded.graph("g").unwrap();
    graph.execute(&[("x", Tensor::f16(&x))], &mut [("y", TensorMut::f16(&mut y))]).unwrap();
    let (mut signal, mut noise) = (0.0, 0.0);
    for (at, got) in y.iter().enumerate() {
        let (row, o) = (at / OUT, at % OUT);
        let product: f64 = (0..IN).map(|i| f64::from(f32::from(x[row * IN + i])) * meant(o, i)).sum();
        let want = product + f64::from(f32::from(bias[o]));
        signal += want * want;
        noise += (want - f64::from(f32::from(*got))).powi(2);
    }
    10.0 * (signal / noise).log10()
}

#[test]
fn a_weight_in_blocks_computes_what_it_means() {
    for soc in ["SM8450", "SM8650", "SM8750"] {
        for (bits, block, offsets) in [(4, 32, false), (4, 32, true), (8, 32, false), (8, 16, true)] {
            let quality = quality(soc, bits, block, offsets);
            assert!(
                quality > 60.0,
                "{soc}, {bits} bits in blocks of {block}, offsets {offsets}: {quality:.1} dB"
            );
        }
    }
}
