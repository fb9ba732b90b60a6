//! Writes the module of a language model: its files, and how to load it.

use std::fmt::Write;

use super::Placement;
use super::ident::identifier;
use super::rust::{LINTS, SUPPORT, text};

/// A language model to generate code for.
#[derive(Debug)]
pub struct LlmCode<'a> {
    /// Name in the manifest.
    pub name: &'a str,
    /// Name of the model file, for the documentation.
    pub source: String,
    /// What it has for each SoC.
    pub socs: Vec<LlmSocCode>,
}

/// A language model compiled for a SoC.
#[derive(Debug)]
pub struct LlmSocCode {
    /// The SoC.
    pub soc: String,
    /// Name of the description, a file beside the generated code; `None` in a stub.
    pub description: Option<String>,
    /// The files that the description names.
    pub files: Vec<(String, Placement)>,
}

const MODEL: &str = "    /// The language model.
    #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
    pub struct Model;

    impl Model {
        /// Picks what was compiled for the backend's SoC and loads it.
        ///
        /// # Errors
        /// Nothing fits the SoC or the QNN version, a file is missing, or the library refuses it.
        pub fn load(backend: &::qnn::Backend) -> ::core::result::Result<::qnn::llm::Llm, ::qnn::Error> {
            ::qnn::llm::Llm::load(backend, ARTIFACTS)
        }

        /// Like [`Self::load`], with options: priority, performance, a binary of another QNN build.
        ///
        /// # Errors
        /// As [`Self::load`].
        pub fn load_with(
            backend: &::qnn::Backend,
            options: &::qnn::LoadOptions,
        ) -> ::core::result::Result<::qnn::llm::Llm, ::qnn::Error> {
            ::qnn::llm::Llm::load_with(backend, ARTIFACTS, options)
        }
    }
";

pub(super) fn module(out: &mut String, model: &LlmCode<'_>) {
    let socs: Vec<&str> = model.socs.iter().map(|code| code.soc.as_str()).collect();
    put!(
        out,
        "\n/// Language model `{}`, from `{}`, for {}.",
        model.name,
        text(&model.source),
        socs.join(", ")
    );
    put!(out, "///\n/// It needs the feature `llm` of the crate `qnn`.");
    put!(out, "{LINTS}");
    put!(out, "pub mod {} {{", identifier(model.name));
    put!(out, "    /// Name of the model in Cargo.toml.");
    put!(out, "    pub const NAME: &str = {:?};\n", model.name);
    // What serves several SoCs is embedded once.
    let mut embedded: Vec<&str> = Vec::new();
    for (_, placement) in model.socs.iter().flat_map(|code| &code.files) {
        if let Placement::Bytes(file) = placement
            && !embedded.contains(&file.as_str())
        {
            put!(out, "    static BYTES_{}: &{SUPPORT}::Aligned<[u8]> =", embedded.len());
            put!(out, "        &{SUPPORT}::Aligned(*::core::include_bytes!({file:?}));");
            embedded.push(file);
        }
    }
    let (mut lists, mut rows) = (String::new(), String::new());
    for (index, code) in model.socs.iter().enumerate() {
        put!(lists, "    const FILES_{index}: &[(&str, {SUPPORT}::ArtifactSource)] = &[");
        for (name, placement) in &code.files {
            let source = match placement {
                Placement::Bytes(file) => {
                    let index = embedded.iter().position(|known| known == file).unwrap_or_default();
                    format!("{SUPPORT}::embedded(&BYTES_{index}.0)")
                }
                Placement::File(file) => file.source(),
                Placement::Stub(reason) => format!("{SUPPORT}::stub({reason:?})"),
            };
            put!(lists, "        ({name:?}, {source}),");
        }
        put!(lists, "    ];");
        let description = match &code.description {
            Some(file) => format!("::core::include_str!({file:?})"),
            None => "\"\"".to_owned(),
        };
        put!(rows, "        {SUPPORT}::llm_artifacts(NAME, {description}, FILES_{index}),");
    }
    put!(out, "{lists}    /// Its files, for each SoC.");
    put!(out, "    pub static ARTIFACTS: &[::qnn::llm::LlmArtifacts] = &[\n{rows}    ];\n\n{MODEL}}}");
}
