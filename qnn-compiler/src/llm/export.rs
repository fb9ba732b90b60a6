//! Language models as ONNX with dequantized weights, with the encodings of the file beside it, or as DLC.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use qnn::compose::GraphBuilder;
use qnn_llm::block::unpack_rows;
use qnn_llm::{Format, Heads, Model, Role, Weight};
use qnn_platform::libs::{QnnLibs, Source};
use qnn_types::{Diagnostic, ExportJob, Report, Stage};
use serde_json::json;

use super::{Shape, Span, Spill, Target, Weights, build};
use crate::custom::OpPackages;
use crate::frontend::onnx;
use crate::graph::Granularity;
use crate::htp;
use crate::problem::{Problems, Result, problem};
use crate::reporter::Reporter;

/// Writes what the job asks for.
///
/// # Errors
/// Every problem of the model; `E0605` for a file that cannot be written; what the DLC writer refuses.
pub(crate) fn export(job: &ExportJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Import);
    let model = qnn_llm::open(&job.source)
        .map_err(|found| Problems(found.0.into_iter().map(Diagnostic::from).collect()))?;
    let shape =
        Shape { tokens: job.tokens as usize, context: job.context as usize, heads: job.heads, layers: false };
    if shape.tokens == 0 || shape.tokens >= shape.context {
        let message =
            format!("{} tokens leave no room for a past in a context of {}", job.tokens, job.context);
        return Err(problem("E0233", message).into());
    }
    if let Some(path) = &job.onnx {
        write_onnx(&model, &shape, path, reporter)?;
    }
    if let Some(path) = &job.encodings {
        reporter.stage(Stage::Serialize);
        write_encodings(&model, job.heads, path, reporter)?;
    }
    if job.dlc.is_some() {
        write_dlc(job, &model, &shape, reporter)?;
    }
    Ok(Report { stage_ms: reporter.finish(), ..Report::default() })
}

fn whole(model: &Model) -> Span {
    Span { first: 0, layers: model.config.layers, embedding: true, head: true }
}

fn unwritten(path: &Path) -> impl Fn(std::io::Error) -> Problems {
    let path = path.to_owned();
    move |error| qnn_types::io_problem("E0605", "cannot write", &path, &error).into()
}

fn write_onnx(model: &Model, shape: &Shape, path: &Path, reporter: &mut Reporter<'_>) -> Result<()> {
    let data = PathBuf::from(format!("{}.data", path.display()));
    let spill = Spill::create(&data).map_err(unwritten(&data))?;
    let weights = Weights::spilling(model, &spill);
    let mut progress = |done, total| reporter.progress(done, total);
    let graph = build("decoder", &whole(model), shape, &weights, &mut progress)?;
    reporter.stage(Stage::Serialize);
    let location = data.file_name().unwrap_or_default().to_string_lossy();
    let proto = onnx::to_model_beside(&graph, &location, &spill.places());
    std::fs::write(path, onnx::to_bytes(&proto)).map_err(unwritten(path))
}

/// A projection of the file and the name that its weight has in the exported graph, for some of its rows.
fn projections(model: &Model, heads: Heads) -> Vec<(String, &Weight, std::ops::Range<usize>)> {
    const ROLES: [(Role, &str); 7] = [
        (Role::Query, "q"),
        (Role::Key, "k"),
        (Role::Value, "v"),
        (Role::Output, "output"),
        (Role::Gate, "gate"),
        (Role::Up, "up"),
        (Role::Down, "down"),
    ];
    let size = model.config.head_dim;
    let mut all = Vec::new();
    for layer in 0..model.config.layers {
        for (role, name) in ROLES {
            let Some(weight) = model.weight(Some(layer), role) else { continue };
            let per_head = heads == Heads::Split && matches!(role, Role::Query | Role::Key | Role::Value);
            if per_head {
                all.extend((0..weight.rows / size).map(|head| {
                    let rows = head * size..(head + 1) * size;
                    (format!("layers.{layer}.{name}.{head}.weight"), weight, rows)
                }));
            } else {
                all.push((format!("layers.{layer}.{name}.weight"), weight, 0..weight.rows));
            }
        }
    }
    all.extend(model.head().map(|weight| ("head.weight".to_owned(), weight, 0..weight.rows)));
    all
}

/// The scales of the file's quantized weights, tensor by tensor. What has a minimum beside its scale, as Q4_1 and the K formats
/// have, is no encoding of that format and is left out, with a warning.
fn write_encodings(model: &Model, heads: Heads, path: &Path, reporter: &mut Reporter<'_>) -> Result<()> {
    let failed = unwritten(path);
    let mut out = BufWriter::new(File::create(path).map_err(&failed)?);
    out.write_all(b"{\"version\":\"2.0.0\",\"encodings\":[").map_err(&failed)?;
    let (mut count, mut left_out) = (0, Vec::new());
    for (name, weight, rows) in projections(model, heads) {
        if matches!(weight.format, Format::F32 | Format::F16 | Format::BF16) {
            continue;
        }
        let unpacked = unpack_rows(weight, rows.clone()).map_err(Diagnostic::from)?;
        let Granularity::PerBlock(blocks) = unpacked.encoding.granularity() else { continue };
        if !blocks.minimums().is_empty() {
            left_out.push(format!("{name} ({})", weight.format.name()));
            continue;
        }
        let in_a_row = weight.columns / blocks.size();
        let scales: Vec<&[f32]> = blocks.scales().chunks(in_a_row.max(1)).collect();
        let entry = json!({
            "name": name,
            "output_dtype": if unpacked.encoding.bits() <= 4 { "int4" } else { "int8" },
            "axis": 1,
            "block_size": blocks.size(),
            "y_scale": scales,
        });
        let comma = if count == 0 { "" } else { "," };
        write!(out, "{comma}\n{entry}").map_err(&failed)?;
        count += 1;
    }
    out.write_all(b"\n]}\n").and_then(|()| out.flush()).map_err(&failed)?;
    if !left_out.is_empty() {
        let message = format!("{} of the weights have no encoding in {}", left_out.len(), path.display());
        let warning = Diagnostic::new("E0220", message)
            .note(format!("they have a minimum beside their scale: {} …", left_out[0]));
        reporter.warn(warning);
    }
    Ok(())
}

fn write_dlc(job: &ExportJob, model: &Model, shape: &Shape, reporter: &mut Reporter<'_>) -> Result<()> {
    let Some((path, soc, strategy)) = &job.dlc else { return Ok(()) };
    reporter.stage(Stage::Import);
    let weights = Weights::new(model, Target::Htp { arch: soc.arch, strategy: *strategy }).with_plain_keys();
    let mut progress = |done, total| reporter.progress(done, total);
    let mut graph = build("decoder", &whole(model), shape, &weights, &mut progress)?;
    reporter.stage(Stage::Lower);
    super::physical(&mut graph, soc, &mut |warning| reporter.warn(warning))?;
    let program = crate::lower::lower(&graph, soc, &OpPackages::default())?;
    drop(graph);
    let blocks = |tensor: &crate::program::Tensor| matches!(tensor.quant, qnn::Quant::FloatBlocks { .. });
    if program.tensors.iter().any(blocks) {
        reporter.warn(Diagnostic {
            help: Some("--strategy requantize-int8, requantize-int4 or float-fallback writes weights that it composes".to_owned()),
            ..problem(
                "E0212",
                format!(
                    "{} keeps weights in blocks of few bits, and the library's own composer crashes on these: it cannot be compiled from \
                     the DLC",
                    path.display()
                ),
            )
        });
    }
    reporter.stage(Stage::Compose);
    let libs = QnnLibs { dir: job.toolchain.qnn_lib_dir.clone(), source: Source::Explicit };
    let failed = |e: qnn::Error| Problems::from(htp::diagnostic(&e, "the DLC cannot be written"));
    let mut builder: GraphBuilder<'_> = qnn::dlc::create(&libs, path, &program.name).map_err(failed)?;
    htp::emit_to_file(&program, &mut builder, reporter)?;
    reporter.stage(Stage::Serialize);
    builder.complete().and_then(|graph| graph.finalize()).map_err(failed)
}
