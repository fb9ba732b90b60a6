//! A language model as parts: which layers share a context binary, which graphs it has, and what does not fit the model.

use qnn_llm::deployment::{HEAD_GRAPH, graph_name};
use qnn_llm::strategy::{WeightFormat, choose};
use qnn_types::Strategy;

use super::Located;
use crate::source::LlmFacts;
use qnn_manifest::{EmbeddingPlace, Llm, LmHead, Model, Shards, is_llm};
use qnn_types::{Accuracy, CompileJob, Diagnostic, GraphSpec, LlmPart, LlmPartKind, SourceFormat};

/// Longest context that is taken when the manifest does not say one: every graph and every token pays for it.
const DEFAULT_CONTEXT: u32 = 1024;
/// Tokens of the prefill graph when the manifest does not say.
const DEFAULT_PREFILL: u32 = 128;
/// Size of a context binary that `shards = "auto"` aims at: parts of this size compile side by side, in about 2 GB each.
const SHARD_BYTES: u64 = 256_000_000;
/// What a context binary cannot be, and why.
const LIMITS: &[(u64, &str)] = &[
    (3584 << 20, "the vendor's compiler refuses graphs of more than 3.5 GiB"),
    (2 << 30, "the HTP loads up to 2 GiB in one piece"),
];

/// Options that mean nothing for this kind of model.
pub(super) fn foreign(format: SourceFormat, model: &Model) -> Vec<Located> {
    let said: &[(&str, bool)] = if is_llm(format) {
        &[
            ("inputs", !model.inputs.is_empty()),
            ("dims", !model.dims.is_empty()),
            ("outputs", !model.outputs.is_empty()),
            ("graphs", !model.graphs.is_empty()),
            ("samples", model.samples.is_some()),
            ("quantize", model.quantize.encodings.is_some()),
            ("accuracy", model.accuracy != Accuracy::default()),
        ]
    } else {
        &[("llm", model.llm.is_some())]
    };
    let problem = |key: &str| {
        let what = if is_llm(format) { "a language model" } else { "a model that is no language model" };
        let help = match key {
            "quantize" => "remove it; `llm.strategy` says what is done with weights",
            "dims" | "graphs" | "inputs" => "remove it; `llm.context` and `llm.prefill` give the sizes",
            _ => "remove it",
        };
        let message = format!("`{key}` has no meaning for {what}");
        (vec![key.to_owned()], Diagnostic::new("E0119", message).help(help))
    };
    said.iter().filter(|(_, said)| *said).map(|(key, _)| problem(key)).collect()
}

/// How a language model is compiled, every default settled.
#[derive(Debug)]
pub(super) struct Layout {
    context: u32,
    /// Tokens of each graph of the layers, largest first.
    tokens: Vec<u32>,
    options: Llm,
}

impl Layout {
    /// Settles what the manifest leaves open, and holds what it says against the model.
    pub(super) fn new(facts: &LlmFacts, options: Option<&Llm>) -> Result<Self, Vec<Located>> {
        let options = options.cloned().unwrap_or_default();
        let mut problems = Vec::new();
        let mut problem = |key: &str, message: String, help: String| {
            let key = vec!["llm".to_owned(), key.to_owned()];
            problems.push((key, Diagnostic::new("E0118", message).help(help)));
        };
        let limit = u32::try_from(facts.config.max_context).unwrap_or(u32::MAX);
        let context = options.context.unwrap_or(limit.clamp(2, DEFAULT_CONTEXT));
        if context > limit {
            let message = format!("a context of {context} tokens, and the model was made for {limit}");
            problem("context", message, format!("at most llm.context = {limit}"));
        }
        let prefill = options.prefill.clone().unwrap_or_else(|| vec![DEFAULT_PREFILL.min(context / 2)]);
        if let Some(most) = prefill.iter().max().filter(|most| **most >= context) {
            let message = format!("a prefill of {most} tokens leaves no past in a context of {context}");
            problem(
                "prefill",
                message,
                format!("at most {}, or a longer `context`", context.saturating_sub(1)),
            );
        }
        if let Shards::Count(count) = options.shards
            && count as usize > facts.config.layers
        {
            let message = format!("{count} shards, and the model has {} layers", facts.config.layers);
            problem("shards", message, "leave `shards` out, or \"auto\"".to_owned());
        }
        if !problems.is_empty() {
            // Why the longest context is not the one that the model's makers name.
            let limits = facts.notes.iter().filter(|note| note.contains("limited to"));
            let limits: Vec<String> = limits.cloned().collect();
            for (_, problem) in problems.iter_mut().filter(|(key, _)| key[1] == "context") {
                problem.notes.extend(limits.clone());
            }
            return Err(problems);
        }
        let mut tokens = prefill;
        tokens.push(1);
        tokens.sort_unstable_by_key(|tokens| std::cmp::Reverse(*tokens));
        tokens.dedup();
        Ok(Self { context, tokens, options })
    }

    /// The jobs of the parts for one SoC, in the order of execution. `job` is what they have in common.
    ///
    /// # Errors
    /// `E0240`: a part that cannot be compiled or loaded, with the way out.
    pub(super) fn parts(&self, facts: &LlmFacts, job: &CompileJob) -> Result<Vec<CompileJob>, Located> {
        let arch = job.soc.arch;
        self.native(facts, job)?;
        let shards = match self.options.shards {
            Shards::Count(count) => count,
            Shards::Auto => self.auto(facts, arch),
        };
        let kinds = self.kinds(facts, shards);
        let largest = kinds.iter().max_by_key(|what| self.bytes(facts, what, arch));
        if let Some(what) = largest
            && let Some((_, why)) = too_large(self.bytes(facts, what, arch))
        {
            return Err(self.refuse(facts, job, what, why));
        }
        Ok(kinds.into_iter().map(|what| self.job(what, job)).collect())
    }

    /// Whether the SoC has the encodings of the file's own blocks, where these were asked for.
    fn native(&self, facts: &LlmFacts, job: &CompileJob) -> Result<(), Located> {
        if self.options.strategy != Strategy::Native {
            return Ok(());
        }
        let other = facts.weights.iter().find(|weight| {
            weight.rows > 1
                && choose(Strategy::Native, weight.format, job.soc.arch).format == WeightFormat::AxisInt8
        });
        let Some(weight) = other else { return Ok(()) };
        let message = format!(
            "{} (v{}) has no encoding for the file's blocks ({}), which `native` would keep",
            job.soc.name,
            job.soc.arch,
            weight.format.name()
        );
        let help =
            "llm.strategy = \"auto\" makes 8-bit integers of them there, and keeps them on SoCs that can";
        Err((vec!["llm".to_owned(), "strategy".to_owned()], Diagnostic::new("E0118", message).help(help)))
    }

    /// The job of the embedding table, which is the same for every SoC; `None` where the table is in the graph.
    pub(super) fn table(&self, job: &CompileJob) -> Option<CompileJob> {
        (self.options.embedding == EmbeddingPlace::Host).then(|| self.job(LlmPartKind::Embedding, job))
    }

    fn job(&self, what: LlmPartKind, job: &CompileJob) -> CompileJob {
        let graph = |name: String, tokens| GraphSpec { name, tokens: Some(tokens), ..GraphSpec::default() };
        let graphs = match what {
            LlmPartKind::Layers { .. } => {
                self.tokens.iter().map(|tokens| graph(graph_name(*tokens as usize), *tokens)).collect()
            }
            LlmPartKind::Head => vec![graph(HEAD_GRAPH.to_owned(), 1)],
            LlmPartKind::Embedding => Vec::new(),
        };
        let Llm { heads, kv, strategy, .. } = self.options;
        let part = LlmPart { what, context: self.context, heads, kv, strategy, layers: false };
        CompileJob { graphs, llm: Some(part), ..job.clone() }
    }

    /// What the parts are when the layers are divided into so many, the first ones larger by one where it does not divide.
    fn kinds(&self, facts: &LlmFacts, shards: u32) -> Vec<LlmPartKind> {
        let layers = u32::try_from(facts.config.layers).unwrap_or(u32::MAX);
        let (each, rest) = (layers / shards.max(1), layers % shards.max(1));
        let inside = self.options.lm_head == LmHead::Inside;
        let mut first = 0;
        let mut kinds: Vec<LlmPartKind> = (0..shards)
            .map(|index| {
                let count = each + u32::from(index < rest);
                let embedding = index == 0 && self.options.embedding == EmbeddingPlace::Graph;
                let head = index + 1 == shards && inside;
                first += count;
                LlmPartKind::Layers { first: first - count, count, embedding, head }
            })
            .collect();
        if !inside {
            kinds.push(LlmPartKind::Head);
        }
        kinds
    }

    fn bytes(&self, facts: &LlmFacts, what: &LlmPartKind, arch: u32) -> u64 {
        facts.estimated_bytes(what, self.options.strategy, arch)
    }

    /// The fewest parts whose layers stay within the size that is aimed at; a table or a head beside them does not count,
    /// since more parts would not make these smaller.
    fn auto(&self, facts: &LlmFacts, arch: u32) -> u32 {
        let layers = u32::try_from(facts.config.layers).unwrap_or(u32::MAX).max(1);
        let all = LlmPartKind::Layers { first: 0, count: layers, embedding: false, head: false };
        let shards = self.bytes(facts, &all, arch).div_ceil(SHARD_BYTES);
        u32::try_from(shards).unwrap_or(layers).clamp(1, layers)
    }

    fn refuse(&self, facts: &LlmFacts, job: &CompileJob, what: &LlmPartKind, why: &str) -> Located {
        let arch = job.soc.arch;
        let gib = self.bytes(facts, what, arch) as f64 / f64::from(1 << 30);
        let key = match self.options.shards {
            Shards::Count(_) => vec!["llm".to_owned(), "shards".to_owned()],
            Shards::Auto => vec!["llm".to_owned()],
        };
        let layers = u32::try_from(facts.config.layers).unwrap_or(u32::MAX);
        let fits = |shards: &u32| {
            let kinds = self.kinds(facts, *shards);
            kinds.iter().all(|what| too_large(self.bytes(facts, what, arch)).is_none())
        };
        let help = match (what, (self.auto(facts, arch)..=layers).find(fits)) {
            (_, Some(shards)) => format!("llm.shards = {shards}, or leave `shards` out"),
            (LlmPartKind::Layers { head: true, .. }, _) => "llm.lm-head = \"separate\"".to_owned(),
            (LlmPartKind::Layers { embedding: true, .. }, _) => "llm.embedding = \"host\"".to_owned(),
            _ => "llm.strategy = \"requantize-int4\", or a file with fewer bits a weight".to_owned(),
        };
        let message = format!(
            "{what} of the model would be a context binary of about {gib:.1} GiB for {}",
            job.soc.name
        );
        (key, Diagnostic::new("E0240", message).note(why).help(help))
    }
}

fn too_large(bytes: u64) -> Option<&'static (u64, &'static str)> {
    LIMITS.iter().find(|(limit, _)| bytes > *limit)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use qnn_llm::deployment::TextInfo;
    use qnn_llm::{Config, Format, Rope};

    use super::*;
    use crate::source::{LlmWeight, Place};
    use qnn_types::{HtpOptions, Precision, Target, Toolchain};

    /// Sizes of Qwen2-1.5B, every matrix in one format.
    fn facts(format: Format) -> LlmFacts {
        let (hidden, layers, vocabulary) = (1536, 28, 151936);
        let config = Config {
            architecture: "qwen2".to_owned(),
            hidden,
            layers,
            heads: 12,
            kv_heads: 2,
            head_dim: 128,
            intermediate: 8960,
            vocabulary,
            rms_epsilon: 1e-6,
            rope: Rope { theta: 1e6, scaling: None },
            max_context: 32768,
            qkv_bias: true,
            qk_norm: false,
            tied: false,
        };
        let weight = |place, rows, columns| LlmWeight { place, format, rows, columns };
        let vector = |place, columns| LlmWeight { place, format: Format::F32, rows: 1, columns };
        let mut weights: Vec<LlmWeight> = (0..28)
            .flat_map(|layer| {
                let place = Place::Layer(layer);
                let sizes = [
                    (1536, 1536),
                    (256, 1536),
                    (256, 1536),
                    (1536, 1536),
                    (8960, 1536),
                    (8960, 1536),
                    (1536, 8960),
                ];
                sizes
                    .map(|(rows, columns)| weight(place, rows, columns))
                    .into_iter()
                    .chain([vector(place, 1536)])
            })
            .collect();
        weights.push(weight(Place::Embedding, 151936, 1536));
        weights.push(weight(Place::Head, 151936, 1536));
        weights.push(vector(Place::Head, 1536));
        LlmFacts { config, weights, text: TextInfo::default(), tokenizer: None, notes: Vec::new() }
    }

    fn job() -> CompileJob {
        CompileJob {
            model: "m".to_owned(),
            source: PathBuf::from("m.gguf"),
            format: SourceFormat::Gguf,
            soc: Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true },
            precision: Precision::Fp16,
            graphs: Vec::new(),
            outputs: Vec::new(),
            samples: None,
            ranges: Vec::new(),
            accuracy: Default::default(),
            trace: None,
            encodings: None,
            op_packages: Vec::new(),
            llm: None,
            htp: HtpOptions::default(),
            toolchain: Toolchain { qnn_lib_dir: PathBuf::new(), onnxruntime: None },
            output: None,
        }
    }

    fn parts(facts: &LlmFacts, options: Llm) -> Vec<CompileJob> {
        Layout::new(facts, Some(&options)).unwrap().parts(facts, &job()).unwrap()
    }

    fn names(jobs: &[CompileJob]) -> Vec<String> {
        jobs.iter().map(|job| job.llm.as_ref().unwrap().what.to_string()).collect()
    }

    #[test]
    fn layers_are_divided_by_the_size_of_their_weights() {
        let jobs = parts(&facts(Format::Q4_0), Llm::default());
        assert_eq!(names(&jobs), ["layers 0-6", "layers 7-13", "layers 14-20", "layers 21-27", "head"]);
        let graphs: Vec<(&str, Option<u32>)> =
            jobs[0].graphs.iter().map(|graph| (graph.name.as_str(), graph.tokens)).collect();
        assert_eq!(graphs, [("prefill_128", Some(128)), ("decode", Some(1))]);
        assert_eq!(jobs[4].graphs.len(), 1);
        assert_eq!((jobs[4].graphs[0].name.as_str(), jobs[4].graphs[0].tokens), ("head", Some(1)));
        assert_eq!(jobs[0].llm.as_ref().unwrap().context, 1024);
        // Four times the bits, four times the parts.
        assert_eq!(parts(&facts(Format::F16), Llm::default()).len(), 12);
        let int4 = Llm { strategy: Strategy::RequantizeInt4, ..Llm::default() };
        assert_eq!(parts(&facts(Format::F16), int4).len(), 4);
    }

    #[test]
    fn the_manifest_says_how_many_parts_and_where_head_and_table_go() {
        let facts = facts(Format::Q4_0);
        let options = Llm {
            shards: Shards::Count(3),
            lm_head: LmHead::Inside,
            embedding: EmbeddingPlace::Graph,
            ..Llm::default()
        };
        let jobs = parts(&facts, options.clone());
        assert_eq!(names(&jobs), ["layers 0-9", "layers 10-18", "layers 19-27 and head"]);
        let embeds: Vec<bool> = jobs
            .iter()
            .map(|job| matches!(job.llm.as_ref().unwrap().what, LlmPartKind::Layers { embedding: true, .. }))
            .collect();
        assert_eq!(embeds, [true, false, false]);
        assert!(Layout::new(&facts, Some(&options)).unwrap().table(&job()).is_none());
        let table = Layout::new(&facts, None).unwrap().table(&job()).unwrap();
        assert_eq!((table.llm.unwrap().what, table.graphs.len()), (LlmPartKind::Embedding, 0));
    }

    #[test]
    fn prefills_are_sorted_distinct_and_smaller_than_the_context() {
        let facts = facts(Format::Q4_0);
        let tokens = |options: Llm| Layout::new(&facts, Some(&options)).map(|layout| layout.tokens);
        let with = |prefill: &[u32], context| Llm {
            prefill: (!prefill.is_empty()).then(|| prefill.to_vec()),
            context,
            ..Llm::default()
        };
        assert_eq!(tokens(with(&[32, 128, 32], None)).unwrap(), [128, 32, 1]);
        assert_eq!(tokens(with(&[1], None)).unwrap(), [1]);
        assert_eq!(tokens(with(&[], Some(64))).unwrap(), [32, 1]);
        assert_eq!(tokens(with(&[], Some(2))).unwrap(), [1]);
        let problems = tokens(with(&[64, 16], Some(64))).unwrap_err();
        assert_eq!(
            (problems[0].1.code.as_str(), problems[0].0.join(".")),
            ("E0118", "llm.prefill".to_owned())
        );
    }

    #[test]
    fn what_the_model_cannot_be_is_named_together() {
        let options = Llm { context: Some(40000), shards: Shards::Count(29), ..Llm::default() };
        let problems = Layout::new(&facts(Format::Q4_0), Some(&options)).unwrap_err();
        let keys: Vec<String> = problems.iter().map(|(key, _)| key.join(".")).collect();
        assert_eq!(keys, ["llm.context", "llm.shards"]);
        assert!(problems[0].1.help.as_ref().unwrap().contains("32768"));
    }

    #[test]
    fn blocks_that_a_soc_does_not_have_are_refused_where_they_were_asked_for() {
        let options = Llm { strategy: Strategy::Native, ..Llm::default() };
        let v68 = CompileJob { soc: Target { arch: 68, name: "SM8350".to_owned(), ..job().soc }, ..job() };
        let layout = Layout::new(&facts(Format::Q4_0), Some(&options)).unwrap();
        let (key, problem) = layout.parts(&facts(Format::Q4_0), &v68).unwrap_err();
        assert_eq!((key.join("."), problem.code.as_str()), ("llm.strategy".to_owned(), "E0118"));
        assert!(problem.message.contains("SM8350") && problem.message.contains("Q4_0"), "{problem:?}");
        assert!(layout.parts(&facts(Format::Q4_0), &job()).is_ok());
        assert!(layout.parts(&facts(Format::F16), &v68).is_ok());
    }

    #[test]
    fn a_part_that_cannot_be_is_refused_with_what_makes_it_smaller() {
        let refused = |vocabulary: u64, options: Llm| {
            let mut facts = facts(Format::F16);
            facts
                .weights
                .iter_mut()
                .filter(|weight| weight.rows > 8960)
                .for_each(|weight| weight.rows *= vocabulary);
            let (key, problem) =
                Layout::new(&facts, Some(&options)).unwrap().parts(&facts, &job()).unwrap_err();
            assert_eq!(problem.code, "E0240");
            (key.join("."), problem.notes.concat(), problem.help.unwrap())
        };
        // 2.6 GB of fp16 weights, and the head beside them: beyond what the HTP loads, then beyond what compiles.
        let one = Llm { shards: Shards::Count(1), ..Llm::default() };
        let (key, why, help) = refused(1, one.clone());
        assert_eq!((key.as_str(), help.as_str()), ("llm.shards", "llm.shards = 11, or leave `shards` out"));
        assert!(why.contains("2 GiB"), "{why}");
        let whole = Llm { lm_head: LmHead::Inside, embedding: EmbeddingPlace::Graph, ..one };
        let (_, why, help) = refused(2, whole);
        assert!(why.contains("3.5 GiB") && help.starts_with("llm.shards = "), "{why} {help}");
    }

    #[test]
    fn a_head_that_is_too_large_by_itself_is_not_blamed_on_the_layers() {
        let mut facts = facts(Format::F16);
        let head =
            facts.weights.iter_mut().find(|weight| weight.place == Place::Head && weight.rows > 1).unwrap();
        head.rows *= 10;
        let layout = Layout::new(&facts, None).unwrap();
        let (_, problem) = layout.parts(&facts, &job()).unwrap_err();
        assert!(problem.message.starts_with("head of the model"), "{problem}");
        assert!(problem.help.unwrap().contains("requantize-int4"));
    }
}
