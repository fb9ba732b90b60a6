//! Normalizations as exporters write them out, over any axes, become the one op that HTP has for them.
//!
//! One op instead of eight, and in fp16 the only form whose numbers are right: HTP's normalizations sum in a wider type, while
//! the square of anything above 255, written out, leaves the range of fp16, and E[x²] − E[x]² cancels to noise.

mod choice;
mod emit;
mod groups;
mod moments;
mod regroup;
mod repeat;
mod unit;
mod variance;

pub(super) use choice::{by_masks, root_of_choice};
pub(super) use emit::rule as normalization;
pub(super) use groups::group_norm;
pub(super) use moments::{meets, unshaped};
pub(super) use regroup::regroup;
pub(super) use unit::unit_vector;
pub(super) use variance::{centred_variance, root_of_squares};
