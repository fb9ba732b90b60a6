//! `toolchain.json`: what an installed toolchain consists of.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use qnn_platform::libs::TOOLCHAIN_MANIFEST;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Version of the format.
pub(crate) const SCHEMA: u32 = 1;

/// An installed toolchain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// [`SCHEMA`].
    pub(crate) schema: u32,
    /// Name of its folder.
    pub(crate) name: String,
    /// QNN version, for example `2.51.0`.
    pub(crate) qnn: String,
    /// The vendor's build id, as read from the library.
    pub(crate) build_id: String,
    /// The version of `cargo-qnn` that installed it.
    pub(crate) installed_by: String,
    /// Where the files come from.
    pub(crate) wheels: Vec<WheelRecord>,
    /// Every file.
    pub(crate) files: Vec<FileRecord>,
}

/// A wheel that files were taken from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WheelRecord {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) licence: String,
}

/// An installed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// Relative to the toolchain's folder, with `/`.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A file that is not as it was installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable { path: String, error: std::io::Error },
    /// Its size changed.
    #[error("{path}: {found} bytes, {installed} were installed")]
    Size { path: String, found: u64, installed: u64 },
    /// Its contents changed.
    #[error("{path}: the contents differ from what was installed")]
    Contents { path: String },
}

impl Record {
    /// Reads the record of the toolchain in `folder`. `None`: there is none that this version can read.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(TOOLCHAIN_MANIFEST)).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|record| record.schema == SCHEMA)
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Files that are missing or of another size. Costs one `stat` a file.
    pub(crate) fn check_sizes(&self, folder: &Path) -> Vec<Damage> {
        self.files.iter().filter_map(|file| check_size(folder, file).err()).collect()
    }

    /// Files that are missing or differ in any byte. Reads everything.
    pub(crate) fn check_contents(&self, folder: &Path) -> Vec<Damage> {
        self.files.iter().filter_map(|file| check_contents(folder, file).err()).collect()
    }
}

fn check_size(folder: &Path, file: &FileRecord) -> Result<(), Damage> {
    let meta = std::fs::metadata(folder.join(&file.path))
        .map_err(|error| Damage::Unreadable { path: file.path.clone(), error })?;
    if meta.len() == file.bytes {
        Ok(())
    } else {
        Err(Damage::Size { path: file.path.clone(), found: meta.len(), installed: file.bytes })
    }
}

fn check_contents(folder: &Path, file: &FileRecord) -> Result<(), Damage> {
    check_size(folder, file)?;
    let found = sha256_file(&folder.join(&file.path))
        .map_err(|error| Damage::Unreadable { path: file.path.clone(), error })?;
    if found == file.sha256 { Ok(()) } else { Err(Damage::Contents { path: file.path.clone() }) }
}

/// sha256 of a file, hexadecimal.
pub(crate) fn sha256_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
