//! What operator families share.

pub(in crate::lower) mod apart;
pub(in crate::lower) mod broadcast;
pub(in crate::lower) mod indices;
pub(in crate::lower) mod interpolate;
pub(in crate::lower) mod repeat;
pub(in crate::lower) mod slices;
pub(in crate::lower) mod transpose;
pub(in crate::lower) mod weight;
pub(in crate::lower) mod window;
