//! Who makes and who reads each value, for pattern matching.

use super::Inside;
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;

/// Lists by value, which are cheap to make anew: after each match positions are others.
pub(super) struct View {
    makers: Vec<Option<usize>>,
    readers: Vec<u32>,
    /// Whether encodings of values inside of the pattern that is looked for are consumed.
    consumes: bool,
}

impl View {
    pub(super) fn new(graph: &Graph) -> Self {
        let count = graph.value_count();
        let mut view = Self { makers: vec![None; count], readers: vec![0; count], consumes: false };
        for (i, node) in graph.nodes.iter().enumerate() {
            for output in node.outputs.iter().flatten() {
                view.makers[output.index()] = Some(i);
            }
            for input in node.inputs.iter().flatten() {
                view.readers[input.index()] += 1;
            }
        }
        for output in &graph.outputs {
            view.readers[output.index()] += 1;
        }
        view
    }

    /// A pattern is looked for from the result of a node on: where that has no encoding, none of a value inside can be left out.
    pub(super) fn begin(&mut self, graph: &Graph, i: usize, inside: Inside) {
        let encoded = |node: &Node| node.output(0).is_some_and(|y| graph.value(y).encoding.is_some());
        self.consumes = inside == Inside::Consumed && graph.nodes.get(i).is_some_and(encoded);
    }

    /// Whether a value may vanish: it has no encoding, or one that the pattern consumes. Of 8 bits none is consumed: what the model's own
    /// arithmetic loses there is more than two engines may differ by (LayerNorm: 35 dB would be 30).
    pub(super) fn may_vanish(&self, graph: &Graph, value: ValueId) -> bool {
        let encoding = graph.value(value).encoding.as_ref();
        encoding.is_none_or(|encoding| self.consumes && encoding.bits() > 8)
    }

    /// The node that makes a value, when it is one of these ops of the standard domain, and the value may vanish.
    pub(super) fn maker<'g>(&self, graph: &'g Graph, value: ValueId, ops: &[Op]) -> Option<&'g Node> {
        if !self.may_vanish(graph, value) {
            return None;
        }
        let node = &graph.nodes[self.position(value)?];
        ops.contains(&node.op).then_some(node)
    }

    /// Position of the node that makes a value.
    pub(super) fn position(&self, value: ValueId) -> Option<usize> {
        self.makers.get(value.index()).copied().flatten()
    }

    /// Says that a node now makes this value.
    pub(super) fn made_by(&mut self, value: ValueId, node: usize) {
        if self.makers.len() <= value.index() {
            self.makers.resize(value.index() + 1, None);
        }
        self.makers[value.index()] = Some(node);
    }

    /// Whether exactly one reader (node or app) reads the value.
    pub(super) fn read_once(&self, value: ValueId) -> bool {
        self.readers.get(value.index()) == Some(&1)
    }
}

/// The two operands of a binary node as (computed value, constant scalar), whichever side each is on. A constant that is the same
/// number everywhere counts, where it does not broadcast the other operand.
pub(super) fn with_scalar(graph: &Graph, node: &Node) -> Option<(ValueId, f32)> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (x, constant) = match (graph.is_constant(a), graph.is_constant(b)) {
        (false, true) => (a, b),
        (true, false) => (b, a),
        _ => return None,
    };
    let fits = graph.value(constant).ty.elements() == 1
        || node.output(0).is_some_and(|y| graph.shape(y) == graph.shape(x));
    uniform(graph, constant).filter(|_| fits).map(|s| (x, s))
}

/// Constants of more elements than this are not looked through for a single number.
const LARGE: usize = 1 << 16;

/// The number that a constant holds everywhere.
pub(super) fn uniform(graph: &Graph, constant: ValueId) -> Option<f32> {
    if graph.value(constant).ty.elements() > LARGE {
        return None;
    }
    let values = graph.const_f32(constant)?;
    let (&first, rest) = values.split_first()?;
    rest.iter().all(|&v| v == first).then_some(first)
}

/// Whether two numbers are the same constant of a formula, written with float32 care.
pub(super) fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs().max(1e-6)
}
