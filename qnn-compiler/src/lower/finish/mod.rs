//! What is done to a program whose nodes are all lowered.

pub(in crate::lower) mod float_free;
pub(in crate::lower) mod peephole;
pub(in crate::lower) mod pixel;
pub(in crate::lower) mod views;
