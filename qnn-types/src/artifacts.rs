//! The artifact manifest: what a folder of compiled models holds.

use serde::{Deserialize, Serialize};

use crate::report::GraphInfo;

/// Name of the artifact manifest in its folder.
pub const ARTIFACT_MANIFEST: &str = "qnn-manifest.json";

/// What a folder of artifacts holds: `qnn-manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactManifest {
    /// Version of this format.
    pub version: u32,
    /// Why there are only stubs; absent when models were compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stub: Option<String>,
    /// Every artifact, by package, model and SoC.
    pub artifacts: Vec<ArtifactRecord>,
    /// Libraries of op packages, which the app registers before it loads a model that uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_packages: Vec<OpPackageRecord>,
}

impl Default for ArtifactManifest {
    fn default() -> Self {
        Self { version: 1, stub: None, artifacts: Vec::new(), op_packages: Vec::new() }
    }
}

/// What an artifact is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// A context binary.
    #[default]
    ContextBinary,
    /// Embedding table of a language model, float16 rows.
    Embedding,
    /// Tokenizer of a language model (`tokenizer.json`).
    Tokenizer,
    /// Description of a language model for one SoC (`qnn_llm::Deployment`), which the app reads.
    Description,
    /// What became of each weight of a language model, and what compiling took; the app does not read it.
    Report,
}

/// A file of a package: a context binary, or what belongs to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArtifactRecord {
    /// The package.
    pub package: String,
    /// The model.
    pub model: String,
    /// The SoC; empty where the file serves all.
    pub soc: String,
    /// What the file is.
    pub kind: ArtifactKind,
    /// What it has of a language model: `layers 0-6`, `head`, `embedding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The vendor's id of the SoC.
    pub soc_id: u32,
    /// Its Hexagon architecture.
    pub arch: u32,
    /// Its path from this manifest's folder: in a build script's folder its name, where packages are collected `<package>/<name>`. Empty
    /// in a stub.
    pub file: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// Its blake3, hexadecimal.
    pub blake3: String,
    /// Its XXH64, hexadecimal: what the app holds against a file that it loads.
    pub checksum: String,
    /// The QNN build that compiled it.
    pub build_id: String,
    /// Its key in the store; empty for what is not kept there.
    pub key: String,
    /// How the app gets it: `bytes` in the executable, or a `file` beside it.
    pub embed: Embed,
    /// Its graphs.
    pub graphs: Vec<GraphInfo>,
}

/// A library of an op package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpPackageRecord {
    /// The package of the app.
    pub package: String,
    /// What its manifest calls the op package.
    pub name: String,
    /// The op package's own name.
    pub op_package: String,
    /// The function that hands out its interface.
    pub provider: String,
    /// What it is built for: `htp-x86`, `hexagon-v75`, …
    pub target: String,
    /// What a device registers it as: `HTP` for the NPU's side, `CPU` for the side of the processor that compiles; absent for the
    /// emulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// Hexagon architecture it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<u32>,
    /// The library, beside this manifest.
    pub file: String,
    /// Its blake3, hexadecimal.
    pub blake3: String,
}

/// How a context binary gets into the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Embed {
    /// Embedded when the binaries of all SoCs take at most 256 MiB together, else files.
    #[default]
    Auto,
    /// Embedded in the executable.
    Bytes,
    /// A file beside the executable.
    File,
}
