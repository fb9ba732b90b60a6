//! Taking the needed files out of a wheel, whether it is a file or was unpacked by `uv`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pins::Pin;
use super::record::{FileRecord, hex, sha256_file};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};

/// Where the files of a wheel are read.
pub(crate) enum Source {
    /// The wheel file, whose hash was checked.
    Wheel(PathBuf),
    /// A folder into which `uv` unpacked it after checking its hash.
    Tree(PathBuf),
}

/// A file to copy: its path in the wheel, its path in the toolchain, its size.
struct Item {
    from: String,
    to: String,
    bytes: u64,
}

/// Whether `file` is the pinned wheel: right size and hash.
pub(crate) fn is_intact(pin: &Pin, file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.len() == pin.bytes)
        && sha256_file(file).is_ok_and(|found| found == pin.sha256)
}

/// As [`is_intact`], with the reason as an error.
pub(crate) fn check(pin: &Pin, file: &Path) -> Result<()> {
    let found = sha256_file(file).at("cannot read", file)?;
    if found == pin.sha256 {
        return Ok(());
    }
    let message =
        format!("{} is not the wheel that is pinned: it is damaged or another build", file.display());
    Err(Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, message)
        .note(format!("sha256 expected: {}", pin.sha256))
        .note(format!("sha256 found:    {found}"))
        .help("remove the file and run `cargo qnn toolchain install` again"))
}

/// Bytes that [`unpack`] will write.
pub(crate) fn unpacked_bytes(pin: &Pin, source: &Source) -> Result<u64> {
    Ok(items(pin, source)?.iter().map(|item| item.bytes).sum())
}

/// Copies the files that `pin` keeps from `source` into `folder`, each flushed to the disk, and describes them.
pub(crate) fn unpack(
    pin: &Pin,
    source: &Source,
    folder: &Path,
    bar: &ProgressBar,
) -> Result<Vec<FileRecord>> {
    let mut archive = match source {
        Source::Wheel(file) => Some(open(file)?),
        Source::Tree(_) => None,
    };
    let mut records = Vec::new();
    for item in items(pin, source)? {
        let target = folder.join(&item.to);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).at("cannot create", parent)?;
        }
        let record = match (source, &mut archive) {
            (Source::Wheel(file), Some(archive)) => {
                let mut entry = archive.by_name(&item.from).map_err(|error| damaged(file, &error))?;
                copy(&mut entry, &target, item.to, bar)?
            }
            (Source::Tree(tree), _) | (Source::Wheel(tree), None) => {
                let from = tree.join(&item.from);
                let mut file = File::open(&from).at("cannot read", &from)?;
                copy(&mut file, &target, item.to, bar)?
            }
        };
        records.push(record);
    }
    Ok(records)
}

fn items(pin: &Pin, source: &Source) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    match source {
        Source::Wheel(file) => {
            let mut archive = open(file)?;
            for index in 0..archive.len() {
                let entry = archive.by_index(index).map_err(|error| damaged(file, &error))?;
                // A path that leads out of the folder, or is no text, is no file of ours.
                if let (Ok(name), Some(_)) = (entry.name(), entry.enclosed_name()) {
                    items.extend(item(pin, &name, entry.size()));
                }
            }
        }
        Source::Tree(tree) => {
            for entry in walkdir::WalkDir::new(tree).sort_by_file_name().into_iter().filter_map(|e| e.ok()) {
                let Ok(relative) = entry.path().strip_prefix(tree) else { continue };
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_file() {
                    items.extend(item(pin, &relative.to_string_lossy().replace('\\', "/"), meta.len()));
                }
            }
        }
    }
    match pin.keep.iter().find(|keep| !items.iter().any(|item| keep.target(&item.from).is_some())) {
        None => Ok(items),
        Some(missing) => {
            let message = format!("the wheel of {} {} has no file for {missing:?}", pin.name, pin.version);
            Err(Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, message))
        }
    }
}

fn item(pin: &Pin, path: &str, bytes: u64) -> Option<Item> {
    let to = pin.keep.iter().find_map(|keep| keep.target(path))?.to_owned();
    Some(Item { from: path.to_owned(), to, bytes })
}

fn open(file: &Path) -> Result<ZipArchive<File>> {
    ZipArchive::new(File::open(file).at("cannot read", file)?).map_err(|error| damaged(file, &error))
}

fn damaged(file: &Path, error: &zip::result::ZipError) -> Failure {
    Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, format!("{} cannot be unpacked", file.display()))
        .note(error.to_string())
}

fn copy(from: &mut impl Read, target: &Path, path: String, bar: &ProgressBar) -> Result<FileRecord> {
    let mut file = File::create(target).at("cannot create", target)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let n = from.read(&mut buffer).at("cannot unpack", target)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        file.write_all(&buffer[..n]).at("cannot write", target)?;
        bytes += n as u64;
        bar.inc(n as u64);
    }
    file.sync_all().at("cannot write", target)?;
    Ok(FileRecord { path, bytes, sha256: hex(&hash.finalize()) })
}
