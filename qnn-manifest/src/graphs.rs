//! The graphs that the manifest asks for of a model.

use std::collections::BTreeMap;

use qnn_platform::soc::Soc;
use qnn_types::{GraphSpec, InputSpec, Target};

use crate::schema::{Graph, Model};
use crate::signature::{ModelValue, static_shapes};

/// One graph named after the model, or those the manifest names; what a graph does not say of an input comes from the model.
/// Dimensions that are fixed by name become shapes of the model's `inputs`.
pub fn graphs(name: &str, model: &Model, inputs: &[ModelValue]) -> Vec<GraphSpec> {
    let mut graphs = said(name, model);
    for graph in &mut graphs {
        resolve(graph, &sizes_of(model, &graph.name), inputs);
    }
    graphs
}

fn said(name: &str, model: &Model) -> Vec<GraphSpec> {
    if model.graphs.is_empty() {
        return vec![GraphSpec { name: name.to_owned(), inputs: model.inputs.clone(), tokens: None }];
    }
    let merge = |below: &BTreeMap<String, InputSpec>, above: &BTreeMap<String, InputSpec>| {
        let mut inputs = below.clone();
        for (name, above) in above {
            let input = inputs.entry(name.clone()).or_default();
            input.shape = above.shape.clone().or(input.shape.take());
            input.dtype = above.dtype.clone().or(input.dtype.take());
            input.layout = above.layout.clone().or(input.layout.take());
            input.scale = above.scale.or(input.scale);
            input.mean = above.mean.clone().or(input.mean.take());
            input.std = above.std.clone().or(input.std.take());
        }
        inputs
    };
    let graph = |(name, graph): (&String, &Graph)| GraphSpec {
        name: name.clone(),
        inputs: merge(&model.inputs, &graph.inputs),
        tokens: None,
    };
    model.graphs.iter().map(graph).collect()
}

/// The sizes that hold for a graph: its own, else the model's.
pub fn sizes_of<'a>(model: &'a Model, graph: &str) -> BTreeMap<&'a str, u64> {
    let own = model.graphs.get(graph).map(|graph| &graph.dims);
    let both = model.dims.iter().chain(own.into_iter().flatten());
    both.map(|(name, size)| (name.as_str(), *size)).collect()
}

/// Gives the inputs of a graph the shapes that come of the sizes; what stays open, and what has a shape, is left as it is.
fn resolve(graph: &mut GraphSpec, sizes: &BTreeMap<&str, u64>, inputs: &[ModelValue]) {
    if sizes.is_empty() {
        return;
    }
    let shapes = static_shapes(inputs, inputs, sizes, |name| graph.inputs.get(name)?.shape.clone());
    for (input, shape) in inputs.iter().zip(shapes) {
        let open = input.shape.as_ref().is_some_and(|dims| dims.contains(&None));
        if let Some(shape) = shape.filter(|_| open) {
            graph.inputs.entry(input.name.clone()).or_default().shape = Some(shape);
        }
    }
}

/// A row of the SoC table as jobs carry it.
pub fn target(soc: &Soc) -> Target {
    Target { name: soc.name.to_owned(), id: soc.id, arch: soc.arch, vtcm_mb: soc.vtcm_mb, fp16: soc.fp16 }
}
