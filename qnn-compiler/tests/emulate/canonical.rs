//! The graph as it is compiled, on the reference engine.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use qnn::DataType;
use qnn_compiler::custom::OpPackages;
use qnn_compiler::frontend::onnx::{ImportOptions, OnnxFile};
use qnn_compiler::graph::ValueId;
use qnn_compiler::npz::Array;
use qnn_compiler::passes::{self, Phase, Setting};
use qnn_compiler::problem::Problems;
use qnn_compiler::reference::{Executor, Observer, ReferenceEngine, Samples, Tensor};
use qnn_types::Toolchain;

/// Keeps the values of the only sample.
#[derive(Default)]
struct Kept(HashMap<ValueId, Array>);

impl Observer for Kept {
    fn see(&mut self, value: ValueId, tensor: &Tensor) {
        let dtype = DataType::from_name(tensor.ty.dtype.name()).unwrap();
        let shape = tensor.ty.shape.iter().map(|&dim| dim as u64).collect();
        self.0.insert(value, Array { dtype, shape, data: tensor.data.bytes().to_vec() });
    }
}

/// What the outputs of a model are that are computed, by the graph that it becomes before its layout is chosen.
pub fn outputs(
    source: &Path,
    inputs: &[(String, Array)],
    toolchain: &Toolchain,
    soc: &str,
) -> Result<Vec<(String, Array)>, Problems> {
    let engine = ReferenceEngine::new(toolchain.onnxruntime.clone().unwrap());
    let own = OpPackages::default();
    let specs = BTreeMap::new();
    let options = ImportOptions { inputs: &specs, outputs: &[], reference: Some(&engine), op_packages: &own };
    let mut graph = OnnxFile::open(source)?.import(&options)?.graph;
    let target = super::jobs::target(soc);
    passes::run_until(&mut graph, &mut Setting::new(&target, &specs, &mut |_| {}), Phase::Fuse)?;
    let live = |(name, _): &&(String, Array)| graph.inputs.iter().any(|&id| graph.value(id).name == *name);
    let samples = Samples::Arrays(inputs.iter().filter(live).cloned().collect());
    let mut kept = Kept::default();
    Executor::new(&engine, &graph, &specs, true)?.observe(&samples, &graph.outputs, &mut kept)?;
    let mut arrays = Vec::new();
    for &id in &graph.outputs {
        arrays.extend(kept.0.remove(&id).map(|array| (graph.value(id).name.clone(), array)));
    }
    Ok(arrays)
}
