//! Which QNN libraries compile, and which build they are, without loading them.

use std::path::{Path, PathBuf};

use qnn_platform::build_id;
use qnn_platform::libs::{NotFound, Places, TOOLCHAIN_MANIFEST, library_file};
use serde::Deserialize;

use qnn_types::{Diagnostic, Error, Toolchain, io_problem};

use crate::memo::Memo;

/// The libraries of a build.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// As jobs carry it.
    pub toolchain: Toolchain,
    /// The vendor's build id, for example `v2.51.0.260929181845`.
    pub build_id: String,
    /// Which rule of the resolution order found them, in words.
    pub source: String,
    /// The file whose change means another toolchain: a build script watches it.
    pub identity: PathBuf,
}

/// The part of an installed toolchain's `toolchain.json` that is needed here.
#[derive(Deserialize)]
struct Installed {
    build_id: String,
}

/// Finds the libraries by the project's resolution order and tells their build. `explicit` wins over everything.
///
/// # Errors
/// `E0401` with every place that was looked at, `E0408` for a library without a version in it.
pub fn resolve(explicit: Option<&Path>, memo: &Memo) -> Result<Resolved, Error> {
    let places = Places::from_env(explicit);
    let libs = places.qnn().map_err(|missing| not_found(&missing))?;
    let onnxruntime = places.onnxruntime().ok().map(|(file, _)| file);
    let source = libs.source.to_string();
    let dir = std::path::absolute(&libs.dir).unwrap_or(libs.dir);

    let record = dir.with_file_name(TOOLCHAIN_MANIFEST);
    let installed =
        std::fs::read(&record).ok().and_then(|json| serde_json::from_slice::<Installed>(&json).ok());
    let toolchain = Toolchain { qnn_lib_dir: dir.clone(), onnxruntime };
    if let Some(Installed { build_id }) = installed {
        return Ok(Resolved { toolchain, build_id, source, identity: record });
    }
    let identity = dir.join(library_file("QnnHtp"));
    let build_id = memo.fact("qnn-build", &identity, || build_id_of(&identity))?;
    Ok(Resolved { toolchain, build_id, source, identity })
}

fn not_found(missing: &NotFound) -> Diagnostic {
    let problem = Diagnostic::new("E0401", format!("{} was not found", missing.library));
    missing.looked.iter().fold(problem, |problem, place| problem.note(place)).help(&missing.remedy)
}

/// The build id in a library file.
///
/// # Errors
/// `E0405` when the file cannot be read, `E0408` when it has no version in it.
pub fn build_id_of(library: &Path) -> Result<String, Diagnostic> {
    let read = |error| io_problem("E0405", "cannot read the QNN library", library, &error);
    if let Some(id) = build_id::of(library).map_err(read)? {
        return Ok(id);
    }
    Err(Diagnostic::new("E0408", "the QNN library does not tell its version")
        .at(library.display().to_string())
        .help("set QNN_LIB_DIR to the folder of a QNN SDK's libraries, or unset it to use the installed toolchain"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_library_without_a_version_and_a_missing_one_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"v1.2.3.4 v2.51.0").unwrap();
        assert_eq!(build_id_of(file.path()).unwrap_err().code, "E0408");
        assert_eq!(build_id_of(Path::new("/no/such/lib.so")).unwrap_err().code, "E0405");
    }
}
