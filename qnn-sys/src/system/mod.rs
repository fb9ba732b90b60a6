//! The System library, `libQnnSystem.so`: metadata of context binaries, and DLC files.

mod dlc;
mod info;
mod interface;

pub use dlc::*;
pub use info::*;
pub use interface::*;
