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
        "mlp_bias",
        |bias| *bias == Value::Bool(false),
        "biases of the feed-forward layer are not supported",
    );
    keys.refuse(
        "partial_rotary_factor",
        |factor| factor.as_f64() == Some(1.0),
        "heads that are rotated in part are not supported",
    );
    keys.refuse(
        "quantization_config",
        |_| false,
        "quantized safetensors are not read; take the original model, or a GGUF file of it",
    );
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
        rope: rope(&mut keys),
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
        (Some(class), _) => ARCHITECTURES.iter().find(|row| row.hugging_face == class),
        (None, Some(kind)) => ARCHITECTURES.iter().find(|row| row.model_type == kind),
        (None, None) => return Err(Problem::damaged("config.json does not say the model's architecture")),
    };
    row.ok_or_else(|| {
        let name = class.or(kind).unwrap_or_default();
        Problem::new(Class::UnknownArchitecture, format!("the architecture `{name}` is not supported"))
            .note(format!("supported: {}", names(|row| Some(row.hugging_face))))
    })
}

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

    fn float(&self, key: &str) -> Option<f32> {
        self.get(key).and_then(Value::as_f64).map(|value| value as f32)
    }

    fn refuse(&mut self, key: &str, fine: impl Fn(&Value) -> bool, why: &str) {
        if let Some(value) = self.get(key).filter(|value| !fine(value)) {
            let value = if value.is_object() { "set".to_owned() } else { value.to_string() };
            self.problems.push(Problem::config(format!("`{key}` of config.json is {value}: {why}")));
        }
    }
}

/// `rope_scaling` and `rope_theta`, or, as newer files have it, `rope_parameters` with both.
fn rope(keys: &mut Keys<'_>) -> Rope {
    let table = keys.get("rope_parameters").or_else(|| keys.get("rope_scaling")).cloned();
    let number = |key: &str| table.as_ref().and_then(|table| table.get(key)).and_then(Value::as_f64);
    let theta =
        keys.float("rope_theta").or(number("rope_theta").map(|theta| theta as f32)).unwrap_or(10000.0);
    let kind = table.as_ref().and_then(|table| table.get("rope_type").or_else(|| table.get("type")));
    let Some(kind) = kind.and_then(Value::as_str).map(str::to_owned) else {
        return Rope { theta, scaling: None };
    };
    let mut missing = Vec::new();
    let mut need = |key: &'static str| {
        number(key).map(|number| number as f32).unwrap_or_else(|| {
            missing.push(key);
            1.0
        })
    };
    let scaling = match kind.as_str() {
        "default" => None,
        "linear" => Some(RopeScaling::Linear { factor: need("factor") }),
        "llama3" => Some(RopeScaling::Llama3 {
            factor: need("factor"),
            low_frequency_factor: need("low_freq_factor"),
            high_frequency_factor: need("high_freq_factor"),
            original_context: need("original_max_position_embeddings"),
        }),
        kind => {
            let original = number("original_max_position_embeddings").map(|context| context as usize);
            keys.problems.push(rope::unsupported(kind, original));
            None
        }
    };
    if let [first, ..] = missing[..] {
        keys.problems = vec![Problem::config(format!(
            "`{first}` is missing in the rotary scaling `{kind}` of config.json"
        ))];
        return Rope { theta, scaling: None };
    }
    Rope { theta, scaling }
}
