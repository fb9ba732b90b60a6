//! A whole app under cargo: its build script calls this crate, its code uses what was generated with the real runtime crate.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use qnn_pipeline::driver::Silent;
use support::{App, MODEL};

const MAIN: &str = r#"
#![forbid(unsafe_code)]
#![forbid(missing_debug_implementations)]
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(non_snake_case)]
//! Names here that could be taken for those of the generated code.
#[derive(Debug, Clone, Copy)]
struct Box;
#[derive(Debug, Clone, Copy)]
struct Result;
#[derive(Debug, Clone, Copy)]
struct Ok;
mod core {}
mod std {}
mod qnn {}

::qnn::include_models!();

fn odd_inputs(half: &[::qnn::F16; 2]) -> Option<ok_odd_names::PreFillInputs<'_>> {
    Some(ok_odd_names::PreFillInputs { type_: half, _1st: &[1, 0], a_b: &[1, 2], a_b_2: &[-1, 1], input_ids: &[-1, 1] })
}

fn reuse(prepared: &mut ok::Prepared) -> ::core::result::Result<f32, ::qnn::Error> {
    let inputs: ok::InputsMut<'_> = prepared.inputs();
    *inputs.x = [1.0; 3];
    let outputs: ok::OutputsRef<'_> = prepared.run()?;
    ::core::result::Result::Ok(outputs.y[0])
}

fn main() {
    let _ = (Box, Result, Ok);
    for artifact in ok::ARTIFACTS {
        ::std::println!("{artifact:?}");
    }
    let outputs = ok::Outputs::default();
    let known: &dyn Fn(&ok::Model) -> (ok::Model, &::qnn::Device) = &|model| (model.clone(), model.device());
    let _ = known;
    ::std::println!("{:?} {}", outputs, outputs == ok::Outputs::zeroed());
    ::std::println!("{:?}", ok::Inputs { x: &ok::Inputs::zeroed_x() });
    if let Err(error) = ok::Inputs::x_from(&[0.0; ok::Inputs::X_LEN + 1]) {
        ::std::println!("{error}");
    }
    let x = [0.0_f32; 3];
    let inputs = ok::Inputs { x: &x };
    ::std::println!("{:?} {:?} {}", ok::Inputs::X_SHAPE, ok::Outputs::Y_SHAPE, inputs.x.len() + outputs.y.len());
    let run: fn(&ok::Model, ok::Inputs<'_>) -> ::core::result::Result<ok::Outputs, ::qnn::Error> = ok::Model::run;
    let _ = run;
    let load: fn(&::qnn::Backend, &::qnn::LoadOptions) -> ::core::result::Result<ok::Model, ::qnn::Error> = ok::Model::load_with;
    let prepare: fn(&ok::Model) -> ::core::result::Result<ok::Prepared, ::qnn::Error> = ok::Model::prepare;
    let _ = (load, prepare, reuse, ok_odd_names::Model::prepare_pre_fill);
    let prefill: fn(&ok_odd_names::Model, ok_odd_names::PreFillInputs<'_>) -> _ = ok_odd_names::Model::run_pre_fill;
    let _ = (prefill, ok_odd_names::Model::run_match_, ok_odd_names::Model::run__3d_into);
    if let Some(inputs) = odd_inputs(&[::qnn::F16(0); 2]) {
        ::std::println!("{:?} {:?}", inputs.type_, inputs.a_b_2);
    }
    let outputs = ok_odd_names::MatchOutputs::zeroed();
    ::std::println!("{} {:?}", outputs.self_.len(), ok_odd_names::G3dOutputs::Y_SHAPE);
    if cfg!(qnn_stub) {
        ::std::println!("a stub");
    }
}
"#;

/// An app in a folder that stays between test runs, so that its dependencies are built once.
struct CargoApp {
    app: App,
    folder: PathBuf,
}

impl CargoApp {
    fn new(name: &str) -> Self {
        let app = App::new(&["ok"]);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [dependencies]\nqnn = {{ path = {:?} }}\n[build-dependencies]\nqnn-build = {{ path = {:?} }}\n\
             [package.metadata.qnn]\nsoc = [\"SM8650\", \"SM8750\"]\nmodels.ok.source = \"ok.onnx\"\n\
             models.ok-odd-names = {{ source = \"ok.onnx\", embed = \"file\" }}\n[workspace]\n",
            root.join("qnn"),
            root.join("qnn-build"),
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        fs::write(folder.join("ok.onnx"), MODEL).unwrap();
        fs::write(folder.join("build.rs"), "fn main() { qnn_build::compile().unwrap_or_exit(); }\n").unwrap();
        fs::write(folder.join("src/main.rs"), MAIN).unwrap();
        Self { app, folder }
    }

    /// Stands in for `cargo-qnn`: this test program answers, with the fake worker.
    fn cargo_qnn(&self) -> PathBuf {
        let path = self.folder.join("cargo-qnn.sh");
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = script ] && exec {:?} answer_a_build_script --exact --ignored --nocapture\nexec {:?} \"$@\"\n",
            std::env::current_exe().unwrap(),
            support::fake_worker().path,
        );
        // Only when it is another: cargo watches it.
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            return path;
        }
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn cargo(&self, args: &[&str], envs: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO"))
            .args(args)
            .arg("--offline")
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("app-target"))
            .env("CARGO_QNN", self.cargo_qnn())
            .env("QNN_LIB_DIR", self.app.path("lib"))
            .env("QNN_CACHE_DIR", self.app.path("cache"))
            .env_remove("QNN_SDK_ROOT")
            .env_remove("QNN_BUILD")
            .env_remove("RUSTFLAGS")
            .envs(envs.iter().copied())
            .output()
            .unwrap()
    }
}

#[test]
#[ignore = "a process of other tests: answers the build script's request on standard input"]
fn answer_a_build_script() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let worker = support::fake_worker();
    let answer = qnn_pipeline::script::answer(&serde_json::from_str(&line).unwrap(), &worker, &Silent);
    println!("\n{}", serde_json::to_string(&answer).unwrap());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_app_builds_without_warnings_and_runs_and_is_not_built_twice() {
    let app = CargoApp::new("qnn-app");
    let out = app.cargo(&["run"], &[]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert!(out.status.success(), "{stderr}");
    // That names of the model are the same in Rust is told, once for each of its graphs; rustc has nothing to say.
    let warnings: Vec<&str> = stderr.lines().filter(|line| line.contains("warning")).collect();
    assert!(warnings.iter().all(|line| line.contains("qnn-app@")), "{stderr}");
    assert_eq!(stderr.matches("\"a.b\" is `a_b_2`").count(), 3, "{stderr}");
    assert!(stdout.contains("soc: \"SM8650\", soc_id: 57, arch: 75"), "{stdout}");
    assert!(stdout.contains("2 [1, 2]"), "{stdout}");
    assert!(stdout.contains("Outputs { y: [0.0, 0.0, 0.0] } true"), "{stdout}");
    assert!(stdout.contains("tensor `x` of graph `ok` has 3 elements; the slice has 4"), "{stdout}");
    assert!(stdout.contains("Embedded(") && stdout.contains("[1, 3] [3] 6"), "{stdout}");

    let again = text(&app.cargo(&["build"], &[]).stderr);
    assert!(!again.contains("Compiling"), "{again}");

    let stub = app.cargo(&["run"], &[("QNN_BUILD", "stub")]);
    let (stdout, stderr) = (text(&stub.stdout), text(&stub.stderr));
    assert!(
        stdout.contains("a stub") && stdout.contains("Stub(\"built with QNN_BUILD=stub\")"),
        "{stdout}{stderr}"
    );
    assert!(stderr.contains("models are stubs that cannot be loaded: ok"), "{stderr}");
    assert!(!stderr.contains("unused") && stub.status.success(), "{stderr}");

    fs::write(app.folder.join("ok.onnx"), "not a model").unwrap();
    let broken = app.cargo(&["build"], &[("QNN_SOC", "SM8560")]);
    let stderr = text(&broken.stderr);
    assert!(!broken.status.success());
    for part in ["qnn::E0105", "did you mean `SM8550`", "qnn::E0201", "not an ONNX file", "qnn.log"] {
        assert!(stderr.contains(part), "{part}\n{stderr}");
    }
    assert_eq!(stderr.matches("E0105").count(), 1, "nothing is said twice: {stderr}");
    assert_eq!(stderr.matches("E0201").count(), 2, "each model is told: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
