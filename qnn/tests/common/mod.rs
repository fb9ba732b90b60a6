//! What several test files need. The tests run the real library; where it is missing they fail with the remedy.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code, of which each file uses a part"
)]

use qnn::compose::{
    ContextBuilder, ContextConfig, GraphBuilder, GraphConfig, OpSpec, Param, Quant, Role, Scalar, TensorId,
    TensorSpec,
};
use qnn::{Backend, DataType, Device};

/// The backend, or a failure that says how to get it.
pub fn backend() -> Backend {
    Backend::htp().unwrap_or_else(|error| panic!("{error}"))
}

pub fn device(backend: &Backend, soc: &str) -> Device {
    Device::for_soc(backend, qnn_platform::soc::find(soc).unwrap().id).unwrap()
}

/// Shapes of the convolution: 1x8x8x16 to 1x8x8x32, 3x3, padding 1.
pub const H: usize = 8;
pub const W: usize = 8;
pub const C: usize = 16;
pub const N: usize = 32;

/// A deterministic sequence in -1..1.
pub fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub fn bytes<T: qnn::Element>(values: &[T]) -> Vec<u8> {
    qnn::Tensor::of(values).bytes().to_vec()
}

/// Everything of the convolution that is static.
pub struct Conv {
    pub dtype: DataType,
    pub weights: Vec<u8>,
    pub bias: Vec<u8>,
}

impl Conv {
    pub fn new(dtype: DataType) -> Conv {
        let encode = |values: Vec<f32>| match dtype {
            DataType::Float16 => {
                bytes(&values.iter().map(|value| qnn::F16::from(*value)).collect::<Vec<_>>())
            }
            _ => bytes(&values),
        };
        Conv { dtype, weights: encode(conv_weights()), bias: encode(conv_bias()) }
    }

    /// Adds input `x`, convolution, Relu and output `y` to a graph.
    pub fn build<'d>(&'d self, graph: &mut GraphBuilder<'d>) {
        let mut tensor = |name: &'d str, role, dims: &'d [u32]| {
            graph.tensor(&TensorSpec { name, role, dtype: self.dtype, dims, quant: &Quant::None }).unwrap()
        };
        let x = tensor("x", Role::Input, &[1, H as u32, W as u32, C as u32]);
        let w = tensor("w", Role::Static(&self.weights), &[3, 3, C as u32, N as u32]);
        let b = tensor("b", Role::Static(&self.bias), &[N as u32]);
        let c = tensor("c", Role::Native, &[1, H as u32, W as u32, N as u32]);
        let y = tensor("y", Role::Output, &[1, H as u32, W as u32, N as u32]);
        add_conv(graph, "conv", &[x, w, b], c).unwrap();
        graph.add(&op("relu", "Relu", &[c], &[y], &[])).unwrap();
    }
}

pub fn conv_weights() -> Vec<f32> {
    noise(9 * C * N, 1).iter().map(|value| value * 0.2).collect()
}

pub fn conv_bias() -> Vec<f32> {
    noise(N, 2)
}

pub fn op<'a>(
    name: &'a str,
    ty: &'a str,
    inputs: &'a [TensorId],
    outputs: &'a [TensorId],
    params: &'a [Param<'a>],
) -> OpSpec<'a> {
    OpSpec { name, package: "qti.aisw", ty, inputs, outputs, params }
}

pub fn add_conv(
    graph: &mut GraphBuilder<'_>,
    name: &str,
    inputs: &[TensorId],
    output: TensorId,
) -> qnn::Result<()> {
    let (ones, pads) = (bytes(&[1u32, 1]), bytes(&[1u32, 1, 1, 1]));
    let tensor = |name, dims, data| Param::Tensor { name, dtype: DataType::Uint32, dims, data };
    let params = [
        tensor("stride", &[2], &ones),
        tensor("pad_amount", &[2, 2], &pads),
        tensor("dilation", &[2], &ones),
        Param::Scalar("group", Scalar::U32(1)),
    ];
    graph.add(&op(name, "Conv2d", inputs, &[output], &params))
}

/// The convolution in f64, from the values that the graph gets.
pub fn conv_reference(x: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f64> {
    let mut y = vec![0f64; H * W * N];
    for (row, column) in (0..H).flat_map(|row| (0..W).map(move |column| (row, column))) {
        for n in 0..N {
            let mut sum = f64::from(bias[n]);
            for (dy, dx) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dy, dx))) {
                let (Some(r), Some(s)) = ((row + dy).checked_sub(1), (column + dx).checked_sub(1)) else {
                    continue;
                };
                if r >= H || s >= W {
                    continue;
                }
                for c in 0..C {
                    let weight = weights[((dy * 3 + dx) * C + c) * N + n];
                    sum += f64::from(x[(r * W + s) * C + c]) * f64::from(weight);
                }
            }
            y[(row * W + column) * N + n] = sum.max(0.0);
        }
    }
    y
}

/// Asserts that the values are finite and near a reference that is not trivial.
pub fn assert_close(values: &[f32], reference: &[f64], tolerance: f64) {
    assert_eq!(values.len(), reference.len());
    assert!(reference.iter().any(|value| *value > 0.5), "the reference must not be trivial");
    let worst = values.iter().zip(reference).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(worst < tolerance, "worst difference {worst}");
    assert!(values.iter().all(|value| value.is_finite()));
}

/// An empty folder of the test's own.
pub fn scratch(test: &str) -> std::path::PathBuf {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

pub fn binary_of(context: &ContextBuilder) -> Vec<u8> {
    let mut binary = vec![0; context.binary_size().unwrap() as usize];
    let written = context.write_binary(&mut binary).unwrap();
    binary.truncate(written);
    binary
}

/// A context binary with one graph `conv`.
pub fn conv_binary(device: &Device, dtype: DataType) -> Vec<u8> {
    let conv = Conv::new(dtype);
    let context = device.new_context(&ContextConfig::default()).unwrap();
    let mut graph = context.graph("conv", &GraphConfig::default()).unwrap();
    conv.build(&mut graph);
    graph.finalize().unwrap();
    binary_of(&context)
}
