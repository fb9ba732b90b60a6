//! Whole models.

use ort::session::Session;
use std::collections::HashSet;

use super::engine::{ReferenceEngine, ReferenceError, run};
use super::tensor::{Tensor, type_of};
use crate::frontend::onnx::OnnxFile;
use crate::frontend::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};
use crate::graph::TensorType;

/// A model ready to run.
#[derive(Debug)]
pub struct ReferenceModel {
    session: Session,
    values: Vec<String>,
}

/// An input of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceInput {
    /// Name.
    pub name: String,
    /// Dimensions; free ones are `None`.
    pub dims: Vec<Option<usize>>,
}

impl ReferenceEngine {
    /// Prepares a model to report `values`: its outputs when empty; names of intermediate values are allowed.
    ///
    /// # Errors
    ///
    /// The library cannot be loaded, or refuses the model.
    pub fn open(&self, file: &OnnxFile, values: &[String]) -> Result<ReferenceModel, ReferenceError> {
        let own: Vec<&String> =
            file.model.graph.iter().flat_map(|g| &g.output).map(|output| &output.name).collect();
        let values: Vec<String> =
            if values.is_empty() { own.iter().map(|s| (*s).clone()).collect() } else { values.to_vec() };
        let have: HashSet<&String> = own.into_iter().collect();
        let wide = super::widen::widened(&file.model);
        let mut model = wide.map_or_else(|| file.raw.to_vec(), |wide| crate::frontend::onnx::to_bytes(&wide));
        let mut extra: Vec<&String> = values.iter().filter(|name| !have.contains(name)).collect();
        extra.sort_unstable();
        extra.dedup();
        if !extra.is_empty() {
            // Two encoded messages after one another are one message with the fields of both: the file gets more outputs.
            let output =
                extra.into_iter().map(|name| ValueInfoProto { name: name.clone(), r#type: None }).collect();
            let graph = GraphProto { output, ..GraphProto::default() };
            let more = ModelProto { graph: Some(graph), ..ModelProto::default() };
            model.extend(crate::frontend::onnx::to_bytes(&more));
        }
        let folder = file.path.canonicalize().ok().and_then(|path| path.parent().map(ToOwned::to_owned));
        Ok(ReferenceModel { session: self.session(&model, folder.as_deref())?, values })
    }
}

impl ReferenceModel {
    /// Names of the values that a run reports.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The inputs in order.
    ///
    /// # Errors
    ///
    /// An input that is no tensor.
    pub fn inputs(&self) -> Result<Vec<ReferenceInput>, ReferenceError> {
        let one = |input: &ort::value::Outlet| match input.dtype() {
            ort::value::ValueType::Tensor { shape, .. } => {
                let dims = shape.iter().map(|d| usize::try_from(*d).ok()).collect();
                Ok(ReferenceInput { name: input.name().to_owned(), dims })
            }
            _ => Err(ReferenceError::Value {
                name: input.name().to_owned(),
                why: "it is not a tensor".to_owned(),
            }),
        };
        self.session.inputs().iter().map(one).collect()
    }

    /// Types of the values as far as they are known without running.
    pub fn types(&self) -> Vec<(String, Option<TensorType>)> {
        let one = |o: &ort::value::Outlet| (o.name().to_owned(), type_of(o.dtype()).ok().flatten());
        self.session.outputs().iter().map(one).collect()
    }

    /// Runs the model; the values in the order of [`ReferenceModel::values`]. The inputs fix free dimensions.
    ///
    /// # Errors
    ///
    /// The inputs do not fit the model, or it fails.
    pub fn run(&mut self, inputs: &[(String, Tensor)]) -> Result<Vec<Tensor>, ReferenceError> {
        run(&mut self.session, inputs, &self.values)
    }
}
