//! Loops whose number of iterations is known: each iteration is written out.

use std::rc::Rc;

use super::attributes;
use super::bodies::Body;
use super::order::label;
use super::proto::NodeProto;
use super::scope::Slot;
use super::walk::Walker;
use crate::graph::{Attrs, DType, Data, TensorType, ValueId};
use crate::infer::{Answer, Reason, axis, invalid};
use crate::op::Op;

/// The most iterations that are written out, and the most nodes that they may have together.
const MOST_ITERATIONS: usize = 1024;
const MOST_NODES: usize = 1 << 15;

impl<'a> Walker<'a, '_> {
    /// Loop, Scan or SequenceMap.
    pub(super) fn repeat(&mut self, node: &'a NodeProto, inputs: &[Slot]) {
        let more: Vec<&str> =
            match node.attribute.iter().find(|a| a.name == "body").and_then(|a| a.g.as_ref()) {
                Some(graph) => graph.input.iter().map(|input| &*input.name).collect(),
                None => Vec::new(),
            };
        let Some(body) = self.inner(node, "body", &more) else { return };
        let done = match &*node.op_type {
            "Loop" => self.run_loop(node, &body, inputs),
            "Scan" => self.scan(node, &body, inputs),
            _ => self.map(node, &body, inputs),
        };
        match done {
            Ok(Some(slots)) => self.bind_all(&node.output, slots),
            Ok(None) => self.poison(node),
            Err(reason) => self.refuse(node, &reason),
        }
    }

    /// Refuses what would grow too large.
    fn affordable(&self, body: &Body<'_>, times: usize) -> Answer<()> {
        let nodes = body.graph.node.len().saturating_mul(times);
        if times <= MOST_ITERATIONS && nodes <= MOST_NODES {
            return Ok(());
        }
        Err(Reason::Unsupported(format!(
            "{times} iterations of {} nodes: iterations are written out, up to {MOST_ITERATIONS} of them and {MOST_NODES} nodes",
            body.graph.node.len()
        )))
    }

    fn truth(&mut self, name: &str, value: bool) -> Slot {
        let data = Data::from_ints(&[value.into()], DType::Bool);
        Slot::Value(self.builder.constant(name, TensorType::new(DType::Bool, []), data))
    }

    /// A constant with one element.
    fn known(&self, slot: Slot) -> Option<i64> {
        match slot {
            Slot::Value(id) => match self.builder.graph.const_i64(id)?[..] {
                [one] => Some(one),
                _ => None,
            },
            _ => None,
        }
    }

    /// Where the condition to go on is computed, later iterations only count as long as it held.
    fn run_loop(
        &mut self,
        node: &'a NodeProto,
        body: &Body<'a>,
        inputs: &[Slot],
    ) -> Answer<Option<Vec<Slot>>> {
        let at = |i: usize| inputs.get(i).copied().unwrap_or(Slot::Absent);
        let most = match at(0) {
            Slot::Absent => None,
            slot => match self.known(slot) {
                Some(most) => Some(usize::try_from(most).unwrap_or(0)),
                None => {
                    return Err(Reason::DataDependent(
                        "how often the loop runs is known only when the model runs".to_owned(),
                    ));
                }
            },
        };
        let name = format!("{}{}", self.prefix(), label(node));
        let mut state = inputs.get(2..).unwrap_or_default().to_vec();
        let scanned = body.graph.output.len().saturating_sub(state.len() + 1);
        if body.graph.input.len() != state.len() + 2 || body.graph.output.len() < state.len() + 1 {
            return invalid("the body of the loop has not one input and output for each state");
        }
        let mut going = match at(1) {
            Slot::Absent => self.truth(&format!("{name}.start"), true),
            slot => slot,
        };
        let mut lists: Vec<Vec<ValueId>> = vec![Vec::new(); scanned];
        for i in 0.. {
            if most.is_some_and(|most| i >= most) || self.known(going) == Some(0) {
                break;
            }
            let computed = self.known(going).is_none();
            if computed && (most.is_none() || scanned > 0) {
                return Err(Reason::DataDependent(
                    "how often the loop runs depends on what it computes".to_owned(),
                ));
            }
            self.affordable(body, if computed { most.unwrap_or(i) } else { i + 1 })?;
            let prefix = format!("{name}/{i}/");
            let counter = TensorType::new(DType::I64, []);
            let counter = self.builder.constant(&format!("{prefix}i"), counter, Data::from_i64(&[i as i64]));
            let on = self.truth(&format!("{prefix}on"), true);
            let given: Vec<Slot> =
                [Slot::Value(counter), on].into_iter().chain(state.iter().copied()).collect();
            let Some(results) = self.run(node, body, prefix.clone(), &given) else { return Ok(None) };
            let (next, scans) = results[1..].split_at(state.len());
            for (old, new) in state.iter_mut().zip(next) {
                *old = match (going, *old, *new) {
                    (Slot::Value(going), Slot::Value(a), Slot::Value(b)) if computed && a != b => {
                        if !self.same_type(a, b) {
                            return Err(Reason::DataDependent(
                                "the shape of a state depends on how often the loop runs".to_owned(),
                            ));
                        }
                        Slot::Value(self.choice(&format!("{prefix}state"), going, b, a)?)
                    }
                    (_, old, new) if computed && old != new => {
                        return Err(Reason::DataDependent(
                            "what a sequence holds depends on how often the loop runs".to_owned(),
                        ));
                    }
                    (_, _, new) => new,
                };
            }
            for (list, scan) in lists.iter_mut().zip(scans) {
                list.push(tensor(*scan)?);
            }
            going = match (computed, going, results[0]) {
                (true, Slot::Value(before), Slot::Value(now)) => {
                    Slot::Value(self.emit(&format!("{prefix}going"), Op::And, &[before, now], &[])?)
                }
                (_, _, now) => now,
            };
        }
        for (i, list) in lists.iter().enumerate() {
            let value = self.stacked(&format!("{name}.scan{i}"), list, 0)?;
            state.push(value);
        }
        Ok(Some(state))
    }

    /// Values with a new axis, one after another along it.
    fn stacked(&mut self, name: &str, list: &[ValueId], at: i64) -> Answer<Slot> {
        let Some(first) = list.first() else {
            return Err(Reason::Unsupported(
                "no iteration runs, so that a result has no elements".to_owned(),
            ));
        };
        let rank = self.builder.graph.shape(*first).len();
        let at = axis(at, rank + 1)? as i64;
        let axes = self.builder.ints(&format!("{name}.axes"), &[at]);
        let mut parts = Vec::with_capacity(list.len());
        for (i, value) in list.iter().enumerate() {
            parts.push(self.emit(&format!("{name}.{i}"), Op::Unsqueeze, &[*value, axes], &[])?);
        }
        if let [only] = parts[..] {
            return Ok(Slot::Value(only));
        }
        self.emit(name, Op::Concat, &parts, &[("axis", at)]).map(Slot::Value)
    }

    /// The `i`-th of a value's parts along an axis, without that axis.
    fn part(&mut self, name: &str, x: ValueId, at: usize, i: usize) -> Answer<ValueId> {
        let index = TensorType::new(DType::I64, []);
        let index = self.builder.constant(&format!("{name}.at"), index, Data::from_i64(&[i as i64]));
        self.emit(name, Op::Gather, &[x, index], &[("axis", at as i64)])
    }

    fn scan(&mut self, node: &'a NodeProto, body: &Body<'a>, inputs: &[Slot]) -> Answer<Option<Vec<Slot>>> {
        let Some(frame) = self.frames.last() else { return Ok(None) };
        let (old, arguments) = (frame.opsets.get("").is_some_and(|v| *v < 9), Rc::clone(&frame.arguments));
        let Ok(attrs) = attributes::read(&node.attribute, &arguments, &mut self.files) else {
            return invalid("its attributes cannot be read");
        };
        let count = usize::try_from(attrs.int_or("num_scan_inputs", 0)).unwrap_or(0);
        // Before opset 9 the lengths come first, and a batch is around it all.
        let inputs = if old { inputs.get(1..).unwrap_or_default() } else { inputs };
        if old && attrs.ints("directions").is_some_and(|list| list.contains(&1)) {
            return Err(Reason::Unsupported(
                "it runs backwards in opset 8: export the model with opset 17".to_owned(),
            ));
        }
        if count == 0 || count > inputs.len() {
            return invalid(format!("attribute num_scan_inputs is {count}"));
        }
        let values = inputs.iter().map(|slot| tensor(*slot)).collect::<Answer<Vec<_>>>()?;
        if !old {
            return self.scan_one(node, body, &values, count, &attrs);
        }
        let name = format!("{}{}", self.prefix(), label(node));
        let batch = values.first().and_then(|id| self.builder.graph.shape(*id).first().copied()).unwrap_or(0);
        self.affordable(body, batch)?;
        let mut lists: Vec<Vec<ValueId>> = Vec::new();
        for b in 0..batch {
            let own = values
                .iter()
                .map(|id| self.part(&format!("{name}.batch{b}"), *id, 0, b))
                .collect::<Answer<Vec<_>>>()?;
            let Some(slots) = self.scan_one(node, body, &own, count, &attrs)? else { return Ok(None) };
            lists.resize(slots.len(), Vec::new());
            for (list, slot) in lists.iter_mut().zip(slots) {
                list.push(tensor(slot)?);
            }
        }
        let slots =
            lists.iter().enumerate().map(|(i, list)| self.stacked(&format!("{name}.result{i}"), list, 0));
        slots.collect::<Answer<Vec<_>>>().map(Some)
    }

    fn scan_one(
        &mut self,
        node: &'a NodeProto,
        body: &Body<'a>,
        values: &[ValueId],
        count: usize,
        attrs: &Attrs,
    ) -> Answer<Option<Vec<Slot>>> {
        let name = format!("{}{}", self.prefix(), label(node));
        let entry = |list: &str, i: usize| attrs.ints(list).and_then(|l| l.get(i).copied()).unwrap_or(0);
        let (states, scanned) = values.split_at(values.len() - count);
        let mut length = None;
        let mut axes = Vec::new();
        for (i, id) in scanned.iter().enumerate() {
            let shape = self.builder.graph.shape(*id);
            let at = axis(entry("scan_input_axes", i), shape.len())?;
            if length.is_some_and(|length| length != shape[at]) {
                return invalid("its scan inputs have different lengths");
            }
            length = Some(shape[at]);
            axes.push(at);
        }
        let length = length.unwrap_or(0);
        self.affordable(body, length)?;
        let mut state: Vec<Slot> = states.iter().copied().map(Slot::Value).collect();
        if body.graph.output.len() < state.len() || body.graph.input.len() != values.len() {
            return invalid("the body of the scan has not one input for each of its own");
        }
        let mut lists: Vec<Vec<ValueId>> = vec![Vec::new(); body.graph.output.len() - state.len()];
        for step in 0..length {
            let prefix = format!("{name}/{step}/");
            let mut given = state.clone();
            for (i, (id, at)) in scanned.iter().zip(&axes).enumerate() {
                let from = if entry("scan_input_directions", i) == 1 { length - 1 - step } else { step };
                given.push(Slot::Value(self.part(&format!("{prefix}in{i}"), *id, *at, from)?));
            }
            let Some(results) = self.run(node, body, prefix, &given) else { return Ok(None) };
            let (next, scans) = results.split_at(state.len());
            state.copy_from_slice(next);
            for (list, scan) in lists.iter_mut().zip(scans) {
                list.push(tensor(*scan)?);
            }
        }
        for (i, list) in lists.iter_mut().enumerate() {
            if entry("scan_output_directions", i) == 1 {
                list.reverse();
            }
            let value = self.stacked(&format!("{name}.scan{i}"), list, entry("scan_output_axes", i))?;
            state.push(value);
        }
        Ok(Some(state))
    }

    /// The body once for each entry of the first sequence.
    fn map(&mut self, node: &'a NodeProto, body: &Body<'a>, inputs: &[Slot]) -> Answer<Option<Vec<Slot>>> {
        let Some(Slot::Sequence(first)) = inputs.first().copied() else {
            return invalid("its first input is not a sequence");
        };
        let length = self.sequences[first].len();
        self.affordable(body, length)?;
        let name = format!("{}{}", self.prefix(), label(node));
        let mut lists: Vec<Vec<ValueId>> = vec![Vec::new(); body.graph.output.len()];
        for i in 0..length {
            let given = inputs.iter().map(|slot| match slot {
                Slot::Sequence(at) => match self.sequences[*at].get(i) {
                    Some(id) => Ok(Slot::Value(*id)),
                    None => invalid("its sequences have different lengths"),
                },
                slot => Ok(*slot),
            });
            let given = given.collect::<Answer<Vec<_>>>()?;
            let Some(results) = self.run(node, body, format!("{name}/{i}/"), &given) else { return Ok(None) };
            for (list, result) in lists.iter_mut().zip(results) {
                list.push(tensor(result)?);
            }
        }
        let slots = lists.into_iter().map(|list| {
            self.sequences.push(list);
            Slot::Sequence(self.sequences.len() - 1)
        });
        Ok(Some(slots.collect()))
    }
}

fn tensor(slot: Slot) -> Answer<ValueId> {
    match slot {
        Slot::Value(id) => Ok(id),
        _ => Err(Reason::Unsupported("it carries a sequence where a tensor is needed".to_owned())),
    }
}
