//! The parts of a file, and how an output is held against what it expects.

use std::fmt::Write;

/// What a file consists of.
pub(crate) struct Parts<'t> {
    /// What the first line says behind `; test`.
    pub(crate) command: &'t str,
    /// The graph, with the file's comments.
    pub(crate) input: &'t str,
    checks: Vec<Check<'t>>,
    /// The output, where it is written.
    expected: Option<&'t str>,
}

enum Check<'t> {
    Has(&'t str),
    HasNot(&'t str),
    Count(&'t str, usize),
}

/// Begins the output.
const EXPECT: &str = "; expect\n";

impl<'t> Parts<'t> {
    pub(crate) fn of(text: &'t str) -> Result<Self, String> {
        let command = text.lines().next().and_then(|line| line.strip_prefix("; test "));
        let command = command.ok_or("the first line is not `; test …`")?.trim();
        let (input, expected) = match text.find(&format!("\n{EXPECT}")) {
            Some(at) => (&text[..=at], Some(&text[at + 1 + EXPECT.len()..])),
            None => (text, None),
        };
        let checks = input.lines().filter_map(check).collect::<Result<Vec<_>, _>>()?;
        if checks.is_empty() && expected.is_none() {
            return Err("nothing is expected: no `; check:` and no `; expect`".to_owned());
        }
        Ok(Self { command, input, checks, expected })
    }

    /// The file with the output in the place of the one that it expects; `None` where it expects none.
    pub(crate) fn blessed(&self, output: &str) -> Option<String> {
        self.expected.is_some().then(|| format!("{}{EXPECT}{output}", self.input))
    }

    /// Whether an output is as expected; what is not, with the output.
    pub(crate) fn hold(&self, output: &str) -> Result<(), String> {
        if let Some(expected) = self.expected
            && expected.trim_end() != output.trim_end()
        {
            return Err(difference(expected, output));
        }
        self.checks(output).map_err(|why| format!("{why}\nin\n{output}"))
    }

    fn checks(&self, output: &str) -> Result<(), String> {
        let lines: Vec<&str> = output.lines().collect();
        let mut at = 0;
        let mut absent: Vec<&str> = Vec::new();
        for check in &self.checks {
            match check {
                Check::HasNot(text) => absent.push(text),
                Check::Has(text) => {
                    let found = lines[at..].iter().position(|line| has(line, text));
                    let found =
                        at + found.ok_or_else(|| format!("no line has `{text}`, from line {}", at + 1))?;
                    none(&lines[at..found], &absent)?;
                    absent.clear();
                    at = found + 1;
                }
                Check::Count(op, count) => {
                    let call = format!("= {op}");
                    let is = |line: &&&str| {
                        line.split_once(&call).is_some_and(|(_, rest)| rest.starts_with(['(', '@']))
                    };
                    let found = lines.iter().filter(is).count();
                    if found != *count {
                        return Err(format!("{found} times {op}; {count} are expected"));
                    }
                }
            }
        }
        none(&lines[at..], &absent)
    }
}

fn check(line: &str) -> Option<Result<Check<'_>, String>> {
    let (kind, text) = line.strip_prefix("; ")?.split_once(": ")?;
    let text = text.trim();
    match kind {
        "check" => Some(Ok(Check::Has(text))),
        "not" => Some(Ok(Check::HasNot(text))),
        "count" => {
            let parts = text.rsplit_once(' ').and_then(|(op, count)| Some((op, count.parse().ok()?)));
            Some(
                parts
                    .map(|(op, count)| Check::Count(op, count))
                    .ok_or_else(|| format!("`{text}` is no count")),
            )
        }
        _ => None,
    }
}

/// Whether a line has the parts of a text between ` ... `, in their order.
fn has(line: &str, text: &str) -> bool {
    let mut rest = line;
    text.split(" ... ").all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn none(lines: &[&str], absent: &[&str]) -> Result<(), String> {
    for text in absent {
        if let Some(line) = lines.iter().find(|line| has(line, text)) {
            return Err(format!("`{text}` is not expected: {line}"));
        }
    }
    Ok(())
}

/// The lines of both, `-` for what is expected only and `+` for what is there only.
fn difference(expected: &str, output: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (expected.trim_end().lines().collect(), output.trim_end().lines().collect());
    // Lengths of the longest common subsequences of what is left of both.
    let mut common = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] =
                if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, String::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            let _ = writeln!(out, "  {}", a[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            let _ = writeln!(out, "- {}", a[i]);
            i += 1;
        } else {
            let _ = writeln!(out, "+ {}", b[j]);
            j += 1;
        }
    }
    out
}
