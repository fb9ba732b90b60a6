//! The values inside a model that can be compared with a reference: what the nodes of its main graph compute.

use std::collections::{BTreeMap, HashMap, HashSet};

use qnn_types::{CompileJob, ComputedValue, GraphSpec, Report, Stage};

use crate::custom::OpPackages;
use crate::frontend::onnx::proto::NodeProto;
use crate::frontend::onnx::{ImportOptions, OnnxFile};
use crate::lower::MAX_RANK;
use crate::passes::{self, Phase, Setting};
use crate::problem::Result;
use crate::reference::ReferenceEngine;
use crate::reporter::Reporter;

/// Names them for the job's first graph.
///
/// # Errors
/// Why the model cannot be read.
pub(crate) fn name(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Import);
    let computed = match job.graphs.first() {
        Some(spec) => values(job, spec)?,
        None => Vec::new(),
    };
    Ok(Report { computed, stage_ms: reporter.finish(), ..Report::default() })
}

/// The float values of a model in the order in which they are computed. Values that a compile folds away, or that are computed
/// inside of a fused operator, are left out: their numbers are not those that the model ends with. So are values of more axes than
/// an app can read.
fn values(job: &CompileJob, spec: &GraphSpec) -> Result<Vec<ComputedValue>> {
    let file = OnnxFile::open(&job.source)?;
    let reference = job.toolchain.onnxruntime.as_ref().map(ReferenceEngine::new);
    let own = OpPackages::load(&job.op_packages)?;
    let options = ImportOptions {
        inputs: &spec.inputs,
        outputs: &job.outputs,
        reference: reference.as_ref(),
        op_packages: &own,
    };
    let mut imported = file.import(&options)?.graph;
    let (inputs, mut warn) = (BTreeMap::new(), |_| {});
    let mut setting = Setting::new(&job.soc, &inputs, &mut warn);
    passes::run_until(&mut imported, &mut setting, Phase::Fuse)?;
    let computed: HashSet<&str> = imported
        .nodes
        .iter()
        .flat_map(|node| node.outputs.iter().flatten())
        .map(|id| imported.value(*id))
        .filter(|value| value.ty.dtype.is_float() && value.ty.shape.len() <= MAX_RANK)
        .map(|value| value.name.as_str())
        .collect();
    let nodes = file.model.graph.as_ref().map_or(&[][..], |graph| &graph.node);
    let rounded = if job.soc.fp16 { HashMap::new() } else { rounded(nodes) };
    let values = nodes.iter().flat_map(|node| {
        node.output.iter().filter(|value| computed.contains(value.as_str())).filter_map(|value| {
            let seen = if job.soc.fp16 { value } else { *rounded.get(value.as_str())? };
            Some(ComputedValue { value: seen.clone(), node: node.name.clone(), op: node.op_type.clone() })
        })
    });
    Ok(values.collect())
}

/// What values are behind QuantizeLinear and DequantizeLinear: all that a SoC without floats can show of them.
fn rounded(nodes: &[NodeProto]) -> HashMap<&str, &String> {
    let by_input = |op: &str| -> HashMap<&str, &String> {
        let of_op = nodes.iter().filter(|node| node.op_type == op);
        of_op.filter_map(|node| Some((node.input.first()?.as_str(), node.output.first()?))).collect()
    };
    let (quantized, real) = (by_input("QuantizeLinear"), by_input("DequantizeLinear"));
    quantized.into_iter().filter_map(|(value, stored)| Some((value, *real.get(stored.as_str())?))).collect()
}
