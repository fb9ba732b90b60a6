//! Problems of a model, all of them collected before the job fails.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::npz::NpzError;

/// One or more reasons why a model cannot be compiled. Never empty.
#[derive(Clone, Debug)]
pub struct Problems(pub Vec<Diagnostic>);

/// Result of a step that reports every problem it finds.
pub type Result<T> = std::result::Result<T, Problems>;

impl From<Diagnostic> for Problems {
    fn from(problem: Diagnostic) -> Self {
        Self(vec![problem])
    }
}

impl Problems {
    /// One diagnostic for all of them: the only one, or how many there are.
    pub fn summary(&self) -> Diagnostic {
        match &self.0[..] {
            [only] => only.clone(),
            all => {
                let code = all.first().map_or("E0508", |p| &p.code);
                Diagnostic::new(code, format!("{} problems were found", all.len()))
            }
        }
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, p) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&p.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A node as far as its name and operator go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeName<'a> {
    /// The node's name.
    pub node: &'a str,
    /// Domain of its operator; empty for the standard's own.
    pub domain: &'a str,
    /// Its operator.
    pub op: &'a str,
}

impl<'a> From<&'a Node> for NodeName<'a> {
    fn from(node: &'a Node) -> Self {
        Self { node: &node.name, domain: node.op.domain(), op: node.op.name() }
    }
}

/// The problem of an `.npz` file that cannot be written.
pub(crate) fn not_written(error: &NpzError) -> Diagnostic {
    match error {
        NpzError::Io { path, error } => qnn_types::io_problem("E0605", "cannot write", path, error),
        other => problem("E0605", other.to_string()),
    }
}

/// A problem with a code and a message; add to it by the struct's fields.
pub fn problem(code: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, message)
}

/// A problem of a node.
pub fn node_problem(code: &str, node: &Node, message: impl Into<String>) -> Diagnostic {
    let origin = node.origin();
    Diagnostic {
        node: Some(origin.node.clone()),
        op: Some(origin.op.clone()),
        ..Diagnostic::new(code, message)
    }
}
