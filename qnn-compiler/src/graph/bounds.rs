//! Between which numbers a value lies whatever the inputs are, as far as its makers show.

use std::collections::HashMap;

use super::{Graph, Node, NodeId, ValueId};
use crate::op::{Op, Results};

/// The least and the largest number that a value can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Bounds {
    /// Nothing is known.
    const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    fn new(low: f64, high: f64) -> Self {
        if low.is_nan() || high.is_nan() { Self::ANY } else { Self { low, high } }
    }

    /// The least and the largest of a function that never falls.
    fn rising(self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(f(self.low), f(self.high))
    }

    fn of(ends: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for end in ends {
            if end.is_nan() {
                return Self::ANY;
            }
            (low, high) = (low.min(end), high.max(end));
        }
        Self { low, high }
    }
}

/// Makers are looked through this deep.
const DEPTH: usize = 8;

/// Constants up to so many elements are looked at.
const ELEMENTS: usize = 1 << 16;

impl Graph {
    /// Between which numbers a value lies; `producers` is of this graph.
    pub fn bounds(&self, producers: &HashMap<ValueId, NodeId>, value: ValueId) -> Bounds {
        self.bounds_within(producers, value, DEPTH)
    }

    fn bounds_within(&self, producers: &HashMap<ValueId, NodeId>, id: ValueId, depth: usize) -> Bounds {
        let value = self.value(id);
        if let Some((low, high)) = value.encoding.as_ref().and_then(|e| e.range()) {
            return Bounds::new(low, high);
        }
        if value.data.is_some() {
            let small = value.ty.elements() <= ELEMENTS;
            return small.then(|| value.reals()).flatten().map_or(Bounds::ANY, Bounds::of);
        }
        match producers.get(&id).and_then(|at| self.nodes.get(at.0)) {
            Some(node) if depth > 0 && node.op.is_standard() => {
                let of = |input: ValueId| self.bounds_within(producers, input, depth - 1);
                self.bounds_of(node, &of).unwrap_or(Bounds::ANY)
            }
            _ => Bounds::ANY,
        }
    }

    fn bounds_of(&self, node: &Node, of: &dyn Fn(ValueId) -> Bounds) -> Option<Bounds> {
        let op = node.op;
        let results = op.results();
        if let Results::Between(low, high) = results {
            return Some(Bounds { low, high });
        }
        let x = of(node.input(0)?);
        if results == Results::Among {
            return Some(x);
        }
        let scalar = |i: usize, default: f64| match node.input(i) {
            None => Some(default),
            Some(id) => self.const_scalar(id).map(f64::from),
        };
        let second = || node.input(1).filter(|_| node.inputs.len() == 2).map(of);
        Some(match op {
            Op::Abs => Bounds::new(
                if x.low > 0.0 { x.low } else { (-x.high).max(0.0) },
                x.high.abs().max(x.low.abs()),
            ),
            Op::Clip => {
                let low = scalar(1, f64::NEG_INFINITY)?;
                let high = scalar(2, f64::INFINITY)?;
                x.rising(|v| v.max(low).min(high))
            }
            Op::Neg => Bounds::new(-x.high, -x.low),
            Op::Relu => x.rising(|v| v.max(0.0)),
            Op::Add => second().map(|y| Bounds::new(x.low + y.low, x.high + y.high))?,
            Op::Sub => second().map(|y| Bounds::new(x.low - y.high, x.high - y.low))?,
            Op::Max => second().map(|y| Bounds::new(x.low.max(y.low), x.high.max(y.high)))?,
            Op::Min => second().map(|y| Bounds::new(x.low.min(y.low), x.high.min(y.high)))?,
            // A square is not negative, and whatever is finite times zero is zero.
            Op::Mul if node.input(0) == node.input(1) => Bounds { low: 0.0, high: f64::INFINITY },
            Op::Mul => {
                let y = second()?;
                let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
                Bounds::of([
                    product(x.low, y.low),
                    product(x.low, y.high),
                    product(x.high, y.low),
                    product(x.high, y.high),
                ])
            }
            Op::Div => {
                let by = self.const_scalar(node.input(1)?).map(f64::from).filter(|by| *by != 0.0)?;
                Bounds::of([x.low / by, x.high / by])
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Attrs, DType, Data, TensorType};

    /// Bounds of the last of some nodes, each over the one before it, the first over an input.
    fn bounds(chain: &[(Op, Option<f32>)]) -> (f64, f64) {
        let mut graph = Graph::new("g");
        let ty = TensorType::new(DType::F32, [4]);
        let mut last = graph.add_value("x", ty.clone());
        for (op, number) in chain {
            let y = graph.add_value("y", ty.clone());
            let mut node = Node::added(*op, "n", last, y, Attrs::default());
            if let Some(number) = number {
                let c = graph.add_constant("c", TensorType::new(DType::F32, []), Data::from_f32(&[*number]));
                node.inputs.push(Some(c));
            }
            graph.nodes.push(node);
            last = y;
        }
        let Bounds { low, high } = graph.bounds(&graph.producers(), last);
        (low, high)
    }

    #[test]
    fn what_is_known_of_a_chain() {
        const INF: f64 = f64::INFINITY;
        assert_eq!(bounds(&[]), (-INF, INF));
        assert_eq!(bounds(&[(Op::Sigmoid, None), (Op::Mul, Some(-4.0)), (Op::Add, Some(1.0))]), (-3.0, 1.0));
        assert_eq!(bounds(&[(Op::Relu, None), (Op::Neg, None)]), (-INF, 0.0));
        assert_eq!(bounds(&[(Op::Max, Some(-5.0)), (Op::Div, Some(-2.0))]), (-INF, 2.5));
        assert_eq!(bounds(&[(Op::Relu, None), (Op::Mul, Some(0.0))]), (0.0, 0.0));
        assert_eq!(bounds(&[(Op::Conv, None), (Op::Tanh, None), (Op::Abs, None)]), (0.0, 1.0));
    }
}
