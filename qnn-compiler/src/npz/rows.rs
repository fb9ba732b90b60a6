//! Arrays that are read piece by piece, from the front.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::DeflateDecoder;
use qnn::DataType;
use zip::{CompressionMethod, ZipArchive};

use super::{Header, NpzError, read_npy, up_to};

/// An array whose elements come in the order of its rows, as many at a time as are asked for.
pub struct Rows {
    /// Name, without `.npy`.
    pub name: String,
    /// Type of the elements.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: Vec<u64>,
    reader: Box<dyn Read>,
    /// Whether the file has them in the other byte order.
    turned: bool,
}

impl Rows {
    /// The next `count` elements, little-endian.
    ///
    /// # Errors
    /// Why there are not as many.
    pub fn next(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let size = self.dtype.size();
        let mut data = up_to(&mut self.reader, (count * size) as u64)?;
        if data.len() != count * size {
            return Err(format!("shape {:?} of {} does not fit its bytes", self.shape, self.dtype));
        }
        if self.turned {
            data.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        Ok(data)
    }
}

/// The arrays of a file, each at its first element. Memory is taken for what is asked for; a column-major array is read whole.
///
/// # Errors
/// As [`super::read`].
pub fn rows(path: &Path) -> Result<Vec<Rows>, NpzError> {
    let io = |error| NpzError::Io { path: path.to_owned(), error };
    let not_npz = |error| NpzError::NotNpz { path: path.to_owned(), error };
    let mut archive = ZipArchive::new(BufReader::new(File::open(path).map_err(io)?)).map_err(not_npz)?;
    let mut all = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(not_npz)?;
        let name = entry.name().map_err(not_npz)?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let wrong = |why: String| NpzError::Array { path: path.to_owned(), name: name.clone(), why };
        let place = entry.data_start().zip(Some((entry.compressed_size(), entry.compression())));
        let packed = match place {
            Some((at, (length, method))) if !entry.encrypted() => {
                let mut file = BufReader::new(File::open(path).map_err(io)?);
                file.seek(SeekFrom::Start(at)).map_err(io)?;
                packed(file.take(length), method)
            }
            _ => None,
        };
        // Methods that only the archive knows how to read.
        let mut reader = match packed {
            Some(reader) => reader,
            None => {
                let length = entry.size();
                Box::new(Cursor::new(up_to(&mut entry, length).map_err(wrong)?))
            }
        };
        drop(entry);
        let header = Header::read(&mut reader).map_err(wrong)?;
        let columns = header.columns_first && header.shape.len() > 1;
        if columns {
            let whole = archive.by_index(index).map_err(not_npz)?;
            let array = read_npy(&mut { whole }, |_, _| true).map_err(wrong)?;
            reader = Box::new(Cursor::new(array.map(|array| array.data).unwrap_or_default()));
        }
        let turned = header.turned && !columns;
        all.push(Rows { name, dtype: header.dtype, shape: header.shape, reader, turned });
    }
    Ok(all)
}

/// What is packed in a file's entry, by the methods that NumPy writes.
fn packed(entry: impl Read + 'static, method: CompressionMethod) -> Option<Box<dyn Read>> {
    match method {
        CompressionMethod::Stored => Some(Box::new(entry)),
        CompressionMethod::Deflated => Some(Box::new(DeflateDecoder::new(entry))),
        _ => None,
    }
}
