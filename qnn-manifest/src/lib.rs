//! `[package.metadata.qnn]` and `[workspace.metadata.qnn]`: what the app's Cargo.toml says about its models, and the Rust module that
//! the app gets for each.
//!
//! A value comes from the last of these that has it: defaults, workspace, package, environment, `--config`, flags.
//! [`options`] is the table of all keys; [`Manifest`] and [`Config`] follow from it. [`signature`] reads inputs and outputs of a model
//! file without loading it. [`module`] writes the code. [`script`] is what a build script and `cargo-qnn` say to each other.
//!
//! Apps compile this crate with every clean build, as a dependency of `qnn-build`: it stays small.

pub mod files;
mod format;
mod graphs;
mod load;
mod mode;
pub mod module;
mod op_package;
pub mod options;
pub mod output;
mod overrides;
pub mod record;
mod reference;
mod schema;
pub mod script;
pub mod signature;
mod tree;
mod validate;

pub use format::{is_llm, source_format};
pub use graphs::{graphs, sizes_of, target};
pub use load::{Manifest, Setting};
pub use mode::Mode;
pub use op_package::{Kind, Spec};
pub use overrides::Overrides;
pub use reference::{json_schema, options_markdown};
pub use schema::{Config, EmbeddingPlace, Graph, Llm, LmHead, Model, Quantize, Shards};
pub use signature::{ModelValue, static_shapes};
pub use tree::Origin;
pub use validate::fraction;
