//! The SoC that a binary is made for.

use serde::{Deserialize, Serialize};

/// The SoC a binary is made for, by value: the store key hashes these numbers, not the name of a table row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Canonical name, for example `SM8650`.
    pub name: String,
    /// The vendor's SoC id (`socModel`).
    pub id: u32,
    /// Hexagon architecture, for example 75.
    pub arch: u32,
    /// VTCM (tightly coupled memory) to plan for, MiB.
    pub vtcm_mb: u32,
    /// Whether the SoC computes in fp16.
    pub fp16: bool,
}
