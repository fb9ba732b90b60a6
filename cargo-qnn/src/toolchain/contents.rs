//! What the files of the toolchain are: pinned one by one, for a downloader may hand over what it unpacked earlier, and files on a disk
//! change.

use std::path::Path;

use qnn_pipeline::Memo;
use qnn_platform::libs;
use qnn_types::Diagnostic;

use super::record::{FileRecord, sha256_file};
use crate::codes;

/// A file that is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its path in the toolchain.
    pub(crate) path: &'static str,
    pub(crate) bytes: u64,
    /// sha256, hexadecimal.
    pub(crate) sha256: &'static str,
}

const fn known(path: &'static str, bytes: u64, sha256: &'static str) -> Known {
    Known { path, bytes, sha256 }
}

/// Files of the pinned wheel of onnxruntime-qnn for x86-64 Linux.
#[rustfmt::skip]
pub(super) const ONNXRUNTIME_QNN: &[Known] = &[
    known("onnxruntime_qnn/LICENSE", 1_140, "f11e754f932564a0d8a9ad2c233bf671253dde137d3e2ef3082448bbe83e1764"),
    known("onnxruntime_qnn/Qualcomm_LICENSE.pdf", 147_577, "ec1dccfdcba5c6e64126e84199b8362bf4999107bfa567ebe831dbb4c461692b"),
    known("onnxruntime_qnn/ThirdPartyNotices.txt", 69_810, "d039f057d20690116daa1fc65165cd0221ee168208d770062a84c1b4d579abb1"),
    known("onnxruntime_qnn/libQnnHtp.so", 106_290_201, "66fbcc1a97b3ca186c0170123e03978f2351222d59b2e9ceb0202e4a9b0116c0"),
    known("onnxruntime_qnn/libQnnIr.so", 3_705_073, "a43ff16156b2abacf3b43ccbe137901222dba270ced27fa4cf528946a38ab5a7"),
    known("onnxruntime_qnn/libQnnSaver.so", 474_385, "21e2470993e2bc2eae5f24ac9735cc914f52f448cb539797c7af71f9dca2477c"),
    known("onnxruntime_qnn/libQnnSystem.so", 5_385_113, "a5441fe0307cfb10478d18f6de16053f3b111eaa01ff3975a54b10afdfa33a38"),
    known("onnxruntime_qnn.libs/libc++-71bc274c.so.1.0", 1_364_457, "46cee8e5f62e9b4a79b863b058879c5e9d4f41841650841df6f6669ebef2e2e2"),
    known("onnxruntime_qnn.libs/libc++abi-0539aa51.so.1.0", 259_161, "2cb6d3e6acc815575d5a76acb45f99ae4ed5a4fcc04febaa8cd8981e07b89a47"),
    known("onnxruntime_qnn.libs/libunwind-6b740a46.so.1.0", 45_809, "a00822cc6221850754a491cbafa2b2e2fefac06f61f108cc8e80f0869fe5f724"),
];

/// Files of the pinned wheel of onnxruntime for x86-64 Linux.
#[rustfmt::skip]
pub(super) const ONNXRUNTIME: &[Known] = &[
    known("onnxruntime/LICENSE", 1_073, "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c"),
    known("onnxruntime/ThirdPartyNotices.txt", 338_088, "143764b952fdb1a7c69ce653bfba74a7744d6a8a573bfb73e235fba356c83de3"),
    known("onnxruntime/libonnxruntime.so.1.31.1", 29_352_200, "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3"),
];

/// The first of these unpacked files that is not the pinned one, or is missing.
pub(super) fn differs<'a>(known: &'a [Known], unpacked: &[FileRecord]) -> Option<&'a Known> {
    known.iter().find(|known| {
        !unpacked
            .iter()
            .any(|file| file.path == known.path && file.bytes == known.bytes && file.sha256 == known.sha256)
    })
}

/// Holds the libraries of the installed toolchain against what is pinned, when `libraries` is its folder; those that the user
/// names are the user's. A file is hashed once for each state it is in.
///
/// # Errors
/// `E0405`.
pub(crate) fn check(libraries: &Path, memo: &Memo) -> Result<(), Diagnostic> {
    let Some(folder) = libraries.parent() else { return Ok(()) };
    let ours = folder.file_name().is_some_and(|name| *name == *libs::toolchain_id())
        && folder.join(libs::TOOLCHAIN_MANIFEST).is_file();
    let known = super::pins::Product::Qnn.host().into_iter().flat_map(|platform| platform.wheels);
    for known in known.flat_map(|pin| pin.files).filter(|_| ours) {
        is_pinned(folder, known, memo).map_err(|why| damaged(folder, known, &why))?;
    }
    Ok(())
}

fn is_pinned(folder: &Path, known: &Known, memo: &Memo) -> Result<(), String> {
    let file = folder.join(known.path);
    let found = std::fs::metadata(&file).map_err(|error| error.to_string())?.len();
    if found != known.bytes {
        return Err(format!("it has {found} bytes and should have {}", known.bytes));
    }
    let sha256 = memo.fact("sha256", &file, || sha256_file(&file)).map_err(|error| error.to_string())?;
    if sha256 == known.sha256 {
        Ok(())
    } else {
        Err("its contents are others than were installed".to_owned())
    }
}

fn damaged(folder: &Path, known: &Known, why: &str) -> Diagnostic {
    let file = folder.join(known.path);
    Diagnostic::new(codes::LIBRARY, format!("{} is damaged or was changed", file.display()))
        .note(why)
        .help("install the toolchain again: cargo qnn toolchain install --force")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_was_cut_or_changed_is_named() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join(libs::toolchain_id());
        let libraries = folder.join(libs::QNN_SUBDIR);
        fs::create_dir_all(&libraries).unwrap();
        fs::write(folder.join(libs::TOOLCHAIN_MANIFEST), "{}").unwrap();
        let memo = Memo::default();
        let license =
            known("a/LICENSE", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let place = folder.join(license.path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, "abc").unwrap();
        assert_eq!(is_pinned(&folder, &license, &memo), Ok(()));
        fs::write(&place, "abd").unwrap();
        assert!(is_pinned(&folder, &license, &memo).unwrap_err().contains("contents"));
        fs::write(&place, "ab").unwrap();
        assert!(is_pinned(&folder, &license, &memo).unwrap_err().contains("2 bytes"));
        if super::super::pins::Product::Qnn.host().is_some() {
            assert_eq!(check(&libraries, &memo).unwrap_err().code, "E0405");
        }
        // A folder that the user names may hold any libraries.
        assert_eq!(check(data.path(), &memo), Ok(()));
    }
}
