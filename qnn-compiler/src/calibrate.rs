//! The calibration run: what the values of a graph reach on some samples.

use qnn_types::{CompileJob, Diagnostic, GraphSpec};

use crate::graph::{Graph, ValueId};
use crate::passes::rescale::Ranges;
use crate::problem::{Result, problem};
use crate::reference::{Executor, Extremes, ReferenceEngine, Samples};

/// The range of each float that the nodes of a fused graph compute, whoever made them. What has an encoding has its range there, and is
/// rounded to it before others are computed of it.
///
/// # Errors
/// `E0218` of the reference engine, `E0802` and `E0803` of the samples.
pub(crate) fn measure(
    job: &CompileJob,
    graph: &Graph,
    spec: &GraphSpec,
    samples: &Samples,
) -> Result<Ranges> {
    let Some(library) = &job.toolchain.onnxruntime else {
        return Err(Diagnostic {
            help: Some("`cargo qnn toolchain install` installs it".to_owned()),
            ..problem("E0218", "ONNX Runtime is not installed")
        }
        .into());
    };
    let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten().copied());
    let floats = |id: &ValueId| graph.value(*id).encoding.is_none() && graph.dtype(*id).is_float();
    let values: Vec<ValueId> = computed.filter(floats).collect();
    let mut extremes = Extremes::default();
    let engine = ReferenceEngine::new(library);
    Executor::new(&engine, graph, &spec.inputs, true)?.observe(samples, &values, &mut extremes)?;
    Ok(extremes.0)
}
