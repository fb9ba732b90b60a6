//! What becomes of models that are as they should be.

mod support;

use std::path::Path;

use qnn_compiler::frontend::onnx::proto::{FunctionProto, GraphProto, OperatorSetIdProto, ValueInfoProto};
use qnn_compiler::graph::{Attr, DType};
use support::{
    Dim, Model, f32s, float, graph_attr, i64s, import_file, int, ints, node, noise, ops, output_shape, raw,
    tensor_attr, text,
};

#[test]
fn a_real_model_is_typed_from_input_to_output() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits/models/digits.onnx");
    let imported = import_file(&path, &[], &[], None).unwrap();
    let graph = &imported.graph;
    assert_eq!(
        ops(&imported),
        [
            "Conv",
            "Relu",
            "Conv",
            "Relu",
            "Add",
            "MaxPool",
            "Conv",
            "Relu",
            "GlobalAveragePool",
            "Flatten",
            "Gemm"
        ]
    );
    assert_eq!(graph.value(graph.inputs[0]).name, "image");
    assert_eq!(graph.shape(graph.inputs[0]), [1, 1, 8, 8]);
    assert_eq!(graph.value(graph.outputs[0]).name, "logits");
    assert_eq!(output_shape(&imported, 0), [1, 10]);
    assert!(imported.warnings.is_empty() && imported.files.is_empty() && imported.unused_inputs.is_empty());
}

#[test]
fn shape_arithmetic_leaves_no_nodes() {
    // Flattens all but the batch by way of Shape, Gather, Mul, Unsqueeze and Concat, as exporters write it.
    let model = Model::new(13)
        .typed_input("x", DType::F32, &[Dim::Free("batch"), Dim::Fixed(3), Dim::Free("h"), Dim::Free("w")])
        .weight(i64s("one", &[], &[1]))
        .weight(i64s("two", &[], &[2]))
        .weight(i64s("three", &[], &[3]))
        .weight(i64s("zero", &[1], &[0]))
        .weight(i64s("minus", &[1], &[-1]))
        .node(node("Shape", &["x"], &["shape"], &[]))
        .node(node("Gather", &["shape", "one"], &["c"], &[]))
        .node(node("Gather", &["shape", "two"], &["h"], &[]))
        .node(node("Gather", &["shape", "three"], &["w"], &[]))
        .node(node("Mul", &["c", "h"], &["ch"], &[]))
        .node(node("Mul", &["ch", "w"], &["chw"], &[]))
        .node(node("Unsqueeze", &["chw", "zero"], &["chw1"], &[]))
        .node(node("Concat", &["minus", "chw1"], &["target"], &[int("axis", 0)]))
        .node(node("Reshape", &["x", "target"], &["y"], &[]))
        .output("y");
    let imported = model.import_with(&[("x", &[2, 3, 4, 5])], &[]).unwrap();
    assert_eq!(ops(&imported), ["Reshape"]);
    assert_eq!(output_shape(&imported, 0), [2, 60]);
}

#[test]
fn weights_are_not_copied() {
    let model = Model::new(13)
        .input("x", &[1, 64])
        .weight(noise("w", &[64, 64]))
        .node(node("MatMul", &["x", "w"], &["y"], &[]))
        .output("y");
    let dir = tempfile::tempdir().unwrap();
    let file = qnn_compiler::frontend::onnx::OnnxFile::open(&model.save(dir.path())).unwrap();
    let options = qnn_compiler::frontend::onnx::ImportOptions {
        inputs: &Default::default(),
        outputs: &[],
        reference: None,
        op_packages: &Default::default(),
    };
    let graph = file.import(&options).unwrap().graph;
    let weight = graph.nodes[0].input(1).unwrap();
    let data = graph.value(weight).data.as_ref().unwrap();
    assert!(file.raw.as_ptr_range().contains(&data.bytes().as_ptr()), "the data is outside the file's map");
}

#[test]
fn nodes_are_sorted_when_the_file_is_not() {
    let model = Model::new(13)
        .input("x", &[4])
        .node(node("Neg", &["b"], &["c"], &[]))
        .node(node("Exp", &["a"], &["b"], &[]))
        .node(node("Abs", &["x"], &["a"], &[]))
        .output("c");
    assert_eq!(ops(&model.import().unwrap()), ["Abs", "Exp", "Neg"]);
}

#[test]
fn only_what_the_wanted_outputs_need_is_kept() {
    let model = Model::new(13)
        .input("x", &[4])
        .input("z", &[4])
        .node(node("Abs", &["x"], &["a"], &[]))
        .node(node("Exp", &["a"], &["b"], &[]))
        .node(node("NoSuchOperator", &["z"], &["c"], &[]))
        .output("b")
        .output("c");
    let imported = model.import_with(&[], &["a"]).unwrap();
    assert_eq!(ops(&imported), ["Abs"]);
    assert_eq!(imported.graph.value(imported.graph.outputs[0]).name, "a");
    assert_eq!(imported.unused_inputs, ["z"]);
    assert_eq!(imported.warnings.len(), 1);
}

#[test]
fn outputs_keep_the_order_that_is_asked_for() {
    let model = Model::new(13)
        .input("x", &[4])
        .node(node("Abs", &["x"], &["a"], &[]))
        .node(node("Exp", &["x"], &["b"], &[]))
        .output("a")
        .output("b");
    let imported = model.import_with(&[], &["b", "a"]).unwrap();
    let names: Vec<&str> = imported.graph.outputs.iter().map(|id| &*imported.graph.value(*id).name).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn nodes_that_do_nothing_vanish_and_outputs_keep_their_names() {
    let model = Model::new(13)
        .input("x", &[4])
        .node(node("Identity", &["x"], &["i"], &[]))
        .node(node("Abs", &["i"], &["a"], &[]))
        .node(node("Dropout", &["a"], &["d", "mask"], &[]))
        .node(node("Cast", &["d"], &["y"], &[int("to", 1)]))
        .output("y");
    let imported = model.import().unwrap();
    assert_eq!(ops(&imported), ["Abs"]);
    assert_eq!(imported.graph.value(imported.graph.outputs[0]).name, "y");
}

#[test]
fn every_output_is_the_result_of_a_node_of_its_own() {
    // An input, a constant and one value twice as outputs: each gets a node, and each keeps its name.
    let model = Model::new(13)
        .input("x", &[4])
        .weight(f32s("c", &[2], &[1.0, 2.0]))
        .node(node("Identity", &["x"], &["same"], &[]))
        .node(node("Abs", &["x"], &["a"], &[]))
        .node(node("Identity", &["a"], &["b"], &[]))
        .output("same")
        .output("c")
        .output("a")
        .output("b");
    let imported = model.import().unwrap();
    let graph = &imported.graph;
    let producers = graph.producers();
    let names: Vec<&str> = graph.outputs.iter().map(|id| &*graph.value(*id).name).collect();
    assert_eq!(names, ["same", "c", "a", "b"]);
    assert!(graph.outputs.iter().all(|id| producers.contains_key(id)));
    let mut distinct = graph.outputs.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn a_branch_with_a_constant_condition_is_taken() {
    let branch = |op: &str| GraphProto {
        name: op.to_owned(),
        node: vec![node(op, &["outer"], &["inner"], &[])],
        output: vec![ValueInfoProto { name: "inner".to_owned(), r#type: None }],
        ..GraphProto::default()
    };
    for (condition, op) in [(true, "Exp"), (false, "Neg")] {
        let model = Model::new(13)
            .input("x", &[4])
            .weight(raw("condition", DType::Bool, &[], vec![u8::from(condition)]))
            .node(node("Abs", &["x"], &["outer"], &[]))
            .node(node(
                "If",
                &["condition"],
                &["y"],
                &[graph_attr("then_branch", branch("Exp")), graph_attr("else_branch", branch("Neg"))],
            ))
            .output("y");
        let imported = model.import().unwrap();
        assert_eq!(ops(&imported), ["Abs", op]);
        assert_eq!(imported.graph.value(imported.graph.outputs[0]).name, "y");
    }
}

/// `scaled(x) = alpha * x`, with an attribute that the call gives.
fn scaled() -> FunctionProto {
    let mut alpha = float("value_float", 0.0);
    (alpha.f, alpha.ref_attr_name) = (None, "alpha".to_owned());
    FunctionProto {
        name: "scaled".to_owned(),
        domain: "test".to_owned(),
        input: vec!["v".to_owned()],
        output: vec!["r".to_owned()],
        attribute_proto: vec![float("alpha", 2.0)],
        node: vec![node("Constant", &[], &["k"], &[alpha]), node("Mul", &["v", "k"], &["r"], &[])],
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 13 }],
        ..FunctionProto::default()
    }
}

#[test]
fn functions_take_the_place_of_their_calls() {
    let call = |input: &str, output: &str, attributes: &[_]| {
        let mut call = node("scaled", &[input], &[output], attributes);
        call.domain = "test".to_owned();
        call
    };
    let model = Model::new(13)
        .import_set("test", 1)
        .function(scaled())
        .input("x", &[4])
        .node(call("x", "a", &[float("alpha", 3.0)]))
        .node(call("a", "y", &[]))
        .output("y");
    let imported = model.import().unwrap();
    assert_eq!(ops(&imported), ["Mul", "Mul"]);
    let factor = |i: usize| imported.graph.const_scalar(imported.graph.nodes[i].input(1).unwrap());
    assert_eq!((factor(0), factor(1)), (Some(3.0), Some(2.0)));
    let names: Vec<&str> = imported.graph.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["a/r", "y/r"]);
}

#[test]
fn weights_that_are_inputs_too_are_constants() {
    // Files before IR version 4 list weights among the inputs.
    let model = Model::new(9)
        .input("x", &[4])
        .input("w", &[4])
        .weight(noise("w", &[4]))
        .node(node("Mul", &["x", "w"], &["y"], &[]))
        .output("y");
    let imported = model.import().unwrap();
    assert_eq!(imported.graph.inputs.len(), 1);
    assert!(imported.graph.is_constant(imported.graph.nodes[0].input(1).unwrap()));
}

#[test]
fn a_symbol_that_one_input_fixes_is_fixed_for_all() {
    let model = Model::new(13)
        .typed_input("a", DType::F32, &[Dim::Free("n"), Dim::Fixed(4)])
        .typed_input("b", DType::F32, &[Dim::Free("n"), Dim::Fixed(4)])
        .node(node("Add", &["a", "b"], &["y"], &[]))
        .output("y");
    let imported = model.import_with(&[("a", &[3, 4])], &[]).unwrap();
    assert_eq!(output_shape(&imported, 0), [3, 4]);
}

#[test]
fn typed_fields_and_packed_elements_are_read() {
    use qnn_compiler::frontend::onnx::element::number;
    use qnn_compiler::frontend::onnx::proto::TensorProto;
    let tensor =
        |dtype: DType| TensorProto { data_type: number(dtype), dims: vec![3], ..TensorProto::default() };
    let half = |v: f32| i32::from(half::f16::from_f32(v).to_bits());
    let brain = |v: f32| i32::from(half::bf16::from_f32(v).to_bits());
    let cases = [
        (DType::F32, TensorProto { float_data: vec![1.0, -2.0, 3.0], ..tensor(DType::F32) }),
        (DType::F64, TensorProto { double_data: vec![1.0, -2.0, 3.0], ..tensor(DType::F64) }),
        (DType::I64, TensorProto { int64_data: vec![1, -2, 3], ..tensor(DType::I64) }),
        (DType::I32, TensorProto { int32_data: vec![1, -2, 3], ..tensor(DType::I32) }),
        (DType::I16, TensorProto { int32_data: vec![1, -2, 3], ..tensor(DType::I16) }),
        (DType::I8, TensorProto { int32_data: vec![1, -2, 3], ..tensor(DType::I8) }),
        (
            DType::F16,
            TensorProto { int32_data: vec![half(1.0), half(-2.0), half(3.0)], ..tensor(DType::F16) },
        ),
        (
            DType::Bf16,
            TensorProto { int32_data: vec![brain(1.0), brain(-2.0), brain(3.0)], ..tensor(DType::Bf16) },
        ),
        // 1 and -2 in one byte, 3 in the next.
        (DType::I4, TensorProto { raw_data: Some(vec![0xe1, 0x03].into()), ..tensor(DType::I4) }),
        (DType::I4, TensorProto { int32_data: vec![0xe1, 0x03], ..tensor(DType::I4) }),
    ];
    for (dtype, tensor) in cases {
        let model = Model::new(21)
            .node(node("Constant", &[], &["c"], &[tensor_attr("value", tensor)]))
            .node(node("Identity", &["c"], &["y"], &[]))
            .output("y");
        let imported = model.import().unwrap();
        let constant = imported.graph.nodes[0].input(0).unwrap();
        let value = imported.graph.value(constant);
        assert_eq!(value.ty.dtype, dtype);
        assert_eq!(value.data.as_ref().unwrap().to_f64(dtype), [1.0, -2.0, 3.0], "{dtype}");
    }
}

#[test]
fn unwanted_results_of_a_node_are_dropped() {
    let model = Model::new(13)
        .input("x", &[1, 1, 4, 4])
        .node(node("MaxPool", &["x"], &["y", "indices"], &[ints("kernel_shape", &[2, 2])]))
        .output("y");
    let imported = model.import().unwrap();
    assert_eq!(imported.graph.nodes[0].outputs.len(), 1);
}

#[test]
fn a_chain_of_twenty_thousand_nodes_needs_no_deep_stack() {
    let mut model = Model::new(13).input("v0", &[4]);
    // Last node first, so that the order has to be found.
    for i in (0..20_000).rev() {
        model = model.node(node("Neg", &[&format!("v{i}")], &[&format!("v{}", i + 1)], &[]));
    }
    let imported = model.output("v20000").import().unwrap();
    assert_eq!(imported.graph.nodes.len(), 20_000);
}

#[test]
fn quantization_of_weights_is_not_folded_away() {
    let model = Model::new(13)
        .input("x", &[1, 4])
        .weight(raw("w", DType::I8, &[4, 2], vec![1; 8]))
        .weight(f32s("scale", &[2], &[0.5, 0.25]))
        .weight(raw("zero", DType::I8, &[2], vec![0; 2]))
        .node(node("DequantizeLinear", &["w", "scale", "zero"], &["wf"], &[int("axis", -1)]))
        .node(node("MatMul", &["x", "wf"], &["y"], &[]))
        .output("y");
    let imported = model.import().unwrap();
    assert_eq!(ops(&imported), ["DequantizeLinear", "MatMul"]);
    assert!(matches!(imported.graph.nodes[0].attrs.get("axis"), Some(Attr::Int(1))));
}

#[test]
fn a_summary_names_what_the_file_holds() {
    let model = Model::new(13)
        .typed_input("x", DType::F32, &[Dim::Free("batch"), Dim::Fixed(4)])
        .weight(noise("w", &[4, 2]))
        .node(node("MatMul", &["x", "w"], &["m"], &[]))
        .node(node("Relu", &["m"], &["y"], &[]))
        .output("y");
    let dir = tempfile::tempdir().unwrap();
    let summary = qnn_compiler::frontend::inspect::onnx(&model.save(dir.path())).unwrap();
    assert_eq!(summary.opsets["ai.onnx"], 13);
    assert_eq!((summary.nodes, summary.weights, summary.weight_bytes), (2, 1, 32));
    assert_eq!(summary.ops.keys().collect::<Vec<_>>(), ["MatMul", "Relu"]);
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["inputs"][0]["shape"], serde_json::json!(["batch", 4]));
    assert_eq!(json["inputs"][0]["dtype"], "float32");
}

#[test]
fn axis_attributes_are_not_negative_after_import() {
    let model = Model::new(13)
        .input("x", &[2, 3, 4])
        .node(node("Softmax", &["x"], &["s"], &[]))
        .node(node("Transpose", &["s"], &["t"], &[]))
        .node(node("ReduceMean", &["t"], &["y"], &[ints("axes", &[-1])]))
        .node(node("Pad", &["y", "pads"], &["p"], &[text("mode", "edge")]))
        .weight(i64s("pads", &[6], &[0, 1, 0, 0, 1, 0]))
        .output("p");
    let imported = model.import().unwrap();
    let graph = &imported.graph;
    assert_eq!(graph.nodes[0].attrs.int("axis"), Some(2));
    assert_eq!(graph.nodes[1].attrs.ints("perm"), Some(&[2, 1, 0][..]));
    assert_eq!(graph.const_i64(graph.nodes[2].input(1).unwrap()), Some(vec![2]));
    assert_eq!(output_shape(&imported, 0), [4, 5, 1]);
}
