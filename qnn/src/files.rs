//! Finding the files that belong to the app, and telling the right one from others of the same name.

use std::path::{Path, PathBuf};

use qnn_platform::checksum::{Sum, checksum};
use qnn_platform::env;

use crate::artifact::{ArtifactFile, FileSum};
use crate::{Error, Result, context};

/// A file of the app, mapped: the first of its name that is the one that the code was generated for.
pub(crate) fn open(model: &str, file: &ArtifactFile) -> Result<(PathBuf, memmap2::Mmap)> {
    let mut others = Vec::new();
    for path in candidates(file) {
        if !path.is_file() {
            continue;
        }
        let map = context::map(&path)?;
        match file.sum.and_then(|sum| difference(&map, sum)) {
            None => return Ok((path, map)),
            Some(why) => others.push(format!("{} is another file: {why}", path.display())),
        }
    }
    match others.is_empty() {
        true => Err(Error::artifact_file(model, file.name, &folders())),
        false => Err(Error::other_artifact(model, file.name, others)),
    }
}

/// How bytes differ from those that were compiled; `None` when they are the same.
pub(crate) fn difference(bytes: &[u8], sum: FileSum) -> Option<String> {
    let length = bytes.len() as u64;
    if length != sum.bytes {
        return Some(format!("it has {length} bytes, the one that was compiled {}", sum.bytes));
    }
    let (found, expected) = (checksum(bytes), Sum(sum.checksum));
    (found != expected)
        .then(|| format!("its checksum is {found}, that of the one that was compiled {expected}"))
}

/// Where a file may be, the likeliest first.
fn candidates(file: &ArtifactFile) -> impl Iterator<Item = PathBuf> + use<> {
    let (package, name) = (file.package, file.name);
    let placed = folders().into_iter().flat_map(move |folder| {
        let own = (!package.is_empty()).then(|| folder.join(package).join(name));
        own.into_iter().chain([folder.join(name)])
    });
    placed.chain(file.built.map(PathBuf::from))
}

/// Where files of the app are looked for: in `QNN_ARTIFACT_DIR`; beside the executable; in the folder `qnn` there, into which `cargo qnn
/// build` collects them; and in that of the folder above, since cargo puts tests, benches and examples one folder below the app.
pub(crate) fn folders() -> Vec<PathBuf> {
    let named = env::var(&env::QNN_ARTIFACT_DIR).map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let around = beside.into_iter().flat_map(|dir| {
        let above = dir.parent().map(|above| above.join("qnn"));
        [dir.clone(), dir.join("qnn")].into_iter().chain(above)
    });
    named.into_iter().chain(around).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"a context binary";

    fn file(sum: Option<FileSum>, built: &Path) -> ArtifactFile {
        let built: &'static str = built.to_str().unwrap_or_default().to_owned().leak();
        ArtifactFile { package: "app", name: "no-such-model.bin", sum, built: Some(built) }
    }

    fn sum() -> FileSum {
        FileSum { bytes: BYTES.len() as u64, checksum: checksum(BYTES).0 }
    }

    #[test]
    fn a_missing_file_names_the_folders() {
        let error = open("digits", &file(None, Path::new("/no/such/file"))).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::ArtifactFile, "{error}");
        assert!(folders().len() >= 3);
        assert!(error.to_string().contains("no-such-model.bin"), "{error}");
    }

    #[test]
    fn a_file_with_other_bytes_is_not_taken() -> std::io::Result<()> {
        let path = std::env::temp_dir().join(format!("qnn-files-{}.bin", std::process::id()));
        let opened = |bytes: &[u8]| {
            std::fs::write(&path, bytes)?;
            Ok::<_, std::io::Error>(open("digits", &file(Some(sum()), &path)))
        };
        let right = opened(BYTES)?;
        let damaged = opened(b"a context binarz")?;
        let longer = opened(b"a context binary, and more")?;
        std::fs::remove_file(&path)?;
        assert!(right.is_ok_and(|(_, map)| map[..] == *BYTES));
        for (found, why) in [(damaged, "its checksum is"), (longer, "it has 26 bytes")] {
            let text = found.map(|_| ()).unwrap_err().to_string();
            for part in ["`digits`", why, "qnn-files-", "help: "] {
                assert!(text.contains(part), "no {part:?} in {text}");
            }
        }
        Ok(())
    }
}
