//! Language models: tokens in, text out.
//!
//! ```no_run
//! # fn main() -> qnn::Result<()> {
//! use qnn::llm::{Llm, Sampling};
//!
//! let backend = qnn::Backend::htp()?;
//! // Generated code has `NAME::Model::load(&backend)?` for a model of the manifest.
//! let llm = Llm::load(&backend, std::path::Path::new("target/debug/qnn/app"))?;
//! let mut session = llm.session();
//! for piece in session.complete("In the beginning", &Sampling::default()) {
//!     print!("{}", piece?.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! * [`Llm`] is a loaded model, [`Session`] a sequence with its key and value cache, [`Completion`] an iterator over the tokens that follow.
//! * [`Session::answer`] is for conversations: a [`Chat`] renders them by the model's own template.
//! * [`Session::feed`], [`Session::logits`], [`Session::truncate`] and [`Sampler`] are the steps by themselves.
//!
//! Prompts go through the largest graphs that fit, the last one padded; generated tokens through the graph of one token. Keys and
//! values stay where they are from step to step. Token vectors are looked up in a mapped file, where the graphs do not do it.

mod artifacts;
mod cache;
mod chat;
mod chunks;
mod clock;
mod completion;
#[cfg_attr(
    not(feature = "compose"),
    expect(unreachable_pub, reason = "only the compiler has the loop over an engine of its own")
)]
mod decoder;
mod embedding;
mod error;
mod load;
mod parts;
mod random;
mod sampling;
mod session;
mod tables;
mod template;
mod text;

pub use artifacts::{LlmArtifacts, LlmSource};
pub use chat::{Chat, Role};
pub use completion::{Completion, Finish, Piece};
#[cfg(feature = "compose")]
pub use decoder::{Decoder, Execute, Float};
pub use load::Llm;
pub use qnn_llm::{Config, Deployment};
pub use sampling::{Sampler, Sampling};
pub use session::{Session, Statistics};
pub use text::Tokenizer;
