//! The 360 images that the network was not trained on.

use std::io::{self, Cursor};

use npyz::npz::NpzArchive;

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
pub fn read() -> io::Result<Vec<Sample>> {
    let mut file = NpzArchive::new(Cursor::new(FILE))?;
    let images: Vec<f32> = array(&mut file, "x")?;
    let labels: Vec<i64> = array(&mut file, "y")?;
    let logits: Vec<f32> = array(&mut file, "logits")?;

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

fn array<T: npyz::Deserialize>(
    file: &mut NpzArchive<Cursor<&'static [u8]>>,
    name: &str,
) -> io::Result<Vec<T>> {
    let array = file.by_name(name)?.ok_or_else(|| io::Error::other(format!("eval.npz has no `{name}`")))?;
    array.into_vec()
}
