//! `xtask llm-synthetic` and `xtask llm-corpus`: language models of random weights.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use qnn_llm::Format;
use qnn_llm::arch::ARCHITECTURES;
use qnn_llm::synthetic::Synthetic;

pub(crate) const USAGE: &str = "\
llm-synthetic OUT [--shape qwen-1.5b|tiny-qwen2|tiny-qwen3|tiny-llama|tiny-mistral] [--format Q4_0] [--layers N] [--seed N]
    writes a GGUF file; with a format of floats and OUT without the extension .gguf, a Hugging Face folder";

/// Runs the command with the arguments behind its name.
pub(crate) fn run(args: &[&str]) -> ExitCode {
    match write(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}\nusage: cargo run --release -p xtask -- {USAGE}");
            ExitCode::from(2)
        }
    }
}

fn write(args: &[&str]) -> Result<(), String> {
    let [out, options @ ..] = args else { return Err("no file is named".to_owned()) };
    let (mut shape, mut format, mut layers, mut seed) = ("qwen-1.5b", Format::Q4_0, None, 1);
    for option in options.chunks(2) {
        let [name, value] = option else { return Err(format!("`{}` has no value", option.concat())) };
        let number = || value.parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match *name {
            "--shape" => shape = value,
            "--layers" => layers = Some(number()? as usize),
            "--seed" => seed = number()?,
            "--format" => {
                let named = Format::all().find(|format| format.name().eq_ignore_ascii_case(value));
                format = named.ok_or_else(|| format!("no format `{value}`"))?;
            }
            _ => return Err(format!("no option `{name}`")),
        }
    }
    let model = match shape.strip_prefix("tiny-") {
        Some(architecture) => Synthetic::tiny(architecture, format),
        None => (shape == "qwen-1.5b").then(|| Synthetic::qwen_1_5b(format)),
    };
    let mut model = model.ok_or_else(|| format!("no shape `{shape}`"))?;
    model.seed = seed;
    model.config.layers = layers.unwrap_or(model.config.layers);
    let out = Path::new(out);
    let written = if out.extension().is_none_or(|extension| extension != "gguf") {
        model.write_folder(out, 1)
    } else {
        model.write_gguf(out)
    };
    written.map_err(|error| format!("{}: {error}", out.display()))
}

/// Writes the corpora of the fuzz targets `gguf` and `safetensors`: the smallest model of every architecture and format.
pub(crate) fn corpus(folder: &Path) -> ExitCode {
    match write_corpus(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write_corpus(folder: &Path) -> io::Result<()> {
    let (gguf, safetensors) = (folder.join("gguf"), folder.join("safetensors"));
    fs::create_dir_all(&gguf)?;
    fs::create_dir_all(&safetensors)?;
    let scratch = folder.join("scratch");
    for row in ARCHITECTURES {
        for format in Format::all() {
            let Some(model) = Synthetic::smallest(row.name, format) else { continue };
            let name = format!("{}-{}", row.name, format.name());
            model.write_gguf(&gguf.join(&name))?;
            if format.block() == 1 {
                model.write_folder(&scratch, 1)?;
                let parts =
                    [fs::read(scratch.join("config.json"))?, fs::read(scratch.join("model.safetensors"))?];
                // As the target takes them apart.
                fs::write(safetensors.join(&name), parts.join(&0))?;
            }
        }
    }
    fs::remove_dir_all(scratch)
}
