//! Models of random weights, as GGUF files and Hugging Face folders: for tests, and for measurements at real sizes.

mod folder;
mod numbers;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::arch::{ARCHITECTURES, Architecture, Size, TENSORS};
use crate::assemble::Naming;
use crate::config::{Config, Rope, RopeScaling};
use crate::gguf::Writer;
use crate::weights::{Format, Role};
use numbers::{Random, encode, row};

/// A model to be written.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// Its sizes.
    pub config: Config,
    /// Format of matrices; vectors are F32 in GGUF files and this format in folders.
    pub format: Format,
    /// Another seed, other weights.
    pub seed: u64,
    /// What biases of keys are multiplied by: 1 gives them the size of the other weights, 1000 that of Qwen2's first layers.
    pub key_bias: f32,
    /// Whether every projection has biases that the architecture may have.
    pub all_biases: bool,
}

/// A tensor of the model.
struct Planned {
    role: Role,
    name: String,
    rows: usize,
    columns: usize,
    vector: bool,
}

impl Synthetic {
    /// The shape of DeepSeek-R1-Distill-Qwen-1.5B.
    pub fn qwen_1_5b(format: Format) -> Self {
        let config = Config {
            architecture: "qwen2".to_owned(),
            hidden: 1536,
            layers: 28,
            heads: 12,
            kv_heads: 2,
            head_dim: 128,
            intermediate: 8960,
            vocabulary: 151_936,
            rms_epsilon: 1e-6,
            rope: Rope { theta: 10000.0, scaling: None },
            max_context: 131_072,
            qkv_bias: true,
            qk_norm: false,
            tied: false,
        };
        Self { config, format, seed: 1, key_bias: 1.0, all_biases: false }
    }

    /// A model of some hundred thousand weights of an architecture; llama with Llama 3's rotary scaling, qwen3 with heads of another size
    /// than `hidden / heads`. `None` for a name that no row has.
    pub fn tiny(architecture: &str, format: Format) -> Option<Self> {
        let row = ARCHITECTURES.iter().find(|row| row.name == architecture)?;
        let scaling = (row.name == "llama").then_some(RopeScaling::Llama3 {
            factor: 8.0,
            low_frequency_factor: 1.0,
            high_frequency_factor: 4.0,
            original_context: 64.0,
        });
        let config = Config {
            architecture: row.name.to_owned(),
            hidden: 256,
            layers: 2,
            heads: 8,
            kv_heads: 2,
            head_dim: if row.name == "qwen3" { 64 } else { 32 },
            intermediate: 512,
            vocabulary: 320,
            rms_epsilon: 1e-6,
            rope: Rope { theta: 10000.0, scaling },
            max_context: 512,
            qkv_bias: row.has.contains(&Role::QueryBias),
            qk_norm: row.has.contains(&Role::QueryNorm),
            tied: row.name == "qwen3",
        };
        Some(Self { config, format, seed: 1, key_bias: 1.0, all_biases: false })
    }

    /// The smallest model of an architecture: one layer, one block a row; a few kilobytes for most formats.
    pub fn smallest(architecture: &str, format: Format) -> Option<Self> {
        let mut model = Self::tiny(architecture, format)?;
        let columns = format.block().max(32);
        let config = &mut model.config;
        (config.layers, config.hidden, config.intermediate) = (1, columns, columns);
        (config.heads, config.kv_heads, config.head_dim) = (2, 1, columns / 2);
        config.vocabulary = 260;
        Some(model)
    }

    fn architecture(&self) -> io::Result<&'static Architecture> {
        let row = ARCHITECTURES.iter().find(|row| row.name == self.config.architecture);
        row.ok_or_else(|| io::Error::other(format!("no architecture `{}`", self.config.architecture)))
    }

    fn plan(&self, naming: Naming) -> Vec<Planned> {
        let config = &self.config;
        let row = self.architecture().ok();
        let all = |role: Role| self.all_biases && row.is_some_and(|row| row.may_have.contains(&role));
        let has = |role: Role| match role {
            Role::Head => !config.tied,
            Role::QueryBias | Role::KeyBias | Role::ValueBias => config.qkv_bias || all(role),
            Role::OutputBias | Role::GateBias | Role::UpBias | Role::DownBias => all(role),
            Role::QueryNorm | Role::KeyNorm => config.qk_norm,
            _ => true,
        };
        let rows = TENSORS.iter().filter(|row| has(row.role));
        let planned = rows.flat_map(|row| {
            let layers = if row.in_layers() { (0..config.layers).map(Some).collect() } else { vec![None] };
            layers.into_iter().map(move |layer| Planned {
                role: row.role,
                name: naming.name(row, layer),
                rows: row.rows.of(config),
                columns: row.columns.of(config),
                vector: row.rows == Size::One,
            })
        });
        planned.collect()
    }

    /// Writes a GGUF file, row by row.
    pub fn write_gguf(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        self.write_gguf_to(&mut out)?;
        out.flush()
    }

    /// The same to any writer.
    pub fn write_gguf_to<W: Write>(&self, out: &mut W) -> io::Result<()> {
        let architecture = self.architecture()?;
        // What has no name of its own goes by its family's.
        let name = architecture.gguf.unwrap_or("llama");
        let mut writer = Writer::default();
        self.metadata(&mut writer, name);
        self.tensors(writer, self.plan(Naming::Gguf), self.factors(), out)
    }

    /// Writes one of several GGUF files that together are the model.
    pub fn write_split(&self, path: &Path, part: usize, parts: usize) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        let architecture = self.architecture()?;
        let mut planned = self.plan(Naming::Gguf);
        let mut writer = Writer::default();
        if part == 0 {
            self.metadata(&mut writer, architecture.gguf.unwrap_or("llama"));
        }
        writer.u32("split.no", part as u32);
        writer.u32("split.count", parts as u32);
        writer.u32("split.tensors.count", planned.len() as u32);
        let each = planned.len().div_ceil(parts);
        planned = planned.into_iter().skip(part * each).take(each).collect();
        self.tensors(writer, planned, None, &mut out)?;
        out.flush()
    }

    fn tensors<W: Write>(
        &self,
        mut writer: Writer,
        planned: Vec<Planned>,
        factors: Option<Vec<f32>>,
        out: &mut W,
    ) -> io::Result<()> {
        let architecture = self.architecture()?;
        for tensor in &planned {
            let dims = [tensor.rows, tensor.columns];
            let (dims, format) =
                if tensor.vector { (&dims[1..], Format::F32) } else { (&dims[..], self.format) };
            writer.tensor(&tensor.name, dims, format);
        }
        if let Some(factors) = &factors {
            writer.tensor("rope_freqs.weight", &[factors.len()], Format::F32);
        }
        writer.finish(out, |index, out| match planned.get(index) {
            Some(tensor) => self.data(tensor, architecture.gguf_pairs, Naming::Gguf, out),
            None => factors.iter().flatten().try_for_each(|factor| out.write_all(&factor.to_le_bytes())),
        })
    }

    /// What GGUF files have instead of Llama 3's parameters: the factor of each frequency.
    fn factors(&self) -> Option<Vec<f32>> {
        match &self.config.rope.scaling {
            Some(RopeScaling::Factors { factors }) => Some(factors.clone()),
            Some(RopeScaling::Llama3 { .. }) => {
                let plain = Rope { scaling: None, ..self.config.rope.clone() };
                let plain = Config { rope: plain, ..self.config.clone() }.rope_frequencies();
                let scaled = self.config.rope_frequencies();
                Some(plain.iter().zip(scaled).map(|(plain, scaled)| (plain / scaled) as f32).collect())
            }
            _ => None,
        }
    }

    fn metadata(&self, writer: &mut Writer, name: &str) {
        let config = &self.config;
        writer.text("general.architecture", name);
        writer.text("general.name", "random weights");
        let sizes = [
            ("context_length", config.max_context),
            ("embedding_length", config.hidden),
            ("block_count", config.layers),
            ("feed_forward_length", config.intermediate),
            ("attention.head_count", config.heads),
            ("attention.head_count_kv", config.kv_heads),
            ("attention.key_length", config.head_dim),
            ("attention.value_length", config.head_dim),
        ];
        for (key, size) in sizes {
            writer.u32(&format!("{name}.{key}"), size as u32);
        }
        writer.f32(&format!("{name}.rope.freq_base"), config.rope.theta);
        writer.f32(&format!("{name}.attention.layer_norm_rms_epsilon"), config.rms_epsilon);
        if let Some(RopeScaling::Linear { factor }) = config.rope.scaling {
            writer.text(&format!("{name}.rope.scaling.type"), "linear");
            writer.f32(&format!("{name}.rope.scaling.factor"), factor);
        }
        let tokens = tokens(config.vocabulary);
        let kinds: Vec<i32> = tokens.iter().map(|(_, kind)| *kind).collect();
        let tokens: Vec<&str> = tokens.iter().map(|(text, _)| text.as_str()).collect();
        writer.text("tokenizer.ggml.model", "gpt2");
        writer.text("tokenizer.ggml.pre", "qwen2");
        writer.texts("tokenizer.ggml.tokens", &tokens);
        writer.i32s("tokenizer.ggml.token_type", &kinds);
        writer.texts::<&str>("tokenizer.ggml.merges", &[]);
        writer.u32("tokenizer.ggml.eos_token_id", END as u32);
        writer.bool("tokenizer.ggml.add_bos_token", false);
    }

    /// Writes a tensor's rows; random numbers belong to role, layer and row, whatever the file.
    fn data(&self, tensor: &Planned, pairs: bool, naming: Naming, out: &mut dyn Write) -> io::Result<()> {
        let heads = match tensor.role {
            Role::Query | Role::QueryBias if pairs => self.config.heads,
            Role::Key | Role::KeyBias if pairs => self.config.kv_heads,
            _ => 0,
        };
        let layer: String = tensor.name.chars().filter(char::is_ascii_digit).collect();
        let name = format!("{:?} {layer}", tensor.role);
        let mut bytes = Vec::new();
        if tensor.vector {
            let mean = if name.contains("Norm") { 1.0 } else { 0.0 };
            let mut numbers = vec![0.0; tensor.columns];
            Random::new(self.seed, &name, 0).normal(mean, &mut numbers);
            if tensor.role == Role::KeyBias {
                numbers.iter_mut().for_each(|bias| *bias *= self.key_bias);
            }
            let order = (0..tensor.columns).map(|row| numbers[halves_of(row, tensor.columns, heads)]);
            let numbers: Vec<f32> = order.collect();
            let format = if naming == Naming::Gguf { Format::F32 } else { self.format };
            encode(format, &numbers, &mut bytes);
            return out.write_all(&bytes);
        }
        for at in 0..tensor.rows {
            let mut random = Random::new(self.seed, &name, halves_of(at, tensor.rows, heads));
            row(&mut random, self.format, tensor.columns, &mut bytes);
            out.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// Which row, in the order of halves, a row in the order of pairs is. No heads: the order is the same.
fn halves_of(row: usize, rows: usize, heads: usize) -> usize {
    let Some(size) = rows.checked_div(heads) else { return row };
    let (head, within) = (row / size, row % size);
    head * size + within % 2 * (size / 2) + within / 2
}

/// The token that ends a text.
const END: usize = 256;

/// A byte-level vocabulary: 256 bytes, the end, and tokens that never occur. With their kinds in GGUF's numbers.
fn tokens(vocabulary: usize) -> Vec<(String, i32)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let bytes = (0..=255u8).filter(printable).map(char::from);
    // Bytes that are no printable characters are written as those from 256 on.
    let others = (256..).take(68).filter_map(char::from_u32);
    let bytes = bytes.chain(others).map(|character| (character.to_string(), 1));
    let end = [("<|endoftext|>".to_owned(), 3)];
    let unused = (END + 1..).map(|id| (format!("[PAD{id}]"), 5));
    bytes.chain(end).chain(unused).take(vocabulary).collect()
}
