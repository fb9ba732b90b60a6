//! The facts of an ELF library that decide whether it can be used: processor, exported and undefined symbols.

use std::fmt;
use std::path::Path;

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
    /// The NPU, of this architecture.
    Hexagon(u32),
    /// Another, by its number.
    Other(u16),
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Machine::X86_64 => f.write_str("x86-64"),
            Machine::Aarch64 => f.write_str("AArch64"),
            Machine::Hexagon(arch) => write!(f, "Hexagon v{arch}"),
            Machine::Other(number) => write!(f, "another processor (ELF machine {number})"),
        }
    }
}

/// What a library says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The processor it is for.
    pub machine: Machine,
    /// Functions and variables it offers.
    pub exports: Vec<String>,
    /// What it expects others to have; without what it can do without.
    pub undefined: Vec<String>,
}

const SHARED_OBJECT: u16 = 3;
const X86_64: u16 = 62;
const HEXAGON: u16 = 164;
const AARCH64: u16 = 183;
const DYNAMIC_SYMBOLS: u32 = 11;
const WEAK: u8 = 2;

/// Reads a shared library.
///
/// # Errors
/// It cannot be read, is no ELF shared library, or is cut short; in words.
pub fn read(path: &Path) -> Result<Library, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    parse(&bytes)
}

/// As [`read`], from bytes.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: &[u8]) -> Result<Library, String> {
    let file = File { bytes, wide: bytes.get(4) == Some(&2) };
    if bytes.get(..4) != Some(b"\x7fELF") || bytes.get(5) != Some(&1) {
        return Err("is no ELF file of a little-endian processor".to_owned());
    }
    file.library().ok_or_else(|| "is cut short".to_owned())?
}

struct File<'b> {
    bytes: &'b [u8],
    /// 64 bits.
    wide: bool,
}

impl File<'_> {
    fn int<const N: usize>(&self, at: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(N)?)?;
        Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// A number as wide as an address.
    fn word(&self, at: usize) -> Option<usize> {
        let value = if self.wide { self.int::<8>(at) } else { self.int::<4>(at) }?;
        usize::try_from(value).ok()
    }

    fn text(&self, at: usize) -> Option<String> {
        let rest = self.bytes.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    fn library(&self) -> Option<Result<Library, String>> {
        let kind = self.int::<2>(16)? as u16;
        if kind != SHARED_OBJECT {
            return Some(Err("is no shared library".to_owned()));
        }
        // Where the header's fields are, narrow and wide: flags, table of sections, size and number of its entries.
        let [flags, table, entry, count] = if self.wide { [48, 40, 58, 60] } else { [36, 32, 46, 48] };
        let flags = self.int::<4>(flags)? as u32;
        let machine = match self.int::<2>(18)? as u16 {
            X86_64 => Machine::X86_64,
            AARCH64 => Machine::Aarch64,
            // The flags are the architecture's number in hexadecimal.
            HEXAGON => Machine::Hexagon((flags >> 4 & 0xf) * 10 + (flags & 0xf)),
            other => Machine::Other(other),
        };
        let (table, entry, count) =
            (self.word(table)?, self.int::<2>(entry)? as usize, self.int::<2>(count)? as usize);
        let section = |index: usize| table.checked_add(index.checked_mul(entry)?);
        let mut library = Library { machine, exports: Vec::new(), undefined: Vec::new() };
        let symbols = (0..count).find_map(|index| {
            let at = section(index)?;
            (self.int::<4>(at + 4)? as u32 == DYNAMIC_SYMBOLS).then_some(at)
        });
        let Some(symbols) = symbols else { return Some(Err("has no dynamic symbols".to_owned())) };
        let [offset, size, link] = if self.wide { [24, 32, 40] } else { [16, 20, 24] };
        let (start, length) = (self.word(symbols + offset)?, self.word(symbols + size)?);
        let strings = section(self.int::<4>(symbols + link)? as usize)?;
        let strings = self.word(strings + offset)?;
        let [size, info, place] = if self.wide { [24, 4, 6] } else { [16, 12, 14] };
        for symbol in (start..start.checked_add(length)?).step_by(size).skip(1) {
            let name = self.text(strings.checked_add(self.int::<4>(symbol)? as usize)?)?;
            let binding = *self.bytes.get(symbol + info)? >> 4;
            if name.is_empty() || binding == 0 {
                continue;
            }
            match self.int::<2>(symbol + place)? {
                0 if binding == WEAK => {}
                0 => library.undefined.push(name),
                _ => library.exports.push(name),
            }
        }
        Some(Ok(library))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_told_from_text() {
        assert_eq!(parse(b"int main;"), Err("is no ELF file of a little-endian processor".to_owned()));
        assert_eq!(parse(b"\x7fELF\x02\x01\x01"), Err("is cut short".to_owned()));
    }

    #[test]
    fn a_system_library_says_its_processor_and_symbols() {
        let library = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6"].map(Path::new);
        let Some(path) = library.into_iter().find(|path| path.exists()) else {
            panic!("the C library's math part is not where Linux has it");
        };
        let library = read(path).unwrap();
        assert_eq!(library.machine, Machine::X86_64);
        assert!(library.exports.iter().any(|name| name == "expf"));
        assert!(!library.exports.iter().any(|name| name == "no_such_function"));
    }

    #[test]
    fn a_library_cut_anywhere_is_an_error_or_less_and_never_a_crash() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for end in (0..4096).step_by(61) {
            let _ = parse(&bytes[..end]);
        }
    }
}
