//! The list of files that a compiler read, as it writes it for make.

use std::path::PathBuf;

/// The files of a depfile, without its target.
pub(super) fn parse(text: &str) -> Vec<PathBuf> {
    let mut words: Vec<String> = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let last = words.len() - 1;
        match c {
            // A line that goes on.
            '\\' if matches!(chars.peek(), Some('\n' | '\r')) => words.push(String::new()),
            '\\' if matches!(chars.peek(), Some(' ' | '#' | '\\')) => words[last].extend(chars.next()),
            '$' if chars.peek() == Some(&'$') => words[last].extend(chars.next()),
            c if c.is_whitespace() => words.push(String::new()),
            c => words[last].push(c),
        }
    }
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    // The target ends with a colon, which may stand alone.
    for word in words.by_ref() {
        if word.ends_with(':') {
            break;
        }
    }
    // Further rules, which -MP adds, have no files.
    words.filter(|word| !word.ends_with(':')).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_spaces_and_lines_that_go_on_are_read() {
        let text = "out/a.o: src/a.c \\\n  /usr/include/my\\ file.h include/x.h\\\n a$$b.h\n\ninclude/x.h:\n";
        let want = ["src/a.c", "/usr/include/my file.h", "include/x.h", "a$b.h"];
        assert_eq!(parse(text), want.map(PathBuf::from));
        assert!(parse("").is_empty());
    }
}
