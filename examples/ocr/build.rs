//! Compiles the networks, and takes the list of characters out of the recognition model.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const RECOGNIZER: &str = "models/rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx";

fn main() -> Result<(), Box<dyn Error>> {
    qnn_build::compile().unwrap_or_exit();

    println!("cargo::rerun-if-changed={RECOGNIZER}");
    let model = fs::read(RECOGNIZER)?;
    let characters = metadata(&model, "character").ok_or("the model has no list of characters")?;
    let out_dir = env::var_os("OUT_DIR").ok_or("not run by cargo")?;
    fs::write(Path::new(&out_dir).join("characters.txt"), characters)?;
    Ok(())
}

/// The text that an ONNX file carries under `key`: field 14 of the protobuf is a list of (1: key, 2: value).
fn metadata(model: &[u8], key: &str) -> Option<String> {
    for (_, entry) in fields(model).filter(|(number, _)| *number == 14) {
        let part = |wanted| {
            let field = fields(entry).find(|(number, _)| *number == wanted);
            field.and_then(|(_, text)| String::from_utf8(text.to_vec()).ok())
        };
        if part(1).as_deref() == Some(key) {
            return part(2);
        }
    }
    None
}

/// The fields of a protobuf message that hold bytes: number and content. Ends where the message does not parse.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        loop {
            let tag = varint(&mut message)?;
            let length = match tag & 7 {
                0 => varint(&mut message).map(|_| 0)?,
                1 => 8,
                5 => 4,
                2 => usize::try_from(varint(&mut message)?).ok()?,
                _ => return None,
            };
            let (content, rest) = message.split_at_checked(length)?;
            message = rest;
            if tag & 7 == 2 {
                return Some((tag >> 3, content));
            }
        }
    })
}

/// A number in protobuf's variable-length encoding, taken off the front.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
