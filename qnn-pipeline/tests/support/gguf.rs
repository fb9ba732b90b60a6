//! A GGUF file with a language model of a few hundred weights, written by the book.

/// What can be said of the model.
pub(crate) struct Tiny {
    pub(crate) layers: u32,
    pub(crate) max_context: u32,
    /// Tensors to leave out.
    pub(crate) without: &'static [&'static str],
}

impl Default for Tiny {
    fn default() -> Self {
        Self { layers: 4, max_context: 64, without: &[] }
    }
}

const HIDDEN: u32 = 8;
const FEED_FORWARD: u32 = 16;
const VOCABULARY: u32 = 10;

impl Tiny {
    /// The bytes of the file: architecture llama, float32, tied head, no tokenizer.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut tensors = vec![("token_embd.weight".to_owned(), vec![HIDDEN, VOCABULARY])];
        tensors.push(("output_norm.weight".to_owned(), vec![HIDDEN]));
        for layer in 0..self.layers {
            for (name, dims) in [
                ("attn_norm", vec![HIDDEN]),
                ("attn_q", vec![HIDDEN, HIDDEN]),
                ("attn_k", vec![HIDDEN, HIDDEN / 2]),
                ("attn_v", vec![HIDDEN, HIDDEN / 2]),
                ("attn_output", vec![HIDDEN, HIDDEN]),
                ("ffn_norm", vec![HIDDEN]),
                ("ffn_gate", vec![HIDDEN, FEED_FORWARD]),
                ("ffn_up", vec![HIDDEN, FEED_FORWARD]),
                ("ffn_down", vec![FEED_FORWARD, HIDDEN]),
            ] {
                tensors.push((format!("blk.{layer}.{name}.weight"), dims));
            }
        }
        tensors.retain(|(name, _)| !self.without.contains(&name.as_str()));

        let numbers = [
            ("llama.block_count", self.layers),
            ("llama.context_length", self.max_context),
            ("llama.embedding_length", HIDDEN),
            ("llama.feed_forward_length", FEED_FORWARD),
            ("llama.attention.head_count", 2),
            ("llama.attention.head_count_kv", 1),
            ("llama.vocab_size", VOCABULARY),
        ];
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((tensors.len() as u64).to_le_bytes());
        out.extend((numbers.len() as u64 + 2).to_le_bytes());
        text(&mut out, "general.architecture");
        out.extend(8_u32.to_le_bytes());
        text(&mut out, "llama");
        text(&mut out, "llama.attention.layer_norm_rms_epsilon");
        out.extend(6_u32.to_le_bytes());
        out.extend(1e-5_f32.to_le_bytes());
        for (key, number) in numbers {
            text(&mut out, key);
            out.extend(4_u32.to_le_bytes());
            out.extend(number.to_le_bytes());
        }
        let mut offset = 0_u64;
        for (name, dims) in &tensors {
            text(&mut out, name);
            out.extend((dims.len() as u32).to_le_bytes());
            dims.iter().for_each(|dim| out.extend(u64::from(*dim).to_le_bytes()));
            out.extend(0_u32.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += length(dims).next_multiple_of(32);
        }
        out.resize(out.len().next_multiple_of(32), 0);
        for (index, (_, dims)) in tensors.iter().enumerate() {
            let elements = (length(dims) / 4) as usize;
            out.extend((0..elements).flat_map(|i| (((i + index) % 7) as f32 / 8.0).to_le_bytes()));
            out.resize(out.len().next_multiple_of(32), 0);
        }
        out
    }
}

fn length(dims: &[u32]) -> u64 {
    dims.iter().map(|dim| u64::from(*dim)).product::<u64>() * 4
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
