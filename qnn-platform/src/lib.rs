//! Facts that the `qnn` crates share: the Snapdragon SoC table, the environment variables they read, and where the
//! QNN libraries are looked for. No dependencies.

pub mod env;
pub mod libs;
pub mod nearest;
pub mod soc;
