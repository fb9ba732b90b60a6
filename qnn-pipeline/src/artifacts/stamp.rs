//! Makes build scripts run again when their models have changed.
//!
//! cargo runs a build script again when a file that it named has a later time than its last run. A model file that is replaced by an
//! older one (`cp -p`, `tar -x`) has not. `cargo qnn` knows all the same, by the model's bytes: it gives a file that the build script
//! named beside its model files, and that has no other use, the present time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use qnn_manifest::output::{STAMP, read_artifacts};
use qnn_types::{ARTIFACT_MANIFEST, ArtifactRecord};
use walkdir::WalkDir;

use crate::package::Built;

/// cargo's folders of build scripts are this deep: `<package>-<hash>/out`, and one deeper in its newer layout.
const DEEPEST: usize = 4;

/// Marks every build script below `folder`, cargo's `target/<profile>/build`, that has another artifact of a model than the one that was
/// built. Returns their folders.
pub fn mark_stale(folder: &Path, built: &[Built]) -> Vec<PathBuf> {
    let mut marked = Vec::new();
    let walk = WalkDir::new(folder).min_depth(2).max_depth(DEEPEST).into_iter().flatten();
    for entry in walk.filter(|entry| entry.file_name() == ARTIFACT_MANIFEST) {
        let Some(out) = entry.path().parent() else { continue };
        let Some(manifest) = read_artifacts(out) else { continue };
        if manifest.artifacts.iter().any(|record| built.iter().any(|package| has_other(package, record))) {
            let stamp = File::options().append(true).open(out.join(STAMP));
            // Without it, as in folders of an older version, the build script runs when cargo says so.
            if stamp.and_then(|file| file.set_modified(SystemTime::now())).is_ok() {
                marked.push(out.to_owned());
            }
        }
    }
    marked
}

/// Whether a package has, for the same model, SoC and part, another artifact than the recorded one.
fn has_other(package: &Built, record: &ArtifactRecord) -> bool {
    let is_same_part = |part: Option<String>| part == record.part;
    record.package == package.name
        && !record.key.is_empty()
        && package.models().filter(|(model, _)| model.name == record.model).any(|(_, artifacts)| {
            artifacts.iter().any(|(job, compiled)| {
                let part = job.llm.as_ref().map(|part| part.what.to_string());
                let soc = record.soc.is_empty() || record.soc == job.soc.name;
                soc && is_same_part(part) && compiled.key.as_str() != record.key
            })
        })
}
