//! Sequences and optional values: what they hold is known at import, so they are lists here and never reach the graph.

use std::rc::Rc;

use super::attributes;
use super::normalize::OPSET;
use super::order::label;
use super::proto::NodeProto;
use super::scope::Slot;
use super::walk::Walker;
use crate::graph::{Attr, Attrs, DType, Data, Layout, Node, TensorType, ValueId};
use crate::infer::{Answer, Reason, axis, dim, invalid};
use crate::op::Op;

/// Operators on containers.
const OPERATORS: [&str; 11] = [
    "ConcatFromSequence",
    "Optional",
    "OptionalGetElement",
    "OptionalHasElement",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "SplitToSequence",
];

/// Whether an operator of the standard works on containers.
pub(super) fn handles(op: &str) -> bool {
    OPERATORS.contains(&op)
}

impl<'a> Walker<'a, '_> {
    /// Does at import what the node does with containers.
    pub(super) fn container(&mut self, node: &'a NodeProto, inputs: &[Slot]) {
        let arguments = self.frames.last().map(|frame| Rc::clone(&frame.arguments)).unwrap_or_default();
        let attrs = match attributes::read(&node.attribute, &arguments, &mut self.files) {
            Ok(attrs) => attrs,
            Err(fault) => return self.report(node, fault.code, fault.text),
        };
        let prefix = self.frames.last().map_or("", |frame| &*frame.prefix);
        let mut work = Work { name: format!("{prefix}{}", label(node)), attrs, inputs, walker: self };
        match work.run(&node.op_type) {
            Ok(slot) => self.bind_all(&node.output, [slot]),
            Err(reason) => self.refuse(node, &reason),
        }
    }
}

struct Work<'w, 'a, 'r> {
    name: String,
    attrs: Attrs,
    inputs: &'w [Slot],
    walker: &'w mut Walker<'a, 'r>,
}

impl Work<'_, '_, '_> {
    fn run(&mut self, op: &str) -> Answer<Slot> {
        match op {
            "SequenceEmpty" => Ok(self.list(Vec::new())),
            "SequenceConstruct" => {
                let values = (0..self.inputs.len()).map(|i| self.value(i)).collect::<Answer<_>>()?;
                Ok(self.list(values))
            }
            "SequenceInsert" => {
                let (mut values, new) = (self.sequence()?, self.value(1)?);
                let at = self.position(2, values.len(), values.len() + 1)?;
                values.insert(at, new);
                Ok(self.list(values))
            }
            "SequenceErase" => {
                let mut values = self.sequence()?;
                let at = self.position(1, values.len().saturating_sub(1), values.len())?;
                values.remove(at);
                Ok(self.list(values))
            }
            "SequenceAt" => {
                let values = self.sequence()?;
                let at = self.position(1, 0, values.len())?;
                Ok(Slot::Value(values[at]))
            }
            "SequenceLength" => {
                let length = self.sequence()?.len() as i64;
                Ok(self.constant(DType::I64, Data::from_i64(&[length])))
            }
            "ConcatFromSequence" => self.concat(),
            "SplitToSequence" => self.split(),
            "OptionalHasElement" => {
                let has = !matches!(self.inputs.first(), None | Some(Slot::Absent));
                Ok(self.constant(DType::Bool, Data::from_ints(&[has.into()], DType::Bool)))
            }
            // An optional value that there is stands for itself.
            _ => match self.inputs.first() {
                Some(slot) => Ok(*slot),
                None => Err(Reason::Unsupported("it makes an optional value that is not there".to_owned())),
            },
        }
    }

    fn list(&mut self, values: Vec<ValueId>) -> Slot {
        self.walker.sequences.push(values);
        Slot::Sequence(self.walker.sequences.len() - 1)
    }

    fn constant(&mut self, dtype: DType, data: Data) -> Slot {
        Slot::Value(self.walker.builder.constant(&self.name, TensorType::new(dtype, []), data))
    }

    fn sequence(&self) -> Answer<Vec<ValueId>> {
        match self.inputs.first() {
            Some(Slot::Sequence(at)) => Ok(self.walker.sequences[*at].clone()),
            _ => invalid("its first input is not a sequence"),
        }
    }

    fn value(&self, i: usize) -> Answer<ValueId> {
        match self.inputs.get(i) {
            Some(Slot::Value(id)) => Ok(*id),
            _ => invalid(format!("input {i} is not a tensor")),
        }
    }

    /// A position in the `i`-th input, below `end`.
    fn position(&self, i: usize, default: usize, end: usize) -> Answer<usize> {
        if self.inputs.get(i).is_none_or(|slot| *slot == Slot::Absent) {
            return if default < end { Ok(default) } else { invalid("the sequence is empty") };
        }
        match self.walker.builder.graph.const_i64(self.value(i)?).as_deref() {
            Some([at]) => {
                axis(*at, end).or_else(|_| invalid(format!("position {at} in a sequence of {end}")))
            }
            Some(_) => invalid("the position must be one number"),
            None => Err(Reason::DataDependent("the position in the sequence is not constant".to_owned())),
        }
    }

    fn node(&self, role: &str, op: Op, inputs: Vec<ValueId>, attrs: &[(&str, i64)]) -> Node {
        let mut node = Node {
            name: if role.is_empty() { self.name.clone() } else { format!("{}.{role}", self.name) },
            op,
            opset: OPSET,
            inputs: inputs.into_iter().map(Some).collect(),
            outputs: Vec::new(),
            attrs: Attrs::default(),
            layout: Layout::Onnx,
            part_of: None,
        };
        attrs.iter().for_each(|(name, value)| node.attrs.set(name, Attr::Int(*value)));
        node
    }

    fn concat(&mut self) -> Answer<Slot> {
        let mut values = self.sequence()?;
        let Some(first) = values.first() else { return invalid("the sequence is empty") };
        let new_axis = self.attrs.int_or("new_axis", 0) != 0;
        let rank = self.walker.builder.graph.shape(*first).len() + usize::from(new_axis);
        let Some(at) = self.attrs.int("axis") else { return invalid("attribute axis is missing") };
        let at = axis(at, rank)? as i64;
        if new_axis {
            let axes = self.walker.builder.ints(&format!("{}.axes", self.name), &[at]);
            for (i, value) in values.iter_mut().enumerate() {
                let node = self.node(&i.to_string(), Op::Unsqueeze, vec![*value, axes], &[]);
                *value = self.walker.builder.emit_one(node)?;
            }
        }
        if let [only] = values[..] {
            return Ok(Slot::Value(only));
        }
        let node = self.node("", Op::Concat, values, &[("axis", at)]);
        Ok(Slot::Value(self.walker.builder.emit_one(node)?))
    }

    /// Without sizes each part has extent 1, and loses the axis unless `keepdims`; one size is that of all parts but the last.
    fn split(&mut self) -> Answer<Slot> {
        let x = self.value(0)?;
        let shape = self.walker.builder.graph.shape(x).to_vec();
        let at = axis(self.attrs.int_or("axis", 0), shape.len())?;
        let extent = shape[at];
        let given = self.inputs.get(1).is_some_and(|slot| *slot != Slot::Absent);
        let sizes: Vec<usize> = if given {
            let id = self.value(1)?;
            let Some(sizes) = self.walker.builder.graph.const_i64(id) else {
                return Err(Reason::DataDependent("the sizes of its parts are not constant".to_owned()));
            };
            let sizes = sizes.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
            match (&sizes[..], self.walker.builder.graph.shape(id)) {
                ([0], []) => return invalid("parts of size 0"),
                ([each], []) => (0..extent).step_by(*each).map(|i| (*each).min(extent - i)).collect(),
                _ => sizes,
            }
        } else {
            vec![1; extent]
        };
        if sizes.len() > 1 << 16 {
            return invalid(format!("a split into {} parts", sizes.len()));
        }
        let drop_axis = !given && self.attrs.int_or("keepdims", 1) == 0;
        let mut parts = if let [_] = sizes[..] {
            vec![x]
        } else {
            let list: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
            let sizes = self.walker.builder.ints(&format!("{}.split", self.name), &list);
            let node = self.node("", Op::Split, vec![x, sizes], &[("axis", at as i64)]);
            let names: Vec<String> = (0..list.len()).map(|i| format!("{}.{i}", self.name)).collect();
            self.walker.builder.emit(node, &names)?.into_iter().flatten().collect()
        };
        if drop_axis {
            let axes = self.walker.builder.ints(&format!("{}.axes", self.name), &[at as i64]);
            for (i, part) in parts.iter_mut().enumerate() {
                let node = self.node(&format!("{i}.squeeze"), Op::Squeeze, vec![*part, axes], &[]);
                *part = self.walker.builder.emit_one(node)?;
            }
        }
        Ok(self.list(parts))
    }
}
