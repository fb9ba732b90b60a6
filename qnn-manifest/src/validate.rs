//! Holds the merged tree against the table of options: every unknown key, wrong type and value out of range at once.

use qnn_platform::nearest::nearest;
use serde_json::Value;

use crate::options::{Choice, Field, Kind, TOP};
use crate::tree::{Leaf, Node, Origin, Table};
use qnn_types::Diagnostic;

/// Checks `tree`, brings values into one form (lists of SoCs as lists of texts) and fills in defaults.
pub(super) fn validate(tree: &mut Table) -> Vec<Diagnostic> {
    let mut checker = Checker::default();
    checker.table(tree, TOP);
    checker.problems
}

#[derive(Default)]
struct Checker {
    path: Vec<String>,
    problems: Vec<Diagnostic>,
}

impl Checker {
    fn problem(&mut self, code: &str, origin: &Origin, message: String) -> &mut Diagnostic {
        let mut problem = Diagnostic::new(code, message);
        if *origin != Origin::Default {
            problem.at = Some(origin.to_string());
        }
        let last = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[last]
    }

    fn key(&self) -> String {
        self.path.join(".")
    }

    fn table(&mut self, table: &mut Table, fields: &[Field]) {
        for (key, node) in &mut table.entries {
            self.path.push(key.clone());
            match fields.iter().find(|field| field.key == key) {
                Some(field) => self.value(node, field),
                None => self.unknown(key, node.origin().clone(), fields),
            }
            self.path.pop();
        }
        for field in fields {
            if let Kind::Table(inner) = field.kind
                && inner.iter().any(|field| field.default.is_some())
                && !table.entries.contains_key(field.key)
            {
                let mut empty = Table::default();
                self.table(&mut empty, inner);
                table.entries.insert(field.key.to_owned(), Node::Table(empty));
            }
            let default = field.default.and_then(|json| serde_json::from_str(json).ok());
            if let Some(value) = default
                && !table.entries.contains_key(field.key)
            {
                let leaf = Leaf { value, origin: Origin::Default };
                table.entries.insert(field.key.to_owned(), Node::Leaf(leaf));
            }
        }
    }

    fn unknown(&mut self, key: &str, origin: Origin, fields: &[Field]) {
        // A key in the wrong table is as common as a misspelt one: the tables below are searched as well.
        let below = fields.iter().filter_map(|field| match field.kind {
            Kind::Table(inner) | Kind::Own(inner) => {
                Some(inner.iter().map(move |f| (f.key, format!("{}.{}", field.key, f.key))))
            }
            _ => None,
        });
        let candidates: Vec<(&str, String)> =
            fields.iter().map(|f| (f.key, f.key.to_owned())).chain(below.flatten()).collect();
        let near = nearest(key, candidates.iter().map(|(key, _)| *key), 1);
        let help = match near.first().and_then(|best| candidates.iter().find(|(key, _)| key == best)) {
            Some((_, path)) => format!("did you mean `{path}`?"),
            None => format!("known keys: {}", fields.iter().map(|f| f.key).collect::<Vec<_>>().join(", ")),
        };
        let message = format!("unknown key `{}`", self.key());
        self.problem("E0103", &origin, message).help = Some(help);
    }

    fn value(&mut self, node: &mut Node, field: &Field) {
        let key = self.key();
        match (field.kind, node) {
            (Kind::Later(instead), node) => {
                let message = format!("`{key}` is not supported by this version");
                self.problem("E0110", &node.origin().clone(), message).notes = vec![instead.to_owned()];
            }
            (Kind::Table(fields) | Kind::Own(fields), Node::Table(table)) => self.table(table, fields),
            (Kind::Named(what, fields), Node::Table(table)) => self.named(table, what, fields),
            (Kind::Sizes(what), Node::Table(table)) => self.sizes(table, what),
            (Kind::Each(_, inner), Node::Table(table)) => {
                for (name, node) in &mut table.entries {
                    self.path.push(name.clone());
                    match node {
                        Node::Leaf(leaf) => self.leaf(leaf, *inner),
                        Node::Table(table) => self.wrong(&table.origin.clone(), expected(*inner), "a table"),
                    }
                    self.path.pop();
                }
            }
            (
                Kind::Table(_) | Kind::Own(_) | Kind::Named(..) | Kind::Each(..) | Kind::Sizes(_),
                Node::Leaf(leaf),
            ) => {
                self.wrong(&leaf.origin.clone(), "a table", &leaf.value.to_string());
            }
            (_, Node::Table(table)) => self.wrong(&table.origin.clone(), expected(field.kind), "a table"),
            (kind, Node::Leaf(leaf)) => self.leaf(leaf, kind),
        }
    }

    fn named(&mut self, table: &mut Table, what: &str, fields: &[Field]) {
        for (name, node) in &mut table.entries {
            self.path.push(name.clone());
            match node {
                Node::Table(inner) => self.table(inner, fields),
                Node::Leaf(leaf) => {
                    let expected = format!("a table that describes the {what}");
                    self.wrong(&leaf.origin.clone(), &expected, &leaf.value.to_string());
                }
            }
            self.path.pop();
        }
    }

    fn sizes(&mut self, table: &Table, what: &str) {
        for (name, node) in &table.entries {
            self.path.push(name.clone());
            let found = match node {
                Node::Leaf(leaf) if leaf.value.as_u64().is_some_and(|size| size > 0) => None,
                Node::Leaf(leaf) => Some(leaf.value.to_string()),
                Node::Table(_) => Some("a table".to_owned()),
            };
            if let Some(found) = found {
                self.wrong(node.origin(), &format!("the size of the {what}, a whole number from 1"), &found);
            }
            self.path.pop();
        }
    }

    fn leaf(&mut self, leaf: &mut Leaf, kind: Kind) {
        let Leaf { value, origin } = leaf;
        let ok = match kind {
            Kind::Text => matches!(value, Value::String(text) if !text.is_empty()),
            Kind::Bool => value.is_boolean(),
            Kind::Int(min, max) => {
                value.as_u64().is_some_and(|int| (u64::from(min)..=u64::from(max)).contains(&int))
            }
            Kind::Texts => value.as_array().is_some_and(|items| {
                items.iter().all(|item| matches!(item, Value::String(t) if !t.is_empty()))
            }),
            Kind::Shape => value.as_array().is_some_and(|dims| {
                !dims.is_empty() && dims.iter().all(|dim| dim.as_u64().is_some_and(|dim| dim > 0))
            }),
            Kind::Socs => replace(value, socs(value)),
            Kind::Number => replace(value, number(value)),
            Kind::PerChannel => replace(
                value,
                match value.as_array() {
                    Some(items) if items.is_empty() => None,
                    Some(items) => items.iter().map(number).collect(),
                    None => number(value),
                },
            ),
            Kind::Choice(choice) => {
                match value.as_str() {
                    Some(word) => self.choice(word, choice, &origin.clone()),
                    None => self.wrong(&origin.clone(), &choice_text(choice), &value.to_string()),
                }
                true
            }
            Kind::WordOrInt(word, min, max) => {
                value.as_str() == Some(word)
                    || value.as_u64().is_some_and(|int| (u64::from(min)..=u64::from(max)).contains(&int))
            }
            Kind::Table(_)
            | Kind::Own(_)
            | Kind::Named(..)
            | Kind::Each(..)
            | Kind::Sizes(_)
            | Kind::Later(_) => true,
        };
        if !ok {
            let expected = match kind {
                Kind::Int(min, max) => format!("a whole number from {min} to {max}"),
                Kind::WordOrInt(word, min, max) => {
                    format!("\"{word}\" or a whole number from {min} to {max}")
                }
                kind => expected(kind).to_owned(),
            };
            self.wrong(&origin.clone(), &expected, &value.to_string());
        }
    }

    fn choice(&mut self, word: &str, choice: &Choice, origin: &Origin) {
        if choice.words.contains(&word) {
            return;
        }
        let key = self.key();
        if choice.later.contains(&word) {
            let message = format!("`{key} = \"{word}\"` is not supported by this version");
            let help = format!("supported: {}", quoted(choice.words));
            self.problem("E0110", origin, message).help = Some(help);
            return;
        }
        let help = match nearest(word, choice.words.iter().copied(), 1).first() {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it takes {}", choice_text(choice)),
        };
        self.problem("E0104", origin, format!("`{key}` cannot be \"{word}\"")).help = Some(help);
    }

    fn wrong(&mut self, origin: &Origin, expected: &str, found: &str) {
        let message = format!("`{}` takes {expected}, not {found}", self.key());
        self.problem("E0104", origin, message);
    }
}

/// Puts a value in its one form in the place of what the user wrote; whether there is one.
fn replace(value: &mut Value, form: Option<Value>) -> bool {
    match form {
        Some(form) => {
            *value = form;
            true
        }
        None => false,
    }
}

/// A finite number, or a text that is a number or a fraction of two; `None` for anything else.
pub(crate) fn number(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => fraction(text)?,
        _ => return None,
    };
    number.is_finite().then(|| number.into())
}

/// `0.5`, `1/255`. TOML has no fractions, and 0.00392 is not one.
pub fn fraction(text: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        None => number(text)?,
        Some((above, below)) => number(above)? / number(below)?,
    };
    value.is_finite().then_some(value)
}

/// A SoC or a list of SoCs as a list of texts; `None` for anything else.
fn socs(value: &Value) -> Option<Value> {
    let one = |value: &Value| match value {
        Value::String(name) if !name.is_empty() => Some(Value::String(name.clone())),
        Value::Number(id) => id.as_u64().map(|id| Value::String(id.to_string())),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().map(one).collect::<Option<Vec<_>>>().map(Value::Array),
        value => one(value).map(|soc| Value::Array(vec![soc])),
    }
}

/// What a kind takes, in words.
fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Choice(_) => "one of its words",
        Kind::Bool => "true or false",
        Kind::Int(..) => "a whole number",
        Kind::WordOrInt(..) => "a word or a whole number",
        Kind::Texts => "a list of texts",
        Kind::Socs => "a list of SoC names or ids",
        Kind::Shape => "a list of whole numbers from 1",
        Kind::Number => "a number, or a fraction as text",
        Kind::PerChannel => "a number or a list of numbers; a fraction as text is one",
        Kind::Table(_) | Kind::Own(_) | Kind::Named(..) | Kind::Each(..) | Kind::Sizes(_) => "a table",
        Kind::Later(_) => "nothing yet",
    }
}

fn choice_text(choice: &Choice) -> String {
    format!("one of {}", quoted(choice.words))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
