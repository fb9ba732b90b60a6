//! Graphs as text, one line a node: for reading what a pass made, and for the file tests (`qnn-compiler/tests/filetests`).
//!
//! ```text
//! ; A comment. Values are %name, or %"any text"; %x#2 is the second value that is called x.
//! graph main opset 17                                            ; the opset of nodes that say no other
//! input %x: float32[1,3,8,8] as u8(0.02, 128)                    ; stored as unsigned 8 bits: scale, zero point
//! const %w: int8[4,3,3,3] as i8(axis 0, [0.1, 0.2, 0.1, 0.3]) = random(1)
//! const %b: float32[4] = [0.5, 1.0, -1.0, 2.0]                   ; = 0.5 would be four of them
//! %c: float32[1,4,6,6] = Conv(%x, %w, %b) {group=1, pads=[0, 0, 0, 0]}
//! %y: float32[1,4,6,6] = com.microsoft::Gelu@1(%c) "node's name" ; its opset; the name of its result is the default
//! %g, _, %h = Other(%y, _) channels-last                         ; `_` is left out; types may be, where the tables infer them
//! value %v: float32[2]                                           ; nobody makes it
//! output %y, %g
//! ```
//!
//! Encodings: `u8(SCALE, ZERO)`, `i8(axis A, [SCALES], [ZEROS])`, `i4(axis A, block N, [SCALES], [ZEROS], minimums [MINIMUMS])`,
//! `i4(axis A, block N, [BLOCK SCALES], bits B, channels C [SCALES])` for block expansion (LPBQ); zero points
//! that are all 0 are left out. `[0.5 x 4]` is a list of four. `random(SEED)` fills with numbers of that sequence. A short form for
//! people prints `...` for large constants and lists; the parser fills these with `random(0)` and with their first number.

mod constant;
mod encoding;
mod lex;
mod parse;
mod print;

pub use constant::Elements;
pub use parse::{ParseError, parse};
pub use print::{Detail, print};
