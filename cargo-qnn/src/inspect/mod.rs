//! Reading what files hold, as data and as text.

mod binary;
mod dlc;
mod llm;
mod onnx;
mod packages;
mod quantization;

use serde::Serialize;

pub(crate) use binary::binary;
pub(crate) use dlc::dlc;
pub(crate) use llm::llm;
pub(crate) use onnx::onnx;

use crate::encoding::Encoding;

/// What a file holds.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Inspected {
    /// A context binary.
    ContextBinary(binary::Binary),
    /// An ONNX model.
    Onnx(onnx::Model),
    /// A deep learning container.
    Dlc(dlc::Container),
    /// A language model.
    LanguageModel(llm::Model),
}

impl Inspected {
    /// For people.
    pub(crate) fn text(&self) -> String {
        match self {
            Inspected::ContextBinary(binary) => binary.text(),
            Inspected::Onnx(model) => model.text(),
            Inspected::Dlc(container) => container.text(),
            Inspected::LanguageModel(model) => model.text(),
        }
    }
}

/// A tensor, whatever the file.
#[derive(Debug, Serialize)]
pub(crate) struct Tensor {
    name: String,
    dtype: String,
    /// Dimensions; `null` for one that is open.
    shape: Option<Vec<Option<u64>>>,
    /// Names of open dimensions, empty for the others; absent where there is no name at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    symbols: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<Encoding>,
}

impl Tensor {
    /// As cells of a table.
    fn row(&self, kind: &str) -> Vec<String> {
        let name = |axis: usize| self.symbols.get(axis).filter(|name| !name.is_empty()).cloned();
        let dim = |(axis, dim): (usize, &Option<u64>)| match dim {
            Some(size) => size.to_string(),
            None => name(axis).unwrap_or_else(|| "?".to_owned()),
        };
        let shape = self.shape.as_ref().map_or("?".to_owned(), |shape| {
            format!("[{}]", shape.iter().enumerate().map(dim).collect::<Vec<_>>().join(", "))
        });
        let encoding = self.encoding.as_ref().map_or(String::new(), Encoding::text);
        vec![format!("    {kind}"), self.name.clone(), self.dtype.clone(), shape, encoding]
    }
}
