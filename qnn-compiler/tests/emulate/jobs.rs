//! The engine's jobs on one model file.

use std::path::Path;

use qnn::DataType;
use qnn_compiler::graph::{DType, Data};
use qnn_compiler::npz::Array;
use qnn_compiler::problem::Problems;
use qnn_types::{
    CompileJob, ExecuteJob, GraphSpec, HtpOptions, InputSpec, Job, Precision, ReferenceJob, Report,
    SourceFormat, Target, Toolchain,
};

/// The SoC to emulate, unless `--soc=NAME` says another.
const SOC: &str = "SM8650";

/// The SoC that the command line asks for.
pub fn soc() -> String {
    std::env::args()
        .find_map(|a| a.strip_prefix("--soc=").map(str::to_owned))
        .unwrap_or_else(|| SOC.to_owned())
}

/// A SoC as jobs have it.
pub fn target(soc: &str) -> Target {
    let soc = qnn_platform::soc::find(soc).unwrap();
    Target { name: soc.name.to_owned(), id: soc.id, arch: soc.arch, vtcm_mb: soc.vtcm_mb, fp16: soc.fp16 }
}

pub fn toolchain() -> Result<Toolchain, String> {
    let libs = qnn_platform::libs::resolve(None).map_err(|e| e.to_string())?;
    let onnxruntime = qnn_platform::libs::onnxruntime().map_err(|e| e.to_string())?;
    Ok(Toolchain { qnn_lib_dir: libs.dir, onnxruntime: Some(onnxruntime) })
}

/// Compiles a model as it is, or with its inputs' shapes fixed to those of arrays.
pub fn compile(
    source: &Path,
    output: &Path,
    shaped_like: &[(String, Array)],
    toolchain: &Toolchain,
    soc: &str,
) -> Result<Report, Problems> {
    let shape = |array: &Array| Some(array.shape.clone());
    let inputs = shaped_like
        .iter()
        .map(|(name, array)| (name.clone(), InputSpec { shape: shape(array), ..InputSpec::default() }))
        .collect();
    job(&Job::Compile(CompileJob {
        model: "case".to_owned(),
        source: source.to_owned(),
        format: SourceFormat::Onnx,
        soc: target(soc),
        precision: Precision::Fp16,
        graphs: vec![GraphSpec { name: "case".to_owned(), inputs, tokens: None }],
        outputs: Vec::new(),
        samples: None,
        ranges: Vec::new(),
        accuracy: Default::default(),
        trace: None,
        encodings: None,
        op_packages: vec![],
        llm: None,
        htp: HtpOptions::default(),
        toolchain: toolchain.clone(),
        output: Some(output.to_owned()),
    }))
}

pub fn execute(binary: &Path, inputs: &Path, outputs: &Path, toolchain: &Toolchain) -> Result<(), Problems> {
    let execute = Job::Execute(ExecuteJob {
        binary: binary.to_owned(),
        graph: None,
        soc: None,
        inputs: inputs.to_owned(),
        outputs: outputs.to_owned(),
        op_packages: vec![],
        toolchain: toolchain.clone(),
    });
    job(&execute).map(drop)
}

pub fn reference(
    source: &Path,
    inputs: &Path,
    outputs: &Path,
    values: Vec<String>,
    toolchain: &Toolchain,
) -> Result<(), Problems> {
    let reference = Job::Reference(ReferenceJob {
        source: source.to_owned(),
        inputs: inputs.to_owned(),
        outputs: outputs.to_owned(),
        values,
        toolchain: toolchain.clone(),
    });
    job(&reference).map(drop)
}

/// As the app passes it: HTP has no 64-bit numbers.
pub fn narrowed(array: &Array) -> Array {
    let (from, to, dtype) = match array.dtype {
        DataType::Int64 => (DType::I64, DType::I32, DataType::Int32),
        DataType::Uint64 => (DType::U64, DType::U32, DataType::Uint32),
        DataType::Float64 => (DType::F64, DType::F32, DataType::Float32),
        _ => return array.clone(),
    };
    let data = Data::new(array.data.clone().into());
    let data = match to {
        DType::F32 => Data::from_f32(&data.to_f32(from)),
        _ => Data::from_ints(&data.to_i64(from), to),
    };
    Array { dtype, shape: array.shape.clone(), data: data.bytes().to_vec() }
}

pub fn text(problems: &Problems) -> String {
    problems.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn job(job: &Job) -> Result<Report, Problems> {
    qnn_compiler::run(job, &mut |_| {})
}
