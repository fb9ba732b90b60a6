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

/// A name in snake case: `InputIds` becomes `input_ids`, `x:0` becomes `x_0`, `1st` becomes `_1st`, `type` becomes `type_`. Letters of any
/// script stay.
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
            out.push(if unicode_ident::is_xid_continue(c) { c } else { '_' });
        }
    }
    if !out.starts_with(|c: char| c == '_' || unicode_ident::is_xid_start(c)) {
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
            let mut chars = word.chars();
            let head = chars.next().map(|c| c.to_ascii_uppercase());
            head.into_iter().chain(chars).collect::<String>()
        })
        .collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("G{out}") } else { out }
}

/// Identifiers of several names in one scope, such as the inputs of a graph. A name that is an identifier keeps it; of others that
/// would be the same, the later get numbers.
pub fn identifiers<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    distinct(names, identifier)
}

/// As [`identifiers`], for any kind of identifier.
pub(super) fn distinct<'a>(
    names: impl IntoIterator<Item = &'a str>,
    make: impl Fn(&str) -> String,
) -> Vec<String> {
    let made: Vec<(&str, String)> = names.into_iter().map(|name| (name, make(name))).collect();
    let mut seen: HashSet<String> =
        made.iter().filter(|(name, own)| name == own).map(|(_, own)| own.clone()).collect();
    let mut kept = HashSet::new();
    let pick = |(name, base): (&str, String)| {
        if name == base && kept.insert(base.clone()) {
            return base;
        }
        let numbered = (2..).map(|n| format!("{}_{n}", base.trim_end_matches('_')));
        let free = std::iter::once(base.clone()).chain(numbered).find(|name| !seen.contains(name));
        let free = free.unwrap_or(base);
        seen.insert(free.clone());
        free
    };
    made.into_iter().map(pick).collect()
}

/// What became of names of which several would have been the same: `"x.1" is x_1_2`. Empty where all were different.
pub(super) fn renamed(names: &[&str], identifiers: &[String], make: impl Fn(&str) -> String) -> Vec<String> {
    let pairs = names.iter().zip(identifiers);
    let other = pairs.filter(|(name, own)| make(name) != **own);
    other.map(|(name, own)| format!("{name:?} is `{own}`")).collect()
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
            ("größe", "größe"),
            ("Größe²", "größe_"),
            ("", "unnamed"),
            ("::", "unnamed"),
            ("日本", "日本"),
            ("\u{202e}x", "_x"),
        ] {
            assert_eq!(identifier(name), expected, "{name}");
        }
    }

    #[test]
    fn names_that_collide_are_numbered() {
        let names = distinct(["a.b", "a_b", "A:b", "a_b_2", "in", "in_"], identifier);
        assert_eq!(names, ["a_b_3", "a_b", "a_b_4", "a_b_2", "in_2", "in_"]);
    }

    #[test]
    fn an_exact_name_wins_wherever_it_stands() {
        assert_eq!(identifiers(["x.1", "x_1"]), ["x_1_2", "x_1"]);
        assert_eq!(identifiers(["x.1", "x_1", "x_1_2"]), ["x_1_3", "x_1", "x_1_2"]);
        assert_eq!(identifiers(["X", "x", "x"]), ["x_2", "x", "x_3"]);
        let names = ["x.1", "x_1", "y"];
        assert_eq!(renamed(&names, &identifiers(names), identifier), ["\"x.1\" is `x_1_2`"]);
        assert!(renamed(&["a.b"], &identifiers(["a.b"]), identifier).is_empty());
    }

    #[test]
    fn types_are_in_camel_case() {
        assert_eq!(type_name("pre-fill"), "PreFill");
        assert_eq!(type_name("decode_1"), "Decode1");
        assert_eq!(type_name("2nd"), "G2nd");
        assert_eq!(type_name("größe_2"), "Größe2");
    }
}
