//! The vendor's libraries and the reference engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use qnn_pipeline::toolchain::build_id_of;
use qnn_platform::env;
use qnn_platform::libs::{self, Places, QnnLibs, Source};

use super::Finding;
use crate::failure::list;
use crate::programs;
use crate::term::size;
use crate::toolchain::record::Record;

const INSTALL: &str = "cargo qnn toolchain install";

/// Why checks of the libraries do not run when there are none.
const NO_LIBRARIES: &str = "there are no QNN libraries to check";

fn found() -> Option<QnnLibs> {
    Places::from_env(None).qnn().ok()
}

pub(super) fn toolchain() -> Finding {
    let libs = match Places::from_env(None).qnn() {
        Ok(libs) => libs,
        Err(missing) => return Finding::fail(missing.looked.join("; "), missing.remedy),
    };
    let place = format!("{} ({})", libs.dir.display(), libs.source);
    match build_id_of(&libs.htp()) {
        Ok(id) if !libs.system().is_file() => Finding::fail(
            format!("build {id}, but libQnnSystem is missing in {place}"),
            reinstall(libs.source),
        ),
        Ok(id) => Finding::ok(format!("build {id}, {place}")),
        Err(problem) => Finding::fail(format!("{place}: {}", problem.message), reinstall(libs.source)),
    }
}

/// How to get a whole set of libraries, which depends on where they come from.
fn reinstall(source: Source) -> String {
    match source {
        Source::Toolchain => format!("{INSTALL} --force"),
        _ => format!("correct the folder ({source}), or unset it and run `{INSTALL}`"),
    }
}

pub(super) fn files() -> Finding {
    let Some(data) = libs::data_dir() else { return Finding::skip("there is no data folder") };
    let folder = libs::toolchain_dir(&data);
    let Some(record) = Record::read(&folder) else {
        return Finding::skip(format!("no toolchain is installed in {}", folder.display()));
    };
    let damage = record.check_contents(&folder);
    let htp = folder.join(libs::QNN_SUBDIR).join(libs::library_file("QnnHtp"));
    if let Ok(id) = build_id_of(&htp)
        && id != record.build_id
    {
        let found = format!("the library is build {id}, the toolchain's record says {}", record.build_id);
        Finding::fail(found, format!("{INSTALL} --force"))
    } else if damage.is_empty() {
        Finding::ok(format!("{} files, {}, as installed", record.files.len(), size(record.bytes())))
    } else {
        Finding::fail(list(damage), format!("{INSTALL} --force"))
    }
}

pub(super) fn libcxx() -> Finding {
    let Some(libs) = found() else { return Finding::skip(NO_LIBRARIES) };
    let missing = match missing_libraries(&libs.htp()) {
        Ok(missing) => missing,
        Err(reason) => return Finding::skip(reason),
    };
    if missing.is_empty() {
        return Finding::ok("everything that libQnnHtp needs is found by the system's loader");
    }
    Finding::fail(
        format!("the loader does not find {}", list(&missing)),
        format!(
            "the libraries find their C++ runtime in the folder {} beside their own: keep the two together, or `{INSTALL} --force`",
            libs::QNN_RUNTIME_SUBDIR
        ),
    )
}

pub(super) fn libatomic() -> Finding {
    const NAME: &str = "libatomic.so.1";
    let Some(libs) = found() else { return Finding::skip(NO_LIBRARIES) };
    let missing = match missing_libraries(&libs.system()) {
        Ok(missing) => missing,
        Err(reason) => return Finding::skip(reason),
    };
    if missing.iter().any(|name| name == NAME) {
        Finding::fail(
            format!("libQnnSystem needs {NAME}, and the loader does not find it"),
            "apt install libatomic1 (Debian, Ubuntu), dnf install libatomic (Fedora)",
        )
    } else if missing.is_empty() {
        Finding::ok("everything that libQnnSystem needs is found by the system's loader")
    } else {
        Finding::fail(format!("the loader does not find {}", list(&missing)), reinstall(libs.source))
    }
}

/// Names of the libraries that the system's loader does not find for `library`, as `ldd` tells.
fn missing_libraries(library: &Path) -> Result<Vec<String>, String> {
    if !cfg!(target_os = "linux") {
        return Err("only Linux has `ldd`".to_owned());
    }
    if !library.is_file() {
        return Err(format!("{} is not there", library.display()));
    }
    let output = programs::output_within(Command::new("ldd").arg(library), Duration::from_secs(8))
        .map_err(|error| format!("`ldd` could not be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("`ldd` refused {}: {said}", library.display()));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let missing = text.lines().filter_map(|line| line.trim().strip_suffix("=> not found"));
    Ok(missing.map(|name| name.trim().to_owned()).collect())
}

pub(super) fn library_path() -> Finding {
    let Some(path) = env::var(&env::LD_LIBRARY_PATH) else {
        return Finding::ok("LD_LIBRARY_PATH is not set");
    };
    let folders = std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
    let own = found().map(|libs| libs.dir);
    let holding: Vec<PathBuf> = folders
        .filter(|folder| Some(folder) != own.as_ref() && folder.join(libs::library_file("QnnHtp")).is_file())
        .collect();
    if holding.is_empty() {
        return Finding::ok("LD_LIBRARY_PATH has no folder with QNN libraries");
    }
    let names = list(holding.iter().map(|folder| folder.display()));
    Finding::warn(
        format!("LD_LIBRARY_PATH leads to other QNN libraries: {names}"),
        "an app that loads libQnnHtp.so by name takes those: take the folder out, or use it as QNN_LIB_DIR",
    )
}

pub(super) fn reference_engine() -> Finding {
    match Places::from_env(None).onnxruntime() {
        Ok((file, source)) => Finding::ok(format!("{} ({source})", file.display())),
        Err(missing) => Finding::warn(
            format!("{}: `cargo qnn verify` has nothing to compare with", missing.looked.join("; ")),
            missing.remedy,
        ),
    }
}

pub(super) fn sdk() -> Finding {
    let Some(root) = env::var(&env::QNN_SDK_ROOT).map(PathBuf::from) else {
        return Finding::skip(
            "QNN_SDK_ROOT is not set; the installed toolchain has all that compiling needs",
        );
    };
    match Places::from_env(None).qnn() {
        Ok(libs) if libs.source == Source::SdkRoot => Finding::ok(root.display().to_string()),
        Ok(libs) => Finding::ok(format!("{}, overridden: {}", root.display(), libs.source)),
        Err(missing) => Finding::fail(missing.looked.join("; "), missing.remedy),
    }
}
