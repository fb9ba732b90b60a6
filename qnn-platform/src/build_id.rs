//! The vendor's build id in a library file, found without loading it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The build id of a QNN library, for example `v2.51.0.260929181845`; `None` where the file has none.
///
/// # Errors
/// The file cannot be read.
pub fn of(library: &Path) -> io::Result<Option<String>> {
    find(BufReader::with_capacity(1 << 20, File::open(library)?))
}

fn find(mut file: impl BufRead) -> io::Result<Option<String>> {
    // The standard library's own search is fast in builds without optimization too.
    while file.skip_until(b'v')? > 0 {
        let id = digits_and_points(&mut file)?;
        if let Some(id) = parse(&id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The digits and points that come next, across the ends of buffers.
fn digits_and_points(file: &mut impl BufRead) -> io::Result<Vec<u8>> {
    const LONGEST: usize = 64;
    let mut id = Vec::new();
    loop {
        let buffer = file.fill_buf()?;
        let length = buffer.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let more = length == buffer.len() && length > 0 && id.len() < LONGEST;
        id.extend_from_slice(&buffer[..length]);
        file.consume(length);
        if !more {
            return Ok(id);
        }
    }
}

/// What stands after the `v`: three numbers and a time stamp of twelve digits or more, between points.
fn parse(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim_end_matches('.');
    let mut parts = text.split('.');
    let numbers = parts.by_ref().take(3).filter(|part| (1..=3).contains(&part.len())).count();
    let stamp = parts.next()?;
    (numbers == 3 && stamp.len() >= 12 && parts.next().is_none()).then(|| format!("v{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_in(bytes: &[u8], buffer: usize) -> Option<String> {
        find(BufReader::with_capacity(buffer, bytes)).unwrap()
    }

    #[test]
    fn the_build_id_is_found_among_other_versions() {
        let id = "v2.51.0.260929181845".to_owned();
        assert_eq!(id_in(b"\x7fELF v vv1.2 v8.1\0libv2.51.0.260929181845.\0v3", 1 << 20), Some(id));
        assert_eq!(id_in(b"v1.2.3.4 v2.51.0", 1 << 20), None);
        assert_eq!(id_in(b"", 1 << 20), None);
    }

    #[test]
    fn the_build_id_is_found_across_the_end_of_a_buffer() {
        for before in [64 - 9, 63, 64] {
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice(b"v2.51.0.260929181845 more");
            assert_eq!(id_in(&bytes, 64).as_deref(), Some("v2.51.0.260929181845"));
        }
    }
}
