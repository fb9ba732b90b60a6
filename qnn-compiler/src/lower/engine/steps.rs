//! The ops that one node becomes: an expression is written step by step, each step a tensor, the last one the node's output.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::{DType, Data, Node, TensorType, ValueId};
use crate::lower::engine::{Lower, OpBuilder};
use crate::lower::fixed::{self, FixedPoint};
use crate::lower::ops::convert;
use crate::problem::node_problem;
use crate::program::{Quant, Role, TensorId};

/// The largest finite number of fp16, in which HTP computes.
pub(in crate::lower) const FP16_MAX: f64 = 65504.0;

/// Ops whose result has the elements, and so the encoding, of their first input.
pub(in crate::lower) const MOVING: &[&str] = &[
    "DepthToSpace",
    "Gather",
    "GatherElements",
    "Pad",
    "PoolMax2d",
    "Reshape",
    "ResizeNearestNeighbor",
    "ScatterElements",
    "ScatterNd",
    "SpaceToDepth",
    "StridedSlice",
    "Tile",
    "Transpose",
];

/// Writes ops of one node.
pub(in crate::lower) struct Ops<'l, 'g, 'n> {
    /// The program so far.
    pub(in crate::lower) lower: &'l mut Lower<'g>,
    /// The node being lowered.
    pub(in crate::lower) node: &'n Node,
}

impl<'l, 'g, 'n> Ops<'l, 'g, 'n> {
    pub(in crate::lower) fn new(lower: &'l mut Lower<'g>, node: &'n Node) -> Self {
        Self { lower, node }
    }

    /// A problem of this node's form.
    pub(in crate::lower) fn refuse(&self, why: impl Into<String>) -> Diagnostic {
        node_problem("E0302", self.node, why)
    }

    /// Tensor of the `i`-th input, which must be there.
    pub(in crate::lower) fn input(&mut self, i: usize) -> Result<TensorId, Diagnostic> {
        self.lower.input(self.node, i)
    }

    /// As [`Ops::input`], constants clamped to the numbers that fp16 has: HTP has no infinity, and adds two of what it
    /// takes for infinity to something that no later op understands.
    pub(in crate::lower) fn finite_input(&mut self, i: usize) -> Result<TensorId, Diagnostic> {
        let tensor = self.input(i)?;
        let id = self.value(i)?;
        let value = self.lower.graph.value(id);
        let Some(data) = value.data.as_ref().filter(|_| value.ty.dtype.is_float()) else { return Ok(tensor) };
        let values = data.to_f64(value.ty.dtype);
        if values.iter().all(|v| v.abs() <= FP16_MAX || v.is_nan()) {
            return Ok(tensor);
        }
        let clamped: Vec<f64> = values.iter().map(|v| v.clamp(-FP16_MAX, FP16_MAX)).collect();
        let (dtype, shape) = (self.dtype(tensor), self.shape(tensor));
        Ok(self.constant(dtype, &shape, &clamped))
    }

    /// The `i`-th input's value, which must be there.
    pub(in crate::lower) fn value(&self, i: usize) -> Result<ValueId, Diagnostic> {
        self.node.input(i).ok_or_else(|| node_problem("E0302", self.node, format!("input {i} is missing")))
    }

    /// Type of the `i`-th input, which must be there.
    pub(in crate::lower) fn input_type(&self, i: usize) -> Result<&'g TensorType, Diagnostic> {
        self.lower.input_type(self.node, i)
    }

    /// Type of the `i`-th output, which must be there.
    pub(in crate::lower) fn output_type(&self, i: usize) -> Result<&'g TensorType, Diagnostic> {
        self.lower.output_type(self.node, i)
    }

    /// Elements of the `i`-th input, which must be constant.
    pub(in crate::lower) fn constant_ints(&self, i: usize, what: &str) -> Result<Vec<i64>, Diagnostic> {
        let id = self.value(i)?;
        self.lower.graph.const_i64(id).ok_or_else(|| {
            let mut p =
                node_problem("E0307", self.node, format!("{what} of {} must be constant", self.node.op));
            p.help = Some("HTP graphs are static; export the model with this input fixed".to_owned());
            p
        })
    }

    /// Elements of the `i`-th input as integers, where it is there and constant.
    pub(in crate::lower) fn known_ints(&self, i: usize) -> Option<Vec<i64>> {
        self.lower.graph.const_i64(self.node.input(i)?)
    }

    /// Dims of a tensor.
    pub(in crate::lower) fn shape(&self, t: TensorId) -> Vec<usize> {
        self.lower.get(t).dims.iter().map(|&d| d as usize).collect()
    }

    /// Element type of a tensor.
    pub(in crate::lower) fn dtype(&self, t: TensorId) -> DataType {
        self.lower.get(t).dtype
    }

    /// A step: an op from these inputs to one new tensor.
    pub(in crate::lower) fn step(
        &mut self,
        ty: &'static str,
        inputs: &[TensorId],
        dtype: DataType,
        shape: &[usize],
        params: impl for<'a> FnOnce(OpBuilder<'a, 'g>) -> OpBuilder<'a, 'g>,
    ) -> TensorId {
        let out = match inputs {
            [x, ..] if MOVING.contains(&ty) => self.temp_like(*x, dtype, shape),
            _ => self.lower.temp(self.node, dtype, shape),
        };
        let op = self.lower.op(self.node, ty).inputs(inputs.iter().copied()).outputs([out]);
        params(op).emit();
        if dtype.is_quantized() && self.lower.ranges.is_some() {
            fixed::derive(self.lower, out);
        }
        out
    }

    /// The numbers of unsigned integers in another form of their type; of a constant that is another constant.
    pub(in crate::lower) fn in_form(&mut self, x: TensorId, form: FixedPoint) -> TensorId {
        let tensor = self.lower.get(x);
        let &Quant::PerTensor { scale, offset } = &tensor.quant else { return x };
        if tensor.quant == form.quant() {
            return x;
        }
        let shape = self.shape(x);
        if let Role::Static(data) = &tensor.role {
            let real = |q: i64| (q + i64::from(offset)) as f64 * f64::from(scale);
            let stored = data.to_i64(storage(tensor.dtype));
            let stored: Vec<f64> = stored.into_iter().map(|q| form.store(real(q))).collect();
            let data = encode(form.dtype.storage(), &stored);
            return self.lower.quantized_constant(self.node, form.dtype, form.quant(), &shape, data);
        }
        let out = self.lower.quantized_temp(self.node, form.dtype, form.quant(), &shape);
        self.lower.op(self.node, "Convert").inputs([x]).outputs([out]).emit();
        out
    }

    /// A tensor of this node with the encoding of another, where the type is the same.
    pub(in crate::lower) fn temp_like(
        &mut self,
        like: TensorId,
        dtype: DataType,
        shape: &[usize],
    ) -> TensorId {
        let tensor = self.lower.get(like);
        let quant = if tensor.dtype == dtype { tensor.quant.clone() } else { Quant::None };
        self.lower.quantized_temp(self.node, dtype, quant, shape)
    }

    /// The numbers of `x` in another type and encoding.
    pub(in crate::lower) fn refit(
        &mut self,
        x: TensorId,
        dtype: DataType,
        quant: Quant,
    ) -> Result<TensorId, Diagnostic> {
        let tensor = self.lower.get(x);
        if tensor.dtype == dtype && tensor.quant == quant {
            return Ok(x);
        }
        // Numbers that stand for themselves, as int8 does, are cast to other integers.
        let plain = |dtype: DataType| !dtype.is_quantized() && !is_float(dtype);
        if plain(tensor.dtype) || plain(dtype) {
            return self.cast(x, dtype);
        }
        let ty = match (tensor.dtype.is_quantized(), dtype.is_quantized()) {
            (false, false) => return self.cast(x, dtype),
            (true, true) => "Convert",
            (false, true) => "Quantize",
            (true, false) => "Dequantize",
        };
        let shape = self.shape(x);
        let out = self.lower.quantized_temp(self.node, dtype, quant, &shape);
        self.lower.op(self.node, ty).inputs([x]).outputs([out]).emit();
        Ok(out)
    }

    /// An op that changes neither shape nor type.
    pub(in crate::lower) fn unary(&mut self, ty: &'static str, x: TensorId) -> TensorId {
        self.unary_with(ty, x, |op| op)
    }

    /// An op with parameters that changes neither shape nor type.
    pub(in crate::lower) fn unary_with(
        &mut self,
        ty: &'static str,
        x: TensorId,
        params: impl for<'a> FnOnce(OpBuilder<'a, 'g>) -> OpBuilder<'a, 'g>,
    ) -> TensorId {
        let (dtype, shape) = (self.dtype(x), self.shape(x));
        self.step(ty, &[x], dtype, &shape, params)
    }

    /// A broadcasting op on two tensors of one type; the result has the type too.
    pub(in crate::lower) fn binary(&mut self, ty: &'static str, a: TensorId, b: TensorId) -> TensorId {
        let dtype = self.dtype(a);
        let shape = crate::lower::blocks::broadcast::shape(&[&self.shape(a), &self.shape(b)]);
        self.step(ty, &[a, b], dtype, &shape, |op| op)
    }

    /// A broadcasting op on two tensors of one type that says yes or no.
    pub(in crate::lower) fn compare(&mut self, ty: &'static str, a: TensorId, b: TensorId) -> TensorId {
        let shape = crate::lower::blocks::broadcast::shape(&[&self.shape(a), &self.shape(b)]);
        self.step(ty, &[a, b], DataType::Bool, &shape, |op| op)
    }

    /// `a` where the condition holds, else `b`.
    pub(in crate::lower) fn select(&mut self, condition: TensorId, a: TensorId, b: TensorId) -> TensorId {
        let dtype = self.dtype(a);
        // Of integers both have the encoding of the result.
        let form = match &self.lower.ranges {
            _ if !dtype.is_quantized() => None,
            None => self.lower.result,
            Some(_) => fixed::common(self.lower, a, b),
        };
        let (a, b) = match form {
            Some(form) => (self.in_form(a, form), self.in_form(b, form)),
            None => (a, b),
        };
        let shape =
            crate::lower::blocks::broadcast::shape(&[&self.shape(condition), &self.shape(a), &self.shape(b)]);
        self.step("ElementWiseSelect", &[condition, a, b], dtype, &shape, |op| op)
    }

    /// A binary op with one number of `x`'s type on the right.
    pub(in crate::lower) fn with(&mut self, ty: &'static str, x: TensorId, number: f64) -> TensorId {
        let number = self.number(self.dtype(x), number);
        self.binary(ty, x, number)
    }

    /// A constant of any type; floats are clamped to fp16's range.
    pub(in crate::lower) fn constant(
        &mut self,
        dtype: DataType,
        shape: &[usize],
        values: &[f64],
    ) -> TensorId {
        if dtype.is_quantized() {
            let form = fixed::around(dtype, values);
            let stored: Vec<f64> = values.iter().map(|&v| form.store(v)).collect();
            let data = encode(dtype.storage(), &stored);
            return self.lower.quantized_constant(self.node, dtype, form.quant(), shape, data);
        }
        let data = encode(dtype, values);
        self.lower.constant(self.node, dtype, shape, data)
    }

    /// One number as a constant that broadcasts.
    pub(in crate::lower) fn number(&mut self, dtype: DataType, value: f64) -> TensorId {
        self.constant(dtype, &[1], &[value])
    }

    /// A constant that is the same number everywhere.
    pub(in crate::lower) fn filled(&mut self, dtype: DataType, shape: &[usize], value: f64) -> TensorId {
        let count: usize = shape.iter().product();
        let one = self.number(dtype, value);
        let tensor = self.lower.get(one);
        let Role::Static(data) = &tensor.role else { unreachable!("a number is constant") };
        let (data, quant) = (Data::new(data.bytes().repeat(count).into()), tensor.quant.clone());
        self.lower.quantized_constant(self.node, dtype, quant, shape, data)
    }

    /// A constant of integers.
    pub(in crate::lower) fn ints(&mut self, shape: &[usize], values: &[i64]) -> TensorId {
        let values: Vec<i32> =
            values.iter().map(|&v| v.clamp(i32::MIN.into(), i32::MAX.into()) as i32).collect();
        self.lower.constant(self.node, DataType::Int32, shape, Data::from_i32(&values))
    }

    /// The same elements in another shape. Of a constant that is another constant, else an op unless the shape is the
    /// same.
    pub(in crate::lower) fn reshape(&mut self, x: TensorId, shape: &[usize]) -> TensorId {
        if self.shape(x) == shape {
            return x;
        }
        let tensor = self.lower.get(x);
        let dtype = tensor.dtype;
        if let Role::Static(data) = &tensor.role
            && matches!(tensor.quant, Quant::None | Quant::PerTensor { .. })
        {
            let (data, quant) = (data.clone(), tensor.quant.clone());
            return self.lower.quantized_constant(self.node, dtype, quant, shape, data);
        }
        self.step("Reshape", &[x], dtype, shape, |op| op)
    }

    /// The same numbers in another type.
    pub(in crate::lower) fn cast(&mut self, x: TensorId, dtype: DataType) -> Result<TensorId, Diagnostic> {
        convert::convert(self, x, dtype)
    }

    /// `x`, or `x` as int32 where its type is not one of `native`.
    pub(in crate::lower) fn widened(
        &mut self,
        x: TensorId,
        native: &[DataType],
    ) -> Result<TensorId, Diagnostic> {
        if native.contains(&self.dtype(x)) { Ok(x) } else { self.cast(x, DataType::Int32) }
    }

    /// Makes a step the node's `i`-th output, in that output's shape and type; nothing where the node lacks it.
    pub(in crate::lower) fn output(&mut self, i: usize, result: TensorId) -> Result<(), Diagnostic> {
        let Some(id) = self.node.output(i) else { return Ok(()) };
        let out = self.lower.tensor(id)?;
        // Integers that stand for themselves: fractions are cut off, not rounded.
        let plain = self.lower.graph.value(id).encoding.is_none() && self.dtype(out).is_quantized();
        let result = if plain { self.cast(result, self.dtype(out))? } else { result };
        self.write(result, out)
    }

    /// Makes a tensor that exists from a step, in its shape, type and encoding.
    pub(in crate::lower) fn write(&mut self, result: TensorId, out: TensorId) -> Result<(), Diagnostic> {
        let (dtype, shape) = (self.dtype(out), self.shape(out));
        let quant = self.lower.get(out).quant.clone();
        let result = self.refit(result, dtype, quant)?;
        let result = self.reshape(result, &shape);
        if !self.lower.redirect_result(result, out) {
            self.lower.op(self.node, "Reshape").inputs([result]).outputs([out]).emit();
        }
        Ok(())
    }

    /// Makes a tensor that exists the node's first output: nothing is computed unless the app reads it.
    pub(in crate::lower) fn pass_on(&mut self, x: TensorId) -> Result<(), Diagnostic> {
        let id =
            self.node.output(0).ok_or_else(|| node_problem("E0302", self.node, "output 0 is missing"))?;
        if self.lower.is_output(id) {
            return self.output(0, x);
        }
        self.lower.alias(id, x);
        Ok(())
    }
}

/// Whether elements stand for real numbers: floats, or integers with an encoding.
pub(in crate::lower) fn is_float(dtype: DataType) -> bool {
    matches!(dtype, DataType::Float32 | DataType::Float16 | DataType::UFixed8 | DataType::UFixed16)
}

/// How the elements of a constant of unsigned integers are stored.
pub(in crate::lower) fn storage(dtype: DataType) -> DType {
    if dtype == DataType::UFixed16 { DType::U16 } else { DType::U8 }
}

/// Numbers as the bytes of a type.
pub(in crate::lower) fn encode(dtype: DataType, values: &[f64]) -> Data {
    fn each<const N: usize>(values: &[f64], bytes: impl Fn(f64) -> [u8; N]) -> Data {
        Data::new(values.iter().flat_map(|&v| bytes(v)).collect())
    }
    let finite = |v: f64| v.clamp(-FP16_MAX, FP16_MAX);
    match dtype {
        DataType::Float16 => each(values, |v| half::f16::from_f64(finite(v)).to_le_bytes()),
        DataType::Float32 => each(values, |v| (finite(v) as f32).to_le_bytes()),
        DataType::Int16 => each(values, |v| (v as i16).to_le_bytes()),
        DataType::Uint16 => each(values, |v| (v as u16).to_le_bytes()),
        DataType::Uint32 => each(values, |v| (v as u32).to_le_bytes()),
        DataType::Int8 => each(values, |v| (v as i8).to_le_bytes()),
        DataType::Uint8 => each(values, |v| [v as u8]),
        DataType::Bool => each(values, |v| [u8::from(v != 0.0)]),
        _ => each(values, |v| (v as i32).to_le_bytes()),
    }
}
