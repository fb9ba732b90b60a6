//! Comparing what the HTP computes with what the reference engine computes.

mod arrays;
mod generate;
mod layers;
mod metrics;
mod pipeline;

pub(crate) use metrics::{Comparison, Thresholds};
pub(crate) use pipeline::{Inputs, Subject, Verdicts, verify};
