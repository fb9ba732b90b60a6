//! Tokens of the textual form.

use super::ParseError;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `%name`, and which of the values of that name it is: 1 unless said.
    Value(String, usize),
    /// `"text"`.
    Text(String),
    /// A keyword, an operator with its domain, a dtype, an attribute.
    Word(String),
    /// A number, as it is written.
    Number(String),
    /// A sign.
    Sign(char),
    /// `...`.
    Ellipsis,
    /// The end of a line outside of brackets.
    End,
}

/// A token and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Whether a name is written without quotes.
pub(super) fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_name)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-')
}

/// Splits a text into tokens. Lines end inside of no bracket.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ParseError> {
    let mut out = Vec::new();
    let mut depth = 0usize;
    for (at, line) in text.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut lexer = Lexer { chars: &chars, at: 0, line: at + 1 };
        while let Some(placed) = lexer.next()? {
            match placed.token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            out.push(placed);
        }
        if depth == 0 && !matches!(out.last(), None | Some(Placed { token: Token::End, .. })) {
            out.push(Placed { token: Token::End, line: at + 1, column: chars.len() + 1 });
        }
    }
    Ok(out)
}

struct Lexer<'c> {
    chars: &'c [char],
    at: usize,
    line: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { line: self.line, column: self.at + 1, message: message.into() }
    }

    fn next(&mut self) -> Result<Option<Placed>, ParseError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let Some(first) = self.peek().filter(|c| *c != ';') else { return Ok(None) };
        let (line, column) = (self.line, self.at + 1);
        let signed = matches!(first, '-' | '+') && self.chars.get(self.at + 1).is_some_and(|c| is_name(*c));
        let token = match first {
            '%' => {
                self.at += 1;
                let name = if self.peek() == Some('"') { self.text()? } else { self.run(is_name) };
                if name.is_empty() {
                    return Err(self.error("a name is expected behind %"));
                }
                Token::Value(name, self.which()?)
            }
            '"' => Token::Text(self.text()?),
            '.' if self.chars[self.at..].starts_with(&['.', '.', '.']) => {
                self.at += 3;
                Token::Ellipsis
            }
            c if c.is_ascii_digit() || signed => {
                self.at += 1;
                let rest = self.run(|c| is_name(c) || c == '+');
                Token::Number(format!("{first}{rest}"))
            }
            c if c.is_ascii_alphabetic() || c == '_' => Token::Word(self.word()),
            ':' | ',' | '=' | '(' | ')' | '[' | ']' | '{' | '}' | '@' => {
                self.at += 1;
                Token::Sign(first)
            }
            other => return Err(self.error(format!("{other:?} is not expected"))),
        };
        Ok(Some(Placed { token, line, column }))
    }

    fn run(&mut self, holds: impl Fn(char) -> bool) -> String {
        let rest = &self.chars[self.at..];
        let word: String = rest.iter().take_while(|c| holds(**c)).collect();
        self.at += word.chars().count();
        word
    }

    /// A word, which has `::` behind a domain.
    fn word(&mut self) -> String {
        let mut word = self.run(is_name);
        while self.chars[self.at..].starts_with(&[':', ':']) {
            self.at += 2;
            word = format!("{word}::{}", self.run(is_name));
        }
        word
    }

    /// The number behind `#`.
    fn which(&mut self) -> Result<usize, ParseError> {
        if self.peek() != Some('#') {
            return Ok(1);
        }
        self.at += 1;
        let digits = self.run(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| self.error("a number is expected behind #"))
    }

    /// What stands between quotes.
    fn text(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.error("the text has no end"))?;
            self.at += 1;
            text.push(match c {
                '"' => return Ok(text),
                '\\' => {
                    let c = self.peek().ok_or_else(|| self.error("the text has no end"))?;
                    self.at += 1;
                    match c {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        other => other,
                    }
                }
                other => other,
            });
        }
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
