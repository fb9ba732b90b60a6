//! A language model in the emulator against its dequantized weights in float32, token by token of a text.
//!
//! Both run in the runtime's own decode loop (`qnn::llm`): what was compiled with its F16 cache, the reference with one of float32.

mod layered;
mod reader;
mod reference;
mod tally;

use qnn::llm::{Decoder, Llm};
use qnn::{Backend, Device, LoadOptions};
use qnn_llm::deployment::{self, Embedding, Part, Source as ModelSource, TextInfo};
use qnn_llm::{Config, Deployment, Heads, KvType, Strategy};
use qnn_platform::libs::{QnnLibs, Source};
use qnn_types::{Diagnostic, EvaluateJob, Evaluated, Evaluation, Report, Stage};

use self::layered::Layered;
use self::reader::Reader;
use self::reference::Reference;
use self::tally::{Noise, Tally};
use super::{Spill, Weights};
use crate::htp;
use crate::problem::{Problems, Result};
use crate::reporter::Reporter;

/// Runs both engines over every window of the text.
///
/// # Errors
/// What cannot be loaded or run.
pub(crate) fn evaluate(job: &EvaluateJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Import);
    let model = qnn_llm::open(&job.source)
        .map_err(|found| Problems(found.0.into_iter().map(Diagnostic::from).collect()))?;
    let path = job.folder.join("reference.data");
    let written = |e| Problems::from(qnn_types::io_problem("E0605", "cannot write", &path, &e));
    let spill = Spill::create(&path).map_err(written)?;
    let weights = Weights::spilling(&model, &spill);
    reporter.stage(Stage::Load);
    let libs = QnnLibs { dir: job.toolchain.qnn_lib_dir.clone(), source: Source::Explicit };
    let device = Backend::open(&libs)
        .and_then(|backend| Device::for_soc(&backend, job.soc.id))
        .map_err(|e| failed(&e, "the emulator cannot be opened"))?;
    let reference = |context: usize, tokens: &[usize], layers: bool| -> Result<_> {
        let whole = whole(&model.config, context, tokens, Heads::Fused);
        let engine = Reference::new(job, &weights, &spill, &whole, layers)?;
        Decoder::over(engine, whole).map_err(|e| failed(&e, "the reference cannot be run"))
    };
    let text =
        |tokens| Text { windows: &job.windows, tokens, decode: job.decode, width: model.config.hidden };
    let evaluation = match &job.what {
        Evaluated::Deployment { description } => {
            let llm = Llm::load_on(&device, description.clone(), &LoadOptions::new())
                .map_err(|e| failed(&e, &format!("{} cannot be loaded", description.display())))?;
            let tokens = &llm.deployment().tokens;
            let mut reference = reference(llm.context(), tokens, false)?;
            compare(&mut llm.session(), &mut reference, &text(tokens[0]), reporter)?
        }
        Evaluated::Layers { binary, tokens, context, heads } => {
            let (context, mut tokens) = (*context as usize, vec![*tokens as usize, 1]);
            tokens.dedup();
            let layered = Layered::load(&device, binary, &model.config)?;
            let mut subject = Decoder::over(layered, whole(&model.config, context, &tokens, *heads))
                .map_err(|e| failed(&e, &format!("{} cannot be run", binary.display())))?;
            let mut reference = reference(context, &tokens, true)?;
            compare(&mut subject, &mut reference, &text(tokens[0]), reporter)?
        }
    };
    Ok(Report { evaluation: Some(evaluation), stage_ms: reporter.finish(), ..Report::default() })
}

fn failed(error: &qnn::Error, what: &str) -> Problems {
    Diagnostic { code: "E0706".to_owned(), ..htp::diagnostic(error, what) }.into()
}

/// The model as one part, with the embedding and the head in its graphs: what only comparisons have.
fn whole(config: &Config, context: usize, tokens: &[usize], heads: Heads) -> Deployment {
    let part = Part {
        file: String::new(),
        first_layer: 0,
        layers: config.layers,
        head: true,
        bytes: 0,
        ops: Vec::new(),
        compile_ms: 0.0,
        peak_rss: 0,
    };
    Deployment {
        version: deployment::VERSION,
        model: config.architecture.clone(),
        soc: String::new(),
        source: ModelSource::default(),
        strategy: Strategy::default(),
        config: config.clone(),
        context,
        tokens: tokens.to_vec(),
        heads,
        kv: KvType::default(),
        embedding: Embedding::Graph,
        parts: vec![part],
        text: TextInfo::default(),
        files: Default::default(),
        build_id: String::new(),
    }
}

/// What is read, and how.
struct Text<'a> {
    windows: &'a [Vec<u32>],
    /// Tokens at a time.
    tokens: usize,
    /// How many of the first are read once more, one by one.
    decode: u32,
    /// Length of a hidden state.
    width: usize,
}

/// Lets both read every window, and the subject the first tokens of all once more.
fn compare(
    subject: &mut dyn Reader,
    reference: &mut dyn Reader,
    &Text { windows, tokens, decode, width }: &Text<'_>,
    reporter: &mut Reporter<'_>,
) -> Result<Evaluation> {
    reporter.stage(Stage::Execute);
    let mut tally = Tally::default();
    let chunks: usize = windows.iter().map(|window| window.len().div_ceil(tokens)).sum();
    let mut done = 0;
    let mut first = Vec::new();
    for window in windows {
        subject.restart();
        reference.restart();
        let mut before = None;
        for chunk in window.chunks(tokens) {
            let rows = [read(subject, chunk)?, read(reference, chunk)?];
            if done == 0 {
                tally.layers(chunk.len(), width, &subject.layers(), &reference.layers());
                first.extend(rows[0].iter().take(decode as usize).cloned());
            }
            tally.rows(before.as_ref(), &rows, chunk);
            before = rows[0].last().cloned().zip(rows[1].last().cloned()).map(<[_; 2]>::from);
            done += 1;
            reporter.progress(done, chunks);
        }
    }
    subject.restart();
    let mut noise = Noise::default();
    for (token, row) in windows.iter().flatten().zip(&first) {
        noise.add(row, &read(subject, &[*token])?.concat());
    }
    let decode_db = (!first.is_empty()).then(|| noise.db());
    Ok(Evaluation { decode_db, ..tally.finish() })
}

/// The logits after each token.
fn read(reader: &mut dyn Reader, tokens: &[u32]) -> Result<Vec<Vec<f32>>> {
    let mut rows = Vec::with_capacity(tokens.len());
    reader.read(tokens, &mut |logits| rows.push(logits.to_vec()))?;
    Ok(rows)
}
