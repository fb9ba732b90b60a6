//! Runs the canonical graph, as it is compiled, on samples, and lets observers see what it computes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ort::session::Session;
use qnn_types::Affine;
use qnn_types::{Diagnostic, InputSpec};

use super::engine::{ReferenceEngine, ReferenceError, run};
use super::observe::Observer;
use super::runnable::runnable;
use super::samples::Samples;
use super::tensor::Tensor;
use crate::frontend::onnx;
use crate::graph::{DType, Data, Graph, TensorType, ValueId};
use crate::problem::{Problems, Result};

/// Values of one run that are looked at take so many bytes at most: a model whose values take more runs several times.
const AT_ONCE: usize = 256 << 20;
/// Constants of so many bytes are handed over beside the model, which must have less than 2 GiB.
const LARGE: usize = 1 << 10;
/// What that data is called.
const BESIDE: &str = "constants";

/// A graph that was fused and is not yet in physical layout, ready to run.
pub struct Executor<'a> {
    engine: &'a ReferenceEngine,
    graph: Graph,
    inputs: Vec<Port>,
    constants: Arc<[u8]>,
    /// Where each large constant is in `constants`: offset and length.
    places: HashMap<String, (u64, u64)>,
}

/// An input of the graph, and how it is made of the model's own.
struct Port {
    id: ValueId,
    /// Name in the model.
    name: String,
    /// The app's order of axes, each by the model's.
    order: Option<Vec<usize>>,
    affine: Option<Affine>,
}

impl<'a> Executor<'a> {
    /// Prepares a graph whose inputs the app wants as `inputs` says; samples are those of the model's own inputs all the same.
    /// With `rounded`, encoded values are rounded as on the device.
    ///
    /// # Errors
    /// `E0209` for a normalization that does not fit its input.
    pub fn new(
        engine: &'a ReferenceEngine,
        graph: &Graph,
        inputs: &BTreeMap<String, InputSpec>,
        rounded: bool,
    ) -> Result<Self> {
        let ports = graph.inputs.iter().map(|&id| Port::new(graph, id, inputs)).collect::<Result<_>>()?;
        let graph = runnable(graph, rounded);
        let (mut constants, mut places) = (Vec::new(), HashMap::new());
        for id in graph.value_ids() {
            let value = graph.value(id);
            let Some(data) = value.data.as_ref().filter(|data| data.len() >= LARGE) else { continue };
            constants.resize(constants.len().next_multiple_of(64), 0);
            places.insert(value.name.clone(), (constants.len() as u64, data.len() as u64));
            constants.extend_from_slice(data.bytes());
        }
        Ok(Self { engine, graph, inputs: ports, constants: constants.into(), places })
    }

    /// Runs all samples, and shows `observer` each of the `values` of each sample. Values that are inputs or constants are not computed,
    /// and not shown.
    ///
    /// # Errors
    /// `E0218` of the engine, `E0802` and `E0803` of the samples.
    pub fn observe(&self, samples: &Samples, values: &[ValueId], observer: &mut dyn Observer) -> Result<()> {
        let inputs: Vec<(String, usize)> =
            self.inputs.iter().map(|port| (port.name.clone(), self.graph.shape(port.id).len())).collect();
        let computed = self.graph.producers();
        let values: Vec<ValueId> = values.iter().copied().filter(|id| computed.contains_key(id)).collect();
        for batch in self.batches(&values) {
            let mut session = self.session(batch).map_err(Diagnostic::from)?;
            let names: Vec<String> = batch.iter().map(|&id| self.graph.value(id).name.clone()).collect();
            let mut stream = samples.open(&inputs)?;
            while let Some(sample) = stream.next()? {
                let sample: Vec<(String, Tensor)> =
                    self.inputs.iter().map(|port| port.feed(&self.graph, &sample)).collect();
                let results = run(&mut session, &sample, &names).map_err(Diagnostic::from)?;
                batch.iter().zip(&results).for_each(|(&id, tensor)| observer.see(id, tensor));
            }
        }
        Ok(())
    }

    /// The values, as many at a time as may be held at once.
    fn batches<'v>(&self, values: &'v [ValueId]) -> Vec<&'v [ValueId]> {
        let (mut batches, mut rest) = (Vec::new(), values);
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |id: &&ValueId| {
                bytes += self.graph.value(**id).ty.bytes();
                bytes <= AT_ONCE
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (batch, after) = rest.split_at(count);
            batches.push(batch);
            rest = after;
        }
        batches
    }

    /// A session of the graph with these values as its outputs. Others are freed as soon as nothing reads them.
    fn session(&self, outputs: &[ValueId]) -> std::result::Result<Session, ReferenceError> {
        let mut graph = self.graph.clone();
        graph.outputs = outputs.to_vec();
        let model = onnx::to_bytes(&onnx::to_model_beside(&graph, BESIDE, &self.places));
        self.engine.session_beside(&model, BESIDE, self.constants.clone())
    }
}

impl Port {
    fn new(graph: &Graph, id: ValueId, inputs: &BTreeMap<String, InputSpec>) -> Result<Self> {
        let value = graph.value(id);
        let rank = value.ty.shape.len();
        let spec = inputs.get(&value.name);
        let last = spec.is_some_and(|spec| spec.layout.as_deref() == Some("nhwc")) && rank >= 3;
        let order: Option<Vec<usize>> =
            last.then(|| std::iter::once(0).chain(2..rank).chain(std::iter::once(1)).collect());
        let mut dims: Vec<Option<u64>> = value.ty.shape.iter().map(|&dim| Some(dim as u64)).collect();
        if last {
            let channels = dims.remove(rank - 1);
            dims.insert(1, channels);
        }
        // Only floats are normalized.
        let affine = spec.and_then(InputSpec::normalization);
        let affine = affine.map(|affine| affine.of(&value.name, "float32", &dims)).transpose();
        Ok(Self { id, name: value.name.clone(), order, affine: affine.map_err(Problems::from)? })
    }

    /// The graph's input in a sample of the model's.
    fn feed(&self, graph: &Graph, sample: &[(String, Tensor)]) -> (String, Tensor) {
        let value = graph.value(self.id);
        let name = value.name.clone();
        let Some((_, given)) = sample.iter().find(|(name, _)| *name == self.name) else {
            return (name, Tensor { ty: value.ty.clone(), data: Data::new(Vec::new().into()) });
        };
        let dtype = value.ty.dtype;
        // Stored integers of an encoded input stand for the numbers that the graph computes with.
        let stored = value.encoding.as_ref().filter(|_| given.ty.dtype.is_int());
        if given.ty.dtype == dtype && self.order.is_none() && self.affine.is_none() && stored.is_none() {
            return (name, given.clone());
        }
        let mut numbers = match stored {
            Some(encoding) => encoding
                .dequantize(&given.data.to_i64(given.ty.dtype), &given.ty.shape)
                .unwrap_or_else(|_| given.data.to_f64(given.ty.dtype)),
            None => given.data.to_f64(given.ty.dtype),
        };
        let dims: Vec<u64> = given.ty.shape.iter().map(|&dim| dim as u64).collect();
        self.affine.iter().for_each(|affine| affine.undo(&mut numbers, &dims));
        let mut shape = given.ty.shape.clone();
        if let Some(order) = self.order.as_ref().filter(|order| order.len() == shape.len()) {
            numbers = Data::from_floats(&numbers, DType::F64).transposed(8, &shape, order).to_f64(DType::F64);
            shape = order.iter().map(|&axis| given.ty.shape[axis]).collect();
        }
        (name, Tensor { ty: TensorType::new(dtype, shape), data: Data::from_floats(&numbers, dtype) })
    }
}
