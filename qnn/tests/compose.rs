//! Compiling with the real library, and running what it compiled.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{
    ContextBuilder, ContextConfig, GraphBuilder, GraphConfig, Quant, Role, TensorId, TensorSpec,
};
use qnn::{Context, DataType, Device, ErrorKind, F16, Tensor, TensorMut};

fn sm8650() -> Device {
    device(&backend(), "SM8650")
}

fn context() -> ContextBuilder {
    sm8650().new_context(&ContextConfig::default()).unwrap()
}

#[test]
fn a_convolution_compiled_reloaded_and_executed_matches_a_double_precision_reference() {
    let device = sm8650();
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
fn every_weight_encoding_computes_what_it_means() {
    let backend = backend();
    let device = device(&backend, "SM8650");
    let weights = conv_weights();
    let act = Quant::PerTensor { scale: 2.0 / 255.0, offset: -128 };
    let out = Quant::PerTensor { scale: 8.0 / 255.0, offset: 0 };
    let scales = |limit: f32| vec![(0.2 / limit, 0); N];
    let encodings = [
        (127.0, Quant::PerTensor { scale: 0.2 / 127.0, offset: 0 }),
        (127.0, Quant::PerAxis { axis: 3, scale_offsets: scales(127.0) }),
        (7.0, Quant::BitWidth { bits: 4, scale: 0.2 / 7.0, offset: 0 }),
        (7.0, Quant::BitWidthPerAxis { bits: 4, axis: 3, scale_offsets: scales(7.0) }),
    ];
    for (limit, encoding) in &encodings {
        let scale = 0.2 / limit;
        let stored: Vec<i8> = weights.iter().map(|value| (value / scale).round() as i8).collect();
        let meant: Vec<f32> = stored.iter().map(|value| f32::from(*value) * scale).collect();
        let bias_scale = 2.0 / 255.0 * scale;
        let bias: Vec<i32> = conv_bias().iter().map(|value| (value / bias_scale).round() as i32).collect();
        let (stored, bias) = (bytes(&stored), bytes(&bias));
        // A per-tensor bias beside per-axis weights passes validation and is then computed wrongly.
        let bias_quant = match encoding {
            Quant::PerAxis { .. } | Quant::BitWidthPerAxis { .. } => {
                Quant::PerAxis { axis: 0, scale_offsets: vec![(bias_scale, 0); N] }
            }
            _ => Quant::PerTensor { scale: bias_scale, offset: 0 },
        };

        let context = device.new_context(&ContextConfig::default()).unwrap();
        let mut graph =
            context.graph("conv", &GraphConfig { fp16: false, ..GraphConfig::default() }).unwrap();
        let mut tensor = |name, role, dtype, dims, quant| {
            graph.tensor(&TensorSpec { name, role, dtype, dims, quant }).unwrap()
        };
        let x = tensor("x", Role::Input, DataType::UFixed8, &[1, H as u32, W as u32, C as u32], &act);
        let w = tensor("w", Role::Static(&stored), DataType::SFixed8, &[3, 3, C as u32, N as u32], encoding);
        let b = tensor("b", Role::Static(&bias), DataType::SFixed32, &[N as u32], &bias_quant);
        let c = tensor("c", Role::Native, DataType::UFixed8, &[1, H as u32, W as u32, N as u32], &out);
        let y = tensor("y", Role::Output, DataType::UFixed8, &[1, H as u32, W as u32, N as u32], &out);
        add_conv(&mut graph, "conv", &[x, w, b], c).unwrap();
        graph.add(&op("relu", "Relu", &[c], &[y], &[])).unwrap();
        graph.finalize().unwrap();

        let loaded = Context::from_bytes(&device, &binary_of(&context)).unwrap();
        assert_eq!(loaded.info().graphs[0].inputs[0].quant, act, "encodings survive in the metadata");
        let x: Vec<u8> = noise(H * W * C, 3).iter().map(|value| (value * 127.0 + 128.0) as u8).collect();
        let mut y = vec![0u8; H * W * N];
        let graph = loaded.graph("conv").unwrap();
        graph.execute(&[("x", Tensor::u8(&x))], &mut [("y", TensorMut::u8(&mut y))]).unwrap();
        let real_x: Vec<f32> = x.iter().map(|value| (f32::from(*value) - 128.0) * 2.0 / 255.0).collect();
        let real_y: Vec<f32> = y.iter().map(|value| f32::from(*value) * 8.0 / 255.0).collect();
        let reference: Vec<f64> =
            conv_reference(&real_x, &meant, &conv_bias()).iter().map(|value| value.min(8.0)).collect();
        assert_close(&real_y, &reference, 0.05);
    }
}

#[test]
fn options_that_the_soc_does_not_have_are_refused() {
    let context = context();
    for config in [
        GraphConfig { vtcm_mb: Some(9), ..GraphConfig::default() },
        GraphConfig { vtcm_mb: Some(0), ..GraphConfig::default() },
        GraphConfig { optimization: 4, ..GraphConfig::default() },
        GraphConfig { hvx_threads: Some(0), ..GraphConfig::default() },
    ] {
        let error = context.graph("g", &config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{config:?}: {error}");
    }
}

#[test]
fn weights_that_two_graphs_have_in_common_are_stored_once_when_sharing_is_on() {
    let device = sm8650();
    let weights = bytes(&noise(512 * 512, 5).iter().map(|value| F16::from(*value)).collect::<Vec<_>>());
    let compile = |weight_sharing| {
        let context = device.new_context(&ContextConfig { weight_sharing }).unwrap();
        for (name, rows) in [("prefill", [32u32, 512]), ("decode", [1, 512])] {
            let mut graph = context.graph(name, &GraphConfig::default()).unwrap();
            let mut tensor = |name, role, dims| {
                let (dtype, quant) = (DataType::Float16, &Quant::None);
                graph.tensor(&TensorSpec { name, role, dtype, dims, quant }).unwrap()
            };
            let x = tensor("x", Role::Input, &rows);
            let w = tensor("w", Role::Static(&weights), &[512, 512]);
            let y = tensor("y", Role::Output, &rows);
            graph.add(&op("fc", "FullyConnected", &[x, w], &[y], &[])).unwrap();
            graph.finalize().unwrap();
        }
        binary_of(&context)
    };
    let (shared, separate) = (compile(true).len(), compile(false).len());
    assert!(separate - shared > 400_000, "{shared} bytes shared, {separate} separate");
}

/// A float32 tensor without data or encoding.
fn float<'a>(name: &'a str, role: Role<'a>, dims: &'a [u32]) -> TensorSpec<'a> {
    TensorSpec { name, role, dtype: DataType::Float32, dims, quant: &Quant::None }
}

fn add(
    graph: &mut GraphBuilder<'_>,
    name: &str,
    ty: &str,
    input: TensorId,
    output: TensorId,
) -> qnn::Result<()> {
    graph.add(&op(name, ty, &[input], &[output], &[]))
}

#[test]
fn a_refused_op_is_named_with_the_librarys_reason() {
    let context = context();
    let weights = bytes(&vec![0f32; 9 * C * N]);
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let x = graph.tensor(&float("x", Role::Input, &[1, 8, 8, 15])).unwrap();
    let w = graph.tensor(&float("w", Role::Static(&weights), &[3, 3, C as u32, N as u32])).unwrap();
    let y = graph.tensor(&float("y", Role::Output, &[1, 8, 8, N as u32])).unwrap();
    let error = add_conv(&mut graph, "conv_7", &[x, w], y).unwrap_err();
    let vendor = error.vendor().unwrap();
    assert_eq!((vendor.call, vendor.code.code), ("backendValidateOpConfig", 3110));
    assert_eq!(vendor.subject, "op `conv_7` (Conv2d)");
    assert!(vendor.log.iter().any(|line| line.contains("15") && line.contains("16")), "{:?}", vendor.log);
    assert!(error.to_string().contains("help: "), "{error}");

    let error = add(&mut graph, "odd", "NoSuchOp", x, y).unwrap_err();
    assert_eq!(error.vendor().unwrap().code.name, "QNN_BACKEND_ERROR_OP_PACKAGE_NOT_FOUND");
}

#[test]
fn after_a_refused_op_the_rest_is_still_validated_and_the_graph_cannot_be_finalized() {
    let context = context();
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let x = graph.tensor(&float("x", Role::Input, &[4])).unwrap();
    let a = graph.tensor(&float("a", Role::Native, &[4])).unwrap();
    let b = graph.tensor(&float("b", Role::Native, &[4])).unwrap();
    let y = graph.tensor(&float("y", Role::Output, &[4])).unwrap();
    assert!(add(&mut graph, "first", "NoSuchOp", x, a).is_err());
    assert!(add(&mut graph, "second", "Relu", a, b).is_ok());
    let error = add(&mut graph, "third", "AlsoNoOp", b, y).unwrap_err();
    assert!(error.to_string().contains("`third`"), "{error}");
    assert!(graph.finalize().unwrap_err().to_string().contains("`second` is missing"));
}

#[test]
fn mistakes_that_the_library_does_not_notice_are_refused() {
    let context = context();
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let x = graph.tensor(&float("x", Role::Input, &[4])).unwrap();
    let a = graph.tensor(&float("a", Role::Native, &[4])).unwrap();
    let b = graph.tensor(&float("b", Role::Native, &[4])).unwrap();
    let y = graph.tensor(&float("y", Role::Output, &[4])).unwrap();
    let refused = |graph: &mut GraphBuilder<'_>, name: &str, input, output, why: &str| {
        let error = add(graph, name, "Relu", input, output).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(&mut graph, "early", b, y, "input `b` is produced by no op");
    refused(&mut graph, "backwards", x, x, "output `x` is an input or a constant");
    add(&mut graph, "relu", "Relu", x, a).unwrap();
    refused(&mut graph, "relu", a, b, "has an op of this name");
    refused(&mut graph, "again", x, a, "output `a` is also written by `relu`");
    assert!(graph.finalize().unwrap_err().to_string().contains("output `y` is written by no op"));

    let graph = context.graph("empty", &GraphConfig::default()).unwrap();
    assert!(graph.finalize().unwrap_err().to_string().contains("no ops"));
}

#[test]
fn names_that_are_taken_are_refused_by_the_library() {
    let context = context();
    let mut graph = context.graph("g", &GraphConfig::default()).unwrap();
    let spec = TensorSpec {
        name: "x",
        role: Role::Input,
        dtype: DataType::Float32,
        dims: &[4],
        quant: &Quant::None,
    };
    graph.tensor(&spec).unwrap();
    assert_eq!(graph.tensor(&spec).unwrap_err().vendor().unwrap().code.code, 7003);
    assert_eq!(context.graph("g", &GraphConfig::default()).unwrap_err().vendor().unwrap().code.code, 6003);
    let nul = TensorSpec { name: "a\0b", ..spec };
    assert!(graph.tensor(&nul).unwrap_err().to_string().contains("NUL"));
}

#[test]
fn a_context_is_serialized_only_when_finished_and_only_into_enough_room() {
    let context = context();
    let conv = Conv::new(DataType::Float16);
    let mut graph = context.graph("conv", &GraphConfig::default()).unwrap();
    conv.build(&mut graph);
    assert_eq!(context.binary_size().unwrap_err().vendor().unwrap().code.code, 5003);
    graph.finalize().unwrap();
    let mut short = vec![0; context.binary_size().unwrap() as usize - 1];
    assert!(context.write_binary(&mut short).unwrap_err().to_string().contains("buffer"));
}

#[test]
fn an_unlisted_soc_is_refused_although_the_library_would_take_it() {
    let error = Device::for_soc(&backend(), 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownSoc, "{error}");
}

#[test]
fn time_in_the_library_is_counted() {
    let backend = backend();
    let loading = backend.vendor_time();
    let started = std::time::Instant::now();
    conv_binary(&device(&backend, "SM8650"), DataType::Float16);
    let compiling = backend.vendor_time() - loading;
    assert!(!loading.is_zero() && !compiling.is_zero() && compiling <= started.elapsed());
}
