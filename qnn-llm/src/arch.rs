//! The architectures that are read, as data: what files call them, and which tensors they have.
//!
//! One more architecture of the family is one more row of [`ARCHITECTURES`], and rows of `TENSORS` for what no other has.

use crate::weights::Role;

/// An architecture.
#[derive(Debug, PartialEq, Eq)]
pub struct Architecture {
    /// What [`crate::Config::architecture`] becomes.
    pub name: &'static str,
    /// `general.architecture` in GGUF files; `None` where these go by another row's name.
    pub gguf: Option<&'static str>,
    /// Class in `architectures` of config.json.
    pub hugging_face: &'static str,
    /// `model_type` in config.json, for files that name no class.
    pub model_type: &'static str,
    /// What it has beyond what all have.
    pub has: &'static [Role],
    /// What some of its models have and others have not.
    pub may_have: &'static [Role],
    /// Whether GGUF files have the rows of query and key in pairs (2i, 2i + 1) instead of halves (i, i + head_dim / 2).
    pub gguf_pairs: bool,
    /// Size of a head where config.json does not say: a number, or `None` for `hidden / heads`.
    pub head_dim: Option<u64>,
    /// Key of config.json that must be true for `sliding_window` to count; `None` where it always does.
    pub sliding_window_switch: Option<&'static str>,
}

const BIASES: &[Role] = &[Role::QueryBias, Role::KeyBias, Role::ValueBias];

/// Biases of every projection.
const ALL_BIASES: &[Role] = &[
    Role::QueryBias,
    Role::KeyBias,
    Role::ValueBias,
    Role::OutputBias,
    Role::GateBias,
    Role::UpBias,
    Role::DownBias,
];

/// The architectures.
pub const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "qwen2",
        gguf: Some("qwen2"),
        hugging_face: "Qwen2ForCausalLM",
        model_type: "qwen2",
        has: BIASES,
        may_have: &[Role::OutputBias],
        gguf_pairs: false,
        head_dim: None,
        sliding_window_switch: Some("use_sliding_window"),
    },
    Architecture {
        name: "qwen3",
        gguf: Some("qwen3"),
        hugging_face: "Qwen3ForCausalLM",
        model_type: "qwen3",
        has: &[Role::QueryNorm, Role::KeyNorm],
        may_have: &[Role::QueryBias, Role::KeyBias, Role::ValueBias, Role::OutputBias],
        gguf_pairs: false,
        head_dim: Some(128),
        sliding_window_switch: Some("use_sliding_window"),
    },
    Architecture {
        name: "llama",
        gguf: Some("llama"),
        hugging_face: "LlamaForCausalLM",
        model_type: "llama",
        has: &[],
        may_have: ALL_BIASES,
        gguf_pairs: true,
        head_dim: None,
        sliding_window_switch: None,
    },
    Architecture {
        name: "mistral",
        gguf: None,
        hugging_face: "MistralForCausalLM",
        model_type: "mistral",
        has: &[],
        may_have: &[],
        gguf_pairs: true,
        head_dim: None,
        sliding_window_switch: None,
    },
];

/// Shape of a tensor in terms of the model's sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    One,
    Hidden,
    HeadDim,
    QueryRows,
    KvRows,
    Intermediate,
    Vocabulary,
}

/// What a tensor is called in files. `{}` is the number of the layer.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) role: Role,
    pub(crate) gguf: &'static str,
    pub(crate) hugging_face: &'static str,
    pub(crate) rows: Size,
    pub(crate) columns: Size,
}

const fn tensor(
    role: Role,
    gguf: &'static str,
    hugging_face: &'static str,
    rows: Size,
    columns: Size,
) -> Tensor {
    Tensor { role, gguf, hugging_face, rows, columns }
}

/// Every tensor that an architecture of the table may have.
#[rustfmt::skip]
pub(crate) const TENSORS: &[Tensor] = &[
    tensor(Role::Embedding, "token_embd.weight", "model.embed_tokens.weight", Size::Vocabulary, Size::Hidden),
    tensor(Role::OutputNorm, "output_norm.weight", "model.norm.weight", Size::One, Size::Hidden),
    tensor(Role::Head, "output.weight", "lm_head.weight", Size::Vocabulary, Size::Hidden),
    tensor(Role::AttentionNorm, "blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", Size::One, Size::Hidden),
    tensor(Role::Query, "blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", Size::QueryRows, Size::Hidden),
    tensor(Role::Key, "blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", Size::KvRows, Size::Hidden),
    tensor(Role::Value, "blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight", Size::KvRows, Size::Hidden),
    tensor(Role::QueryBias, "blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", Size::One, Size::QueryRows),
    tensor(Role::KeyBias, "blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", Size::One, Size::KvRows),
    tensor(Role::ValueBias, "blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", Size::One, Size::KvRows),
    tensor(Role::QueryNorm, "blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", Size::One, Size::HeadDim),
    tensor(Role::KeyNorm, "blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", Size::One, Size::HeadDim),
    tensor(Role::Output, "blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", Size::Hidden, Size::QueryRows),
    tensor(Role::OutputBias, "blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias", Size::One, Size::Hidden),
    tensor(Role::FeedForwardNorm, "blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Size::One, Size::Hidden),
    tensor(Role::Gate, "blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight", Size::Intermediate, Size::Hidden),
    tensor(Role::Up, "blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", Size::Intermediate, Size::Hidden),
    tensor(Role::Down, "blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight", Size::Hidden, Size::Intermediate),
    tensor(Role::GateBias, "blk.{}.ffn_gate.bias", "model.layers.{}.mlp.gate_proj.bias", Size::One, Size::Intermediate),
    tensor(Role::UpBias, "blk.{}.ffn_up.bias", "model.layers.{}.mlp.up_proj.bias", Size::One, Size::Intermediate),
    tensor(Role::DownBias, "blk.{}.ffn_down.bias", "model.layers.{}.mlp.down_proj.bias", Size::One, Size::Hidden),
];

/// Tensors of files that change no result: names that end so are passed over.
pub(crate) const IDLE: &[&str] = &[".rotary_emb.inv_freq", ".attn_rot_embd.weight", ROPE_FACTORS];

/// Factors of rotary frequencies, a part of the configuration that GGUF files have as a tensor.
pub(crate) const ROPE_FACTORS: &str = "rope_freqs.weight";

/// What only some architectures have.
const NOT_ALL: &[Role] = &[
    Role::QueryBias,
    Role::KeyBias,
    Role::ValueBias,
    Role::OutputBias,
    Role::GateBias,
    Role::UpBias,
    Role::DownBias,
    Role::QueryNorm,
    Role::KeyNorm,
    Role::Head,
];

impl Architecture {
    /// Whether all its models have tensors of this role; the head, which may be the embedding table, is not meant.
    pub(crate) fn needs(&self, role: Role) -> bool {
        !NOT_ALL.contains(&role) || self.has.contains(&role)
    }

    /// Whether one of its models can have them.
    pub(crate) fn knows(&self, role: Role) -> bool {
        self.needs(role) || self.may_have.contains(&role) || role == Role::Head
    }
}

/// The names for `what kind of file`, for messages.
pub(crate) fn names(of: impl Fn(&Architecture) -> Option<&'static str>) -> String {
    ARCHITECTURES.iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

impl Tensor {
    /// Whether there is one a layer.
    pub(crate) fn in_layers(&self) -> bool {
        self.gguf.contains("{}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_of_an_architecture_has_a_name_in_files() {
        for architecture in ARCHITECTURES {
            for role in architecture.has.iter().chain(architecture.may_have) {
                assert!(TENSORS.iter().any(|tensor| tensor.role == *role), "{}: {role:?}", architecture.name);
                assert!(NOT_ALL.contains(role), "{}: all have {role:?}", architecture.name);
            }
        }
        for tensor in TENSORS {
            assert_eq!(tensor.gguf.contains("{}"), tensor.hugging_face.contains("{}"), "{}", tensor.gguf);
        }
    }
}
