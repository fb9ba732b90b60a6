//! The artifact manifest, and the files it lists.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compile::Compiled;
use crate::error::{Error, Result};
use crate::files::{hash_file, link_or_copy, write_if_changed};
use crate::job::{CompileJob, Diagnostic, GraphInfo};
use crate::manifest::Embed;
use crate::memo::Memo;
use crate::op_package::{Device, Target};
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
    /// Libraries of op packages, which the app registers before it loads a model that uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_packages: Vec<OpPackageRecord>,
}

impl Default for ArtifactManifest {
    fn default() -> Self {
        Self { version: 1, stub: None, artifacts: Vec::new(), op_packages: Vec::new() }
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
    pub(crate) fn clashes_with(&self, other: &Self) -> Diagnostic {
        let message = format!(
            "packages `{}` and `{}` have different op packages `{}`",
            other.package, self.package, self.op_package
        );
        Diagnostic::new("E0113", message).help("rename one of them, or build the packages one by one")
    }
}

impl ArtifactRecord {
    /// The records of a model, one per artifact.
    pub(crate) fn of_model(
        package: &str,
        model: &PlannedModel,
        artifacts: &[(&CompileJob, &Compiled)],
    ) -> Vec<Self> {
        let bytes = artifacts.iter().map(|(_, compiled)| compiled.entry.record.bytes).sum();
        let embed = embedding(model.embed, bytes);
        artifacts.iter().map(|(job, compiled)| Self::new(package, model, job, compiled, embed)).collect()
    }

    /// The problem of a binary that cannot be used because of its size.
    pub(crate) fn too_large(&self) -> Option<Diagnostic> {
        let gib = self.bytes as f64 / f64::from(1 << 30);
        let (limit, help) = if self.bytes > LARGEST {
            let help = "divide the model into parts, each a model of its own in Cargo.toml, or use weights of fewer bits";
            ("the HTP loads up to 2 GiB in one piece", help)
        } else if self.embed == Embed::Bytes && self.bytes > LARGEST_EMBEDDED {
            ("rustc embeds up to 1 GiB", "set embed = \"file\", or leave `embed` out")
        } else {
            return None;
        };
        let message = format!("the context binary for {} has {gib:.2} GiB; {limit}", self.soc);
        Some(Diagnostic::new("E0116", message).model(&self.model).help(help))
    }

    /// The problem of two packages whose files would overwrite each other.
    pub(crate) fn clashes_with(&self, other: &Self) -> Option<Diagnostic> {
        if self.file != other.file || self.blake3 == other.blake3 {
            return None;
        }
        let message =
            format!("packages `{}` and `{}` both have a model `{}`", other.package, self.package, self.model);
        Some(
            Diagnostic::new("E0113", message)
                .note("their context binaries differ and would have the same file name")
                .help("rename one of the models, or build the packages one by one"),
        )
    }

    fn new(package: &str, model: &PlannedModel, job: &CompileJob, compiled: &Compiled, embed: Embed) -> Self {
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
            embed,
            graphs: record.report.graphs.clone(),
        }
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
        for old in Self::read(folder).unwrap_or_default().op_packages {
            let is_plain = Path::new(&old.file).components().count() == 1 && old.file.ends_with(".so");
            if is_plain && !self.op_packages.iter().any(|new| new.file == old.file) {
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
    place_file(&entry.path, (entry.record.bytes, &entry.record.blake3), to, memo)
}

/// As [`place`], for the library of an op package: a new build replaces the name, so a process that has it loaded keeps its own.
pub(crate) fn place_library(device: &Device, to: &Path, memo: &Memo) -> Result<()> {
    let bytes = fs::metadata(&device.library).map_or(0, |meta| meta.len());
    place_file(&device.library, (bytes, &device.blake3), to, memo)
}

fn place_file(from: &Path, (bytes, blake3): (u64, &str), to: &Path, memo: &Memo) -> Result<()> {
    let hash = || hash_file(to).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
    if fs::metadata(to).is_ok_and(|meta| meta.len() == bytes)
        && memo.fact("hash-1", to, hash).is_ok_and(|(_, hash)| hash == blake3)
    {
        return Ok(());
    }
    let problem = |error| Error::io("E0605", "cannot write", to, &error);
    fs::create_dir_all(to.parent().unwrap_or(Path::new("."))).map_err(problem)?;
    link_or_copy(from, to).map_err(problem)
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

    #[test]
    fn equal_files_of_two_packages_are_no_clash() {
        let record = |package: &str, blake3: &str| ArtifactRecord {
            package: package.to_owned(),
            file: "m.SM8650.bin".to_owned(),
            blake3: blake3.to_owned(),
            ..ArtifactRecord::default()
        };
        assert_eq!(record("a", "1").clashes_with(&record("b", "1")), None);
        let problem = record("a", "1").clashes_with(&record("b", "2")).unwrap();
        assert!(problem.message.contains("`b` and `a`"), "{problem}");
    }
}
