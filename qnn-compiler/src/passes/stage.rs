//! What a stage of the way from a model's graph to a physical one is, and what it knows beside the graph.

use std::collections::BTreeMap;

use qnn_types::{Diagnostic, InputSpec, Target};

use super::check;
use super::rescale::Ranges;
use crate::frontend::encodings::Entry;
use crate::graph::Graph;
use crate::graph::verify::Dialect;
use crate::problem::Result;

/// The parts of the way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// What files and the app say becomes part of the graph.
    Read,
    /// Patterns become the ops that HTP has: after it, what is computed is what HTP computes, in the model's own layout.
    Fuse,
    /// Values get ranges and encodings.
    Assign,
    /// Numbers and encodings become those that HTP computes with.
    Refine,
    /// Axes and dtypes become those that HTP has.
    Layout,
}

/// When a stage has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Encodings beside the model.
    Entries,
    /// Something to measure ranges with.
    Samples,
    /// A value with an encoding.
    Encoded,
    /// A SoC that computes on integers only.
    Integers,
}

/// What a stage does.
#[derive(Clone, Copy)]
pub enum Run {
    /// Changes the graph by what it holds, and always can.
    Graph(fn(&mut Graph)),
    /// Changes the graph by what it holds, and may find problems.
    Checked(fn(&mut Graph) -> Result<()>),
    /// Knows more than the graph.
    Set(fn(&mut Graph, &mut Setting<'_>) -> Result<()>),
}

/// One stage.
pub struct Stage {
    /// Name, for diagnostics.
    pub name: &'static str,
    /// The part of the way that it belongs to.
    pub phase: Phase,
    /// It runs where all of these are there.
    pub needs: &'static [Need],
    /// What it does.
    pub run: Run,
    /// The form that the graph is in after it.
    pub leaves: Dialect,
}

impl Stage {
    pub(super) const fn leaving(self, leaves: Dialect) -> Self {
        Self { leaves, ..self }
    }

    /// Runs the stage, and verifies the graph: in debug builds, and where `QNN_VERIFY_IR` is set.
    ///
    /// # Errors
    /// The problems that the stage finds, or that it is defective.
    pub fn apply(&self, graph: &mut Graph, setting: &mut Setting<'_>) -> Result<()> {
        match self.run {
            Run::Graph(run) => run(graph),
            Run::Checked(run) => run(graph)?,
            Run::Set(run) => run(graph, setting)?,
        }
        check::after(self.name, graph, self.leaves)
    }
}

/// Computes a graph on samples and says which numbers its values took.
pub type Measure<'a> = dyn FnMut(&Graph) -> Result<Ranges> + 'a;

/// What stages know beside the graph.
pub struct Setting<'a> {
    /// The SoC to compile for.
    pub soc: &'a Target,
    /// What the app wants of inputs, by the model's names.
    pub inputs: &'a BTreeMap<String, InputSpec>,
    /// Encodings that came beside the model.
    pub entries: Option<&'a [Entry]>,
    /// Measures what the nodes of a fused graph compute, where samples say on what.
    pub measure: Option<&'a mut Measure<'a>>,
    /// What was measured.
    pub ranges: Option<Ranges>,
    /// Parts of the way that do not apply.
    pub skipped: &'static [Phase],
    /// Takes what the user should know.
    pub warn: &'a mut dyn FnMut(Diagnostic),
}

impl<'a> Setting<'a> {
    /// A compile for a SoC, of which nothing else is said.
    pub fn new(
        soc: &'a Target,
        inputs: &'a BTreeMap<String, InputSpec>,
        warn: &'a mut dyn FnMut(Diagnostic),
    ) -> Self {
        Self { soc, inputs, entries: None, measure: None, ranges: None, skipped: &[], warn }
    }

    pub(super) fn has(&self, need: Need, graph: &Graph) -> bool {
        match need {
            Need::Entries => self.entries.is_some(),
            Need::Samples => self.measure.is_some(),
            Need::Encoded => graph.value_ids().any(|id| graph.value(id).encoding.is_some()),
            Need::Integers => !self.soc.fp16,
        }
    }
}
