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
