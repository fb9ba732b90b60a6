//! GGUF files, versions 2 and 3.
//!
//! Layout: magic, version, number of tensors, number of metadata values; the values; a description of each tensor (name,
//! dimensions with the fastest first, type, offset); padding to the alignment; the tensors' data.
//! No number of the file is believed: each is held against what is left of the file before it is used.

mod config;
mod cursor;
mod split;
mod text;
mod types;
mod value;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use bytes::Bytes;

use crate::assemble::{Elements, Found, Stored};
use crate::map::map;
use crate::problem::{Class, Problem};
use crate::weights::Text;
use cursor::Cursor;
pub use value::{Array, Value};
pub use write::Writer;

/// First bytes of every GGUF file.
pub const MAGIC: &[u8; 4] = b"GGUF";

/// A GGUF file: its metadata, and where its tensors are.
#[derive(Clone, Debug)]
pub struct Gguf {
    /// Version of the format.
    pub version: u32,
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    pub(crate) tensors: BTreeMap<String, Stored>,
}

impl Gguf {
    /// Opens a file; its tensors' data stays on disk until it is read.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        Self::of_bytes(map(path)?).map_err(|problem| problem.of_file(path))
    }

    /// Reads the bytes of a file.
    pub fn of_bytes(file: Bytes) -> Result<Self, Problem> {
        let mut cursor = Cursor::new(&file, 0);
        if !file.starts_with(MAGIC) {
            return Err(not_gguf(&file));
        }
        cursor.u32("the magic")?;
        let version = cursor.u32("the version")?;
        if !(2..=3).contains(&version) {
            return Err(unknown_version(version));
        }
        let tensors = cursor.u64("the number of tensors")?;
        // The least that a value takes: length of its key, type, one byte.
        let values = cursor.count(13, "metadata values")?;
        let metadata = read_metadata(&mut cursor, &file, values)?;
        // The least that a tensor takes: length of its name, number of dimensions, type, offset.
        let tensors = cursor.fits(tensors, 24, "tensors")?;
        let described: Vec<Described> =
            (0..tensors).map(|_| Described::read(&mut cursor)).collect::<Result<_, _>>()?;
        let data = data_start(&cursor, &metadata, &file)?;
        let alignment = alignment(&metadata)?;
        check_places(&described, file.len() - data, alignment)?;
        let tensors = described.into_iter().map(|tensor| (tensor.name.clone(), tensor.stored(&file, data)));
        Ok(Self { version, metadata, tensors: tensors.collect() })
    }

    /// A metadata value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// What the file says of text; without `convert`, all but the tokenizer, whose conversion takes a while.
    pub fn text(&self, convert: bool) -> Result<Text, Problem> {
        text::text(self, convert)
    }

    /// The model in the file: its sizes, and what is known of its tensors.
    pub(crate) fn found(&self) -> Result<Found, Vec<Problem>> {
        config::found(self)
    }
}

pub use split::siblings;
pub(crate) use split::whole;
pub(crate) use text::describe_tokenizer;

fn not_gguf(file: &[u8]) -> Problem {
    let looks = match file {
        [] => "the file is empty".to_owned(),
        _ if file.starts_with(crate::problem::LFS) => return crate::problem::lfs_pointer(),
        _ => format!("the file begins with `{}`", file[..file.len().min(8)].escape_ascii()),
    };
    Problem::damaged("this is no GGUF file").note(looks)
}

fn unknown_version(version: u32) -> Problem {
    let problem = Problem::damaged(format!("version {version} of GGUF is not read"));
    match version.swap_bytes() {
        2..=3 => Problem::damaged("this is a GGUF file for big-endian machines")
            .help("convert it: `gguf_convert_endian.py FILE little` of llama.cpp"),
        _ => {
            problem.note("versions 2 and 3 are read").help("convert the model again with a current llama.cpp")
        }
    }
}

fn read_metadata(
    cursor: &mut Cursor<'_>,
    file: &Bytes,
    values: usize,
) -> Result<BTreeMap<String, Value>, Problem> {
    let mut metadata = BTreeMap::new();
    for _ in 0..values {
        let key = cursor.string("the name of a metadata value")?;
        let key = std::str::from_utf8(key)
            .map_err(|_| Problem::damaged(format!("a metadata value's name is no text: `{}`", short(key))))?;
        let value = value::read(cursor, file, key)?;
        if metadata.insert(key.to_owned(), value).is_some() {
            return Err(Problem::damaged(format!("metadata `{key}` is there twice")));
        }
    }
    Ok(metadata)
}

fn short(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(60)].escape_ascii().to_string()
}

/// A tensor as the file describes it.
struct Described {
    name: String,
    /// Fastest first.
    dims: Vec<u64>,
    kind: u32,
    offset: u64,
    /// Bytes; `None` for a type of unknown size.
    bytes: Option<u64>,
}

impl Described {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Problem> {
        let name = cursor.string("the name of a tensor")?;
        let name = std::str::from_utf8(name)
            .map_err(|_| Problem::damaged(format!("a tensor's name is no text: `{}`", short(name))))?
            .to_owned();
        let what = format!("the description of tensor `{name}`");
        let rank = cursor.u32(&what)?;
        if rank > 4 {
            return Err(Problem::damaged(format!(
                "tensor `{name}` has {rank} dimensions; GGUF knows 4 at most"
            )));
        }
        let dims: Vec<u64> = (0..rank).map(|_| cursor.u64(&what)).collect::<Result<_, _>>()?;
        let (kind, offset) = (cursor.u32(&what)?, cursor.u64(&what)?);
        let bytes = size(&dims, kind).map_err(|why| {
            Problem::damaged(format!(
                "tensor `{name}` of type {} cannot have the dimensions {dims:?}",
                type_name(kind)
            ))
            .note(why)
        })?;
        Ok(Self { name, dims, kind, offset, bytes })
    }

    /// The range of bytes that it takes was checked.
    fn stored(self, file: &Bytes, data: usize) -> Stored {
        let place = |bytes: u64| {
            let start = data.checked_add(usize::try_from(self.offset).ok()?)?;
            let end = start.checked_add(usize::try_from(bytes).ok()?)?;
            (end <= file.len()).then(|| file.slice(start..end))
        };
        let elements = match types::find(self.kind).and_then(|row| row.format) {
            Some(format) => Elements::Known(format),
            None => Elements::Unknown(type_name(self.kind)),
        };
        let data = self.bytes.and_then(place).unwrap_or_default();
        Stored { dims: self.dims.into_iter().rev().collect(), elements, data }
    }
}

fn type_name(kind: u32) -> String {
    types::find(kind).map_or_else(|| format!("number {kind}"), |row| row.name.to_owned())
}

/// Bytes of a tensor; `None` for a type of unknown size.
fn size(dims: &[u64], kind: u32) -> Result<Option<u64>, String> {
    if dims.contains(&0) {
        return Err("a dimension is zero".to_owned());
    }
    let elements = dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim));
    // Signed, as every reader of these files counts.
    let elements = elements.filter(|elements| i64::try_from(*elements).is_ok());
    let elements = elements.ok_or("their product is more than any file can hold")?;
    let Some(row) = types::find(kind) else { return Ok(None) };
    let columns = dims.first().copied().unwrap_or(1);
    if !columns.is_multiple_of(row.block) {
        return Err(format!("rows of {columns} are no whole number of blocks of {}", row.block));
    }
    let bytes = (elements / row.block).checked_mul(row.bytes);
    bytes.map(Some).ok_or_else(|| "it would be larger than any file".to_owned())
}

fn alignment(metadata: &BTreeMap<String, Value>) -> Result<u64, Problem> {
    let Some(value) = metadata.get("general.alignment") else { return Ok(32) };
    value.unsigned().filter(|alignment| alignment.is_power_of_two() && *alignment <= 1 << 30).ok_or_else(
        || Problem::damaged(format!("metadata `general.alignment` is {value:?}, which is no power of two")),
    )
}

fn data_start(
    cursor: &Cursor<'_>,
    metadata: &BTreeMap<String, Value>,
    file: &[u8],
) -> Result<usize, Problem> {
    let start = (cursor.at() as u64).checked_next_multiple_of(alignment(metadata)?);
    // A file without tensors may end before the padding does.
    let start = start.and_then(|start| usize::try_from(start).ok()).unwrap_or(file.len());
    Ok(start.min(file.len()))
}

/// Every tensor lies in the file, aligned, and none on another. `length` is that of the data.
fn check_places(tensors: &[Described], length: usize, alignment: u64) -> Result<(), Problem> {
    let mut names = HashSet::new();
    if let Some(twice) = tensors.iter().find(|tensor| !names.insert(tensor.name.as_str())) {
        return Err(Problem::damaged(format!("tensor `{}` is there twice", twice.name)));
    }
    for tensor in tensors {
        let Described { name, offset, .. } = tensor;
        if !offset.is_multiple_of(alignment) {
            let message =
                format!("tensor `{name}` is at offset {offset}, which is no multiple of {alignment}");
            return Err(Problem::damaged(message));
        }
        let bytes = tensor.bytes.unwrap_or(0);
        if offset.checked_add(bytes).is_none_or(|end| end > length as u64) {
            return Err(Problem::damaged(format!("tensor `{name}` reaches past the end of the file"))
                .note(format!("{bytes} bytes at offset {offset} of {length} bytes of data"))
                .help("fetch or copy the file again and compare its size with the original"));
        }
    }
    let mut places: Vec<(u64, u64, &str)> = tensors
        .iter()
        .map(|tensor| (tensor.offset, tensor.offset + tensor.bytes.unwrap_or(0), tensor.name.as_str()))
        .collect();
    places.sort_unstable();
    let overlap = places.windows(2).find(|pair| pair[0].1 > pair[1].0);
    match overlap {
        Some(pair) => {
            Err(Problem::new(Class::Damaged, format!("tensors `{}` and `{}` overlap", pair[0].2, pair[1].2)))
        }
        None => Ok(()),
    }
}
