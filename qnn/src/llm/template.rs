//! What is done to a chat template before it is parsed, and the bounds within which it is rendered: it comes with a model's file, from
//! strangers.

use std::collections::BTreeSet;

use super::error;
use crate::Result;

/// Longest template, bytes; those of the largest tool-using models have 20 thousand.
const LONGEST: usize = 256 << 10;

/// Most assignments in a row by which a name can come to stand for a namespace.
const MOST_ROUNDS: usize = 100;

/// Stack of the thread that parses and renders. The engine bounds how deeply templates call themselves, and fuel how deeply values
/// can lie in each other; both fit this, whatever the stack of the app's thread. Only what is used is ever committed.
const STACK: usize = 256 << 20;

/// Work that a template may do: about an instruction each, and 64 bytes of data each. A template of the largest models takes some
/// thousand a message.
const FUEL: u64 = 400_000;

/// The same for each message.
const FUEL_PER_MESSAGE: u64 = 20_000;

/// What rendering may cost for so many messages of so many bytes.
pub(super) fn fuel(messages: usize, bytes: usize) -> u64 {
    FUEL + FUEL_PER_MESSAGE * messages as u64 + 8 * bytes as u64
}

/// Runs on a thread whose stack is large enough.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("chat template".to_owned()).stack_size(STACK);
        let thread = builder
            .spawn_scoped(scope, work)
            .map_err(|error| error::template(format!("no thread to render it on: {error}")))?;
        thread.join().map_err(|_| error::template("the template engine failed"))
    })
}

/// The template as the engine understands it: lines end with a newline alone, and the marks that Hugging Face transformers use for
/// training say nothing.
pub(super) fn prepared(text: &str) -> Result<String> {
    let refused = |why: &str| Err(error::template(why));
    if text.len() > LONGEST {
        return refused("it is longer than any template");
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    let mut names = Names::default();
    let mut checked = Vec::new();
    let mut rest = text.as_str();
    while let Some((start, kind, closing)) = opening(rest) {
        let Some((before, tag, after)) = tag_at(rest, start, kind, closing) else {
            return refused("a tag of it does not end");
        };
        out.push_str(before);
        out.push_str(&rest[before.len()..before.len() + 2]);
        let words = words(tag);
        match (kind, words.first().copied(), words.len()) {
            // A scope of its own, as there.
            (Tag::Statement, Some("generation"), 1) => out.push_str(&tag.replacen("generation", "with", 1)),
            (Tag::Statement, Some("endgeneration"), 1) => {
                out.push_str(&tag.replacen("endgeneration", "endwith", 1));
            }
            _ => out.push_str(tag),
        }
        out.push_str(&rest[before.len() + 2 + tag.len()..rest.len() - after.len()]);
        rest = after;
        if kind == Tag::Statement && words == ["raw"] {
            // What is within is text, whatever it looks like.
            let end = end_of_raw(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        if kind != Tag::Comment {
            checked.push(words);
        }
    }
    out.push_str(rest);
    if !names.find(&checked) {
        return refused("its assignments cannot be followed");
    }
    match checked.iter().any(|words| names.nests(words)) {
        true => refused("it puts a namespace into a namespace, which has no end"),
        false => Ok(out),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Statement,
    Expression,
    Comment,
}

/// Where the next tag begins, its kind, and how it ends.
fn opening(text: &str) -> Option<(usize, Tag, &'static str)> {
    text.match_indices('{').find_map(|(at, _)| match text.as_bytes().get(at + 1)? {
        b'%' => Some((at, Tag::Statement, "%}")),
        b'{' => Some((at, Tag::Expression, "}}")),
        b'#' => Some((at, Tag::Comment, "#}")),
        _ => None,
    })
}

/// The tag that begins at `start`: what is before it, what is within it, and what comes after it.
fn tag_at<'t>(text: &'t str, start: usize, kind: Tag, closing: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let inside = &text[start + 2..];
    let end = match kind {
        Tag::Comment => inside.find(closing)?,
        _ => end_of_code(inside, closing)?,
    };
    Some((&text[..start], &inside[..end], &inside[end + 2..]))
}

/// Where the tag begins that ends raw text; the end of the text where there is none.
fn end_of_raw(text: &str) -> usize {
    let ends = |at: &usize| {
        let tag = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        tag.starts_with("endraw")
    };
    text.match_indices("{%").map(|(at, _)| at).find(ends).unwrap_or(text.len())
}

/// Where a tag ends that may have texts with braces in it.
fn end_of_code(inside: &str, closing: &str) -> Option<usize> {
    let (mut quote, mut escaped, mut braces) = (None, false, 0usize);
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, _) if braces == 0 && inside[at..].starts_with(closing) => return Some(at),
            (None, '{') => braces += 1,
            (None, '}') => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Names and signs of a tag, without what texts say.
fn words(tag: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let bytes = tag.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                words.push("''");
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => {
                while at < bytes.len()
                    && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] >= 0x80)
                {
                    at += 1;
                }
                words.push(&tag[start..at]);
            }
            byte => {
                at += 1;
                // Marks that say what becomes of the space around a tag.
                let trims = (start == 0 || at == bytes.len()) && matches!(byte, b'-' | b'+');
                if !byte.is_ascii_whitespace() && !trims {
                    words.push(&tag[start..at]);
                }
            }
        }
    }
    words
}

/// Names by what they may stand for. Namespaces are the only values that change, so without one in another no value can have itself in
/// it.
#[derive(Default)]
struct Names<'a> {
    /// A namespace: its attributes are none.
    spaces: BTreeSet<&'a str>,
    /// Anything else that may have a namespace in it, or be one.
    holders: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    /// Finds them all; `false` where that would take too long.
    fn find(&mut self, tags: &[Vec<&'a str>]) -> bool {
        // Each round finds at least one more, or none.
        for _ in 0..MOST_ROUNDS {
            let before = (self.spaces.len(), self.holders.len());
            let called = tags.iter().any(|words| self.given_to_a_call(words));
            tags.iter().for_each(|words| self.assigned(words, called));
            if (self.spaces.len(), self.holders.len()) == before {
                return true;
            }
        }
        false
    }

    /// What a tag gives names to.
    fn assigned(&mut self, words: &[&'a str], called: bool) {
        let (names, value) = match words {
            ["set", name, "=", value @ ..] if self.is_space(value) => {
                self.spaces.insert(name);
                return;
            }
            ["set", ..] => {
                let at = words.iter().position(|word| *word == "=").unwrap_or(words.len());
                // An attribute is held against the rule later.
                if words[..at].contains(&".") {
                    return;
                }
                words.split_at(at)
            }
            ["for", ..] => words.split_at(words.iter().position(|word| *word == "in").unwrap_or(words.len())),
            ["with", ..] => (words, words),
            ["macro" | "call", ..] if called => {
                return self.holders.extend(words[1..].iter().filter(|word| is_name(word)));
            }
            ["macro" | "call", ..] => (words, words),
            _ => return,
        };
        if self.bare(value) {
            self.holders.extend(names[1..].iter().filter(|word| is_name(word)));
        }
    }

    /// Whether an expression is a namespace and nothing else.
    fn is_space(&self, words: &[&str]) -> bool {
        match words {
            [name] => self.spaces.contains(name),
            ["namespace", "(", inner @ .., ")"] => {
                let mut open = 0i32;
                inner.iter().all(|word| {
                    open += i32::from(*word == "(") - i32::from(*word == ")");
                    open >= 0
                })
            }
            _ => false,
        }
    }

    /// Whether an expression may be a namespace or have one in it.
    fn bare(&self, words: &[&str]) -> bool {
        self.last(words).is_some()
    }

    /// The last word of an expression that may be a namespace or have one in it.
    fn last(&self, words: &[&str]) -> Option<usize> {
        (0..words.len()).rev().find(|at| {
            let word = words[*at];
            let attribute = *at > 0 && words[at - 1] == ".";
            let next = words.get(at + 1).copied().unwrap_or_default();
            let made = word == "namespace" && next == "(";
            let space = self.spaces.contains(word) && !matches!(next, "." | "[" | "=");
            !attribute && (made || space || self.holders.contains(word))
        })
    }

    fn given_to_a_call(&self, words: &[&str]) -> bool {
        let Some(last) = self.last(words) else { return false };
        words[..last].windows(2).any(|pair| is_name(pair[0]) && pair[1] == "(")
    }

    /// Whether a namespace gets another as an attribute.
    fn nests(&self, words: &[&str]) -> bool {
        let given = match words {
            ["set", _, "." | "[", rest @ ..] => {
                rest.iter().position(|word| *word == "=").is_some_and(|equals| self.bare(&rest[equals..]))
            }
            _ => false,
        };
        let last = self.last(words).unwrap_or(0);
        let made = words[..last].windows(2).any(|pair| *pair == ["namespace", "("]);
        given || made
    }
}

fn is_name(word: &str) -> bool {
    const WORDS: [&str; 7] = ["in", "if", "else", "and", "or", "not", "is"];
    word.starts_with(|first: char| first.is_alphabetic() || first == '_') && !WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_for_training_become_scopes_and_other_texts_stay() {
        let same = [
            "{{ '{% generation %}' }}",
            "{% raw %}{{ ' {% generation %}{% endraw %}{{ x }}",
            "{# generation #}{% if generation %}x{% endif %}",
            "{{ {'a': {'b': 1}} }} }} %} {",
            "ä{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{% set x = ns['a'] %}",
            "{% set ns = namespace(a=[]) %}{% for m in messages %}{% set ns.a = ns.a + [m] %}{% endfor %}{{ f(ns.a) }}",
        ];
        for text in same {
            assert_eq!(prepared(text).unwrap(), text);
        }
        assert!(prepared("{{ x").is_err(), "a tag that does not end");
        let marked = "a\r\n{%- generation -%}\r{{ x }}{% endgeneration %}";
        assert_eq!(prepared(marked).unwrap(), "a\n{%- with -%}\n{{ x }}{% endwith %}");
    }
}
