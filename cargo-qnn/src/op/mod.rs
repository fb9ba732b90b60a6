//! Op packages on the command line.

pub(crate) mod folder;
pub(crate) mod scaffold;
