//! The vendor's build id inside a library file, for example `v2.51.0.260929181845`, found without loading it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Longest id that is looked for: also what two blocks of the file overlap by.
const LONGEST: usize = 48;

/// The build id in a library file: `v`, three numbers, and a time stamp of twelve digits or more, between points.
pub(crate) fn of_library(file: &Path) -> std::io::Result<Option<String>> {
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1 << 20];
    let mut kept = 0;
    loop {
        let n = match file.read(&mut buffer[kept..]) {
            Ok(0) => return Ok(None),
            Ok(n) => kept + n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Some(id) = find(&buffer[..n]) {
            return Ok(Some(id));
        }
        kept = n.min(LONGEST);
        buffer.copy_within(n - kept..n, 0);
    }
}

fn find(bytes: &[u8]) -> Option<String> {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'v').map(|(at, _)| at);
    starts.filter_map(|at| id_at(&bytes[at..])).next()
}

fn id_at(bytes: &[u8]) -> Option<String> {
    let is_id = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let length = 1 + bytes[1..].iter().take(LONGEST).take_while(|byte| is_id(byte)).count();
    // Text that reaches the end of the block may go on in the next one.
    bytes.get(length)?;
    let text = std::str::from_utf8(&bytes[..length]).ok()?.trim_end_matches('.');
    let mut parts = text.strip_prefix('v')?.split('.');
    let numbers = parts.by_ref().take(3).filter(|part| !part.is_empty() && part.len() <= 3).count();
    let stamp = parts.next()?;
    (numbers == 3 && stamp.len() >= 12 && parts.next().is_none()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_among_other_bytes() {
        let bytes = b"\0v8.1\0hexnn_ver_v2.51.0.260929181845.\0v";
        assert_eq!(find(bytes).as_deref(), Some("v2.51.0.260929181845"));
        assert_eq!(find(b"v2.51.0\0v1.2.3.4"), None);
    }

    #[test]
    fn an_id_across_two_blocks_is_found() {
        let mut bytes = vec![b'x'; (1 << 20) - 7];
        bytes.extend_from_slice(b"v2.51.0.260929181845\0");
        bytes.extend(vec![b'x'; 100]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        assert_eq!(of_library(file.path()).unwrap().as_deref(), Some("v2.51.0.260929181845"));
    }
}
