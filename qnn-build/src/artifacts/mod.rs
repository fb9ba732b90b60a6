//! The artifact manifest, and the files it lists.

mod library;
mod llm;
mod stamp;

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compile::Compiled;
use crate::files::{hash_file, link_or_copy, write_atomic, write_if_changed};
use crate::manifest::Embed;
use crate::memo::Memo;
use crate::plan::PlannedModel;
use crate::store::Entry;
pub use library::OpPackageRecord;
pub(crate) use library::place_library;
use qnn_types::{CompileJob, Diagnostic, GraphInfo, Target};
use qnn_types::{Error, Result};
pub(crate) use stamp::write as write_stamp;
pub use stamp::{STAMP, mark_stale};

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
    /// Libraries of op packages, which the app registers before it loads a model that uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_packages: Vec<OpPackageRecord>,
}

impl Default for ArtifactManifest {
    fn default() -> Self {
        Self { version: 1, stub: None, artifacts: Vec::new(), op_packages: Vec::new() }
    }
}

/// What an artifact is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// A context binary.
    #[default]
    ContextBinary,
    /// Embedding table of a language model, float16 rows.
    Embedding,
    /// Tokenizer of a language model (`tokenizer.json`).
    Tokenizer,
    /// Description of a language model for one SoC ([`qnn_llm::Deployment`]), which the app reads.
    Description,
    /// What became of each weight of a language model, and what compiling took; the app does not read it.
    Report,
}

/// A file of a package: a context binary, or what belongs to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArtifactRecord {
    /// The package.
    pub package: String,
    /// The model.
    pub model: String,
    /// The SoC; empty where the file serves all.
    pub soc: String,
    /// What the file is.
    pub kind: ArtifactKind,
    /// What it has of a language model: `layers 0-6`, `head`, `embedding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The vendor's id of the SoC.
    pub soc_id: u32,
    /// Its Hexagon architecture.
    pub arch: u32,
    /// Its path from this manifest's folder: in a build script's folder its name, where packages are collected `<package>/<name>`. Empty
    /// in a stub.
    pub file: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// Its blake3, hexadecimal.
    pub blake3: String,
    /// Its XXH64, hexadecimal: what the app holds against a file that it loads.
    pub checksum: String,
    /// The QNN build that compiled it.
    pub build_id: String,
    /// Its key in the store; empty for what is not kept there.
    pub key: String,
    /// How the app gets it: `bytes` in the executable, or a `file` beside it.
    pub embed: Embed,
    /// Its graphs.
    pub graphs: Vec<GraphInfo>,
}

/// An artifact with its bytes.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    pub(crate) record: ArtifactRecord,
    pub(crate) content: Content<'a>,
    /// Whether it was there before this build.
    pub(crate) fresh: bool,
}

/// Where the bytes of an artifact are.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// In the store.
    Entry(&'a Entry),
    /// Here.
    Bytes(Vec<u8>),
    /// In the model file at this path, from which they are made.
    Tokenizer(&'a Path),
}

impl<'a> Output<'a> {
    /// The artifacts of a model.
    pub(crate) fn of_model(
        package: &str,
        model: &'a PlannedModel,
        artifacts: &[(&'a CompileJob, &'a Compiled)],
    ) -> Result<Vec<Self>> {
        if let Some(facts) = &model.facts.llm {
            return llm::outputs(package, model, facts, artifacts);
        }
        let bytes = artifacts.iter().map(|(_, compiled)| compiled.entry.record.bytes).sum();
        let embed = embedding(model.embed, bytes);
        let output = |(job, compiled): &(&'a CompileJob, &'a Compiled)| {
            let file = format!("{}.{}.bin", model.name, job.soc.name);
            Self::compiled(ArtifactRecord::new(package, model, &job.soc, embed), file, compiled)
        };
        Ok(artifacts.iter().map(output).collect())
    }

    fn compiled(base: ArtifactRecord, file: String, compiled: &'a Compiled) -> Self {
        let record = &compiled.entry.record;
        let record = ArtifactRecord {
            file,
            bytes: record.bytes,
            blake3: record.blake3.clone(),
            checksum: record.checksum.clone(),
            build_id: record.report.build_id.clone(),
            key: compiled.key.to_string(),
            graphs: record.report.graphs.clone(),
            ..base
        };
        Self { record, content: Content::Entry(&compiled.entry), fresh: compiled.cached }
    }

    /// Makes the file in `folder` what it shall be, unless it is that already. Its modification time stays then, and what
    /// includes it is not built again.
    pub(crate) fn place(&self, folder: &Path, memo: &Memo) -> Result<()> {
        let to = &folder.join(&self.record.file);
        let folder = to.parent().unwrap_or(folder);
        let problem = |error| Error::io("E0605", "cannot write", to, &error);
        let hash = || hash_file(to).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
        if fs::metadata(to).is_ok_and(|meta| meta.len() == self.record.bytes)
            && memo.fact("hash-1", to, hash).is_ok_and(|(_, hash)| hash == self.record.blake3)
        {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(problem)?;
        match &self.content {
            Content::Entry(entry) => link_or_copy(&entry.path, entry.held.as_deref(), to).map_err(problem),
            Content::Bytes(bytes) => write_atomic(to, bytes, false).map_err(problem),
            Content::Tokenizer(source) => {
                write_atomic(to, llm::tokenizer(source)?.as_bytes(), false).map_err(problem)
            }
        }
    }
}

impl ArtifactRecord {
    /// What all artifacts of a model for a SoC have in common.
    fn new(package: &str, model: &PlannedModel, soc: &Target, embed: Embed) -> Self {
        Self {
            package: package.to_owned(),
            model: model.name.clone(),
            soc: soc.name.clone(),
            soc_id: soc.id,
            arch: soc.arch,
            embed,
            ..Self::default()
        }
    }

    /// The problem of a binary that cannot be used because of its size.
    pub(crate) fn too_large(&self) -> Option<Diagnostic> {
        let gib = self.bytes as f64 / f64::from(1 << 30);
        let (limit, help) = if self.kind == ArtifactKind::ContextBinary && self.bytes > LARGEST {
            let help = if self.part.is_some() {
                "more `llm.shards`, or a `llm.strategy` of fewer bits"
            } else {
                "divide the model into parts, each a model of its own in Cargo.toml, or use weights of fewer bits"
            };
            ("the HTP loads up to 2 GiB in one piece", help)
        } else if self.embed == Embed::Bytes && self.bytes > LARGEST_EMBEDDED {
            ("rustc embeds up to 1 GiB", "set embed = \"file\", or leave `embed` out")
        } else {
            return None;
        };
        let message = format!("the context binary for {} has {gib:.2} GiB; {limit}", self.soc);
        Some(Diagnostic::new("E0116", message).model(&self.model).help(help))
    }
}

/// Larger context binaries cannot be loaded by the HTP in one piece.
const LARGEST: u64 = 2 << 30;
/// rustc fails on larger `include_bytes!` in libraries, and takes 5 GB of memory for this size.
const LARGEST_EMBEDDED: u64 = 1 << 30;

/// `embed = "auto"` embeds a model whose context binaries, all SoCs together, have at most this many bytes. rustc takes about
/// five times as much memory as it embeds: 1.4 GB and a few seconds for this size (measured with 1.95).
pub const EMBED_AUTO_LIMIT: u64 = 256 << 20;

/// `bytes` or `file`, for a model whose binaries have this size together.
fn embedding(wanted: Embed, bytes: u64) -> Embed {
    match wanted {
        Embed::Auto if bytes <= EMBED_AUTO_LIMIT => Embed::Bytes,
        Embed::Auto => Embed::File,
        wanted => wanted,
    }
}

/// How names of artifacts end.
const ENDS: &[&str] = &[".bin", ".f16", ".json"];

impl ArtifactManifest {
    /// The manifest in `folder`; `None` where there is none that can be read.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(ARTIFACT_MANIFEST)).ok()?).ok()
    }

    /// Writes it into `folder`, and removes the files that the one before it listed and this one does not. What another package's builds
    /// put there stays, and stays listed.
    pub(crate) fn write(&self, folder: &Path, packages: &[&str]) -> Result<PathBuf> {
        let path = folder.join(ARTIFACT_MANIFEST);
        let old = Self::read(folder).unwrap_or_default();
        let mut all = self.clone();
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
        let problem = |error: std::io::Error| Error::io("E0605", "cannot write", &path, &error);
        let mut json =
            serde_json::to_vec_pretty(&all).map_err(|error| problem(std::io::Error::other(error)))?;
        json.push(b'\n');
        fs::create_dir_all(folder).map_err(problem)?;
        write_if_changed(&path, &json).map_err(problem)?;
        Ok(path)
    }
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
    use super::*;

    #[test]
    fn auto_embeds_up_to_its_limit() {
        assert_eq!(embedding(Embed::Auto, EMBED_AUTO_LIMIT), Embed::Bytes);
        assert_eq!(embedding(Embed::Auto, EMBED_AUTO_LIMIT + 1), Embed::File);
        assert_eq!(embedding(Embed::Bytes, u64::MAX), Embed::Bytes);
        assert_eq!(embedding(Embed::File, 0), Embed::File);
    }

    #[test]
    fn binaries_that_nobody_can_load_are_refused_with_a_way_out() {
        let problem = |embed, bytes| {
            let record = ArtifactRecord { model: "m".to_owned(), embed, bytes, ..ArtifactRecord::default() };
            record.too_large().map(|problem| problem.help.unwrap())
        };
        assert_eq!(problem(Embed::File, LARGEST), None);
        assert!(problem(Embed::File, LARGEST + 1).unwrap().contains("divide the model"));
        assert_eq!(problem(Embed::Bytes, LARGEST_EMBEDDED), None);
        assert!(problem(Embed::Bytes, LARGEST_EMBEDDED + 1).unwrap().contains("embed = \"file\""));
    }
}
