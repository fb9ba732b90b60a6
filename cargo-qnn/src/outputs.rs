//! Files that commands write: never over what they read, whole or not at all, and with nothing left beside them.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};

/// Refuses an output that is one of the files that are read, by whatever name.
///
/// # Errors
/// `E0605`.
pub(crate) fn not_over<'a>(output: &Path, read: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let Some(written) = identity(output) else { return Ok(()) };
    match read.into_iter().find(|file| identity(file).as_ref() == Some(&written)) {
        None => Ok(()),
        Some(file) => {
            let message = format!("{} is an input, and would be overwritten", file.display());
            Err(Failure::new(Exit::User, codes::OUTPUT_FILE, message).help("write to another file"))
        }
    }
}

/// What tells a file from every other: links of all kinds lead to the same. `None` where there is none.
#[cfg(unix)]
fn identity(file: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(file).ok().map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(file: &Path) -> Option<PathBuf> {
    file.canonicalize().ok()
}

/// A file beside an output, which takes its place when it is complete.
pub(crate) struct Partial {
    place: Place,
    output: PathBuf,
}

enum Place {
    /// A name that is made from the output's. What a killed run left there is overwritten by the next; the lock tells that it is dead.
    Derived { path: TempPath, _lock: File },
    /// Another process writes the same output now, or the file system has no locks.
    Unique(TempPath),
}

impl Partial {
    /// # Errors
    /// The output is no regular file, or its folder cannot be written into.
    pub(crate) fn new(output: &Path) -> Result<Self> {
        if std::fs::metadata(output).is_ok_and(|meta| !meta.is_file()) {
            // Renaming a file to this name would replace a device such as /dev/null.
            let message = format!("{} is not a regular file", output.display());
            return Err(
                Failure::new(Exit::User, codes::OUTPUT_FILE, message).help("name a file to write with -o")
            );
        }
        let folder =
            output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).at("cannot create", folder)?;
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let path = absolute(&folder.join(format!(".{name}.partial")));
        let place = match locked(&path) {
            Some(lock) => {
                let path = TempPath::try_from_path(path)
                    .map_err(|error| Failure::io("cannot write", output, &error))?;
                Place::Derived { path, _lock: lock }
            }
            None => {
                let file =
                    tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(absolute(folder));
                Place::Unique(file.at("cannot write into", folder)?.into_temp_path())
            }
        };
        Ok(Self { place, output: output.to_owned() })
    }

    /// The file to write to, absolute.
    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Derived { path, .. } | Place::Unique(path) => path,
        }
    }

    /// Gives the complete file the output's name, and the permissions of any other file.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn finish(self) -> Result<()> {
        readable(self.path())?;
        let Self { place, output } = self;
        let (Place::Derived { path, .. } | Place::Unique(path)) = place;
        path.persist(&output).map_err(|error| Failure::io("cannot write", &output, &error.error))
    }
}

/// A new file at `path`, or what a dead process left there; `None` where another process has it, or nothing can be locked.
fn locked(path: &Path) -> Option<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(_) => None,
    }
}

/// Temporary files are private; a result is as readable as any other file.
fn readable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).at("cannot write", file)?;
    }
    let _ = file;
    Ok(())
}

fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_output_appears_when_it_is_complete_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.bin");
        // What a killed run left.
        std::fs::write(folder.path().join(".a.bin.partial"), "half").unwrap();
        let partial = Partial::new(&output).unwrap();
        std::fs::write(partial.path(), "whole").unwrap();
        assert!(!output.exists());
        partial.finish().unwrap();
        assert_eq!(
            (std::fs::read_to_string(&output).unwrap().as_str(), names(folder.path())),
            ("whole", vec!["a.bin".to_owned()])
        );
        drop(Partial::new(&output).unwrap());
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn two_writers_of_one_output_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.bin");
        let (one, other) = (Partial::new(&output).unwrap(), Partial::new(&output).unwrap());
        assert_ne!(one.path(), other.path());
        std::fs::write(one.path(), "one").unwrap();
        std::fs::write(other.path(), "other").unwrap();
        one.finish().unwrap();
        other.finish().unwrap();
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_input_is_not_written_over_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let [model, link, hard] = ["m.onnx", "l.onnx", "h.onnx"].map(|name| folder.path().join(name));
        std::fs::write(&model, "x").unwrap();
        std::os::unix::fs::symlink(&model, &link).unwrap();
        std::fs::hard_link(&model, &hard).unwrap();
        for output in [&model, &link, &hard] {
            assert!(not_over(output, [model.as_path()]).is_err(), "{}", output.display());
        }
        assert!(not_over(&folder.path().join("new.bin"), [model.as_path()]).is_ok());
    }
}
