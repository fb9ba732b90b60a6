//! Text from files on its way to a terminal.

use std::borrow::Cow;

/// The text with every control character but line ends and tabs written out: a name in a model file cannot move the cursor, set the
/// terminal's title or fill its clipboard. Characters that turn the direction of what follows count as such.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn acts(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_written_out_and_letters_stay() {
        assert_eq!(shown("größe 日本\n\tok"), "größe 日本\n\tok");
        assert_eq!(shown("Bad\u{1b}]0;title\u{7}\u{1b}[2J\r"), r"Bad\u{1b}]0;title\u{7}\u{1b}[2J\r");
        assert_eq!(shown("a\u{202e}b\u{9b}c\u{2066}"), r"a\u{202e}b\u{9b}c\u{2066}");
    }
}
