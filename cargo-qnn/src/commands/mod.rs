//! One file per subcommand, each with its arguments and a `run` function.

pub(crate) mod toolchain;
