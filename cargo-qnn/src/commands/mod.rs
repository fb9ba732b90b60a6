//! One file per subcommand, each with its arguments and a `run` function.

pub(crate) mod build;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod estimate;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod op;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod socs;
pub(crate) mod toolchain;
pub(crate) mod verify;
