//! Cast, and the conversions that other operators need.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::{DType, Node};
use crate::lower::blocks::broadcast::fold;
use crate::lower::engine::{Lower, Ops, is_float};
use crate::problem::node_problem;
use crate::program::{Quant, Role, TensorId};

/// One hop of a conversion.
#[derive(Clone, Copy)]
enum Hop {
    /// HTP's Cast.
    Cast(DataType),
    /// Anything but zero is true. HTP's own Cast to bool truncates first: 0.5 becomes false, 3 becomes the byte 3.
    NotZero,
    /// The low byte. HTP's own Cast saturates: -1 becomes 0, in ONNX 255.
    LowByte,
    /// The low byte with its sign, as plain SFixed8, which is how HTP knows int8.
    SignedByte,
}

/// How HTP gets from one type to another. What is missing here is refused by HTP's Cast or computes something else:
/// measured on SM8650, uint8 to float32 gives 1.0 for everything that is not 0.
fn hops(from: DataType, to: DataType) -> Option<&'static [Hop]> {
    use DataType::{Bool, Float16, Float32, Int16, Int32, SFixed8, Uint8, Uint32};
    use Hop::{Cast, LowByte, NotZero, SignedByte};
    Some(match (from, to) {
        (Float32 | Float16 | Int32, Bool) => &[NotZero],
        (Uint8 | Uint32 | Int16, Bool) => &[Cast(Int32), NotZero],
        (Uint8 | Int16, Float32) | (Uint32, Float32) => &[Cast(Int32), Cast(Float32)],
        (Int16, Float16) | (Uint32, Float16) => &[Cast(Int32), Cast(Float16)],
        (Int16, Uint32) | (Float16, Uint32) => &[Cast(Int32), Cast(Uint32)],
        (Int32, Uint8) => &[LowByte],
        (Float16 | Int16 | Uint32, Uint8) => &[Cast(Int32), LowByte],
        (Float32 | Float16 | Uint8 | Bool | Int16 | Uint32, Int32) => &[Cast(Int32)],
        (Float32 | Uint8 | Bool | Int32, Uint32) => &[Cast(Uint32)],
        (Float16 | Bool | Int32, Float32) => &[Cast(Float32)],
        (Float32 | Uint8 | Bool | Int32, Float16) => &[Cast(Float16)],
        (Float32 | Bool, Uint8) => &[Cast(Uint8)],
        (SFixed8, Int32) => &[Cast(Int32)],
        (SFixed8, Float32) => &[Cast(Int32), Cast(Float32)],
        (SFixed8, Float16) => &[Cast(Int32), Cast(Float16)],
        (SFixed8, Uint32) => &[Cast(Int32), Cast(Uint32)],
        (SFixed8, Uint8) => &[Cast(Int32), LowByte],
        (SFixed8, Bool) => &[Cast(Int32), NotZero],
        (Int32, SFixed8) => &[SignedByte],
        (Float32 | Float16 | Uint8 | Bool | Int16 | Uint32, SFixed8) => &[Cast(Int32), SignedByte],
        _ => return None,
    })
}

/// `x` in another type.
pub(in crate::lower) fn convert(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    to: DataType,
) -> Result<TensorId, Diagnostic> {
    let from = ops.dtype(x);
    if from == to {
        return Ok(x);
    }
    let Some(hops) = hops(from, to) else {
        let mut p =
            node_problem("E0304", ops.node, format!("HTP cannot convert {} to {}", from.name(), to.name()));
        p.help = Some(
            "HTP computes with float32, float16, int32, uint8 and bool; export the model with one of these"
                .to_owned(),
        );
        return Err(p);
    };
    let shape = ops.shape(x);
    // The library misreads constants of int8 that it casts.
    let plain = matches!(ops.lower.get(x).quant, Quant::PerTensor { scale: 1.0, offset: 0 });
    if let (DataType::SFixed8, Role::Static(data), true, false) =
        (from, &ops.lower.get(x).role, plain, to.is_quantized())
    {
        let values = data.to_f64(DType::I8);
        return Ok(ops.constant(to, &shape, &values));
    }
    let mut y = ops.reshape(x, &fold(&shape, 4));
    for hop in hops {
        y = match hop {
            Hop::Cast(dtype) => {
                let shape = ops.shape(y);
                ops.step("Cast", &[y], *dtype, &shape, |op| op)
            }
            Hop::NotZero => {
                let zero = ops.number(ops.dtype(y), 0.0);
                ops.compare("ElementWiseNotEqual", y, zero)
            }
            Hop::SignedByte => {
                let lifted = ops.with("ElementWiseAdd", y, 128.0);
                let low = ops.with("ElementWiseMod", lifted, 256.0);
                let signed = ops.with("ElementWiseSubtract", low, 128.0);
                let shape = ops.shape(signed);
                ops.step("Cast", &[signed], DataType::SFixed8, &shape, |op| op)
            }
            Hop::LowByte => {
                let low = ops.with("ElementWiseMod", y, 256.0);
                let shape = ops.shape(low);
                ops.step("Cast", &[low], DataType::Uint8, &shape, |op| op)
            }
        };
    }
    Ok(ops.reshape(y, &shape))
}

/// Cast, CastLike: to the type of the output.
pub(crate) fn cast(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let id = node.output(0).ok_or_else(|| node_problem("E0302", node, "output 0 is missing"))?;
    let out = ops.lower.tensor(id)?;
    let graph_io = ops.lower.graph.inputs.contains(&ops.value(0)?) && ops.lower.is_output(id);
    if graph_io && ops.dtype(x) != ops.dtype(out) && is_float(ops.dtype(x)) && is_float(ops.dtype(out)) {
        return Err(ops.refuse(
            "from what the app passes to what it reads, of floats: HTP does not keep infinity and NaN apart on the way",
        ));
    }
    // The front end drops casts to the same type; narrowing 64-bit types makes more of them.
    if ops.dtype(x) == ops.dtype(out) { ops.pass_on(x) } else { ops.output(0, x) }
}

/// Identity, Dropout: the same tensor, copied where the app reads it.
pub(crate) fn identity(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    ops.pass_on(x)
}
