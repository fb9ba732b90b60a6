//! The files of a new app.

use std::fmt::Write;

use qnn_manifest::module::{identifier, identifiers};
use qnn_manifest::static_shapes;
use qnn_pipeline::source::SourceFacts;

use super::models::ModelEntry;

/// The build script.
pub(crate) const BUILD_RS: &str = "fn main() {\n    qnn_build::compile().unwrap_or_exit();\n}\n";

/// A network that computes the exclusive or of two numbers: the model of an app that was made without one.
pub(crate) const XOR_ONNX: &[u8] = include_bytes!("../../templates/xor.onnx");

/// The app around [`XOR_ONNX`].
pub(crate) const XOR_MAIN: &str = include_str!("../../templates/xor.rs");

/// Inputs up to this many elements are written as an array, larger ones are made on the heap.
const LARGEST_ARRAY: u64 = 4096;

/// An app that completes the text of its first argument.
const LLM_MAIN: &str = r#"use std::error::Error;
use std::io::Write;

use qnn::llm::Sampling;

qnn::include_models!();

fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).unwrap_or("Once upon a time".to_owned());
    // The NPU of a phone, or the emulator on a development machine.
    let backend = qnn::Backend::htp()?;
    let model = MODULE::Model::load(&backend)?;

    let mut session = model.session();
    print!("{text}");
    for piece in session.complete(&text, &Sampling::default()) {
        print!("{}", piece?.text);
        std::io::stdout().flush()?;
    }
    println!();
    Ok(())
}
"#;

/// An app that runs `model` once on zeros and prints the beginning of each output, or of a language model the one that completes a
/// text.
pub(crate) fn main_rs(model: &ModelEntry, facts: &SourceFacts) -> String {
    let module = identifier(&model.name);
    if model.llm {
        return LLM_MAIN.replace("MODULE", &module);
    }
    let mut text = String::new();
    let mut fields = Vec::new();
    let sizes = model.dims.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    let said = |name: &str| model.inputs.get(name).cloned();
    let shapes = static_shapes(&facts.inputs, &facts.inputs, &sizes, said);
    let names = identifiers(facts.inputs.iter().map(|input| input.name.as_str()));
    for ((input, shape), name) in facts.inputs.iter().zip(shapes).zip(names) {
        let shape = shape.unwrap_or_else(|| vec![1]);
        let count: u64 = shape.iter().product();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    // `{}`: {} {shape:?}. Put real data here.", input.name, input.dtype);
        if count <= LARGEST_ARRAY {
            let _ = writeln!(text, "    let {name} = [Default::default(); {count}];");
            fields.push(format!("{name}: &{name}"));
        } else {
            let _ = writeln!(text, "    let {name} = {module}::Inputs::zeroed_{name}();");
            fields.push(format!("{name}: &{name}"));
        }
    }
    let names = identifiers(facts.outputs.iter().map(|output| output.name.as_str()));
    let prints: String = names
        .iter()
        .map(|name| {
            format!("    println!(\"{name}: {{:?}}\", &outputs.{name}[..outputs.{name}.len().min(10)]);\n")
        })
        .collect();
    let run = if fields.is_empty() {
        format!("    println!(\"{{}} is loaded: {{:?}}\", {module}::NAME, model.untyped().artifact());\n")
    } else {
        format!("    let outputs = model.run({module}::Inputs {{ {} }})?;\n\n{prints}", fields.join(", "))
    };
    format!(
        "use std::error::Error;\n\nqnn::include_models!();\n\nfn main() -> Result<(), Box<dyn Error>> {{\n    \
         // The NPU of a phone, or the emulator on a development machine.\n    \
         let backend = qnn::Backend::htp()?;\n    let model = {module}::Model::load(&backend)?;\n\n\
         {text}{run}    Ok(())\n}}\n"
    )
}
