//! How large the store is, and making it smaller.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::bucket::{BUCKETS, Bucket, Kind};
use super::entry::Record;
use super::lock::{Found, look};
use super::root::{Store, is_ours};
use qnn_types::Diagnostic;
use qnn_types::io_problem;

/// What killed processes left in `tmp` is removed after this time, whatever else is asked for.
const STALE: Duration = Duration::from_secs(3 * 24 * 3600);
/// Digits of a key.
const DIGITS: usize = 64;

/// Size of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct BucketUsage {
    /// The bucket.
    pub bucket: &'static Bucket,
    /// Number of its files; of context binaries, without their records.
    pub entries: usize,
    /// Bytes of all its files.
    pub bytes: u64,
}

/// Size of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of artifacts.
    pub entries: usize,
    /// Bytes of artifacts.
    pub bytes: u64,
    /// Bytes of everything else in the cache folder.
    pub other_bytes: u64,
}

/// What to remove.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prune {
    /// Everything.
    pub all: bool,
    /// Artifacts that were not used for this long.
    pub unused_for: Option<Duration>,
    /// The longest unused artifacts, until the rest takes at most this many bytes.
    pub max_bytes: Option<u64>,
    /// What engines of another identity than this made: this one never looks for it.
    pub but_for_engine: Option<&'static str>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Number of artifacts.
    pub entries: usize,
    /// Bytes in all.
    pub bytes: u64,
}

/// An artifact in a listing of the store.
#[derive(Clone, Debug)]
pub struct EntryInfo {
    /// What is known of it; its bytes are not verified.
    pub record: Record,
    /// When it was last used.
    pub used: SystemTime,
    side: PathBuf,
}

impl Store {
    /// Every artifact, the longest unused first.
    pub fn entries(&self) -> Vec<EntryInfo> {
        let mut entries: Vec<EntryInfo> = self
            .roots()
            .flat_map(|root| files_below(&root.join("artifacts")))
            .filter(|(path, _)| is_artifact(path, "json"))
            .filter_map(|(side, meta)| {
                let record = serde_json::from_slice(&fs::read(&side).ok()?).ok()?;
                Some(EntryInfo { record, used: meta.modified().ok()?, side })
            })
            .collect();
        entries.sort_by(|a, b| (a.used, &a.side).cmp(&(b.used, &b.side)));
        entries
    }

    /// How large each bucket is.
    pub fn buckets(&self) -> Vec<BucketUsage> {
        let usage = |bucket: &'static Bucket| {
            let (mut entries, mut bytes) = (0, 0);
            for (path, meta) in self.roots().take(1).flat_map(|root| files_below(&root.join(bucket.folder))) {
                entries += usize::from(bucket.kind != Kind::Binary || is_artifact(&path, "bin"));
                bytes += meta.len();
            }
            BucketUsage { bucket, entries, bytes }
        };
        BUCKETS.iter().map(usage).collect()
    }

    /// How large the store is. Files that are not the store's do not count.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (path, meta) in self.roots().take(1).flat_map(|root| our_files(&root)) {
            if is_artifact(&path, "bin") {
                usage.entries += 1;
                usage.bytes += meta.len();
            } else {
                usage.other_bytes += meta.len();
            }
        }
        usage
    }

    /// Removes artifacts. Those that are being compiled stay; those that a build has linked into its own folder stay there. Files
    /// that are not the store's are never touched.
    ///
    /// # Errors
    /// `E0606` where the folder was not made by this store, `E0604` for a file that cannot be removed.
    pub fn prune(&self, what: Prune) -> Result<Pruned, Diagnostic> {
        let roots: Vec<PathBuf> = self.roots().filter(|root| root.is_dir()).collect();
        if let Some(root) = roots.iter().find(|root| !is_ours(root)) {
            return Err(not_ours(root));
        }
        let mut pruned = Pruned::default();
        let now = SystemTime::now();
        let entries = self.entries();
        let mut left: u64 = entries.iter().map(|entry| entry.record.bytes).sum();
        for entry in &entries {
            let unused = now.duration_since(entry.used).unwrap_or_default();
            let goes = what.all
                || what.but_for_engine.is_some_and(|engine| entry.record.engine != engine)
                || what.unused_for.is_some_and(|limit| unused >= limit)
                || what.max_bytes.is_some_and(|limit| left > limit);
            if goes {
                left = left.saturating_sub(entry.record.bytes);
                pruned.entries += 1;
                pruned.bytes += remove(&entry.side)? + remove(&entry.side.with_extension("bin"))?;
            }
        }
        for root in &roots {
            pruned.bytes += scratch(root, what.all, now)?;
            // Results of steps are used again as long as the artifacts that they are for.
            pruned.bytes += results(root, what, now)?;
            if what.all {
                pruned.bytes += everything(root)?;
            }
        }
        Ok(pruned)
    }
}

fn not_ours(root: &Path) -> Diagnostic {
    let cache = root.parent().unwrap_or(root);
    Diagnostic::new("E0606", format!("{} is not a cache of cargo-qnn", cache.display()))
        .note("it has a folder `v1` without the CACHEDIR.TAG that cargo-qnn writes; nothing was removed")
        .help("correct QNN_CACHE_DIR; `cargo qnn cache dir` prints the folder in use")
}

/// Removes what workers write, except where one is at work.
fn scratch(root: &Path, all: bool, now: SystemTime) -> Result<u64, Diagnostic> {
    let mut bytes = 0;
    for place in folder(&root.join("tmp")) {
        let age = fs::symlink_metadata(&place).and_then(|meta| meta.modified());
        let is_stale = age.is_ok_and(|time| now.duration_since(time).unwrap_or_default() >= STALE);
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Held until the folder is gone: nobody begins to compile the key in between.
        let found = if is_key(&name) { look(root, &name) } else { Found::Unknown };
        let goes = match found {
            Found::Busy => false,
            Found::Free(_) => all || is_stale,
            Found::Unknown => is_stale,
        };
        if goes {
            bytes += files_below(&place).map(|(_, meta)| meta.len()).sum::<u64>();
            let removed = if place.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
            gone(&place, removed)?;
        }
    }
    Ok(bytes)
}

/// Removes results of steps, and builds of packages, that are old enough.
fn results(root: &Path, what: Prune, now: SystemTime) -> Result<u64, Diagnostic> {
    let mut bytes = 0;
    for kind in [Kind::Ranges, Kind::Build] {
        for path in folder(&root.join(kind.folder())) {
            let meta = fs::symlink_metadata(&path);
            let age = meta
                .and_then(|meta| meta.modified())
                .map(|time| now.duration_since(time).unwrap_or_default());
            let is_old = |limit: Duration| age.as_ref().is_ok_and(|age| *age >= limit);
            let is_ours =
                ["json", "dat"].iter().any(|end| path.extension().is_some_and(|found| found == *end));
            if (is_ours || is_temporary(&path)) && (what.all || what.unused_for.is_some_and(is_old)) {
                bytes += remove(&path)?;
            }
        }
    }
    Ok(bytes)
}

/// Removes all other files of the store, except lock files that are held and what lies where only ours should. Folders of
/// artifacts stay: somebody may be about to write into them.
fn everything(root: &Path) -> Result<u64, Diagnostic> {
    let mut bytes = 0;
    for (path, _) in files_below(&root.join("artifacts")) {
        if is_artifact(&path, "bin") || is_artifact(&path, "json") || is_temporary(&path) {
            bytes += remove(&path)?;
        }
    }
    for path in folder(&root.join("locks")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_key(&name)
            && let Found::Free(_held) = look(root, &name)
        {
            bytes += remove(&path)?;
        }
    }
    for path in folder(&root.join("memo")) {
        if path.extension().is_some_and(|extension| extension == "json") || is_temporary(&path) {
            bytes += remove(&path)?;
        }
    }
    let built = root.join("op-packages");
    if fs::symlink_metadata(&built).is_ok_and(|meta| meta.is_dir()) {
        bytes += files_below(&built).map(|(_, meta)| meta.len()).sum::<u64>();
        gone(&built, fs::remove_dir_all(&built))?;
    }
    Ok(bytes)
}

fn is_key(name: &str) -> bool {
    name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file is called as the artifacts of the store are: `ab/ab….bin`.
fn is_artifact(path: &Path, extension: &str) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    path.extension().is_some_and(|found| found == extension) && is_key(&name) && name.starts_with(&*folder)
}

/// Whether a file is one that was to get its name when it was written.
fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp-"))
}

fn remove(file: &Path) -> Result<u64, Diagnostic> {
    let bytes = fs::symlink_metadata(file).map_or(0, |meta| meta.len());
    gone(file, fs::remove_file(file)).map(|is_gone| if is_gone { bytes } else { 0 })
}

/// Whether something was removed; that it was gone already is no error.
fn gone(path: &Path, removed: io::Result<()>) -> Result<bool, Diagnostic> {
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_problem("E0604", "cannot remove", path, &error)),
    }
}

/// What is in a folder; nothing where it is a link to one elsewhere.
fn folder(path: &Path) -> Vec<PathBuf> {
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        return Vec::new();
    }
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Every file of the store at `root`.
fn our_files(root: &Path) -> impl Iterator<Item = (PathBuf, fs::Metadata)> + use<> {
    let folders = BUCKETS.iter().map(|bucket| bucket.folder).chain(["locks", "tmp"]);
    let folders: Vec<PathBuf> = folders.map(|name| root.join(name)).collect();
    folders.into_iter().flat_map(|folder| files_below(&folder))
}

/// Every file below a folder; links are not followed.
fn files_below(folder: &Path) -> impl Iterator<Item = (PathBuf, fs::Metadata)> + use<> {
    let walk = WalkDir::new(folder).follow_root_links(false).into_iter().flatten();
    walk.filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some((entry.path().to_owned(), entry.metadata().ok()?)))
}
