//! Compiling with the real library, and running what it compiled.

mod common;

use common::*;
use qnn::compose::ContextConfig;
use qnn::metadata::MetadataReader;
use qnn::{Context, DataType, F16, Tensor, TensorMut};

#[test]
fn a_convolution_compiled_reloaded_and_executed_matches_a_double_precision_reference() {
    let backend = backend();
    let device = device(&backend, "SM8650");
    let x = noise(H * W * C, 3);

    let context = Context::from_bytes(&device, &conv_binary(&device, DataType::Float32)).unwrap();
    let mut y = vec![f32::NAN; H * W * N];
    let graph = context.graph("conv").unwrap();
    graph.execute(&[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))]).unwrap();
    assert_close(&y, &conv_reference(&x, &conv_weights(), &conv_bias()), 2e-3);

    let context = Context::from_bytes(&device, &conv_binary(&device, DataType::Float16)).unwrap();
    let halves = |values: &[f32]| values.iter().map(|value| F16::from(*value)).collect::<Vec<_>>();
    let floats = |values: &[F16]| values.iter().map(|value| f32::from(*value)).collect::<Vec<_>>();
    let x = halves(&x);
    let mut y = vec![F16(0x7e00); H * W * N];
    let graph = context.graph("conv").unwrap();
    graph.execute(&[("x", Tensor::f16(&x))], &mut [("y", TensorMut::f16(&mut y))]).unwrap();
    let exact = |values: Vec<f32>| floats(&halves(&values));
    let reference = conv_reference(&floats(&x), &exact(conv_weights()), &exact(conv_bias()));
    assert_close(&floats(&y), &reference, 4e-3);
}

#[test]
fn metadata() {
    let backend = backend();
    let device = device(&backend, "SM8650");
    let info =
        MetadataReader::open(backend.libs()).unwrap().read(&conv_binary(&device, DataType::Float32)).unwrap();
    println!("{info:#?}");
    let _ = ContextConfig::default();
}
