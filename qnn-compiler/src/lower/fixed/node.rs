//! Lowers one node whose values have encodings.

use qnn::DataType;
use qnn_ops::Kind;
use qnn_types::Diagnostic;

use super::table::{self, Role, Why};
use super::{FixedPoint, constants, products, saturation};
use crate::custom::Found;
use crate::graph::{Graph, Node, ValueId};
use crate::lower::LowerFn;
use crate::lower::engine::{Lower, Ops};
use crate::op::Op;
use crate::problem::node_problem;
use crate::program::{Quant, TensorId};

/// Lowers a node by its function, on the forms of operands that suit it.
pub(in crate::lower) fn lower(lower: &mut Lower<'_>, node: &Node, by: LowerFn) -> Result<(), Diagnostic> {
    let graph = lower.graph;
    let encoded = |id: &ValueId| graph.value(*id).encoding.is_some();
    if !node.inputs.iter().chain(&node.outputs).flatten().any(encoded) {
        return by(lower, node);
    }
    if node.op == Op::Identity {
        return boundary(lower, node);
    }
    let why = match table::integers(graph, node, lower.target) {
        Ok(dtype) => on_integers(lower, node, dtype)?,
        Err(why) => Some(why),
    };
    if let Some(why) = why {
        let reason = explain(graph, node, why);
        lower.floats.entry(node.origin().node.clone()).or_insert_with(|| reason.clone());
        lower.floats.insert(node.name.clone(), reason);
        on_floats(lower, node)?;
    }
    let done = by(lower, node);
    (lower.result, lower.ranges) = (None, None);
    let operand_overrides = std::mem::take(&mut lower.operand_overrides);
    done?;
    for &id in node.outputs.iter().flatten() {
        if let Some(&made) = operand_overrides.get(&id) {
            store(lower, node, id, made)?;
        }
    }
    Ok(())
}

/// Lowers a node of an op package: operands whose stored integers its definition takes are handed over as they are, others as
/// floats.
pub(in crate::lower) fn lower_own(
    lower: &mut Lower<'_>,
    node: &Node,
    found: Found<'_>,
) -> Result<(), Diagnostic> {
    let graph = lower.graph;
    let stored = |lower: &mut Lower<'_>, kind: Kind, i: usize, id: ValueId| -> Result<bool, Diagnostic> {
        let constant = graph.is_constant(id);
        let tensor = lower.tensor(id)?;
        let dtype = lower.get(tensor).dtype;
        Ok(!constant && found.takes(kind, i, dtype))
    };
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = id.filter(|id| graph.value(*id).encoding.is_some()) else { continue };
        if !stored(lower, Kind::Input, i, id)? {
            let form = float_form(lower, node, id)?;
            lower.operand_overrides.insert(id, form);
        }
    }
    for (i, id) in node.outputs.iter().enumerate() {
        let Some(id) = id.filter(|id| graph.value(*id).encoding.is_some()) else { continue };
        if !stored(lower, Kind::Output, i, id)? {
            let value = graph.value(id);
            let dtype = lower.data_type(value.ty.dtype).unwrap_or(DataType::Float32);
            let made = lower.temp(node, dtype, &value.ty.shape);
            lower.operand_overrides.insert(id, made);
        }
    }
    let done = found.lower(lower, node);
    let operand_overrides = std::mem::take(&mut lower.operand_overrides);
    done?;
    for &id in node.outputs.iter().flatten() {
        if let Some(&made) = operand_overrides.get(&id) {
            store(lower, node, id, made)?;
        }
    }
    Ok(())
}

/// What is in the way of computing a node on integers.
fn explain(graph: &Graph, node: &Node, why: Why) -> String {
    let id = match why {
        Why::Operator => return format!("HTP has no {} of integers", node.op),
        Why::Form => return format!("HTP has no {} of integers of this form or these types", node.op),
        Why::Value(id) => id,
    };
    let value = graph.value(id);
    let what = match (&value.data, node.outputs.contains(&Some(id))) {
        (Some(_), _) => "constant",
        (None, true) => "result",
        (None, false) => "operand",
    };
    match &value.encoding {
        None => format!("its {what} {:?} has no encoding", value.name),
        Some(_) => {
            format!("its {what} {:?} has an encoding of a kind that HTP does not compute with", value.name)
        }
    }
}

/// Makes the forms of a node's operands; says what has none, if anything.
fn on_integers(lower: &mut Lower<'_>, node: &Node, dtype: DataType) -> Result<Option<Why>, Diagnostic> {
    let graph = lower.graph;
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = *id else { continue };
        let form = match (table::role(graph, node, i), graph.is_constant(id)) {
            (Role::Operand, false) => {
                let x = activation(lower, node, id, dtype)?;
                Some(saturation::integers(lower, node, id, x))
            }
            (Role::Operand, true) => {
                let sum = [Op::Add, Op::Sub].contains(&node.op);
                let result = node.output(0).and_then(|y| graph.value(y).encoding.as_ref());
                let result = result.and_then(FixedPoint::of).filter(|_| sum).map(|f| f.with(dtype));
                constants::operand(lower, node, id, dtype, result)
            }
            (Role::Weight(axis), _) => constants::weight(lower, node, id, axis),
            (Role::Bias, _) => {
                let (x, w) = (lower.input(node, 0)?, lower.input(node, 1)?);
                constants::bias(lower, node, id, x, w)
            }
            (Role::Gain, _) => constants::gain(lower, node, id, dtype),
            (Role::Offset, _) => constants::offset(lower, node, id),
            (Role::Aside, _) => continue,
        };
        match form {
            Some(form) => drop(lower.operand_overrides.insert(id, form)),
            None => {
                lower.operand_overrides.clear();
                return Ok(Some(Why::Value(id)));
            }
        }
    }
    lower.ranges = table::derives(node, dtype, lower.target).then(Default::default);
    for &id in node.outputs.iter().flatten().filter(|id| graph.dtype(**id).is_float()) {
        let Some(own) = graph.value(id).encoding.as_ref().and_then(FixedPoint::of) else {
            lower.operand_overrides.clear();
            return Ok(Some(Why::Value(id)));
        };
        let form = table::result(node, own.with(dtype));
        lower.result.get_or_insert(form);
        let stored = lower.tensor(id)?;
        let tensor = lower.get(stored);
        if tensor.dtype != dtype || tensor.quant != form.quant() {
            let shape = graph.shape(id).to_vec();
            let made = lower.quantized_temp(node, dtype, form.quant(), &shape);
            lower.operand_overrides.insert(id, made);
        }
    }
    Ok(None)
}

/// Gives a node floats for its encoded operands, but for a weight of few bits that HTP multiplies floats with.
fn on_floats(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let graph = lower.graph;
    if let Some(weight) = products::weight(lower, node, 1) {
        return on_halves(lower, node, weight);
    }
    for &id in node.inputs.iter().flatten() {
        if graph.value(id).encoding.is_some() {
            let form = float_form(lower, node, id)?;
            lower.operand_overrides.insert(id, form);
        }
    }
    for &id in node.outputs.iter().flatten() {
        let value = graph.value(id);
        if value.encoding.is_some() {
            let dtype = lower.data_type(value.ty.dtype).unwrap_or(DataType::Float32);
            let made = lower.temp(node, dtype, &value.ty.shape);
            lower.operand_overrides.insert(id, made);
        }
    }
    Ok(())
}

/// The real numbers of an encoded value.
fn float_form(lower: &mut Lower<'_>, node: &Node, id: ValueId) -> Result<TensorId, Diagnostic> {
    let value = lower.graph.value(id);
    match value.data {
        Some(_) => constants::float(lower, node, id, float_type(lower, node))
            .ok_or_else(|| node_problem("E0302", node, format!("{:?} is not constant", value.name))),
        None => {
            let dtype = lower.data_type(value.ty.dtype).unwrap_or(DataType::Float32);
            activation(lower, node, id, dtype)
        }
    }
}

/// Gives a product its weight as integers and everything else in fp16.
fn on_halves(lower: &mut Lower<'_>, node: &Node, weight: TensorId) -> Result<(), Diagnostic> {
    let graph = lower.graph;
    for id in products::others(lower, node, 1) {
        let half = match graph.is_constant(id) {
            true => constants::float(lower, node, id, DataType::Float16)
                .ok_or_else(|| node_problem("E0302", node, "an operand is not constant"))?,
            false => activation(lower, node, id, DataType::Float16)?,
        };
        let first = node.input(0) == Some(id);
        let half = if first { products::to_columns_of(lower, node, half, weight) } else { half };
        lower.operand_overrides.insert(id, half);
    }
    if let Some(id) = node.input(1) {
        lower.operand_overrides.insert(id, weight);
    }
    for &id in node.outputs.iter().flatten() {
        let made = lower.temp(node, DataType::Float16, graph.shape(id));
        lower.operand_overrides.insert(id, made);
    }
    Ok(())
}

/// An encoded value in another type, made once: wider integers with the same numbers, or floats.
fn activation(
    lower: &mut Lower<'_>,
    node: &Node,
    id: ValueId,
    dtype: DataType,
) -> Result<TensorId, Diagnostic> {
    let stored = lower.tensor(id)?;
    let encoding = lower.graph.value(id).encoding.as_ref();
    let form = encoding.and_then(FixedPoint::of).map(|f| f.with(dtype)).filter(|_| dtype.is_quantized());
    let quant = form.map_or(Quant::None, |f| f.quant());
    let tensor = lower.get(stored);
    if tensor.dtype == dtype && tensor.quant == quant {
        return Ok(stored);
    }
    if let Some(&made) = lower.forms.get(&(id, dtype)) {
        return Ok(made);
    }
    let made = match lower.unrounded.get(&id).copied().filter(|_| !dtype.is_quantized()) {
        Some(floats) => {
            let floats = saturation::floats(lower, node, id, floats);
            Ops::new(lower, node).cast(floats, dtype)?
        }
        None => Ops::new(lower, node).refit(stored, dtype, quant)?,
    };
    lower.forms.insert((id, dtype), made);
    Ok(made)
}

/// The type of a node's floats.
fn float_type(lower: &Lower<'_>, node: &Node) -> DataType {
    let dtype = node.output(0).map(|id| lower.graph.dtype(id));
    let half = dtype == Some(crate::graph::DType::F16);
    if half { DataType::Float16 } else { DataType::Float32 }
}

/// A point where numbers are rounded, or given to the app as floats.
fn boundary(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let (Some(x), Some(y)) = (node.input(0), node.output(0)) else {
        return Err(node_problem("E0302", node, "an operand is missing"));
    };
    let from = if lower.graph.is_constant(x) {
        constants::float(lower, node, x, float_type(lower, node))
            .ok_or_else(|| node_problem("E0302", node, "the operand is not constant"))?
    } else {
        let stored = lower.tensor(x)?;
        let encoded = [x, y].iter().all(|id| lower.graph.value(*id).encoding.is_some());
        if encoded { saturation::integers(lower, node, x, stored) } else { stored }
    };
    store(lower, node, y, from)
}

/// Makes a tensor that exists the value `id`, in the form that it is stored in.
fn store(lower: &mut Lower<'_>, node: &Node, id: ValueId, made: TensorId) -> Result<(), Diagnostic> {
    let encoding = lower.graph.value(id).encoding.as_ref();
    let form = encoding.and_then(FixedPoint::of);
    let tensor = lower.get(made);
    let same = match form {
        Some(form) => tensor.dtype == form.dtype && tensor.quant == form.quant(),
        None => lower.data_type(lower.graph.dtype(id)) == Some(tensor.dtype),
    };
    let whole = lower.dims_of(id) == tensor.dims;
    if same && whole && !lower.is_output(id) && !lower.exists(id) {
        lower.alias(id, made);
        return Ok(());
    }
    let mut made = made;
    if form.is_some() && saturation::is_made(lower, made) {
        lower.unrounded.insert(id, made);
        if saturation::floats_behind(lower, id) {
            made = saturation::floats(lower, node, id, made);
        }
    }
    let out = lower.tensor(id)?;
    Ops::new(lower, node).write(made, out)
}
