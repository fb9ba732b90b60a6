//! Libraries of op packages among the artifacts.

use std::fs;
use std::path::Path;

use crate::files::{hash_file, link_or_copy};
use crate::memo::Memo;
use crate::op_package::{Device, Target};
use qnn_types::{Diagnostic, OpPackageRecord};
use qnn_types::{Error, Result};

/// As the artifact manifest lists it.
pub(crate) fn library_record(package: &str, device: &Device) -> OpPackageRecord {
    OpPackageRecord {
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
pub(crate) fn clash(one: &OpPackageRecord, other: &OpPackageRecord) -> Option<Diagnostic> {
    if one.file != other.file || one.blake3 == other.blake3 {
        return None;
    }
    let message = format!(
        "packages `{}` and `{}` have different op packages `{}`",
        other.package, one.package, one.op_package
    );
    Some(Diagnostic::new("E0113", message).help("rename one of them, or build the packages one by one"))
}

/// Makes the file in `folder` the library, unless it is that already. A new build replaces the name, so a process that has the
/// library loaded keeps its own.
pub(crate) fn place_library(device: &Device, folder: &Path, memo: &Memo) -> Result<()> {
    let to = &folder.join(device.file());
    let problem = |error| Error::io("E0605", "cannot write", to, &error);
    let hash = || hash_file(to).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
    if to.is_file() && memo.fact("hash", to, hash).is_ok_and(|(_, hash)| hash == device.blake3) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(problem)?;
    link_or_copy(&device.library, None, to).map_err(problem)
}
