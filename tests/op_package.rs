//! Op packages from C source to the emulator, with the vendor's real compiler; ONNX Runtime is the judge of what the kernels compute.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "faults/model.rs"]
#[allow(dead_code, reason = "the tests of faults use the rest")]
mod model;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use model::Model;
use qnn_compiler::npz::{self, Array};
use support::{Home, Said, installed};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The example's package, copied so that a test can change it.
struct Bench {
    home: Home,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { home: installed() };
        let example = root().join("examples/custom-op/audio-ops");
        for file in ["AudioOps.xml", "src/snake.c"] {
            bench.write(&format!("ops/{file}"), fs::read(example.join(file)).unwrap());
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Replaces text in a file of the package.
    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.path("ops").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "no {from:?} in {file}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Runs `cargo-qnn` in the test's folder.
    fn run(&self, args: &[&str]) -> Said {
        Said::from(self.home.command(args).current_dir(self.home.dir.path()).output().unwrap())
    }

    /// Compiles `Snake` of a small input alone.
    fn compile(&self, more: &[&str]) -> Said {
        let model = Model::new("x", &[1, 4, 6]).node("com.example.audio:Snake", "wave", "x", "y");
        self.write("m.onnx", model.bytes(&["y"]));
        self.run(&[&["compile", "m.onnx", "-o", "m.bin", "--soc", "SM8650"][..], more].concat())
    }

    fn exec(&self, more: &[&str]) -> Said {
        let data: Vec<u8> = (0..24).flat_map(|i| (i as f32 * 0.25 - 3.0).to_le_bytes()).collect();
        let array = Array { dtype: qnn::DataType::Float32, shape: vec![1, 4, 6], data };
        npz::write(&self.path("in.npz"), [("x", &array)]).unwrap();
        self.run(&[&["exec", "m.bin", "--inputs", "in.npz", "--outputs", "out.npz"][..], more].concat())
    }

    fn floats(&self, file: &str, name: &str) -> Vec<f32> {
        let arrays = npz::read(&self.path(file)).unwrap();
        let (_, array) = arrays.into_iter().find(|(found, _)| found == name).unwrap();
        array.data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }
}

#[test]
fn a_model_with_an_op_of_its_own_computes_what_onnx_runtime_computes() {
    let bench = Bench::new();
    let model = root().join("examples/custom-op/models/vocoder.onnx");
    bench.run(&["verify", model.to_str().unwrap(), "--soc", "SM8650", "--op-package", "ops"]).success();
    // The judge notices a kernel that computes something else.
    bench.change("src/snake.c", "x[i] + sin_squared", "x[i] - sin_squared");
    let said = bench.run(&["verify", model.to_str().unwrap(), "--soc", "SM8650", "--op-package", "ops"]);
    said.failure(1, &["wave"]);
}

#[test]
fn the_example_builds_registers_and_runs() {
    let home = installed();
    let manifest = root().join("examples/custom-op/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("custom-op");
    let run = || {
        let mut command = home.command(&["run", "--manifest-path", manifest.to_str().unwrap()]);
        Said::from(command.env("CARGO_TARGET_DIR", &target).output().unwrap()).success()
    };
    let said = run();
    assert!(said.stdout.contains("differs from the formula by at most"), "{}", said.stdout);
    let collected = target.join("debug/qnn");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(collected.join("qnn-manifest.json")).unwrap()).unwrap();
    let package = &json["op_packages"][0];
    assert_eq!((&package["target"], &package["file"]), (&"htp-x86".into(), &"libQnnAudioOps.so".into()));
    assert_eq!(package["provider"], "AudioOpsInterfaceProvider");
    assert!(collected.join("libQnnAudioOps.so").is_file());
}

#[test]
fn a_new_package_builds_and_runs_at_once_and_then_computes_what_is_written_into_it() {
    let bench = Bench::new();
    bench
        .run(&[
            "op", "new", "fresh", "--name", "Fresh", "--domain", "fresh", "--op", "Lift", "--param", "by=2.5",
        ])
        .success();
    bench.run(&["op", "check", "fresh"]).success();
    let built = bench.run(&["op", "build", "fresh", "--json"]).success();
    assert!(Path::new(built.json()[0]["library"].as_str().unwrap()).is_file());
    let model = Model::new("x", &[1, 4, 6]).node("fresh:Lift", "lift", "x", "y");
    bench.write("m.onnx", model.bytes(&["y"]));
    let compile = || {
        bench.run(&["compile", "m.onnx", "-o", "m.bin", "--soc", "SM8650", "--op-package", "fresh"]).success()
    };
    compile();
    bench.exec(&["--op-package", "fresh"]).success();
    assert_eq!(bench.floats("out.npz", "y"), bench.floats("in.npz", "x"), "it copies");

    let source = bench.path("fresh/src/package.c");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("to[i] = from[i];", "to[i] = from[i] + by;")).unwrap();
    compile();
    bench.exec(&["--op-package", "fresh"]).success();
    let lifted: Vec<f32> = bench.floats("in.npz", "x").iter().map(|x| x + 2.5).collect();
    assert_eq!(bench.floats("out.npz", "y"), lifted);
}

#[test]
fn a_standard_operator_is_replaced_and_a_kernel_that_changed_is_another_artifact() {
    let bench = Bench::new();
    let model = Model::new("x", &[1, 4, 6]).node("Softsign", "soft", "x", "y");
    bench.write("app/m.onnx", model.bytes(&["y"]));
    bench.write("app/src/main.rs", "fn main() {}\n");
    bench.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[package.metadata.qnn]\nsoc = [\"SM8650\"]\n\
         op-packages.audio = { path = \"../ops\", replace.Softsign = \"Snake\" }\nmodels.m.source = \"m.onnx\"\n",
    );
    let build = || {
        bench.run(&["build", "--artifacts-only", "--manifest-path", "app/Cargo.toml"]).success();
        let text = fs::read(bench.path("app/target/debug/qnn/qnn-manifest.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["artifacts"][0]["key"].clone()
    };
    let first = build();
    assert_eq!(build(), first);
    let binary = bench.path("app/target/debug/qnn/app/m.SM8650.bin");
    fs::copy(binary, bench.path("m.bin")).unwrap();
    bench.exec(&["--op-package", "ops"]).success();
    let snake = |x: &f32| x + x.sin().powi(2);
    let outputs = bench.floats("out.npz", "y");
    let worst = bench
        .floats("in.npz", "x")
        .iter()
        .zip(&outputs)
        .map(|(x, y)| (snake(x) - y).abs())
        .fold(0.0, f32::max);
    assert!(worst < 0.01, "{worst}: {outputs:?}");
    bench.change("src/snake.c", "x[i] + sin_squared", "x[i] - sin_squared");
    assert_ne!(build(), first);
}

#[test]
fn the_wheels_compiler_builds_for_every_architecture() {
    let bench = Bench::new();
    // One installation for all runs of the tests.
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hexagon");
    let run = |args: &[&str]| {
        let mut command = bench.home.command(args);
        command
            .env("CARGO_QNN_HOME", &data)
            .env_remove("HEXAGON_SDK_ROOT")
            .current_dir(bench.home.dir.path());
        Said::from(command.output().unwrap())
    };
    run(&["toolchain", "install", "hexagon"]).success();
    let built = run(&["op", "build", "ops", "--target", "hexagon", "--json"]).success().json();
    let targets: Vec<&str> =
        built.as_array().unwrap().iter().map(|one| one["target"].as_str().unwrap()).collect();
    assert_eq!(
        targets,
        ["hexagon-v68", "hexagon-v69", "hexagon-v73", "hexagon-v75", "hexagon-v79", "hexagon-v81"]
    );
    let again = run(&["op", "build", "ops", "--target", "hexagon", "--json"]).success().json();
    assert!(again.as_array().unwrap().iter().all(|one| one["linked"] == false), "{again}");
}

#[test]
fn an_op_without_its_package_is_told_from_an_operator_that_is_unknown() {
    let bench = Bench::new();
    let text = ["E0912", "operator Snake belongs to domain com.example.audio", "--op-package FOLDER"];
    bench.compile(&[]).failure(1, &text);
    bench.change("AudioOps.xml", "<Name>Snake<", "<Name>Snakes<");
    for (from, to) in [("Snake_", "Snakes_"), ("OP_Snake]", "OP_Snakes]")] {
        bench.change("src/snake.c", from, to);
    }
    let text =
        ["E0912", "the op package of domain com.example.audio has no op Snake", "did you mean `Snakes`?"];
    bench.compile(&["--op-package", "ops"]).failure(1, &text);
}

#[test]
fn a_context_binary_without_its_package_names_the_package() {
    let bench = Bench::new();
    bench.compile(&["--op-package", "ops"]).success();
    bench.exec(&["--op-package", "ops"]).success();
    let said = bench.run(&["inspect", "m.bin"]).success();
    assert!(said.stdout.contains("op package AudioOps 1.0.0: Snake"), "{}", said.stdout);
    bench.exec(&[]).failure(1, &["E0912", "needs op package AudioOps", "AudioOps::Snake", "--op-package"]);
}

#[test]
fn a_node_that_does_not_fit_its_definition_says_what_the_definition_lists() {
    let bench = Bench::new();
    let refused = |model: Model, texts: &[&str]| {
        bench.write("m.onnx", model.bytes(&["y"]));
        let compile = ["compile", "m.onnx", "-o", "m.bin", "--soc", "SM8650", "--op-package", "ops"];
        bench.run(&compile).failure(1, texts);
    };
    let op = "com.example.audio:Snake";
    let two = Model::new("x", &[4]).node(op, "wave", "x x", "y");
    refused(two, &["E0909", "has 1 inputs, the node 2", "node `wave`"]);
    let wide = Model::new("x", &[1, 1, 1, 2, 2]).node(op, "wave", "x", "y");
    refused(wide, &["E0909", "kernels get at most 4 axes"]);
    bench.change("AudioOps.xml", "<Rank>ND</Rank><Text>any", "<Rank>2D</Rank><Text>any");
    let three = Model::new("x", &[1, 2, 2]).node(op, "wave", "x", "y");
    refused(three, &["E0909", "input `x` of op Snake of package `AudioOps` is 2-D", "1x2x2"]);
    bench.change("AudioOps.xml", "<Rank>ND</Rank><Text>that", "<Rank>1D</Rank><Text>that");
    refused(Model::new("x", &[2, 2]).node(op, "wave", "x", "y"), &["E0910", "shapes.Snake"]);
    bench.change("AudioOps.xml", "<Mandatory>false", "<Mandatory>true");
    refused(
        Model::new("x", &[2, 2]).node(op, "wave", "x", "y"),
        &["E0909", "parameter `alpha`", "is missing"],
    );
}

#[test]
fn a_kernel_that_crashes_is_named_and_the_build_goes_on() {
    let crash = "*(volatile int *)8 = 1;";
    let bench = Bench::new();
    bench.change("src/snake.c", "    qhpi_shape shape", &format!("    {crash}\n    qhpi_shape shape"));
    bench.compile(&["--op-package", "ops"]).success();
    bench
        .exec(&["--op-package", "ops"])
        .failure(4, &["E0911", "AudioOps", "crashed", "SIGSEGV", "executing"]);

    // In the package's check, which runs when the model is compiled: another model is compiled all the same.
    let bench = Bench::new();
    bench.change(
        "src/snake.c",
        "    const qnn_scalar *alpha",
        &format!("    {crash}\n    const qnn_scalar *alpha"),
    );
    let named = ["E0911", "op AudioOps::Snake (node wave) crashed", "SIGSEGV", "composing the graph"];
    bench.compile(&["--op-package", "ops"]).failure(4, &named);
    bench.write("ok.onnx", Model::new("x", &[4]).node("Abs", "abs", "x", "y").bytes(&["y"]));
    let own = Model::new("x", &[4]).node("com.example.audio:Snake", "wave", "x", "y");
    bench.write("own.onnx", own.bytes(&["y"]));
    bench.write("src/main.rs", "fn main() {}\n");
    bench.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[package.metadata.qnn]\nsoc = [\"SM8650\"]\n\
         op-packages.audio.path = \"ops\"\nmodels.ok.source = \"ok.onnx\"\nmodels.own.source = \"own.onnx\"\n",
    );
    bench.run(&["build", "--artifacts-only"]).failure(4, &["E0911", "model `own`", "Compiled ok"]);
}

#[test]
fn a_package_that_the_library_refuses_says_why() {
    let bench = Bench::new();
    let own = "typedef struct { unsigned version[3]; void *functions[8]; } other;\n\
        __attribute__((visibility(\"default\"))) const char *qhpi_init(void) { return \"AudioOps\"; }\n\
        __attribute__((visibility(\"default\"))) unsigned long AudioOpsInterfaceProvider(other *to) {\n\
        other empty = {{9, 9, 9}, {0}}; *to = empty; return 0; }\n";
    bench.write("ops/src/snake.c", own);
    bench
        .compile(&["--op-package", "ops"])
        .failure(4, &["E0908", "op package `AudioOps` cannot be registered"]);

    // A function that nobody has is the linker's error, not the end of a process.
    bench.write(
        "ops/src/snake.c",
        own.replace("*to = empty;", "*to = empty; extern int nobody(void); return nobody();"),
    );
    bench.compile(&["--op-package", "ops"]).failure(1, &["E0906", "does not link", "nobody", "command: "]);
}

#[test]
fn definitions_are_checked_with_line_and_column() {
    let bench = Bench::new();
    bench.run(&["op", "check", "ops"]).success();
    bench.change("AudioOps.xml", "<Rank>SCALAR</Rank>", "<Rank>SCALER</Rank>");
    bench
        .run(&["op", "check", "ops"])
        .failure(1, &["E0901", "AudioOps.xml:27:24", "`SCALER` is no rank", "SCALAR"]);
    bench.compile(&["--op-package", "ops"]).failure(1, &["E0901", "AudioOps.xml:27:24"]);
    bench.change("AudioOps.xml", "<Rank>SCALER</Rank>", "<Rank>SCALAR</Rank>");
    bench.change("AudioOps.xml", "<Default>1.0<", "<Default>one<");
    let json = bench.run(&["op", "check", "ops", "--json"]);
    assert_eq!(json.json()["problems"][0]["code"], "E0902");
    json.failure(1, &["E0902", "AudioOps.xml:23:", "`one`"]);
}

/// A package with one op `A` of inputs and outputs of these names and one type.
fn package(
    bench: &Bench,
    name: &str,
    (inputs, outputs): (&str, &str),
    datatype: &str,
    run: &str,
    fields: &str,
) {
    let tensors = |element: &str, names: &str| -> String {
        let tensor = |name: &str| {
            format!(
                "<{element}><Name>{name}</Name><Mandatory>true</Mandatory><Datatype>QNN_DATATYPE_{datatype}</Datatype>\
                 <Shape><Rank>ND</Rank></Shape></{element}>"
            )
        };
        names.split_whitespace().map(tensor).collect()
    };
    let (inputs, outputs) = (tensors("Input", inputs), tensors("Output", outputs));
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OpDefCollection PackageName=\"{name}\" Domain=\"com.{name}\" Version=\"1.0\"><OpDefList>\n\
         <OpDef><Name>A</Name><Description><Content>a</Content></Description>{inputs}{outputs}<SupportedBackend>HTP</SupportedBackend></OpDef>\n\
         </OpDefList></OpDefCollection>\n"
    );
    bench.write(&format!("{name}/{name}.xml"), xml);
    let source = format!(
        "#include \"{name}_ops.h\"\nstatic const char *run_A(const qnn_kernel_args *args) {{\n\
         const float *from = qhpi_tensor_raw_data(args->inputs[0]);\nfloat *to = qhpi_tensor_raw_data(args->outputs[0]);\n\
         qhpi_shape out = qhpi_tensor_shape(args->outputs[0]);\n\
         size_t n = (size_t)out.dims[0] * out.dims[1] * out.dims[2] * out.dims[3];\nqnn_range part = qnn_my_part(args, n);\n\
         (void)from; (void)to; (void)part;\n{run}\nreturn NULL;\n}}\n\
         static const qnn_kernel_def KERNELS[QNN_PACKAGE_NUM_OPS] = {{[OP_A] = {{.run = run_A{fields}}}}};\nQNN_OP_PACKAGE(KERNELS)\n"
    );
    bench.write(&format!("{name}/src/a.c"), source);
}

/// Numbers without an order.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 65521) as f32 / 65521.0 - 0.5).collect()
}

impl Bench {
    fn compile_with(&self, package: &str, model: Vec<u8>) -> Said {
        self.write("m.onnx", model);
        self.run(&["compile", "m.onnx", "-o", "m.bin", "--soc", "SM8650", "--op-package", package])
    }

    fn exec_with(&self, package: &str, dims: &[u64], values: &[f32]) -> Said {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let array = Array { dtype: qnn::DataType::Float32, shape: dims.to_vec(), data };
        npz::write(&self.path("in.npz"), [("x", &array)]).unwrap();
        self.run(&["exec", "m.bin", "--inputs", "in.npz", "--outputs", "out.npz", "--op-package", package])
    }
}

const COPY: &str = "for (size_t i = part.begin; i < part.end; i++) to[i] = from[i];";

#[test]
fn ops_larger_than_the_fast_memory_are_divided_where_kernels_can_tell_and_refused_where_not() {
    let bench = Bench::new();
    // Only channels may be divided, and two outputs are made of the same parts.
    let two = "float *z = qhpi_tensor_raw_data(args->outputs[1]);\n\
               for (size_t i = part.begin; i < part.end; i++) { to[i] = from[i]; z[i] = -from[i]; }";
    let cases = [("Chan", "y", COPY, 3), ("Pair", "y z", two, 1)];
    for (name, outputs, run, axis) in cases {
        let fields = format!(", .tiled_axes = QNN_AXIS({axis}), .tiled_inputs = QNN_INPUT(0)");
        package(&bench, name, ("x", outputs), "FLOAT_32", run, &fields);
        let model = Model::new("x", &[1, 256, 256, 64]).node(&format!("com.{name}:A"), "a", "x", outputs);
        let outputs: Vec<&str> = outputs.split(' ').collect();
        bench.compile_with(name, model.bytes(&outputs)).success();
        let values = numbers(256 * 256 * 64);
        bench.exec_with(name, &[1, 256, 256, 64], &values).success();
        assert_eq!(bench.floats("out.npz", "y"), values, "{name}");
        if let [_, second] = outputs[..] {
            let negative: Vec<f32> = values.iter().map(|value| -value).collect();
            assert_eq!(bench.floats("out.npz", second), negative, "{name}");
        }
    }
    // Sums of pairs of rows: a part of the output says nothing of which rows are meant.
    let pairs = "size_t row = (size_t)out.dims[2] * out.dims[3];\nqnn_range rows = qnn_my_part(args, out.dims[1]);\n\
                 for (size_t r = rows.begin; r < rows.end; r++)\n\
                 for (size_t i = 0; i < row; i++) to[r * row + i] = from[2 * r * row + i] + from[(2 * r + 1) * row + i];";
    package(&bench, "Rows", ("x", "y"), "FLOAT_32", pairs, ", .tiled_axes = QNN_AXIS(1)");
    let model = |rows: i64| {
        let model = Model::new("x", &[1, rows, 256, 32]).node("com.Rows:A", "a", "x", "y");
        model.declared("y", &[1, rows / 2, 256, 32]).bytes(&["y"])
    };
    let said = bench.compile_with("Rows", model(448));
    said.failure(4, &["Rows::A", "tiled_axes", "axis 1 of `y` cannot be divided: input `x` has 448"]);
    // What fits is computed as before.
    bench.compile_with("Rows", model(32)).success();
    let values = numbers(32 * 256 * 32);
    bench.exec_with("Rows", &[1, 32, 256, 32], &values).success();
    let row = 256 * 32;
    let pair = |pair: &[f32]| (0..row).map(|i| pair[i] + pair[row + i]).collect::<Vec<f32>>();
    assert_eq!(bench.floats("out.npz", "y"), values.chunks(2 * row).flat_map(pair).collect::<Vec<f32>>());
    // One that says nothing of parts is told how.
    package(&bench, "Plain", ("x", "y"), "FLOAT_32", COPY, "");
    let model = Model::new("x", &[1, 256, 256, 33]).node("com.Plain:A", "a", "x", "y");
    bench.compile_with("Plain", model.bytes(&["y"])).failure(4, &["Plain::A", "tiled_axes"]);
}

#[test]
fn a_binary_of_another_version_of_a_package_does_not_run() {
    let bench = Bench::new();
    let times =
        |factor: u32| format!("for (size_t i = part.begin; i < part.end; i++) to[i] = {factor} * from[i];");
    package(&bench, "Ver", ("x", "y"), "FLOAT_32", &times(2), "");
    let model = Model::new("x", &[1, 8]).node("com.Ver:A", "a", "x", "y").bytes(&["y"]);
    bench.compile_with("Ver", model.clone()).success();
    bench.exec_with("Ver", &[1, 8], &[1.0; 8]).success();
    assert_eq!(bench.floats("out.npz", "y"), [2.0; 8]);
    // A kernel that is made anew is the same version, and what the binary was compiled for.
    package(&bench, "Ver", ("x", "y"), "FLOAT_32", &times(200), "");
    let xml = fs::read_to_string(bench.path("Ver/Ver.xml")).unwrap();
    bench.write("Ver/Ver.xml", xml.replace("Version=\"1.0\"", "Version=\"2.0\""));
    let said = bench.exec_with("Ver", &[1, 8], &[1.0; 8]);
    said.failure(1, &["E0912", "needs op package Ver", "in the version", "compile the model again"]);
    bench.compile_with("Ver", model).success();
    bench.exec_with("Ver", &[1, 8], &[1.0; 8]).success();
    assert_eq!(bench.floats("out.npz", "y"), [200.0; 8]);
    for version in ["new", "-1", "1.2.3.4", "1..2"] {
        bench.write("Ver/Ver.xml", xml.replace("Version=\"1.0\"", &format!("Version=\"{version}\"")));
        bench.run(&["op", "check", "Ver"]).failure(1, &["E0902", version]);
    }
}

#[test]
fn what_kernels_would_misread_is_refused_when_the_definition_is_read() {
    let bench = Bench::new();
    for (datatype, zero) in [("INT_16", "32768"), ("INT_8", "128")] {
        package(&bench, "Signed", ("x", "y"), datatype, "", "");
        bench.run(&["op", "check", "Signed"]).failure(1, &["E0902", datatype, zero, "SFIXED_POINT"]);
    }
    let inputs: Vec<String> = (0..17).map(|i| format!("x{i}")).collect();
    package(&bench, "Many", (&inputs.join(" "), "y"), "FLOAT_32", "", "");
    bench.run(&["op", "check", "Many"]).failure(1, &["E0902", "17 inputs", "at most 16"]);
    // Two packages of one domain with the same op.
    package(&bench, "One", ("x", "y"), "FLOAT_32", COPY, "");
    package(&bench, "Other", ("x", "y"), "FLOAT_32", COPY, "");
    let xml = fs::read_to_string(bench.path("Other/Other.xml")).unwrap();
    bench.write("Other/Other.xml", xml.replace("com.Other", "com.One"));
    bench.write("m.onnx", Model::new("x", &[1, 8]).node("com.One:A", "a", "x", "y").bytes(&["y"]));
    let both = ["--op-package", "One", "--op-package", "Other"];
    let args = [&["compile", "m.onnx", "-o", "m.bin", "--soc", "SM8650"][..], &both].concat();
    bench.run(&args).failure(1, &["E0902", "both have A", "com.One"]);
}

#[test]
fn a_package_made_from_definitions_copies_values_of_any_type() {
    let bench = Bench::new();
    for (datatype, in_c) in
        [("UFIXED_POINT_8", "uint8_t *to"), ("FLOAT_32", "float *to"), ("INT_32", "int32_t *to")]
    {
        package(&bench, "From", ("x", "y"), datatype, "", "");
        let folder = format!("made-{datatype}");
        bench.run(&["op", "new", &folder, "--from", "From/From.xml"]).success();
        let source = fs::read_to_string(bench.path(&format!("{folder}/src/package.c"))).unwrap();
        assert!(source.contains(in_c) && source.contains(".tiled_axes"), "{source}");
        bench.run(&["op", "build", &folder]).success();
    }
    let both = fs::read_to_string(bench.path("From/From.xml")).unwrap().replace(
        "<Datatype>QNN_DATATYPE_INT_32</Datatype>",
        "<Datatype>QNN_DATATYPE_FLOAT_32</Datatype><Datatype>QNN_DATATYPE_UFIXED_POINT_8</Datatype>",
    );
    bench.write("From/From.xml", both);
    bench.run(&["op", "new", "made", "--from", "From/From.xml"]).success();
    let model = Model::new("x", &[1, 8]).node("com.From:A", "a", "x", "y").bytes(&["y"]);
    bench.compile_with("made", model).success();
    let values = numbers(8);
    bench.exec_with("made", &[1, 8], &values).success();
    assert_eq!(bench.floats("out.npz", "y"), values);
}

#[test]
fn a_declared_shape_holds_for_an_output_that_is_not_kept() {
    let bench = Bench::new();
    let halves = "float *z = qhpi_tensor_raw_data(args->outputs[1]);\n\
                  for (size_t i = part.begin; i < part.end; i++) { to[i] = from[i]; z[i] = from[i + n]; }";
    package(&bench, "Two", ("x", "y z"), "FLOAT_32", halves, "");
    let model = Model::new("x", &[1, 8]).node("com.Two:A", "a", "x", "y z");
    let model = model.declared("y", &[1, 4]).declared("z", &[1, 4]).bytes(&["y"]);
    bench.compile_with("Two", model).success();
    let values = numbers(8);
    bench.exec_with("Two", &[1, 8], &values).success();
    assert_eq!(bench.floats("out.npz", "y"), values[..4]);
}
