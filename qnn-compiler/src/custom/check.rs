//! Checks a node against the definition of its op, and infers the types of its outputs.

use qnn_ops::{Datatype, Kind, Rank, ShapeRule, Tensor};
use qnn_types::Diagnostic;

use super::{Declared, Found};
use crate::graph::{DType, Graph, Node, TensorType};
use crate::infer::dims;

impl Found<'_> {
    /// Types of a node's outputs, all of those that the op has. `names` are those of its outputs in the model, `declared` what the
    /// model says of them.
    ///
    /// # Errors
    /// `E0909` for a node that does not fit the definition, `E0910` where an output's shape cannot be told.
    pub(crate) fn types(
        &self,
        graph: &Graph,
        node: &Node,
        names: &[String],
        declared: &Declared<'_>,
    ) -> Result<Vec<TensorType>, Diagnostic> {
        self.inputs_fit(graph, node)?;
        self.params(node)?;
        if names.len() > self.op.outputs.len() {
            let message =
                format!("{} has {} outputs, the node {}", self.name(), self.op.outputs.len(), names.len());
            return Err(self.problem(node, "E0909", message));
        }
        self.op
            .outputs
            .iter()
            .enumerate()
            .map(|(i, output)| {
                let said = names.get(i).and_then(|name| declared.get(name.as_str()));
                self.output(graph, node, i, output, said)
            })
            .collect()
    }

    fn inputs_fit(&self, graph: &Graph, node: &Node) -> Result<(), Diagnostic> {
        let inputs = &self.op.inputs;
        let least = inputs.iter().filter(|input| input.mandatory).count();
        let repeated = inputs.last().is_some_and(|input| input.repeated);
        let count = node.inputs.len();
        if count < least || (count > inputs.len() && !repeated) {
            let most = match (repeated, inputs.len() == least) {
                (true, _) => format!("{least} or more"),
                (false, true) => least.to_string(),
                (false, false) => format!("{least} to {}", inputs.len()),
            };
            let message = format!("{} has {most} inputs, the node {count}", self.name());
            return Err(self.problem(node, "E0909", message));
        }
        for (i, id) in node.inputs.iter().enumerate() {
            let Some(input) = self.input(i) else { continue };
            let Some(id) = *id else {
                let message =
                    format!("input `{}` of {} is left out and another follows", input.name, self.name());
                return Err(self.problem(node, "E0909", message));
            };
            let value = graph.value(id);
            if input.is_static && !graph.is_constant(id) {
                let message = format!("input `{}` of {} must be constant", input.name, self.name());
                return Err(self.problem(node, "E0909", message));
            }
            let axes = value.ty.shape.len();
            // A single value is a tensor of one element on the HTP.
            let single = input.rank == Rank::Scalar && value.ty.elements() == 1;
            if !single && !input.rank.fits(axes) {
                let message = format!(
                    "input `{}` of {} is {}, the node gives it a tensor of shape {}",
                    input.name,
                    self.name(),
                    input.rank,
                    dims(&value.ty.shape)
                );
                return Err(self.problem(node, "E0909", message));
            }
        }
        Ok(())
    }

    /// The definition of the `i`-th input.
    pub(super) fn input(&self, i: usize) -> Option<&Tensor> {
        let inputs = &self.op.inputs;
        inputs.get(i).or_else(|| inputs.last().filter(|last| last.repeated))
    }

    fn output(
        &self,
        graph: &Graph,
        node: &Node,
        i: usize,
        output: &Tensor,
        said: Option<&TensorType>,
    ) -> Result<TensorType, Diagnostic> {
        let inputs: Vec<Option<&[usize]>> =
            node.inputs.iter().map(|id| id.map(|id| graph.shape(id))).collect();
        let rule = self.package.shapes.get(&self.op.name).and_then(|rules| rules.get(i));
        let shape = match (said, rule) {
            (Some(said), _) => said.shape.clone(),
            (None, Some(rule)) => {
                let param = |name: &str| self.whole_number(node, name);
                ShapeRule::parse(rule, self.op).and_then(|rule| rule.shape(&inputs, &param)).map_err(
                    |why| {
                        self.problem(node, "E0910", format!("the shape of output `{}`: {why}", output.name))
                    },
                )?
            }
            (None, None) => match inputs.first().copied().flatten() {
                Some(first) if output.rank.fits(first.len()) => first.to_vec(),
                _ => {
                    let message =
                        format!("the shape of output `{}` of {} is not known", output.name, self.name());
                    let help = format!(
                        "say it in the manifest: op-packages.{}.shapes.{} = [\"…\"], or declare it in the model (onnx.shape_inference does not know the op)",
                        self.package.name, self.op.name
                    );
                    return Err(Diagnostic { help: Some(help), ..self.problem(node, "E0910", message) });
                }
            },
        };
        if !output.rank.fits(shape.len()) {
            let message = format!(
                "output `{}` of {} is {}, it would have the shape {}",
                output.name,
                self.name(),
                output.rank,
                dims(&shape)
            );
            return Err(self.problem(node, "E0909", message));
        }
        let first = node.input(0).map(|id| graph.dtype(id));
        let listed = self.definition.datatypes(self.op, Kind::Output, &output.name);
        let fits = |dtype: &DType| listed.is_empty() || listed.iter().any(|listed| holds(*listed, *dtype));
        let dtype = said.map(|said| said.dtype).or(first.filter(fits));
        let dtype = dtype.or_else(|| listed.iter().find_map(|listed| plain(*listed))).or(first);
        let dtype = dtype.ok_or_else(|| {
            self.problem(node, "E0909", format!("nothing says which type output `{}` has", output.name))
        })?;
        Ok(TensorType::new(dtype, shape))
    }
}

/// The type of a model's values that a type of the definition stands for; fixed point stands for the floats that it means.
pub(super) fn plain(datatype: Datatype) -> Option<DType> {
    Some(match datatype {
        Datatype::Float32 => DType::F32,
        Datatype::Float16 => DType::F16,
        Datatype::Int8 => DType::I8,
        Datatype::Int16 => DType::I16,
        Datatype::Int32 => DType::I32,
        Datatype::Int64 => DType::I64,
        Datatype::Uint8 => DType::U8,
        Datatype::Uint16 => DType::U16,
        Datatype::Uint32 => DType::U32,
        Datatype::Uint64 => DType::U64,
        Datatype::Bool8 => DType::Bool,
        fixed if fixed.is_fixed_point() => DType::F32,
        _ => return None,
    })
}

/// Whether values of a type of the model can be of a type of the definition; 64-bit integers are 32-bit ones on the device.
fn holds(datatype: Datatype, dtype: DType) -> bool {
    plain(datatype) == Some(dtype)
        || matches!((datatype, dtype), (Datatype::Int32, DType::I64) | (Datatype::Uint32, DType::U64))
}
