//! The same models as Hugging Face folders.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Planned, Synthetic};
use crate::assemble::Naming;
use crate::config::RopeScaling;
use crate::weights::Format;

impl Synthetic {
    /// Writes a folder with config.json and so many safetensors files; the format is one of floats.
    pub fn write_folder(&self, folder: &Path, files: usize) -> io::Result<()> {
        if self.format.block() != 1 {
            return Err(io::Error::other(format!("safetensors have no {}", self.format.name())));
        }
        fs::create_dir_all(folder)?;
        fs::write(folder.join("config.json"), self.config_json()?.to_string())?;
        let planned = self.plan(Naming::HuggingFace);
        let mut index = Map::new();
        for (number, part) in planned.chunks(planned.len().div_ceil(files.max(1))).enumerate() {
            let name = match files {
                0 | 1 => "model.safetensors".to_owned(),
                files => format!("model-{:05}-of-{files:05}.safetensors", number + 1),
            };
            self.write_file(&folder.join(&name), part)?;
            index.extend(part.iter().map(|tensor| (tensor.name.clone(), json!(name))));
        }
        if files > 1 {
            let index = json!({ "metadata": {}, "weight_map": index });
            fs::write(folder.join("model.safetensors.index.json"), index.to_string())?;
        }
        Ok(())
    }

    fn write_file(&self, path: &Path, tensors: &[Planned]) -> io::Result<()> {
        let mut header = Map::new();
        let mut offset = 0;
        for tensor in tensors {
            let end = offset + tensor.rows * tensor.columns * self.format.block_bytes();
            let dims = [tensor.rows, tensor.columns];
            let shape = if tensor.vector { &dims[1..] } else { &dims[..] };
            let entry = json!({ "dtype": self.format.name(), "shape": shape, "data_offsets": [offset, end] });
            header.insert(tensor.name.clone(), entry);
            offset = end;
        }
        let header = Value::Object(header).to_string();
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        for tensor in tensors {
            self.data(tensor, false, Naming::HuggingFace, &mut out)?;
        }
        out.flush()
    }

    fn config_json(&self) -> io::Result<Value> {
        let (config, architecture) = (&self.config, self.architecture()?);
        let scaling = match &config.rope.scaling {
            None => Value::Null,
            Some(RopeScaling::Linear { factor }) => json!({ "rope_type": "linear", "factor": factor }),
            Some(RopeScaling::Llama3 {
                factor,
                low_frequency_factor,
                high_frequency_factor,
                original_context,
            }) => {
                json!({
                    "rope_type": "llama3",
                    "factor": factor,
                    "low_freq_factor": low_frequency_factor,
                    "high_freq_factor": high_frequency_factor,
                    "original_max_position_embeddings": original_context,
                })
            }
            Some(RopeScaling::Factors { .. } | RopeScaling::Yarn { .. }) => {
                return Err(io::Error::other("config.json of these models has no such scaling"));
            }
        };
        let dtype = match self.format {
            Format::F16 => "float16",
            Format::BF16 => "bfloat16",
            _ => "float32",
        };
        Ok(json!({
            "architectures": [architecture.hugging_face],
            "model_type": architecture.model_type,
            "hidden_act": "silu",
            "hidden_size": config.hidden,
            "intermediate_size": config.intermediate,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.kv_heads,
            "head_dim": config.head_dim,
            "vocab_size": config.vocabulary,
            "max_position_embeddings": config.max_context,
            "rms_norm_eps": config.rms_epsilon,
            "rope_theta": config.rope.theta,
            "rope_scaling": scaling,
            "sliding_window": null,
            "tie_word_embeddings": config.tied,
            "torch_dtype": dtype,
        }))
    }
}
