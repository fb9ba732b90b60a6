//! What runs is what was compiled: apps built with `cargo qnn` and with cargo alone, whose models, options and folders change in between.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use support::{Home, Said, installed};

/// The model `y = x * factor` of four numbers, as ONNX.
fn times(factor: f32) -> Vec<u8> {
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }
    fn value(name: &str) -> Vec<u8> {
        let shape = field(2, &field(1, &[8, 4]));
        let tensor = [&[8, 1][..], &shape].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    }
    let names = [(1, "x"), (1, "f"), (2, "y"), (3, "n"), (4, "Mul")];
    let node: Vec<u8> = names.iter().flat_map(|(number, text)| field(*number, text.as_bytes())).collect();
    let data: Vec<u8> = [factor; 4].iter().flat_map(|value| value.to_le_bytes()).collect();
    let constant = [&[8, 4, 16, 1][..], &field(8, b"f"), &field(9, &data)].concat();
    let parts = [
        field(1, &node),
        field(2, b"g"),
        field(5, &constant),
        field(11, &value("x")),
        field(12, &value("y")),
    ];
    let version = field(8, &[16, 17]);
    [&[8, 8][..], &field(7, &parts.concat()), &version].concat()
}

const BUILD_RS: &str = "fn main() {\n    qnn_build::compile().unwrap_or_exit();\n}\n";

/// Prints the model's answer to ones, as a library and as a test do.
const LIB: &str = "
qnn::include_models!();

pub fn answer() -> Result<f32, qnn::Error> {
    let model = m::Model::load(&qnn::Backend::htp()?)?;
    Ok(model.run(m::Inputs { x: &[1.0; 4] })?.y[0])
}

#[test]
fn tests_find_the_model() {
    println!(\"test got {:.2}\", answer().unwrap());
}
";

const MAIN: &str = "fn main() {
    println!(\"got {:.2}\", CRATE::answer().unwrap());
}
";

/// Apps in a folder of their own, with a target folder that stays between test runs.
struct Apps {
    home: Home,
    target: PathBuf,
}

impl Apps {
    fn new(target: &str) -> Self {
        Self { home: installed(), target: Path::new(env!("CARGO_TARGET_TMPDIR")).join(target) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A package with the model `m`, whose manifest ends with `more`.
    fn package(&self, name: &str, more: &str) {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [dependencies]\nqnn = {{ path = {:?} }}\n[build-dependencies]\nqnn-build = {{ path = {:?} }}\n\
             [package.metadata.qnn]\nsoc = [\"SM8650\"]\n{more}\n[workspace]\n",
            checkout.join("qnn"),
            checkout.join("qnn-build"),
        );
        self.write(&format!("{name}/Cargo.toml"), &manifest);
        fs::copy(checkout.join("Cargo.lock"), self.path(name).join("Cargo.lock")).unwrap();
        self.write(&format!("{name}/build.rs"), BUILD_RS);
        self.write(&format!("{name}/src/lib.rs"), LIB);
        self.write(&format!("{name}/src/main.rs"), &MAIN.replace("CRATE", &name.replace('-', "_")));
    }

    fn model(&self, package: &str, factor: f32) {
        fs::write(self.path(package).join("m.onnx"), times(factor)).unwrap();
    }

    fn run_in(&self, mut command: Command, package: &str) -> Said {
        let command = command.current_dir(self.path(package)).env("CARGO_TARGET_DIR", &self.target);
        Said::from(command.output().unwrap())
    }

    /// `cargo qnn ARGS` in a package.
    fn qnn(&self, package: &str, args: &[&str]) -> Said {
        let args = [args, &["--offline"]].concat();
        self.run_in(self.home.command(&args), package)
    }

    /// `cargo ARGS` in a package, with nobody to set anything for it.
    fn cargo(&self, package: &str, args: &[&str]) -> Said {
        let template = self.home.command(&[]);
        let mut command = Command::new(env!("CARGO"));
        command.arg("--offline").args(args).env("CARGO_QNN", env!("CARGO_BIN_EXE_cargo-qnn"));
        for (name, value) in template.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None if name == "CARGO_QNN" => &mut command,
                None => command.env_remove(name),
            };
        }
        self.run_in(command, package)
    }

    fn collected(&self, package: &str) -> PathBuf {
        self.target.join("debug/qnn").join(package).join("m.SM8650.bin")
    }
}

#[track_caller]
fn said(said: &Said, text: &str) {
    assert!(said.stdout.contains(text), "no {text:?} in:\n{}\n{}", said.stdout, said.stderr);
}

#[test]
fn what_runs_is_what_was_compiled() {
    let apps = Apps::new("seams");
    apps.package("seam", "models.m.source = \"m.onnx\"");
    apps.model("seam", 1.0);
    let first = apps.qnn("seam", &["run"]).success();
    said(&first, "got 1.00");
    // The vendor's library has nothing to say where the app's answers go.
    assert_eq!(first.stdout, "got 1.00\n");

    // A model replaced by an older file: its time is before the last build.
    apps.model("seam", 2.0);
    let file = fs::File::options().append(true).open(apps.path("seam/m.onnx")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(400 * 24 * 3600)).unwrap();
    drop(file);
    said(&apps.qnn("seam", &["run"]).success(), "got 2.00");
    let again = apps.qnn("seam", &["build"]).success();
    assert!(!again.stderr.contains("Compiling"), "nothing changed: {}", again.stderr);
    let plain = apps.cargo("seam", &["build"]).success();
    assert!(!plain.stderr.contains("Compiling"), "nothing changed: {}", plain.stderr);

    // As files beside the app.
    apps.package("seam", "models.m = { source = \"m.onnx\", embed = \"file\" }");
    said(&apps.qnn("seam", &["run"]).success(), "got 2.00");
    let two = fs::read(apps.collected("seam")).unwrap();
    let option = "models.m = { source = \"m.onnx\", embed = \"file\", inputs.x.scale = 0.5 }";
    apps.package("seam", option);
    said(&apps.cargo("seam", &["run"]).success(), "got 1.00");
    assert_eq!(fs::read(apps.collected("seam")).unwrap(), two, "what is collected is not of this build");
    said(&apps.cargo("seam", &["test", "--", "--nocapture"]).success(), "test got 1.00");
    // An installed app, far from where it was built, says what is wrong.
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    fs::copy(apps.target.join("debug/seam"), &app).unwrap();
    fs::create_dir_all(folder.path().join("qnn/seam")).unwrap();
    fs::write(folder.path().join("qnn/seam/m.SM8650.bin"), &two).unwrap();
    let moved = apps.target.with_file_name("seams-moved");
    fs::rename(&apps.target, &moved).unwrap();
    let mut command = Command::new(&app);
    command.env("CARGO_QNN_HOME", apps.home.data()).env("RUST_BACKTRACE", "0");
    let refused = Said::from(command.output().unwrap());
    fs::rename(&moved, &apps.target).unwrap();
    assert!(refused.stderr.contains("is not the one that the app was built with"), "{refused:?}");

    // Models that need a feature, and names of no feature.
    let gated = "models.m.source = \"m.onnx\"\nmodels.big = { source = \"m.onnx\", features = [\"big\"], outputs = [\"y\"] }\n[features]\nbig = []";
    apps.package("seam", gated);
    let without = apps.qnn("seam", &["build"]).success();
    assert!(!without.stderr.contains(" big "), "{}", without.stderr);
    assert!(!apps.target.join("debug/qnn/seam/big.SM8650.bin").exists());
    let lib = format!("{LIB}\n#[cfg(feature = \"big\")]\npub use big::NAME;\n");
    apps.write("seam/src/lib.rs", &lib);
    apps.qnn("seam", &["build", "--features", "big"]).success();
    assert!(apps.target.join("debug/qnn/seam/big.SM8650.bin").exists());
    apps.package("seam", &gated.replace("[\"big\"]", "[\"bigg\"]"));
    apps.qnn("seam", &["build"]).failure(1, &["E0122", "did you mean `big`?", "Cargo.toml"]);
}

#[test]
fn models_of_dependencies_are_compiled_and_found() {
    let apps = Apps::new("seams-dependency");
    apps.package("with-model", "models.m = { source = \"m.onnx\", embed = \"file\" }");
    apps.model("with-model", 3.0);
    apps.write(
        "user/Cargo.toml",
        "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nwith-model = { path = \"../with-model\" }\n[workspace]\n",
    );
    fs::copy(apps.path("with-model/Cargo.lock"), apps.path("user/Cargo.lock")).unwrap();
    apps.write("user/src/main.rs", &MAIN.replace("CRATE", "with_model"));
    let ran = apps.qnn("user", &["run"]).success();
    said(&ran, "got 3.00");
    assert!(ran.stderr.contains("Compiled m (SM8650)"), "{}", ran.stderr);
    assert!(apps.collected("with-model").is_file());

    // A package that has nothing to do with models is built as cargo builds it.
    apps.write(
        "plain/Cargo.toml",
        "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    apps.write("plain/src/main.rs", "fn main() {\n    println!(\"plain\");\n}\n");
    let plain = apps.qnn("plain", &["run"]).success();
    said(&plain, "plain");
    assert!(plain.stderr.contains("warning[qnn::E0101]"), "{}", plain.stderr);

    // An app that is killed has the exit code that a shell would give.
    apps.write("plain/src/main.rs", "fn main() {\n    std::process::abort();\n}\n");
    apps.qnn("plain", &["run"]).failure(134, &["signal: 6"]);

    // A package with models and nothing that brings them into the app.
    apps.package("forgotten", "models.m.source = \"m.onnx\"");
    apps.model("forgotten", 3.0);
    fs::remove_file(apps.path("forgotten/build.rs")).unwrap();
    apps.write("forgotten/src/lib.rs", "pub fn answer() -> Result<f32, ()> {\n    Ok(0.0)\n}\n");
    let built = apps.qnn("forgotten", &["build"]).success();
    assert!(built.stderr.contains("E0123") && built.stderr.contains("cargo qnn init"), "{}", built.stderr);
}
