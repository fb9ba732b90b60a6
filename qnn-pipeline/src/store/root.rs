//! The folders of the store: where to look, and where to write.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::files::{open, write_atomic};
use crate::memo::Memo;
use qnn_types::Diagnostic;
use qnn_types::io_problem;

/// The format's version; another format is another bucket beside it.
pub(super) use qnn_manifest::record::BUCKET;
/// What <https://bford.info/cachedir/> asks for.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                   # This folder is a cache of cargo-qnn: everything in it can be made again.\n";

/// What tells our tag from those of others, which all begin alike.
const OURS: &str = "a cache of cargo-qnn";

/// The store.
#[derive(Debug)]
pub struct Store {
    cache: PathBuf,
    fallback: Option<PathBuf>,
    writable: OnceLock<Result<Writable, Diagnostic>>,
}

#[derive(Debug)]
struct Writable {
    root: PathBuf,
    warning: Option<Diagnostic>,
}

impl Store {
    /// The store in the folder `cache`. Where that cannot be written, new entries go to `fallback`, with a warning. Nothing is
    /// created before something is written.
    pub fn new(cache: PathBuf, fallback: Option<PathBuf>) -> Self {
        Self { cache, fallback, writable: OnceLock::new() }
    }

    /// The cache folder.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The memory of facts about files that belongs to this store.
    pub fn memo(&self) -> Memo {
        Memo::new(self.cache.join(BUCKET).join("memo"))
    }

    /// Where op packages are built: in the cache folder, else where compiled models go when that cannot be written.
    pub fn op_packages(&self) -> PathBuf {
        let root = self.writable().map(Path::to_owned).unwrap_or_else(|_| self.cache.join(BUCKET));
        root.join("op-packages")
    }

    /// Where new entries go, made ready.
    ///
    /// # Errors
    /// `E0602`, `E0603` or `E0604`.
    pub(super) fn writable(&self) -> Result<&Path, Diagnostic> {
        match self.writable.get_or_init(|| self.find_writable()) {
            Ok(writable) => Ok(&writable.root),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// What the user should know about where entries were written, once something was, and about who may write there.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let written = self.writable.get().and_then(|found| found.as_ref().ok()?.warning.clone());
        written.into_iter().chain(self.roots().find_map(|root| shared(&root))).collect()
    }

    /// The bucket that new entries go to, made ready.
    ///
    /// # Errors
    /// As [`Store::writable`].
    pub(crate) fn root(&self) -> Result<&Path, Diagnostic> {
        self.writable()
    }

    /// The roots in which entries are looked for.
    pub(super) fn roots(&self) -> impl Iterator<Item = PathBuf> {
        std::iter::once(&self.cache).chain(&self.fallback).map(|folder| folder.join(BUCKET))
    }

    fn find_writable(&self) -> Result<Writable, Diagnostic> {
        let error = match prepare(&self.cache) {
            Ok(root) => return Ok(Writable { root, warning: None }),
            Err(error) => error,
        };
        let denied = matches!(
            error.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::AlreadyExists
        );
        let problem = io_problem(
            if denied { "E0602" } else { "E0604" },
            "cannot write to the cache folder",
            &self.cache,
            &error,
        );
        match &self.fallback {
            Some(fallback) if denied => {
                let root = prepare(fallback).map_err(|error| {
                    io_problem("E0604", "cannot write to the build's own cache folder", fallback, &error)
                })?;
                let warning = problem
                    .note(format!("compiled models are kept in {} instead", fallback.display()))
                    .help("set QNN_CACHE_DIR to a folder that can be written, so that other builds can use them");
                Ok(Writable { root, warning: Some(warning) })
            }
            _ => Err(problem.help("set QNN_CACHE_DIR to a folder that can be written")),
        }
    }
}

/// Makes the folders and the tag, and makes sure that files can be made in them.
fn prepare(cache: &Path) -> std::io::Result<PathBuf> {
    let root = cache.join(BUCKET);
    for folder in ["artifacts", "locks", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let tag = cache.join("CACHEDIR.TAG");
    if !tag.is_file() {
        write_atomic(&tag, TAG.as_bytes(), false)?;
    } else if !is_ours(&root) {
        // The folder is somebody else's cache as well, such as cargo's target folder.
        write_atomic(&root.join("CACHEDIR.TAG"), TAG.as_bytes(), false)?;
    }
    // Folders that exist say nothing about writing.
    write_atomic(&root.join("tmp").join("probe"), b"", false)?;
    Ok(root)
}

/// Whether a store made this folder: only that one may be pruned.
pub(super) fn is_ours(root: &Path) -> bool {
    let tags = [root.parent().unwrap_or(root), root].map(|folder| folder.join("CACHEDIR.TAG"));
    tags.iter().any(|tag| open(tag).and_then(read_short).is_ok_and(|text| text.contains(OURS)))
}

fn read_short(file: fs::File) -> std::io::Result<String> {
    let mut text = String::new();
    file.take(1 << 12).read_to_string(&mut text)?;
    Ok(text)
}

/// The warning for a folder into which others may put what the app will run.
#[cfg(unix)]
fn shared(root: &Path) -> Option<Diagnostic> {
    use std::os::unix::fs::MetadataExt;
    let folders = [root.to_owned(), root.join("artifacts"), root.join("locks")];
    let risky = folders.iter().find_map(|folder| {
        let mode = fs::metadata(folder).ok()?.mode();
        (mode & 0o002 != 0).then(|| (folder, format!("everybody may write to it (mode {:o})", mode & 0o7777)))
    });
    let (folder, why) = risky?;
    Some(
        Diagnostic::new("E0607", format!("others can write to the cache folder {}", folder.display()))
            .note(why)
            .note("context binaries are taken from there as they are: who can write to it decides what your app runs")
            .help("take the permission away (chmod -R go-w), or set QNN_CACHE_DIR to a folder of your own"),
    )
}

#[cfg(not(unix))]
fn shared(_: &Path) -> Option<Diagnostic> {
    None
}
