//! The data file of an exported model: weights go there one after the other, and are seen through a map of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::frontend::mapped;
use crate::graph::Data;

/// Where tensors begin: what a map of a part of a file has to be a multiple of, and what ONNX recommends.
const ALIGNMENT: u64 = 4096;

/// A data file being written.
#[derive(Debug)]
pub struct Spill {
    path: PathBuf,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    end: u64,
    places: HashMap<String, (u64, u64)>,
}

impl Spill {
    /// An empty file at `path`.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        let state = RefCell::new(State { file, end: 0, places: HashMap::new() });
        Ok(Self { path: path.to_owned(), state })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The data of a tensor that was written.
    pub(super) fn written(&self, name: &str) -> io::Result<Option<Data>> {
        let state = self.state.borrow();
        let Some(&(at, length)) = state.places.get(name) else { return Ok(None) };
        if length == 0 {
            return Ok(Some(Data::new(Bytes::new())));
        }
        Ok(Some(Data::new(mapped::map_part(&state.file, at, length as usize)?)))
    }

    /// Writes the data of a tensor.
    pub(super) fn add(&self, name: &str, data: &Data) -> io::Result<Data> {
        let mut state = self.state.borrow_mut();
        let at = state.end.next_multiple_of(ALIGNMENT);
        let length = data.len() as u64;
        state.file.seek(SeekFrom::Start(at))?;
        state.file.write_all(data.bytes())?;
        state.end = at + length;
        state.places.insert(name.to_owned(), (at, length));
        if length == 0 {
            return Ok(Data::new(Bytes::new()));
        }
        Ok(Data::new(mapped::map_part(&state.file, at, data.len())?))
    }

    /// Offset and length of each tensor, by name.
    pub fn places(&self) -> HashMap<String, (u64, u64)> {
        self.state.borrow().places.clone()
    }
}
