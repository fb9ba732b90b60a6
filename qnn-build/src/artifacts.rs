//! The artifact manifest, and the files it lists.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compile::Compiled;
use crate::error::{Error, Result};
use crate::files::{hash_file, link_or_copy, write_if_changed};
use crate::job::{CompileJob, GraphInfo};
use crate::manifest::Embed;
use crate::memo::Memo;
use crate::plan::PlannedModel;
use crate::store::Entry;

/// Name of the artifact manifest in its folder.
pub const ARTIFACT_MANIFEST: &str = "qnn-manifest.json";

/// What a folder of artifacts holds: `qnn-manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactManifest {
    /// Version of this format.
    pub version: u32,
    /// Why there are only stubs; absent when models were compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stub: Option<String>,
    /// Every artifact, by package, model and SoC.
    pub artifacts: Vec<ArtifactRecord>,
}

impl Default for ArtifactManifest {
    fn default() -> Self {
        Self { version: 1, stub: None, artifacts: Vec::new() }
    }
}

/// A context binary of a package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArtifactRecord {
    /// The package.
    pub package: String,
    /// The model.
    pub model: String,
    /// The SoC.
    pub soc: String,
    /// The vendor's id of the SoC.
    pub soc_id: u32,
    /// Its Hexagon architecture.
    pub arch: u32,
    /// The context binary, beside this manifest; empty in a stub.
    pub file: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// Its blake3, hexadecimal.
    pub blake3: String,
    /// The QNN build that compiled it.
    pub build_id: String,
    /// Its key in the store.
    pub key: String,
    /// How the app gets it: `bytes` in the executable, or a `file` beside it.
    pub embed: Embed,
    /// Its graphs.
    pub graphs: Vec<GraphInfo>,
}

impl ArtifactRecord {
    pub(crate) fn new(package: &str, model: &PlannedModel, job: &CompileJob, compiled: &Compiled) -> Self {
        let record = &compiled.entry.record;
        Self {
            package: package.to_owned(),
            model: model.name.clone(),
            soc: job.soc.name.clone(),
            soc_id: job.soc.id,
            arch: job.soc.arch,
            file: format!("{}.{}.bin", model.name, job.soc.name),
            bytes: record.bytes,
            blake3: record.blake3.clone(),
            build_id: record.report.build_id.clone(),
            key: compiled.key.to_string(),
            embed: embedding(model.embed, record.bytes),
            graphs: record.report.graphs.clone(),
        }
    }
}

/// Up to this size `embed = "auto"` embeds.
pub const EMBED_AUTO_LIMIT: u64 = 256 << 20;

/// `bytes` or `file`, for a binary of this size.
fn embedding(wanted: Embed, bytes: u64) -> Embed {
    match wanted {
        Embed::Auto if bytes <= EMBED_AUTO_LIMIT => Embed::Bytes,
        Embed::Auto => Embed::File,
        wanted => wanted,
    }
}

impl ArtifactManifest {
    /// The manifest in `folder`; `None` where there is none that can be read.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(ARTIFACT_MANIFEST)).ok()?).ok()
    }

    /// Writes it into `folder`, and removes the files that the one before it listed and this one does not.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(ARTIFACT_MANIFEST);
        for old in Self::read(folder).unwrap_or_default().artifacts {
            let is_plain = Path::new(&old.file).components().count() == 1 && old.file.ends_with(".bin");
            if is_plain && !self.artifacts.iter().any(|new| new.file == old.file) {
                // It may have been removed by hand.
                let _ = fs::remove_file(folder.join(&old.file));
            }
        }
        let problem = |error: std::io::Error| Error::io("E0605", "cannot write", &path, &error);
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|error| problem(std::io::Error::other(error)))?;
        json.push(b'\n');
        write_if_changed(&path, &json).map_err(problem)?;
        Ok(path)
    }
}

/// Makes `to` the context binary of a store entry, unless it is that already. Its modification time stays then, and what
/// includes it is not built again.
pub(crate) fn place(entry: &Entry, to: &Path, memo: &Memo) -> Result<()> {
    let hash = || hash_file(to).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
    if fs::metadata(to).is_ok_and(|meta| meta.len() == entry.record.bytes)
        && memo.fact("hash-1", to, hash).is_ok_and(|(_, hash)| hash == entry.record.blake3)
    {
        return Ok(());
    }
    let problem = |error| Error::io("E0605", "cannot write", to, &error);
    fs::create_dir_all(to.parent().unwrap_or(Path::new("."))).map_err(problem)?;
    link_or_copy(&entry.path, to).map_err(problem)
}
