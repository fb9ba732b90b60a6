//! Libraries of op packages among the artifacts.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{hash_file, link_or_copy};
use crate::memo::Memo;
use crate::op_package::{Device, Target};
use qnn_types::Diagnostic;
use qnn_types::{Error, Result};

/// A library of an op package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpPackageRecord {
    /// The package of the app.
    pub package: String,
    /// What its manifest calls the op package.
    pub name: String,
    /// The op package's own name.
    pub op_package: String,
    /// The function that hands out its interface.
    pub provider: String,
    /// What it is built for: `htp-x86`, `hexagon-v75`, …
    pub target: String,
    /// What a device registers it as: `HTP` for the NPU's side, `CPU` for the side of the processor that compiles; absent for the
    /// emulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// Hexagon architecture it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<u32>,
    /// The library, beside this manifest.
    pub file: String,
    /// Its blake3, hexadecimal.
    pub blake3: String,
}

impl OpPackageRecord {
    pub(crate) fn new(package: &str, device: &Device) -> Self {
        Self {
            package: package.to_owned(),
            name: device.name.clone(),
            op_package: device.package.clone(),
            provider: device.provider.clone(),
            target: device.target.to_string(),
            registration: device.target.registration().map(str::to_owned),
            arch: match device.target {
                Target::Hexagon(arch) => Some(arch),
                _ => None,
            },
            file: device.file(),
            blake3: device.blake3.clone(),
        }
    }

    /// The problem of two packages whose op packages of one name differ.
    pub(crate) fn clashes_with(&self, other: &Self) -> Option<Diagnostic> {
        if self.file != other.file || self.blake3 == other.blake3 {
            return None;
        }
        let message = format!(
            "packages `{}` and `{}` have different op packages `{}`",
            other.package, self.package, self.op_package
        );
        Some(Diagnostic::new("E0113", message).help("rename one of them, or build the packages one by one"))
    }
}

/// Makes the file in `folder` the library, unless it is that already. A new build replaces the name, so a process that has the
/// library loaded keeps its own.
pub(crate) fn place_library(device: &Device, folder: &Path, memo: &Memo) -> Result<()> {
    let to = &folder.join(device.file());
    let problem = |error| Error::io("E0605", "cannot write", to, &error);
    let hash = || hash_file(to).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
    if to.is_file() && memo.fact("hash-1", to, hash).is_ok_and(|(_, hash)| hash == device.blake3) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(problem)?;
    link_or_copy(&device.library, None, to).map_err(problem)
}
