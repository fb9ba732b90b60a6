//! Operators as old and new opsets write them: the imported graph, in its one form, computes what ONNX Runtime computes from
//! the file.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use qnn_compiler::frontend::onnx::proto::{AttributeProto, NodeProto};
use qnn_compiler::frontend::onnx::{OnnxFile, to_bytes, to_model};
use qnn_compiler::graph::{DType, Data, TensorType};
use qnn_compiler::reference::{ReferenceEngine, Tensor};
use support::{
    Dim, Model, f32s, float, floats, i64s, import_file, int, ints, node, noise, ops, raw, reference,
    tensor_attr, text,
};

/// Values for an input, as many as its shape takes, different from one another.
fn feed(ty: &TensorType) -> Data {
    let values: Vec<f64> = (0..ty.elements()).map(|i| ((i * 29 + 7) % 83) as f64 / 20.0 - 2.0).collect();
    Data::from_floats(&values, ty.dtype)
}

/// Imports a model, runs file and graph on the same inputs, and compares. Returns the operators of the graph.
#[track_caller]
fn same(engine: &ReferenceEngine, model: &Model) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = model.save(dir.path());
    let imported = import_file(&path, &[], &[], None).unwrap_or_else(|p| panic!("{p}"));
    let graph = &imported.graph;
    let copy = dir.path().join("copy.onnx");
    std::fs::write(&copy, to_bytes(&to_model(graph))).unwrap();
    let inputs: Vec<(String, Tensor)> = graph
        .inputs
        .iter()
        .map(|id| {
            let value = graph.value(*id);
            (value.name.clone(), Tensor { ty: value.ty.clone(), data: feed(&value.ty) })
        })
        .collect();
    let run = |path: &std::path::Path| {
        let mut model =
            engine.open(&OnnxFile::open(path).unwrap(), &[]).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        model.run(&inputs).unwrap_or_else(|e| panic!("{path:?}: {e}"))
    };
    let (want, have) = (run(&path), run(&copy));
    assert_eq!(want.len(), have.len());
    for ((want, have), id) in want.iter().zip(&have).zip(&graph.outputs) {
        assert_eq!(want.ty, have.ty);
        assert_eq!(want.ty, graph.value(*id).ty, "the inferred type");
        let (a, b) = (want.data.to_f64(want.ty.dtype), have.data.to_f64(have.ty.dtype));
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f64::max);
        assert!(worst < 1e-5, "differs by {worst}");
    }
    ops(&imported).into_iter().map(str::to_owned).collect()
}

/// A model of one node on `x`, with weights.
fn one(opset: i64, dims: &[i64], op: &str, inputs: &[&str], attributes: &[AttributeProto]) -> Model {
    Model::new(opset).input("x", dims).node(node(op, inputs, &["y"], attributes)).output("y")
}

#[test]
fn axes_that_were_attributes() {
    let engine = reference();
    for opset in [7, 11] {
        same(&engine, &one(opset, &[1, 3, 1, 4], "Squeeze", &["x"], &[ints("axes", &[0, 2])]));
        same(&engine, &one(opset, &[1, 3, 1, 4], "Squeeze", &["x"], &[]));
        same(&engine, &one(opset, &[3, 4], "Unsqueeze", &["x"], &[ints("axes", &[0, 3])]));
        for op in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"]
        {
            same(&engine, &one(opset, &[2, 3, 4], op, &["x"], &[ints("axes", &[1])]));
            same(&engine, &one(opset, &[2, 3, 4], op, &["x"], &[ints("axes", &[0, 2]), int("keepdims", 0)]));
            same(&engine, &one(opset, &[2, 3, 4], op, &["x"], &[]));
        }
    }
    same(&engine, &one(11, &[3, 4], "Unsqueeze", &["x"], &[ints("axes", &[-1, -3])]));
    same(&engine, &one(13, &[2, 3, 4], "ReduceMean", &["x"], &[ints("axes", &[-1])]));
    same(&engine, &one(17, &[2, 3, 4], "ReduceLogSumExp", &["x"], &[ints("axes", &[-1])]));
}

#[test]
fn reductions_with_axes_as_inputs() {
    let engine = reference();
    let model =
        |axes: &[i64], noop: i64| {
            one(18, &[2, 3, 4], "ReduceMean", &["x", "axes"], &[int("noop_with_empty_axes", noop)])
                .weight(i64s("axes", &[axes.len() as i64], axes))
        };
    assert_eq!(same(&engine, &model(&[-1, 0], 0)), ["ReduceMean"]);
    assert_eq!(same(&engine, &model(&[], 0)), ["ReduceMean"]);
    // Nothing is reduced: an Identity stands between the input and the output of that name.
    assert_eq!(same(&engine, &model(&[], 1)), ["Identity"]);
}

#[test]
fn slices() {
    let engine = reference();
    let attributes = [ints("starts", &[1, -3]), ints("ends", &[100, -1]), ints("axes", &[0, 2])];
    same(&engine, &one(9, &[4, 3, 5], "Slice", &["x"], &attributes));
    same(&engine, &one(9, &[4, 3], "Slice", &["x"], &[ints("starts", &[1]), ints("ends", &[i64::MAX])]));
    for (starts, ends, steps) in [
        (0, i64::MAX, 2),
        (-1, i64::MIN, -1),
        (-2, 0, -2),
        (3, 1, 1),
        (1, -1, 3),
        (100, -100, -3),
        (2, 3, i64::MAX),
        (0, 1, i64::MIN + 1),
    ] {
        let model = one(13, &[5, 4], "Slice", &["x", "starts", "ends", "axes", "steps"], &[])
            .weight(i64s("starts", &[1], &[starts]))
            .weight(i64s("ends", &[1], &[ends]))
            .weight(i64s("axes", &[1], &[-2]))
            .weight(i64s("steps", &[1], &[steps]));
        same(&engine, &model);
    }
}

#[test]
fn softmax_over_all_axes_from_one_on() {
    let engine = reference();
    for op in ["Softmax", "LogSoftmax"] {
        for opset in [7, 11, 12] {
            let wide = same(&engine, &one(opset, &[2, 3, 4], op, &["x"], &[int("axis", 1)]));
            assert_eq!(wide, ["Reshape", op, "Reshape"]);
            let last = same(&engine, &one(opset, &[2, 3, 4], op, &["x"], &[int("axis", 2)]));
            assert_eq!(last, [op]);
            // One axis of more than one element is left: that axis alone says the same.
            assert_eq!(same(&engine, &one(opset, &[2, 3, 1, 1], op, &["x"], &[])), [op]);
            assert_eq!(same(&engine, &one(opset, &[2, 1, 3, 1], op, &["x"], &[])), [op]);
        }
        assert_eq!(same(&engine, &one(11, &[2, 3, 4], op, &["x"], &[int("axis", -2)])).len(), 3);
        assert_eq!(same(&engine, &one(13, &[2, 3, 4], op, &["x"], &[int("axis", 1)])), [op]);
        assert_eq!(same(&engine, &one(13, &[2, 3, 4], op, &["x"], &[])), [op]);
    }
}

#[test]
fn clip_pad_and_split_with_attributes() {
    let engine = reference();
    same(&engine, &one(7, &[3, 4], "Clip", &["x"], &[float("min", -0.5), float("max", 0.75)]));
    same(&engine, &one(7, &[3, 4], "Clip", &["x"], &[float("max", 0.75)]));
    same(&engine, &one(13, &[3, 4], "Clip", &["x", "", "max"], &[]).weight(f32s("max", &[], &[0.25])));
    for mode in ["constant", "edge", "reflect"] {
        let attributes = [ints("pads", &[0, 1, 2, 0, 2, 1]), text("mode", mode), float("value", 1.5)];
        same(&engine, &one(10, &[2, 3, 4], "Pad", &["x"], &attributes));
    }
    let model = one(18, &[2, 3, 4], "Pad", &["x", "pads", "", "axes"], &[text("mode", "edge")])
        .weight(i64s("pads", &[4], &[1, 0, 2, 3]))
        .weight(i64s("axes", &[2], &[-1, 0]));
    same(&engine, &model);
    let none = one(13, &[2, 3], "Pad", &["x", "pads"], &[]).weight(i64s("pads", &[4], &[0; 4]));
    assert_eq!(same(&engine, &none), ["Identity"]);

    let split = |opset: i64, parts: usize, attributes: &[AttributeProto]| {
        let names: Vec<String> = (0..parts).map(|i| format!("y{i}")).collect();
        let outputs: Vec<&str> = names.iter().map(|s| &**s).collect();
        let model = Model::new(opset).input("x", &[7, 6]).node(node("Split", &["x"], &outputs, attributes));
        outputs.into_iter().fold(model, Model::output)
    };
    same(&engine, &split(11, 3, &[int("axis", 1)]));
    same(&engine, &split(11, 2, &[int("axis", -1), ints("split", &[1, 5])]));
    same(&engine, &split(18, 3, &[int("axis", 0), int("num_outputs", 3)]));
    assert_eq!(same(&engine, &split(13, 1, &[])), ["Identity"]);
}

#[test]
fn a_split_of_which_one_part_is_read() {
    let engine = reference();
    let model = Model::new(13)
        .input("x", &[6, 2])
        .node(node("Split", &["x"], &["a", "b", "c"], &[]))
        .node(node("Neg", &["b"], &["y"], &[]))
        .output("y");
    assert_eq!(same(&engine, &model), ["Split", "Neg"]);
}

#[test]
fn resampling() {
    let engine = reference();
    let scales = [1.0, 1.0, 2.0, 1.5];
    for mode in ["nearest", "linear"] {
        same(
            &engine,
            &one(7, &[1, 2, 3, 4], "Upsample", &["x"], &[floats("scales", &scales), text("mode", mode)]),
        );
        for (opset, op) in [(9, "Upsample"), (10, "Resize")] {
            let model = one(opset, &[1, 2, 3, 4], op, &["x", "scales"], &[text("mode", mode)]);
            same(&engine, &model.weight(f32s("scales", &[4], &scales)));
        }
        for transformation in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] {
            let attributes = [text("mode", mode), text("coordinate_transformation_mode", transformation)];
            let by_scales = one(11, &[1, 2, 3, 4], "Resize", &["x", "empty", "scales"], &attributes)
                .weight(f32s("empty", &[0], &[]))
                .weight(f32s("scales", &[4], &scales));
            same(&engine, &by_scales);
            let by_sizes = one(13, &[1, 2, 3, 4], "Resize", &["x", "", "", "sizes"], &attributes)
                .weight(i64s("sizes", &[4], &[1, 2, 5, 9]));
            same(&engine, &by_sizes);
        }
    }
    let by_axes = one(18, &[1, 2, 3, 4], "Resize", &["x", "", "", "sizes"], &[ints("axes", &[3, 2])])
        .weight(i64s("sizes", &[2], &[8, 3]));
    same(&engine, &by_axes);
    let policy = [text("keep_aspect_ratio_policy", "not_larger"), ints("axes", &[2, 3])];
    let model = one(18, &[1, 2, 3, 4], "Resize", &["x", "", "", "sizes"], &policy).weight(i64s(
        "sizes",
        &[2],
        &[9, 8],
    ));
    same(&engine, &model);
}

#[test]
fn windows() {
    let engine = reference();
    for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
        let attributes = [text("auto_pad", auto), ints("strides", &[2, 3])];
        same(
            &engine,
            &one(11, &[1, 4, 7, 8], "Conv", &["x", "w"], &attributes).weight(noise("w", &[6, 4, 3, 2])),
        );
        let pooled = [&attributes[..], &[ints("kernel_shape", &[3, 2])]].concat();
        for op in ["MaxPool", "AveragePool", "LpPool"] {
            same(&engine, &one(11, &[1, 4, 7, 8], op, &["x"], &pooled));
        }
        let model = one(11, &[1, 4, 5, 4], "ConvTranspose", &["x", "w"], &attributes);
        same(&engine, &model.weight(noise("w", &[4, 6, 3, 4])));
    }
    let grouped = [int("group", 2), ints("dilations", &[2, 1]), ints("pads", &[1, 0, 2, 1])];
    same(&engine, &one(11, &[2, 4, 7, 8], "Conv", &["x", "w"], &grouped).weight(noise("w", &[6, 2, 3, 3])));
    same(&engine, &one(11, &[2, 4, 9], "Conv", &["x", "w"], &[]).weight(noise("w", &[3, 4, 5])));
    for ceil in [0, 1] {
        for pads in [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 1]] {
            let attributes = [
                ints("kernel_shape", &[3, 3]),
                ints("strides", &[2, 2]),
                int("ceil_mode", ceil),
                ints("pads", &pads),
            ];
            for size in 5..9 {
                same(&engine, &one(12, &[1, 2, size, size + 1], "MaxPool", &["x"], &attributes));
                same(&engine, &one(12, &[1, 2, size, size + 1], "AveragePool", &["x"], &attributes));
            }
        }
    }
    let shaped = [ints("strides", &[2, 2]), ints("output_shape", &[10, 9])];
    same(
        &engine,
        &one(11, &[1, 2, 4, 4], "ConvTranspose", &["x", "w"], &shaped).weight(noise("w", &[2, 1, 3, 3])),
    );
    let padded = [
        ints("strides", &[3, 2]),
        ints("output_padding", &[1, 1]),
        ints("pads", &[1, 1, 0, 1]),
        int("group", 2),
    ];
    same(
        &engine,
        &one(11, &[1, 4, 4, 4], "ConvTranspose", &["x", "w"], &padded).weight(noise("w", &[4, 3, 3, 3])),
    );
}

#[test]
fn normalizations() {
    let engine = reference();
    let batch = |opset| {
        one(opset, &[2, 3, 4, 5], "BatchNormalization", &["x", "scale", "bias", "mean", "variance"], &[])
            .weight(f32s("scale", &[3], &[1.0, 2.0, 0.5]))
            .weight(f32s("bias", &[3], &[0.1, 0.2, 0.3]))
            .weight(f32s("mean", &[3], &[0.0, -1.0, 1.0]))
            .weight(f32s("variance", &[3], &[1.0, 2.0, 3.0]))
    };
    for opset in [7, 9, 14, 15] {
        assert_eq!(same(&engine, &batch(opset)), ["BatchNormalization"]);
    }
    // Before opset 21 scale and bias have an entry a group.
    let groups = one(18, &[2, 6, 4], "GroupNormalization", &["x", "scale", "bias"], &[int("num_groups", 3)])
        .weight(f32s("scale", &[3], &[1.0, 2.0, 0.5]))
        .weight(f32s("bias", &[3], &[0.1, 0.2, 0.3]));
    let graph = groups.import().unwrap().graph;
    assert_eq!(graph.nodes.len(), 1);
    let repeated = graph.const_f32(graph.nodes[0].input(1).unwrap()).unwrap();
    assert_eq!(repeated, [1.0, 1.0, 2.0, 2.0, 0.5, 0.5]);
    let layer = one(17, &[2, 3, 4], "LayerNormalization", &["x", "scale"], &[]).weight(noise("scale", &[4]));
    assert_eq!(same(&engine, &layer), ["LayerNormalization"]);
}

#[test]
fn what_moved_from_attributes_to_inputs_elsewhere() {
    let engine = reference();
    let top = Model::new(9)
        .input("x", &[3, 5])
        .node(node("TopK", &["x"], &["v", "i"], &[int("k", 2)]))
        .output("v")
        .output("i");
    assert_eq!(same(&engine, &top), ["TopK"]);
    let scatter = one(9, &[3, 3], "Scatter", &["x", "i", "u"], &[int("axis", 1)])
        .weight(i64s("i", &[1, 2], &[2, 0]))
        .weight(f32s("u", &[1, 2], &[7.0, 8.0]));
    assert_eq!(same(&engine, &scatter), ["ScatterElements"]);
    for opset in [16, 20] {
        let mode = if opset < 20 { "bilinear" } else { "linear" };
        let grid = one(opset, &[1, 2, 4, 4], "GridSample", &["x", "g"], &[text("mode", mode)]);
        assert_eq!(same(&engine, &grid.weight(noise("g", &[1, 3, 3, 2]))), ["GridSample"]);
    }
    for opset in [10, 16] {
        let attributes = [int("output_height", 2), int("output_width", 3), int("sampling_ratio", 2)];
        let rois = one(opset, &[1, 2, 8, 8], "RoiAlign", &["x", "rois", "batch"], &attributes)
            .weight(f32s("rois", &[2, 4], &[0.0, 0.0, 4.0, 4.0, 2.0, 1.0, 7.0, 6.0]))
            .weight(i64s("batch", &[2], &[0, 0]));
        assert!(!same(&engine, &rois).contains(&"RoiAlign".to_owned()), "it is written as others");
    }
    for opset in [17, 20] {
        let model = one(opset, &[1, 8, 1], "DFT", &["x"], &[int("onesided", 1)]);
        assert!(same(&engine, &model).contains(&"MatMul".to_owned()), "it is a product with a matrix");
    }
}

#[test]
fn indices_from_the_end() {
    let engine = reference();
    let model = one(13, &[4, 3], "Gather", &["x", "i"], &[]).weight(i64s("i", &[2], &[-1, 1]));
    same(&engine, &model);
    let graph = model.import().unwrap().graph;
    assert_eq!(graph.const_i64(graph.nodes[0].input(1).unwrap()).unwrap(), [3, 1]);
    same(&engine, &one(14, &[2, 3], "CumSum", &["x", "a"], &[]).weight(i64s("a", &[], &[-1])));
}

#[test]
fn constants_of_every_kind_are_evaluated_as_onnx_runtime_does() {
    let engine = reference();
    let ints_of = |name: &str, v: &[i64]| i64s(name, &[v.len() as i64], v);
    let nodes: Vec<NodeProto> = vec![
        node("Div", &["a", "b"], &["y"], &[]),
        node("Mod", &["a", "b"], &["y"], &[]),
        node("Mod", &["a", "b"], &["y"], &[int("fmod", 1)]),
        node("Mod", &["f", "g"], &["y"], &[int("fmod", 1)]),
        node("Sub", &["a", "b"], &["y"], &[]),
        node("Pow", &["a", "two"], &["y"], &[]),
        node("Pow", &["f", "two"], &["y"], &[]),
        node("Max", &["a", "b", "one"], &["y"], &[]),
        node("Min", &["f", "g"], &["y"], &[]),
        node("Div", &["f", "g"], &["y"], &[]),
        node("Sqrt", &["g"], &["y"], &[]),
        node("Floor", &["f"], &["y"], &[]),
        node("Ceil", &["f"], &["y"], &[]),
        node("Round", &["f"], &["y"], &[]),
        node("Sign", &["f"], &["y"], &[]),
        node("Abs", &["a"], &["y"], &[]),
        node("Neg", &["f"], &["y"], &[]),
        node("Reciprocal", &["g"], &["y"], &[]),
        node("Relu", &["f"], &["y"], &[]),
        node("Clip", &["f", "low", "high"], &["y"], &[]),
        node("Cast", &["f"], &["y"], &[int("to", 7)]),
        node("Cast", &["f"], &["y"], &[int("to", 10)]),
        node("Cast", &["f"], &["y"], &[int("to", 9)]),
        node("Cast", &["a"], &["y"], &[int("to", 1)]),
        node("Cast", &["a"], &["y"], &[int("to", 6)]),
        node("Equal", &["a", "b"], &["y"], &[]),
        node("Less", &["f", "g"], &["y"], &[]),
        node("GreaterOrEqual", &["a", "one"], &["y"], &[]),
        node("ReduceSum", &["m"], &["y"], &[int("keepdims", 0)]),
        node("ReduceProd", &["a"], &["y"], &[]),
        node("ReduceMax", &["m"], &["y"], &[ints("axes", &[1])]),
        node("ReduceMin", &["m"], &["y"], &[ints("axes", &[-2]), int("keepdims", 0)]),
        node("Transpose", &["m"], &["y"], &[]),
        node("Concat", &["m", "m"], &["y"], &[int("axis", -1)]),
        node("Slice", &["m", "start", "end", "last", "back"], &["y"], &[]),
        node("Gather", &["m", "picks"], &["y"], &[int("axis", 1)]),
        node("Expand", &["row", "wide"], &["y"], &[]),
        node("Tile", &["m", "wide"], &["y"], &[]),
        node("Range", &["zero", "seven", "three"], &["y"], &[]),
        node("ConstantOfShape", &["wide"], &["y"], &[tensor_attr("value", f32s("", &[1], &[2.5]))]),
        node("ConstantOfShape", &["wide"], &["y"], &[]),
        node("NonZero", &["f"], &["y"], &[]),
        node("NonZero", &["m"], &["y"], &[]),
        node("Trilu", &["m"], &["y"], &[]),
        node("Trilu", &["m", "one"], &["y"], &[int("upper", 0)]),
        node("ScatterND", &["m", "at", "news"], &["y"], &[]),
        node("Where", &["flags", "f", "g"], &["y"], &[]),
        node("Size", &["m"], &["y"], &[]),
        node("Shape", &["m"], &["y"], &[int("start", -1)]),
        node("Sin", &["f"], &["y"], &[]),
        node("Exp", &["f"], &["y"], &[]),
    ];
    for case in nodes {
        let (op, attributes) = (case.op_type.clone(), case.attribute.clone());
        let model = Model::new(15)
            .weight(ints_of("a", &[7, -7, 5, 0]))
            .weight(ints_of("b", &[2, 2, -3, 5]))
            .weight(i64s("one", &[], &[1]))
            .weight(i64s("two", &[], &[2]))
            .weight(i64s("zero", &[], &[0]))
            .weight(i64s("three", &[], &[3]))
            .weight(i64s("seven", &[], &[7]))
            .weight(f32s("f", &[4], &[1.5, -2.5, 0.0, 3.7]))
            .weight(f32s("g", &[4], &[2.0, 0.75, 3.0, 0.1]))
            .weight(f32s("low", &[], &[-1.0]))
            .weight(f32s("high", &[], &[2.0]))
            .weight(raw("flags", DType::Bool, &[4], vec![1, 0, 0, 1]))
            .weight(noise("m", &[3, 4]))
            .weight(noise("row", &[1, 4]))
            .weight(ints_of("wide", &[2, 1]))
            .weight(ints_of("start", &[-1]))
            .weight(ints_of("end", &[-100]))
            .weight(ints_of("last", &[-1]))
            .weight(ints_of("back", &[-2]))
            .weight(ints_of("picks", &[3, -1, 0]))
            .weight(i64s("at", &[2, 1], &[2, 0]))
            .weight(noise("news", &[2, 4]))
            .node(case)
            .output("y");
        // An output is the result of a node: the constant and an Identity are left.
        assert_eq!(same(&engine, &model), ["Identity"], "{op} {attributes:?}");
    }
}

#[test]
fn quantized_inputs_keep_their_types() {
    let engine = reference();
    let model = Model::new(13)
        .typed_input("x", DType::F32, &[Dim::Fixed(2), Dim::Fixed(3)])
        .weight(f32s("scale", &[], &[0.05]))
        .weight(raw("zero", DType::U8, &[], vec![128]))
        .node(node("QuantizeLinear", &["x", "scale", "zero"], &["q"], &[]))
        .node(node("DequantizeLinear", &["q", "scale", "zero"], &["y"], &[int("axis", -1)]))
        .output("q")
        .output("y");
    assert_eq!(same(&engine, &model), ["QuantizeLinear", "DequantizeLinear"]);
}

#[test]
fn sequences_are_taken_apart_at_import() {
    let engine = reference();
    let positions = |model: Model| {
        model.weight(i64s("zero", &[], &[0])).weight(i64s("last", &[], &[-1])).weight(i64s("two", &[], &[2]))
    };
    for keep in [0, 1] {
        let model = positions(Model::new(13).input("x", &[2, 5]))
            .node(node("SplitToSequence", &["x"], &["s"], &[int("axis", 1), int("keepdims", keep)]))
            .node(node("SequenceAt", &["s", "last"], &["y"], &[]))
            .node(node("SequenceLength", &["s"], &["n"], &[]))
            .output("y")
            .output("n");
        same(&engine, &model);
    }
    for sizes in [i64s("sizes", &[], &[2]), i64s("sizes", &[2], &[1, 4])] {
        let model = positions(Model::new(13).input("x", &[2, 5]).weight(sizes))
            .node(node("SplitToSequence", &["x", "sizes"], &["s"], &[int("axis", -1)]))
            .node(node("SequenceAt", &["s", "last"], &["y"], &[]))
            .output("y");
        assert_eq!(same(&engine, &model), ["Split"]);
    }
    for (new_axis, axis) in [(0, 1), (1, 0), (1, -1)] {
        let model = positions(Model::new(13).input("x", &[2, 3]))
            .node(node("Neg", &["x"], &["a"], &[]))
            .node(node("Exp", &["x"], &["b"], &[]))
            .node(node("SequenceEmpty", &[], &["s0"], &[]))
            .node(node("SequenceInsert", &["s0", "x"], &["s1"], &[]))
            .node(node("SequenceInsert", &["s1", "a"], &["s2"], &[]))
            .node(node("SequenceInsert", &["s2", "b", "zero"], &["s3"], &[]))
            .node(node("SequenceErase", &["s3", "two"], &["s4"], &[]))
            .node(node(
                "ConcatFromSequence",
                &["s4"],
                &["y"],
                &[int("axis", axis), int("new_axis", new_axis)],
            ))
            .output("y");
        same(&engine, &model);
    }
    let model = Model::new(13)
        .input("x", &[2, 3])
        .node(node("SequenceConstruct", &["x", "x"], &["s"], &[]))
        .node(node("ConcatFromSequence", &["s"], &["y"], &[int("axis", 0)]))
        .output("y");
    assert_eq!(same(&engine, &model), ["Concat"]);
}
