//! Comparing what the HTP computes with what the reference engine computes.

mod arrays;
mod departure;
mod generate;
mod layers;
pub(crate) mod llm;
mod metrics;
mod pipeline;

pub(crate) use departure::Departure;
pub(crate) use metrics::{Comparison, Thresholds};
pub(crate) use pipeline::{Inputs, LayerVerdict, Subject, Verdicts, verify};
