//! The Rust code of an app's models: `OUT_DIR/qnn.rs`, which `qnn::include_models!()` includes.

/// Writes a line of code.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        // Writing to a String cannot fail.
        let _ = writeln!($out, $($arg)*);
    };
}

mod ident;
mod llm;
mod prepared;
mod rust;
mod tensor;

pub use ident::{identifier, identifiers};
pub use llm::{LlmCode, LlmSocCode};
pub use rust::{FileCode, ModelCode, OpPackageCode, Placement, SocCode, generate};
