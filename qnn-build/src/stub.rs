//! Types without models: what can be known of inputs and outputs when nothing is compiled.
//!
//! A stub has the graphs of the last real build in the same folder, where there was one. Without it they come from the ONNX
//! file: inputs with the shapes that the manifest fixes, outputs where the file says their shape. An output of unknown
//! shape is a `Box<[T]>` instead of a `Box<[T; N]>`. A model of another format, or whose file is not there (a published
//! package without its models), has `Model::load` and no `run`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use qnn_manifest::module::{LlmCode, LlmSocCode, ModelCode, Placement, SocCode, generate};
use qnn_manifest::output::{read_artifacts, write_code, write_own_artifacts};
use qnn_manifest::signature::{Scan, scan};
use qnn_manifest::{Manifest, Model, ModelValue, graphs, is_llm, source_format, static_shapes, target};
use qnn_platform::soc;
use qnn_types::{
    ArtifactManifest, ArtifactRecord, Diagnostic, Embed, Error, GraphInfo, GraphSpec, InputSpec, Result,
    SourceFormat, Target, TensorInfo,
};

/// Generates types without models. `why` says why there are none.
pub(crate) fn make(
    manifest: &Manifest,
    why: &str,
    out_dir: &Path,
) -> Result<(ArtifactManifest, Vec<Diagnostic>)> {
    let stubs = stubs(manifest, read_artifacts(out_dir).as_ref());
    let models: Vec<ModelCode<'_>> =
        stubs.iter().filter(|stub| !stub.llm).map(|stub| stub.model(why)).collect();
    let llms: Vec<LlmCode<'_>> =
        stubs.iter().filter(|stub| stub.llm).map(|stub| stub.language_model(why)).collect();
    let (code, mut warnings) = generate(&models, &llms).map_err(Error::of)?;
    let names: Vec<&str> = stubs.iter().map(|stub| stub.name.as_str()).collect();
    let warning =
        Diagnostic::new("E0705", format!("models are stubs that cannot be loaded: {}", names.join(", ")))
            .note(why)
            .help("build with QNN_BUILD unset on a machine where models can be compiled");
    let records = stubs.iter().flat_map(|stub| stub.records(&manifest.package)).collect();
    let artifacts =
        ArtifactManifest { stub: Some(why.to_owned()), artifacts: records, ..ArtifactManifest::default() };
    warnings.insert(0, warning);
    write_code(out_dir, &code)?;
    write_own_artifacts(&artifacts, out_dir)?;
    Ok((artifacts, warnings))
}

/// A model without its context binaries.
struct Stub {
    name: String,
    source: String,
    socs: Vec<Target>,
    graphs: Vec<GraphInfo>,
    specs: Vec<GraphSpec>,
    /// Whether it is a language model.
    llm: bool,
}

/// Stubs of all models. What is wrong with a model's file does not matter here.
fn stubs(manifest: &Manifest, before: Option<&ArtifactManifest>) -> Vec<Stub> {
    let stub = |(name, model): (&String, &Model)| {
        let format = source_format(&model.source).ok().filter(|format| *format == SourceFormat::Onnx);
        let facts = format.and_then(|_| signature(&model.source));
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

/// Inputs and outputs of an ONNX file, where it can be read.
fn signature(path: &Path) -> Option<Scan> {
    let file = File::open(path).ok()?;
    let meta = file.metadata().ok()?;
    // Something that is no file need not end.
    meta.is_file().then(|| scan(file, meta.len()).ok()).flatten().filter(|scan| scan.graph)
}

impl Stub {
    fn model(&self, why: &str) -> ModelCode<'_> {
        let soc = |soc| SocCode {
            soc,
            build_id: "",
            placement: Placement::Stub(why.to_owned()),
            op_packages: Vec::new(),
        };
        ModelCode {
            name: &self.name,
            source: self.source.clone(),
            graphs: &self.graphs,
            specs: &self.specs,
            socs: self.socs.iter().map(soc).collect(),
        }
    }

    fn language_model(&self, why: &str) -> LlmCode<'_> {
        let soc = |soc: &Target| LlmSocCode {
            soc: soc.name.clone(),
            description: None,
            files: vec![(String::new(), Placement::Stub(why.to_owned()))],
        };
        LlmCode { name: &self.name, source: self.source.clone(), socs: self.socs.iter().map(soc).collect() }
    }

    /// As the artifact manifest lists it, so that the next stub knows the graphs.
    fn records(&self, package: &str) -> Vec<ArtifactRecord> {
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

fn graph(name: &str, facts: &Scan, specs: &BTreeMap<String, InputSpec>, keep: &[String]) -> GraphInfo {
    let fixed = |name: &str| specs.get(name)?.shape.clone();
    let tensors = |values: &[ModelValue]| -> Vec<TensorInfo> {
        let shapes = static_shapes(&facts.inputs, values, &Default::default(), fixed);
        values
            .iter()
            .zip(shapes)
            .map(|(value, shape)| {
                let spec = specs.get(&value.name);
                let dtype =
                    spec.and_then(|spec| spec.dtype.as_deref()).unwrap_or(graph_io_dtype(&value.dtype));
                let layout = spec.and_then(|spec| spec.layout.as_deref());
                TensorInfo {
                    name: value.name.clone(),
                    dtype: dtype.to_owned(),
                    // A 0 stands for "unknown".
                    shape: shape.map_or(vec![0], |shape| in_layout(shape, layout)),
                    ..TensorInfo::default()
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

/// dtype that graph inputs and outputs have for a model's dtype: the HTP has no 64-bit types.
fn graph_io_dtype(dtype: &str) -> &str {
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
