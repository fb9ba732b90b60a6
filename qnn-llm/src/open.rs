//! Opening a model, whatever it is kept in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::Config;
use crate::assemble::{Assembled, Stored, assemble};
use crate::gguf::{self, Gguf};
use crate::hf::{self, Folder};
use crate::problem::{Problem, Problems};
use crate::rows::in_halves;
use crate::weights::{Format, Model, Role, Text};

/// Opens a GGUF file, or a Hugging Face folder (or a safetensors file in one): everything is checked, and weights stay in the mapped
/// files, but for the query and key rows of GGUF files that have them in pairs.
pub fn open(path: &Path) -> Result<Model, Problems> {
    Opened::open(path, true)?.model()
}

/// The model in the bytes of a GGUF file.
pub fn of_gguf_bytes(file: Bytes) -> Result<Model, Problems> {
    Opened::of_gguf(&Gguf::of_bytes(file)?, true)?.model()
}

/// The model in the bytes of config.json and of a safetensors file that has all its tensors.
pub fn of_folder_bytes(config: &[u8], file: Bytes) -> Result<Model, Problems> {
    let (found, tensors) = hf::of_bytes(config, &file)?;
    let assembled = assemble(found, &tensors)?;
    let format = "safetensors".to_owned();
    Opened { format, assembled, text: Text::default(), tokenizer: None, files: Vec::new() }.model()
}

/// What is in a model file, without a look at its weights' data.
#[derive(Clone, Debug)]
pub struct Peek {
    /// Sizes.
    pub config: Config,
    /// Name of the file format, with its version.
    pub format: String,
    /// The weights, by layer and role.
    pub tensors: Vec<Tensor>,
    /// The tokenizer in a few words; `None` where there is none.
    pub tokenizer: Option<String>,
    /// What the file says of text; the tokenizer itself is left out.
    pub text: Text,
    /// What a user should know.
    pub notes: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Their length together.
    pub bytes: u64,
}

/// A weight without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name in the file.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its layer; `None` for what belongs to no layer.
    pub layer: Option<usize>,
    /// How elements are stored.
    pub format: Format,
    /// Number of rows; 1 for a vector.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
    /// Bytes in the file.
    pub bytes: usize,
}

/// Reads sizes, tensors and what belongs to text, with the same checks as [`open`] and without touching the weights' data or
/// converting a tokenizer.
pub fn peek(path: &Path) -> Result<Peek, Problems> {
    let opened = Opened::open(path, false)?;
    let Assembled { config, weights, notes, .. } = opened.assembled;
    let tensors = weights.into_iter().map(|((layer, role), weight)| Tensor {
        name: weight.name,
        role,
        layer,
        format: weight.format,
        rows: weight.rows,
        columns: weight.columns,
        bytes: weight.data.len(),
    });
    let lengths = opened.files.iter().filter_map(|file| file.metadata().ok());
    Ok(Peek {
        config,
        format: opened.format,
        tensors: tensors.collect(),
        tokenizer: opened.tokenizer,
        text: Text { tokenizer: None, ..opened.text },
        notes,
        bytes: lengths.map(|meta| meta.len()).sum(),
        files: opened.files,
    })
}

/// What kind of model a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A GGUF file.
    Gguf,
    /// A Hugging Face folder.
    Folder,
}

/// The kind of language model that a path leads to, by its name and, where that says nothing, its first bytes.
pub fn kind(path: &Path) -> Option<Kind> {
    if path.is_dir() {
        return path.join("config.json").is_file().then_some(Kind::Folder);
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gguf") => Some(Kind::Gguf),
        Some("safetensors") => Some(Kind::Folder),
        _ if path.to_str().is_some_and(|path| path.ends_with(".safetensors.index.json")) => {
            Some(Kind::Folder)
        }
        _ => begins_as_gguf(path).then_some(Kind::Gguf),
    }
}

fn begins_as_gguf(path: &Path) -> bool {
    let mut first = [0; 4];
    // Opening a FIFO would wait for a writer.
    path.is_file()
        && std::fs::File::open(path)
            .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut first))
            .is_ok()
        && &first == gguf::MAGIC
}

const WITHOUT_TOKENIZER: &str =
    "the model has no tokenizer: apps have to make tokens of texts by other means (`Session::feed`)";

/// What to do with the file of an older library.
const OTHER_TOKENIZER: &str = "; tokenizer.model is not read, and \
     `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)` makes a tokenizer.json of it";

struct Opened {
    format: String,
    assembled: Assembled,
    text: Text,
    tokenizer: Option<String>,
    files: Vec<PathBuf>,
}

impl Opened {
    fn open(path: &Path, convert: bool) -> Result<Self, Problems> {
        match kind(path) {
            Some(Kind::Gguf) => Self::gguf(path, convert),
            Some(Kind::Folder) if path.is_dir() => Self::folder(path),
            Some(Kind::Folder) => Self::folder(path.parent().unwrap_or(Path::new("."))),
            None if path.is_dir() => Self::folder(path),
            None => Self::gguf(path, convert),
        }
    }

    /// Weights with their rows in halves.
    fn model(self) -> Result<Model, Problems> {
        let Assembled { config, mut weights, pairs, notes } = self.assembled;
        if pairs {
            for ((_, role), weight) in &mut weights {
                let heads = match role {
                    Role::Query | Role::QueryBias => config.heads,
                    Role::Key | Role::KeyBias => config.kv_heads,
                    _ => continue,
                };
                *weight = in_halves(weight, heads)?;
            }
        }
        Ok(Model { config, weights, files: self.files, text: self.text, notes })
    }

    fn gguf(path: &Path, convert: bool) -> Result<Self, Problems> {
        let (gguf, files) = gguf::whole(Gguf::open(path)?, path)?;
        let opened = Self::of_gguf(&gguf, convert).map_err(|problems| of_file(problems, path))?;
        Ok(Self { files, ..opened })
    }

    fn of_gguf(gguf: &Gguf, convert: bool) -> Result<Self, Problems> {
        let mut found = gguf.found().map_err(Problems)?;
        if gguf.get("tokenizer.ggml.tokens").is_none() {
            found.notes.push(WITHOUT_TOKENIZER.to_owned());
        }
        let (assembled, text) = together(assemble(found, &gguf.tensors), gguf.text(convert))?;
        Ok(Self {
            format: format!("GGUF version {}", gguf.version),
            assembled,
            text,
            tokenizer: gguf::describe_tokenizer(gguf),
            files: Vec::new(),
        })
    }

    fn folder(path: &Path) -> Result<Self, Problems> {
        let mut folder = Folder::open(path)?;
        let text = folder.text();
        if text.as_ref().is_ok_and(|text| text.tokenizer.is_none()) {
            let own = if path.join("tokenizer.model").is_file() { OTHER_TOKENIZER } else { "" };
            folder.found.notes.push(format!("{WITHOUT_TOKENIZER}{own}"));
        }
        let tensors: &BTreeMap<String, Stored> = &folder.tensors;
        let (assembled, text) =
            together(assemble(folder.found, tensors), text).map_err(|problems| of_file(problems, path))?;
        let tokenizer = text.tokenizer.as_ref().map(|_| "tokenizer.json".to_owned());
        Ok(Self { format: "safetensors".to_owned(), assembled, text, tokenizer, files: folder.files })
    }
}

fn of_file(problems: Problems, path: &Path) -> Problems {
    Problems(problems.0.into_iter().map(|problem| problem.of_file(path)).collect())
}

/// Both, or the problems of both.
fn together(
    assembled: Result<Assembled, Problems>,
    text: Result<Text, Problem>,
) -> Result<(Assembled, Text), Problems> {
    match (assembled, text) {
        (Ok(assembled), Ok(text)) => Ok((assembled, text)),
        (Err(mut problems), text) => {
            problems.0.extend(text.err());
            Err(problems)
        }
        (Ok(_), Err(problem)) => Err(problem.into()),
    }
}
