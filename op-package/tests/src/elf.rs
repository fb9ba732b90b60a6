//! As much of 32-bit ELF files as the tests look at.

use std::ops::Range;

pub struct Elf<'a> {
    bytes: &'a [u8],
}

/// A dynamic symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    pub defined: bool,
}

const HEXAGON: u16 = 164;
const DYNAMIC_SYMBOLS: u32 = 11;

impl<'a> Elf<'a> {
    pub fn new(bytes: &'a [u8]) -> Elf<'a> {
        assert_eq!(bytes[..6], [0x7f, b'E', b'L', b'F', 1, 1], "a little-endian ELF file of 32 bits");
        let elf = Elf { bytes };
        assert_eq!(elf.half(18), HEXAGON, "e_machine");
        elf
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes[at..at + 2].try_into().unwrap())
    }

    fn word(&self, at: usize) -> usize {
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap()) as usize
    }

    /// `e_flags`: the architecture, 0x73 for v73.
    pub fn flags(&self) -> usize {
        self.word(36)
    }

    /// Whether it is a shared object.
    pub fn is_shared(&self) -> bool {
        self.half(16) == 3
    }

    /// Places of section headers.
    fn sections(&self) -> impl Iterator<Item = usize> {
        let (start, size, count) = (self.word(32), self.half(46) as usize, self.half(48) as usize);
        (0..count).map(move |index| start + index * size)
    }

    fn content(&self, section: usize) -> Range<usize> {
        let offset = self.word(section + 16);
        offset..offset + self.word(section + 20)
    }

    fn text(&self, at: usize) -> String {
        let end = self.bytes[at..].iter().position(|byte| *byte == 0).unwrap();
        String::from_utf8(self.bytes[at..at + end].to_vec()).unwrap()
    }

    /// Global dynamic symbols, in the file's order.
    pub fn dynamic_symbols(&self) -> Vec<Symbol> {
        let table =
            self.sections().find(|section| self.word(section + 4) == DYNAMIC_SYMBOLS as usize).unwrap();
        let names = self.sections().nth(self.word(table + 24)).unwrap();
        let names = self.content(names).start;
        let symbols = self.content(table).step_by(16).skip(1);
        symbols
            .map(|at| Symbol { name: self.text(names + self.word(at)), defined: self.half(at + 14) != 0 })
            .collect()
    }
}
