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
