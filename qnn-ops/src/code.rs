//! Reads the parameters of an older C++ package from its code: the `DEF_PACKAGE_PARAM_ORDER` macros.

/// A parameter as the code declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeParam {
    /// The op.
    pub op: String,
    /// The parameter.
    pub name: String,
    /// Whether the code insists on it.
    pub mandatory: bool,
    /// Line of the macro, from 1.
    pub line: u32,
}

const MACRO: &str = "DEF_PACKAGE_PARAM_ORDER";

/// The parameters that a C++ source declares: `DEF_PACKAGE_PARAM_ORDER("Op", "param", mandatory, default, "param2", …)`.
pub fn param_orders(source: &str) -> Vec<CodeParam> {
    let source = without_comments(source);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = source[from..].find(MACRO) {
        let start = from + at;
        from = start + MACRO.len();
        let line = source[..start].matches('\n').count() as u32 + 1;
        let Some(arguments) = arguments(&source[from..]) else { continue };
        let text = |argument: &String| argument.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        let Some(op) = arguments.first().and_then(text) else { continue };
        for row in arguments[1..].chunks(3) {
            let [name, mandatory, ..] = row else { continue };
            let Some(name) = text(name) else { continue };
            found.push(CodeParam { op: op.clone(), name, mandatory: mandatory == "true", line });
        }
    }
    found
}

/// The arguments in the brackets that the text begins with; `None` for what is no call.
fn arguments(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start().strip_prefix('(')?;
    let (mut depth, mut quoted) = (0u32, false);
    let mut all = vec![String::new()];
    for c in text.chars() {
        let last = all.last_mut()?;
        match c {
            '"' => {
                quoted = !quoted;
                last.push(c);
            }
            ')' if !quoted && depth == 0 => {
                return Some(all.into_iter().map(|argument| argument.trim().to_owned()).collect());
            }
            ',' if !quoted && depth == 0 => all.push(String::new()),
            _ => {
                match c {
                    '(' | '{' | '[' if !quoted => depth += 1,
                    ')' | '}' | ']' if !quoted => depth = depth.saturating_sub(1),
                    _ => {}
                }
                last.push(c);
            }
        }
    }
    None
}

/// The source with its comments blanked, so that places stay.
fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    let (mut quoted, mut escaped) = (false, false);
    while let Some(c) = chars.next() {
        if quoted {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        match (c, chars.peek()) {
            ('/', Some('/')) => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            ('/', Some('*')) => {
                chars.next();
                let mut star = false;
                for c in chars.by_ref() {
                    if c == '\n' {
                        out.push(c);
                    }
                    if star && c == '/' {
                        break;
                    }
                    star = c == '*';
                }
            }
            _ => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_macro_are_read_and_comments_are_not() {
        let source = "// DEF_PACKAGE_PARAM_ORDER(\"No\", \"x\", true, nullptr)\n\
            /* DEF_PACKAGE_PARAM_ORDER(\"No\", \"x\", true, nullptr)\n */\n\
            DEF_PACKAGE_PARAM_ORDER(\"RoPE\",\n  \"pose_type\", true, nullptr,\n  \"h\", false, &defaults(1, 2))\n\
            DEF_PACKAGE_PARAM_ORDER(\"Cut\", \"x\"";
        let param = |name: &str, mandatory| CodeParam {
            op: "RoPE".to_owned(),
            name: name.to_owned(),
            mandatory,
            line: 4,
        };
        assert_eq!(param_orders(source), [param("pose_type", true), param("h", false)]);
    }
}
