//! Gelu, exact and by tanh, and Mish, as exporters write them.

use super::view::{View, near, with_scalar};
use crate::graph::{Attrs, Graph, Node, ValueId};
use crate::op::Op;

/// Nested products are looked through this deep.
const DEPTH: usize = 4;

/// What a product multiplies: computed values, and all constant scalars as one number.
struct Product {
    factors: Vec<ValueId>,
    scale: f32,
}

/// The factors of a Mul, or of a Div by a constant scalar. Products in between count where nobody else reads them.
fn product(graph: &Graph, view: &View, node: &Node) -> Option<Product> {
    let mut all = Product { factors: Vec::new(), scale: 1.0 };
    collect(graph, view, node, DEPTH, &mut all)?;
    Some(all)
}

fn collect(graph: &Graph, view: &View, node: &Node, depth: usize, all: &mut Product) -> Option<()> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    let operands = match (node.op, with_scalar(graph, node)) {
        (Op::Mul, Some((x, s))) => {
            all.scale *= s;
            vec![x]
        }
        (Op::Div, Some((x, s))) if x == a => {
            all.scale /= s;
            vec![x]
        }
        (Op::Mul, None) => vec![a, b],
        _ => return None,
    };
    for x in operands {
        let inner = view.maker(graph, x, &[Op::Mul, Op::Div]).filter(|_| depth > 0 && view.read_once(x));
        if inner.and_then(|inner| collect(graph, view, inner, depth - 1, all)).is_none() {
            all.factors.push(x);
        }
    }
    Some(())
}

/// The other operand of an Add of a constant scalar.
fn plus(graph: &Graph, view: &View, value: ValueId, scalar: f32) -> Option<ValueId> {
    let (x, s) = with_scalar(graph, view.maker(graph, value, &[Op::Add])?)?;
    near(s, scalar).then_some(x)
}

/// Whether `value` is `x` times a number.
fn scaled(graph: &Graph, view: &View, value: ValueId, x: ValueId, number: f32) -> bool {
    view.maker(graph, value, &[Op::Mul, Op::Div])
        .and_then(|node| product(graph, view, node))
        .is_some_and(|p| p.factors == [x] && near(p.scale, number))
}

/// Gelu from its last Mul or Div: half of x times one plus the error function, or the tanh that stands for it.
pub(super) fn gelu(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some(x) = gelu_input(graph, view, &graph.nodes[i]) else { return false };
    replace(&mut graph.nodes[i], Op::Gelu, x);
    true
}

fn gelu_input(graph: &Graph, view: &View, node: &Node) -> Option<ValueId> {
    let p = product(graph, view, node).filter(|p| near(p.scale, 0.5))?;
    let &[a, b] = &p.factors[..] else { return None };
    [(a, b), (b, a)].into_iter().find_map(|(x, sum)| {
        let curve = plus(graph, view, sum, 1.0)?;
        let fits = match view.maker(graph, curve, &[Op::Erf, Op::Tanh])? {
            erf if erf.op == Op::Erf => {
                scaled(graph, view, erf.input(0)?, x, std::f32::consts::FRAC_1_SQRT_2)
            }
            tanh => is_angle(graph, view, tanh.input(0)?, x)?,
        };
        fits.then_some(x)
    })
}

/// Whether `value` is √(2/π) · (x + 0.044715 · x³), also with x taken out of the sum.
fn is_angle(graph: &Graph, view: &View, value: ValueId, x: ValueId) -> Option<bool> {
    const SLOPE: f32 = 0.797_884_6;
    const CUBE: f32 = 0.044_715;
    let p = product(graph, view, view.maker(graph, value, &[Op::Mul, Op::Div])?)?;
    if !near(p.scale, SLOPE) {
        return None;
    }
    Some(match p.factors[..] {
        [sum] => {
            let add = view.maker(graph, sum, &[Op::Add])?;
            let (a, b) = (add.input(0)?, add.input(1)?);
            let cube = if a == x { b } else { a };
            (a == x || b == x) && power(graph, view, cube, x, 3, CUBE)
        }
        [a, b] if a == x || b == x => {
            let sum = if a == x { b } else { a };
            power(graph, view, plus(graph, view, sum, 1.0)?, x, 2, CUBE)
        }
        _ => false,
    })
}

/// Whether `value` is a number times `x` to a power, as Pow or as a product.
fn power(graph: &Graph, view: &View, value: ValueId, x: ValueId, exponent: usize, number: f32) -> bool {
    let Some(p) = view.maker(graph, value, &[Op::Mul, Op::Div]).and_then(|n| product(graph, view, n)) else {
        return false;
    };
    let mut degree = 0;
    for &factor in &p.factors {
        degree += if factor == x { 1 } else { pow_of(graph, view, factor, x).unwrap_or(exponent + 1) };
    }
    degree == exponent && near(p.scale, number)
}

/// The exponent of a Pow of `x`, or of a product of `x` with itself that others read too.
fn pow_of(graph: &Graph, view: &View, value: ValueId, x: ValueId) -> Option<usize> {
    let node = view.maker(graph, value, &[Op::Pow, Op::Mul])?;
    if node.op == Op::Mul {
        return (node.input(0)? == x && node.input(1)? == x).then_some(2);
    }
    let exponent = graph.const_scalar(node.input(1)?)?;
    (node.input(0)? == x && exponent.fract() == 0.0 && (1.0..=3.0).contains(&exponent))
        .then_some(exponent as usize)
}

/// Mish from its Mul: x times tanh of softplus.
pub(super) fn mish(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let found = (node.op == Op::Mul).then(|| {
        let (a, b) = (node.input(0)?, node.input(1)?);
        [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
            let softplus = view.maker(graph, gate, &[Op::Tanh])?.input(0)?;
            (view.maker(graph, softplus, &[Op::Softplus])?.input(0)? == x).then_some(x)
        })
    });
    let Some(x) = found.flatten() else { return false };
    replace(&mut graph.nodes[i], Op::Mish, x);
    true
}

fn replace(node: &mut Node, op: Op, x: ValueId) {
    node.op = op;
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{DType, Data, Layout, TensorType};

    /// A graph of x with nodes `(op, operands)`, where an operand is a constant, x, or an earlier node.
    enum Operand {
        X,
        Node(usize),
        Number(f32),
    }
    use Operand::{Node as N, Number as C, X};

    fn graph(nodes: &[(Op, &[Operand])]) -> Graph {
        let mut graph = Graph::new("g");
        let ty = TensorType::new(DType::F32, [4]);
        let x = graph.add_value("x", ty.clone());
        graph.inputs.push(x);
        let mut made = Vec::new();
        for (i, (op, operands)) in nodes.iter().enumerate() {
            let inputs = operands
                .iter()
                .map(|operand| {
                    Some(match operand {
                        X => x,
                        N(n) => made[*n],
                        C(v) => {
                            graph.add_constant("c", TensorType::new(DType::F32, []), Data::from_f32(&[*v]))
                        }
                    })
                })
                .collect();
            let y = graph.add_value(format!("v{i}"), ty.clone());
            made.push(y);
            graph.nodes.push(Node {
                name: format!("n{i}"),
                op: *op,
                opset: 20,
                inputs,
                outputs: vec![Some(y)],
                attrs: Attrs::default(),
                layout: Layout::Onnx,
            });
        }
        graph.outputs.extend(made.last());
        graph
    }

    fn fused(nodes: &[(Op, &[Operand])]) -> Vec<Op> {
        let mut graph = graph(nodes);
        super::super::run(&mut graph);
        graph.nodes.into_iter().map(|n| n.op).collect()
    }

    #[test]
    fn gelu_with_the_half_at_the_end() {
        let half_last: &[(Op, &[Operand])] = &[
            (Op::Div, &[X, C(std::f32::consts::SQRT_2)]),
            (Op::Erf, &[N(0)]),
            (Op::Add, &[N(1), C(1.0)]),
            (Op::Mul, &[X, N(2)]),
            (Op::Mul, &[N(3), C(0.5)]),
        ];
        assert_eq!(fused(half_last), [Op::Gelu]);
    }

    #[test]
    fn gelu_with_the_half_on_either_factor() {
        let on_x: &[(Op, &[Operand])] = &[
            (Op::Mul, &[X, C(std::f32::consts::FRAC_1_SQRT_2)]),
            (Op::Erf, &[N(0)]),
            (Op::Add, &[C(1.0), N(1)]),
            (Op::Mul, &[X, C(0.5)]),
            (Op::Mul, &[N(3), N(2)]),
        ];
        let on_sum: &[(Op, &[Operand])] = &[
            (Op::Div, &[X, C(std::f32::consts::SQRT_2)]),
            (Op::Erf, &[N(0)]),
            (Op::Add, &[N(1), C(1.0)]),
            (Op::Mul, &[N(2), C(0.5)]),
            (Op::Mul, &[X, N(3)]),
        ];
        assert_eq!(fused(on_x), [Op::Gelu]);
        assert_eq!(fused(on_sum), [Op::Gelu]);
    }

    #[test]
    fn gelu_by_tanh_with_a_power_or_a_product() {
        let power: &[(Op, &[Operand])] = &[
            (Op::Pow, &[X, C(3.0)]),
            (Op::Mul, &[N(0), C(0.044_715)]),
            (Op::Add, &[X, N(1)]),
            (Op::Mul, &[N(2), C(0.797_884_6)]),
            (Op::Tanh, &[N(3)]),
            (Op::Add, &[N(4), C(1.0)]),
            (Op::Mul, &[X, C(0.5)]),
            (Op::Mul, &[N(6), N(5)]),
        ];
        let product: &[(Op, &[Operand])] = &[
            (Op::Mul, &[X, X]),
            (Op::Mul, &[N(0), C(0.044_715)]),
            (Op::Add, &[N(1), C(1.0)]),
            (Op::Mul, &[X, C(0.797_884_6)]),
            (Op::Mul, &[N(3), N(2)]),
            (Op::Tanh, &[N(4)]),
            (Op::Add, &[N(5), C(1.0)]),
            (Op::Mul, &[X, C(0.5)]),
            (Op::Mul, &[N(7), N(6)]),
        ];
        assert_eq!(fused(power), [Op::Gelu]);
        assert_eq!(fused(product), [Op::Gelu]);
    }

    #[test]
    fn other_constants_are_not_gelu() {
        let no_gelu: &[(Op, &[Operand])] = &[
            (Op::Div, &[X, C(2.0)]),
            (Op::Erf, &[N(0)]),
            (Op::Add, &[N(1), C(1.0)]),
            (Op::Mul, &[X, N(2)]),
            (Op::Mul, &[N(3), C(0.5)]),
        ];
        assert_eq!(fused(no_gelu), [Op::Div, Op::Erf, Op::Add, Op::Mul, Op::Mul]);
    }

    #[test]
    fn mish_is_one_node() {
        let mish: &[(Op, &[Operand])] = &[(Op::Softplus, &[X]), (Op::Tanh, &[N(0)]), (Op::Mul, &[X, N(1)])];
        assert_eq!(fused(mish), [Op::Mish]);
    }
}
