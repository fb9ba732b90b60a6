//! Sizes of a model from GGUF metadata.

use super::{Gguf, Value};
use crate::arch::{ARCHITECTURES, ROPE_FACTORS, names};
use crate::assemble::{Elements, Found, Naming};
use crate::config::{Config, Rope, RopeScaling};
use crate::problem::{Class, Problem};
use crate::rope;
use crate::weights::Format;

pub(super) fn found(gguf: &Gguf) -> Result<Found, Vec<Problem>> {
    other_kind(gguf)?;
    let name = gguf.get("general.architecture").and_then(Value::text);
    let Some(name) = name else {
        return Err(vec![Problem::damaged(
            "the file does not say its architecture (`general.architecture`)",
        )]);
    };
    let architecture = ARCHITECTURES.iter().find(|row| row.gguf == Some(name)).ok_or_else(|| {
        vec![
            Problem::new(Class::UnknownArchitecture, format!("the architecture `{name}` is not supported"))
                .note(format!(
                    "supported in GGUF files: {} (mistral files say llama)",
                    names(|row| row.gguf)
                )),
        ]
    })?;
    let mut keys = Keys { gguf, prefix: name, problems: Vec::new() };
    let mut notes = Vec::new();
    let hidden = keys.need("embedding_length");
    let heads = keys.need("attention.head_count");
    let max_context = keys.need("context_length");
    let head_dim =
        keys.size("attention.key_length").unwrap_or_else(|| hidden.checked_div(heads).unwrap_or(0));
    keys.must_be("attention.value_length", head_dim, "values of another size than keys are not supported");
    keys.must_be("rope.dimension_count", head_dim, "heads that are rotated in part are not supported");
    keys.must_be("expert_count", 0, "mixtures of experts are not supported");
    keys.must_be(
        "pooling_type",
        0,
        "the model makes embeddings of texts, and only their next tokens are computed",
    );
    keys.must_be_float("attention.scale", 1.0 / (head_dim as f32).sqrt());
    for factor in ["logit_scale", "residual_scale", "embedding_scale"] {
        keys.must_be_float(factor, 1.0);
    }
    if keys.get("attention.causal").and_then(Value::bool) == Some(false) {
        let message = format!(
            "metadata `{name}.attention.causal` is false: the model sees what comes later, as models for embeddings do, and only causal ones are supported"
        );
        keys.problems.push(Problem::config(message));
    }
    let (scaling, max_context) = scaling(&mut keys, max_context);
    let config = Config {
        architecture: architecture.name.to_owned(),
        hidden,
        layers: keys.need("block_count"),
        heads,
        kv_heads: keys.size("attention.head_count_kv").unwrap_or(heads),
        head_dim,
        intermediate: keys.need("feed_forward_length"),
        vocabulary: vocabulary(&mut keys),
        rms_epsilon: keys.float("attention.layer_norm_rms_epsilon").unwrap_or_else(|| {
            keys.missing("attention.layer_norm_rms_epsilon");
            0.0
        }),
        rope: Rope { theta: keys.float("rope.freq_base").unwrap_or(10000.0), scaling },
        max_context: rope::windowed(max_context, keys.size("attention.sliding_window"), &mut notes),
        qkv_bias: false,
        qk_norm: false,
        tied: false,
    };
    if keys.problems.is_empty() {
        Ok(Found { architecture, config, tied: None, naming: Naming::Gguf, notes })
    } else {
        Err(keys.problems)
    }
}

/// GGUF files that are no model by themselves: value of `general.type`, what it is, and what to do.
const OTHER_KINDS: &[(&str, &str, &str)] = &[
    ("adapter", "a LoRA adapter", "merge it into its model (`llama-export-lora`) and compile that"),
    ("imatrix", "an importance matrix, which quantizers read", "name the model's own file"),
    ("mmproj", "the part of a model that sees or hears", "name the file of the language model"),
    ("clip-vision", "the part of a model that sees", "name the file of the language model"),
];

fn other_kind(gguf: &Gguf) -> Result<(), Vec<Problem>> {
    let text = |key: &str| gguf.get(key).and_then(Value::text);
    let kind = match (text("general.type"), text("general.architecture")) {
        (_, Some("clip")) => Some("mmproj"),
        (None, None) if text("adapter.type").is_some() => Some("adapter"),
        (kind, _) => kind,
    };
    let row = OTHER_KINDS.iter().find(|(name, ..)| Some(*name) == kind);
    match row {
        Some((_, what, help)) => {
            Err(vec![Problem::config(format!("the file is {what}, and no language model")).help(*help)])
        }
        None => Ok(()),
    }
}

/// Metadata of the architecture, and what is wrong with it.
struct Keys<'a> {
    gguf: &'a Gguf,
    prefix: &'a str,
    problems: Vec<Problem>,
}

impl Keys<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.gguf.get(&format!("{}.{key}", self.prefix))
    }

    fn missing(&mut self, key: &str) {
        self.problems.push(Problem::config(format!("metadata `{}.{key}` is missing", self.prefix)));
    }

    /// A size. Where each layer has its own, all must be the same.
    fn size(&mut self, key: &str) -> Option<usize> {
        let value = self.get(key)?;
        let size = match value.array() {
            None => value.unsigned(),
            Some(array) => {
                let mut values = array.values().map(|value| value.unsigned());
                values.next().flatten().filter(|first| values.all(|value| value == Some(*first)))
            }
        };
        let size = size.and_then(|size| usize::try_from(size).ok());
        if size.is_none() {
            let message = format!("metadata `{}.{key}` is not one size for all layers", self.prefix);
            self.problems.push(Problem::config(message));
        }
        size.or(Some(0))
    }

    fn need(&mut self, key: &str) -> usize {
        self.size(key).unwrap_or_else(|| {
            self.missing(key);
            0
        })
    }

    fn float(&self, key: &str) -> Option<f32> {
        self.get(key).and_then(Value::number).map(|value| value as f32)
    }

    /// A factor that is not computed; llama.cpp takes 0 for one that is not set.
    fn must_be_float(&mut self, key: &str, wanted: f32) {
        let other = |value: &f32| *value != 0.0 && (value / wanted - 1.0).abs() > 1e-6;
        if let Some(value) = self.float(key).filter(other) {
            let message = format!("metadata `{}.{key}` is {value}: only {wanted} is supported", self.prefix);
            self.problems.push(Problem::config(message));
        }
    }

    fn must_be(&mut self, key: &str, wanted: usize, why: &str) {
        if let Some(value) = self.size(key).filter(|value| *value != wanted) {
            let message = format!("metadata `{}.{key}` is {value}: {why}", self.prefix);
            self.problems.push(Problem::config(message));
        }
    }
}

/// Rows of the embedding table, with which whatever else tells the size of the vocabulary must agree.
fn vocabulary(keys: &mut Keys<'_>) -> usize {
    let rows = keys.gguf.tensors.get("token_embd.weight").and_then(|tensor| match tensor.dims[..] {
        [rows, _] => usize::try_from(rows).ok(),
        _ => None,
    });
    let tokens = keys.gguf.get("tokenizer.ggml.tokens").and_then(Value::array).map(super::Array::len);
    let said = keys.size("vocab_size");
    // Without the tensor, its absence is reported later.
    let Some(rows) = rows else { return tokens.or(said).unwrap_or(1) };
    for (what, size) in [("the tokenizer has", tokens), ("the metadata speaks of", said)] {
        if let Some(size) = size.filter(|size| *size != rows) {
            let message = format!("the embedding table has {rows} rows, and {what} {size} tokens");
            let note = "the tokenizer and the weights belong to different models, or one was changed";
            keys.problems.push(Problem::config(message).note(note));
        }
    }
    rows
}

/// How frequencies are scaled, as llama.cpp computes it: factors of single frequencies and a kind of scaling work together.
/// With it the longest context.
fn scaling(keys: &mut Keys<'_>, context: usize) -> (Option<RopeScaling>, usize) {
    let factors = factors(keys);
    let kind = keys.get("rope.scaling.type").and_then(Value::text).map(str::to_owned);
    // Old files have only the factor.
    let factor = keys.float("rope.scaling.factor").or_else(|| keys.float("rope.scale_linear"));
    let factor = factor.filter(|factor| *factor != 0.0);
    if kind.as_deref() != Some("yarn") {
        keys.must_be_float("rope.scaling.attn_factor", 1.0);
    }
    let mut context = context;
    let scaling = match (kind.as_deref(), factor) {
        (Some("none"), _) | (None, None) | (None | Some("linear"), Some(1.0)) => None,
        (None | Some("linear"), Some(factor)) => Some(factor),
        (Some("linear" | "yarn"), None) => {
            keys.missing("rope.scaling.factor");
            None
        }
        (Some("yarn"), Some(factor)) => {
            let original = keys.size("rope.scaling.original_context_length").unwrap_or(context);
            context = context.max((original as f64 * f64::from(factor)) as usize);
            return (Some(yarn(keys, factor, original, factors.unwrap_or_default())), context);
        }
        (Some(kind), _) => {
            keys.problems.push(rope::unsupported(kind));
            None
        }
    };
    let scaling = match (factors, scaling) {
        (Some(factors), factor) => {
            let factor = factor.unwrap_or(1.0);
            Some(RopeScaling::Factors { factors: factors.iter().map(|each| each * factor).collect() })
        }
        (None, Some(factor)) => Some(RopeScaling::Linear { factor }),
        (None, None) => None,
    };
    (scaling, context)
}

fn yarn(keys: &mut Keys<'_>, factor: f32, original: usize, factors: Vec<f32>) -> RopeScaling {
    keys.must_be_float("rope.scaling.yarn_ext_factor", 1.0);
    if keys.float("rope.scaling.yarn_log_multiplier").is_some_and(|value| value != 0.0) {
        let message = format!(
            "metadata `{}.rope.scaling.yarn_log_multiplier` is set: YaRN with it is not supported",
            keys.prefix
        );
        keys.problems.push(Problem::config(message));
    }
    let own = keys.float("rope.scaling.attn_factor").or_else(|| keys.float("rope.scaling.yarn_attn_factor"));
    let own = f64::from(own.filter(|factor| *factor != 0.0).unwrap_or(1.0));
    RopeScaling::Yarn {
        factor,
        original_context: original as f32,
        beta_fast: keys.float("rope.scaling.yarn_beta_fast").unwrap_or(32.0),
        beta_slow: keys.float("rope.scaling.yarn_beta_slow").unwrap_or(1.0),
        amplitude: (own * rope::yarn_amplitude(f64::from(factor))) as f32,
        truncate: true,
        factors,
    }
}

/// The tensor of factors.
fn factors(keys: &mut Keys<'_>) -> Option<Vec<f32>> {
    let tensor = keys.gguf.tensors.get(ROPE_FACTORS)?;
    if tensor.elements != Elements::Known(Format::F32) {
        keys.problems.push(Problem::config(format!("`{ROPE_FACTORS}` is not of the type F32")));
    }
    let (numbers, _) = tensor.data.as_chunks::<4>();
    Some(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
