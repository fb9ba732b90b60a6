//! The folder of a build: generated code, the artifact manifest, the stamp.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::files::write_if_changed;
use qnn_types::{ARTIFACT_MANIFEST, ArtifactManifest, Error, Result};

/// Name of the generated code, which `qnn::include_models!()` includes.
pub const CODE: &str = "qnn.rs";
/// Name of the log of a build.
pub const LOG: &str = "qnn.log";
/// Name of the stamp in a build script's folder: cargo runs the script again when it gets a new time.
pub const STAMP: &str = "qnn-stamp";

/// How names of artifacts end.
const ENDS: &[&str] = &[".bin", ".f16", ".json"];

/// Writes the stamp with a time long ago: the build script has just run.
///
/// # Errors
/// It cannot be written.
pub fn write_stamp(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join(STAMP);
    // Made anew, so that nothing is written through a link.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    file.set_modified(UNIX_EPOCH + Duration::from_secs(24 * 3600))?;
    Ok(path)
}

/// Writes the generated code, when it is another.
///
/// # Errors
/// `E0605` when it cannot be written.
pub fn write_code(folder: &Path, code: &str) -> Result<()> {
    let path = folder.join(CODE);
    write_if_changed(&path, code.as_bytes())
        .map_err(|error| Error::io("E0605", "cannot write", &path, &error))
}

/// The artifact manifest in `folder`; `None` where there is none that can be read.
pub fn read_artifacts(folder: &Path) -> Option<ArtifactManifest> {
    serde_json::from_slice(&fs::read(folder.join(ARTIFACT_MANIFEST)).ok()?).ok()
}

/// Writes the artifact manifest into `folder`, and removes the files that the one before it listed for these `packages` and this one does
/// not. What other packages' builds put there stays, and stays listed.
///
/// # Errors
/// It cannot be written.
pub fn write_artifacts(manifest: &ArtifactManifest, folder: &Path, packages: &[&str]) -> Result<PathBuf> {
    let path = folder.join(ARTIFACT_MANIFEST);
    let old = read_artifacts(folder).unwrap_or_default();
    let mut all = manifest.clone();
    for artifact in old.artifacts {
        if all.artifacts.iter().any(|new| new.file == artifact.file) {
            continue;
        }
        let is_ours = ENDS.iter().any(|end| artifact.file.ends_with(end));
        if packages.contains(&artifact.package.as_str()) {
            if is_ours {
                remove(folder, &artifact.file);
            }
        } else if folder.join(&artifact.file).is_file() {
            all.artifacts.push(artifact);
        }
    }
    for library in old.op_packages {
        if all.op_packages.iter().any(|new| new.file == library.file) {
            continue;
        }
        if packages.contains(&library.package.as_str()) {
            if library.file.ends_with(".so") {
                remove(folder, &library.file);
            }
        } else if folder.join(&library.file).is_file() {
            all.op_packages.push(library);
        }
    }
    let problem = |error: io::Error| Error::io("E0605", "cannot write", &path, &error);
    let mut json = serde_json::to_vec_pretty(&all).map_err(|error| problem(io::Error::other(error)))?;
    json.push(b'\n');
    fs::create_dir_all(folder).map_err(problem)?;
    write_if_changed(&path, &json).map_err(problem)?;
    Ok(path)
}

/// [`write_artifacts`] for a folder that is one package's alone: everything that was listed before is its own.
///
/// # Errors
/// It cannot be written.
pub fn write_own_artifacts(manifest: &ArtifactManifest, folder: &Path) -> Result<PathBuf> {
    let before = read_artifacts(folder).unwrap_or_default();
    let packages = before.artifacts.iter().map(|artifact| artifact.package.as_str());
    let libraries = before.op_packages.iter().map(|library| library.package.as_str());
    write_artifacts(manifest, folder, &packages.chain(libraries).collect::<Vec<_>>())
}

/// Removes a file that an earlier manifest listed: in the folder, or in one in it.
fn remove(folder: &Path, file: &str) {
    let parts: Vec<Component<'_>> = Path::new(file).components().collect();
    let is_inside = parts.iter().all(|part| matches!(part, Component::Normal(_))) && parts.len() <= 2;
    if is_inside && file != ARTIFACT_MANIFEST {
        let path = folder.join(file);
        // It may have been removed by hand.
        let _ = fs::remove_file(&path);
        if let (2, Some(parent)) = (parts.len(), path.parent()) {
            // A folder that is not empty stays.
            let _ = fs::remove_dir(parent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_stamp_is_old_after_every_run() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let path = write_stamp(folder.path()).unwrap();
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            assert!(modified < UNIX_EPOCH + Duration::from_secs(48 * 3600));
            File::options().append(true).open(path).unwrap().set_modified(SystemTime::now()).unwrap();
        }
    }
}
