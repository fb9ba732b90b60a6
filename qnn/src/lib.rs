//! Safe runtime for QNN context binaries on the Hexagon NPU (HTP) and its x86-64 emulator.

mod artifact;
mod backend;
pub mod codes;
mod compat;
#[cfg(feature = "compose")]
pub mod compose;
mod context;
mod device;
#[cfg(feature = "compose")]
pub mod dlc;
mod dtype;
mod encode;
mod error;
mod graph;
mod log;
pub mod metadata;
mod model;
mod performance;
mod profile;
mod tensor;

pub use artifact::{Aligned, Artifact, ArtifactSource, Stub};
pub use backend::Backend;
pub use context::{Context, LoadOptions};
pub use device::{Device, DeviceInfo};
pub use dtype::{DataType, F16};
pub use error::{Error, Result, VendorError};
pub use graph::Graph;
pub use metadata::{BinaryInfo, GraphInfo};
pub use model::LoadedModel;
pub use performance::{Performance, PerformanceMode};
pub use profile::{Profile, ProfileEvent, ProfileLevel, ProfileUnit};
pub use qnn_sys::types::Version;
pub use tensor::{Element, Quant, Tensor, TensorInfo, TensorMut};

/// Includes the modules that `qnn_build::compile()` generated, one per model of the manifest.
#[macro_export]
macro_rules! include_models {
    () => {
        include!(concat!(env!("OUT_DIR"), "/qnn.rs"));
    };
}
