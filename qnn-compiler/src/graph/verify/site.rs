//! A node as the inference table knows it, whatever dialect it is in.

use crate::graph::{Attr, Attrs, DType, Data, Graph, Layout, Node, TensorType, ValueId};
use crate::op::{Axes, Operands};

/// A node with a graph of its own, which has its operands in the model's order of axes, and types of its results in that order.
pub(super) struct Site {
    pub(super) graph: Graph,
    pub(super) node: Node,
    pub(super) results: Vec<Option<TensorType>>,
}

impl Site {
    /// The node of a graph in the model's order of axes.
    pub(super) fn model(of: &Graph, node: &Node) -> Self {
        let mut graph = Graph::new("site");
        let float = real_dtype(of, node);
        let inputs = node.inputs.iter().map(|input| {
            input.map(|id| {
                let value = of.value(id);
                match (&value.data, &value.encoding) {
                    (Some(_), Some(_)) => graph.add_value("", TensorType::new(float, &*value.ty.shape)),
                    (Some(data), None) => graph.add_constant("", value.ty.clone(), data.clone()),
                    (None, _) => graph.add_value("", value.ty.clone()),
                }
            })
        });
        let inputs = inputs.collect();
        let node = Node { inputs, ..node.clone() };
        let results = node.outputs.iter().map(|id| id.map(|id| of.value(id).ty.clone())).collect();
        Self { graph, node, results }
    }

    /// The node of a graph in physical layout, put back into the form that it has in a model; `None` where nothing is known of it.
    pub(super) fn physical(of: &Graph, node: &Node) -> Self {
        let mut site = Self::model(of, node);
        let rank = node.input(0).map_or(0, |id| of.shape(id).len());
        let all: Vec<i64> = (0..rank as i64).collect();
        let list = |name: &str| node.attrs.ints(name).unwrap_or_default().to_vec();
        match node.op.axes() {
            Axes::Spatial(operands) if node.layout == Layout::ChannelsLast => site.spatial(operands),
            Axes::Reduce => site.constants(&["axes"], &[(1, list("axes"))]),
            Axes::Slice => {
                let steps = list("steps");
                // One past element 0 is written as -1, which in a model is the last element.
                let ends = list("ends").into_iter().zip(&steps);
                let ends =
                    ends.map(|(end, step)| if *step < 0 && end < 0 { i64::MIN } else { end }).collect();
                site.constants(
                    &["starts", "ends", "steps"],
                    &[(1, list("starts")), (2, ends), (3, all), (4, steps)],
                );
            }
            Axes::Pad => {
                let value = site.node.input(1);
                site.node.inputs.truncate(1);
                site.constants(&["pads"], &[(1, list("pads"))]);
                site.node.inputs.push(value);
            }
            Axes::PerAxis => site.constants(&["repeats"], &[(1, list("repeats"))]),
            Axes::Expand | Axes::Reshape => {
                let shape = site.results.first().and_then(Option::as_ref);
                let shape = shape.map(|ty| ty.shape.iter().map(|&d| d as i64).collect()).unwrap_or_default();
                site.constants(&[], &[(1, shape)]);
                site.node.attrs.set("allowzero", Attr::Int(1));
            }
            Axes::MatMul => {
                for (at, flag) in ["transA", "transB"].into_iter().enumerate() {
                    if node.attrs.int_or(flag, 0) != 0 {
                        site.swap(at);
                    }
                }
            }
            _ => {}
        }
        site
    }

    /// Constant inputs for what are attributes in physical layout.
    fn constants(&mut self, attrs: &[&str], inputs: &[(usize, Vec<i64>)]) {
        self.node.attrs = Attrs(
            self.node
                .attrs
                .0
                .iter()
                .filter(|(name, _)| !attrs.contains(&name.as_str()))
                .map(|(n, a)| (n.clone(), a.clone()))
                .collect(),
        );
        for (at, values) in inputs {
            let ty = TensorType::new(DType::I64, [values.len()]);
            let id = self.graph.add_constant("", ty, Data::from_i64(values));
            self.node.inputs.resize(self.node.inputs.len().max(at + 1), None);
            self.node.inputs[*at] = Some(id);
        }
    }

    fn swap(&mut self, at: usize) {
        if let Some(id) = self.node.input(at) {
            let shape = &mut self.graph.value_mut(id).ty.shape;
            let rank = shape.len();
            if rank >= 2 {
                shape.swap(rank - 1, rank - 2);
            }
        }
    }

    /// Channels back to axis 1, weights back to the standard's order.
    fn spatial(&mut self, operands: Operands) {
        if let Some(id) = self.node.input(0) {
            self.reshape(id, channels_first);
        }
        if let Some(id) = self.node.input(1) {
            match operands {
                Operands::ConvWeight => self.reshape(id, |shape| weight(shape, true)),
                Operands::ConvTransposeWeight => self.reshape(id, |shape| weight(shape, false)),
                Operands::PerChannel => {}
            }
        }
        for ty in self.results.iter_mut().flatten() {
            ty.shape = channels_first(&ty.shape);
        }
    }

    /// Gives an operand another shape; its data are in no order that a rule asks for then.
    fn reshape(&mut self, id: ValueId, to: impl Fn(&[usize]) -> Vec<usize>) {
        let value = self.graph.value_mut(id);
        value.ty.shape = to(&value.ty.shape);
    }
}

/// (N, spatial…, C) to (N, C, spatial…).
fn channels_first(shape: &[usize]) -> Vec<usize> {
    match shape {
        [n, spatial @ .., c] if !spatial.is_empty() => [n, c].into_iter().chain(spatial).copied().collect(),
        _ => shape.to_vec(),
    }
}

/// (spatial…, in, out) to (out, in, spatial…), or (in, out, spatial…).
fn weight(shape: &[usize], out_first: bool) -> Vec<usize> {
    match shape {
        [spatial @ .., input, output] if !spatial.is_empty() => {
            let channels = if out_first { [output, input] } else { [input, output] };
            channels.into_iter().chain(spatial).copied().collect()
        }
        _ => shape.to_vec(),
    }
}

/// The float that encoded constants of a node stand for.
fn real_dtype(graph: &Graph, node: &Node) -> DType {
    let of = |id: &ValueId| {
        let value = graph.value(*id);
        let encoded = value.data.is_some() && value.encoding.is_some();
        Some(value.ty.dtype).filter(|dtype| !encoded && dtype.is_float())
    };
    let mut all = node.inputs.iter().chain(&node.outputs).flatten();
    all.find_map(of).unwrap_or(DType::F32)
}
