//! Language models: GGUF files and Hugging Face folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qnn_llm::strategy::{Choice, WeightFormat, bits_per_weight, choose};
use qnn_llm::{Config, Format, Peek, Problem, Role, Strategy, peek};
use qnn_types::{Diagnostic, Target};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::table::columns;
use crate::term::size;

/// A language model.
#[derive(Debug, Serialize)]
pub(crate) struct Model {
    path: PathBuf,
    format: String,
    bytes: u64,
    files: Vec<PathBuf>,
    config: Config,
    parameters: u64,
    /// The tokenizer in a few words.
    tokenizer: Option<String>,
    bos: Option<u32>,
    add_bos: bool,
    stop: Vec<u32>,
    chat_template: bool,
    notes: Vec<String>,
    soc: String,
    /// Tensors by type, and what becomes of them on the SoC.
    types: Vec<Type>,
    tensors: Vec<Tensor>,
}

/// All tensors of a type, of matrices or of vectors.
#[derive(Debug, Serialize)]
struct Type {
    #[serde(rename = "type")]
    format: Format,
    matrices: bool,
    tensors: usize,
    parameters: u64,
    bytes: u64,
    /// `None` for vectors, which stay floats.
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Chosen>,
}

#[derive(Debug, Serialize)]
struct Chosen {
    #[serde(flatten)]
    choice: Choice,
    /// Bytes on the device.
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Tensor {
    name: String,
    #[serde(rename = "type")]
    format: Format,
    /// Rows and columns; one number for a vector.
    shape: Vec<usize>,
    bytes: usize,
    #[serde(rename = "encoding", skip_serializing_if = "Option::is_none")]
    becomes: Option<WeightFormat>,
}

/// Reads a language model without its weights.
pub(crate) fn llm(path: &Path, target: &Target) -> Result<Model> {
    let peeked = peek(path).map_err(|problems| {
        let problems = problems.0.into_iter().map(diagnostic).collect();
        Failure { exit: Exit::User, problems }
    })?;
    let Peek { config, format, tensors, tokenizer, text, mut notes, files, bytes } = peeked;
    if !target.fp16 {
        notes.push(format!(
            "{} has no fp16 unit, and language models are computed in fp16: it is not compiled for this SoC",
            target.name
        ));
    }
    let chosen = |format: Format| choose(Strategy::Auto, format, target.arch);
    let mut types: BTreeMap<(bool, Format), Type> = BTreeMap::new();
    for tensor in &tensors {
        let matrices = tensor.rows > 1;
        let row = types.entry((!matrices, tensor.format)).or_insert_with(|| Type {
            format: tensor.format,
            matrices,
            tensors: 0,
            parameters: 0,
            bytes: 0,
            strategy: None,
        });
        row.tensors += 1;
        row.parameters += (tensor.rows * tensor.columns) as u64;
        row.bytes += tensor.bytes as u64;
        if matrices && !looked_up(tensor.role, &config) {
            let choice = chosen(tensor.format);
            let bits = bits_per_weight(choice.format);
            let bytes = ((tensor.rows * tensor.columns) as f64 * bits / 8.0) as u64;
            row.strategy.get_or_insert(Chosen { choice, bytes: 0 }).bytes += bytes;
        }
    }
    Ok(Model {
        path: path.to_owned(),
        format,
        bytes,
        files,
        parameters: types.values().map(|row| row.parameters).sum(),
        tokenizer,
        bos: text.bos,
        add_bos: text.add_bos,
        stop: text.stop,
        chat_template: text.chat_template.is_some(),
        notes,
        soc: target.name.clone(),
        types: types.into_values().collect(),
        tensors: tensors
            .into_iter()
            .map(|tensor| Tensor {
                becomes: (tensor.rows > 1 && !looked_up(tensor.role, &config))
                    .then(|| chosen(tensor.format).format),
                name: tensor.name,
                format: tensor.format,
                shape: if tensor.rows > 1 { vec![tensor.rows, tensor.columns] } else { vec![tensor.columns] },
                bytes: tensor.bytes,
            })
            .collect(),
        config,
    })
}

/// Whether a tensor is only looked up on the host: an embedding table that is not the head as well.
fn looked_up(role: Role, config: &Config) -> bool {
    role == Role::Embedding && !config.tied
}

fn diagnostic(problem: Problem) -> Diagnostic {
    let diagnostic = Diagnostic::new(problem.class.code(), problem.message);
    Diagnostic { notes: problem.notes, help: problem.help, ..diagnostic }
}

impl Model {
    pub(crate) fn text(&self) -> String {
        let Self { config, .. } = self;
        let millions = self.parameters as f64 / 1e6;
        let extras = [(config.qkv_bias, "biases"), (config.qk_norm, "q/k norms"), (config.tied, "tied head")];
        let extras: Vec<&str> = extras.iter().filter(|(has, _)| *has).map(|(_, what)| *what).collect();
        let extras = if extras.is_empty() { String::new() } else { format!("; {}", extras.join(", ")) };
        let mut lines = vec![
            format!("{}: {}, {}", self.path.display(), self.format, size(self.bytes)),
            format!("  architecture  {}, {millions:.1} million parameters{extras}", config.architecture),
            format!(
                "  sizes         {} layers, hidden {}, feed-forward {}, {} heads of {}, {} for keys and values",
                config.layers,
                config.hidden,
                config.intermediate,
                config.heads,
                config.head_dim,
                config.kv_heads
            ),
            format!(
                "  vocabulary    {}; {}",
                config.vocabulary,
                self.tokenizer.as_deref().unwrap_or("the file has no tokenizer")
            ),
            format!("  context       {} tokens at most", config.max_context),
        ];
        let ids: Vec<String> = self.stop.iter().map(u32::to_string).collect();
        let bos =
            self.bos.filter(|_| self.add_bos).map_or(String::new(), |bos| format!("begins with {bos}, "));
        let template = if self.chat_template { "has a chat template" } else { "no chat template" };
        let ends =
            if ids.is_empty() { "no end token".to_owned() } else { format!("ends with {}", ids.join(", ")) };
        lines.push(format!("  text          {bos}{ends}, {template}"));
        lines.extend(self.notes.iter().map(|note| format!("  note          {note}")));
        let header = ["  type", "tensors", "in the file", &format!("on {}", self.soc), "size there", "exact"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for row in &self.types {
            let (encoding, there, exact) = match &row.strategy {
                Some(Chosen { choice, bytes }) => {
                    (choice.format.to_string(), size(*bytes), if choice.exact { "yes" } else { "no" })
                }
                None if row.matrices => ("looked up on the host".to_owned(), String::new(), ""),
                None => ("fp16 (vectors)".to_owned(), String::new(), ""),
            };
            rows.push(vec![
                format!("  {}", row.format.name()),
                row.tensors.to_string(),
                size(row.bytes),
                encoding,
                there,
                exact.to_owned(),
            ]);
        }
        lines.push(columns(&rows));
        lines.push("  strategy `auto`:".to_owned());
        for row in &self.types {
            if let Some(Chosen { choice, .. }) = &row.strategy {
                lines.push(format!("    {}: {}", row.format.name(), choice.why));
            }
        }
        lines.join("\n")
    }
}
