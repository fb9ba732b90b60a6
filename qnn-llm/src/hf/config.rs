//! Sizes of a model from config.json.

use serde_json::Value;

use crate::arch::{ARCHITECTURES, Architecture, names};
use crate::assemble::{Found, Naming};
use crate::config::{Config, Rope, RopeScaling};
use crate::problem::{Class, Problem};
use crate::rope;

pub(super) fn found(json: &Value) -> Result<Found, Vec<Problem>> {
    let architecture = architecture(json).map_err(|problem| vec![problem])?;
    let mut keys = Keys { json, problems: Vec::new() };
    let mut notes = Vec::new();
    let (hidden, heads) = (keys.need("hidden_size"), keys.need("num_attention_heads"));
    let usual = architecture.head_dim.map(|dim| dim as usize);
    let head_dim = keys.size("head_dim").or(usual).unwrap_or_else(|| hidden.checked_div(heads).unwrap_or(0));
    let max_context = keys.need("max_position_embeddings");
    let windowed =
        architecture.sliding_window_switch.is_none_or(|key| json.get(key) == Some(&Value::Bool(true)));
    let window = keys.size("sliding_window").filter(|_| windowed);
    keys.refuse("hidden_act", |act| act.as_str() == Some("silu"), "only silu is supported");
    keys.refuse(
        "partial_rotary_factor",
        |factor| factor.as_f64() == Some(1.0),
        "heads that are rotated in part are not supported",
    );
    keys.refuse("is_causal", |causal| *causal == Value::Bool(true), BOTH_WAYS);
    keys.refuse("use_bidirectional_attention", |both| *both == Value::Bool(false), BOTH_WAYS);
    keys.quantized();
    let (rope, max_context) = rope(&mut keys, max_context, &mut notes);
    let config = Config {
        architecture: architecture.name.to_owned(),
        hidden,
        layers: keys.need("num_hidden_layers"),
        heads,
        kv_heads: keys.size("num_key_value_heads").unwrap_or(heads),
        head_dim,
        intermediate: keys.need("intermediate_size"),
        vocabulary: keys.need("vocab_size"),
        rms_epsilon: keys.float("rms_norm_eps").unwrap_or(1e-6),
        rope,
        max_context: rope::windowed(max_context, window, &mut notes),
        qkv_bias: false,
        qk_norm: false,
        tied: false,
    };
    let tied = json.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false);
    if keys.problems.is_empty() {
        Ok(Found { architecture, config, tied: Some(tied), naming: Naming::HuggingFace, notes })
    } else {
        Err(keys.problems)
    }
}

fn architecture(json: &Value) -> Result<&'static Architecture, Problem> {
    let class = json.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str);
    let kind = json.get("model_type").and_then(Value::as_str);
    let row = match (class, kind) {
        // The class without a head is what some tools save: where the head is the embedding table, nothing is missing.
        (Some(class), _) => ARCHITECTURES.iter().find(|row| {
            row.hugging_face.strip_suffix("ForCausalLM")
                == class.strip_suffix("ForCausalLM").or(class.strip_suffix("Model"))
        }),
        (None, Some(kind)) => ARCHITECTURES.iter().find(|row| row.model_type == kind),
        (None, None) => return Err(Problem::damaged("config.json does not say the model's architecture")),
    };
    row.ok_or_else(|| {
        let name = class.or(kind).unwrap_or_default();
        Problem::new(Class::UnknownArchitecture, format!("the architecture `{name}` is not supported"))
            .note(format!("supported: {}", names(|row| Some(row.hugging_face))))
    })
}

const BOTH_WAYS: &str =
    "the model sees what comes later, as models for embeddings do, and only causal ones are supported";

struct Keys<'a> {
    json: &'a Value,
    problems: Vec<Problem>,
}

impl Keys<'_> {
    /// What is there and not null.
    fn get(&self, key: &str) -> Option<&Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    fn size(&mut self, key: &str) -> Option<usize> {
        let value = self.get(key)?;
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        if size.is_none() {
            let message = format!("`{key}` of config.json is {value}, which is no size");
            self.problems.push(Problem::config(message));
        }
        size.or(Some(0))
    }

    fn need(&mut self, key: &str) -> usize {
        self.size(key).unwrap_or_else(|| {
            self.problems.push(Problem::config(format!("`{key}` is missing in config.json")));
            0
        })
    }

    fn float(&mut self, key: &str) -> Option<f32> {
        let value = self.get(key)?;
        let number = value.as_f64();
        if number.is_none() {
            let message = format!("`{key}` of config.json is {value}, which is no number");
            self.problems.push(Problem::config(message));
        }
        Some(number.unwrap_or(1.0) as f32)
    }

    /// Weights of few bits in the forms of other tools.
    fn quantized(&mut self) {
        let method = self.get("quantization_config").map(|config| {
            config.get("quant_method").and_then(Value::as_str).unwrap_or("unknown").to_uppercase()
        });
        // MLX writes its own table, beside or instead of the common one.
        let mlx =
            self.get("quantization").filter(|table| table.get("bits").is_some()).map(|_| "MLX".to_owned());
        if let Some(method) = mlx.or(method) {
            let message = format!("the weights of this folder are quantized ({method}), which is not read");
            self.problems
                .push(Problem::config(message).help("take the original model, or a GGUF file of it"));
        }
    }

    fn refuse(&mut self, key: &str, fine: impl Fn(&Value) -> bool, why: &str) {
        if let Some(value) = self.get(key).filter(|value| !fine(value)) {
            let value = if value.is_object() { "set".to_owned() } else { value.to_string() };
            self.problems.push(Problem::config(format!("`{key}` of config.json is {value}: {why}")));
        }
    }
}

/// `rope_scaling` and `rope_theta`, or, as newer files have it, `rope_parameters` with both. With it the longest context.
fn rope(keys: &mut Keys<'_>, context: usize, notes: &mut Vec<String>) -> (Rope, usize) {
    let table = keys.get("rope_parameters").or_else(|| keys.get("rope_scaling")).cloned();
    let number = |key: &str| table.as_ref().and_then(|table| table.get(key)).and_then(Value::as_f64);
    let theta =
        keys.float("rope_theta").or(number("rope_theta").map(|theta| theta as f32)).unwrap_or(10000.0);
    let plain = (Rope { theta, scaling: None }, context);
    let kind = table.as_ref().and_then(|table| table.get("rope_type").or_else(|| table.get("type")));
    let Some(kind) = kind.and_then(Value::as_str).map(str::to_owned) else { return plain };
    let mut missing = Vec::new();
    let mut need = |key: &'static str| {
        number(key).map(|number| number as f32).unwrap_or_else(|| {
            missing.push(key);
            1.0
        })
    };
    let original = number("original_max_position_embeddings").map(|context| context as usize);
    let mut context = context;
    let scaling = match kind.as_str() {
        "default" => None,
        "linear" => Some(RopeScaling::Linear { factor: need("factor") }),
        "llama3" => Some(RopeScaling::Llama3 {
            factor: need("factor"),
            low_frequency_factor: need("low_freq_factor"),
            high_frequency_factor: need("high_freq_factor"),
            original_context: need("original_max_position_embeddings"),
        }),
        "yarn" => {
            let factor = f64::from(need("factor"));
            let original = original.unwrap_or(context);
            // Many files name the context without scaling.
            context = context.max((original as f64 * factor) as usize);
            let scaled = |weight: f64| 1.0 + weight * (rope::yarn_amplitude(factor) - 1.0);
            let both = number("mscale").zip(number("mscale_all_dim"));
            let amplitude = number("attention_factor").unwrap_or_else(|| match both {
                Some((own, all)) if own != 0.0 && all != 0.0 => scaled(own) / scaled(all),
                _ => scaled(1.0),
            });
            Some(RopeScaling::Yarn {
                factor: factor as f32,
                original_context: original as f32,
                beta_fast: number("beta_fast").unwrap_or(32.0) as f32,
                beta_slow: number("beta_slow").unwrap_or(1.0) as f32,
                amplitude: amplitude as f32,
                truncate: table
                    .as_ref()
                    .and_then(|table| table.get("truncate"))
                    .and_then(Value::as_bool)
                    .unwrap_or(true),
                factors: Vec::new(),
            })
        }
        // With `alpha` the base itself is another one.
        "dynamic" if number("alpha").is_none() => {
            context = rope::dynamic(context, original, notes);
            None
        }
        kind => {
            keys.problems.push(rope::unsupported(kind));
            None
        }
    };
    if let [first, ..] = missing[..] {
        keys.problems = vec![Problem::config(format!(
            "`{first}` is missing in the rotary scaling `{kind}` of config.json"
        ))];
        return plain;
    }
    (Rope { theta, scaling }, context)
}
