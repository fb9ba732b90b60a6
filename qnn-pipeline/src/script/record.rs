//! Keeps what a build made for machines without `cargo-qnn`: see [`qnn_manifest::record`].

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use qnn_manifest::Manifest;
use qnn_manifest::record::{Bytes, FOLDER, Placed, Record, key, to_text};
use qnn_types::{ArtifactManifest, Diagnostic, Samples};

use crate::artifacts::Content;
use crate::files::{link_or_copy, write_atomic};
use crate::memo::Memo;
use crate::package::ModelOutputs;
use crate::store::Store;

/// A build that has just been made.
pub(super) struct Made<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) outputs: &'a [ModelOutputs<'a>],
    pub(super) code: &'a str,
    pub(super) artifacts: &'a ArtifactManifest,
    /// Remembers checksums of files that did not change.
    pub(super) memo: &'a Memo,
}

impl Made<'_> {
    /// Writes the record. Without one, other machines need `cargo-qnn`: no reason to fail.
    pub(super) fn keep(
        &self,
        store: &Store,
        warnings: &[Diagnostic],
        target: Option<&str>,
        host: Option<&str>,
    ) {
        // Libraries of op packages depend on more than files of the package: compilers, headers.
        if self.manifest.config.op_packages.is_empty() {
            let _ = self.write(store, warnings, target, host);
        }
    }

    fn write(
        &self,
        store: &Store,
        warnings: &[Diagnostic],
        target: Option<&str>,
        host: Option<&str>,
    ) -> io::Result<()> {
        let root = store.root().map_err(|problem| io::Error::other(problem.message))?;
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let mut files = Vec::new();
        for output in self.outputs.iter().flat_map(|model| &model.outputs) {
            let path = match &output.content {
                Content::Entry(entry) => match entry.path.strip_prefix(root) {
                    Ok(inside) => inside.to_owned(),
                    // In a store that is only read: the other machine may not have it.
                    Err(_) => return Ok(()),
                },
                Content::Bytes(_) | Content::Tokenizer(_) => self.own(output, &folder)?,
            };
            let record = &output.record;
            let from = Bytes { path, bytes: record.bytes, checksum: record.checksum.clone() };
            files.push(Placed { name: record.file.clone(), from });
        }
        let record = Record {
            inputs: self.inputs()?,
            files,
            code: self.code.to_owned(),
            artifacts: self.artifacts.clone(),
            warnings: warnings.to_vec(),
        };
        let file = folder.join(format!("{}.json", key(self.manifest, target, host)));
        write_atomic(&file, &to_text(&record)?, false)
    }

    /// A file that no job made, kept under its digest; its path from the bucket.
    fn own(&self, output: &crate::artifacts::Output<'_>, folder: &Path) -> io::Result<PathBuf> {
        let name = format!("{}.dat", output.record.blake3);
        let to = folder.join(&name);
        let is_there = fs::metadata(&to).is_ok_and(|meta| meta.len() == output.record.bytes);
        // Used again: what was not used for long is pruned.
        let is_kept =
            is_there && File::open(&to).is_ok_and(|file| file.set_modified(SystemTime::now()).is_ok());
        if !is_kept {
            match &output.content {
                Content::Bytes(bytes) => write_atomic(&to, bytes, false)?,
                Content::Entry(entry) => link_or_copy(&entry.path, entry.held.as_deref(), &to)?,
                Content::Tokenizer(source) => {
                    let text = crate::artifacts::tokenizer(source);
                    write_atomic(
                        &to,
                        text.map_err(|error| io::Error::other(error.to_string()))?.as_bytes(),
                        false,
                    )?;
                }
            }
        }
        Ok(Path::new(FOLDER).join(name))
    }

    /// Every file whose bytes decide what is compiled.
    fn inputs(&self) -> io::Result<Vec<Bytes>> {
        let folder = std::path::absolute(self.manifest.folder())?;
        let mut paths = Vec::new();
        for model in self.manifest.config.models.values() {
            paths.extend(model.quantize.encodings.clone());
            if let Some(Samples::File(file)) = model.samples.as_deref().map(Samples::from_text) {
                paths.push(file);
            }
        }
        for model in self.outputs.iter().map(|outputs| outputs.model) {
            if model.source.is_dir() {
                let files = fs::read_dir(&model.source)?.flatten().map(|entry| entry.path());
                paths.extend(files.filter(|path| path.is_file()));
            } else {
                paths.push(model.source.clone());
            }
            paths.extend(model.facts.external.iter().map(|file| file.path.clone()));
        }
        paths.sort();
        paths.dedup();
        let relative = |path: PathBuf| path.strip_prefix(&folder).map(Path::to_owned).unwrap_or(path);
        let bytes = |path: PathBuf| {
            let file = folder.join(&path);
            let found = self.memo.fact("checksum", &file, || Bytes::of(&folder, path.clone()))?;
            Ok(found.at(relative(path)))
        };
        paths.into_iter().map(bytes).collect()
    }
}
