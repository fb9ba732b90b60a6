//! What an operator is.
//!
//! [`Op`] is its name: a variant for every operator that the engine knows, so that a misspelt one does not compile, and
//! [`Op::Other`] for those of an app's op packages and for those that nobody knows.

mod name;
mod names;

pub use name::Name;
pub use names::Op;
