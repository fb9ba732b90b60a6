//! A context binary of a whole model that also tells what is behind each layer: compiled for looking inside, run by no app.

use std::cell::RefCell;
use std::path::Path;

use qnn::{Context, Device, F16, LoadOptions, Tensor, TensorMut};
use qnn_llm::Config;
use qnn_llm::deployment::KEY_BIAS_ANGLES;

use super::failed;
use super::reader::{Engine, Named};
use crate::llm::layer_output;
use crate::problem::{Problems, Result, problem};

/// The loaded context, and what its layers gave last.
pub(super) struct Layered {
    context: Context,
    names: Vec<String>,
    layers: RefCell<Vec<Vec<F16>>>,
}

impl Layered {
    pub(super) fn load(device: &Device, binary: &Path, config: &Config) -> Result<Self> {
        let what = binary.display().to_string();
        let bytes =
            std::fs::read(binary).map_err(|e| problem("E0802", format!("{what} cannot be read: {e}")))?;
        let context = Context::load(device, &bytes, &what, &LoadOptions::new())
            .map_err(|e| failed(&e, &format!("{what} cannot be loaded")))?;
        let names: Vec<String> = (0..config.layers).map(layer_output).collect();
        Ok(Self { context, layers: RefCell::new(vec![Vec::new(); names.len()]), names })
    }
}

impl qnn::llm::Execute for Layered {
    type Float = F16;
    type Error = Problems;

    fn execute(
        &self,
        _: usize,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        let failed = |e: qnn::Error| failed(&e, &format!("graph `{graph}` cannot be executed"));
        let graph = self.context.graph(graph).map_err(failed)?;
        let mut layers = self.layers.borrow_mut();
        for (name, values) in self.names.iter().zip(layers.iter_mut()) {
            let info = graph.info().outputs.iter().find(|output| output.name == *name);
            values.resize(info.map_or(0, qnn::TensorInfo::elements), F16::default());
        }
        let own = self.names.iter().zip(layers.iter_mut());
        let own = own.map(|(name, values)| (name.as_str(), TensorMut::of(values)));
        let given = outputs
            .iter_mut()
            .map(|(name, tensor)| (*name, TensorMut::raw(tensor.dtype(), tensor.bytes_mut())));
        let mut all: Vec<(&str, TensorMut<'_>)> = given.chain(own).collect();
        graph.execute(inputs, &mut all).map_err(failed)
    }

    fn turns_key_biases(&self, _: usize) -> bool {
        let mut inputs = self.context.info().graphs.iter().flat_map(|graph| &graph.inputs);
        inputs.any(|input| KEY_BIAS_ANGLES.contains(&input.name.as_str()))
    }
}

impl Engine for Layered {
    fn layers(&self) -> Named {
        let layers = self.layers.borrow();
        let floats = layers.iter().map(|values| values.iter().map(|value| f32::from(*value)).collect());
        self.names.iter().cloned().zip(floats).collect()
    }
}
