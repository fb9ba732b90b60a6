//! Damaged models through `check`, each in a worker of its own: a clear error or success, never a panic, never a hang.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use onnx::{Dim, Model, f32s, float, i64s, int, ints, node, noise, text};
use qnn_compiler::frontend::onnx::proto::{
    AttributeProto, DimensionValue, ModelProto, NodeProto, TensorProto, TypeValue, ValueInfoProto,
};
use qnn_compiler::frontend::onnx::{OnnxFile, to_bytes};
use qnn_compiler::graph::DType;
use qnn_pipeline::Memo;
use qnn_pipeline::driver::{self, JobId, RunOptions, Silent, Worker};
use qnn_pipeline::source::inspect;
use qnn_types::codes;
use qnn_types::{CompileJob, Diagnostic, GraphSpec, HtpOptions, Job, Precision, SourceFormat, Toolchain};
use serde_json::{Value, json};

/// Damaged models in all.
const COUNT: usize = 500;
/// Models with damaged encodings beside them.
const ENCODINGS: usize = 120;
/// What no check of these small models takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A sequence without a pattern that is the same in every run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(list.len());
        list.get_mut(at)
    }
}

/// Models that together have most kinds of operators and every kind of tensor.
fn models() -> Vec<(&'static str, ModelProto)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |path: &str| OnnxFile::open(&root.join(path)).unwrap().model;
    vec![
        ("digits", file("../examples/digits/models/digits.onnx")),
        ("xor", file("templates/xor.onnx")),
        ("image", image().0),
        ("text", language().0),
        ("shapes", shapes().0),
        ("quantized", quantized().0),
    ]
}

fn image() -> Model {
    Model::new(17)
        .input("x", &[1, 3, 16, 16])
        .weight(noise("w", &[8, 3, 3, 3]))
        .weight(noise("depthwise", &[8, 1, 3, 3]))
        .weight(noise("up", &[8, 4, 2, 2]))
        .weight(noise("channels", &[8]))
        .weight(f32s("ones", &[8], &[1.0; 8]))
        .weight(f32s("scales", &[4], &[1.0, 1.0, 2.0, 2.0]))
        .weight(i64s("pads", &[8], &[0, 0, 1, 1, 0, 0, 1, 1]))
        .weight(noise("classes", &[4, 10]))
        .node(node("Conv", &["x", "w"], &["a"], &[text("auto_pad", "SAME_UPPER"), ints("strides", &[1, 1])]))
        .node(node("BatchNormalization", &["a", "ones", "channels", "channels", "ones"], &["b"], &[]))
        .node(node("Relu", &["b"], &["c"], &[]))
        .node(node("Conv", &["c", "depthwise"], &["d"], &[int("group", 8), ints("pads", &[1, 1, 1, 1])]))
        .node(node("MaxPool", &["d"], &["e"], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]))
        .node(node("AveragePool", &["e"], &["f"], &[ints("kernel_shape", &[3, 3]), int("ceil_mode", 1)]))
        .node(node("Pad", &["f", "pads"], &["g"], &[text("mode", "reflect")]))
        .node(node("Resize", &["g", "", "scales"], &["h"], &[text("mode", "linear")]))
        .node(node("ConvTranspose", &["h", "up"], &["i"], &[ints("strides", &[2, 2])]))
        .node(node("InstanceNormalization", &["c", "ones", "channels"], &["j"], &[float("epsilon", 1e-3)]))
        .node(node("GlobalAveragePool", &["i"], &["k"], &[]))
        .node(node("Flatten", &["k"], &["l"], &[int("axis", 1)]))
        .node(node("Gemm", &["l", "classes"], &["y"], &[float("alpha", 0.5)]))
        .node(node("DepthToSpace", &["j"], &["z"], &[int("blocksize", 2)]))
        .output("y")
        .output("z")
}

fn language() -> Model {
    Model::new(20)
        .typed_input("ids", DType::I64, &[Dim::Fixed(1), Dim::Fixed(6)])
        .weight(noise("words", &[20, 16]))
        .weight(noise("q", &[16, 16]))
        .weight(noise("k", &[16, 16]))
        .weight(f32s("gamma", &[16], &[1.0; 16]))
        .weight(noise("beta", &[16]))
        .weight(i64s("heads", &[4], &[1, 6, 2, 8]))
        .weight(i64s("joined", &[3], &[0, 0, -1]))
        .weight(f32s("eighth", &[], &[0.125]))
        .weight(i64s("one", &[1], &[1]))
        .weight(noise("rnn_w", &[1, 32, 16]))
        .weight(noise("rnn_r", &[1, 32, 8]))
        .node(node("Gather", &["words", "ids"], &["a"], &[]))
        .node(node("LayerNormalization", &["a", "gamma", "beta"], &["b"], &[]))
        .node(node("MatMul", &["b", "q"], &["c"], &[]))
        .node(node("MatMul", &["b", "k"], &["d"], &[]))
        .node(node("Reshape", &["c", "heads"], &["e"], &[]))
        .node(node("Reshape", &["d", "heads"], &["f"], &[]))
        .node(node("Transpose", &["e"], &["g"], &[ints("perm", &[0, 2, 1, 3])]))
        .node(node("Transpose", &["f"], &["h"], &[ints("perm", &[0, 2, 3, 1])]))
        .node(node("MatMul", &["g", "h"], &["i"], &[]))
        .node(node("Mul", &["i", "eighth"], &["j"], &[]))
        .node(node("Softmax", &["j"], &["k2"], &[int("axis", -1)]))
        .node(node("MatMul", &["k2", "g"], &["l"], &[]))
        .node(node("Transpose", &["l"], &["m"], &[ints("perm", &[0, 2, 1, 3])]))
        .node(node("Reshape", &["m", "joined"], &["n"], &[]))
        .node(node("Gelu", &["n"], &["o"], &[text("approximate", "tanh")]))
        .node(node("Add", &["o", "a"], &["p"], &[]))
        .node(node("Transpose", &["p"], &["r"], &[ints("perm", &[1, 0, 2])]))
        .node(node("LSTM", &["r", "rnn_w", "rnn_r"], &["s"], &[int("hidden_size", 8)]))
        .node(node("ReduceMean", &["p", "one"], &["y"], &[int("keepdims", 0)]))
        .node(node("TopK", &["y", "one"], &["v", "at"], &[]))
        .node(node("Einsum", &["p", "q"], &["t"], &[text("equation", "bij,jk->bik")]))
        .output("s")
        .output("v")
        .output("at")
        .output("t")
}

fn shapes() -> Model {
    Model::new(18)
        .input("x", &[2, 3, 4, 5])
        .weight(i64s("two", &[], &[2]))
        .weight(i64s("axis0", &[1], &[0]))
        .weight(i64s("minus", &[1], &[-1]))
        .weight(i64s("starts", &[2], &[1, -4]))
        .weight(i64s("ends", &[2], &[3, 100]))
        .weight(i64s("axes", &[2], &[1, 3]))
        .weight(i64s("halves", &[2], &[1, 1]))
        .weight(i64s("repeats", &[2], &[1, 2]))
        .weight(i64s("where", &[1, 2], &[0, 1]))
        .weight(i64s("trip", &[], &[2]))
        .node(node("Shape", &["x"], &["sh"], &[]))
        .node(node("Gather", &["sh", "two"], &["g"], &[]))
        .node(node("Unsqueeze", &["g", "axis0"], &["gu"], &[]))
        .node(node("Concat", &["minus", "gu"], &["target"], &[int("axis", 0)]))
        .node(node("Slice", &["x", "starts", "ends", "axes"], &["s"], &[]))
        .node(node("Split", &["s", "halves"], &["h", "t"], &[int("axis", 1)]))
        .node(node("Concat", &["t", "h"], &["j"], &[int("axis", -1)]))
        .node(node("Reshape", &["j", "target"], &["re"], &[]))
        .node(node("Tile", &["re", "repeats"], &["ti"], &[]))
        .node(node("GatherND", &["x", "where"], &["nd"], &[]))
        .node(node("CumSum", &["nd", "two"], &["cu"], &[]))
        .node(node("ArgMax", &["x"], &["am"], &[int("axis", 2), int("keepdims", 0)]))
        .node(node("Less", &["re", "re"], &["le"], &[]))
        .node(node("Where", &["le", "re", "ti0"], &["wh"], &[]))
        .node(node("Identity", &["re"], &["ti0"], &[]))
        .node(node("ReduceL2", &["x", "axes"], &["rl"], &[]))
        .node(node("Expand", &["rl", "sh"], &["ex"], &[]))
        .output("ti")
        .output("cu")
        .output("am")
        .output("wh")
        .output("ex")
}

fn quantized() -> Model {
    Model::new(13)
        .input("x", &[1, 4, 8, 8])
        .weight(f32s("xs", &[], &[0.02]))
        .weight(onnx::raw("xz", DType::U8, &[], vec![128]))
        .weight(onnx::raw("w", DType::I8, &[4, 4, 1, 1], (0..16).collect()))
        .weight(f32s("ws", &[4], &[0.01, 0.02, 0.03, 0.04]))
        .weight(onnx::raw("wz", DType::I8, &[4], vec![0; 4]))
        .node(node("QuantizeLinear", &["x", "xs", "xz"], &["q"], &[]))
        .node(node("DequantizeLinear", &["q", "xs", "xz"], &["d"], &[]))
        .node(node("DequantizeLinear", &["w", "ws", "wz"], &["dw"], &[int("axis", 0)]))
        .node(node("Conv", &["d", "dw"], &["c"], &[]))
        .node(node("QuantizeLinear", &["c", "xs", "xz"], &["cq"], &[]))
        .node(node("DequantizeLinear", &["cq", "xs", "xz"], &["y"], &[]))
        .output("y")
}

/// Numbers that are seldom right.
const NUMBERS: [i64; 16] =
    [i64::MIN, -(1 << 40), -5, -2, -1, 0, 1, 2, 3, 4, 7, 1 << 16, 1 << 31, 1 << 40, i64::MAX - 1, i64::MAX];

/// Other operators that a node can be given.
const OPS: [&str; 24] = [
    "Add",
    "Concat",
    "Conv",
    "ConvTranspose",
    "CumSum",
    "DFT",
    "Einsum",
    "Expand",
    "Flatten",
    "GRU",
    "Gather",
    "GridSample",
    "If",
    "LSTM",
    "Loop",
    "MatMul",
    "NonZero",
    "OneHot",
    "Pad",
    "ReduceSum",
    "Reshape",
    "Resize",
    "Slice",
    "TopK",
];

/// Damages a model where it means something.
fn damage(model: &mut ModelProto, random: &mut Random) {
    match random.below(14) {
        0 => {
            if let Some(set) =
                random.next().is_multiple_of(4).then(|| model.opset_import.first_mut()).flatten()
            {
                set.version = NUMBERS[random.below(NUMBERS.len())];
            } else {
                model.opset_import.clear();
            }
        }
        1..=3 => attribute(model, random),
        4 | 5 => constant(model, random),
        6 => border(model, random),
        7..=9 => rewire(model, random),
        10 => {
            let graph = model.graph.get_or_insert_default();
            let ops = OPS[random.below(OPS.len())];
            if let Some(node) = random.pick(&mut graph.node) {
                ops.clone_into(&mut node.op_type);
            }
        }
        11 => {
            let graph = model.graph.get_or_insert_default();
            let at = random.below(graph.node.len());
            if at < graph.node.len() {
                graph.node.remove(at);
            }
        }
        12 => {
            let graph = model.graph.get_or_insert_default();
            if let Some(node) = random.pick(&mut graph.node).cloned() {
                graph.node.push(node);
            }
        }
        _ => {
            let graph = model.graph.get_or_insert_default();
            match random.below(4) {
                0 => graph.output.clear(),
                1 => graph.input.clear(),
                2 => graph.initializer.truncate(1),
                _ => graph.node.reverse(),
            }
        }
    }
}

fn some_node<'a>(model: &'a mut ModelProto, random: &mut Random) -> Option<&'a mut NodeProto> {
    random.pick(&mut model.graph.get_or_insert_default().node)
}

fn attribute(model: &mut ModelProto, random: &mut Random) {
    let number = NUMBERS[random.below(NUMBERS.len())];
    let Some(node) = some_node(model, random) else { return };
    let Some(attribute) = random.pick(&mut node.attribute) else {
        let name = ["axis", "keepdims", "group", "perm", "pads", "mode", "epsilon", "axes"][random.below(8)];
        return node.attribute.push(int(name, number));
    };
    let AttributeProto { f, i, ints, name, .. } = attribute;
    match random.below(5) {
        0 => name.push('x'),
        1 => ints.push(number),
        2 => ints.clear(),
        _ => match (ints.is_empty(), i, f) {
            (false, ..) => {
                if let Some(at) = random.pick(ints) {
                    *at = number;
                }
            }
            (_, Some(i), _) => *i = number,
            (_, _, Some(f)) => *f = [f32::NAN, f32::INFINITY, 0.0, -1.0, f32::MAX][random.below(5)],
            _ => attribute.s = None,
        },
    }
}

fn constant(model: &mut ModelProto, random: &mut Random) {
    let number = NUMBERS[random.below(NUMBERS.len())];
    let Some(tensor) = random.pick(&mut model.graph.get_or_insert_default().initializer) else { return };
    let TensorProto { dims, data_type, raw_data, name, .. } = tensor;
    match random.below(6) {
        0 => *data_type = random.below(25) as i32,
        1 => dims.push(number),
        2 => {
            if let Some(dim) = random.pick(dims) {
                *dim = number;
            }
        }
        3 => {
            let swapped: Vec<i64> = dims.iter().rev().copied().collect();
            *dims = swapped;
        }
        4 => name.push('x'),
        _ => {
            let mut data = raw_data.clone().unwrap_or_default().to_vec();
            if let Some(at) = data.len().checked_sub(8).map(|end| random.below(end / 8 + 1) * 8) {
                data[at..at + 8].copy_from_slice(&number.to_le_bytes());
            } else {
                data.push(number as u8);
            }
            *raw_data = Some(data.into());
        }
    }
}

fn border(model: &mut ModelProto, random: &mut Random) {
    let number = NUMBERS[random.below(NUMBERS.len())];
    let graph = model.graph.get_or_insert_default();
    let list = if random.below(3) == 0 { &mut graph.output } else { &mut graph.input };
    let Some(ValueInfoProto { name, r#type }) = random.pick(list) else { return };
    let tensor = r#type.as_mut().and_then(|ty| match ty.value.as_mut() {
        Some(TypeValue::Tensor(tensor)) => Some(tensor),
        _ => None,
    });
    let Some(tensor) = tensor else { return name.push('x') };
    match random.below(4) {
        0 => tensor.elem_type = random.below(25) as i32,
        1 => tensor.shape = None,
        _ => {
            let dims = tensor.shape.as_mut().map(|shape| &mut shape.dim[..]).unwrap_or_default();
            if let Some(dim) = random.pick(dims) {
                dim.value = Some(DimensionValue::Value(number));
            }
        }
    }
}

fn rewire(model: &mut ModelProto, random: &mut Random) {
    let names: Vec<String> = {
        let graph = model.graph.get_or_insert_default();
        let made = graph.node.iter().flat_map(|node| node.output.iter().cloned());
        made.chain(graph.initializer.iter().map(|tensor| tensor.name.clone())).collect()
    };
    let other = names.get(random.below(names.len())).cloned().unwrap_or_default();
    let Some(node) = some_node(model, random) else { return };
    match random.below(6) {
        0 => drop(node.input.pop()),
        1 => node.input.push(other),
        2 => node.input.reverse(),
        3 => node.output.push(other),
        _ => {
            if let Some(input) = random.pick(&mut node.input) {
                *input = other;
            }
        }
    }
}

/// Damages the bytes of a file.
fn scramble(bytes: &mut Vec<u8>, random: &mut Random) {
    if random.below(4) == 0 {
        return bytes.truncate(random.below(bytes.len()));
    }
    for _ in 0..=random.below(4) {
        // The structure is at both ends of a file; between them are weights.
        let near = random.below(bytes.len().min(600));
        let at = if random.below(2) == 0 { near } else { bytes.len() - 1 - near };
        match random.below(4) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            _ => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// Encodings of most tensors of a model, in one of the forms that are read.
fn encodings(model: &ModelProto, random: &mut Random) -> Value {
    let graph = model.graph.clone().unwrap_or_default();
    let computed =
        graph.input.iter().map(|input| &input.name).chain(graph.node.iter().flat_map(|n| &n.output));
    let computed: Vec<&String> = computed.filter(|_| random.below(5) > 0).collect();
    let bits = [4, 8, 8, 16][random.below(4)];
    let half = 1_i64 << (bits - 1);
    let symmetric = random.below(2) == 0;
    let mut weights = Vec::new();
    let mut blocks = Vec::new();
    for tensor in graph.initializer.iter().filter(|tensor| tensor.data_type == 1) {
        // Two elements a block along the second axis, or along the first.
        if let [outputs, inputs, ..] = tensor.dims[..]
            && random.below(3) == 0
        {
            let axis = random.below(2);
            let [channels, along] = if axis == 1 { [outputs, inputs] } else { [inputs, outputs] };
            let rest: i64 = tensor.dims[2..].iter().product();
            blocks.push((&tensor.name, axis, channels.max(1), (channels * ((along + 1) / 2) * rest).max(1)));
            continue;
        }
        let channels = tensor.dims.first().filter(|_| random.below(2) == 0).map_or(1, |dim| (*dim).max(1));
        weights.push((&tensor.name, channels as usize));
    }
    let by_name = |count: usize| {
        json!(vec![
            json!({ "bitwidth": bits, "scale": 0.05, "offset": -half, "is_symmetric": symmetric });
            count
        ])
    };
    let list = |name: &String, count: usize| {
        json!({ "name": name, "bw": bits, "is_sym": symmetric, "enc_type": if count > 1 { "PER_CHANNEL" } else { "PER_TENSOR" },
            "scale": vec![0.05; count], "offset": vec![-half; count] })
    };
    let standard = |name: &String, count: usize| {
        let zero = if symmetric { Value::Null } else { json!(half) };
        let scale = if count > 1 { json!(vec![0.05; count]) } else { json!(0.05) };
        let kind = if symmetric { "int" } else { "uint" };
        json!({ "name": name, "output_dtype": format!("{kind}{bits}"), "y_scale": scale, "y_zero_point": zero, "axis": 0 })
    };
    let expanded = random.below(2) == 0;
    let in_blocks = |(name, axis, channels, count): &(&String, usize, i64, i64)| {
        let (channels, count) = (*channels as usize, *count as usize);
        match expanded {
            true => json!({ "name": name, "output_dtype": "int4", "axis": axis, "block_size": 2,
                "per_channel_float_scale": vec![[0.01]; channels], "per_block_int_scale": vec![3; count] }),
            false => {
                json!({ "name": name, "output_dtype": "int4", "axis": axis, "block_size": 2, "y_scale": vec![0.05; count] })
            }
        }
    };
    let listed_blocks = |(name, _, channels, count): &(&String, usize, i64, i64)| {
        let (channels, count) = (*channels as usize, *count as usize);
        match expanded {
            true => {
                json!({ "name": name, "enc_type": "LPBQ", "bw": 8, "compressed_bw": 4, "is_sym": true, "block_size": 2,
                "scale": vec![0.01; channels], "offset": vec![-128; channels], "per_block_int_scale": vec![3; count] })
            }
            false => json!({ "name": name, "enc_type": "PER_BLOCK", "bw": 4, "is_sym": true, "block_size": 2,
                "scale": vec![0.05; count], "offset": vec![-8; count] }),
        }
    };
    match random.below(3) {
        0 => json!({
            "version": "0.6.1",
            "activation_encodings": computed.iter().map(|n| ((*n).clone(), by_name(1))).collect::<serde_json::Map<_, _>>(),
            "param_encodings": weights.iter().map(|(n, c)| ((*n).clone(), by_name(*c))).collect::<serde_json::Map<_, _>>(),
        }),
        1 => json!({
            "version": "1.0.0",
            "activation_encodings": computed.iter().map(|name| list(name, 1)).collect::<Vec<_>>(),
            "param_encodings": weights.iter().map(|(name, count)| list(name, *count)).chain(blocks.iter().map(listed_blocks))
                .collect::<Vec<_>>(),
        }),
        _ => {
            let weights = weights.iter().map(|(name, count)| standard(name, *count));
            let all: Vec<Value> = computed
                .iter()
                .map(|name| standard(name, 1))
                .chain(weights)
                .chain(blocks.iter().map(in_blocks))
                .collect();
            json!({ "version": "2.0.0", "encodings": all })
        }
    }
}

/// Damages one value somewhere in a document.
fn damage_json(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(map) if !map.is_empty() && random.below(8) > 0 => {
            let at = random.below(map.len());
            let key = map.keys().nth(at).cloned().unwrap_or_default();
            match random.below(12) {
                0 => drop(map.remove(&key)),
                1 => {
                    let moved = map.remove(&key).unwrap_or_default();
                    map.insert(format!("{key}x"), moved);
                }
                _ => damage_json(&mut map[&key], random),
            }
        }
        Value::Array(list) if !list.is_empty() && random.below(8) > 0 => {
            let at = random.below(list.len());
            match random.below(12) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => damage_json(&mut list[at], random),
            }
        }
        value => {
            let odd =
                [0.0, -1.0, 0.5, 1e300, -1e300, 1e-300, 3.5e38, 2.0, 16.0, 31.0, 32.0, -2_147_483_648.0];
            *value = match random.below(18) {
                12 => Value::Null,
                13 => json!([]),
                14 => json!({}),
                15 => json!("int16"),
                16 => json!(true),
                17 => json!(i64::MIN),
                number => json!(odd[number]),
            };
        }
    }
}

/// The `i`-th damaged model.
fn damaged(models: &[(&str, ModelProto)], i: usize) -> (String, Vec<u8>) {
    let mut random = Random(i as u64);
    let (name, model) = &models[i % models.len()];
    if i % 4 == 3 {
        let mut bytes = to_bytes(model);
        scramble(&mut bytes, &mut random);
        return (format!("{i}: {name}, bytes"), bytes);
    }
    let mut model = model.clone();
    for _ in 0..=random.below(2) {
        damage(&mut model, &mut random);
    }
    (format!("{i}: {name}"), to_bytes(&model))
}

/// The installed libraries.
fn toolchain() -> Toolchain {
    let folder = support::installed().toolchain();
    Toolchain {
        qnn_lib_dir: folder.join("onnxruntime_qnn"),
        onnxruntime: Some(folder.join("onnxruntime/capi/libonnxruntime.so.1.31.1")),
    }
}

/// Every problem that a check finds; none when it succeeds.
fn check(
    worker: &Worker,
    toolchain: &Toolchain,
    source: PathBuf,
    encodings: Option<PathBuf>,
) -> Vec<Diagnostic> {
    // The driver reads the file before any worker does.
    if let Err(problems) = inspect(&source, SourceFormat::Onnx, &Memo::default()) {
        return problems;
    }
    let soc = qnn_platform::soc::find("SM8650").unwrap();
    let job = Job::Check(CompileJob {
        model: "m".to_owned(),
        source,
        format: SourceFormat::Onnx,
        soc: qnn_manifest::target(soc),
        precision: Precision::Fp16,
        graphs: vec![GraphSpec { name: "m".to_owned(), inputs: BTreeMap::new(), tokens: None }],
        outputs: Vec::new(),
        samples: None,
        ranges: Vec::new(),
        accuracy: Default::default(),
        trace: None,
        encodings,
        op_packages: vec![],
        llm: None,
        htp: HtpOptions::default(),
        toolchain: toolchain.clone(),
        output: None,
    });
    let id = JobId { model: "m".to_owned(), soc: soc.name.to_owned(), ..JobId::default() };
    let options = RunOptions { timeout: Some(LIMIT), log: None, keep: None };
    driver::run(worker, &job, &id, options, &Silent).result.err().unwrap_or_default()
}

/// What is wrong with the answer of a check, if anything.
fn unclear(problems: &[Diagnostic]) -> Option<String> {
    problems.iter().find_map(|problem| {
        let known = codes::find(&problem.code).is_some();
        // E05xx: the worker panicked, hung, crashed or ran out of memory.
        let died = problem.code.starts_with("E05");
        (!known || died || problem.message.is_empty()).then(|| problem.to_string())
    })
}

/// What a check takes: a name for messages, a model's bytes, and an encodings file's where there is one.
type Sample = (String, Vec<u8>, Option<Vec<u8>>);

/// Checks `count` samples, each in a worker of its own: none may be unclear, and some must be fine and some not, or the damage is
/// of one kind only.
fn check_all(count: usize, sample: impl Fn(usize) -> Sample + Sync) {
    let toolchain = toolchain();
    let worker = Worker {
        path: PathBuf::from(env!("CARGO_BIN_EXE_cargo-qnn")),
        engine: qnn_compiler::ENGINE.to_owned(),
    };
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(String, Vec<Diagnostic>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let folder = tempfile::tempdir().unwrap();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    let (name, model, encodings) = sample(i);
                    let path = folder.path().join("m.onnx");
                    std::fs::write(&path, model).unwrap();
                    let encodings = encodings.map(|text| {
                        let path = folder.path().join("m.encodings");
                        std::fs::write(&path, text).unwrap();
                        path
                    });
                    let problems = check(&worker, &toolchain, path, encodings);
                    results.lock().unwrap().push((name, problems));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let mut report = String::new();
    for (name, problems) in &results {
        if let Some(why) = unclear(problems) {
            writeln!(report, "{name}: {why}").unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
    let fine = results.iter().filter(|(_, problems)| problems.is_empty()).count();
    assert!((count / 20..count * 3 / 4).contains(&fine), "{fine} of {count} are models still");
}

#[test]
fn five_hundred_damaged_models_are_each_an_error_or_a_success() {
    let models = models();
    check_all(COUNT, |i| {
        let (name, bytes) = damaged(&models, i);
        (name, bytes, None)
    });
}

#[test]
fn damaged_encodings_are_each_an_error_or_a_success() {
    let models = models();
    check_all(ENCODINGS, |i| {
        let mut random = Random(1000 + i as u64);
        let (name, model) = &models[i % models.len()];
        let mut encodings = encodings(model, &mut random);
        for _ in 0..random.below(4) {
            damage_json(&mut encodings, &mut random);
        }
        let mut text = encodings.to_string().into_bytes();
        if i % 8 == 7 {
            scramble(&mut text, &mut random);
        }
        let mut model = model.clone();
        if i % 3 == 2 {
            damage(&mut model, &mut random);
        }
        (format!("{i}: {name} with encodings"), to_bytes(&model), Some(text))
    });
}

#[test]
fn the_models_themselves_have_no_problem() {
    let toolchain = toolchain();
    let worker = Worker {
        path: PathBuf::from(env!("CARGO_BIN_EXE_cargo-qnn")),
        engine: qnn_compiler::ENGINE.to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, model) in models() {
        let path = folder.path().join("m.onnx");
        std::fs::write(&path, to_bytes(&model)).unwrap();
        let problems = check(&worker, &toolchain, path, None);
        assert!(problems.is_empty(), "{name}: {}", problems[0]);
    }
}
