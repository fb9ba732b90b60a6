//! Inputs and outputs as Rust types.

use super::rust::text;
use qnn_types::{Diagnostic, InputSpec, TensorInfo};

/// dtype of a tensor and the Rust type of its elements.
const ELEMENTS: &[(&str, &str)] = &[
    ("float32", "f32"),
    ("float16", "::qnn::F16"),
    ("uint8", "u8"),
    ("ufixed8", "u8"),
    ("bool", "u8"),
    ("int8", "i8"),
    ("sfixed8", "i8"),
    ("uint16", "u16"),
    ("ufixed16", "u16"),
    ("int16", "i16"),
    ("sfixed16", "i16"),
    ("uint32", "u32"),
    ("ufixed32", "u32"),
    ("int32", "i32"),
    ("sfixed32", "i32"),
    ("int64", "i64"),
    ("uint64", "u64"),
    ("float64", "f64"),
];

/// A tensor as a field of `Inputs` or `Outputs`.
pub(super) struct Field<'a> {
    pub(super) info: &'a TensorInfo,
    /// Name of the field.
    pub(super) name: String,
    /// Rust type of an element.
    pub(super) element: &'static str,
    /// Number of elements; `None` in a stub whose shape is not known.
    pub(super) count: Option<u64>,
    /// What the manifest says of it, where it is an input.
    pub(super) spec: Option<&'a InputSpec>,
}

impl<'a> Field<'a> {
    pub(super) fn new(
        info: &'a TensorInfo,
        name: String,
        spec: Option<&'a InputSpec>,
    ) -> Result<Self, Diagnostic> {
        let element = ELEMENTS.iter().find(|(dtype, _)| *dtype == info.dtype).map(|(_, rust)| *rust);
        let element = element.ok_or_else(|| {
            Diagnostic::new(
                "E0304",
                format!("`{}` has dtype {}, which the app cannot pass", info.name, info.dtype),
            )
        })?;
        // A shape with a 0 stands for one that is not known; the HTP has no empty tensors.
        let count =
            info.shape.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim)).filter(|n| *n > 0);
        Ok(Self { info, name, element, count, spec })
    }

    /// Type of the array or slice of elements.
    pub(super) fn array(&self) -> String {
        match self.count {
            Some(count) => format!("[{}; {count}]", self.element),
            None => format!("[{}]", self.element),
        }
    }

    /// Base name of its constants.
    pub(super) fn constant(&self) -> String {
        self.name.to_ascii_uppercase()
    }

    /// What it holds, for the documentation.
    pub(super) fn about(&self) -> String {
        let mut out = format!("`{}`: {}", text(&self.info.name), self.info.dtype);
        match self.count {
            Some(_) => out.push_str(&format!(" {:?}", self.info.shape)),
            None => out.push_str(", of a shape that only a compile tells"),
        }
        if let Some(layout) = self.spec.and_then(|spec| spec.layout.as_deref()) {
            out.push_str(&format!(", {}", layout.to_ascii_uppercase()));
        }
        out.push_str(", row-major");
        if self.info.dtype == "bool" {
            out.push_str("; 0 is false, 1 is true");
        }
        if let Some((scale, offset)) = self.info.quant {
            out.push_str(&format!("; a stored value q means (q + {offset}) * {scale:?}"));
        }
        if let Some(formula) = self.spec.and_then(|spec| Some(spec.normalization()?.text())) {
            out.push_str(&format!("; the model gets {formula} of each number q"));
        }
        out
    }
}
