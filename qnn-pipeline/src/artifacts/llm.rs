//! The files of a language model: context binaries of its parts, embedding table, tokenizer, description, report.

use std::collections::BTreeMap;
use std::path::Path;

use qnn_llm::Deployment;
use qnn_llm::deployment::{self, Embedding, FileInfo, Part, Source, TextInfo};
use qnn_platform::checksum::checksum;
use serde::Serialize;

use super::{Content, Output, embedding, record};
use crate::compile::Compiled;
use crate::plan::PlannedModel;
use crate::source::{LlmFacts, read_llm};
use qnn_types::{
    ArtifactKind, ArtifactRecord, CompileJob, Diagnostic, LlmPart, LlmPartKind, Report, Stage, Target,
    WeightReport,
};
use qnn_types::{Error, Result};

/// A part that was compiled.
type Made<'a> = (&'a CompileJob, &'a LlmPart, &'a Compiled);

/// All files of a language model: for each SoC the parts in the order of execution, the description and the report, then
/// what serves all SoCs.
pub(super) fn outputs<'a>(
    package: &str,
    model: &'a PlannedModel,
    facts: &'a LlmFacts,
    artifacts: &[(&'a CompileJob, &'a Compiled)],
) -> Result<Vec<Output<'a>>> {
    let made: Vec<Made<'a>> =
        artifacts.iter().filter_map(|(job, compiled)| Some((*job, job.llm.as_ref()?, *compiled))).collect();
    let mut socs: Vec<&Target> = Vec::new();
    for (job, part, _) in &made {
        if part.what != LlmPartKind::Embedding && !socs.iter().any(|soc| soc.id == job.soc.id) {
            socs.push(&job.soc);
        }
    }
    let tokenizer = facts.tokenizer.as_ref().map(|file| (format!("{}.tokenizer.json", model.name), file));
    let bytes = made.iter().map(|(.., compiled)| compiled.entry.record.bytes).sum::<u64>();
    let embed = embedding(model.embed, bytes + tokenizer.as_ref().map_or(0, |(_, file)| file.bytes));
    let all = ArtifactRecord {
        package: package.to_owned(),
        model: model.name.clone(),
        embed,
        ..ArtifactRecord::default()
    };

    let table =
        made.iter().find(|(_, part, _)| part.what == LlmPartKind::Embedding).map(|(_, part, compiled)| {
            let record = ArtifactRecord {
                kind: ArtifactKind::Embedding,
                part: Some(part.what.to_string()),
                ..all.clone()
            };
            Output::compiled(record, format!("{}.embedding.f16", model.name), compiled)
        });
    let common = Common {
        model,
        facts,
        embedding: table.as_ref().map(|table| table.record.file.clone()),
        tokenizer: tokenizer.as_ref().map(|(name, _)| name.clone()),
        files: table
            .iter()
            .map(|table| info(&table.record.file, table.record.bytes, &table.record.checksum))
            .chain(tokenizer.iter().map(|(name, file)| info(name, file.bytes, &file.checksum)))
            .collect(),
    };
    let mut outputs = Vec::new();
    for soc in socs {
        let parts: Vec<Made<'a>> = made
            .iter()
            .filter(|(job, part, _)| job.soc.id == soc.id && part.what != LlmPartKind::Embedding)
            .copied()
            .collect();
        let base = record(package, model, soc, embed);
        outputs.extend(common.of_soc(&base, soc, &parts)?);
    }
    outputs.extend(table);
    outputs.extend(tokenizer.map(|(file, known)| {
        let (bytes, blake3, checksum) = (known.bytes, known.blake3.clone(), known.checksum.clone());
        let record = ArtifactRecord { kind: ArtifactKind::Tokenizer, file, bytes, blake3, checksum, ..all };
        Output { record, content: Content::Tokenizer(&model.source), fresh: true }
    }));
    Ok(outputs)
}

/// What the files of all SoCs have in common.
struct Common<'a> {
    model: &'a PlannedModel,
    facts: &'a LlmFacts,
    embedding: Option<String>,
    tokenizer: Option<String>,
    /// What their bytes are.
    files: BTreeMap<String, FileInfo>,
}

fn info(file: &str, bytes: u64, checksum: &str) -> (String, FileInfo) {
    (file.to_owned(), FileInfo { bytes, checksum: checksum.to_owned() })
}

impl<'a> Common<'a> {
    fn of_soc(&self, base: &ArtifactRecord, soc: &Target, parts: &[Made<'a>]) -> Result<Vec<Output<'a>>> {
        let name = format!("{}.{}", self.model.name, soc.name);
        let mut outputs = Vec::new();
        for (index, (_, part, compiled)) in parts.iter().enumerate() {
            let file = match part.what {
                LlmPartKind::Head => format!("{name}.head.bin"),
                _ => format!("{name}.{index}.bin"),
            };
            let record = ArtifactRecord { part: Some(part.what.to_string()), ..base.clone() };
            outputs.push(Output::compiled(record, file, compiled));
        }
        let files: Vec<&str> = outputs.iter().map(|output| output.record.file.as_str()).collect();
        let Some(description) = self.description(soc, parts, &files) else { return Ok(outputs) };
        let report = ModelReport::new(&description, parts, &files);
        let build_id = description.build_id.clone();
        let fresh = parts.iter().all(|(.., compiled)| compiled.cached);
        let texts = [
            (ArtifactKind::Description, format!("{name}.llm.json"), json(&description)?),
            (ArtifactKind::Report, format!("{name}.report.json"), json(&report)?),
        ];
        outputs.extend(texts.map(|(kind, file, text)| {
            let (bytes, blake3) = (text.len() as u64, blake3::hash(&text).to_hex().to_string());
            let (build_id, checksum) = (build_id.clone(), checksum(&text).to_string());
            let record = ArtifactRecord { kind, file, bytes, blake3, checksum, build_id, ..base.clone() };
            Output { record, content: Content::Bytes(text), fresh }
        }));
        Ok(outputs)
    }

    /// `None` for a SoC without parts, which no plan has.
    fn description(&self, soc: &Target, parts: &[Made<'_>], files: &[&str]) -> Option<Deployment> {
        let (first, options, compiled) = parts.first()?;
        let facts = &self.model.facts;
        let part = |((_, part, compiled), file): (&Made<'_>, &&str)| {
            let (first_layer, layers, head) = match part.what {
                LlmPartKind::Layers { first, count, head, .. } => (first as usize, count as usize, head),
                _ => (self.facts.config.layers, 0, true),
            };
            let report = &compiled.entry.record.report;
            Part {
                file: (*file).to_owned(),
                first_layer,
                layers,
                head,
                bytes: compiled.entry.record.bytes,
                ops: report.op_types.iter().map(|(ty, count)| (ty.clone(), *count)).collect(),
                compile_ms: total_ms(report),
                peak_rss: report.peak_rss,
            }
        };
        let sum = |((.., compiled), file): (&Made<'_>, &&str)| {
            info(file, compiled.entry.record.bytes, &compiled.entry.record.checksum)
        };
        Some(Deployment {
            version: deployment::VERSION,
            model: self.model.name.clone(),
            soc: soc.name.clone(),
            source: Source {
                file: self.model.source.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                blake3: facts.digest(),
                bytes: facts.total_bytes(),
            },
            strategy: options.strategy,
            config: self.facts.config.clone(),
            context: options.context as usize,
            tokens: first.graphs.iter().filter_map(|graph| graph.tokens).map(|n| n as usize).collect(),
            heads: options.heads,
            kv: options.kv,
            embedding: self.embedding.clone().map_or(Embedding::Graph, |file| Embedding::Host { file }),
            parts: parts.iter().zip(files).map(part).collect(),
            text: TextInfo { tokenizer: self.tokenizer.clone(), ..self.facts.text.clone() },
            files: self.files.clone().into_iter().chain(parts.iter().zip(files).map(sum)).collect(),
            build_id: compiled.entry.record.report.build_id.clone(),
        })
    }
}

/// What became of each weight, and what compiling took: `NAME.SOC.report.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ModelReport<'a> {
    version: u32,
    model: &'a str,
    soc: &'a str,
    source: &'a Source,
    strategy: qnn_types::Strategy,
    build_id: &'a str,
    /// Length of all context binaries, bytes.
    bytes: u64,
    parts: Vec<PartReport<'a>>,
}

/// A part of a [`ModelReport`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct PartReport<'a> {
    part: String,
    file: &'a str,
    bytes: u64,
    /// QNN ops of all its graphs.
    ops: u64,
    compile_ms: f64,
    /// Part of that spent in the vendor's library.
    vendor_ms: f64,
    stage_ms: &'a [(Stage, f64)],
    peak_rss: u64,
    /// What became of each weight.
    weights: &'a [WeightReport],
}

impl<'a> ModelReport<'a> {
    fn new(description: &'a Deployment, parts: &[Made<'a>], files: &[&'a str]) -> Self {
        let part = |((_, part, compiled), file): (&Made<'a>, &&'a str)| {
            let report = &compiled.entry.record.report;
            PartReport {
                part: part.what.to_string(),
                file,
                bytes: compiled.entry.record.bytes,
                ops: report.ops,
                compile_ms: total_ms(report),
                vendor_ms: report.vendor_ms,
                stage_ms: &report.stage_ms,
                peak_rss: report.peak_rss,
                weights: &report.weights,
            }
        };
        Self {
            version: 1,
            model: &description.model,
            soc: &description.soc,
            source: &description.source,
            strategy: description.strategy,
            build_id: &description.build_id,
            bytes: description.parts.iter().map(|part| part.bytes).sum(),
            parts: parts.iter().zip(files).map(part).collect(),
        }
    }
}

fn total_ms(report: &Report) -> f64 {
    report.stage_ms.iter().map(|(_, ms)| ms).sum()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| {
        Error::from(
            Diagnostic::new("E0605", "a description cannot be written as JSON").note(error.to_string()),
        )
    })?;
    text.push(b'\n');
    Ok(text)
}

/// The tokenizer of a model file.
pub(crate) fn tokenizer(source: &Path) -> Result<String> {
    let model = read_llm(source).map_err(|problems| Error { problems, warnings: Vec::new(), log: None })?;
    Ok(model.text.tokenizer.unwrap_or_default())
}
