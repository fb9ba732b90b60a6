//! Verifying a language model: perplexity and logits in the emulator against its dequantized weights in float32.

use std::path::PathBuf;
use std::time::Duration;

use qnn_llm::deployment::graph_name;
use qnn_llm::{Heads, KvType, Strategy};
use qnn_pipeline::driver::JobId;
use qnn_types::{
    CompileJob, EvaluateJob, Evaluation, ExportJob, GraphSpec, HtpOptions, Job, LlmPart, LlmPartKind,
    Precision, SourceFormat, Target,
};

use super::scratch::Scratch;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::progress::{COMPILE, EVALUATE, EXPORT};
use crate::session::Session;
use crate::toolchain::ensure;

/// What to verify, and how much of the text.
pub(crate) struct Request {
    /// The model's file or folder.
    pub(crate) source: PathBuf,
    pub(crate) soc: Target,
    /// The text.
    pub(crate) text: PathBuf,
    /// Positions of a window of the text, and of the graphs.
    pub(crate) context: u32,
    /// Tokens per execution.
    pub(crate) tokens: u32,
    /// How many windows; the whole text without it.
    pub(crate) windows: Option<usize>,
    pub(crate) heads: Heads,
    pub(crate) strategy: Strategy,
    pub(crate) optimization: Option<u8>,
    pub(crate) timeout: Option<Duration>,
}

/// Tokens of the first window that also go through the graph of one token.
const DECODED: u32 = 16;

/// Compiles the model as one part, writes the reference beside it, and runs both over the text.
pub(crate) fn evaluate(session: &Session, request: &Request) -> Result<Evaluation> {
    if request.tokens == 0 || request.tokens >= request.context {
        let message = format!("{} tokens do not fit a context of {}", request.tokens, request.context);
        return Err(Failure::usage(message));
    }
    if !request.soc.fp16 {
        let message =
            format!("{} has no fp16 unit, and language models are computed in fp16", request.soc.name);
        return Err(Failure::new(Exit::User, "E0106", message)
            .help("name another SoC; `cargo qnn socs` lists those with fp16"));
    }
    let windows = windows(request)?;
    let folder = Scratch::new()?;
    let (binary, onnx) = (folder.path().join("model.bin"), folder.path().join("model.onnx"));
    let toolchain = ensure(session)?.for_job();
    let name = request.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let id = JobId { model: name.clone(), soc: request.soc.name.clone(), ..JobId::default() };
    let run = |job: &Job, verbs| jobs::run(session, job, &id, verbs, request.timeout);

    let layers = qnn_llm::peek(&request.source)
        .map_err(|found| Failure {
            exit: Exit::User,
            problems: found.0.into_iter().map(Into::into).collect(),
        })?
        .config
        .layers;
    let what = LlmPartKind::Layers { first: 0, count: layers as u32, embedding: true, head: true };
    let graph = |tokens: u32| GraphSpec {
        name: graph_name(tokens as usize),
        tokens: Some(tokens),
        ..GraphSpec::default()
    };
    let format = match qnn_llm::kind(&request.source) {
        Some(qnn_llm::Kind::Gguf) => SourceFormat::Gguf,
        _ => SourceFormat::Safetensors,
    };
    run(
        &Job::Compile(CompileJob {
            model: name,
            source: request.source.clone(),
            format,
            soc: request.soc.clone(),
            precision: Precision::default(),
            graphs: vec![graph(request.tokens), graph(1)],
            outputs: Vec::new(),
            samples: None,
            accuracy: Default::default(),
            trace: None,
            encodings: None,
            op_packages: Vec::new(),
            llm: Some(LlmPart {
                what,
                context: request.context,
                heads: request.heads,
                kv: KvType::default(),
                strategy: request.strategy,
                layers: true,
            }),
            // The emulator cannot load weights that graphs share.
            htp: HtpOptions {
                weight_sharing: Some(false),
                optimization: request.optimization,
                ..HtpOptions::default()
            },
            toolchain: toolchain.clone(),
            output: Some(binary.clone()),
        }),
        COMPILE,
    )?;
    run(
        &Job::Export(ExportJob {
            source: request.source.clone(),
            tokens: request.tokens,
            context: request.context,
            heads: request.heads,
            layers: true,
            onnx: Some(onnx.clone()),
            encodings: None,
            dlc: None,
            toolchain: toolchain.clone(),
        }),
        EXPORT,
    )?;
    let job = EvaluateJob {
        source: request.source.clone(),
        binary,
        soc: request.soc.clone(),
        onnx,
        tokens: request.tokens,
        context: request.context,
        heads: request.heads,
        windows,
        decode: DECODED,
        toolchain,
    };
    run(&Job::Evaluate(job), EVALUATE)?
        .evaluation
        .ok_or_else(|| Failure::new(Exit::User, codes::ARRAYS, "the worker reports no evaluation".to_owned()))
}

/// The text as token ids, after the token that begins texts where the model has one, cut into windows of the context's length: each
/// is evaluated by itself, and its first token is not predicted.
fn windows(request: &Request) -> Result<Vec<Vec<u32>>> {
    let unreadable = |error| Failure::io("cannot read", &request.text, &error);
    let text = std::fs::read_to_string(&request.text).map_err(unreadable)?;
    let model = qnn_llm::open(&request.source).map_err(|found| Failure {
        exit: Exit::User,
        problems: found.0.into_iter().map(Into::into).collect(),
    })?;
    let Some(tokenizer) = model.text.tokenizer else {
        return Err(Failure::user("the model has no tokenizer, so that its text cannot be read")
            .help("use a file with a tokenizer, or put tokenizer.json beside the weights"));
    };
    let unusable = |error: qnn::Error| Failure::user("the tokenizer cannot be used").note(error.to_string());
    let tokenizer = qnn::llm::Tokenizer::new(tokenizer.as_bytes()).map_err(unusable)?;
    let ids = tokenizer.encode(&text).map_err(unusable)?;
    let first = model.text.bos.or(model.text.stop.first().copied());
    // A text may begin with the token's own name.
    let first = first.filter(|first| ids.first() != Some(first));
    let ids: Vec<u32> = first.into_iter().chain(ids).collect();
    let windows = ids.chunks(request.context as usize).map(<[u32]>::to_vec);
    let windows: Vec<Vec<u32>> = windows.take(request.windows.unwrap_or(usize::MAX)).collect();
    match windows.iter().all(|window| window.len() < 2) {
        true => Err(Failure::user(format!("{} holds no text", request.text.display()))),
        false => Ok(windows),
    }
}
