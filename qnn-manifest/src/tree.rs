//! Values with their origin, before they are typed: what the layers of the manifest are merged as.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// `[workspace.metadata.qnn]`: file and line (from 1).
    Workspace(PathBuf, usize),
    /// `[package.metadata.qnn]`: file and line (from 1).
    Package(PathBuf, usize),
    /// An environment variable.
    Env(&'static str),
    /// A `--config` argument.
    Config(String),
    /// A flag of the command line, or a call of the builder.
    Flag(&'static str),
}

impl Origin {
    /// Folder from which relative paths count, where the value stands in a file.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Origin::Workspace(file, _) | Origin::Package(file, _) => file.parent(),
            _ => None,
        }
    }

    /// Short name of the layer, for machine-readable output.
    pub fn layer(&self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::Workspace(..) => "workspace",
            Origin::Package(..) => "package",
            Origin::Env(_) => "environment",
            Origin::Config(_) => "config",
            Origin::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Workspace(file, line) | Origin::Package(file, line) => {
                write!(f, "{}:{line}", file.display())
            }
            Origin::Env(name) => write!(f, "environment variable {name}"),
            Origin::Config(arg) => write!(f, "--config {arg}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value or a table of values.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Table(Table),
    Leaf(Leaf),
}

impl Node {
    pub(super) fn origin(&self) -> &Origin {
        match self {
            Node::Table(table) => &table.origin,
            Node::Leaf(leaf) => &leaf.origin,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Node>,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Table {
    /// A TOML table; `origin` makes the origin of what stands at a byte offset.
    pub(super) fn from_toml(table: &DeTable<'_>, at: usize, origin: &dyn Fn(usize) -> Origin) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let at = key.span().start;
            let node = match value.get_ref() {
                DeValue::Table(inner) => Node::Table(Table::from_toml(inner, at, origin)),
                other => Node::Leaf(Leaf { value: to_json(other), origin: origin(at) }),
            };
            (key.get_ref().to_string(), node)
        });
        Self { entries: entries.collect(), origin: origin(at) }
    }

    /// Puts `over` on top: tables are merged, anything else is replaced.
    pub(super) fn merge(&mut self, over: Table) {
        for (key, node) in over.entries {
            match (self.entries.get_mut(&key), node) {
                (Some(Node::Table(below)), Node::Table(above)) => below.merge(above),
                (_, node) => {
                    self.entries.insert(key, node);
                }
            }
        }
        self.origin = over.origin;
    }

    /// Sets one value, making the tables on the way to it.
    pub(super) fn set(&mut self, path: &[String], value: Value, origin: &Origin) {
        let Some((last, above)) = path.split_last() else { return };
        let mut table = self;
        for key in above {
            let next = table.entries.entry(key.clone()).or_insert_with(|| empty(origin));
            if !matches!(next, Node::Table(_)) {
                *next = empty(origin);
            }
            let Node::Table(inner) = next else { return };
            table = inner;
        }
        table.entries.insert(last.clone(), from_json(value, origin));
    }

    pub(super) fn table_mut(&mut self, key: &str) -> Option<&mut Table> {
        match self.entries.get_mut(key) {
            Some(Node::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// Every value with its path, depth first.
    pub(super) fn leaves(&self) -> Vec<(Vec<String>, &Leaf)> {
        fn walk<'a>(table: &'a Table, path: &mut Vec<String>, out: &mut Vec<(Vec<String>, &'a Leaf)>) {
            for (key, node) in &table.entries {
                path.push(key.clone());
                match node {
                    Node::Table(inner) => walk(inner, path, out),
                    Node::Leaf(leaf) => out.push((path.clone(), leaf)),
                }
                path.pop();
            }
        }
        let mut out = Vec::new();
        walk(self, &mut Vec::new(), &mut out);
        out
    }
}

fn empty(origin: &Origin) -> Node {
    Node::Table(Table { entries: BTreeMap::new(), origin: origin.clone() })
}

fn from_json(value: Value, origin: &Origin) -> Node {
    match value {
        Value::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| (key, from_json(value, origin)));
            Node::Table(Table { entries: entries.collect(), origin: origin.clone() })
        }
        value => Node::Leaf(Leaf { value, origin: origin.clone() }),
    }
}

/// A TOML value as JSON. Dates and numbers that JSON cannot hold become text, which no key takes in their place.
pub(super) fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(int) => match i64::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => int.into(),
            Err(_) => Value::String(int.to_string()),
        },
        DeValue::Float(float) => {
            match float.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
                Some(number) => Value::Number(number),
                None => Value::String(float.to_string()),
            }
        }
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref()))).collect()
        }
    }
}

/// The table at `path` below `root`, with the offset where it begins.
pub(super) fn toml_table<'a, 'i>(
    root: &'a Spanned<DeTable<'i>>,
    path: &[&str],
) -> Option<(&'a DeTable<'i>, usize)> {
    let mut table = root.get_ref();
    let mut at = root.span().start;
    for key in path {
        let (key, value) = table.get_key_value(*key)?;
        at = key.span().start;
        table = value.get_ref().as_table()?;
    }
    Some((table, at))
}
