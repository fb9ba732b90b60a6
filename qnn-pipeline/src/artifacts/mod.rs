//! The files of a build: where each comes from, and what the artifact manifest says of it.

mod library;
mod llm;
mod stamp;

use std::fs;
use std::path::Path;

use crate::compile::Compiled;
use crate::files::{hash_file, link_or_copy, write_atomic};
use crate::memo::Memo;
use crate::plan::PlannedModel;
use crate::store::Entry;
pub(crate) use library::{clash, library_record, place_library};
pub(crate) use llm::tokenizer;
use qnn_types::{ArtifactKind, ArtifactRecord, CompileJob, Diagnostic, Embed, Target};
use qnn_types::{Error, Result};
pub use stamp::mark_stale;

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
            Self::compiled(record(package, model, &job.soc, embed), file, compiled)
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
            && memo.fact("hash", to, hash).is_ok_and(|(_, hash)| hash == self.record.blake3)
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

/// What all artifacts of a model for a SoC have in common.
fn record(package: &str, model: &PlannedModel, soc: &Target, embed: Embed) -> ArtifactRecord {
    ArtifactRecord {
        package: package.to_owned(),
        model: model.name.clone(),
        soc: soc.name.clone(),
        soc_id: soc.id,
        arch: soc.arch,
        embed,
        ..ArtifactRecord::default()
    }
}

/// The problem of a binary that cannot be used because of its size.
pub(crate) fn too_large(record: &ArtifactRecord) -> Option<Diagnostic> {
    let gib = record.bytes as f64 / f64::from(1 << 30);
    let (limit, help) = if record.kind == ArtifactKind::ContextBinary && record.bytes > LARGEST {
        let help = if record.part.is_some() {
            "more `llm.shards`, or a `llm.strategy` of fewer bits"
        } else {
            "divide the model into parts, each a model of its own in Cargo.toml, or use weights of fewer bits"
        };
        ("the HTP loads up to 2 GiB in one piece", help)
    } else if record.embed == Embed::Bytes && record.bytes > LARGEST_EMBEDDED {
        ("rustc embeds up to 1 GiB", "set embed = \"file\", or leave `embed` out")
    } else {
        return None;
    };
    let message = format!("the context binary for {} has {gib:.2} GiB; {limit}", record.soc);
    Some(Diagnostic::new("E0116", message).model(&record.model).help(help))
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
            too_large(&record).map(|problem| problem.help.unwrap())
        };
        assert_eq!(problem(Embed::File, LARGEST), None);
        assert!(problem(Embed::File, LARGEST + 1).unwrap().contains("divide the model"));
        assert_eq!(problem(Embed::Bytes, LARGEST_EMBEDDED), None);
        assert!(problem(Embed::Bytes, LARGEST_EMBEDDED + 1).unwrap().contains("embed = \"file\""));
    }
}
