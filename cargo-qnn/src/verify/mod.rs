//! Comparing what the HTP computes with what the reference engine computes.

mod arrays;
mod divergence;
mod feed;
mod generate;
pub(crate) mod llm;
mod metrics;
mod outputs;
mod pipeline;
pub(crate) mod scratch;

pub(crate) use divergence::Divergence;
pub(crate) use feed::Inputs;
pub(crate) use metrics::{Comparison, Thresholds};
pub(crate) use pipeline::{LayerVerdict, Method, Subject, Verdicts, verify};
