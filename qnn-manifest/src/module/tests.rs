use std::collections::BTreeMap;

use super::*;
use qnn_types::{InputSpec, TensorInfo};

fn tensor(name: &str, dtype: &str, shape: &[u64]) -> TensorInfo {
    let (name, dtype) = (name.to_owned(), dtype.to_owned());
    TensorInfo { name, dtype, shape: shape.to_vec(), ..TensorInfo::default() }
}

fn soc() -> Target {
    Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true }
}

fn file() -> Placement {
    Placement::File(FileCode {
        package: "app".to_owned(),
        name: "digits.SM8650.bin".to_owned(),
        bytes: 100,
        checksum: "00ab00000000cdef".to_owned(),
        local: true,
    })
}

fn code(graphs: &[GraphInfo], placement: Placement) -> Result<String, Vec<Diagnostic>> {
    code_and_warnings(graphs, placement).map(|(code, _)| code)
}

fn code_and_warnings(
    graphs: &[GraphInfo],
    placement: Placement,
) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
    let input = InputSpec { layout: Some("nhwc".to_owned()), scale: Some(0.25), ..InputSpec::default() };
    let specs = [GraphSpec {
        name: "digits".to_owned(),
        inputs: BTreeMap::from([("image".to_owned(), input)]),
        tokens: None,
    }];
    let soc = soc();
    generate(
        &[ModelCode {
            name: "digits",
            source: "digits.onnx".to_owned(),
            graphs,
            specs: &specs,
            socs: vec![SocCode { soc: &soc, build_id: "v2.51.0", placement, op_packages: Vec::new() }],
        }],
        &[],
    )
}

fn digits() -> GraphInfo {
    GraphInfo {
        name: "digits".to_owned(),
        inputs: vec![tensor("image", "float32", &[1, 8, 8, 1])],
        outputs: vec![TensorInfo { quant: Some((0.5, -3)), ..tensor("logits", "ufixed8", &[1, 10]) }],
    }
}

#[test]
fn a_model_has_fixed_shapes_constants_and_a_run_method() {
    let code = code(&[digits()], Placement::Bytes("digits.SM8650.bin".to_owned())).unwrap();
    for line in [
        "pub mod digits {",
        "&::qnn::__private::v1::Aligned(*::core::include_bytes!(\"digits.SM8650.bin\"));",
        "::qnn::__private::v1::artifact(NAME, (\"SM8650\", 57, 75), \"v2.51.0\", ::qnn::__private::v1::embedded(&BYTES_SM8650.0), &[]),",
        "::qnn::__private::v1::bind(&inner, \"digits\", &[(\"image\", \"float32\", &[1, 8, 8, 1])], &[(\"logits\", \"ufixed8\", &[1, 10])])?,",
        "/// `image`: float32 [1, 8, 8, 1], NHWC, row-major; the model gets q * 0.25 of each number q.",
        "pub image: &'a [f32; 64],",
        "pub const IMAGE_SHAPE: [usize; 4] = [1, 8, 8, 1];",
        "pub const IMAGE_LEN: usize = 64;",
        "pub fn image_from(values: &[f32]) -> ::core::result::Result<&[f32; 64], ::qnn::Error> {",
        "pub fn zeroed_image() -> ::std::boxed::Box<[f32; 64]> {",
        "pub fn device(&self) -> &::qnn::Device {",
        "pub logits: ::std::boxed::Box<[u8; 10]>,",
        "pub const LOGITS_QUANT: (f32, i32) = (0.5, -3);",
        "pub fn run(&self, inputs: Inputs<'_>) -> ::core::result::Result<Outputs, ::qnn::Error> {",
    ] {
        assert!(code.contains(line), "{line}\n{code}");
    }
}

#[test]
fn several_graphs_have_types_and_methods_of_their_own() {
    let graph = |name: &str| GraphInfo { name: name.to_owned(), ..digits() };
    let code = code(&[graph("pre-fill"), graph("decode")], file());
    let code = code.unwrap();
    for line in [
        "pub struct PreFillInputs<'a> {",
        "pub fn run_pre_fill(&self, inputs: PreFillInputs<'_>)",
        "pub fn run_decode_into(&self, inputs: DecodeInputs<'_>, outputs: &mut DecodeOutputs)",
        "::qnn::__private::v1::file(\"app\", \"digits.SM8650.bin\", 100, 0x00ab00000000cdef, ",
        "::core::option::Option::Some(::core::concat!(::core::env!(\"OUT_DIR\"), \"/\", \"digits.SM8650.bin\"))",
        "::qnn::__private::v1::bind(&inner, \"pre-fill\", ",
        "pub fn prepare_decode(&self) -> ::core::result::Result<DecodePrepared, ::qnn::Error> {",
    ] {
        assert!(code.contains(line), "{line}\n{code}");
    }
}

#[test]
fn a_stub_without_shapes_has_slices() {
    let mut graph = digits();
    graph.outputs[0].shape = vec![0];
    let code = code(&[graph], Placement::Stub("no toolchain".to_owned())).unwrap();
    assert!(code.contains("pub logits: ::std::boxed::Box<[u8]>,"), "{code}");
    assert!(!code.contains("LOGITS_SHAPE"), "{code}");
    assert!(code.contains("v1::stub(\"no toolchain\")"), "{code}");
}

#[test]
fn a_dtype_without_rust_type_is_an_error_that_names_the_tensor() {
    let mut graph = digits();
    graph.inputs[0].dtype = "bfloat16".to_owned();
    let problems = code(&[graph], file()).unwrap_err();
    assert_eq!((problems[0].code.as_str(), problems[0].model.as_deref()), ("E0304", Some("digits")));
    assert!(problems[0].message.contains("`image`"));
}

#[test]
fn names_from_model_files_cannot_leave_their_place() {
    let mut graph = digits();
    graph.name = "a\n`\"}".to_owned();
    graph.inputs[0].name = "in\"), evil(\"\n*/".to_owned();
    let code = code(&[graph], Placement::Stub("x\"\n".to_owned())).unwrap();
    assert!(code.contains(r#"("in\"), evil(\"\n*/", "#), "{code}");
    assert!(
        code.lines().all(|line| !line.trim_start().starts_with("evil") && !line.contains("*/.")),
        "{code}"
    );
}

#[test]
fn names_that_collide_are_told_and_an_exact_one_wins() {
    let mut graph = digits();
    graph.inputs = ["x.1", "x_1"].map(|name| tensor(name, "float32", &[4])).to_vec();
    let (code, warnings) = code_and_warnings(&[graph], file()).unwrap();
    for pair in [
        "[(\"x.1\", \"float32\", &[4]), (\"x_1\", \"float32\", &[4])]",
        "[::qnn::Tensor::of(&inputs.x_1_2[..]), ::qnn::Tensor::of(&inputs.x_1[..])]",
    ] {
        assert!(code.contains(pair), "{pair}\n{code}");
    }
    assert_eq!((warnings.len(), warnings[0].code.as_str()), (1, "E0121"));
    assert!(warnings[0].to_string().contains("\"x.1\" is `x_1_2`"), "{}", warnings[0]);
    assert!(code_and_warnings(&[digits()], file()).unwrap().1.is_empty());
}

#[test]
fn characters_that_turn_the_direction_of_text_are_written_as_escapes() {
    let mut graph = digits();
    graph.name = "a\u{202e}b".to_owned();
    graph.inputs[0].name = "image\u{2066}\u{7}".to_owned();
    let code = code(&[graph], file()).unwrap();
    assert!(
        code.contains("graph `a\\u{202e}b`") && code.contains("`image\\u{2066}\\u{7}`: float32"),
        "{code}"
    );
    assert!(!code.contains(|c: char| DIRECTIONS.contains(&c) || (c.is_control() && c != '\n')), "{code}");
}
