//! `cargo qnn toolchain` with the vendor's real wheels.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{Home, Said, WHEELS, installed_alone, wheels};

/// Names of all entries of the toolchains' folder that are no toolchain.
fn leftovers(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.toolchains()).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(".staging") || name.starts_with(".downloads"));
    names
}

/// Copies of the wheels, to be damaged.
fn copied_wheels() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for wheel in WHEELS {
        fs::copy(wheels().join(wheel), folder.path().join(wheel)).unwrap();
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_installed_toolchain_has_the_libraries_their_runtime_and_the_licences() {
    let home = installed_alone();
    for file in [
        "onnxruntime_qnn/libQnnHtp.so",
        "onnxruntime_qnn/libQnnSystem.so",
        "onnxruntime_qnn/libQnnIr.so",
        "onnxruntime_qnn/Qualcomm_LICENSE.pdf",
        "onnxruntime_qnn.libs/libc++-71bc274c.so.1.0",
        "onnxruntime/libonnxruntime.so.1.31.1",
        "onnxruntime/LICENSE",
        "toolchain.json",
    ] {
        assert!(home.toolchain().join(file).is_file(), "{file}");
    }
    assert!(
        !home.toolchain().join("onnxruntime_qnn/libHtpPrepare.so").exists(),
        "a second copy of the compiler"
    );
    assert_eq!(leftovers(&home), [""; 0]);

    let list = home.run(&["toolchain", "list", "--json"]).success().json();
    assert_eq!(list[0]["name"], "qnn-2.51.0-linux-x86_64");
    assert_eq!(list[0]["build_id"], "v2.51.0.260929181845");
    assert_eq!((&list[0]["current"], &list[0]["intact"]), (&true.into(), &true.into()));

    let path = home.run(&["toolchain", "path"]).success();
    assert_eq!(path.stdout.trim(), text(&home.toolchain().join("onnxruntime_qnn")));
    // The loader finds everything from where the files are now.
    let doctor =
        home.run(&["doctor", "--json", "toolchain", "toolchain-files", "libcxx", "libatomic"]).success();
    assert_eq!(doctor.json()["verdict"], "ok", "{}", doctor.stdout);
}

#[test]
fn the_licence_is_named_before_anything_is_unpacked() {
    let home = Home::new();
    let said = home.run(&["toolchain", "install", "--from", text(&wheels())]).success();
    let licence = said.stderr.find("Qualcomm_LICENSE.pdf").unwrap();
    assert!(licence < said.stderr.find("Unpacking").unwrap(), "{}", said.stderr);
}

#[test]
fn pip_downloads_the_pinned_wheels() {
    let home = Home::new();
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let python = String::from_utf8(python.stdout).unwrap();
    let mut command = home.command(&["toolchain", "install"]);
    let said = Said::from(command.env("CARGO_QNN_INSTALLER", python.trim()).output().unwrap()).success();
    assert!(said.stderr.contains("by pip"), "{}", said.stderr);
    assert!(home.toolchain().join("onnxruntime_qnn/libQnnHtp.so").is_file());
}

#[test]
fn uv_downloads_the_pinned_wheels() {
    let home = Home::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv");
    let uv = folder.join("bin").join("uv");
    if !uv.is_file() {
        let pip = ["-m", "pip", "install", "--quiet", "--target", text(&folder), "uv"];
        assert!(Command::new("python3").args(pip).status().unwrap().success());
    }
    let said =
        Said::from(home.command(&["toolchain", "install"]).env("CARGO_QNN_INSTALLER", uv).output().unwrap());
    assert!(said.success().stderr.contains("by uv"));
    assert!(home.toolchain().join("onnxruntime_qnn.libs/libc++-71bc274c.so.1.0").is_file());
    let files = home.run(&["doctor", "--json", "toolchain-files"]).success().json();
    assert_eq!(files["checks"][0]["verdict"], "ok", "{files}");
}

#[test]
fn of_two_installations_at_once_one_installs_and_the_other_waits_for_it() {
    let home = Home::new();
    let spawn = || {
        let mut command = home.command(&["toolchain", "install", "--from", text(&wheels())]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [spawn(), spawn()].map(|child| Said::from(child.wait_with_output().unwrap()).success());
    let installed = both.iter().filter(|said| said.stderr.contains("   Installed")).count();
    let waited = both.iter().filter(|said| said.stderr.contains("   Unchanged")).count();
    assert_eq!((installed, waited), (1, 1), "{both:#?}");
    assert_eq!(leftovers(&home), [""; 0]);
}

#[test]
fn a_killed_installation_is_never_visible_and_the_next_one_is_whole() {
    let home = Home::new();
    let mut command = home.command(&["toolchain", "install", "--from", text(&wheels())]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // Kill it while it writes the largest library.
    let start = Instant::now();
    while !writing(&home) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        assert!(start.elapsed() < Duration::from_secs(60), "nothing was unpacked");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!home.toolchain().exists());
    assert_eq!(home.run(&["toolchain", "list", "--json"]).success().json(), serde_json::json!([]));

    home.run(&["toolchain", "install", "--from", text(&wheels())]).success();
    let files = home.run(&["doctor", "--json", "toolchain-files"]).success().json();
    assert_eq!(files["checks"][0]["verdict"], "ok", "{files}");
    assert_eq!(leftovers(&home), [""; 0]);
}

/// Whether a staging folder has a part of the compiler library.
fn writing(home: &Home) -> bool {
    let entries = fs::read_dir(home.toolchains()).into_iter().flatten().flatten();
    let staged = entries.map(|entry| entry.path().join("content/onnxruntime_qnn/libQnnHtp.so"));
    staged.into_iter().any(|file: PathBuf| file.metadata().is_ok_and(|meta| meta.len() > 0))
}

#[test]
fn offline_is_an_error_that_says_how_to_go_on() {
    let home = Home::new();
    let texts = ["E0409", "--offline", "pip download", "--from"];
    home.run(&["toolchain", "install", "--offline"]).failure(3, &texts);
    let mut command = home.command(&["toolchain", "install"]);
    Said::from(command.env("CARGO_NET_OFFLINE", "true").output().unwrap()).failure(3, &texts);
    home.run(&["toolchain", "path", "--offline"]).failure(3, &texts);
}

#[test]
fn offline_uses_wheels_that_an_interrupted_installation_downloaded() {
    let home = Home::new();
    let downloads = home.toolchains().join(".downloads");
    fs::create_dir_all(&downloads).unwrap();
    for wheel in WHEELS {
        fs::copy(wheels().join(wheel), downloads.join(wheel)).unwrap();
    }
    home.run(&["toolchain", "install", "--offline"]).success();
    assert_eq!(leftovers(&home), [""; 0]);
}

#[test]
fn a_download_that_was_cut_off_is_not_used() {
    let home = Home::new();
    let downloads = home.toolchains().join(".downloads");
    fs::create_dir_all(&downloads).unwrap();
    fs::copy(wheels().join(WHEELS[1]), downloads.join(WHEELS[1])).unwrap();
    fs::write(downloads.join(WHEELS[0]), b"PK\x03\x04 half").unwrap();
    let said = home.run(&["toolchain", "install", "--offline"]).failure(3, &["onnxruntime-qnn 2.7.0"]);
    assert!(!said.stderr.contains("onnxruntime 1.31.1"), "the whole one is asked for again: {}", said.stderr);
}

#[test]
fn a_wheel_with_one_wrong_byte_is_refused() {
    let home = Home::new();
    let folder = copied_wheels();
    let wheel = folder.path().join(WHEELS[0]);
    let mut bytes = fs::read(&wheel).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&wheel, bytes).unwrap();
    let said = home.run(&["toolchain", "install", "--from", text(folder.path())]);
    said.failure(3, &["E0402", "sha256 expected", "sha256 found", WHEELS[0]]);
    assert!(!home.toolchain().exists());
    assert_eq!(leftovers(&home), [""; 0]);
}

#[test]
fn a_missing_wheel_is_named_with_the_command_that_gets_it() {
    let home = Home::new();
    let folder = copied_wheels();
    fs::remove_file(folder.path().join(WHEELS[1])).unwrap();
    let said = home.run(&["toolchain", "install", "--from", text(folder.path())]);
    said.failure(3, &[WHEELS[1], "pip download", "onnxruntime==1.31.1"]);
}

#[test]
fn a_damaged_installation_is_found_and_repaired() {
    let home = installed_alone();
    let library = home.toolchain().join("onnxruntime_qnn/libQnnSystem.so");
    let bytes = fs::read(&library).unwrap();
    fs::write(&library, &bytes[..bytes.len() / 2]).unwrap();
    assert!(home.run(&["toolchain", "list"]).success().stdout.contains("damaged"));
    let doctor = home.run(&["doctor", "--json", "toolchain-files"]).failure(3, &[]).json();
    assert!(doctor["checks"][0]["detail"].as_str().unwrap().contains("libQnnSystem.so"), "{doctor}");

    home.run(&["toolchain", "install", "--from", text(&wheels())]).success();
    assert_eq!(fs::read(&library).unwrap(), bytes);
}

#[test]
fn without_an_installer_the_error_names_the_remedy() {
    let home = Home::new();
    let empty = tempfile::tempdir().unwrap();
    let said =
        Said::from(home.command(&["toolchain", "install"]).env("PATH", empty.path()).output().unwrap());
    said.failure(3, &["E0402", "neither `uv` nor a Python with `pip`", "apt install python3-pip", "--from"]);
}

#[test]
fn an_installer_that_fails_is_named_with_what_it_said() {
    let home = Home::new();
    let mut command = home.command(&["toolchain", "install"]);
    let said = Said::from(command.env("CARGO_QNN_INSTALLER", "/bin/false").output().unwrap());
    said.failure(3, &["E0402", "/bin/false"]);
}

#[test]
fn a_library_that_was_changed_after_the_installation_is_not_loaded() {
    let home = Home::new();
    home.run(&["toolchain", "install", "--from", text(&wheels())]).success();
    let library = home.toolchain().join("onnxruntime_qnn/libQnnSaver.so");
    let whole = fs::read(&library).unwrap();
    let mut bytes = whole.clone();
    bytes[4096] ^= 1;
    fs::write(&library, &bytes).unwrap();
    let digits =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/digits/models/digits.onnx");
    let out = home.dir.path().join("out.bin");
    let compile = ["compile", text(&digits), "--soc", "SM8650", "-o", text(&out)];
    home.run(&compile).failure(3, &["E0405", "libQnnSaver.so", "toolchain install --force"]);
    assert!(!out.exists());
    fs::write(&library, &whole[..1000]).unwrap();
    home.run(&compile).failure(3, &["E0405", "1000 bytes"]);
    // The command looks at the contents itself.
    fs::write(&library, &bytes).unwrap();
    let again = home.run(&["toolchain", "install", "--from", text(&wheels())]).success();
    assert!(again.stderr.contains("Installed"), "{}", again.stderr);
    home.run(&compile).success();
}
