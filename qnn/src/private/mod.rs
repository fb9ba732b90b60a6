//! What generated code calls and apps do not: not part of what this crate promises to apps.
//!
//! Code that `qnn-build` generates names one of the modules here, by the protocol that it was written for, and calls functions only: a
//! field or an option that is added to this crate does not break the code of another version of `qnn-build`. `fit.rs` says so at compile
//! time where the two do not fit. A protocol is never changed, only followed by another.

mod fit;
pub mod v1;
