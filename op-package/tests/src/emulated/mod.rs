//! The package's ops in the HTP emulator: compiled into a context binary, reloaded, executed.

mod graphs;
mod refused;

use std::path::Path;

use qnn::compose::{
    ContextConfig, GraphBuilder, GraphConfig, OpSpec, Param, Quant, Role, Scalar, TensorId, TensorSpec,
};
use qnn::{Backend, Context, DataType, Device, Tensor, TensorMut};

use crate::stored::{Encoding, Stored};
use crate::trials::Expected;

pub use graphs::{OPS, beyond_vtcm, graphs, neighbours};
pub use refused::refused;

pub const PACKAGE: &str = "QnnLlmOps";
pub const PROVIDER: &str = "QnnLlmOpsInterfaceProvider";

/// An input, constant or output.
#[derive(Clone, Debug)]
pub struct Operand {
    pub name: &'static str,
    pub dims: Vec<u32>,
    pub dtype: DataType,
    pub quant: Quant,
    /// Of an input or constant.
    pub bytes: Vec<u8>,
    /// Whether it is a constant.
    pub is_static: bool,
}

impl Operand {
    /// Numbers in an encoding; empty for an output.
    pub fn new(name: &'static str, encoding: Encoding, dims: &[u32], bytes: Vec<u8>) -> Operand {
        let dtype = match encoding.stored {
            Stored::F32 => DataType::Float32,
            Stored::F16 => DataType::Float16,
            Stored::U8 => DataType::UFixed8,
            Stored::S8 => DataType::SFixed8,
            Stored::U16 => DataType::UFixed16,
            Stored::S16 => DataType::SFixed16,
        };
        let quant = match encoding.stored.range() {
            Some(_) => Quant::PerTensor { scale: encoding.step, offset: -encoding.zero },
            None => Quant::None,
        };
        Operand { name, dims: dims.to_vec(), dtype, quant, bytes, is_static: false }
    }

    /// One unsigned integer.
    pub fn index(name: &'static str, value: u32) -> Operand {
        Operand {
            name,
            dims: vec![1],
            dtype: DataType::Uint32,
            quant: Quant::None,
            bytes: value.to_le_bytes().to_vec(),
            is_static: false,
        }
    }

    pub fn constant(self) -> Operand {
        Operand { is_static: true, ..self }
    }
}

/// A graph of one op.
#[derive(Clone, Debug)]
pub struct Graph {
    pub name: String,
    pub op: &'static str,
    pub inputs: Vec<Operand>,
    pub output: Operand,
    pub params: Vec<(&'static str, Scalar)>,
    /// How the output's bytes are read, and what they are to be.
    pub encoding: Encoding,
    pub expected: Vec<Expected>,
    /// Identity matrix products before and behind the op, which make it a neighbour of ops with another memory layout.
    pub between: bool,
    /// VTCM to plan for, MiB; all that the SoC has when `None`.
    pub vtcm_mb: Option<u32>,
}

/// The emulator as SM8650, with the package.
pub fn device(package: &Path) -> qnn::Result<Device> {
    let backend = Backend::htp()?;
    backend.register_op_package(package, PROVIDER, None)?;
    Device::for_soc(&backend, qnn_platform::soc::find("SM8650")?.id)
}

fn tensor<'d>(
    builder: &mut GraphBuilder<'d>,
    name: &'d str,
    operand: &'d Operand,
    role: Role<'d>,
) -> qnn::Result<TensorId> {
    let role = if operand.is_static { Role::Static(&operand.bytes) } else { role };
    let Operand { dtype, dims, quant, .. } = operand;
    builder.tensor(&TensorSpec { name, role, dtype: *dtype, dims, quant })
}

/// What a graph needs beside itself, since the builder borrows it.
struct Identity {
    matrix: Operand,
}

impl Identity {
    fn of(graph: &Graph) -> Identity {
        let width = *graph.output.dims.last().unwrap();
        let numbers = (0..width * width).map(|i| if i % (width + 1) == 0 { 1.0 } else { 0.0 });
        let encoding = Encoding { stored: Stored::F16, zero: 0, step: 0.0 };
        let bytes = encoding.encode(&numbers.collect::<Vec<_>>());
        Identity { matrix: Operand::new("identity", encoding, &[width, width], bytes).constant() }
    }
}

fn build<'d>(builder: &mut GraphBuilder<'d>, graph: &'d Graph, identity: &'d Identity) -> qnn::Result<()> {
    let mut inputs = Vec::new();
    for operand in &graph.inputs {
        inputs.push(tensor(builder, operand.name, operand, Role::Input)?);
    }
    let output = tensor(builder, graph.output.name, &graph.output, Role::Output)?;
    let params: Vec<Param<'_>> =
        graph.params.iter().map(|(name, value)| Param::Scalar(name, *value)).collect();
    let (ty, package) = (graph.op, PACKAGE);
    if !graph.between {
        return builder.add(&OpSpec {
            name: "op",
            package,
            ty,
            inputs: &inputs,
            outputs: &[output],
            params: &params,
        });
    }
    let matrix = tensor(builder, "identity", &identity.matrix, Role::Native)?;
    let before = tensor(builder, "before", &graph.output, Role::Native)?;
    let after = tensor(builder, "after", &graph.output, Role::Native)?;
    multiply(builder, "first", [inputs[0], matrix], before)?;
    inputs[0] = before;
    builder.add(&OpSpec { name: "op", package, ty, inputs: &inputs, outputs: &[after], params: &params })?;
    multiply(builder, "last", [after, matrix], output)
}

fn multiply(
    builder: &mut GraphBuilder<'_>,
    name: &str,
    inputs: [TensorId; 2],
    output: TensorId,
) -> qnn::Result<()> {
    let (package, ty) = ("qti.aisw", "MatMul");
    builder.add(&OpSpec { name, package, ty, inputs: &inputs, outputs: &[output], params: &[] })
}

/// Compiles graphs into one context binary.
pub fn compile(package: &Path, graphs: &[Graph], to: &Path) -> qnn::Result<()> {
    let device = device(package)?;
    let identities: Vec<Identity> = graphs.iter().map(Identity::of).collect();
    let context = device.new_context(&ContextConfig::default())?;
    for (graph, identity) in graphs.iter().zip(&identities) {
        let config = GraphConfig { vtcm_mb: graph.vtcm_mb, ..GraphConfig::default() };
        let mut builder = context.graph(&graph.name, &config)?;
        build(&mut builder, graph, identity)?;
        builder.finalize()?;
    }
    let mut binary = vec![0; context.binary_size()? as usize];
    let written = context.write_binary(&mut binary)?;
    std::fs::write(to, &binary[..written]).unwrap();
    Ok(())
}

/// Loads a context binary and executes a graph of it; returns the output.
pub fn execute(context: &Context, graph: &Graph) -> qnn::Result<Vec<u8>> {
    let mut output = vec![0xa5; graph.expected.len() * graph.encoding.stored.size()];
    let inputs: Vec<(&str, Tensor<'_>)> = graph
        .inputs
        .iter()
        .filter(|operand| !operand.is_static)
        .map(|operand| (operand.name, Tensor::raw(operand.dtype.storage(), &operand.bytes)))
        .collect();
    let dtype = graph.output.dtype.storage();
    let loaded = context.graph(&graph.name)?;
    loaded.execute(&inputs, &mut [(graph.output.name, TensorMut::raw(dtype, &mut output))])?;
    Ok(output)
}

/// Asks the package whether it takes a graph; returns the error's text.
pub fn refusal(device: &Device, graph: &Graph) -> Option<String> {
    let identity = Identity::of(graph);
    let context = device.new_context(&ContextConfig::default()).unwrap();
    let mut builder = context.graph(&graph.name, &GraphConfig::default()).unwrap();
    build(&mut builder, graph, &identity).err().map(|error| error.to_string())
}
