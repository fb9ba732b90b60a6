//! The loaded context binaries of a model, held against its description.

use qnn_llm::deployment::{Deployment, Embedding, HEAD_GRAPH, KEY_BIAS_ANGLES, Part, graph_name};

use super::artifacts::Described;
use super::cache;
use super::decoder::Execute;
use super::error;
use crate::{
    Context, DataType, Device, Error, ErrorKind, F16, Graph, GraphInfo, LoadOptions, Result, Tensor,
    TensorInfo, TensorMut,
};

/// Graphs of each part.
#[derive(Debug)]
pub(super) struct Parts(Vec<Loaded>);

#[derive(Debug)]
struct Loaded {
    /// Graphs by name.
    graphs: Vec<(String, Graph)>,
    /// Whether they ask for the angles of biases of keys.
    key_biases: bool,
}

impl Parts {
    /// Loads the contexts of all parts.
    pub(super) fn load(
        device: &Device,
        described: &Described,
        deployment: &Deployment,
        options: &LoadOptions,
    ) -> Result<Parts> {
        let parts = deployment.parts.iter().enumerate().map(|(index, part)| {
            let bytes = described.file(deployment, &part.file)?;
            let what = format!("{} of model `{}` for {}", part.file, deployment.model, deployment.soc);
            let context = Context::load(device, &bytes, &what, options)?;
            let mut found = Vec::new();
            let mut graphs = Vec::new();
            let mut key_biases = false;
            for mut expected in expected(deployment, index, part) {
                match context.graph(&expected.name) {
                    Ok(graph) => {
                        key_biases = expected.add_key_biases(graph.info());
                        expected.compare(graph.info(), &mut found);
                        graphs.push((expected.name, graph));
                    }
                    Err(error) if error.kind() == ErrorKind::UnknownGraph => {
                        found.push(format!("it has no graph `{}`", expected.name))
                    }
                    Err(error) => return Err(error),
                }
            }
            if found.is_empty() {
                Ok(Loaded { graphs, key_biases })
            } else {
                Err(error::mismatch(&what, found))
            }
        });
        Ok(Parts(parts.collect::<Result<_>>()?))
    }

    /// Whether any part asks for the angles of biases of keys.
    pub(super) fn turn_key_biases(&self) -> bool {
        self.0.iter().any(|part| part.key_biases)
    }
}

impl Execute for std::sync::Arc<Parts> {
    type Float = F16;
    type Error = Error;

    fn execute(
        &self,
        part: usize,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        let graphs = &self.0[part].graphs;
        let found = graphs.iter().find(|(name, _)| name == graph);
        let (_, graph) = found.ok_or_else(|| {
            Error::unknown_graph(graph, graphs.iter().map(|(name, _)| name.clone()).collect())
        })?;
        graph.execute(inputs, outputs)
    }

    fn turns_key_biases(&self, part: usize) -> bool {
        self.0[part].key_biases
    }
}

/// What a graph must have: names and bytes.
struct Expected {
    name: String,
    inputs: Vec<(String, DataType, usize)>,
    outputs: Vec<(String, DataType, usize)>,
}

fn expected(deployment: &Deployment, index: usize, part: &Part) -> Vec<Expected> {
    let config = &deployment.config;
    let half = |name: &str, elements: usize| (name.to_owned(), DataType::Float16, elements);
    if part.layers == 0 {
        return vec![Expected {
            name: HEAD_GRAPH.to_owned(),
            inputs: vec![half("hidden", config.hidden)],
            outputs: vec![half("logits", config.vocabulary)],
        }];
    }
    let graph = |size: &usize| {
        let (size, past) = (*size, deployment.context - size);
        let first = match index == 0 && deployment.embedding == Embedding::Graph {
            true => ("tokens".to_owned(), DataType::Int32, size),
            false => half("hidden", size * config.hidden),
        };
        let angles = size * (config.head_dim / 2);
        let mut inputs =
            vec![first, half("mask", size * deployment.context), half("cos", angles), half("sin", angles)];
        let mut outputs = vec![match part.head {
            true => half("logits", size * config.vocabulary),
            false => half("hidden.out", size * config.hidden),
        }];
        for layer in part.first_layer..part.first_layer + part.layers {
            let names = cache::names(deployment, layer);
            // All heads' keys and values are `2 * kv_heads` heads, in as many or fewer tensors.
            let row = 2 * config.kv_rows() / names.len();
            for name in names {
                outputs.push(half(&format!("{name}.new"), size * row));
                inputs.push(half(&name, past * row));
            }
        }
        Expected { name: graph_name(size), inputs, outputs }
    };
    deployment.tokens.iter().map(graph).collect()
}

impl Expected {
    /// Adds the angles of biases of keys where the graph has them: whether it does is a matter of the weights.
    fn add_key_biases(&mut self, info: &GraphInfo) -> bool {
        let has = KEY_BIAS_ANGLES.iter().any(|name| info.inputs.iter().any(|input| input.name == **name));
        let angles = self.inputs.iter().find(|(name, ..)| name == "cos").map(|(_, _, elements)| *elements);
        if let Some(elements) = angles.filter(|_| has) {
            let inputs = KEY_BIAS_ANGLES.map(|name| (name.to_owned(), DataType::Float16, elements));
            self.inputs.extend(inputs);
        }
        has
    }

    fn compare(&self, info: &GraphInfo, found: &mut Vec<String>) {
        let sides = [("input", &self.inputs, &info.inputs), ("output", &self.outputs, &info.outputs)];
        for (side, expected, tensors) in sides {
            for (name, dtype, elements) in expected {
                match tensors.iter().find(|tensor| tensor.name == *name) {
                    Some(tensor) if tensor.dtype == *dtype && tensor.elements() == *elements => {}
                    Some(TensorInfo { dtype: theirs, dims, .. }) => found.push(format!(
                        "{side} `{name}` of graph `{}` is {theirs} {dims:?}, not {dtype} of {elements} elements",
                        self.name
                    )),
                    None => found.push(format!("graph `{}` has no {side} `{name}`", self.name)),
                }
            }
            for tensor in tensors.iter().filter(|tensor| !expected.iter().any(|row| row.0 == tensor.name)) {
                found.push(format!("graph `{}` has an {side} `{}` too many", self.name, tensor.name));
            }
        }
    }
}
