//! `compile_commands.json`: every object's command, for clangd and other tools.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use qnn_manifest::files::write_if_changed;

/// Name of the file.
pub(super) const FILE: &str = "compile_commands.json";

/// An object's command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) output: PathBuf,
}

/// Writes the commands of a build, those of objects of other targets that an earlier build wrote beside them. Whether the file is
/// new.
pub(super) fn write(folder: &Path, mut entries: Vec<Entry>) -> std::io::Result<bool> {
    let path = folder.join(FILE);
    let before = std::fs::read(&path).ok();
    let old: Vec<Entry> =
        before.as_deref().and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
    let is_new = |old: &Entry| !entries.iter().any(|entry| entry.output == old.output);
    let kept: Vec<Entry> = old.into_iter().filter(is_new).filter(|entry| entry.output.exists()).collect();
    entries.extend(kept);
    entries.sort_by(|a, b| a.output.cmp(&b.output));
    let json = serde_json::to_vec_pretty(&entries).map_err(std::io::Error::other)?;
    write_if_changed(&path, &json)?;
    Ok(before.is_none())
}
