//! `[package.metadata.qnn]` and `[workspace.metadata.qnn]`: what the app's Cargo.toml says about its models.
//!
//! A value comes from the last of these that has it: defaults, workspace, package, environment, `--config`, flags.
//! [`options`] is the table of all keys; everything else here follows from it.

mod load;
pub mod options;
mod overrides;
mod reference;
mod schema;
mod tree;
mod validate;

pub use load::{Manifest, Setting};
pub use overrides::Overrides;
pub use reference::{json_schema, options_markdown};
pub use schema::{Config, Embed, EmbeddingPlace, Graph, Llm, LmHead, Model, Quantize, Shards};
pub use tree::Origin;
