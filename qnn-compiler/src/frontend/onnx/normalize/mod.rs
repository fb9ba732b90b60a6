//! One form for every operator, whatever opset a model is written in.
//!
//! After this the nodes are as the newest version of the standard writes them, with what is optional made explicit: axes
//! are not negative, windows have kernel, strides, dilations and pads, what moved from attributes to inputs is a constant input.
//! [`rows`] lists what each rule does. A rule may also make its node vanish.

mod axes;
mod pads;
mod removal;
mod resize;
mod rewrite;
mod table;
mod windows;

pub use table::{OPSET, Row, rows};
pub(super) use table::{Step, normalize};
