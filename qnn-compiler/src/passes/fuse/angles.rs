//! Angles that are products of positions and frequencies: timestep embeddings, rotary embeddings from position ids, sines of
//! coordinates.
//!
//! An angle of 981 has no digits behind the point in fp16. Where the position is an integer, or what the app passes, its product with
//! constant frequencies is counted in parts of a turn by integers, which HTP has exactly, and whole turns are taken off before
//! anything becomes a float. Only sines and cosines may read the product: to these it is the same.

use super::view::{View, with_scalar};
use crate::graph::{Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Digits of positions are below this, whose square is more than any position in use.
const BASE: i64 = 512;
/// Sums of digits times half of a turn's parts stay below this, where HTP's integers saturate.
const MOST: i64 = 1 << 31;
/// What a count is divided by to fit fp16: its eleven bits are as much as fp16 has of an angle.
const FITTING: i64 = 64;

/// Ops that give the numbers of their operand, or of several, in another order.
const MOVING: &[Op] = &[
    Op::Concat,
    Op::Expand,
    Op::Flatten,
    Op::Gather,
    Op::Identity,
    Op::Reshape,
    Op::Slice,
    Op::Split,
    Op::Squeeze,
    Op::Tile,
    Op::Transpose,
    Op::Unsqueeze,
];

/// A position times constant frequencies.
struct Product {
    /// What gives the position.
    position: ValueId,
    /// Shape of the frequencies.
    shape: Vec<usize>,
    /// Turns that a position of one adds.
    turns: Vec<f64>,
}

/// Rewrites the product that only sines and cosines read.
pub(super) fn reduced(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    if !matches!(node.op, Op::Mul | Op::Div | Op::MatMul) {
        return false;
    }
    let Some(y) = node.output(0) else { return false };
    let Some(product) = product(graph, view, y, 3) else { return false };
    let many = product.turns.iter().any(|t| *t != product.turns[0]);
    let far = product.turns.iter().any(|t| t.abs() > 1.0);
    let known = graph.dtype(product.position) != DType::F32;
    if !(known || many || far) || !only_angles(graph, y) {
        return false;
    }
    write(graph, i, y, &product);
    true
}

/// `i,j->ij` with a constant second operand, that only sines and cosines read: the first one times it, with an axis more.
pub(super) fn outer(graph: &mut Graph, _: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        let equation: String = node.attrs.str_or("equation", "").split_whitespace().collect();
        let (operands, result) = equation.split_once("->")?;
        let (first, second) = operands.split_once(',')?;
        let apart = second.len() == 1 && !first.contains(second) && format!("{first}{second}") == result;
        let (x, y) = (node.input(0)?, node.output(0)?);
        let fits = apart && graph.is_constant(node.input(1)?) && !first.contains('.');
        (fits && only_angles(graph, y)).then_some(x)
    };
    let Some(x) = find().filter(|_| node.op == Op::Einsum) else { return false };
    let name = node.name.clone();
    let dims: Vec<usize> = graph.shape(x).iter().copied().chain([1]).collect();
    let list: Vec<i64> = dims.iter().map(|&d| d as i64).collect();
    let column = graph.add_value(format!("{name}.column"), TensorType::new(graph.dtype(x), dims));
    let shape = graph.add_constant(
        format!("{name}.shape"),
        TensorType::new(DType::I64, [list.len()]),
        Data::from_i64(&list),
    );
    let mut reshape = Node::added(Op::Reshape, &name, x, column, Attrs::default());
    reshape.inputs.push(Some(shape));
    graph.nodes[i].op = Op::Mul;
    graph.nodes[i].attrs = Attrs::default();
    graph.nodes[i].inputs[0] = Some(column);
    graph.nodes.insert(i, reshape);
    true
}

fn product(graph: &Graph, view: &View, value: ValueId, depth: usize) -> Option<Product> {
    let node = view.maker(graph, value, &[Op::Mul, Op::Div, Op::MatMul])?;
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (x, constant) = if graph.is_constant(b) { (a, b) } else { (b, a) };
    if !graph.is_constant(constant) || (node.op == Op::Div && constant == a) {
        return None;
    }
    // A matrix product over one element is a product of all with all.
    let outer = |shape: &[usize], at: usize| shape.len() > 1 && shape[shape.len() - 1 - at] == 1;
    if node.op == Op::MatMul && !(outer(graph.shape(a), 0) && outer(graph.shape(b), 1)) {
        return None;
    }
    let each = |v: f64| if node.op == Op::Div { 1.0 / v } else { v };
    let factors: Vec<f64> = graph.const_f32(constant)?.into_iter().map(|v| each(v.into())).collect();
    if factors.is_empty() || factors.iter().any(|f| !f.is_finite()) {
        return None;
    }
    if let Some(inner) = product_below(graph, view, x, depth) {
        // One of the two is a number.
        let (shape, turns) = match (&factors[..], &inner.turns[..]) {
            (&[by], turns) => (inner.shape, turns.iter().map(|t| t * by).collect()),
            (factors, &[by]) => (graph.shape(constant).to_vec(), factors.iter().map(|f| f * by).collect()),
            _ => return None,
        };
        return Some(Product { shape, turns, ..inner });
    }
    let position = position(graph, view, x)?;
    let turns = factors.iter().map(|f| f / std::f64::consts::TAU).collect();
    Some(Product { position, shape: graph.shape(constant).to_vec(), turns })
}

fn product_below(graph: &Graph, view: &View, value: ValueId, depth: usize) -> Option<Product> {
    if depth == 0 { None } else { product(graph, view, value, depth - 1) }
}

/// What `value` is as an integer, or else the number that the app passes, which fp16 rounds once and no op has rounded again.
fn position(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    if let Some(cast) = view.maker(graph, value, &[Op::Cast]) {
        let x = cast.input(0)?;
        return matches!(graph.dtype(x), DType::I32 | DType::I64).then_some(x);
    }
    let mut source = value;
    while let Some(moving) = view.maker(graph, source, MOVING).filter(|node| node.op != Op::Concat) {
        source = moving.input(0)?;
        if let Some(cast) = view.maker(graph, source, &[Op::Cast]) {
            // The integers are moved as floats: HTP casts them back exactly.
            return matches!(graph.dtype(cast.input(0)?), DType::I32 | DType::I64).then_some(value);
        }
    }
    let passed = graph.inputs.contains(&source) && graph.value(source).encoding.is_none();
    (passed && graph.dtype(value) == DType::F32).then_some(value)
}

/// Whether nothing but sines and cosines reads a value, however it is moved and whatever is added to it.
fn only_angles(graph: &Graph, value: ValueId) -> bool {
    let consumers = graph.consumers();
    let mut open = vec![value];
    let mut seen = Vec::new();
    while let Some(value) = open.pop() {
        if graph.outputs.contains(&value) || graph.value(value).encoding.is_some() || seen.len() > 64 {
            return false;
        }
        if seen.contains(&value) {
            continue;
        }
        seen.push(value);
        for reader in consumers.get(&value).into_iter().flatten() {
            let node = &graph.nodes[reader.0];
            let shift = || with_scalar(graph, node).is_some_and(|(x, by)| x == value && by.abs() < 8.0);
            match node.op {
                _ if !node.op.is_standard() => return false,
                Op::Sin | Op::Cos => {}
                Op::Add | Op::Sub if shift() => open.extend(node.output(0)),
                op if MOVING.contains(&op) => open.extend(node.outputs.iter().flatten()),
                _ => return false,
            }
        }
    }
    seen.len() > 1 || consumers.contains_key(&value)
}

/// Writes nodes in front of one.
struct Steps<'g> {
    graph: &'g mut Graph,
    nodes: Vec<Node>,
    name: String,
}

impl Steps<'_> {
    fn op(&mut self, op: Op, inputs: &[ValueId], dtype: DType, shape: &[usize]) -> ValueId {
        let name = format!("{}.{}{}", self.name, op.name().to_lowercase(), self.nodes.len());
        let y = self.graph.add_value(name.clone(), TensorType::new(dtype, shape));
        let mut node = Node::added(op, &name, y, y, Attrs::default());
        node.inputs = inputs.iter().map(|&i| Some(i)).collect();
        self.nodes.push(node);
        y
    }

    /// An op with a number on the right.
    fn with(&mut self, op: Op, x: ValueId, number: i64) -> ValueId {
        let ty = self.graph.value(x).ty.clone();
        let data =
            if ty.dtype == DType::I64 { Data::from_i64(&[number]) } else { Data::from_f32(&[number as f32]) };
        let name = format!("{}.number{}", self.name, self.nodes.len());
        let number = self.graph.add_constant(name, TensorType::new(ty.dtype, []), data);
        self.op(op, &[x, number], ty.dtype, &ty.shape)
    }

    fn cast(&mut self, x: ValueId, dtype: DType) -> ValueId {
        let shape = self.graph.shape(x).to_vec();
        let y = self.op(Op::Cast, &[x], dtype, &shape);
        if let Some(node) = self.nodes.last_mut() {
            *node = Node { name: node.name.clone(), ..self.graph.added_cast("", x, y) };
        }
        y
    }

    /// `x` without its multiples of `by`, and how many there are.
    fn divided(&mut self, x: ValueId, by: i64) -> (ValueId, ValueId) {
        let shape = self.graph.shape(x).to_vec();
        let count = self.with(Op::Div, x, by);
        let taken = self.with(Op::Mul, count, by);
        (self.op(Op::Sub, &[x, taken], DType::I64, &shape), count)
    }

    /// The digits of a position, and what a one in each is worth.
    fn digits(&mut self, position: ValueId) -> Vec<(ValueId, f64)> {
        let dtype = self.graph.dtype(position);
        let whole = if dtype == DType::I64 { position } else { self.cast(position, DType::I64) };
        let (low, high) = self.divided(whole, BASE);
        let mut digits = vec![(high, BASE as f64), (low, 1.0)];
        if dtype == DType::F32 {
            let shape = self.graph.shape(position).to_vec();
            let (mut from, mut taken, mut worth) = (position, whole, 1.0);
            for _ in 0..2 {
                // By way of a subtraction: the library takes a cast back and forth for nothing done.
                let away = self.with(Op::Mul, taken, -1);
                let away = self.cast(away, DType::F32);
                let rest = self.op(Op::Add, &[from, away], DType::F32, &shape);
                from = self.with(Op::Mul, rest, BASE);
                taken = self.cast(from, DType::I64);
                worth /= BASE as f64;
                digits.push((taken, worth));
            }
        }
        digits
    }
}

fn write(graph: &mut Graph, i: usize, y: ValueId, product: &Product) {
    let shape = graph.shape(y).to_vec();
    let name = graph.nodes[i].name.clone();
    let mut steps = Steps { graph, nodes: Vec::new(), name };
    let mut sum: Option<ValueId> = None;
    let digits = steps.digits(product.position);
    // Parts of a turn: 2²² for two digits, 2²¹ for four.
    let turn = MOST / (BASE / 2 * digits.len() as i64) / 2 * 2;
    for (digit, worth) in digits {
        let parts: Vec<i64> = product
            .turns
            .iter()
            .map(|turns| {
                let turns = turns * worth;
                ((turns - turns.round()) * turn as f64).round() as i64
            })
            .collect();
        let ty = TensorType::new(DType::I64, product.shape.clone());
        let name = format!("{}.parts{}", steps.name, steps.nodes.len());
        let parts = steps.graph.add_constant(name, ty, Data::from_i64(&parts));
        let count = steps.op(Op::Mul, &[digit, parts], DType::I64, &shape);
        sum = Some(match sum {
            Some(sum) => steps.op(Op::Add, &[sum, count], DType::I64, &shape),
            None => count,
        });
    }
    let Some(sum) = sum else { return };
    let (rest, _) = steps.divided(sum, turn);
    // Less than half a turn from zero, where fp16 has a digit more.
    let over = steps.with(Op::Div, rest, turn / 2);
    let over = steps.with(Op::Mul, over, turn);
    let rest = steps.op(Op::Sub, &[rest, over], DType::I64, &shape);
    let rest = steps.with(Op::Div, rest, FITTING);
    let rest = steps.cast(rest, DType::F32);
    let scale = (std::f64::consts::TAU * FITTING as f64 / turn as f64) as f32;
    let Steps { graph, mut nodes, name } = steps;
    let scale = graph.add_constant(
        format!("{name}.angle"),
        TensorType::new(DType::F32, []),
        Data::from_f32(&[scale]),
    );
    let mut last = Node::added(Op::Mul, &name, rest, y, Attrs::default());
    last.name = name;
    last.inputs.push(Some(scale));
    nodes.push(last);
    graph.nodes.splice(i..=i, nodes);
}
