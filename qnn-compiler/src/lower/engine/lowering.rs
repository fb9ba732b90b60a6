//! Walks the graph and keeps what lowering functions share.

use std::collections::{HashMap, HashSet};

use qnn::DataType;
use qnn_types::{Diagnostic, Target};

use crate::custom::OpPackages;
use crate::graph::{Bounds, DType, Data, Graph, Node, NodeId, TensorType, ValueId};
use crate::interval::Interval;
use crate::lower::blocks::broadcast;
use crate::lower::engine::OpBuilder;
use crate::lower::engine::unsupported::{integers, unsupported};
use crate::lower::finish::{float_free, peephole, pixel, views};
use crate::lower::fixed::{self, FixedPoint};
use crate::op::{self, Lowering};
use crate::problem::{Problems, node_problem, problem};
use crate::program::{Op, Program, Quant, Role, Tensor, TensorId, stored_type};

/// Lowers a graph in physical layout.
///
/// # Errors
/// Every node that has no row in the table, and every node that its lowering function refuses.
pub fn lower(graph: &Graph, target: &Target, own: &OpPackages) -> Result<Program, Problems> {
    let (mut lower, mut problems) = nodes(graph, target, own);
    if problems.is_empty() && !reads_input(&lower.program) {
        problems.push(problem("E0310", "every output is a constant: no input is read"));
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    pixel::run(&mut lower.program);
    peephole::run(&mut lower.program);
    views::run(&mut lower.program);
    if !target.fp16 {
        float_free::refuse(&lower.program, graph, target, &lower.floats)?;
    }
    Ok(without_unread(lower.program))
}

/// Lowers node by node, as far as each goes.
pub(in crate::lower) fn nodes<'g>(
    graph: &'g Graph,
    target: &'g Target,
    own: &OpPackages,
) -> (Lower<'g>, Vec<Diagnostic>) {
    let mut lower = Lower::new(graph, target);
    let mut problems = lower.graph_io();
    for node in &graph.nodes {
        lower.begun = lower.program.ops.len();
        let result = match (own.of_node(node), node.op.lowering()) {
            (Some(found), _) => sizes(graph, node).and_then(|()| fixed::lower_own(&mut lower, node, found)),
            (None, Lowering::By { lower: by, .. }) => {
                sizes(graph, node).and_then(|()| fixed::lower(&mut lower, node, by))
            }
            (None, Lowering::Nothing) => {
                Err(integers(graph, node).unwrap_or_else(|| unsupported(node.into(), own)))
            }
        };
        problems.extend(result.err());
    }
    (lower, problems)
}

/// Whether an op reads what the app writes. The library cannot execute a graph of constants.
fn reads_input(program: &Program) -> bool {
    let read = |id: &TensorId| matches!(program.tensor(*id).role, Role::Input);
    program.ops.iter().any(|op| op.inputs.iter().any(read))
}

/// The most bytes of a tensor: a context binary with everything in it holds 2 GiB.
const LARGEST: usize = 1 << 30;

/// Refuses tensors that no device holds, before anything is made in their size.
fn sizes(graph: &Graph, node: &Node) -> Result<(), Diagnostic> {
    for id in node.inputs.iter().chain(&node.outputs).flatten() {
        let value = graph.value(*id);
        let bytes = value.ty.shape.iter().try_fold(value.ty.dtype.size(), |all, &d| all.checked_mul(d));
        if bytes.is_none_or(|bytes| bytes > LARGEST) {
            let message = format!("tensor {:?} of shape {:?} is too large", value.name, value.ty.shape);
            return Err(node_problem("E0309", node, message));
        }
    }
    Ok(())
}

/// The program without tensors that no op touches: steps that became a node's output, constants that were replaced.
fn without_unread(mut program: Program) -> Program {
    let mut used = vec![false; program.tensors.len()];
    for op in &program.ops {
        for id in op.inputs.iter().chain(&op.outputs) {
            used[id.0] = true;
        }
    }
    let mut moved = vec![TensorId(0); program.tensors.len()];
    let mut kept = Vec::with_capacity(program.tensors.len());
    for (i, tensor) in program.tensors.into_iter().enumerate() {
        if used[i] || matches!(tensor.role, Role::Input | Role::Output) {
            moved[i] = TensorId(kept.len());
            kept.push(tensor);
        }
    }
    program.tensors = kept;
    for op in &mut program.ops {
        for id in op.inputs.iter_mut().chain(&mut op.outputs) {
            *id = moved[id.0];
        }
    }
    program
}

/// State of a lowering: the program so far, and which tensor each value became.
pub struct Lower<'g> {
    /// The graph being lowered.
    pub graph: &'g Graph,
    /// The SoC to lower for.
    pub target: &'g Target,
    program: Program,
    /// How many ops there were before those of the node being lowered.
    begun: usize,
    tensors: HashMap<ValueId, TensorId>,
    names: HashSet<String>,
    outputs: HashSet<ValueId>,
    temps: HashSet<TensorId>,
    /// Forms of values that the node being lowered sees instead of their tensors; empty where no value is encoded.
    pub(in crate::lower) operand_overrides: HashMap<ValueId, TensorId>,
    /// Other forms of encoded values, by type.
    pub(in crate::lower) forms: HashMap<(ValueId, DataType), TensorId>,
    /// The form of the result of a node that is lowered on integers, which its steps have too.
    pub(in crate::lower) result: Option<FixedPoint>,
    /// The ranges of the steps of a formula that is computed on integers; `None` where steps have the form of the result.
    pub(in crate::lower) ranges: Option<HashMap<TensorId, Interval>>,
    /// Floats that encoded values are rounded from, or those that their ranges leave.
    pub(in crate::lower) unrounded: HashMap<ValueId, TensorId>,
    /// Copies of tensors that keep their makers and readers apart.
    pub(in crate::lower) apart: HashMap<TensorId, TensorId>,
    readers: HashMap<ValueId, Vec<NodeId>>,
    /// Why nodes with encoded operands are computed with floats, by name of the node.
    pub(in crate::lower) floats: HashMap<String, String>,
    producers: HashMap<ValueId, NodeId>,
}

impl<'g> Lower<'g> {
    fn new(graph: &'g Graph, target: &'g Target) -> Self {
        Self {
            graph,
            target,
            program: Program { name: graph.name.clone(), ..Program::default() },
            begun: 0,
            tensors: HashMap::new(),
            names: HashSet::new(),
            outputs: graph.outputs.iter().copied().collect(),
            temps: HashSet::new(),
            operand_overrides: HashMap::new(),
            forms: HashMap::new(),
            result: None,
            ranges: None,
            floats: HashMap::new(),
            producers: graph.producers(),
            unrounded: HashMap::new(),
            apart: HashMap::new(),
            readers: graph.consumers(),
        }
    }

    /// Between which numbers a value lies whatever the inputs are.
    pub(in crate::lower) fn bounds(&self, value: ValueId) -> Bounds {
        self.graph.bounds(&self.producers, value)
    }

    /// The op so far that makes a tensor.
    pub(in crate::lower) fn op_that_makes(&self, tensor: TensorId) -> Option<&Op> {
        self.program.ops.iter().rev().find(|op| op.outputs.contains(&tensor))
    }

    /// Creates the app's tensors first, so that they keep the model's names and order.
    fn graph_io(&mut self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for (ids, role) in [(&self.graph.inputs, Role::Input), (&self.graph.outputs, Role::Output)] {
            for &id in ids {
                let value = self.graph.value(id);
                if self.tensors.contains_key(&id) {
                    problems.push(problem(
                        "E0305",
                        format!("value {:?} is both input and output, or output twice", value.name),
                    ));
                    continue;
                }
                if value.ty.shape.len() > MAX_RANK {
                    let mut p = problem(
                        "E0305",
                        format!(
                            "graph tensor {:?} has {} dimensions; HTP has at most {MAX_RANK}",
                            value.name,
                            value.ty.shape.len()
                        ),
                    );
                    p.help =
                        Some("join dimensions in the model, or read another value with `outputs`".to_owned());
                    problems.push(p);
                    continue;
                }
                match self.graph_io_type(id) {
                    Some((dtype, quant)) => {
                        let dims = dims(&value.ty.shape, MAX_RANK);
                        let name = self.unique_name(&value.name);
                        let tensor =
                            self.push_tensor(Tensor { name, role: role.clone(), dtype, dims, quant });
                        self.tensors.insert(id, tensor);
                    }
                    None => problems.push(problem(
                        "E0304",
                        format!(
                            "graph tensor {:?} has dtype {}, which HTP does not have",
                            value.name,
                            match &value.encoding {
                                Some(e) => format!(
                                    "{}int{}",
                                    if e.storage().is_signed() { "" } else { "u" },
                                    e.bits()
                                ),
                                None => value.ty.dtype.to_string(),
                            }
                        ),
                    )),
                }
            }
        }
        problems
    }

    /// Type and encoding of a value that the app writes or reads: the model's own integers where it is encoded.
    fn graph_io_type(&self, id: ValueId) -> Option<(DataType, Quant)> {
        let value = self.graph.value(id);
        let Some(encoding) = &value.encoding else {
            let dtype = self.data_type(value.ty.dtype)?;
            return Some((dtype, plain(dtype)));
        };
        let (scale, zero) = encoding.per_tensor()?;
        let dtype = stored_type(encoding.storage()).filter(|_| [8, 16].contains(&encoding.bits()))?;
        Some((dtype, Quant::PerTensor { scale, offset: zero.checked_neg()? }))
    }

    /// The QNN dtype that stands for a graph dtype.
    pub fn data_type(&self, dtype: DType) -> Option<DataType> {
        Some(match dtype {
            DType::F32 => DataType::Float32,
            DType::F16 => DataType::Float16,
            // No op takes Int8: these are the same bytes.
            DType::I8 => DataType::SFixed8,
            DType::I16 => DataType::Int16,
            DType::I32 => DataType::Int32,
            DType::U8 => DataType::Uint8,
            DType::U16 => DataType::Uint16,
            DType::U32 => DataType::Uint32,
            DType::Bool => DataType::Bool,
            _ => return None,
        })
    }

    /// The tensor of a value, created where it does not exist yet.
    pub fn tensor(&mut self, id: ValueId) -> Result<TensorId, Diagnostic> {
        if let Some(&tensor) = self.operand_overrides.get(&id).or_else(|| self.tensors.get(&id)) {
            return Ok(tensor);
        }
        let value = self.graph.value(id);
        let form = value.encoding.as_ref().filter(|_| value.data.is_none()).and_then(FixedPoint::of);
        let dtype = form.map(|f| f.dtype).or_else(|| self.data_type(value.ty.dtype)).ok_or_else(|| {
            problem(
                "E0304",
                format!("value {:?} has dtype {}, which HTP does not have", value.name, value.ty.dtype),
            )
        })?;
        let role = match &value.data {
            Some(data) => Role::Static(data.clone()),
            None => Role::Native,
        };
        let name = self.unique_name(&value.name);
        let tensor = self.push_tensor(Tensor {
            name,
            role,
            dtype,
            dims: dims(&value.ty.shape, max_rank(dtype)),
            quant: form.map_or_else(|| plain(dtype), |f| f.quant()),
        });
        self.tensors.insert(id, tensor);
        Ok(tensor)
    }

    /// The node that makes the numbers of a value, before they are rounded.
    pub(in crate::lower) fn maker(&self, mut id: ValueId) -> Option<&'g Node> {
        let mut found = None;
        while let Some(at) = self.producers.get(&id) {
            let node = &self.graph.nodes[at.0];
            found = Some(node);
            let passed = node
                .input(0)
                .filter(|x| node.op == op::Op::Identity && self.graph.value(*x).encoding.is_none());
            let Some(x) = passed else { break };
            id = x;
        }
        found
    }

    /// The nodes that read a value.
    pub(in crate::lower) fn readers(&self, id: ValueId) -> impl Iterator<Item = &'g Node> {
        let graph = self.graph;
        self.readers.get(&id).into_iter().flatten().map(|at| &graph.nodes[at.0])
    }

    /// Whether a value has a tensor.
    pub(in crate::lower) fn exists(&self, id: ValueId) -> bool {
        self.tensors.contains_key(&id)
    }

    /// The dims that a value's tensor has.
    pub(in crate::lower) fn dims_of(&self, id: ValueId) -> Vec<u32> {
        let value = self.graph.value(id);
        let dtype = match &value.encoding {
            Some(_) => DataType::UFixed8,
            None => self.data_type(value.ty.dtype).unwrap_or(DataType::Float32),
        };
        dims(&value.ty.shape, max_rank(dtype))
    }

    /// Tensor of a node's `i`-th input, which must be there.
    pub fn input(&mut self, node: &Node, i: usize) -> Result<TensorId, Diagnostic> {
        let id = node.input(i).ok_or_else(|| node_problem("E0302", node, format!("input {i} is missing")))?;
        self.tensor(id)
    }

    /// Tensor of a node's `i`-th output, which must be there.
    pub fn output(&mut self, node: &Node, i: usize) -> Result<TensorId, Diagnostic> {
        let id =
            node.output(i).ok_or_else(|| node_problem("E0302", node, format!("output {i} is missing")))?;
        self.tensor(id)
    }

    /// Type of a node's `i`-th input, which must be there.
    pub fn input_type(&self, node: &Node, i: usize) -> Result<&'g TensorType, Diagnostic> {
        let id = node.input(i).ok_or_else(|| node_problem("E0302", node, format!("input {i} is missing")))?;
        Ok(&self.graph.value(id).ty)
    }

    /// Type of a node's `i`-th output, which must be there.
    pub fn output_type(&self, node: &Node, i: usize) -> Result<&'g TensorType, Diagnostic> {
        let id =
            node.output(i).ok_or_else(|| node_problem("E0302", node, format!("output {i} is missing")))?;
        Ok(&self.graph.value(id).ty)
    }

    /// A tensor between two ops of one node. Integers that stand for real numbers are those of the node's result.
    pub fn temp(&mut self, node: &Node, dtype: DataType, shape: &[usize]) -> TensorId {
        let form = self.result.filter(|_| dtype.is_quantized());
        self.quantized_temp(node, dtype, form.map_or_else(|| plain(dtype), |f| f.quant()), shape)
    }

    /// As [`Lower::temp`], with an encoding.
    pub(in crate::lower) fn quantized_temp(
        &mut self,
        node: &Node,
        dtype: DataType,
        quant: Quant,
        shape: &[usize],
    ) -> TensorId {
        let name = self.unique_name(&format!("{}.tmp", node.name));
        let temp =
            self.push_tensor(Tensor { name, role: Role::Native, dtype, dims: dims(shape, MAX_RANK), quant });
        self.temps.insert(temp);
        temp
    }

    /// The op that was written last.
    pub(in crate::lower) fn newest(&self) -> Option<&Op> {
        self.program.ops.last()
    }

    /// Gives a tensor that nothing reads yet another encoding.
    pub(in crate::lower) fn encode(&mut self, id: TensorId, quant: Quant) {
        if let Some(tensor) = self.program.tensors.get_mut(id.0) {
            tensor.quant = quant;
        }
    }

    /// Lets the op that makes temporary tensor `from` make `to` instead; `false` where `from` is not a temporary of
    /// the node being lowered.
    pub(in crate::lower) fn redirect_result(&mut self, from: TensorId, to: TensorId) -> bool {
        if !self.temps.contains(&from) {
            return false;
        }
        let ops = &mut self.program.ops;
        let Some(maker) = ops.iter().rposition(|op| op.outputs.contains(&from)) else { return false };
        if maker < self.begun {
            return false;
        }
        for id in ops[maker..].iter_mut().flat_map(|op| op.inputs.iter_mut().chain(&mut op.outputs)) {
            if *id == from {
                *id = to;
            }
        }
        self.temps.remove(&from);
        true
    }

    /// Says that a value is held by a tensor that exists.
    pub(in crate::lower) fn alias(&mut self, id: ValueId, tensor: TensorId) {
        self.temps.remove(&tensor);
        // Of an encoded node's results the form is not known yet.
        let tensors =
            if self.operand_overrides.is_empty() { &mut self.tensors } else { &mut self.operand_overrides };
        tensors.insert(id, tensor);
    }

    /// A constant made by lowering.
    pub fn constant(&mut self, node: &Node, dtype: DataType, shape: &[usize], data: Data) -> TensorId {
        self.quantized_constant(node, dtype, Quant::None, shape, data)
    }

    /// As [`Lower::constant`], with an encoding.
    pub(in crate::lower) fn quantized_constant(
        &mut self,
        node: &Node,
        dtype: DataType,
        quant: Quant,
        shape: &[usize],
        data: Data,
    ) -> TensorId {
        let name = self.unique_name(&format!("{}.const", node.name));
        self.push_tensor(Tensor { name, role: Role::Static(data), dtype, dims: dims(shape, MAX_RANK), quant })
    }

    /// A float constant made by lowering.
    pub fn constant_f32(&mut self, node: &Node, shape: &[usize], values: &[f32]) -> TensorId {
        self.constant(node, DataType::Float32, shape, Data::from_f32(values))
    }

    /// A tensor of the program.
    pub fn get(&self, id: TensorId) -> &Tensor {
        self.program.tensor(id)
    }

    /// Starts an op of the vendor's package.
    pub fn op<'l>(&'l mut self, node: &Node, ty: &'static str) -> OpBuilder<'l, 'g> {
        OpBuilder::new(self, node, ty)
    }

    /// Starts an op from the node's `n` first inputs to its first output.
    pub fn simple<'l>(
        &'l mut self,
        node: &Node,
        ty: &'static str,
        n: usize,
    ) -> Result<OpBuilder<'l, 'g>, Diagnostic> {
        let inputs = (0..n).map(|i| self.input(node, i)).collect::<Result<Vec<_>, _>>()?;
        let output = self.output(node, 0)?;
        Ok(self.op(node, ty).inputs(inputs).outputs([output]))
    }

    /// Whether the app reads this value.
    pub fn is_output(&self, id: ValueId) -> bool {
        self.outputs.contains(&id)
    }

    pub(crate) fn push_op(&mut self, op: Op) {
        self.program.ops.push(op);
    }

    fn push_tensor(&mut self, tensor: Tensor) -> TensorId {
        self.program.tensors.push(tensor);
        TensorId(self.program.tensors.len() - 1)
    }

    /// `base`, or `base` with a number where that name is taken.
    pub(crate) fn unique_name(&mut self, base: &str) -> String {
        if self.names.insert(base.to_owned()) {
            return base.to_owned();
        }
        let mut n = 1usize;
        loop {
            let name = format!("{base}#{n}");
            if self.names.insert(name.clone()) {
                return name;
            }
            n += 1;
        }
    }
}

/// The most axes that an HTP tensor has.
pub const MAX_RANK: usize = 5;

/// The most axes that a tensor of a type can have between ops. Int32 and bool with five validate, but then ops that read them
/// cannot be finalized (Reshape, Concat) or crash the library (StridedSlice); measured on SM8650.
pub(in crate::lower) fn max_rank(dtype: DataType) -> usize {
    match dtype {
        DataType::Float32 | DataType::Float16 | DataType::UFixed8 | DataType::UFixed16 => MAX_RANK,
        _ => 4,
    }
}

/// The encoding of integers that stand for themselves.
fn plain(dtype: DataType) -> Quant {
    if dtype == DataType::SFixed8 { Quant::PerTensor { scale: 1.0, offset: 0 } } else { Quant::None }
}

/// A shape as QNN dims: a scalar has one element, and of more axes than `rank` the outermost ones are joined.
fn dims(shape: &[usize], rank: usize) -> Vec<u32> {
    if shape.is_empty() {
        return vec![1];
    }
    broadcast::fold(shape, rank).iter().map(|&d| d as u32).collect()
}
