//! NumPy's `.npz` files: named arrays in a ZIP archive.
//!
//! Arrays are read as bytes with a dtype and a shape, without a type parameter: what they are is known only when the
//! file is open. Both byte orders and both memory orders are read; little-endian, row-major is what is written.

mod rows;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use qnn::DataType;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

pub use rows::{Rows, rows};

const MAGIC: &[u8] = b"\x93NUMPY";
/// A header longer than this is no header: the longest real one has a shape of 32 dimensions.
const LONGEST_HEADER: usize = 1 << 16;

/// NumPy's letter and size of a type.
#[rustfmt::skip]
const TYPES: &[(&str, DataType)] = &[
    ("f2", DataType::Float16), ("f4", DataType::Float32), ("f8", DataType::Float64),
    ("i1", DataType::Int8),    ("i2", DataType::Int16),   ("i4", DataType::Int32),   ("i8", DataType::Int64),
    ("u1", DataType::Uint8),   ("u2", DataType::Uint16),  ("u4", DataType::Uint32),  ("u8", DataType::Uint64),
    ("b1", DataType::Bool),
];

/// An array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Type of the elements.
    pub dtype: DataType,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<u64>,
    /// The elements, little-endian, row by row.
    pub data: Vec<u8>,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NpzError {
    /// The operating system's word.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// It is no ZIP archive, or a damaged one.
    #[error("{} is not an .npz file: {error}", path.display())]
    NotNpz {
        /// The file.
        path: PathBuf,
        /// What the archive reader says.
        error: zip::result::ZipError,
    },
    /// One of its arrays cannot be read.
    #[error("array `{name}` of {}: {why}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// All arrays of a file, in the file's order, by name (without `.npy`).
///
/// # Errors
/// See [`NpzError`]. Arrays of other types than numbers and booleans are errors.
pub fn read(path: &Path) -> Result<Vec<(String, Array)>, NpzError> {
    read_where(path, |_, _, _| true)
}

/// The arrays that are wanted, by their name, dtype and shape: of the others only the header is read.
///
/// # Errors
/// As [`read`].
pub fn read_where(
    path: &Path,
    wanted: impl FnMut(&str, DataType, &[u64]) -> bool,
) -> Result<Vec<(String, Array)>, NpzError> {
    let file = File::open(path).map_err(|error| NpzError::Io { path: path.to_owned(), error })?;
    read_from(BufReader::new(file), path, wanted)
}

fn read_from(
    reader: impl Read + Seek,
    path: &Path,
    mut wanted: impl FnMut(&str, DataType, &[u64]) -> bool,
) -> Result<Vec<(String, Array)>, NpzError> {
    let not_npz = |error| NpzError::NotNpz { path: path.to_owned(), error };
    let mut archive = ZipArchive::new(reader).map_err(not_npz)?;
    let mut arrays = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(not_npz)?;
        let name = entry.name().map_err(not_npz)?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let array = read_npy(&mut entry, |dtype, shape| wanted(&name, dtype, shape));
        let array =
            array.map_err(|why| NpzError::Array { path: path.to_owned(), name: name.clone(), why })?;
        arrays.extend(array.map(|array| (name, array)));
    }
    Ok(arrays)
}

/// Writes arrays, uncompressed. The same arrays give the same bytes. A file that cannot be written to its end is removed.
///
/// # Errors
/// [`NpzError::Io`], and [`NpzError::Array`] for a type that NumPy does not have.
pub fn write<'a>(
    path: &Path,
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
) -> Result<(), NpzError> {
    let file = File::create(path).map_err(|error| NpzError::Io { path: path.to_owned(), error })?;
    let written = write_to(file, path, arrays);
    if written.is_err() && path.is_file() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(path);
    }
    written
}

fn write_to<'a>(
    file: File,
    path: &Path,
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
) -> Result<(), NpzError> {
    let io = |error| NpzError::Io { path: path.to_owned(), error };
    let mut archive = ZipWriter::new(BufWriter::new(file));
    for (name, array) in arrays {
        let header = header(array).map_err(|why| NpzError::Array {
            path: path.to_owned(),
            name: name.to_owned(),
            why,
        })?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(array.data.len() as u64 >= u64::from(u32::MAX) - LONGEST_HEADER as u64);
        let start = archive.start_file(format!("{name}.npy"), options);
        start.map_err(|error| io(error.into()))?;
        archive.write_all(&header).and_then(|()| archive.write_all(&array.data)).map_err(io)?;
    }
    let mut writer = archive.finish().map_err(|error| io(error.into()))?;
    writer.flush().map_err(io)
}

/// What stands in front of an array's elements.
struct Header {
    dtype: DataType,
    shape: Vec<u64>,
    /// Whether elements are big-endian.
    turned: bool,
    /// Whether they are in column-major order.
    columns_first: bool,
}

impl Header {
    fn read(reader: &mut impl Read) -> Result<Self, String> {
        let start: [u8; 8] = exactly(reader).map_err(|_| "it is no .npy data")?;
        let length = match start.strip_prefix(MAGIC) {
            None => return Err("it is no .npy data".to_owned()),
            Some([1, _]) => usize::from(u16::from_le_bytes(exactly(reader)?)),
            Some([2 | 3, _]) => u32::from_le_bytes(exactly(reader)?) as usize,
            Some(_) => return Err("its .npy version is unknown".to_owned()),
        };
        if length > LONGEST_HEADER {
            return Err("its header is damaged".to_owned());
        }
        let header = up_to(reader, length as u64)?;
        let header = std::str::from_utf8(&header).ok().filter(|header| header.len() == length);
        let header = header.ok_or("its header is damaged")?;
        let descr = field(header, "descr").ok_or("its header names no type")?;
        let descr = descr.split(['\'', '"']).nth(1).ok_or("a structured type")?;
        let shape = shape(field(header, "shape").ok_or("its header has no shape")?)?;
        let columns_first = field(header, "fortran_order").is_some_and(|text| text.starts_with("True"));
        let letters = descr.trim_start_matches(['<', '>', '|', '=']);
        let dtype = TYPES.iter().find(|(name, _)| *name == letters).map(|(_, dtype)| *dtype);
        let dtype = dtype.ok_or_else(|| format!("elements of type `{descr}` are no numbers"))?;
        Ok(Self { dtype, shape, turned: descr.starts_with('>'), columns_first })
    }
}

/// An array, or `None` where its dtype and shape are not wanted. The header says how much data there is: no more is read, however
/// much the file has.
fn read_npy(
    reader: &mut impl Read,
    wanted: impl FnOnce(DataType, &[u64]) -> bool,
) -> Result<Option<Array>, String> {
    let Header { dtype, shape, turned, columns_first } = Header::read(reader)?;
    let size = dtype.size();
    let elements = shape.iter().try_fold(1_u64, |n, dim| n.checked_mul(*dim));
    let expected = elements.and_then(|n| n.checked_mul(size as u64));
    if !wanted(dtype, &shape) {
        return Ok(None);
    }
    let more = |expected: u64| expected.checked_add(1);
    let mut data = up_to(reader, expected.and_then(more).unwrap_or(0))?;
    if expected != Some(data.len() as u64) {
        let found = match expected {
            Some(expected) if data.len() as u64 > expected => format!("more than {expected}"),
            _ => data.len().to_string(),
        };
        return Err(format!("shape {shape:?} of {dtype} does not fit its {found} bytes"));
    }
    if turned {
        data.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    if columns_first && shape.len() > 1 {
        data = rows_first(&data, &shape, size);
    }
    Ok(Some(Array { dtype, shape, data }))
}

fn exactly<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The next `most` bytes, or fewer where the file ends.
fn up_to(reader: &mut impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// What stands behind a key of the header, which is a Python dictionary.
fn field<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let at = quoted.iter().find_map(|key| header.find(key.as_str()).map(|at| at + key.len()))?;
    Some(header[at..].trim_start().strip_prefix(':')?.trim_start())
}

/// `(1, 3)`, `(5,)`, `()`.
fn shape(text: &str) -> Result<Vec<u64>, String> {
    let inside =
        text.strip_prefix('(').and_then(|text| text.split_once(')')).ok_or("its shape is damaged")?.0;
    let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.trim_end_matches('L').parse().map_err(|_| "its shape is damaged".to_owned()))
        .collect()
}

/// The elements of a column-major array, row by row.
fn rows_first(data: &[u8], shape: &[u64], size: usize) -> Vec<u8> {
    let mut result = Vec::with_capacity(data.len());
    let mut index = vec![0_u64; shape.len()];
    for _ in 0..data.len() / size {
        // In column-major order the first index runs fastest.
        let at = index.iter().zip(shape).rev().fold(0, |at, (i, dim)| at * dim + i);
        let at = at as usize * size;
        result.extend_from_slice(&data[at..at + size]);
        for (i, dim) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *dim {
                break;
            }
            *i = 0;
        }
    }
    result
}

fn header(array: &Array) -> Result<Vec<u8>, String> {
    let letters = TYPES.iter().find(|(_, dtype)| *dtype == array.dtype).map(|(letters, _)| *letters);
    let letters = letters.ok_or_else(|| format!("NumPy has no type {}", array.dtype))?;
    let order = if array.dtype.size() == 1 { '|' } else { '<' };
    let dims: String = array.shape.iter().map(|dim| format!("{dim}, ")).collect();
    let dims = if array.shape.len() > 1 { dims.trim_end_matches(", ") } else { dims.trim_end() };
    let mut text = format!("{{'descr': '{order}{letters}', 'fortran_order': False, 'shape': ({dims}), }}");
    // The data starts at a multiple of 64 bytes: magic and version take 8, the length 2, the final line end 1.
    let used = MAGIC.len() + 2 + 2 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', used.next_multiple_of(64) - used));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| "too many dimensions")?;
    Ok([MAGIC, &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn f32s(shape: &[u64], values: &[f32]) -> Array {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Array { dtype: DataType::Float32, shape: shape.to_vec(), data }
    }

    /// `.npy` bytes with this header text.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    fn all(bytes: &[u8]) -> Result<Array, String> {
        read_npy(&mut Cursor::new(bytes), |_, _| true)?.ok_or_else(|| "not wanted".to_owned())
    }

    /// A source that never ends, and counts what is read of it.
    struct Endless(u64);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len() as u64;
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    #[test]
    fn no_more_is_read_than_the_header_says() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }\n";
        let mut endless = Endless(0);
        let found = read_npy(&mut Cursor::new(npy(text, &[])).chain(&mut endless), |_, _| true);
        assert!(found.unwrap_err().contains("more than 16 bytes") && endless.0 < 1 << 16);
        let mut endless = Endless(0);
        let found = read_npy(&mut Cursor::new(npy(text, &[])).chain(&mut endless), |_, shape| shape == [5]);
        assert_eq!((found.unwrap(), endless.0), (None, 0));
    }

    #[test]
    fn what_is_written_is_read_again_in_the_same_order() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let image = f32s(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let scalar = Array { dtype: DataType::Int64, shape: vec![], data: 7_i64.to_le_bytes().to_vec() };
        let mask = Array { dtype: DataType::Bool, shape: vec![4], data: vec![0, 1, 1, 0] };
        let arrays = [("x", &image), ("a/b:0", &scalar), ("mask", &mask)];
        write(file.path(), arrays).unwrap();
        let expected = arrays.map(|(name, array)| (name.to_owned(), array.clone()));
        assert_eq!(read(file.path()).unwrap(), expected);
    }

    #[test]
    fn column_major_and_big_endian_arrays_are_turned() {
        let data: Vec<u8> = [1_i16, 4, 2, 5, 3, 6].iter().flat_map(|v| v.to_be_bytes()).collect();
        let text = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n";
        let array = all(&npy(text, &data)).unwrap();
        let values: Vec<i16> = array.data.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!((array.shape, values), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn damaged_data_is_an_error() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
        assert!(all(&npy(good, &[0; 8])).is_ok());
        assert!(all(&npy(good, &[0; 9])).is_err());
        for (text, data) in [
            (good, &[0_u8; 7][..]),
            ("{'descr': '<f4', 'shape': (18446744073709551615, 4), }", &[0; 8]),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", &[0; 8]),
            ("{'descr': '<f4', 'shape': (2", &[0; 8]),
            ("{}", &[]),
        ] {
            assert!(all(&npy(text, data)).is_err(), "{text}");
        }
        assert!(all(b"\x93NUMPY\x01\x00\xff\xff").is_err());
        let not_zip = read_from(Cursor::new(b"abc"), Path::new("x.npz"), |_, _, _| true);
        assert!(matches!(not_zip, Err(NpzError::NotNpz { .. })));
    }
}
