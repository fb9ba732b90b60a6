//! The model's dequantized weights in float32, run by ONNX Runtime.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use qnn::{DataType, Tensor as View, TensorMut};
use qnn_llm::Deployment;
use qnn_llm::deployment::graph_name;
use qnn_types::{Diagnostic, EvaluateJob};

use super::reader::{Engine, Named};
use crate::frontend::onnx::{self, OnnxFile};
use crate::graph::{DType, Data, TensorType};
use crate::llm::{Shape, Span, Spill, Weights, build, layer_output};
use crate::problem::{Problems, Result, problem};
use crate::reference::{ReferenceEngine, ReferenceModel, Tensor};

/// Graphs of the whole model, each written and opened when it is first wanted; all see the same file of weights.
pub(super) struct Reference<'a> {
    engine: ReferenceEngine,
    weights: &'a Weights<'a>,
    spill: &'a Spill,
    folder: PathBuf,
    /// Sizes of each graph, by its name.
    shapes: BTreeMap<String, Shape>,
    models: RefCell<BTreeMap<String, ReferenceModel>>,
    layers: RefCell<Named>,
}

impl<'a> Reference<'a> {
    /// For the graphs of `whole`; with `layers`, hidden states behind each layer are kept.
    pub(super) fn new(
        job: &EvaluateJob,
        weights: &'a Weights<'a>,
        spill: &'a Spill,
        whole: &Deployment,
        layers: bool,
    ) -> Result<Self> {
        let library = job.toolchain.onnxruntime.as_ref().ok_or_else(|| {
            problem("E0218", "ONNX Runtime is not installed").help("run `cargo qnn toolchain install`")
        })?;
        let shape = |tokens| Shape { tokens, context: whole.context, heads: whole.heads, layers };
        Ok(Self {
            engine: ReferenceEngine::new(library),
            weights,
            spill,
            folder: job.folder.clone(),
            shapes: whole.tokens.iter().map(|tokens| (graph_name(*tokens), shape(*tokens))).collect(),
            models: RefCell::default(),
            layers: RefCell::default(),
        })
    }

    fn open(&self, graph: &str) -> Result<ReferenceModel> {
        let missing = || problem("E0706", format!("the reference has no graph `{graph}`"));
        let shape = self.shapes.get(graph).ok_or_else(missing)?;
        let layers = self.weights.model().config.layers;
        let span = Span { first: 0, layers, embedding: true, head: true };
        let built = build(graph, &span, shape, self.weights, &mut |_, _| {})?;
        let path = self.folder.join(format!("{graph}.onnx"));
        let location = self.spill.path().file_name().unwrap_or_default().to_string_lossy();
        let proto = onnx::to_model_beside(&built, &location, &self.spill.places());
        std::fs::write(&path, onnx::to_bytes(&proto))
            .map_err(|e| qnn_types::io_problem("E0605", "cannot write", &path, &e))?;
        Ok(self.engine.open(&OnnxFile::open(&path)?, &[]).map_err(Diagnostic::from)?)
    }
}

impl qnn::llm::Execute for Reference<'_> {
    type Float = f32;
    type Error = Problems;

    fn execute(
        &self,
        _: usize,
        graph: &str,
        inputs: &[(&str, View<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        let mut models = self.models.borrow_mut();
        let model = match models.entry(graph.to_owned()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(none) => none.insert(self.open(graph)?),
        };
        let shapes: BTreeMap<String, Vec<Option<usize>>> = model
            .inputs()
            .map_err(Diagnostic::from)?
            .into_iter()
            .map(|input| (input.name, input.dims))
            .collect();
        let given: Vec<(String, Tensor)> = inputs
            .iter()
            .map(|(name, view)| {
                let dtype = if view.dtype() == DataType::Int32 { DType::I32 } else { DType::F32 };
                let dims = shapes.get(*name).into_iter().flatten().map(|dim| dim.unwrap_or(1));
                let ty = TensorType::new(dtype, dims.collect::<Vec<_>>());
                ((*name).to_owned(), Tensor { ty, data: Data::new(view.bytes().to_vec().into()) })
            })
            .collect();
        let results = model.run(&given).map_err(Diagnostic::from)?;
        let layer_names: Vec<String> = (0..self.weights.model().config.layers).map(layer_output).collect();
        let mut layers = self.layers.borrow_mut();
        layers.clear();
        for (name, found) in model.values().iter().zip(&results) {
            if let Some((_, wanted)) = outputs.iter_mut().find(|(wanted, _)| wanted == name) {
                let (bytes, expected) = (found.data.bytes(), wanted.bytes_mut());
                if bytes.len() != expected.len() {
                    let message = format!("`{name}` has {} bytes, not {}", bytes.len(), expected.len());
                    return Err(problem("E0706", message).into());
                }
                expected.copy_from_slice(bytes);
            } else if layer_names.contains(name) {
                layers.push((name.clone(), found.data.to_f32(found.ty.dtype)));
            }
        }
        Ok(())
    }
}

impl Engine for Reference<'_> {
    fn layers(&self) -> Named {
        self.layers.borrow().clone()
    }
}
