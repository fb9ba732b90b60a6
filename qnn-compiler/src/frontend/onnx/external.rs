//! External data: weights kept in files beside the model.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::fault::Fault;
use super::proto::{StringStringEntryProto, TensorProto};
use crate::frontend::mapped;

/// The files beside a model, mapped when first asked for.
#[derive(Debug)]
pub(super) struct ExternalFiles {
    dir: PathBuf,
    maps: BTreeMap<String, (PathBuf, Bytes)>,
}

impl ExternalFiles {
    /// Files beside the model at `model`.
    pub(super) fn beside(model: &Path) -> Self {
        let dir = match model.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { dir, maps: BTreeMap::new() }
    }

    /// Paths of the files that were read.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.maps.values().map(|(path, _)| path.clone()).collect()
    }

    /// The bytes of a tensor that needs `length` of them.
    pub(super) fn data(&mut self, tensor: &TensorProto, length: usize) -> Result<Bytes, Fault> {
        let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| &*e.value);
        let Some(location) = entry("location").filter(|l| !l.is_empty()) else {
            return Err(Fault::new("E0203", "its data is external, but no file is named"));
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<usize>() {
                Ok(n) => Ok(Some(n)),
                Err(_) => Err(Fault::new("E0204", format!("{key} of its external data is '{text}'"))),
            },
        };
        let (offset, stated) = (number("offset")?.unwrap_or(0), number("length")?);
        if stated.is_some_and(|stated| stated != length) {
            let stated = stated.unwrap_or(0);
            return Err(Fault::new(
                "E0217",
                format!("it needs {length} bytes, its external data states {stated}"),
            ));
        }
        let file = self.file(location)?;
        match offset.checked_add(length) {
            Some(end) if end <= file.len() => Ok(file.slice(offset..end)),
            _ => Err(Fault::new(
                "E0204",
                format!(
                    "it needs bytes {offset} to {} of external file '{location}', which has {} bytes",
                    offset.saturating_add(length),
                    file.len()
                ),
            )),
        }
    }

    fn file(&mut self, location: &str) -> Result<Bytes, Fault> {
        if let Some((_, bytes)) = self.maps.get(location) {
            return Ok(bytes.clone());
        }
        let path = resolve(&self.dir, location)?;
        let bytes = mapped::map(&path).map_err(|e| unreadable(&path, &e))?;
        self.maps.insert(location.to_owned(), (path, bytes.clone()));
        Ok(bytes)
    }
}

/// The external file that a tensor refers to.
pub(in crate::frontend) fn location(entries: &[StringStringEntryProto]) -> Option<&str> {
    entries.iter().find(|e| e.key == "location").map(|e| &*e.value)
}

/// The path of an external file, which must be inside the model's folder.
fn resolve(dir: &Path, location: &str) -> Result<PathBuf, Fault> {
    let outside =
        || Fault::new("E0205", format!("external file '{location}' leads outside the model's folder"));
    let relative = Path::new(location);
    // A backslash or a drive letter would lead elsewhere on another system.
    let foreign = location.contains('\\') || location.as_bytes().get(1) == Some(&b':');
    if foreign || !relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let path = dir.join(relative);
    let real = path.canonicalize().map_err(|e| unreadable(&path, &e))?;
    if !real.starts_with(dir.canonicalize().map_err(|e| unreadable(dir, &e))?) {
        return Err(outside());
    }
    Ok(path)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new("E0203", format!("external file '{}' cannot be read: {error}", path.display()))
}
