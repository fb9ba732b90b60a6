//! Operators of the app's own: those that an op package defines. The definition says how many operands and which parameters a node
//! has; `types` types it while the model is read, `lower` hands it to the package.
//!
//! In the graph such a node is an `Op::Other`, so no pass takes it for an operator that it knows. All its operands keep the
//! model's own order of axes.

mod check;
mod lower;
mod params;

use std::collections::HashMap;

use qnn_ops::Package;
use qnn_types::{Diagnostic, OpPackage};

use crate::graph::Node;
use crate::op::Op;
use crate::problem::{Problems, Result, problem};

/// The op packages of a job.
#[derive(Debug, Default)]
pub struct OpPackages {
    packages: Vec<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    job: OpPackage,
    definition: Package,
}

/// An op with the package that has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'p> {
    package: &'p OpPackage,
    definition: &'p Package,
    op: &'p qnn_ops::Op,
}

impl OpPackages {
    /// Reads the definitions of a job's packages.
    ///
    /// # Errors
    /// `E0901` for those that cannot be read.
    pub fn load(packages: &[OpPackage]) -> Result<Self> {
        let (mut loaded, mut problems) = (Vec::new(), Vec::new());
        for job in packages {
            let at = job.definition.display();
            let text = std::fs::read_to_string(&job.definition);
            match text.map(|text| qnn_ops::parse(&text)) {
                Ok(Ok(definition)) => loaded.push(Loaded { job: job.clone(), definition }),
                Ok(Err(findings)) => problems.extend(findings.iter().map(|finding| Diagnostic {
                    at: Some(format!("{at}:{}", finding.at)),
                    help: finding.help.clone(),
                    ..problem("E0901", finding.message.clone())
                })),
                Err(error) => {
                    problems.push(problem("E0901", format!("cannot read the op definitions {at}: {error}")));
                }
            }
        }
        problems.extend(shared(&loaded));
        if problems.is_empty() { Ok(Self { packages: loaded }) } else { Err(Problems(problems)) }
    }

    /// The op that a node of a model names, directly or because a package replaces the operator.
    pub(crate) fn find(&self, domain: &str, op: &str) -> Option<Found<'_>> {
        let mut own = self.packages.iter().filter(|loaded| loaded.job.domain == domain).peekable();
        if own.peek().is_some() {
            return own.find_map(|loaded| loaded.found(op));
        }
        let standard = domain.is_empty() || domain == "ai.onnx";
        let replaced = |loaded: &&Loaded| standard && loaded.job.replace.contains_key(op);
        let loaded = self.packages.iter().find(replaced)?;
        loaded.found(loaded.job.replace.get(op)?)
    }

    /// The op of a node of a graph.
    pub(crate) fn of_node(&self, node: &Node) -> Option<Found<'_>> {
        let Op::Other(name) = node.op else { return None };
        let mut own = self.packages.iter().filter(|loaded| loaded.job.domain == name.domain);
        own.find_map(|loaded| loaded.found(&name.name))
    }

    /// Every op of every package, as the library names them.
    pub(crate) fn names(&self) -> Vec<String> {
        let of = |loaded: &Loaded| -> Vec<String> {
            let package = &loaded.job.package;
            loaded.definition.ops.iter().map(|op| format!("{package}::{}", op.name)).collect()
        };
        self.packages.iter().flat_map(of).collect()
    }

    /// Whether there is a package for a domain, and what its ops are, for messages.
    pub(crate) fn ops_of(&self, domain: &str) -> Option<Vec<&str>> {
        let mut own = self.packages.iter().filter(|loaded| loaded.job.domain == domain).peekable();
        own.peek()?;
        Some(own.flat_map(|loaded| loaded.definition.ops.iter().map(|op| &*op.name)).collect())
    }
}

/// Ops that two packages of one domain have: a node could mean either. The same package twice is one.
fn shared(loaded: &[Loaded]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (at, one) in loaded.iter().enumerate() {
        for other in loaded[..at].iter().filter(|other| other.job.domain == one.job.domain) {
            let both = one.definition.ops.iter().filter(|op| other.definition.op(&op.name).is_some());
            let names: Vec<&str> = both.map(|op| &*op.name).collect();
            if names.is_empty() {
                continue;
            }
            let message = format!(
                "op packages `{}` and `{}` both have {} in the domain `{}`",
                other.job.name,
                one.job.name,
                names.join(", "),
                one.job.domain
            );
            let help = "leave one of them out, or give one another `Domain` and its nodes in the model, too";
            problems.push(problem("E0902", message).help(help));
        }
    }
    problems
}

impl Loaded {
    fn found(&self, op: &str) -> Option<Found<'_>> {
        let op = self.definition.op(op)?;
        Some(Found { package: &self.job, definition: &self.definition, op })
    }
}

impl Found<'_> {
    /// What the node is called in the graph.
    pub(crate) fn node_op(&self) -> Op {
        Op::own(&self.package.domain, &self.op.name)
    }

    /// How many outputs a node of it has.
    pub(crate) fn outputs(&self) -> usize {
        self.op.outputs.len()
    }

    /// For messages.
    fn name(&self) -> String {
        format!("op {} of package `{}`", self.op.name, self.package.name)
    }

    fn problem(&self, node: &Node, code: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            node: Some(node.name.clone()),
            op: Some(self.node_op().to_string()),
            help: Some(format!("the definition is in {}", self.package.definition.display())),
            ..problem(code, message)
        }
    }
}

/// Static types that a model says of values, by name.
pub(crate) type Declared<'a> = HashMap<&'a str, crate::graph::TensorType>;
