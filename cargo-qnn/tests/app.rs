//! Apps made by `cargo qnn new` and `init`, built and run with the vendor's real libraries.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;
use support::{Home, Said, installed};

/// Apps share one target folder, so that their dependencies are built once; one test at a time uses it.
static TARGET: Mutex<()> = Mutex::new(());

fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("apps")
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Makes an app in `home` from this checkout's crates; it takes this workspace's locked versions, so nothing is downloaded.
fn new_app(home: &Home, name: &str, args: &[&str]) -> PathBuf {
    let folder = home.dir.path().join(name);
    let checkout = checkout().to_str().unwrap();
    let base = ["new", folder.to_str().unwrap(), "--vcs", "none", "--soc", "SM8650", "--path", checkout];
    home.run(&[&base, args].concat()).success();
    fs::copy(checkout_lock(), folder.join("Cargo.lock")).unwrap();
    folder
}

fn checkout_lock() -> PathBuf {
    checkout().join("Cargo.lock")
}

/// `cargo-qnn ARGS` in an app's folder, without network.
fn in_app(home: &Home, app: &Path, args: &[&str]) -> Said {
    let mut command = home.command(&[args, &["--offline"]].concat());
    command.current_dir(app).env("CARGO_TARGET_DIR", target_dir());
    Said::from(command.output().unwrap())
}

fn digits() -> String {
    checkout().join("examples/digits/models/digits.onnx").to_str().unwrap().to_owned()
}

#[test]
fn a_new_app_builds_and_computes_the_exclusive_or_in_the_emulator() {
    let _target = TARGET.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let home = installed();
    let app = new_app(&home, "first", &[]);
    let said = in_app(&home, &app, &["run"]).success();
    for line in ["0 xor 0 = 0.00", "0 xor 1 = 1.00", "1 xor 0 = 1.00", "1 xor 1 = 0.00"] {
        assert!(said.stdout.contains(line), "no {line:?} in:\n{}", said.stdout);
    }
    assert!(said.stderr.contains("Compiled xor (SM8650)"), "{}", said.stderr);
    let collected = target_dir().join("debug/qnn");
    assert!(
        collected.join("first/xor.SM8650.bin").is_file() && collected.join("qnn-manifest.json").is_file()
    );

    // Nothing changed: nothing is compiled, and the model's part of the build takes next to no time.
    let start = Instant::now();
    let again = in_app(&home, &app, &["build", "--artifacts-only"]).success();
    assert!(!again.stderr.contains("Compil"), "{}", again.stderr);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());

    in_app(&home, &app, &["clean"]).success();
    assert!(!collected.exists());
}

#[test]
fn an_app_around_a_model_of_the_user_builds_and_runs() {
    let _target = TARGET.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let home = installed();
    let app = new_app(&home, "second", &["--model", &digits()]);
    let said = in_app(&home, &app, &["run"]).success();
    assert!(said.stdout.contains("logits: ["), "{}", said.stdout);
    let verified = in_app(&home, &app, &["verify", "digits", "--json"]).success().json();
    assert_eq!(verified["ok"], true, "{verified}");
    assert!(verified["graphs"][0]["outputs"][0]["sqnr_db"].as_f64().unwrap() > 40.0, "{verified}");
}

#[test]
fn json_messages_describe_artifacts_and_problems() {
    let home = installed();
    let app = new_app(&home, "third", &[]);
    let messages = |args: &[&str]| {
        let args = [&["build", "--artifacts-only", "--message-format", "json"], args].concat();
        let target = home.dir.path().join("target");
        let mut command = home.command(&args);
        let said = Said::from(command.current_dir(&app).env("CARGO_TARGET_DIR", target).output().unwrap());
        let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (said, lines)
    };
    let (said, lines) = messages(&[]);
    said.success();
    assert_eq!(lines[0]["reason"], "qnn-artifact");
    assert_eq!((&lines[0]["fresh"], &lines[0]["soc"]), (&false.into(), &"SM8650".into()));
    assert!(Path::new(lines[0]["path"].as_str().unwrap()).is_file());
    assert_eq!(messages(&[]).1[0]["fresh"], true);

    let (said, lines) = messages(&["--soc", "SM8650,QCS6490"]);
    said.failure(1, &["error[qnn::E0106]: QCS6490 has no fp16 unit"]);
    assert_eq!((&lines[0]["reason"], &lines[0]["code"]), (&"qnn-diagnostic".into(), &"E0106".into()));
}

#[test]
fn without_the_libraries_and_offline_a_build_says_what_to_do() {
    let home = Home::new();
    let app = new_app(&home, "fourth", &[]);
    in_app(&home, &app, &["build"]).failure(3, &["E0409", "cargo qnn toolchain install"]);
    // A build without models needs no libraries.
    let dry = in_app(&home, &app, &["build", "--dry-run"]).success();
    assert!(
        dry.stdout.contains("xor for SM8650") && dry.stdout.contains("installed first"),
        "{}",
        dry.stdout
    );
}

/// A folder laid out as an Android NDK. A fake: no NDK can be had in these tests, and only its layout matters here.
fn fake_ndk(home: &Home) -> PathBuf {
    let root = home.dir.path().join("fake-ndk");
    let bin = root.join("toolchains/llvm/prebuilt/linux-x86_64/bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["aarch64-linux-android21-clang", "aarch64-linux-android35-clang", "llvm-ar"] {
        fs::write(bin.join(name), "").unwrap();
    }
    root
}

#[test]
fn a_dry_run_for_android_shows_plan_linker_and_command() {
    let home = installed();
    let app = new_app(&home, "fifth", &[]);
    let ndk = fake_ndk(&home);
    let dry_run = |args: &[&str], linker: Option<&str>| {
        let base = ["build", "--dry-run", "--target", "aarch64-linux-android", "--release"];
        let mut command = home.command(&[&base, args].concat());
        command.current_dir(&app).env("ANDROID_NDK_HOME", &ndk);
        if let Some(linker) = linker {
            command.env("CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER", linker);
        }
        Said::from(command.output().unwrap()).success().stdout
    };
    let shown = dry_run(&[], None);
    let clang = "fake-ndk/toolchains/llvm/prebuilt/linux-x86_64/bin/aarch64-linux-android21-clang";
    for text in [
        "fifth: xor for SM8650",
        "to be compiled",
        "CARGO_QNN=",
        &format!("CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER={}", home.dir.path().join(clang).display()),
        "CC_aarch64_linux_android=",
        "AR_aarch64_linux_android=",
        "build --release --target aarch64-linux-android",
    ] {
        assert!(shown.contains(text), "no {text:?} in:\n{shown}");
    }
    assert!(!target_dir().join("aarch64-linux-android").exists());

    assert!(dry_run(&["--android-api", "30"], None).contains("aarch64-linux-android35-clang"));
    let own = dry_run(&[], Some("/my/linker"));
    assert!(!own.contains("CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER="), "{own}");
    let json: Value = serde_json::from_str(&dry_run(&["--message-format", "json"], None)).unwrap();
    assert_eq!((&json["reason"], &json["models"][0]["fresh"]), (&"qnn-plan".into(), &false.into()));
}

#[test]
fn android_without_an_ndk_is_an_error_that_names_the_variables() {
    let home = installed();
    let app = new_app(&home, "sixth", &[]);
    let said = in_app(&home, &app, &["build", "--target", "aarch64-linux-android"]);
    said.failure(3, &["E0804", "ANDROID_NDK_HOME", "CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER"]);
}

#[test]
fn init_keeps_what_is_in_cargo_toml_and_takes_the_models_folder() {
    let home = Home::new();
    let app = home.dir.path().join("existing");
    fs::create_dir_all(app.join("models")).unwrap();
    fs::create_dir_all(app.join("src")).unwrap();
    fs::copy(digits(), app.join("models/digits.onnx")).unwrap();
    fs::write(app.join("src/main.rs"), "fn main() {}\n").unwrap();
    let before = "# My app.\n[package]\nname = \"existing\"   # keep\nversion = \"1.2.3\"\nedition = \"2021\"\n\n\
                  [dependencies]\n# none yet\n\n[profile.dev]\nopt-level = 1 # faster\n";
    fs::write(app.join("Cargo.toml"), before).unwrap();
    let init = |args: &[&str]| {
        let mut command = home.command(&[&["init", "--soc", "SM8650,SM8750"], args].concat());
        Said::from(command.current_dir(&app).output().unwrap()).success()
    };
    init(&[]);
    let after = fs::read_to_string(app.join("Cargo.toml")).unwrap();
    let mut rest = after.as_str();
    for line in before.lines() {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is gone or moved in:\n{after}"));
        rest = &rest[at + line.len()..];
    }
    assert!(after.contains("[package.metadata.qnn.models.digits]"), "{after}");
    assert!(after.contains("soc = [\"SM8650\", \"SM8750\"]"), "{after}");
    assert!(fs::read_to_string(app.join("build.rs")).unwrap().contains("qnn_build::compile()"));

    let again = init(&[]);
    assert!(again.stderr.contains("Unchanged"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(app.join("Cargo.toml")).unwrap(), after);

    let shown = home.command(&["show", "--json"]).current_dir(&app).output().map(Said::from).unwrap();
    let shown = shown.success().json();
    let settings = shown[0]["settings"].as_array().unwrap();
    let source = settings.iter().find(|setting| setting["key"] == "models.digits.source").unwrap();
    assert_eq!(source["layer"], "package");
    assert!(source["origin"].as_str().unwrap().contains("Cargo.toml:"), "{source}");
}
