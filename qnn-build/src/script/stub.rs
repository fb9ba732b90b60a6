//! Types without models: what can be known of inputs and outputs when nothing is compiled.
//!
//! A stub has the graphs of the last real build in the same folder, where there was one. Without it they come from the ONNX
//! file: inputs with the shapes that the manifest fixes, outputs where the file says their shape. An output of unknown
//! shape is a `Box<[T]>` instead of a `Box<[T; N]>`. A model of another format, or whose file is not there (a published
//! package without its models), has `Model::load` and no `run`.

use qnn_platform::soc;

use crate::artifacts::{ArtifactManifest, ArtifactRecord};
use crate::manifest::{Embed, Manifest, Model};
use crate::memo::Memo;
use crate::plan::{graphs, is_llm, source_format, target};
use crate::source::{ModelValue, SourceFacts, inspect, static_shapes};
use qnn_types::{GraphInfo, InputSpec, SourceFormat, Target, TensorInfo};

/// A model without its context binaries.
pub(super) struct Stub {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) socs: Vec<Target>,
    pub(super) graphs: Vec<GraphInfo>,
    pub(super) specs: Vec<qnn_types::GraphSpec>,
    /// Whether it is a language model.
    pub(super) llm: bool,
}

/// Stubs of all models. What is wrong with a model's file does not matter here.
pub(super) fn stubs(manifest: &Manifest, before: Option<&ArtifactManifest>) -> Vec<Stub> {
    let stub = |(name, model): (&String, &Model)| {
        let format = source_format(&model.source).ok().filter(|format| *format == SourceFormat::Onnx);
        let facts = format.and_then(|format| inspect(&model.source, format, &Memo::default()).ok());
        let specs = graphs(name, model, facts.as_ref().map_or(&[], |facts| &facts.inputs));
        let known =
            before.and_then(|before| before.artifacts.iter().find(|artifact| artifact.model == *name));
        let graphs = known.map(|artifact| artifact.graphs.clone()).filter(|graphs| !graphs.is_empty());
        let graphs = graphs.or_else(|| {
            let facts = facts.as_ref()?;
            Some(specs.iter().map(|spec| graph(&spec.name, facts, &spec.inputs, &model.outputs)).collect())
        });
        let socs = model.soc.as_ref().unwrap_or(&manifest.config.soc);
        Stub {
            name: name.clone(),
            source: model.source.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            socs: socs.iter().filter_map(|name| soc::find(name).ok()).map(target).collect(),
            graphs: graphs.unwrap_or_default(),
            specs,
            // A folder that is not there has no kind.
            llm: model.llm.is_some() || source_format(&model.source).is_ok_and(is_llm),
        }
    };
    manifest.config.models.iter().map(stub).collect()
}

impl Stub {
    /// As the artifact manifest lists it, so that the next stub knows the graphs.
    pub(super) fn records(&self, package: &str) -> Vec<ArtifactRecord> {
        let record = |soc: &Target| ArtifactRecord {
            package: package.to_owned(),
            model: self.name.clone(),
            soc: soc.name.clone(),
            soc_id: soc.id,
            arch: soc.arch,
            embed: Embed::Auto,
            graphs: self.graphs.clone(),
            ..ArtifactRecord::default()
        };
        self.socs.iter().map(record).collect()
    }
}

fn graph(
    name: &str,
    facts: &SourceFacts,
    specs: &std::collections::BTreeMap<String, InputSpec>,
    keep: &[String],
) -> GraphInfo {
    let fixed = |name: &str| specs.get(name)?.shape.clone();
    let tensors = |values: &[ModelValue]| -> Vec<TensorInfo> {
        let shapes = static_shapes(&facts.inputs, values, &Default::default(), fixed);
        values
            .iter()
            .zip(shapes)
            .map(|(value, shape)| {
                let spec = specs.get(&value.name);
                let dtype = spec.and_then(|spec| spec.dtype.as_deref()).unwrap_or(border(&value.dtype));
                let layout = spec.and_then(|spec| spec.layout.as_deref());
                TensorInfo {
                    name: value.name.clone(),
                    dtype: dtype.to_owned(),
                    // A 0 stands for "unknown".
                    shape: shape.map_or(vec![0], |shape| in_layout(shape, layout)),
                    quant: None,
                }
            })
            .collect()
    };
    let kept: Vec<ModelValue> = match keep {
        [] => facts.outputs.clone(),
        keep => {
            let value = |name: &String| facts.outputs.iter().find(|value| value.name == *name).cloned();
            let unknown = |name: &String| ModelValue {
                name: name.clone(),
                dtype: "float32".to_owned(),
                ..ModelValue::default()
            };
            keep.iter().map(|name| value(name).unwrap_or_else(|| unknown(name))).collect()
        }
    };
    GraphInfo { name: name.to_owned(), inputs: tensors(&facts.inputs), outputs: tensors(&kept) }
}

/// dtype at the border of a model's dtype: the HTP has no 64-bit types.
fn border(dtype: &str) -> &str {
    match dtype {
        "int64" => "int32",
        "uint64" => "uint32",
        "float64" | "bfloat16" => "float32",
        known if known.starts_with("ONNX") || known == "string" || known == "unknown" => "float32",
        same => same,
    }
}

/// A shape in the model's channels-first order, as the app passes it.
fn in_layout(mut shape: Vec<u64>, layout: Option<&str>) -> Vec<u64> {
    if layout == Some("nhwc") && shape.len() >= 3 {
        shape[1..].rotate_left(1);
    }
    shape
}
