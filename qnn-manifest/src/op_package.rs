//! `[package.metadata.qnn.op-packages.NAME]`: where an op package is and how it is built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which interface a package has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The C interface of QNN 2.48 and newer; needs no SDK.
    #[default]
    Qhpi,
    /// The older C++ interface; needs the headers of the QNN SDK and the Hexagon SDK.
    Cpp,
}

/// `[package.metadata.qnn.op-packages.NAME]`; paths are absolute in a loaded manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The package's folder.
    pub path: PathBuf,
    /// Its interface.
    pub kind: Kind,
    /// The op definitions, from the package's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ops: Option<PathBuf>,
    /// Sources, from the package's folder: files, or patterns with `*` and `**`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Further folders of headers, from the package's folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<PathBuf>,
    /// Targets that are built with every app, beside those that it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Shapes of outputs that are not those of an input, by op.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<String>>,
    /// Operators of the ONNX standard that become ops of the package, by operator.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replace: BTreeMap<String, String>,
}
