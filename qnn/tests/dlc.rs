//! DLC files: written by the vendor's writer, composed by its reader.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{ContextConfig, GraphConfig};
use qnn::{Context, DataType, Tensor, TensorMut, dlc};

#[test]
fn a_graph_written_to_a_dlc_file_compiles_and_computes_the_same() {
    let backend = backend();
    let device = device(&backend, "SM8650");
    let dir = scratch("dlc");
    let path = dir.join("conv.dlc");

    let conv = Conv::new(DataType::Float32);
    let mut graph = dlc::create(backend.libs(), &path, "conv").unwrap();
    conv.build(&mut graph);
    graph.finalize().unwrap();
    assert!(path.metadata().unwrap().len() > 1000);

    let context = device.new_context(&ContextConfig::default()).unwrap();
    let config = GraphConfig { optimization: 2, vtcm_mb: Some(4), ..GraphConfig::default() };
    let graphs = context.add_dlc(&path, &config).unwrap();
    let names: Vec<String> = graphs.iter().map(|graph| graph.info().name.clone()).collect();
    assert_eq!(names, ["conv"]);
    assert_eq!(graphs[0].info().inputs[0].dims, [1, H as u32, W as u32, C as u32]);
    for graph in graphs {
        graph.complete().finalize().unwrap();
    }

    let loaded = Context::from_bytes(&device, &binary_of(&context)).unwrap();
    let htp = loaded.info().graphs[0].htp.unwrap();
    assert_eq!((htp.optimization, htp.vtcm_bytes), (2, 4 << 20), "the options arrived");
    let x = noise(H * W * C, 3);
    let mut y = vec![f32::NAN; H * W * N];
    loaded
        .graph("conv")
        .unwrap()
        .execute(&[("x", Tensor::f32(&x))], &mut [("y", TensorMut::f32(&mut y))])
        .unwrap();
    assert_close(&y, &conv_reference(&x, &conv_weights(), &conv_bias()), 2e-3);
}

#[test]
fn a_file_that_is_no_dlc_is_refused() {
    let backend = backend();
    let device = device(&backend, "SM8650");
    let dir = scratch("no-dlc");
    for (name, bytes) in [("empty.dlc", &b""[..]), ("junk.dlc", &[7; 5000][..])] {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        let context = device.new_context(&ContextConfig::default()).unwrap();
        let error = context.add_dlc(&path, &GraphConfig::default()).unwrap_err();
        println!("{error}");
        assert!(error.vendor().unwrap().subject.contains(name), "{error}");
        assert!(
            error.message().contains("is no DLC file") && error.help().unwrap().contains("check the file")
        );
    }
    let context = device.new_context(&ContextConfig::default()).unwrap();
    assert!(context.add_dlc(&dir.join("missing.dlc"), &GraphConfig::default()).is_err());
}
