//! What is done to a program whose nodes are all lowered.

pub(in crate::lower) mod floats;
pub(in crate::lower) mod pixel;
pub(in crate::lower) mod tidy;
pub(in crate::lower) mod views;
