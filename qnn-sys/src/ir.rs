//! The IR backend, `libQnnIr.so`, which writes a graph to a DLC file.
//!
//! It has no devices (`deviceCreate` answers 1000) and no context binaries; `graphFinalize` writes the file. A DLC file holds
//! the time of its creation, so two files of one graph differ.

use std::ffi::{c_char, c_void};

use crate::api::GraphConfig;

c_enum! {
    /// `QnnIrGraph_ConfigOption_t`.
    GraphConfigOption, "QNN_IR_GRAPH_CONFIG_OPTION_" {
        SERIALIZATION = 1,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnIrGraph_SerializationType_t`.
    SerializationType, "QNN_IR_GRAPH_SERIALIZATION_TYPE_" {
        FLAT_BUFFER = 1,
    }
}

/// `QnnIrGraph_SerializationOption_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SerializationOption {
    /// Format of the file.
    pub serialization_type: SerializationType,
    /// Path of the file.
    pub output_path: *const c_char,
}

/// `QnnIrGraph_CustomConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphCustomConfig {
    /// What the config is about.
    pub option: GraphConfigOption,
    /// The only option there is.
    pub serialization: SerializationOption,
}

impl GraphCustomConfig {
    /// Writes the graph to `output_path`, which must outlive the graph. Without this config the file is `<graph>.dlc` in the
    /// working directory.
    pub fn serialize_to(output_path: *const c_char) -> Self {
        Self {
            option: GraphConfigOption::SERIALIZATION,
            serialization: SerializationOption {
                serialization_type: SerializationType::FLAT_BUFFER,
                output_path,
            },
        }
    }

    /// The config as `graphCreate` takes it. The result points to `self`.
    pub fn as_graph_config(&mut self) -> GraphConfig {
        GraphConfig::custom((&raw mut *self).cast::<c_void>())
    }
}
