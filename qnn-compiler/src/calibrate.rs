//! The calibration run: what values reach.
//!
//! It runs when a job asks for it, because it loads ONNX Runtime and computes the model on the host: more than a whole compile takes.
//! What can be seen without it (constants, normalizations, exponentials written out) the fusing passes rewrite in every compile.

use std::collections::HashSet;

use qnn_types::{CompileJob, Diagnostic, GraphSpec, Samples};

use crate::frontend::onnx::OnnxFile;
use crate::graph::Graph;
use crate::npz::{self, Array};
use crate::passes::range::Ranges;
use crate::problem::{Result, problem};
use crate::reference::{self, ReferenceEngine};

/// The arrays to run the model on; `graph` has the model's own inputs.
///
/// # Errors
/// `E0802` for a file that cannot be read.
pub(crate) fn arrays(samples: &Samples, graph: &Graph, spec: &GraphSpec) -> Result<Vec<(String, Array)>> {
    match samples {
        Samples::Generated => reference::generated(graph, &spec.inputs),
        Samples::File(path) => npz::read(path).map_err(|e| problem("E0802", e.to_string()).into()),
    }
}

/// What the graph's values reach on the samples.
///
/// # Errors
/// `E0218` and `E0803` of the reference engine.
pub(crate) fn measure(job: &CompileJob, graph: &Graph, samples: Vec<(String, Array)>) -> Result<Ranges> {
    let Some(library) = &job.toolchain.onnxruntime else {
        return Err(Diagnostic {
            help: Some("`cargo qnn toolchain install` installs it".to_owned()),
            ..problem("E0218", "ONNX Runtime is not installed")
        }
        .into());
    };
    let file = OnnxFile::open(&job.source)?;
    let model = file.model.graph.as_ref().map_or(&[][..], |graph| &graph.node);
    let known: HashSet<&str> = model.iter().flat_map(|node| node.output.iter().map(String::as_str)).collect();
    let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten());
    let values: Vec<String> = computed
        .map(|id| graph.value(*id))
        // Integers have their ranges in their encodings.
        .filter(|value| value.encoding.is_none())
        .filter(|value| value.ty.dtype.is_float() && known.contains(value.name.as_str()))
        .map(|value| value.name.clone())
        .collect();
    if values.is_empty() {
        return Ok(Ranges::default());
    }
    reference::ranges(&ReferenceEngine::new(library), &file, samples, &values)
}
