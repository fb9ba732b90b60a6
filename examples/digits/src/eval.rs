//! The 360 images that the network was not trained on.

use std::error::Error;
use std::io::{Cursor, Read};

use zip::ZipArchive;

/// Part of the executable, so that it runs from any folder.
static FILE: &[u8] = include_bytes!("../eval.npz");

/// One image, what it shows, and what ONNX Runtime makes of it.
pub struct Sample {
    /// 8x8 pixels from 0 (paper) to 1 (ink), row by row.
    pub image: [f32; 64],
    /// The digit.
    pub label: usize,
    /// Output of the same network on ONNX Runtime.
    pub reference_logits: [f32; 10],
}

/// Reads all samples.
pub fn read() -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut file = ZipArchive::new(Cursor::new(FILE))?;
    let images: Vec<f32> = array(&mut file, "x", "<f4", f32::from_le_bytes)?;
    let labels: Vec<i64> = array(&mut file, "y", "<i8", i64::from_le_bytes)?;
    let logits: Vec<f32> = array(&mut file, "logits", "<f4", f32::from_le_bytes)?;

    let (images, _) = images.as_chunks::<64>();
    let (logits, _) = logits.as_chunks::<10>();
    let samples = images.iter().zip(&labels).zip(logits);
    Ok(samples
        .map(|((image, label), logits)| Sample {
            image: *image,
            label: *label as usize,
            reference_logits: *logits,
        })
        .collect())
}

/// The elements of an array of NumPy's `.npz` format: a zip file with an `.npy` file for each array. That one has 8 bytes
/// that say what it is, the length of a header in 2 bytes, the header, and then the elements in order.
fn array<T, const SIZE: usize>(
    file: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    dtype: &str,
    element: fn([u8; SIZE]) -> T,
) -> Result<Vec<T>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    file.by_name(&format!("{name}.npy"))?.read_to_end(&mut bytes)?;
    let (_, rest) = bytes.split_first_chunk::<8>().ok_or("too short")?;
    let (length, rest) = rest.split_first_chunk().ok_or("too short")?;
    let (header, data) = rest.split_at_checked(u16::from_le_bytes(*length).into()).ok_or("too short")?;
    if !String::from_utf8_lossy(header).contains(dtype) {
        return Err(format!("`{name}` is not {dtype}").into());
    }
    let (elements, _) = data.as_chunks::<SIZE>();
    Ok(elements.iter().map(|bytes| element(*bytes)).collect())
}
