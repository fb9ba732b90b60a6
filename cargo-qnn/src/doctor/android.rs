//! Building for and talking to Android devices. All of it is optional.

use std::process::Command;
use std::time::Duration;

use qnn_platform::{env, soc};

use super::Finding;
use crate::failure::list;
use crate::ndk::Ndk;
use crate::programs;

const TRIPLE: &str = "aarch64-linux-android";

pub(super) fn rust_target() -> Finding {
    let rustc = programs::find("rustc");
    let Some(rustc) = rustc else { return Finding::fail("rustc is not on PATH", "install Rust") };
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TRIPLE]);
    let Ok(output) = programs::output_within(&mut command, Duration::from_secs(8)) else {
        return Finding::skip("rustc does not answer");
    };
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && std::path::Path::new(&folder).is_dir() {
        Finding::ok(TRIPLE)
    } else {
        Finding::skip(format!("{TRIPLE} is not installed; needed only to build for phones"))
            .remedy(format!("rustup target add {TRIPLE}"))
    }
}

pub(super) fn ndk() -> Finding {
    match Ndk::find() {
        Ok(Some(ndk)) => Finding::ok(format!("{} ({})", ndk.root.display(), ndk.source)),
        Ok(None) => Finding::skip("not found; needed only to build for phones")
            .remedy("install it with Android Studio's SDK manager, and set ANDROID_NDK_HOME"),
        Err(failure) => Finding::warn(failure.message(), "correct the variable, or unset it"),
    }
}

pub(super) fn adb() -> Finding {
    let sdk = [&env::ANDROID_HOME, &env::ANDROID_SDK_ROOT].into_iter().find_map(env::var);
    let in_sdk = sdk.map(|root| std::path::Path::new(&root).join("platform-tools").join("adb"));
    let adb = programs::find("adb").or(in_sdk.filter(|adb| adb.is_file()));
    let Some(adb) = adb else {
        return Finding::skip("adb is not on PATH; needed only to run on a phone")
            .remedy("install the Android platform tools");
    };
    let run = |args: &[&str]| {
        let output = programs::output_within(Command::new(&adb).args(args), Duration::from_secs(4)).ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(devices) = run(&["devices"]) else {
        return Finding::warn("`adb devices` does not answer", "adb kill-server, then try again");
    };
    let serials: Vec<&str> = devices
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, s)| *s == "device")
        .map(|(d, _)| d)
        .collect();
    if serials.is_empty() {
        return Finding::skip(format!("no device is connected ({})", adb.display()));
    }
    let found = serials.iter().map(|serial| {
        let model = run(&["-s", serial, "shell", "getprop", "ro.soc.model"]).unwrap_or_default();
        match soc::find(model.trim()) {
            Ok(soc) => format!("{serial}: {} (v{})", soc.name, soc.arch),
            Err(_) => format!("{serial}: {}, which is not in the SoC table", model.trim()),
        }
    });
    Finding::ok(list(found))
}
