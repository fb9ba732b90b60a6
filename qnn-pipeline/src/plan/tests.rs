use std::fs;

use super::*;
use crate::key::{Key, Makers};
use qnn_manifest::Overrides;
use qnn_types::SourceFormat;

/// Bytes of a small ONNX model: input `x` of `[?, 3]`, output `y`.
const MODEL: &[u8] = &[
    0x3a, 0x2a, // graph
    0x0a, 0x02, 0x22, 0x00, // a node
    0x5a, 0x13, 0x0a, 0x01, b'x', 0x12, 0x0e, 0x0a, 0x0c, 0x08, 0x01, 0x12, 0x08, // input, float32
    0x0a, 0x02, 0x12, 0x00, // a dimension with a name
    0x0a, 0x02, 0x08, 0x03, // 3
    0x62, 0x0f, 0x0a, 0x01, b'y', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, // output, float32
    0x0a, 0x02, 0x08, 0x03, // 3
];

/// The same with the name `n` for the free dimension.
const NAMED: &[u8] = &[
    0x3a, 0x2b, 0x0a, 0x02, 0x22, 0x00, 0x5a, 0x14, 0x0a, 0x01, b'x', 0x12, 0x0f, 0x0a, 0x0d, 0x08, 0x01,
    0x12, 0x09, 0x0a, 0x03, 0x12, 0x01, b'n', 0x0a, 0x02, 0x08, 0x03, 0x62, 0x0f, 0x0a, 0x01, b'y', 0x12,
    0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x03,
];

struct Package(tempfile::TempDir);

impl Package {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("m.onnx"), MODEL).unwrap();
        fs::write(folder.path().join("named.onnx"), NAMED).unwrap();
        Self(folder)
    }

    fn plan(&self, qnn: &str) -> Result<Plan> {
        let path = self.0.path().join("Cargo.toml");
        fs::write(&path, format!("[package]\nname = \"app\"\n{qnn}")).unwrap();
        let manifest = Manifest::load(&path, &Overrides::default())?;
        let toolchain = Toolchain { qnn_lib_dir: PathBuf::new(), onnxruntime: None };
        Plan::new(&manifest, &toolchain, &Memo::default(), &[])
    }

    fn problems(&self, qnn: &str) -> Vec<(String, String)> {
        let error = self.plan(qnn).expect_err("the plan should fail");
        error.problems.into_iter().map(|p| (p.code, p.message + "|" + &p.help.unwrap_or_default())).collect()
    }
}

#[test]
fn a_job_per_soc_without_repetition() {
    let plan = Package::new().plan(
        "[package.metadata.qnn]\nsoc = [\"SM8650\", \"v75\", 57, \"sm8750\"]\n\
         [package.metadata.qnn.models.a]\nsource = \"m.onnx\"\ninputs.x.shape = [2, 3]\nhtp.dlbc = true\n",
    );
    let plan = plan.unwrap();
    let jobs: Vec<(&str, u32)> = plan.jobs().map(|(_, job)| (job.soc.name.as_str(), job.soc.arch)).collect();
    assert_eq!(jobs, [("SM8650", 75), ("SM8750", 79)]);
    let job = &plan.models[0].jobs[0];
    assert_eq!((job.graphs[0].name.as_str(), job.format), ("a", SourceFormat::Onnx));
    assert_eq!(job.graphs[0].inputs["x"].shape.as_deref(), Some(&[2, 3][..]));
    assert_eq!(job.htp.dlbc, Some(true));
}

#[test]
fn problems_of_all_models_come_together() {
    let problems = Package::new().problems(
        "[package.metadata.qnn]\nsoc = [\"SM8560\", \"QCS6490\"]\n\
         [package.metadata.qnn.models.a]\nsource = \"n.onnx\"\n\
         [package.metadata.qnn.models.b]\nsource = \"m.onnx\"\nsoc = \"SM8650\"\nhtp.vtcm-mb = 16\ninputs.z.dtype = \"uint8\"\n\
         [package.metadata.qnn.models.c]\nsource = \"m.gguf\"\nsoc = \"SM8650\"\n\
         [package.metadata.qnn.models.d]\nsource = \"m.pt\"\nsoc = []\n",
    );
    let codes: Vec<&str> = problems.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(
        codes,
        ["E0105", "E0108", "E0114", "E0111", "E0112", "E0108", "E0107", "E0109"],
        "{problems:#?}"
    );
    let text = format!("{problems:?}");
    for part in ["`SM8650`", "`m.onnx`, which is there", "its inputs: x", "inputs.x.shape = [1, 3]"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn shapes_and_layouts_are_held_against_the_model() {
    let package = Package::new();
    let with = |inputs: &str| {
        let qnn =
            format!("[package.metadata.qnn.models.a]\nsoc = \"SM8650\"\nsource = \"m.onnx\"\n{inputs}\n");
        package.problems(&qnn).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    assert_eq!(with("inputs.x.shape = [1, 4]"), ["E0209"]);
    assert_eq!(with("inputs.x.shape = [1, 3, 1]"), ["E0209"]);
    assert_eq!(with("inputs.x = { shape = [1, 3], layout = \"nhwc\" }"), ["E0209"]);
}

#[test]
fn graphs_take_what_they_do_not_say_from_the_model() {
    let plan = Package::new().plan(
        "[package.metadata.qnn.models.a]\nsource = \"m.onnx\"\nsoc = \"SM8650\"\ninputs.x = { shape = [1, 3], dtype = \"float16\" }\n\
         graphs.one = {}\ngraphs.two.inputs.x.shape = [2, 3]\n",
    );
    let plan = plan.unwrap();
    let graphs = &plan.models[0].jobs[0].graphs;
    assert_eq!(graphs.iter().map(|graph| graph.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(graphs[0].inputs["x"].shape.as_deref(), Some(&[1, 3][..]));
    assert_eq!(graphs[1].inputs["x"].shape.as_deref(), Some(&[2, 3][..]));
    assert_eq!(graphs[1].inputs["x"].dtype.as_deref(), Some("float16"));
}

/// The table of a model with a named free dimension.
fn named(settings: &str) -> String {
    format!("[package.metadata.qnn.models.a]\nsource = \"named.onnx\"\nsoc = \"SM8650\"\n{settings}\n")
}

#[test]
fn dimensions_are_fixed_by_name_for_the_model_and_for_a_graph() {
    let plan = |settings: &str| Package::new().plan(&named(settings)).unwrap();
    let shapes = |plan: &Plan| -> Vec<Vec<u64>> {
        plan.models[0].jobs[0].graphs.iter().map(|graph| graph.inputs["x"].shape.clone().unwrap()).collect()
    };
    let by_name = plan("dims.n = 4\ninputs.x.dtype = \"float16\"");
    assert_eq!(shapes(&by_name), [[4, 3]]);
    assert_eq!(shapes(&plan("dims = { n = 4 }\ngraphs.one = {}\ngraphs.two.dims.n = 2")), [[4, 3], [2, 3]]);
    assert_eq!(shapes(&plan("graphs.one.dims.n = 5\ngraphs.two.inputs.x.shape = [6, 3]")), [[5, 3], [6, 3]]);
    // However it is said, it is the same artifact.
    let by_shape = plan("inputs.x = { shape = [4, 3], dtype = \"float16\" }");
    let key = |plan: &Plan| {
        let makers = Makers { engine: "engine", build_id: "v2.51.0" };
        Key::new(&plan.models[0].jobs[0], &plan.models[0].facts, makers, &Memo::default()).unwrap()
    };
    assert_eq!(key(&by_name), key(&by_shape));
    assert_ne!(key(&by_name), key(&plan("dims.n = 5\ninputs.x.dtype = \"float16\"")));
}

#[test]
fn dimensions_that_the_model_lacks_or_that_are_said_twice_are_refused() {
    let package = Package::new();
    let with = |settings: &str| package.problems(&named(settings));
    let unknown = with("dims = { n = 1, m = 2 }");
    assert_eq!(unknown.len(), 1, "{unknown:#?}");
    assert_eq!(unknown[0].0, "E0120");
    assert!(unknown[0].1.contains("`m`|its dimensions: n"), "{unknown:#?}");
    let twice = with("dims.n = 4\ninputs.x.shape = [2, 3]");
    assert_eq!(twice.len(), 1, "{twice:#?}");
    assert!(twice[0].0 == "E0209" && twice[0].1.contains("makes it 2"), "{twice:#?}");
    assert_eq!(with("graphs.one.dims.n = 4\ngraphs.one.inputs.x.shape = [2, 3]").len(), 1);
    assert_eq!(
        with("graphs.one.dims.n = 4\ngraphs.one.inputs.x.shape = [4, 3]\ngraphs.two.dims.m = 1").len(),
        2
    );
    let open = with("");
    assert!(open[0].0 == "E0112" && open[0].1.contains("[n, 3]"), "{open:#?}");
    assert!(open[0].1.contains("dims = { n = 1 }"), "{open:#?}");
    let open = with("graphs.one = {}");
    assert!(open[0].1.contains("graphs.one.dims = { n = 1 }"), "{open:#?}");
}

#[test]
fn a_normalization_that_does_not_fit_is_found_before_any_compile() {
    let package = Package::new();
    let with = |settings: &str| package.problems(&named(&format!("dims.n = 1\n{settings}")));
    for settings in
        ["inputs.x.mean = [1, 2]", "inputs.x.std = 0", "inputs.x = { mean = [1, 2, 3], std = [1, 2] }"]
    {
        let problems = with(settings);
        assert_eq!((problems.len(), problems[0].0.as_str()), (1, "E0209"), "{settings}: {problems:#?}");
    }
    let fine = "inputs.x = { scale = \"1/255\", mean = [1, 2, 3], std = 2, dtype = \"uint8\" }";
    let plan = package.plan(&named(&format!("dims.n = 1\n{fine}"))).unwrap();
    assert_eq!(plan.models[0].jobs[0].graphs[0].inputs["x"].scale, Some(1.0 / 255.0));
}

#[test]
fn a_dynamic_input_of_several_graphs_is_named_where_it_can_be_fixed() {
    let problems = Package::new().problems(
        "[package.metadata.qnn.models.a]\nsource = \"m.onnx\"\nsoc = \"SM8650\"\n\
         graphs.one.inputs.x.shape = [1, 3]\ngraphs.two = {}\n",
    );
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].1.contains("graphs.two.inputs.x.shape = [1, 3]"), "{problems:#?}");
}

#[test]
fn names_that_rust_cannot_have_or_tell_apart_are_refused() {
    let problems = Package::new().problems(
        "[package.metadata.qnn]\nsoc = \"SM8650\"\n\
         models.\"a b\" = { source = \"m.onnx\", inputs.x.shape = [1, 3] }\n\
         models.one-two = { source = \"m.onnx\", inputs.x.shape = [1, 3] }\n\
         models.one_two = { source = \"m.onnx\", inputs.x.shape = [1, 3] }\n",
    );
    let codes: Vec<&str> = problems.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["E0113", "E0113"], "{problems:#?}");
}

#[test]
fn a_ready_binary_takes_no_overrides() {
    let package = Package::new();
    fs::write(package.0.path().join("m.bin"), [1; 8]).unwrap();
    let problems = package.problems(
        "[package.metadata.qnn.models.a]\nsource = \"m.bin\"\nsoc = \"SM8650\"\ninputs.x.shape = [1]\noutputs = [\"y\"]\ndims.n = 1\n",
    );
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn a_package_without_models_is_told_how_to_declare_one() {
    let problems = Package::new().problems("");
    assert_eq!(problems[0].0, "E0101");
}
