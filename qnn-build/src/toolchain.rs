//! Which QNN libraries compile, and which build they are, without loading them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use qnn_platform::libs::{NotFound, Places, TOOLCHAIN_MANIFEST, library_file};
use serde::Deserialize;

use crate::error::{Error, io_problem};
use crate::job::{Diagnostic, Toolchain};
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
    let build_id = memo.fact("qnn-build-1", &identity, || build_id_of(&identity))?;
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
    let mut file = BufReader::with_capacity(1 << 20, File::open(library).map_err(read)?);
    // A build script runs without optimization; the standard library's own search does not.
    while file.skip_until(b'v').map_err(read)? > 0 {
        let id = digits_and_points(&mut file).map_err(read)?;
        if let Some(id) = parse_build_id(&id) {
            return Ok(id);
        }
    }
    Err(Diagnostic::new("E0408", "the QNN library does not tell its version")
        .at(library.display().to_string())
        .help("set QNN_LIB_DIR to the folder of a QNN SDK's libraries, or unset it to use the installed toolchain"))
}

/// The digits and points that come next, across the ends of buffers.
fn digits_and_points(file: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    const LONGEST: usize = 64;
    let mut id = Vec::new();
    loop {
        let buffer = file.fill_buf()?;
        let length = buffer.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let more = length == buffer.len() && length > 0 && id.len() < LONGEST;
        id.extend_from_slice(&buffer[..length]);
        file.consume(length);
        if !more {
            return Ok(id);
        }
    }
}

/// What stands after the `v`: three numbers and a time stamp of twelve digits or more, between points.
fn parse_build_id(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim_end_matches('.');
    let mut parts = text.split('.');
    let numbers = parts.by_ref().take(3).filter(|part| (1..=3).contains(&part.len())).count();
    let stamp = parts.next()?;
    (numbers == 3 && stamp.len() >= 12 && parts.next().is_none()).then(|| format!("v{text}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn id_in(bytes: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        build_id_of(file.path()).map_err(|problem| problem.code)
    }

    #[test]
    fn the_build_id_is_found_among_other_versions() {
        assert_eq!(
            id_in(b"\x7fELF v vv1.2 v8.1\0libv2.51.0.260929181845.\0v3"),
            Ok("v2.51.0.260929181845".to_owned())
        );
        assert_eq!(id_in(b"v1.2.3.4 v2.51.0"), Err("E0408".to_owned()));
        assert_eq!(id_in(b""), Err("E0408".to_owned()));
    }

    #[test]
    fn the_build_id_is_found_across_the_end_of_a_buffer() {
        for before in [(1 << 20) - 9, (1 << 20) - 1, 1 << 20] {
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice(b"v2.51.0.260929181845 more");
            assert_eq!(id_in(&bytes), Ok("v2.51.0.260929181845".to_owned()));
        }
    }

    #[test]
    fn a_missing_library_is_named() {
        assert_eq!(build_id_of(Path::new("/no/such/lib.so")).unwrap_err().code, "E0405");
    }
}
