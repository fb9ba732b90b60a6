//! What a SoC without an fp16 unit cannot run.

use std::collections::{HashMap, HashSet};

use qnn::DataType;
use qnn_types::{Diagnostic, Target};

use crate::graph::{Graph, Origin};
use crate::problem::problem;
use crate::program::{Op, Program};

/// Ops that every SoC has for floats, exactly: they move or convert. All others the library refuses (measured on QCS6490 with
/// QNN 2.51).
const EVERYWHERE: &[&str] = &["Cast", "Dequantize", "Quantize", "Reshape", "Transpose"];

/// Refuses a program that computes with floats, by one problem that names each node that would.
///
/// # Errors
/// `E0106` where the model is not quantized, `E0312` where parts of it are.
pub(in crate::lower) fn refuse(
    program: &Program,
    graph: &Graph,
    target: &Target,
    reasons: &HashMap<String, String>,
) -> Result<(), Diagnostic> {
    let mut seen = HashSet::new();
    let found: Vec<&Origin> = program
        .ops
        .iter()
        .filter(|op| computes_with_floats(program, op))
        .map(|op| &*op.origin)
        .filter(|origin| seen.insert(&origin.node))
        .collect();
    let Some(Origin { node, op }) = found.first() else { return Ok(()) };
    let soc = &target.name;
    let leave_out = format!("take {soc} out of `soc` for this model");
    let count = match found.len() {
        1 => "1 operator".to_owned(),
        count => format!("{count} operators"),
    };
    if !graph.value_ids().any(|id| graph.value(id).encoding.is_some()) {
        let mut p = problem("E0106", format!("{soc} has no fp16 unit, and the model is not quantized"));
        p.notes = vec![format!("{count} would compute with floats, {node:?} ({op}) first")];
        p.help = Some(format!(
            "quantize the model: QuantizeLinear and DequantizeLinear nodes, or an encodings file (`quantize.encodings`); or {leave_out}"
        ));
        return Err(p);
    }
    let mut p = problem(
        "E0312",
        format!("{soc} has no fp16 unit, and {count} of the quantized model would compute with floats"),
    );
    if let [_] = found[..] {
        (p.node, p.op) = (Some(node.clone()), Some(op.clone()));
    }
    let none = "nothing that it reads or makes has an encoding".to_owned();
    p.notes = found
        .iter()
        .map(|Origin { node, op }| format!("{node:?} ({op}): {}", reasons.get(node).unwrap_or(&none)))
        .collect();
    p.help = Some(format!(
        "quantize these too: give each value that is named an encoding, in the model or in an encodings file (`quantize.encodings`); \
         what HTP has no integers for, leave to the app with `outputs`, or {leave_out}"
    ));
    Err(p)
}

fn computes_with_floats(program: &Program, op: &Op) -> bool {
    let float = |dtype| matches!(dtype, DataType::Float32 | DataType::Float16);
    !EVERYWHERE.contains(&&*op.ty)
        && op.inputs.iter().chain(&op.outputs).any(|&id| float(program.tensor(id).dtype))
}
