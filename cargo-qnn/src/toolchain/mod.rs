//! The vendor's libraries: which ones are used, and installing them where there are none.

pub(crate) mod clients;
pub(crate) mod contents;
pub(crate) mod install;
pub(crate) mod pins;
pub(crate) mod record;
mod resolve;
mod wheel;

pub(crate) use resolve::{data_dir, ensure, resolve};
