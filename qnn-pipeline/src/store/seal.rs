//! The seal of a record: a hash of its text, in its text. What the record says of the binary is as good as the binary's bytes then.
//!
//! It tells damage, and edits by hand, from what was written. It is no signature: who may write to the store may seal, too.

use std::io;

use serde::Serialize;

/// How the text ends before the digits of the seal.
const BEFORE: &str = ",\n  \"seal\": \"";
const AFTER: &str = "\"\n}";
const DIGITS: usize = 64;

/// A record as JSON text with its seal as the last field.
pub(super) fn sealed(record: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
    // Without the bracket that ends it, and the line's end before that.
    text.truncate(text.len().saturating_sub(2));
    let seal = hash(&text);
    text.extend([BEFORE, &seal, AFTER].concat().bytes());
    Ok(text)
}

/// Whether a text is as [`sealed`] made it.
pub(super) fn is_whole(text: &[u8]) -> bool {
    let parts = text.strip_suffix(AFTER.as_bytes()).and_then(|text| text.split_last_chunk::<DIGITS>());
    let record = parts.and_then(|(head, seal)| Some((head.strip_suffix(BEFORE.as_bytes())?, seal)));
    record.is_some_and(|(record, seal)| hash(record).as_bytes() == seal)
}

fn hash(text: &[u8]) -> String {
    blake3::Hasher::new_derive_key("cargo-qnn 2026-11 record").update(text).finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_of_a_record_is_seen() {
        let text = sealed(&serde_json::json!({ "a": 1, "b": [2.5, "x"] })).unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        assert!(is_whole(&text));
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            assert!(!is_whole(&other), "byte {at}");
        }
        assert!(!is_whole(&text[..text.len() - 1]) && !is_whole(b"") && !is_whole(b"{}"));
    }
}
