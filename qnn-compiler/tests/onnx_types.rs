//! The inference table against ONNX Runtime's own inference, operator by operator.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use qnn_compiler::frontend::onnx::OnnxFile;
use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::DType;
use qnn_compiler::reference::ReferenceEngine;
use support::{Dim, Model, i64s, import_file, int, ints, node, raw, reference, text};

/// A node to be typed: operator (with its domain before a colon), shapes of float inputs (`None` left out), constant
/// inputs after them, attributes, number of outputs.
struct Case {
    op: &'static str,
    inputs: Vec<Option<Vec<i64>>>,
    constants: Vec<Option<Vec<i64>>>,
    attributes: Vec<AttributeProto>,
    outputs: usize,
}

fn case(op: &'static str, inputs: &[&[i64]]) -> Case {
    let inputs = inputs.iter().map(|dims| Some(dims.to_vec())).collect();
    Case { op, inputs, constants: Vec::new(), attributes: Vec::new(), outputs: 1 }
}

impl Case {
    fn constant(mut self, values: &[i64]) -> Self {
        self.constants.push(Some(values.to_vec()));
        self
    }

    fn attrs(mut self, attributes: &[AttributeProto]) -> Self {
        self.attributes = attributes.to_vec();
        self
    }

    fn outputs(mut self, count: usize) -> Self {
        self.outputs = count;
        self
    }

    fn model(&self, opset: i64, dtype: DType) -> Model {
        let (domain, op) = self.op.split_once(':').unwrap_or(("", self.op));
        let mut model = Model::new(opset);
        if !domain.is_empty() {
            model = model.import_set(domain, 1);
        }
        let mut names = Vec::new();
        for (i, dims) in self.inputs.iter().enumerate() {
            names.push(dims.as_ref().map_or_else(String::new, |_| format!("x{i}")));
            if let Some(dims) = dims {
                let dims: Vec<Dim> = dims.iter().map(|d| Dim::Fixed(*d)).collect();
                model = model.typed_input(&format!("x{i}"), dtype, &dims);
            }
        }
        for (i, values) in self.constants.iter().enumerate() {
            names.push(values.as_ref().map_or_else(String::new, |_| format!("c{i}")));
            if let Some(values) = values {
                model = model.weight(i64s(&format!("c{i}"), &[values.len() as i64], values));
            }
        }
        let outputs: Vec<String> = (0..self.outputs).map(|i| format!("y{i}")).collect();
        let inputs: Vec<&str> = names.iter().map(|s| &**s).collect();
        let results: Vec<&str> = outputs.iter().map(|s| &**s).collect();
        let mut node = node(op, &inputs, &results, &self.attributes);
        node.domain = domain.to_owned();
        model = model.node(node);
        results.into_iter().fold(model, Model::output)
    }
}

#[track_caller]
fn agree(engine: &ReferenceEngine, model: &Model, what: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = model.save(dir.path());
    let imported = import_file(&path, &[], &[], None).unwrap_or_else(|p| panic!("{what}: {p}"));
    let want =
        engine.open(&OnnxFile::open(&path).unwrap(), &[]).unwrap_or_else(|e| panic!("{what}: {e}")).types();
    assert_eq!(want.len(), imported.graph.outputs.len(), "{what}");
    for ((name, want), id) in want.iter().zip(&imported.graph.outputs) {
        let have = &imported.graph.value(*id).ty;
        assert_eq!(want.as_ref(), Some(have), "{what}: {name}");
    }
}

#[test]
fn operators_that_keep_the_shape() {
    let engine = reference();
    for op in [
        "Abs",
        "Acos",
        "Acosh",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "Ceil",
        "Celu",
        "Cos",
        "Cosh",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Hardmax",
        "IsInf",
        "IsNaN",
        "LeakyRelu",
        "Log",
        "LogSoftmax",
        "LpNormalization",
        "Mish",
        "Neg",
        "Reciprocal",
        "Relu",
        "Round",
        "Selu",
        "Shrink",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Softmax",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "Trilu",
        "com.microsoft:FastGelu",
        "com.microsoft:Gelu",
        "com.microsoft:QuickGelu",
    ] {
        agree(&engine, &case(op, &[&[2, 3, 4]]).model(20, DType::F32), op);
    }
}

#[test]
fn operators_that_broadcast() {
    let engine = reference();
    for op in ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum", "PRelu"] {
        for shapes in [[&[2, 3, 4][..], &[4]], [&[2, 3, 4], &[3, 1]], [&[5, 1], &[5, 1]], [&[2, 3], &[]]] {
            agree(&engine, &case(op, &shapes).model(18, DType::F32), op);
        }
    }
    for op in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"] {
        agree(&engine, &case(op, &[&[2, 1, 4], &[3, 1]]).model(16, DType::F32), op);
    }
    for op in ["And", "Or", "Xor"] {
        agree(&engine, &case(op, &[&[2, 1], &[1, 3]]).model(16, DType::Bool), op);
    }
    for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor", "Mod"] {
        agree(&engine, &case(op, &[&[2, 1], &[1, 3]]).model(18, DType::I32), op);
    }
    agree(&engine, &case("Not", &[&[2, 3]]).model(16, DType::Bool), "Not");
}

#[test]
fn matrix_products() {
    let engine = reference();
    for shapes in [
        [&[3, 4][..], &[4, 5]],
        [&[2, 3, 4], &[4, 5]],
        [&[2, 1, 3, 4], &[6, 4, 5]],
        [&[4], &[4, 5]],
        [&[3, 4], &[4]],
        [&[4], &[4]],
    ] {
        agree(&engine, &case("MatMul", &shapes).model(13, DType::F32), "MatMul");
    }
    for (a, b, ta, tb) in
        [([3, 4], [4, 5], 0, 0), ([4, 3], [4, 5], 1, 0), ([3, 4], [5, 4], 0, 1), ([4, 3], [5, 4], 1, 1)]
    {
        let case = case("Gemm", &[&a, &b, &[5]]).attrs(&[int("transA", ta), int("transB", tb)]);
        agree(&engine, &case.model(13, DType::F32), "Gemm");
    }
    for (equation, shapes) in [
        ("ij,jk->ik", vec![&[2, 3][..], &[3, 4]]),
        ("ij,jk", vec![&[2, 3], &[3, 4]]),
        ("bhqd,bhkd->bhqk", vec![&[2, 3, 4, 5], &[2, 3, 6, 5]]),
        ("...ij,...jk->...ik", vec![&[7, 2, 3], &[1, 3, 4]]),
        ("ii->i", vec![&[3, 3]]),
        ("ij->", vec![&[2, 3]]),
        ("i,j,k->kji", vec![&[2], &[3], &[4]]),
    ] {
        let case = case("Einsum", &shapes).attrs(&[text("equation", equation)]);
        agree(&engine, &case.model(13, DType::F32), equation);
    }
    agree(&engine, &case("Det", &[&[2, 3, 3]]).model(13, DType::F32), "Det");
}

#[test]
fn convolutions_and_poolings() {
    let engine = reference();
    for (x, w, attributes) in [
        (vec![1, 3, 9, 10], vec![8, 3, 3, 3], vec![]),
        (
            vec![2, 4, 9, 10],
            vec![8, 2, 3, 2],
            vec![int("group", 2), ints("strides", &[2, 3]), ints("pads", &[1, 0, 2, 1])],
        ),
        (vec![1, 3, 20], vec![5, 3, 4], vec![ints("dilations", &[3])]),
        (
            vec![1, 2, 5, 6, 7],
            vec![4, 2, 2, 3, 2],
            vec![text("auto_pad", "SAME_LOWER"), ints("strides", &[2, 2, 2])],
        ),
    ] {
        agree(&engine, &case("Conv", &[&x, &w]).attrs(&attributes).model(11, DType::F32), "Conv");
    }
    for (x, w, attributes) in [
        (vec![1, 3, 5, 6], vec![3, 4, 3, 3], vec![]),
        (
            vec![1, 4, 5, 6],
            vec![4, 2, 3, 2],
            vec![int("group", 2), ints("strides", &[2, 3]), ints("pads", &[1, 0, 1, 1])],
        ),
        (vec![1, 3, 7], vec![3, 2, 4], vec![ints("strides", &[3]), ints("output_padding", &[2])]),
        (vec![1, 3, 5, 6], vec![3, 4, 3, 3], vec![ints("strides", &[2, 2]), ints("output_shape", &[10, 12])]),
        (vec![1, 3, 5, 6], vec![3, 4, 3, 3], vec![ints("strides", &[2, 2]), text("auto_pad", "SAME_UPPER")]),
    ] {
        agree(
            &engine,
            &case("ConvTranspose", &[&x, &w]).attrs(&attributes).model(11, DType::F32),
            "ConvTranspose",
        );
    }
    for op in ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"] {
        agree(&engine, &case(op, &[&[2, 3, 4, 5]]).model(11, DType::F32), op);
    }
    for op in ["MaxPool", "AveragePool", "LpPool"] {
        let base = [ints("kernel_shape", &[3, 2]), ints("strides", &[2, 1]), ints("pads", &[1, 0, 1, 1])];
        agree(&engine, &case(op, &[&[1, 2, 7, 8]]).attrs(&base).model(11, DType::F32), op);
    }
    let pool = case("MaxPool", &[&[1, 2, 7, 8]]).attrs(&[ints("kernel_shape", &[2, 2])]).outputs(2);
    agree(&engine, &pool.model(12, DType::F32), "MaxPool with indices");
    for op in ["DepthToSpace", "SpaceToDepth"] {
        agree(&engine, &case(op, &[&[1, 8, 4, 6]]).attrs(&[int("blocksize", 2)]).model(13, DType::F32), op);
    }
    agree(&engine, &case("GridSample", &[&[1, 2, 4, 4], &[1, 5, 6, 2]]).model(20, DType::F32), "GridSample");
    agree(&engine, &case("LRN", &[&[1, 4, 5, 5]]).attrs(&[int("size", 3)]).model(13, DType::F32), "LRN");
    let col2im = case("Col2Im", &[&[1, 5, 5]]).constant(&[5, 5]).constant(&[1, 5]);
    agree(&engine, &col2im.model(18, DType::F32), "Col2Im");
}

#[test]
fn summaries_of_axes() {
    let engine = reference();
    for op in [
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSumSquare",
    ] {
        for keep in [0, 1] {
            let base = case(op, &[&[2, 3, 4]]).attrs(&[int("keepdims", keep)]);
            agree(&engine, &base.constant(&[-1, 0]).model(18, DType::F32), op);
            let all = case(op, &[&[2, 3, 4]]).attrs(&[int("keepdims", keep)]);
            agree(&engine, &all.model(18, DType::F32), op);
        }
    }
    for op in ["ArgMax", "ArgMin"] {
        for keep in [0, 1] {
            let case = case(op, &[&[2, 3, 4]]).attrs(&[int("axis", -2), int("keepdims", keep)]);
            agree(&engine, &case.model(13, DType::F32), op);
        }
    }
    let top = case("TopK", &[&[3, 7]]).constant(&[4]).outputs(2);
    agree(&engine, &top.model(11, DType::F32), "TopK");
    let layer =
        case("LayerNormalization", &[&[2, 3, 4], &[3, 4], &[3, 4]]).attrs(&[int("axis", 1)]).outputs(3);
    agree(&engine, &layer.model(17, DType::F32), "LayerNormalization");
    agree(
        &engine,
        &case("InstanceNormalization", &[&[2, 3, 4], &[3], &[3]]).model(13, DType::F32),
        "InstanceNormalization",
    );
    let skip = case("com.microsoft:SkipLayerNormalization", &[&[2, 3, 4], &[2, 3, 4], &[4], &[4]]);
    agree(&engine, &skip.model(13, DType::F32), "SkipLayerNormalization");
}

#[test]
fn shapes_from_constants() {
    let engine = reference();
    let x = &[&[2, 3, 4][..]];
    for (case, opset) in [
        (case("Reshape", x).constant(&[0, -1]), 13),
        (case("Reshape", x).constant(&[4, 3, 2]), 13),
        (case("Expand", &[&[3, 1]]).constant(&[2, 1, 4]), 13),
        (case("Tile", x).constant(&[1, 2, 3]), 13),
        (case("Squeeze", &[&[1, 3, 1]]).constant(&[-1]), 13),
        (case("Squeeze", &[&[1, 3, 1]]), 13),
        (case("Unsqueeze", x).constant(&[-1, 0]), 13),
        (case("Transpose", x).attrs(&[ints("perm", &[2, 0, 1])]), 13),
        (case("Transpose", x), 13),
        (case("Flatten", x).attrs(&[int("axis", -1)]), 13),
        (case("Flatten", x).attrs(&[int("axis", 0)]), 13),
        (case("Flatten", x).attrs(&[int("axis", 3)]), 13),
        (case("Pad", x).constant(&[0, 1, 2, 3, 0, 1]), 13),
        (case("Slice", x).constant(&[1, -2]).constant(&[3, 100]).constant(&[1, 2]), 13),
        (case("Slice", x).constant(&[-1]).constant(&[-100]).constant(&[2]).constant(&[-2]), 13),
        (case("Split", x).constant(&[1, 3]).attrs(&[int("axis", -1)]).outputs(2), 13),
        (case("Split", x).attrs(&[int("axis", 2), int("num_outputs", 3)]).outputs(3), 18),
        (case("Gather", x).constant(&[0, 1]).attrs(&[int("axis", 1)]), 13),
        (case("Concat", &[&[2, 3], &[2, 5]]).attrs(&[int("axis", -1)]), 13),
        (case("CenterCropPad", x).constant(&[5, 2]).attrs(&[ints("axes", &[0, 2])]), 18),
        (case("Shape", x).attrs(&[int("start", 1)]), 15),
        (case("Size", x), 13),
        (case("EyeLike", &[&[3, 4]]).attrs(&[int("dtype", 7)]), 9),
        (case("ReverseSequence", &[&[4, 2]]).constant(&[4, 3]), 10),
        (case("CumSum", x).constant(&[1]), 14),
    ] {
        agree(&engine, &case.model(opset, DType::F32), case.op);
    }
    let hot = Model::new(11)
        .typed_input("i", DType::I64, &[Dim::Fixed(2), Dim::Fixed(3)])
        .weight(i64s("depth", &[], &[5]))
        .weight(i64s("values", &[2], &[0, 1]))
        .node(node("OneHot", &["i", "depth", "values"], &["y"], &[int("axis", 1)]))
        .output("y");
    agree(&engine, &hot, "OneHot");
    for (op, shape, attributes) in [
        ("GatherElements", vec![2, 3], vec![int("axis", 1)]),
        ("GatherND", vec![3, 2], vec![]),
        ("GatherND", vec![2, 1], vec![int("batch_dims", 1)]),
    ] {
        let dims: Vec<Dim> = shape.iter().map(|d| Dim::Fixed(*d)).collect();
        let model = Model::new(13)
            .input("x", &[2, 3])
            .typed_input("i", DType::I64, &dims)
            .node(node(op, &["x", "i"], &["y"], &attributes))
            .output("y");
        agree(&engine, &model, op);
    }
}

#[test]
fn recurrent_networks() {
    let engine = reference();
    for (op, gates) in [("RNN", 1), ("GRU", 3), ("LSTM", 4)] {
        for (direction, count) in [("forward", 1), ("bidirectional", 2)] {
            let case = case(op, &[&[5, 2, 3], &[count, gates * 4, 3], &[count, gates * 4, 4]])
                .attrs(&[int("hidden_size", 4), text("direction", direction)])
                .outputs(if op == "LSTM" { 3 } else { 2 });
            agree(&engine, &case.model(14, DType::F32), op);
        }
    }
}

#[test]
fn attention() {
    let engine = reference();
    let qkv: [&[i64]; 3] = [&[2, 4, 5, 8], &[2, 2, 6, 8], &[2, 2, 6, 10]];
    agree(&engine, &case("Attention", &qkv).model(23, DType::F32), "Attention");
    let heads = [int("q_num_heads", 4), int("kv_num_heads", 2)];
    let folded = case("Attention", &[&[2, 5, 32], &[2, 6, 16], &[2, 6, 20]]).attrs(&heads);
    agree(&engine, &folded.model(23, DType::F32), "Attention with folded heads");
    let multi = case("com.microsoft:MultiHeadAttention", &[&[2, 5, 16], &[2, 6, 16], &[2, 6, 16]]);
    agree(&engine, &multi.attrs(&[int("num_heads", 4)]).model(17, DType::F32), "MultiHeadAttention");
    let packed = case("com.microsoft:Attention", &[&[2, 5, 8], &[8, 48], &[48]]);
    agree(&engine, &packed.attrs(&[int("num_heads", 4)]).model(17, DType::F32), "com.microsoft Attention");
}

#[test]
fn quantization() {
    let engine = reference();
    let scalars =
        |model: Model| {
            model
                .weight(support::f32s("s", &[], &[0.1]))
                .weight(raw("z8", DType::U8, &[], vec![3]))
                .weight(raw("z16", DType::U16, &[], vec![3, 0]))
        };
    for zero in ["z8", "z16", ""] {
        let model = scalars(Model::new(21).input("x", &[2, 3]))
            .node(node("QuantizeLinear", &["x", "s", zero], &["q"], &[]))
            .node(node("DequantizeLinear", &["q", "s", zero], &["y"], &[]))
            .output("q")
            .output("y");
        agree(&engine, &model, zero);
    }
    let dynamic = Model::new(13)
        .input("x", &[2, 3])
        .node(node("DynamicQuantizeLinear", &["x"], &["q", "s", "z"], &[]))
        .output("q")
        .output("s")
        .output("z");
    agree(&engine, &dynamic, "DynamicQuantizeLinear");
    let bytes = |model: Model, name: &str, dims: &[i64]| {
        model.typed_input(name, DType::U8, &dims.iter().map(|d| Dim::Fixed(*d)).collect::<Vec<_>>())
    };
    let product = bytes(bytes(Model::new(13), "a", &[2, 3]), "b", &[3, 4])
        .node(node("MatMulInteger", &["a", "b"], &["y"], &[]))
        .output("y");
    agree(&engine, &product, "MatMulInteger");
    let conv = bytes(bytes(Model::new(13), "a", &[1, 2, 6, 6]), "b", &[4, 2, 3, 3])
        .node(node("ConvInteger", &["a", "b"], &["y"], &[ints("pads", &[1, 1, 1, 1])]))
        .output("y");
    agree(&engine, &conv, "ConvInteger");
    let gathered = Model::new(13)
        .import_set("com.microsoft", 1)
        .input("x", &[2, 64])
        .weight(raw("w", DType::U8, &[16, 2, 16], vec![0; 512]))
        .weight(support::f32s("s", &[32], &[0.1; 32]));
    let attributes = [int("K", 64), int("N", 16), int("bits", 4), int("block_size", 32)];
    let mut bits = node("MatMulNBits", &["x", "w", "s"], &["y"], &attributes);
    bits.domain = "com.microsoft".to_owned();
    agree(&engine, &gathered.node(bits).output("y"), "MatMulNBits");
}

#[test]
fn signals() {
    let engine = reference();
    let scalar = |model: Model, name: &str, value: i64| model.weight(i64s(name, &[], &[value]));
    for (onesided, bins) in [(0, 16), (1, 9)] {
        let model = scalar(scalar(Model::new(17).input("x", &[2, 64, 1]), "step", 8), "length", 16)
            .node(node("STFT", &["x", "step", "", "length"], &["y"], &[int("onesided", onesided)]))
            .output("y");
        let imported = model.import().unwrap();
        assert_eq!(support::output_shape(&imported, 0), [2, 7, bins, 2]);
    }
    for (onesided, inverse) in [(0, 0), (1, 0), (0, 1)] {
        let model = scalar(Model::new(20).input("x", &[2, 10, 2]), "axis", 1);
        let attributes = [int("onesided", onesided), int("inverse", inverse)];
        // A one-sided transform takes real input.
        let model =
            if onesided == 1 { scalar(Model::new(20).input("x", &[2, 10, 1]), "axis", 1) } else { model };
        let model = model.node(node("DFT", &["x", "", "axis"], &["y"], &attributes)).output("y");
        agree(&engine, &model, "DFT");
    }
    let grid = case("AffineGrid", &[&[2, 2, 3]]).constant(&[2, 3, 5, 6]);
    agree(&engine, &grid.model(20, DType::F32), "AffineGrid");
}
