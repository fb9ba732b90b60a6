//! Names of models, graphs and tensors as Rust identifiers.

use std::collections::HashSet;

/// Words that are no identifiers, in any edition.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A name in snake case: `InputIds` becomes `input_ids`, `x:0` becomes `x_0`, `1st` becomes `_1st`, `type` becomes `type_`.
pub fn identifier(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len());
    for (i, &c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let before = i.checked_sub(1).and_then(|i| chars.get(i));
            let after = chars.get(i + 1);
            let word_begins = before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                || (before.is_some_and(char::is_ascii_uppercase)
                    && after.is_some_and(char::is_ascii_lowercase));
            if word_begins {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(if c.is_ascii_alphanumeric() { c } else { '_' });
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    if out.chars().all(|c| c == '_') {
        out = "unnamed".to_owned();
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// The identifier of a type: `pre-fill` becomes `PreFill`.
pub(super) fn type_name(name: &str) -> String {
    let snake = identifier(name);
    let words = snake.split('_').filter(|word| !word.is_empty());
    let out: String = words
        .map(|word| {
            let (head, tail) = word.split_at(1);
            head.to_ascii_uppercase() + tail
        })
        .collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("G{out}") } else { out }
}

/// Identifiers of several names in one scope: of two that would be the same, the later gets a number.
pub(super) fn distinct<'a>(
    names: impl IntoIterator<Item = &'a str>,
    make: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for name in names {
        let base = make(name);
        let numbered = (2..).map(|n| format!("{}_{n}", base.trim_end_matches('_')));
        let free = std::iter::once(base.clone()).chain(numbered).find(|name| !seen.contains(name));
        let free = free.unwrap_or(base);
        seen.insert(free.clone());
        out.push(free);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_an_identifier() {
        for (name, expected) in [
            ("image", "image"),
            ("InputIds", "input_ids"),
            ("HTTPCode2Go", "http_code2_go"),
            ("x:0", "x_0"),
            ("onnx::Conv_5", "onnx__conv_5"),
            ("1st", "_1st"),
            ("type", "type_"),
            ("Self", "self_"),
            ("größe", "gr__e"),
            ("", "unnamed"),
            ("::", "unnamed"),
            ("日本", "unnamed"),
        ] {
            assert_eq!(identifier(name), expected, "{name}");
        }
    }

    #[test]
    fn names_that_collide_are_numbered() {
        let names = distinct(["a.b", "a_b", "A:b", "a_b_2", "in", "in_"], identifier);
        assert_eq!(names, ["a_b", "a_b_2", "a_b_3", "a_b_2_2", "in_", "in_2"]);
    }

    #[test]
    fn types_are_in_camel_case() {
        assert_eq!(type_name("pre-fill"), "PreFill");
        assert_eq!(type_name("decode_1"), "Decode1");
        assert_eq!(type_name("2nd"), "G2nd");
    }
}
