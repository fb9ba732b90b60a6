//! FlexAttention: attention whose scores and probabilities go through graphs that the node brings.

use std::rc::Rc;

use super::attributes;
use super::element;
use super::order::label;
use super::proto::NodeProto;
use super::scope::Slot;
use super::walk::Walker;
use crate::graph::{DType, Data, TensorType, ValueId};
use crate::infer::{Answer, dims, invalid};
use crate::op::Op;

/// The domain of operators that the standard tries out.
pub(super) const PREVIEW: &str = "ai.onnx.preview";

impl<'a> Walker<'a, '_> {
    /// Writes the node as MatMul, Softmax, MatMul, with its graphs between them.
    pub(super) fn flex(&mut self, node: &'a NodeProto, inputs: &[Slot]) {
        match self.flex_attention(node, inputs) {
            Ok(Some(result)) => self.bind_all(&node.output, [Slot::Value(result)]),
            Ok(None) => self.poison(node),
            Err(reason) => self.refuse(node, &reason),
        }
    }

    fn flex_attention(&mut self, node: &'a NodeProto, inputs: &[Slot]) -> Answer<Option<ValueId>> {
        let [Slot::Value(q), Slot::Value(k), Slot::Value(v)] = *inputs else {
            return invalid("it has not a query, a key and a value");
        };
        let arguments = self.frames.last().map(|frame| Rc::clone(&frame.arguments)).unwrap_or_default();
        let Ok(attrs) = attributes::read(&node.attribute, &arguments, &mut self.files) else {
            return invalid("its attributes cannot be read");
        };
        let shape = |id| self.builder.graph.shape(id).to_vec();
        let (query, key, value) = (shape(q), shape(k), shape(v));
        let (&[batch, heads, length, width], &[_, shared, keys, depth], &[_, shared_too, rows, wide]) =
            (&query[..], &key[..], &value[..])
        else {
            return invalid(format!("query {}, key {}", dims(&query), dims(&key)));
        };
        if shared == 0 || heads % shared != 0 || shared != shared_too || keys != rows || width != depth {
            return invalid(format!("query {}, key {}, value {}", dims(&query), dims(&key), dims(&value)));
        }
        let name = format!("{}{}", self.prefix(), label(node));
        let (dtype, result) = (self.builder.graph.dtype(q), self.builder.graph.dtype(v));
        let between = match attrs.int("softmax_precision") {
            Some(number) => match element::dtype(number) {
                Ok(dtype) => dtype,
                Err(_) => return invalid(format!("attribute softmax_precision is {number}")),
            },
            None if dtype.size() < 4 => DType::F32,
            None => dtype,
        };
        let scale = match attrs.float_or("scale", 0.0) {
            0.0 => 1.0 / (width as f64).sqrt(),
            scale => scale.into(),
        };
        let factor = Data::from_floats(&[scale], dtype);
        let factor = self.builder.constant(&format!("{name}.scale"), TensorType::new(dtype, []), factor);
        let scaled = self.emit(&format!("{name}.scaled"), Op::Mul, &[q, factor], &[])?;
        // Heads that share a key are rows of one product.
        let group = heads / shared * length;
        let scaled = self.shaped(&name, scaled, &[batch, shared, group, width])?;
        let order = self.turned(&name, k)?;
        let scores = self.emit(&format!("{name}.scores"), Op::MatMul, &[scaled, order], &[])?;
        let scores = self.shaped(&name, scores, &[batch, heads, length, keys])?;
        let scores = self.converted(&name, scores, between)?;
        let Some(scores) = self.through(node, "score_mod", scores)? else { return Ok(None) };
        let shares = self.emit(&format!("{name}.softmax"), Op::Softmax, &[scores], &[("axis", 3)])?;
        let Some(shares) = self.through(node, "prob_mod", shares)? else { return Ok(None) };
        let shares = self.converted(&name, shares, result)?;
        let shares = self.shaped(&name, shares, &[batch, shared, group, keys])?;
        let mixed = self.emit(&format!("{name}.mixed"), Op::MatMul, &[shares, v], &[])?;
        self.shaped(&name, mixed, &[batch, heads, length, wide]).map(Some)
    }

    /// What a graph of the node makes of a value; the value itself where there is no such graph, nothing after a problem.
    fn through(&mut self, node: &'a NodeProto, attribute: &str, x: ValueId) -> Answer<Option<ValueId>> {
        let Some(graph) = node.attribute.iter().find(|a| a.name == attribute).and_then(|a| a.g.as_ref())
        else {
            return Ok(Some(x));
        };
        let names: Vec<&str> = graph.input.iter().map(|input| &*input.name).collect();
        let Some(body) = self.inner(node, attribute, &names) else { return Ok(None) };
        let prefix = format!("{}{}/{attribute}/", self.prefix(), label(node));
        let Some(results) = self.run(node, &body, prefix, &[Slot::Value(x)]) else { return Ok(None) };
        match results[..] {
            [Slot::Value(y)] if self.same_type(x, y) => Ok(Some(y)),
            _ => invalid(format!("{attribute} does not give one tensor of the type it takes")),
        }
    }

    fn shaped(&mut self, name: &str, x: ValueId, shape: &[usize]) -> Answer<ValueId> {
        if self.builder.graph.shape(x) == shape {
            return Ok(x);
        }
        let list: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
        let list = self.builder.ints(&format!("{name}.shape"), &list);
        self.emit(&format!("{name}.reshape"), Op::Reshape, &[x, list], &[])
    }

    fn converted(&mut self, name: &str, x: ValueId, dtype: DType) -> Answer<ValueId> {
        if self.builder.graph.dtype(x) == dtype {
            return Ok(x);
        }
        let to = i64::from(element::number(dtype));
        self.emit(&format!("{name}.cast"), Op::Cast, &[x], &[("to", to)])
    }
}
