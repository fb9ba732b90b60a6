//! The merged manifest as types. [`super::options`] is the same as a table, with documentation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::job::{HtpOptions, InputSpec, Precision};
use crate::op_package::Spec;

/// `[package.metadata.qnn]`, merged and validated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// SoCs to compile for, as the user wrote them.
    pub soc: Vec<String>,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// Op packages by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub op_packages: BTreeMap<String, Spec>,
}

/// `[package.metadata.qnn.models.NAME]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The model file; absolute in a loaded manifest.
    pub source: PathBuf,
    /// Numeric precision.
    #[serde(default)]
    pub precision: Precision,
    /// SoCs of this model; the package's when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc: Option<Vec<String>>,
    /// How the context binary gets into the app.
    #[serde(default)]
    pub embed: Embed,
    /// Overrides by input name.
    #[serde(default)]
    pub inputs: BTreeMap<String, InputSpec>,
    /// Outputs to keep; all when empty.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Graphs by name; one named after the model when empty.
    #[serde(default)]
    pub graphs: BTreeMap<String, Graph>,
    /// Samples of a calibration run: a file, absolute in a loaded manifest, or `generated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<String>,
    /// Quantization that does not come in the model file.
    #[serde(default, skip_serializing_if = "Quantize::is_empty")]
    pub quantize: Quantize,
    /// Op packages it uses, by name; what its domains say when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_packages: Option<Vec<String>>,
    /// Backend options.
    #[serde(default)]
    pub htp: HtpOptions,
}

/// `models.NAME.quantize`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantize {
    /// An encodings file; absolute in a loaded manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encodings: Option<PathBuf>,
}

impl Quantize {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `models.NAME.graphs.NAME`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Graph {
    /// Overrides by input name, on top of the model's.
    pub inputs: BTreeMap<String, InputSpec>,
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
