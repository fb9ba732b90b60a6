//! Carries powers of two through a graph, so that values which a calibration run found beyond fp16 stay inside of it.
//!
//! A value with exponent k holds 2⁻ᵏ of what the model means. Constants take the factors up where they can (weights, biases, factors);
//! what is homogeneous passes them on, normalizations lose them, and in front of everything else the factor is multiplied back.

use std::collections::HashMap;

use qnn_types::Diagnostic;

use super::Setting;
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::{Op, Scale};
use crate::problem::{Result, problem};

/// The least and the largest number of each value.
pub type Ranges = HashMap<ValueId, (f64, f64)>;

/// The largest absolute number of a value.
fn largest(ranges: &Ranges, id: ValueId) -> Option<f64> {
    ranges.get(&id).map(|(low, high)| low.abs().max(high.abs())).filter(|largest| largest.is_finite())
}

/// The largest number of fp16.
const LARGEST: f64 = 65504.0;
/// Values up to here are left alone: other samples than those of the calibration may have larger ones.
const SAFE: f64 = 32768.0;
/// What the largest number of a value becomes at most.
const TARGET: f64 = 4096.0;

/// A value that leaves fp16, and by how much.
#[derive(Clone, Debug, PartialEq)]
struct Beyond {
    /// Name of the value.
    value: String,
    /// The node that computes it, and its operator.
    node: (String, String),
    /// Its largest absolute number.
    largest: f64,
}

/// Scales what can be scaled, and warns of the values that stay beyond fp16.
///
/// # Errors
/// None.
pub(super) fn run(graph: &mut Graph, setting: &mut Setting<'_>) -> Result<()> {
    if let Some(ranges) = &setting.ranges {
        scale(graph, ranges).iter().map(warning).for_each(&mut *setting.warn);
    }
    Ok(())
}

fn warning(left: &Beyond) -> Diagnostic {
    let Beyond { value, node: (node, op), largest } = left;
    Diagnostic {
        node: Some(node.clone()),
        op: Some(op.clone()),
        notes: vec![format!("in the calibration run it reached {largest:.4e}; fp16 ends at {LARGEST}")],
        help: Some(
            "divide what it is computed from by a power of two in the model; `cargo qnn verify --layers` shows what it does to \
             the outputs"
                .to_owned(),
        ),
        ..problem("E0311", format!("value {value:?} leaves the range of fp16"))
    }
}

/// Scales what can be scaled, and returns the values that stay beyond fp16.
fn scale(graph: &mut Graph, ranges: &Ranges) -> Vec<Beyond> {
    let all = graph.values_beyond(ranges);
    if all.is_empty() {
        return all;
    }
    let nodes = std::mem::take(&mut graph.nodes);
    let mut pass =
        Scaling { graph, ranges, exponents: HashMap::new(), out: Vec::new(), rescaled: HashMap::new() };
    let mut left = Vec::new();
    for node in nodes {
        let before = node.clone();
        pass.node(node);
        for output in before.outputs.iter().flatten() {
            if pass.need(*output) > pass.exponent(*output) {
                left.extend(beyond(pass.graph, ranges, &before, *output));
            }
        }
    }
    pass.restore_outputs(&mut left);
    let out = pass.out;
    graph.nodes = out;
    left
}

fn beyond(graph: &Graph, ranges: &Ranges, node: &Node, value: ValueId) -> Option<Beyond> {
    let largest = largest(ranges, value)?;
    (largest > LARGEST).then(|| Beyond {
        value: graph.value(value).name.clone(),
        node: (node.name.clone(), node.op.label()),
        largest,
    })
}

impl Graph {
    /// The values whose largest number is beyond fp16 or near its end.
    fn values_beyond(&self, ranges: &Ranges) -> Vec<Beyond> {
        let near = |id: &ValueId| largest(ranges, *id).filter(|largest| *largest > SAFE);
        let all = self.nodes.iter().flat_map(|node| node.outputs.iter().flatten().map(move |id| (node, id)));
        all.filter_map(|(node, id)| {
            let node = (node.name.clone(), node.op.label());
            Some(Beyond { value: self.value(*id).name.clone(), node, largest: near(id)? })
        })
        .collect()
    }
}

struct Scaling<'g> {
    graph: &'g mut Graph,
    ranges: &'g Ranges,
    exponents: HashMap<ValueId, i32>,
    out: Vec<Node>,
    /// Values that were multiplied already, by the exponent they got.
    rescaled: HashMap<(ValueId, i32), ValueId>,
}

impl Scaling<'_> {
    fn exponent(&self, value: ValueId) -> i32 {
        self.exponents.get(&value).copied().unwrap_or(0)
    }

    /// The exponent with which a value fits.
    fn need(&self, value: ValueId) -> i32 {
        match largest(self.ranges, value) {
            Some(largest) if largest > SAFE && self.graph.dtype(value).is_float() => {
                (largest / TARGET).log2().ceil() as i32
            }
            _ => 0,
        }
    }

    fn node(&mut self, mut node: Node) {
        let (op, scale) = (node.op, node.op.scale());
        let (Some(x), Some(y)) = (node.input(0), node.output(0)) else { return self.out.push(node) };
        let need = node.outputs.iter().flatten().map(|&y| self.need(y)).max().unwrap_or(0);
        let scaled = node.inputs.iter().flatten().any(|&i| self.exponent(i) != 0);
        if need == 0 && !scaled {
            return self.out.push(node);
        }
        let k = self.exponent(x);
        // An encoding says what its integers mean: a value that has one keeps its factor.
        let encoded = |id: &ValueId| self.graph.value(*id).encoding.is_some();
        let result = if node.outputs.iter().flatten().any(encoded) && scale != Scale::Invariant {
            // What is linear takes the factor out again in its weights; it must not come back in an operand that does not fit.
            if scale != Scale::Linear || !self.linear(&mut node, 0) {
                (0..node.inputs.len()).for_each(|i| self.set_input(&mut node, i, 0));
            }
            0
        } else if scale == Scale::Homogeneous {
            // A sum can be larger than its operands, never smaller than what they were scaled for.
            let k = k.max(need);
            self.set_input(&mut node, 0, k);
            k
        } else if scale == Scale::Linear && self.linear(&mut node, need) {
            need
        } else if matches!(op, Op::Mul | Op::Div) {
            self.product(&mut node, need)
        } else if scale == Scale::Sum {
            let k = node.inputs.iter().flatten().map(|&i| self.exponent(i)).max().unwrap_or(0).max(need);
            (0..node.inputs.len()).for_each(|i| self.set_input(&mut node, i, k));
            k
        } else if scale == Scale::Invariant && (1..node.inputs.len()).all(|i| self.is_plain(&node, i)) {
            if let Some(Attr::Float(epsilon)) = node.attrs.get("epsilon") {
                let epsilon = epsilon * power(-2 * k) as f32;
                node.attrs.set("epsilon", Attr::Float(epsilon));
            }
            0
        } else if op == Op::Sqrt {
            let k = k.max(2 * need);
            let k = k + (k & 1);
            self.set_input(&mut node, 0, k);
            k / 2
        } else {
            (0..node.inputs.len()).for_each(|i| self.set_input(&mut node, i, 0));
            0
        };
        self.out.push(node.clone());
        for output in node.outputs.iter().flatten().chain([&y]) {
            if result != 0 {
                self.exponents.insert(*output, result);
            }
        }
    }

    fn is_plain(&self, node: &Node, i: usize) -> bool {
        node.input(i).is_none_or(|value| self.exponent(value) == 0)
    }

    /// Weight and bias take up what the operand has and the result needs.
    fn linear(&mut self, node: &mut Node, need: i32) -> bool {
        let (Some(x), Some(w)) = (node.input(0), node.input(1)) else { return false };
        let bias = node.input(2);
        let constant = |id: ValueId| self.graph.is_constant(id) && self.graph.dtype(id).is_float();
        if !constant(w) || !bias.is_none_or(constant) {
            return false;
        }
        let factor = power(self.exponent(x) - need);
        let largest = self.graph.const_f32(w).unwrap_or_default().iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        if f64::from(largest) * factor > SAFE {
            return false;
        }
        node.inputs[1] = Some(self.scaled_constant(w, factor));
        if let Some(bias) = bias {
            node.inputs[2] = Some(self.scaled_constant(bias, power(-need)));
        }
        true
    }

    /// A product has the exponents of both factors, a quotient their difference; a constant takes up the rest.
    fn product(&mut self, node: &mut Node, need: i32) -> i32 {
        let (Some(a), Some(b)) = (node.input(0), node.input(1)) else { return 0 };
        let sign = if node.op == Op::Div { -1 } else { 1 };
        for (i, (constant, other)) in [(b, a), (a, b)].into_iter().enumerate() {
            let takes = self.graph.is_constant(constant) && self.graph.dtype(constant) == DType::F32;
            if takes && (i == 0 || sign == 1) {
                // What is not known stays as large as it is.
                let known = node.output(0).is_some_and(|y| self.ranges.contains_key(&y));
                let need = if known { need } else { self.exponent(other) };
                let shift = self.exponent(other) - need;
                let scaled = self.scaled_constant(constant, power(sign * shift));
                node.inputs[1 - i] = Some(scaled);
                return need;
            }
        }
        let k = self.exponent(a) + sign * self.exponent(b);
        if k >= need {
            return k;
        }
        if sign < 0 {
            self.set_input(node, 0, self.exponent(a) + need - k);
            return need;
        }
        if a == b {
            let half = (need + 1) / 2;
            self.set_input(node, 0, half);
            self.set_input(node, 1, half);
            return 2 * half;
        }
        let rest = need - k;
        let (ka, kb) = (self.exponent(a) + rest / 2, self.exponent(b) + rest - rest / 2);
        self.set_input(node, 0, ka);
        self.set_input(node, 1, kb);
        need
    }

    /// Gives a node's input another exponent: by a factor in front of it, or in the constant.
    fn set_input(&mut self, node: &mut Node, i: usize, to: i32) {
        let Some(value) = node.input(i) else { return };
        let from = self.exponent(value);
        let stored = self.graph.value(value).encoding.is_some() && self.graph.is_constant(value);
        if from == to || !(stored || self.graph.dtype(value).is_float()) {
            return;
        }
        node.inputs[i] = Some(if self.graph.is_constant(value) {
            self.scaled_constant(value, power(from - to))
        } else {
            self.rescale(value, to)
        });
    }

    fn rescale(&mut self, value: ValueId, to: i32) -> ValueId {
        let from = self.exponent(value);
        if let Some(&known) = self.rescaled.get(&(value, to)) {
            return known;
        }
        let name = format!("{}.scaled{to}", self.graph.value(value).name);
        let ty = self.graph.value(value).ty.clone();
        let new = self.graph.add_value(name.clone(), ty);
        self.multiply(&name, value, new, power(from - to));
        if to != 0 {
            self.exponents.insert(new, to);
        }
        self.rescaled.insert((value, to), new);
        new
    }

    /// Writes `to = from · factor`, in several steps where fp16 cannot say the factor.
    fn multiply(&mut self, name: &str, from: ValueId, to: ValueId, factor: f64) {
        const STEP: f64 = 16384.0;
        let (mut from, mut factor, mut step) = (from, factor, 0);
        loop {
            let part = factor.clamp(1.0 / STEP, STEP);
            factor /= part;
            let last = factor == 1.0;
            let ty = self.graph.value(from).ty.clone();
            let next = if last { to } else { self.graph.add_value(format!("{name}.step{step}"), ty) };
            let constant = self.graph.add_constant(
                format!("{name}.factor{step}"),
                TensorType::new(DType::F32, []),
                Data::from_f32(&[part as f32]),
            );
            let mut node = Node::added(Op::Mul, &format!("{name}{step}"), from, next, Attrs::default());
            node.inputs.push(Some(constant));
            self.out.push(node);
            if last {
                return;
            }
            (from, step) = (next, step + 1);
        }
    }

    fn scaled_constant(&mut self, value: ValueId, factor: f64) -> ValueId {
        if factor == 1.0 {
            return value;
        }
        let constant = self.graph.value(value).clone();
        let Some(reals) = constant.reals() else { return value };
        let scaled: Vec<f64> = reals.into_iter().map(|v| v * factor).collect();
        let dtype = if constant.encoding.is_some() { DType::F32 } else { constant.ty.dtype };
        let data = Data::from_floats(&scaled, dtype);
        let ty = TensorType::new(dtype, constant.ty.shape);
        self.graph.add_constant(format!("{}.times{factor:e}", constant.name), ty, data)
    }

    /// The app gets what the model means.
    fn restore_outputs(&mut self, left: &mut Vec<Beyond>) {
        for i in 0..self.graph.outputs.len() {
            let output = self.graph.outputs[i];
            let k = self.exponent(output);
            if k == 0 {
                continue;
            }
            let Some(at) = self.out.iter().position(|node| node.outputs.contains(&Some(output))) else {
                continue;
            };
            let maker = self.out[at].clone();
            left.extend(beyond(self.graph, self.ranges, &maker, output));
            // The maker and all readers get a value of another name; the output keeps its own.
            let value = self.graph.value(output).clone();
            let inner = self.graph.add_value(format!("{}.scaled", value.name), value.ty);
            for node in &mut self.out {
                for slot in
                    node.inputs.iter_mut().chain(&mut node.outputs).filter(|slot| **slot == Some(output))
                {
                    *slot = Some(inner);
                }
            }
            self.exponents.remove(&output);
            self.exponents.insert(inner, k);
            self.multiply(&format!("{}.restored", value.name), inner, output, power(k));
        }
    }
}

fn power(exponent: i32) -> f64 {
    2.0_f64.powi(exponent)
}
