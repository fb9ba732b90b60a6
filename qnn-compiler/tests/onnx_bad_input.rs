//! Files and models that are not as they should be: each a clear error with its code, never a panic.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;

use qnn_compiler::frontend::onnx::proto::{GraphProto, TensorProto, ValueInfoProto};
use qnn_compiler::graph::DType;
use support::{
    Dim, Model, attr, f32s, graph_attr, i64s, import_file, info, int, ints, node, noise, only_problem,
    problems, raw, text,
};

/// The problem of a file with this content.
fn file(content: &[u8]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.onnx");
    fs::write(&path, content).unwrap();
    only_problem(import_file(&path, &[], &[], None))
}

/// One Relu on `x`.
fn small() -> Model {
    Model::new(13).input("x", &[4]).node(node("Relu", &["x"], &["y"], &[])).output("y")
}

#[test]
fn files_that_are_no_models() {
    for (content, code, says) in [
        (&b""[..], "E0201", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "E0201", "git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "E0201", "HTML"),
        (b"PK\x03\x04 and so on", "E0201", "zip archive"),
        (b"GGUF\x03\0\0\0", "E0201", "GGUF"),
        (b"hello, world, this is text", "E0201", "no protobuf"),
        (&[0xff; 100], "E0201", "not an ONNX model"),
        (&[0; 100], "E0201", "not an ONNX model"),
        (b"\x08\x08", "E0201", "no graph"),
        (b"\x08\x08\x3a\x00", "E0201", "neither nodes nor outputs"),
    ] {
        let (found, message) = file(content);
        assert!(found == code && message.contains(says), "{found} {message}");
    }
}

#[test]
fn a_truncated_file_is_called_truncated() {
    let bytes = small().weight(noise("w", &[64])).bytes();
    for length in [bytes.len() - 1, bytes.len() / 2, 40] {
        let (code, message) = file(&bytes[..length]);
        assert_eq!(code, "E0202", "{length}: {message}");
        assert!(message.contains("cut short"), "{message}");
    }
}

#[test]
fn a_missing_file_and_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (code, message) = only_problem(import_file(&dir.path().join("none.onnx"), &[], &[], None));
    assert!(code == "E0108" && message.contains("none.onnx"), "{code} {message}");
    let (code, message) = only_problem(import_file(dir.path(), &[], &[], None));
    assert!(code == "E0214" && message.contains("not a regular file"), "{code} {message}");
}

#[test]
fn graphs_nested_without_end() {
    /// A field of bytes: its number, its length, its content.
    fn field(number: u64, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        prost::encoding::encode_varint(number << 3 | 2, &mut out);
        prost::encoding::encode_varint(content.len() as u64, &mut out);
        out.extend_from_slice(content);
        out
    }
    // Graph in attribute in node in graph …, written by hand: an encoder would need a deep stack.
    let mut graph = Vec::new();
    for _ in 0..5_000 {
        graph = field(1, &field(5, &field(6, &graph)));
    }
    let (code, message) = file(&field(7, &graph));
    assert!(code == "E0201" && message.contains("recursion"), "{code} {message}");
}

#[test]
fn opsets_that_are_too_old_or_too_new() {
    for opset in [1, 6, 29, 1_000_000, -1] {
        let mut model = small();
        model.0.opset_import[0].version = opset;
        let (code, message) = only_problem(model.import());
        assert!(code == "E0208" && message.contains(&opset.to_string()), "{code} {message}");
    }
}

#[test]
fn a_cycle_names_its_nodes() {
    let mut first = node("Add", &["x", "c"], &["a"], &[]);
    first.name = "first".to_owned();
    let mut second = node("Neg", &["a"], &["b"], &[]);
    second.name = "second".to_owned();
    let model = Model::new(13)
        .input("x", &[4])
        .node(first)
        .node(second)
        .node(node("Abs", &["b"], &["c"], &[]))
        .output("c");
    let (code, message) = only_problem(model.import());
    assert_eq!(code, "E0206");
    assert!(["'first'", "'second'", "'c'"].iter().all(|name| message.contains(name)), "{message}");
}

#[test]
fn a_value_that_nothing_makes_is_named_with_the_nearest() {
    let model = Model::new(13)
        .input("x", &[4])
        .node(node("Abs", &["x"], &["features"], &[]))
        .node(node("Neg", &["feature"], &["y"], &[]))
        .node(node("Add", &["y", "nowhere"], &["z"], &[]))
        .output("z");
    let problems = problems(model.import()).0;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|p| p.code == "E0207"));
    assert!(
        problems.iter().any(|p| p.help.as_deref().is_some_and(|h| h.contains("'features'"))),
        "{problems:?}"
    );
}

#[test]
fn an_output_that_nothing_makes() {
    let (code, message) = only_problem(small().output("z").import());
    assert!(code == "E0207" && message.contains("'z'"), "{code} {message}");
}

#[test]
fn names_that_are_there_twice() {
    let twice_made = small().node(node("Abs", &["x"], &["y"], &[]));
    let input_made =
        Model::new(13).input("x", &[4]).input("y", &[4]).node(node("Relu", &["x"], &["y"], &[])).output("y");
    let two_inputs = small().input("x", &[5]);
    let two_weights = small().weight(f32s("w", &[1], &[0.0])).weight(f32s("w", &[1], &[1.0]));
    let two_outputs = small().output("y");
    for model in [twice_made, input_made, two_inputs, two_weights, two_outputs] {
        let (code, _) = only_problem(model.import());
        assert_eq!(code, "E0215");
    }
}

#[test]
fn free_dimensions_are_listed_together_with_the_remedy() {
    let model = Model::new(13)
        .typed_input(
            "image",
            DType::F32,
            &[Dim::Free("batch"), Dim::Fixed(3), Dim::Free("height"), Dim::Free("width")],
        )
        .typed_input("mask", DType::F32, &[Dim::Free("batch"), Dim::Fixed(1), Dim::Free("?"), Dim::Fixed(-1)])
        .node(node("Mul", &["image", "mask"], &["y"], &[]))
        .output("y");
    let (code, message) = only_problem(model.import());
    assert_eq!(code, "E0112");
    for part in [
        "'image', 'mask'",
        "[batch, 3, height, width]",
        "[batch, 1, ?, ?]",
        "inputs.image = { shape = [1, 3, 224, 224] }",
        "--input image=1x3x224x224",
        "--input mask=1x1x224x224",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn an_input_without_a_shape_has_to_be_given_one() {
    let mut model = small();
    let Some(ty) = &mut model.graph().input[0].r#type else { panic!("no type") };
    let Some(qnn_compiler::frontend::onnx::proto::TypeValue::Tensor(tensor)) = &mut ty.value else {
        panic!("no tensor")
    };
    tensor.shape = None;
    assert_eq!(only_problem(model.import()).0, "E0112");
    let imported = model.import_with(&[("x", &[2, 3])], &[]).unwrap();
    assert_eq!(support::output_shape(&imported, 0), [2, 3]);
}

#[test]
fn shapes_that_do_not_fit_the_model() {
    let model = Model::new(13)
        .typed_input("image", DType::F32, &[Dim::Free("n"), Dim::Fixed(3)])
        .node(node("Relu", &["image"], &["y"], &[]))
        .output("y");
    for (name, shape, code, says) in [
        ("imag", &[1, 3][..], "E0111", "did you mean 'image'"),
        ("image", &[1, 3, 1], "E0209", "3 dimensions"),
        ("image", &[1, 4], "E0209", "fixed at 3"),
        ("image", &[0, 3], "E0209", "dimension of 0"),
        ("image", &[u64::MAX, 3], "E0209", "18446744073709551615"),
        ("image", &[1 << 40, 3], "E0209", "too large"),
    ] {
        let (found, message) = only_problem(model.import_with(&[(name, shape)], &[]));
        assert!(found == code && message.contains(says), "{name}: {found} {message}");
    }
}

#[test]
fn outputs_that_the_model_lacks() {
    let (code, message) = only_problem(small().import_with(&[], &["yy"]));
    assert!(code == "E0111" && message.contains("did you mean 'y'"), "{code} {message}");
}

#[test]
fn declared_dimensions_beyond_all_bounds() {
    let model =
        Model::new(13).input("x", &[i64::MAX, i64::MAX]).node(node("Relu", &["x"], &["y"], &[])).output("y");
    let (code, message) = only_problem(model.import());
    assert!(code == "E0209" && message.contains("too large"), "{code} {message}");
}

#[test]
fn computed_dimensions_beyond_all_bounds() {
    let huge = i64::MAX;
    let cases = [
        node("Expand", &["x", "huge"], &["y"], &[]),
        node("Tile", &["x", "huge"], &["y"], &[]),
        node("Pad", &["x", "pads"], &["y"], &[]),
        node("Reshape", &["x", "huge"], &["y"], &[]),
        node("ConstantOfShape", &["wide"], &["y"], &[]),
        node("Range", &["start", "limit", "step"], &["y"], &[]),
        node("Slice", &["x", "low", "high", "axes", "low"], &["y"], &[]),
        node("OneHot", &["indices", "depth", "values"], &["y"], &[]),
        node("MaxPool", &["image"], &["y"], &[ints("kernel_shape", &[huge, huge])]),
        node(
            "MaxPool",
            &["image"],
            &["y"],
            &[ints("kernel_shape", &[1, 1]), ints("pads", &[huge, huge, huge, huge])],
        ),
        node(
            "Conv",
            &["image", "kernel"],
            &["y"],
            &[ints("strides", &[huge, huge]), ints("dilations", &[huge, huge])],
        ),
        node("Conv", &["image", "kernel"], &["y"], &[int("group", huge)]),
        node("ConvTranspose", &["image", "kernel"], &["y"], &[ints("output_shape", &[huge, huge])]),
        node("DepthToSpace", &["image"], &["y"], &[int("blocksize", huge)]),
        node("Resize", &["image", "", "scales"], &["y"], &[]),
        node("Resize", &["image", "", "", "sizes"], &["y"], &[]),
        node("Softmax", &["x"], &["y"], &[int("axis", i64::MIN)]),
        node("Flatten", &["x"], &["y"], &[int("axis", i64::MIN)]),
        node("Concat", &["x", "x"], &["y"], &[int("axis", huge)]),
        node("Gather", &["x", "huge"], &["y"], &[int("axis", i64::MIN)]),
        node("Split", &["x"], &["y"], &[int("num_outputs", huge)]),
        node("TopK", &["x", "huge"], &["y", "i"], &[]),
        node("Unsqueeze", &["x", "huge"], &["y"], &[]),
        node("LSTM", &["x", "x", "x"], &["y"], &[int("hidden_size", huge)]),
    ];
    for case in cases {
        let op = case.op_type.clone();
        let model = Model::new(18)
            .input("x", &[2])
            .input("image", &[1, 1, 4, 4])
            .typed_input("indices", DType::I64, &[Dim::Fixed(2)])
            .weight(noise("kernel", &[1, 1, 1, 1]))
            .weight(i64s("huge", &[1], &[huge]))
            .weight(i64s("wide", &[4], &[huge, huge, huge, huge]))
            .weight(i64s("pads", &[2], &[huge, huge]))
            .weight(i64s("sizes", &[4], &[1, 1, huge, huge]))
            .weight(i64s("low", &[1], &[i64::MIN]))
            .weight(i64s("high", &[1], &[huge]))
            .weight(i64s("axes", &[1], &[i64::MIN]))
            .weight(f32s("scales", &[4], &[1.0, 1.0, 1e30, 1e30]))
            .weight(f32s("start", &[], &[0.0]))
            .weight(f32s("limit", &[], &[1e30]))
            .weight(f32s("step", &[], &[1e-30]))
            .weight(i64s("depth", &[], &[huge]))
            .weight(f32s("values", &[2], &[0.0, 1.0]))
            .node(case)
            .output("y");
        let (code, message) = only_problem(model.import());
        assert_eq!(code, "E0211", "{op}: {message}");
    }
}

#[test]
fn a_large_constant_stays_a_node() {
    // 64 GB of zeros: typed, not made.
    let model = Model::new(18)
        .input("x", &[1])
        .weight(i64s("shape", &[1], &[1 << 34]))
        .node(node("ConstantOfShape", &["shape"], &["zeros"], &[]))
        .node(node("Add", &["x", "zeros"], &["y"], &[]))
        .output("y");
    assert_eq!(support::ops(&model.import().unwrap()), ["ConstantOfShape", "Add"]);
}

#[test]
fn weights_whose_data_does_not_fit() {
    let typed = |float_data: Vec<f32>| TensorProto {
        name: "w".to_owned(),
        data_type: 1,
        dims: vec![4],
        float_data,
        ..TensorProto::default()
    };
    let cases = [
        (raw("w", DType::F32, &[4], vec![0; 15]), "E0217", "16 bytes, it has 15"),
        (raw("w", DType::F32, &[4], vec![0; 17]), "E0217", "16 bytes, it has 17"),
        (raw("w", DType::F32, &[-4], vec![0; 16]), "E0217", "dimension of -4"),
        (raw("w", DType::F32, &[i64::MAX, i64::MAX], vec![0; 16]), "E0217", "too large"),
        (raw("w", DType::I4, &[4], vec![0; 4]), "E0217", "2 bytes, it has 4"),
        (typed(vec![0.0; 3]), "E0217", "4 elements, it has 3"),
        (typed(vec![]), "E0217", "4 elements, it has 0"),
        (TensorProto { data_type: 8, ..typed(vec![]) }, "E0216", "STRING"),
        (TensorProto { data_type: 17, ..typed(vec![]) }, "E0304", "FLOAT8E4M3FN"),
        (TensorProto { data_type: 99, ..typed(vec![]) }, "E0304", "99"),
        (TensorProto { data_type: -1, ..typed(vec![]) }, "E0304", "-1"),
    ];
    for (weight, code, says) in cases {
        let model = Model::new(13)
            .input("x", &[4])
            .weight(weight)
            .node(node("Add", &["x", "w"], &["y"], &[]))
            .output("y");
        let (found, message) = only_problem(model.import());
        assert!(found == code && message.contains(says) && message.contains("'w'"), "{found} {message}");
    }
}

#[test]
fn inputs_that_are_no_tensors() {
    let mut model = small();
    model.graph().input = vec![ValueInfoProto { name: "x".to_owned(), r#type: None }];
    assert_eq!(only_problem(model.import()).0, "E0216");
    let mut model = small();
    model.graph().input = vec![info("x", DType::F32, &[Dim::Fixed(4)])];
    let Some(qnn_compiler::frontend::onnx::proto::TypeValue::Tensor(tensor)) =
        &mut model.graph().input[0].r#type.as_mut().unwrap().value
    else {
        panic!("no tensor")
    };
    tensor.elem_type = 8;
    let (code, message) = only_problem(model.import());
    assert!(code == "E0216" && message.contains("STRING"), "{code} {message}");
}

#[test]
fn every_problem_of_a_model_is_reported_and_none_of_what_follows_from_it() {
    let model = Model::new(13)
        .input("x", &[2, 3])
        .weight(raw("w", DType::F32, &[4], vec![0; 3]))
        .node(node("NoSuchOperator", &["x"], &["a"], &[]))
        .node(node("Neg", &["a"], &["b"], &[]))
        .node(node("MatMul", &["x", "x"], &["c"], &[]))
        .node(node("NonZero", &["x"], &["d"], &[]))
        .node(node("Add", &["x", "w"], &["e"], &[]))
        .node(node("Concat", &["b", "c", "e"], &["y"], &[int("axis", 0)]))
        .output("y")
        .output("d");
    let mut codes: Vec<String> = problems(model.import()).0.into_iter().map(|p| p.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["E0210", "E0211", "E0217", "E0301"]);
}

#[test]
fn a_shape_that_depends_on_data_comes_with_the_way_out() {
    let model = Model::new(13)
        .input("x", &[2, 3])
        .node(node("Relu", &["x"], &["scores"], &[]))
        .node(node("NonZero", &["scores"], &["y"], &[]))
        .output("y");
    let (code, message) = only_problem(model.import());
    assert!(code == "E0210" && message.contains("outputs = [\"scores\"]"), "{code} {message}");
}

#[test]
fn loops_and_branches_whose_bodies_do_not_fit_are_refused() {
    let body = || graph_attr("body", GraphProto::default());
    for case in [node("Loop", &["", "x"], &["y"], &[body()]), node("Scan", &["x"], &["y"], &[body()])] {
        let model = Model::new(13).input("x", &[4]).node(case).output("y");
        assert_eq!(only_problem(model.import()).0, "E0211");
    }
    let model = Model::new(13)
        .typed_input("c", DType::Bool, &[])
        .node(node("If", &["c"], &["y"], &[graph_attr("then_branch", GraphProto::default())]))
        .output("y");
    assert_eq!(only_problem(model.import()).0, "E0211");
}

#[test]
fn a_function_that_calls_itself() {
    let mut call = node("again", &["v"], &["r"], &[]);
    call.domain = "test".to_owned();
    let function = qnn_compiler::frontend::onnx::proto::FunctionProto {
        name: "again".to_owned(),
        domain: "test".to_owned(),
        input: vec!["v".to_owned()],
        output: vec!["r".to_owned()],
        node: vec![call.clone()],
        ..Default::default()
    };
    (call.input, call.output) = (vec!["x".to_owned()], vec!["y".to_owned()]);
    let model = Model::new(13).input("x", &[4]).function(function).node(call).output("y");
    let (code, message) = only_problem(model.import());
    assert!(code == "E0206" && message.contains("again"), "{code} {message}");
}

#[test]
fn functions_that_multiply_without_end_are_stopped() {
    // Each calls the next twice: 2^40 nodes.
    let name = |level: usize| format!("f{level}");
    let mut model = Model::new(13).input("x", &[1]);
    for level in 0..40 {
        let call = |input: &str, output: &str| {
            let mut call = node(&name(level + 1), &[input], &[output], &[]);
            call.domain = "test".to_owned();
            call
        };
        let body = if level == 39 {
            vec![node("Neg", &["v"], &["w"], &[]), node("Neg", &["w"], &["r"], &[])]
        } else {
            vec![call("v", "w"), call("w", "r")]
        };
        model = model.function(qnn_compiler::frontend::onnx::proto::FunctionProto {
            name: name(level),
            domain: "test".to_owned(),
            input: vec!["v".to_owned()],
            output: vec!["r".to_owned()],
            node: body,
            ..Default::default()
        });
    }
    let mut call = node("f0", &["x"], &["y"], &[]);
    call.domain = "test".to_owned();
    let (code, message) = only_problem(model.node(call).output("y").import());
    assert!(code == "E0211" && message.contains("nodes"), "{code} {message}");
}

#[test]
fn attributes_of_the_wrong_kind_and_without_a_value() {
    let mut empty = attr("value");
    empty.r#type = 4;
    let cases = [
        node("Constant", &[], &["y"], &[empty]),
        node("Constant", &[], &["y"], &[]),
        node("Concat", &["x", "x"], &["y"], &[text("axis", "zero")]),
        node("Conv", &["x", "x"], &["y"], &[text("auto_pad", "SOMETIMES")]),
        node("Transpose", &["x"], &["y"], &[ints("perm", &[0, 0])]),
        node("Cast", &["x"], &["y"], &[text("to", "float")]),
        node("Add", &["x"], &["y"], &[]),
        node("Reshape", &["x"], &["y"], &[]),
        node("Gemm", &["x", ""], &["y"], &[]),
    ];
    for case in cases {
        let op = case.op_type.clone();
        let mut model = Model::new(13).input("x", &[1, 1]).node(case).output("y");
        if op == "Add" {
            model.graph().node[0].input.push("other".to_owned());
            model = model.typed_input("other", DType::I64, &[Dim::Fixed(1), Dim::Fixed(1)]);
        }
        let (code, message) = only_problem(model.import());
        assert_eq!(code, "E0211", "{op}: {message}");
    }
}

#[test]
fn sequences_that_stay_sequences() {
    let held = Model::new(13).input("x", &[4]).node(node("SequenceConstruct", &["x"], &["s"], &[]));
    for (model, code, says) in [
        (held.clone().output("s"), "E0216", "'s' is a sequence"),
        (held.clone().node(node("Neg", &["s"], &["y"], &[])).output("y"), "E0216", "reads a sequence"),
        (
            held.clone()
                .typed_input("i", DType::I64, &[])
                .node(node("SequenceAt", &["s", "i"], &["y"], &[]))
                .output("y"),
            "E0210",
            "position",
        ),
        (
            held.weight(i64s("i", &[], &[7])).node(node("SequenceAt", &["s", "i"], &["y"], &[])).output("y"),
            "E0211",
            "position 7 in a sequence of 1",
        ),
    ] {
        let (found, message) = only_problem(model.import());
        assert!(found == code && message.contains(says), "{found} {message}");
    }
}

#[test]
fn bounds_of_a_clip_that_are_no_scalars() {
    for bound in [f32s("low", &[2], &[0.0, 1.0]), i64s("low", &[], &[0])] {
        // On an input and on a constant: neither the table nor the evaluator may take the bounds for what they are not.
        let clip = node("Clip", &["c", "low"], &["y"], &[]);
        let constant = Model::new(13)
            .weight(f32s("c", &[], &[0.5]))
            .weight(bound.clone())
            .node(clip.clone())
            .output("y");
        let variable = Model::new(13).input("c", &[2]).weight(bound).node(clip).output("y");
        for model in [constant, variable] {
            let (code, message) = only_problem(model.import());
            assert!(code == "E0211" && message.contains("bound"), "{code} {message}");
        }
    }
}
