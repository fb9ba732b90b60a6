//! The calibration run: which values leave the range of fp16, and what is done about it.
//!
//! It runs when a job asks for it, because it loads ONNX Runtime and computes the model on the host: more than a whole compile takes.
//! What can be seen without it (constants, normalizations, exponentials written out) the fusing passes rewrite in every compile.

use qnn_build::job::{CompileJob, Diagnostic, GraphSpec, Samples, Stage};

use crate::frontend::onnx::OnnxFile;
use crate::graph::Graph;
use crate::npz::{self, Array};
use crate::passes::range::{self, Beyond, LARGEST};
use crate::problem::{Result, problem};
use crate::reference::{self, ReferenceEngine};
use crate::reporter::Reporter;

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

/// Runs the model on the samples, scales what leaves fp16, and warns of what cannot be scaled.
///
/// # Errors
/// `E0218` and `E0803` of the reference engine.
pub(crate) fn run(
    job: &CompileJob,
    graph: &mut Graph,
    samples: Vec<(String, Array)>,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    let Some(library) = &job.toolchain.onnxruntime else {
        return Err(Diagnostic {
            help: Some("`cargo qnn toolchain install` installs it".to_owned()),
            ..problem("E0218", "ONNX Runtime is not installed")
        }
        .into());
    };
    reporter.stage(Stage::Reference);
    let file = OnnxFile::open(&job.source)?;
    let model = file.model.graph.as_ref().map_or(&[][..], |graph| &graph.node);
    let known: std::collections::HashSet<&str> =
        model.iter().flat_map(|node| node.output.iter().map(String::as_str)).collect();
    let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten());
    let values: Vec<String> = computed
        .map(|id| graph.value(*id))
        // Integers have their ranges in their encodings.
        .filter(|value| value.encoding.is_none())
        .filter(|value| value.ty.dtype.is_float() && known.contains(value.name.as_str()))
        .map(|value| value.name.clone())
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    let ranges = reference::ranges(&ReferenceEngine::new(library), &file, samples, &values)?;
    reporter.stage(Stage::Optimize);
    for left in range::run(graph, &ranges) {
        reporter.warn(warning(&left));
    }
    Ok(())
}

fn warning(left: &Beyond) -> Diagnostic {
    let Beyond { value, node: (node, op), largest } = left;
    Diagnostic {
        node: Some(node.clone()),
        op: Some(op.clone()),
        notes: vec![format!("in the calibration run it reached {largest:.4e}; fp16 ends at {LARGEST}")],
        help: Some(
            "divide what it is computed from by a power of two in the model; `cargo qnn verify --layers` shows what it does to \
             the outputs"
                .to_owned(),
        ),
        ..problem("E0311", format!("value {value:?} leaves the range of fp16"))
    }
}
