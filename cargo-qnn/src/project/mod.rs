//! Making a package use models: its Cargo.toml, build.rs and main.rs.

mod edit;
mod models;
mod template;

pub(crate) use edit::{Dependencies, Edit, edit};
pub(crate) use models::{ModelEntry, is_model, model_entry, model_name, open_dimensions};
pub(crate) use template::{BUILD_RS, XOR_MAIN, XOR_ONNX, main_rs};
