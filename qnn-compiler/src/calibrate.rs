//! The calibration run: what the values of a graph reach on some samples.

use qnn_types::{CompileJob, Diagnostic, GraphSpec, ValueRange};

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
    let mut extremes = Extremes::default();
    let engine = ReferenceEngine::new(library);
    let executor = Executor::new(&engine, graph, &spec.inputs, true)?;
    executor.observe(samples, &floats(graph), &mut extremes)?;
    Ok(extremes.0)
}

/// The values that are measured, in the order of their nodes.
fn floats(graph: &Graph) -> Vec<ValueId> {
    let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten().copied());
    let floats = |id: &ValueId| graph.value(*id).encoding.is_none() && graph.dtype(*id).is_float();
    computed.filter(floats).collect()
}

/// Ranges by the names of their values, as they leave this process: an id has no meaning outside of it.
pub(crate) fn named(graph: &Graph, ranges: &Ranges) -> Vec<ValueRange> {
    let range = |id: ValueId| {
        let &(low, high) = ranges.get(&id)?;
        Some(ValueRange { value: graph.value(id).name.clone(), low, high })
    };
    floats(graph).into_iter().filter_map(range).collect()
}

/// What [`named`] gave of the same graph; `None` where it was another. Values are told by their places, since names may repeat, and names say
/// whether the places are those of then.
pub(crate) fn recalled(graph: &Graph, named: &[ValueRange]) -> Option<Ranges> {
    let values = floats(graph);
    let same = |(id, range): (&ValueId, &ValueRange)| graph.value(*id).name == range.value;
    let is_it = values.len() == named.len() && values.iter().zip(named).all(same);
    is_it.then(|| values.into_iter().zip(named).map(|(id, range)| (id, (range.low, range.high))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::text;

    fn graph() -> Graph {
        text::parse(
            "graph g\n\
             input %x: float32[1,4]\n\
             %a: float32[1,4] = Relu(%x)\n\
             %b: float32[1,4] = Exp(%a)\n\
             output %b\n",
        )
        .unwrap()
    }

    #[test]
    fn ranges_come_back_to_the_values_that_they_are_of() {
        let graph = graph();
        let ids = floats(&graph);
        let ranges: Ranges =
            ids.iter().enumerate().map(|(i, id)| (*id, (-0.1 * i as f64, f64::INFINITY))).collect();
        let named = named(&graph, &ranges);
        assert_eq!(named.len(), 2);
        assert_eq!(recalled(&graph, &named), Some(ranges));
    }

    #[test]
    fn ranges_of_another_graph_are_not_taken() {
        let graph = graph();
        let range = |value: &str| ValueRange { value: value.to_owned(), low: 0.0, high: 1.0 };
        assert_eq!(recalled(&graph, &[range("a")]), None);
        assert_eq!(recalled(&graph, &[range("b"), range("a")]), None);
        assert_eq!(recalled(&graph, &[]), None);
    }
}
