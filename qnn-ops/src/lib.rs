//! The definition of an op package's ops: the QNN SDK's OpDef XML, parsed with positions, checked, and the one source of the
//! package's C header, of Rust constants, of its documentation and of what a node of a model is held against.
//!
//! ```
//! let xml = r#"<OpDefCollection PackageName="my" Domain="my.ops" Version="1.0"><OpDefList>
//!   <OpDef>
//!     <Name>Twice</Name>
//!     <Description><Content>Doubles every element.</Content></Description>
//!     <Input><Name>x</Name><Mandatory>true</Mandatory>
//!       <Datatype>QNN_DATATYPE_FLOAT_32</Datatype><Shape><Rank>ND</Rank></Shape></Input>
//!     <Output><Name>y</Name><Mandatory>true</Mandatory>
//!       <Datatype>QNN_DATATYPE_FLOAT_32</Datatype><Shape><Rank>ND</Rank></Shape></Output>
//!     <SupportedBackend>HTP</SupportedBackend>
//!   </OpDef>
//! </OpDefList></OpDefCollection>"#;
//! let package = qnn_ops::parse(xml)?;
//! assert!(qnn_ops::lint(&package).is_empty());
//! assert!(qnn_ops::c_header(&package, "my.xml").contains("OP_Twice = 0"));
//! # Ok::<(), Vec<qnn_ops::Finding>>(())
//! ```

mod code;
mod docs;
pub mod elf;
mod generate;
mod lint;
mod model;
mod parse;
mod shape;
mod words;

pub use code::{CodeParam, param_orders};
pub use docs::markdown;
pub use generate::{c_header, rust_constants};
pub use lint::{lint, lint_code, lint_qhpi};
pub use model::{
    Constraint, Datatype, Finding, Kind, Level, Op, Package, Param, Position, Rank, Supplement,
    SupplementedTensor, Tensor,
};
pub use parse::parse;
pub use shape::{Extent, Operator, ShapeRule};

/// The headers that a package in C includes, by name: the interface to the HTP library, and what turns plain kernels into a package.
/// A builder writes them beside the generated header, so that a package needs no copy of them.
pub const C_HEADERS: &[(&str, &str)] = &[
    ("hvx.h", include_str!("../headers/hvx.h")),
    ("qnn_op_glue.h", include_str!("../headers/qnn_op_glue.h")),
    ("qnn_op_package.h", include_str!("../headers/qnn_op_package.h")),
    ("qnn_op_runtime.h", include_str!("../headers/qnn_op_runtime.h")),
];
