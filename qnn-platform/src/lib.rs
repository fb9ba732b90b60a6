//! Facts that the `qnn` crates share: the Snapdragon SoC table, the environment variables they read, and where the
//! QNN libraries are looked for; and the checksum of files. No dependencies.

pub mod build_id;
pub mod checksum;
pub mod env;
pub mod identity;
pub mod libs;
pub mod nearest;
pub mod soc;
pub mod text;
