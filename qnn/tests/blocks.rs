//! Weights in blocks with scales and offsets of their own, as GGUF files have them.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{ContextConfig, GraphConfig, Param, Quant, Role, Scalar, TensorSpec};
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

/// Signal to noise of a 1x1 convolution of 16-bit numbers by 4-bit weights with a scale a channel and an integer a block, against
/// the arithmetic in doubles, dB.
fn expansion(soc: &str, block: usize) -> f64 {
    let device = device(&backend(), soc);
    let blocks = IN / block;
    let stored: Vec<i8> = noise(OUT * IN, 1).iter().map(|v| (v * 7.99f32) as i8).collect();
    let scales: Vec<f32> = noise(OUT, 2).iter().map(|v| 0.001 * (v.abs() + 0.2)).collect();
    let factors: Vec<u8> = noise(OUT * blocks, 7).iter().map(|v| 1 + (v.abs() * 15.99) as u8).collect();
    // (in, out), as the convolution has it; scales and factors are channel by channel.
    let meant = |o: usize, i: usize| {
        f64::from(stored[i * OUT + o]) * f64::from(scales[o]) * f64::from(factors[o * blocks + i / block])
    };
    let (x_step, x_zero) = (2.0f32 / 65535.0, 32768);
    let x: Vec<u16> =
        noise(ROWS * IN, 3).iter().map(|v| (v / x_step) as i32 + x_zero).map(|q| q as u16).collect();
    let mut want = vec![0.0; ROWS * OUT];
    for (at, want) in want.iter_mut().enumerate() {
        let (row, o) = (at / OUT, at % OUT);
        let real = |i: usize| f64::from(i32::from(x[row * IN + i]) - x_zero) * f64::from(x_step);
        *want = (0..IN).map(|i| real(i) * meant(o, i)).sum::<f64>();
    }
    let most = want.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let y_step = (2.0 * most / 65535.0) as f32;

    let per_tensor = |scale| Quant::PerTensor { scale, offset: -x_zero };
    let (x_quant, y_quant) = (per_tensor(x_step), per_tensor(y_step));
    let quant = Quant::BlockExpansion {
        axis: 3,
        scales,
        block_scale_bits: 4,
        block_scales: factors.as_slice().into(),
    };
    let stored = bytes(&stored);
    let (ones, pads) = (bytes(&[1u32, 1]), bytes(&[0u32; 4]));
    let context = device.new_context(&ContextConfig::default()).unwrap();
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let mut tensor = |name, role, dtype, dims, quant| {
        graph.tensor(&TensorSpec { name, role, dtype, dims, quant }).unwrap()
    };
    let fixed = DataType::UFixed16;
    let x_tensor = tensor("x", Role::Input, fixed, &[1, 1, ROWS as u32, IN as u32], &x_quant);
    let w = tensor("w", Role::Static(&stored), DataType::SFixed8, &[1, 1, IN as u32, OUT as u32], &quant);
    let y_tensor = tensor("y", Role::Output, fixed, &[1, 1, ROWS as u32, OUT as u32], &y_quant);
    let list = |name, dims, data| Param::Tensor { name, dtype: DataType::Uint32, dims, data };
    let params = [
        list("stride", &[2], &ones),
        list("pad_amount", &[2, 2], &pads),
        list("dilation", &[2], &ones),
        Param::Scalar("group", Scalar::U32(1)),
    ];
    let (inputs, outputs) = ([x_tensor, w], [y_tensor]);
    let spec = op("conv", "Conv2d", &inputs, &outputs, &params);
    graph.validate(&spec).unwrap();
    graph.add(&spec).unwrap();
    graph.finalize().unwrap();

    let loaded = Context::from_bytes(&device, &binary_of(&context)).unwrap();
    let mut y = vec![0u16; ROWS * OUT];
    let graph = loaded.graph("g").unwrap();
    graph.execute(&[("x", Tensor::u16(&x))], &mut [("y", TensorMut::u16(&mut y))]).unwrap();
    let real = |q: u16| f64::from(i32::from(q) - x_zero) * f64::from(y_step);
    let signal: f64 = want.iter().map(|want| want * want).sum();
    let noise: f64 = want.iter().zip(&y).map(|(want, got)| (want - real(*got)).powi(2)).sum();
    10.0 * (signal / noise).log10()
}

#[test]
fn a_weight_of_expanded_blocks_computes_what_it_means() {
    for (soc, block) in [("SM8650", 16), ("SM8650", 64), ("SM8750", 32)] {
        let quality = expansion(soc, block);
        assert!(quality > 75.0, "{soc}, blocks of {block}: {quality:.1} dB");
    }
}
