//! Takes a build from the store, where there is no `cargo-qnn`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use qnn_manifest::Manifest;
use qnn_manifest::files::replace;
use qnn_manifest::output::{write_code, write_own_artifacts};
use qnn_manifest::record::{BUCKET, FOLDER, Placed, Record, from_text, key};
use qnn_manifest::script::Request;
use qnn_platform::{env, libs};
use qnn_types::{ArtifactManifest, Diagnostic, Error};

use crate::cargo::Cargo;

/// What `cargo-qnn` made of this package, wherever it ran.
///
/// # Errors
/// Why it cannot be taken, in words.
pub(crate) fn take(
    manifest: &Manifest,
    request: &Request,
    cargo: Cargo,
) -> Result<(ArtifactManifest, Vec<Diagnostic>), String> {
    let roots = roots(request);
    let name = key(manifest, env::string(&env::TARGET).as_deref(), env::string(&env::HOST).as_deref());
    let mut why = "the store has no build of these models with these options".to_owned();
    for root in &roots {
        let text = fs::read(root.join(FOLDER).join(format!("{name}.json")));
        let Some(record) = text.ok().and_then(|text| from_text(&text)) else { continue };
        match place(&record, manifest, root, &request.out_dir) {
            Ok(()) => {
                // Files beside a model, which only its reader finds, are among them.
                record
                    .inputs
                    .iter()
                    .for_each(|input| cargo.rerun_if_changed(&manifest.folder().join(&input.path)));
                return finish(record, &request.out_dir).map_err(|error| error.to_string());
            }
            Err(reason) => why = reason,
        }
    }
    Err(why)
}

/// The buckets in which records are looked for.
fn roots(request: &Request) -> Vec<PathBuf> {
    let cache = request.cache_dir.clone().or_else(libs::cache_dir);
    let own = request.out_dir.join("qnn-cache");
    cache.into_iter().chain([own]).map(|folder| folder.join(BUCKET)).collect()
}

/// Puts the files of a record into `out_dir`, each held against its checksum.
fn place(record: &Record, manifest: &Manifest, root: &Path, out_dir: &Path) -> Result<(), String> {
    if let Some(input) = record.inputs.iter().find(|input| !input.is_in(manifest.folder())) {
        return Err(format!("{} is not the file that the store has a build of", input.path.display()));
    }
    for Placed { name, from } in &record.files {
        let place = from.at(name.into());
        if place.is_in(out_dir) {
            continue;
        }
        let to = out_dir.join(name);
        let copy = |file: &mut File| io::copy(&mut File::open(root.join(&from.path))?, file).map(drop);
        replace(&to, copy).map_err(|error| format!("{} of the store: {error}", from.path.display()))?;
        if !place.is_in(out_dir) {
            let _ = fs::remove_file(&to);
            return Err(format!("{} of the store is damaged", from.path.display()));
        }
    }
    Ok(())
}

fn finish(record: Record, out_dir: &Path) -> Result<(ArtifactManifest, Vec<Diagnostic>), Error> {
    write_code(out_dir, &record.code)?;
    write_own_artifacts(&record.artifacts, out_dir)?;
    Ok((record.artifacts, record.warnings))
}
