//! The System library, `libQnnSystem.so`: metadata of context binaries, and DLC files.

mod dlc;
mod info;
mod interface;
mod profile;

pub use dlc::*;
pub use info::*;
pub use interface::*;
pub use profile::*;
