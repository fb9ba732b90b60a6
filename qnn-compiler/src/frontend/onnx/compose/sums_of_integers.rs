//! MatMulInteger and ConvInteger, written when all nodes of the model are there: what their sums are multiplied by then goes
//! into their operands.

use std::collections::HashMap;

use super::dynamic::{product, real, single};
use super::parts::Parts;
use super::quant::numbers;
use super::table::Written;
use crate::frontend::Builder;
use crate::graph::{DType, Data, Graph, Node, TensorType, ValueId};
use crate::infer::{Answer, Reason};
use crate::op::Op;

/// Leaves the node to [`scale_sums`].
pub(super) fn later(_: &mut Parts<'_, '_>) -> Answer<Written> {
    Ok(None)
}

/// The largest sum of integers that is trusted to fp16.
const LARGEST: f64 = 32768.0;

/// Writes every sum of products of integers as one of real numbers; nodes that cannot be, with the reason.
pub(in crate::frontend::onnx) fn scale_sums(builder: &mut Builder<'_>) -> Vec<(Node, Reason)> {
    if !builder.graph.nodes.iter().any(is_sum) {
        return Vec::new();
    }
    let readers = builder.graph.consumers();
    let mut sums = Sums { pending: HashMap::new(), written: HashMap::new(), problems: Vec::new() };
    for mut node in std::mem::take(&mut builder.graph.nodes) {
        let Some(y) = node.output(0) else {
            builder.graph.nodes.push(node);
            continue;
        };
        let alone = |id: ValueId| {
            readers.get(&id).is_none_or(|r| r.len() == 1) && !builder.graph.outputs.contains(&id)
        };
        if is_sum(&node) {
            node.inputs.iter_mut().flatten().for_each(|id| *id = sums.value(builder, *id));
            let ty = builder.graph.value(y).ty.clone();
            sums.pending.insert(y, Sum { node, ty, factors: Vec::new(), addends: Vec::new() });
        } else if let Some(sum) = sums.taken_in(&builder.graph, &node, y, alone) {
            sums.pending.insert(y, sum);
        } else {
            node.inputs.iter_mut().flatten().for_each(|id| *id = sums.value(builder, *id));
            builder.graph.nodes.push(node);
        }
    }
    let outputs = builder.graph.outputs.clone();
    builder.graph.outputs = outputs.into_iter().map(|id| sums.value(builder, id)).collect();
    sums.problems
}

/// Factors of a product that are looked at: quantizers write two or three.
const FACTORS: usize = 8;

/// Whether a value is a scale: a constant, one number, or a product of such.
fn is_scale(graph: &Graph, id: ValueId) -> bool {
    let mut open = vec![id];
    for _ in 0..2 * FACTORS {
        let Some(id) = open.pop() else { return true };
        if graph.is_constant(id) || graph.shape(id).iter().product::<usize>() == 1 {
            continue;
        }
        let maker = graph.nodes.iter().rev().find(|n| n.outputs.contains(&Some(id)));
        let Some(product) = maker.filter(|n| n.op == Op::Mul) else { return false };
        open.extend(product.inputs.iter().flatten());
    }
    false
}

fn is_sum(node: &Node) -> bool {
    [Op::ConvInteger, Op::MatMulInteger].contains(&node.op)
}

/// A sum of integers, and what is done to it.
#[derive(Clone, Debug)]
struct Sum {
    node: Node,
    /// The type of the result.
    ty: TensorType,
    /// What it is multiplied by.
    factors: Vec<ValueId>,
    /// What is added before that, integers too.
    addends: Vec<ValueId>,
}

struct Sums {
    pending: HashMap<ValueId, Sum>,
    written: HashMap<ValueId, ValueId>,
    problems: Vec<(Node, Reason)>,
}

impl Sums {
    /// What a node makes of a sum, where that can become part of it.
    fn taken_in(
        &self,
        graph: &Graph,
        node: &Node,
        y: ValueId,
        alone: impl Fn(ValueId) -> bool,
    ) -> Option<Sum> {
        let operands: Vec<ValueId> = node.inputs.iter().copied().collect::<Option<_>>()?;
        let at = operands.iter().position(|id| self.pending.contains_key(id))?;
        let x = operands[at];
        let mut sum = self.pending.get(&x)?.clone();
        let ty = &graph.value(y).ty;
        if !node.op.is_standard() || ty.shape != graph.shape(x) || self.written.contains_key(&x) {
            return None;
        }
        sum.ty = ty.clone();
        let float = graph.dtype(x).is_float();
        match (node.op, &operands[..]) {
            (Op::Cast, _) if ty.dtype.is_float() => return Some(sum),
            (Op::Identity, _) => return Some(sum),
            _ => {}
        }
        let &other = match operands.len() {
            2 => operands.get(1 - at)?,
            _ => return None,
        };
        // A second reader of a scaled sum reads its value: the product is computed once.
        let once = alone(x) || sum.factors.is_empty();
        if self.pending.contains_key(&other) || !once || !is_scale(graph, other) {
            return None;
        }
        match node.op {
            Op::Mul if float => sum.factors.push(other),
            Op::Add if sum.factors.is_empty() && alone(x) => sum.addends.push(other),
            _ => return None,
        }
        Some(sum)
    }

    /// What stands for a value from here on: of a sum, its result, which is written now.
    fn value(&mut self, builder: &mut Builder<'_>, id: ValueId) -> ValueId {
        if let Some(&done) = self.written.get(&id) {
            return done;
        }
        let Some(sum) = self.pending.get(&id) else { return id };
        let types = [sum.ty.clone()];
        let made = match write(&mut Parts::new(builder, &sum.node, 1, &types), sum) {
            Ok(made) => made,
            Err(reason) => {
                self.problems.push((sum.node.clone(), reason));
                id
            }
        };
        if made != id && !builder.graph.is_constant(made) {
            let name = builder.graph.value(id).name.clone();
            builder.release(id, &format!("{name}.sum"));
            builder.rename(made, &name);
        }
        self.written.insert(id, made);
        made
    }
}

/// Constant integers that are multiplied by others.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) id: ValueId,
    pub(super) integers: Vec<i64>,
    /// Zero points: one, or one a slice of `axis`.
    pub(super) zeros: Vec<i64>,
    /// The axis of output channels.
    pub(super) axis: usize,
}

impl Operand {
    /// The slice that an element is of.
    fn slices(&self, shape: &[usize]) -> impl Fn(usize) -> usize + use<> {
        let inner: usize = shape.iter().skip(self.axis + 1).product();
        let extent = shape.get(self.axis).copied().unwrap_or(1);
        move |i| i / inner.max(1) % extent.max(1)
    }

    fn centred(&self, shape: &[usize]) -> Vec<i64> {
        let slice = self.slices(shape);
        let zero = |i: usize| self.zeros.get(slice(i) % self.zeros.len().max(1)).copied().unwrap_or(0);
        self.integers.iter().enumerate().map(|(i, q)| q - zero(i)).collect()
    }

    /// The largest of them.
    fn largest(&self, p: &Parts<'_, '_>) -> f64 {
        self.centred(&p.shape(self.id)).into_iter().map(|q| q.unsigned_abs()).max().unwrap_or(0) as f64
    }

    /// Their real numbers by one scale, or one a slice. They stay integers, around zero where 8 bits have that: HTP takes such weights
    /// in products with floats.
    pub(super) fn scaled(&self, p: &mut Parts<'_, '_>, scales: &[f64]) -> Answer<ValueId> {
        let shape = p.shape(self.id);
        let centred = self.centred(&shape);
        let usual = scales.iter().all(|s| *s > f64::from(f32::MIN_POSITIVE) && s.is_finite());
        if !usual {
            let slice = self.slices(&shape);
            let reals: Vec<f64> = centred
                .iter()
                .enumerate()
                .map(|(i, q)| *q as f64 * scales[slice(i) % scales.len()])
                .collect();
            return Ok(p.floats(DType::F32, &shape, &reals));
        }
        let narrow = centred.iter().all(|q| i8::try_from(*q).is_ok());
        let (id, zeros) = if narrow {
            let data = Data::from_ints(&centred, DType::I8);
            (p.constant(TensorType::new(DType::I8, shape.clone()), data), vec![0])
        } else {
            (self.id, self.zeros.clone())
        };
        let count = scales.len().max(zeros.len());
        let wide: &[usize] = if count == 1 { &[] } else { &[count] };
        let scales: Vec<f64> = (0..count).map(|c| scales[c % scales.len()]).collect();
        let zeros: Vec<i64> = (0..count).map(|c| zeros[c % zeros.len()]).collect();
        let scale = p.floats(DType::F32, wide, &scales);
        let zero = p.ints(p.dtype(id), wide, &zeros);
        numbers(p, id, scale, Some(zero), self.axis)
    }
}

/// One side of a product.
enum Side {
    /// Real numbers.
    Real(ValueId),
    /// Integers that are constant.
    Constant(Operand),
    /// Computed integers.
    Raw,
}

fn write(p: &mut Parts<'_, '_>, sum: &Sum) -> Answer<ValueId> {
    let mut factors = Vec::new();
    sum.factors.iter().for_each(|id| flatten(p, *id, &mut factors));
    let (known, mut computed): (Vec<ValueId>, Vec<ValueId>) =
        factors.iter().copied().partition(|id| p.known(*id).is_some());
    let channel = if sum.node.op == Op::ConvInteger { 1 } else { sum.ty.shape.len().saturating_sub(1) };
    let mut total = vec![1.0];
    for id in &known {
        match along(p, *id, &sum.ty.shape, channel) {
            Some(values) => total = times(&total, &values),
            None => computed.push(*id),
        }
    }
    let mut sides = Vec::new();
    for i in 0..2 {
        sides.push(side(p, i, &mut computed, &mut total)?);
    }
    let halvings = headroom(p, &sides, &total)?;
    let spare = 0.5f64.powi(halvings);
    // Scales go into the second operand where that is constant, else into the first, else they follow.
    let home = match (&sides[1], &sides[0]) {
        (Side::Constant(_), _) => Some(1),
        (_, Side::Constant(_)) if total.len() == 1 => Some(0),
        _ => None,
    };
    let mut left = Some(spare);
    let mut operands = Vec::new();
    for (i, side) in sides.iter().enumerate() {
        operands.push(match side {
            Side::Real(id) => *id,
            Side::Constant(operand) if home == Some(i) => {
                let spare = left.take().unwrap_or(1.0);
                let scales: Vec<f64> = total.iter().map(|t| t * spare).collect();
                operand.scaled(p, &scales)?
            }
            Side::Constant(operand) => operand.scaled(p, &[1.0])?,
            Side::Raw => {
                let step = if home.is_none() { left.take().unwrap_or(1.0) } else { 1.0 };
                raw(p, i, step)?
            }
        });
    }
    let mut y = product(p, &operands)?;
    if sum.ty.dtype == DType::I32 {
        let y = whole(p, y, if left.is_none() { halvings } else { 0 })?;
        return sum.addends.iter().try_fold(y, |y, addend| p.op(Op::Add, &[y, *addend]));
    }
    if home.is_none() && total != [1.0] {
        let scales = p.floats(DType::F32, &channel_shape(total.len(), &sum.ty.shape, channel), &total);
        computed.insert(0, scales);
    }
    if left.is_none() && halvings > 0 {
        let doublings = p.scalar(DType::F32, 1.0 / spare);
        computed.insert(0, doublings);
    }
    // Single numbers first: their product is nothing to compute.
    let (ones, others): (Vec<ValueId>, Vec<ValueId>) =
        computed.into_iter().partition(|id| p.shape(*id).iter().product::<usize>() == 1);
    let mut scale: Option<ValueId> = None;
    for one in ones {
        let one = p.cast(one, DType::F32)?;
        scale = Some(match scale {
            Some(scale) => p.op(Op::Mul, &[scale, one])?,
            None => one,
        });
    }
    for factor in scale.into_iter().chain(others) {
        let factor = p.cast(factor, DType::F32)?;
        y = p.op(Op::Mul, &[y, factor])?;
    }
    for addend in &sum.addends {
        let mut addend = p.cast(*addend, DType::F32)?;
        factors.sort_by_key(|id| p.known(*id).is_none());
        for factor in &factors {
            let factor = p.cast(*factor, DType::F32)?;
            addend = p.op(Op::Mul, &[addend, factor])?;
        }
        y = p.op(Op::Add, &[y, addend])?;
    }
    let y = p.cast(y, sum.ty.dtype)?;
    p.reshape(y, &sum.ty.shape)
}

/// Adds the factors of a product, in their order.
fn flatten(p: &Parts<'_, '_>, id: ValueId, into: &mut Vec<ValueId>) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let id = single(p, id);
        let many = into.len() + open.len() >= FACTORS;
        let product = p.maker(id).filter(|n| n.op == Op::Mul && p.known(id).is_none() && !many);
        match product.and_then(|n| Some([n.input(1)?, n.input(0)?])) {
            Some(factors) => open.extend(factors),
            None => into.push(id),
        }
    }
}

/// The numbers of a constant that is one number, or one a channel, of results of this shape.
fn along(p: &Parts<'_, '_>, id: ValueId, shape: &[usize], channel: usize) -> Option<Vec<f64>> {
    let values = p.known_floats(id)?;
    let own = p.shape(id);
    if values.len() == 1 {
        return Some(values);
    }
    let skip = shape.len().checked_sub(own.len())?;
    let fits = own.iter().enumerate().all(|(i, d)| *d == 1 || i + skip == channel);
    (fits && Some(&values.len()) == shape.get(channel)).then_some(values)
}

fn times(a: &[f64], b: &[f64]) -> Vec<f64> {
    (0..a.len().max(b.len())).map(|i| a[i % a.len()] * b[i % b.len()]).collect()
}

/// The shape of numbers along a channel.
fn channel_shape(count: usize, shape: &[usize], channel: usize) -> Vec<usize> {
    if count == 1 {
        return Vec::new();
    }
    let mut own = vec![1; shape.len() - channel];
    own[0] = count;
    own
}

/// Operand `i`. The scale of what was quantized by its own range, or by a constant, is taken from the factors.
fn side(p: &mut Parts<'_, '_>, i: usize, computed: &mut Vec<ValueId>, total: &mut [f64]) -> Answer<Side> {
    let (x, zero) = (p.input(i)?, p.node.input(i + 2));
    let rank = p.shape(x).len();
    for at in 0..computed.len() {
        if let Some(real) = real(p, x, computed[at], zero)? {
            computed.remove(at);
            return Ok(Side::Real(real));
        }
    }
    let zeros = match zero {
        Some(zero) => p.known_ints(zero),
        None => Some(vec![0]),
    };
    let Some(zeros) = zeros else { return Ok(Side::Raw) };
    if let Some(integers) = p.known_ints(x) {
        let axis = match (p.node.op, i) {
            (Op::ConvInteger, _) => 0,
            (_, 0) => rank.saturating_sub(2),
            _ => rank.saturating_sub(1),
        };
        return Ok(Side::Constant(Operand { id: x, integers, zeros, axis }));
    }
    let quantized = p.maker(x).filter(|n| n.op == Op::QuantizeLinear);
    let by = quantized.and_then(|n| Some((n.input(1)?, n.input(2))));
    if let Some((scale, own)) = by
        && let Some(&[step]) = p.known_floats(scale).as_deref()
        && zeros.len() == 1
        && own.map_or(Some(vec![0]), |own| p.known_ints(own)) == Some(zeros)
        && step > 0.0
    {
        total.iter_mut().for_each(|t| *t /= step);
        return numbers(p, x, scale, zero, 0).map(Side::Real);
    }
    Ok(Side::Raw)
}

/// Operand `i`, integers that are computed, in steps of `step`.
fn raw(p: &mut Parts<'_, '_>, i: usize, step: f64) -> Answer<ValueId> {
    let (x, zero) = (p.input(i)?, p.node.input(i + 2));
    let scale = p.scalar(DType::F32, step);
    let count = zero.map_or(1, |z| p.shape(z).iter().product::<usize>());
    if count == 1 {
        return numbers(p, x, scale, zero, 0);
    }
    // A zero point a row, a column or a filter.
    let rank = p.shape(x).len();
    let y = numbers(p, x, scale, None, 0)?;
    let Some(zero) = zero else { return Ok(y) };
    let zero = p.cast(zero, DType::F32)?;
    let zero = p.op(Op::Mul, &[zero, scale])?;
    let shape = match (p.node.op, i) {
        (Op::ConvInteger, _) => [&[count][..], &vec![1; rank - 1]].concat(),
        (_, 0) => vec![count, 1],
        _ => vec![1, count],
    };
    let zero = p.reshape(zero, &shape)?;
    p.op(Op::Sub, &[y, zero])
}

/// How often a sum of raw integers is halved so that fp16 holds it whatever they are.
fn headroom(p: &Parts<'_, '_>, sides: &[Side], total: &[f64]) -> Answer<i32> {
    if sides.iter().any(|side| matches!(side, Side::Real(_))) {
        return Ok(0);
    }
    let w = p.input_shape(1)?;
    let terms: usize = match p.node.op {
        Op::ConvInteger => w.iter().skip(1).product(),
        _ => w[w.len().saturating_sub(2)],
    };
    let each: f64 = sides
        .iter()
        .map(|side| match side {
            Side::Constant(operand) => operand.largest(p).max(1.0),
            Side::Real(_) | Side::Raw => 255.0,
        })
        .product();
    let constant = sides.iter().any(|side| matches!(side, Side::Constant(_)));
    let scale = if constant { total.iter().fold(0.0, |most: f64, t| most.max(t.abs())) } else { 1.0 };
    let most = each * terms as f64 * scale;
    Ok((most / LARGEST).log2().ceil().max(0.0) as i32)
}

/// Sums that were halved so often as int32: small ones to the unit, larger ones to fp16's 11 bits.
fn whole(p: &mut Parts<'_, '_>, y: ValueId, halvings: i32) -> Answer<ValueId> {
    let integers = |p: &mut Parts<'_, '_>, y: ValueId| {
        let y = p.op(Op::Round, &[y])?;
        p.cast(y, DType::I32)
    };
    if halvings == 0 {
        return integers(p, y);
    }
    let factor = f64::from(halvings).exp2();
    let whole = p.by(Op::Mul, y, factor)?;
    let small = integers(p, whole)?;
    let large = integers(p, y)?;
    let factor = p.ints(DType::I32, &[], &[factor as i64]);
    let large = p.op(Op::Mul, &[large, factor])?;
    let size = p.op(Op::Abs, &[y])?;
    let limit = p.scalar(DType::F32, LARGEST / f64::from(halvings).exp2());
    let fits = p.op(Op::Less, &[size, limit])?;
    p.op(Op::Where, &[fits, small, large])
}
