//! Graphs that are planned for another amount of VTCM. In a file of its own: the emulator has one amount per process.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{ContextConfig, GraphConfig};
use qnn::metadata::MetadataReader;
use qnn::{Context, DataType, Device, ErrorKind, Graph, Tensor, TensorMut};

fn compile(device: &Device, config: &GraphConfig) -> Vec<u8> {
    let context = device.new_context(&ContextConfig::default()).unwrap();
    let conv = Conv::new(DataType::Float32);
    let mut graph = context.graph("conv", config).unwrap();
    conv.build(&mut graph);
    graph.finalize().unwrap();
    binary_of(&context)
}

fn execute(graph: &Graph) -> qnn::Result<()> {
    let x = noise(H * W * C, 3);
    let mut y = vec![f32::NAN; H * W * N];
    graph.execute(&[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))])?;
    assert_close(&y, &conv_reference(&x, &conv_weights(), &conv_bias()), 2e-3);
    Ok(())
}

#[test]
fn options_are_found_again_in_the_binary_and_the_emulators_one_vtcm_size_is_explained() {
    let device = device(&backend(), "SM8650");
    let config = GraphConfig {
        vtcm_mb: Some(2),
        optimization: 1,
        hvx_threads: Some(2),
        dlbc: true,
        ..GraphConfig::default()
    };
    let small = compile(&device, &config);
    let info = MetadataReader::open(device.backend().libs()).unwrap().read(&small).unwrap();
    let htp = info.graph("conv").unwrap().htp.unwrap();
    assert_eq!((htp.vtcm_bytes, htp.optimization, htp.hvx_threads, htp.dlbc), (2 << 20, 1, 2, true));
    assert_eq!((info.soc_id, info.arch), (Some(57), Some(75)));
    assert_eq!(info.build_id, device.backend().build_id());
    assert!(info.graph("other").unwrap_err().to_string().contains("`conv`"));

    let large = compile(&device, &GraphConfig::default());
    let load = |binary: &[u8]| Context::from_bytes(&device, binary).unwrap().graph("conv").unwrap();
    let first = load(&large);
    execute(&first).unwrap();
    let second = load(&small);
    execute(&second).unwrap();
    let error = execute(&first).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmulatedVtcm, "{error}");
    assert!(
        error.message().contains("planned for 8 MiB") && error.message().contains("has 2 MiB"),
        "{error}"
    );
    // Loaded again, it is the last one and runs.
    execute(&load(&large)).unwrap();
}
