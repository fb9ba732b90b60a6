//! The Rust code of an app's models: `OUT_DIR/qnn.rs`, which `qnn::include_models!()` includes.

mod ident;
mod rust;
mod tensor;

pub use ident::identifier;
pub use rust::{ModelCode, OpPackageCode, Placement, SocCode, generate};
