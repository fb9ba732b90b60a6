//! Graph options.

use std::ffi::{c_char, c_void};

use crate::types::{Precision, Scalar};

c_enum! {
    /// `QnnHtpGraph_OptimizationType_t`.
    OptimizationType, "QNN_HTP_GRAPH_OPTIMIZATION_TYPE_" {
        SCHEDULE_THRESHOLD = 1,
        /// Refused by version 2.51.
        FINALIZE_RETRIES = 2,
        /// The optimization level: 1, 2 or 3. The library takes any number.
        FINALIZE_OPTIMIZATION_FLAG = 3,
        ENABLE_DLBC = 4,
        ENABLE_DLBC_WEIGHTS = 5,
        ENABLE_SPARSE_WEIGHTS_COMPRESSION = 6,
        ENABLE_SLC_ALLOCATOR = 7,
        /// Since core 2.37 at the latest.
        ENABLE_VTCM_RETENTION = 8,
        /// Since core 2.37 at the latest.
        ENABLE_CACHED_WEIGHTS = 9,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpGraph_OptimizationOption_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OptimizationOption {
    /// What is set.
    pub optimization_type: OptimizationType,
    /// To what.
    pub value: f32,
}

c_enum! {
    /// `QnnHtpGraph_ConfigOption_t`: which member of [`GraphCustomValue`] counts.
    GraphCustomOption, "QNN_HTP_GRAPH_CONFIG_OPTION_" {
        OPTIMIZATION = 1,
        PRECISION = 2,
        VTCM_SIZE_IN_MB = 3,
        FOLD_RELU_ACTIVATION_INTO_CONV_OFF = 4,
        SHORT_DEPTH_CONV_ON_HMX_OFF = 5,
        NUM_HVX_THREADS = 6,
        FINALIZE_CONFIG = 7,
        NUM_CORES = 8,
        PARALLEL_GRAPH_EXECUTION_CONFIG = 9,
        VTCM_SIZE_IN_BYTES = 10,
        HMX_BOUNDING = 11,
        WEIGHTS_PACKING = 12,
        ASSUME_SAME_QUANT = 13,
        SHARE_IO_BUFFER = 14,
        /// Since core 2.32 at the latest.
        ADVANCED_ACTIVATION_FUSION = 15,
        /// Since core 2.32 at the latest.
        HIGH_PRECISION_SIGMOID = 16,
        /// Since core 2.32 at the latest.
        MONOLITHIC_LSTM = 17,
        /// Since core 2.37 at the latest.
        PRECISION_COMPENSATION = 18,
        /// Since core 2.39 at the latest.
        ENABLE_PREDICATION = 19,
        /// Since core 2.39 at the latest.
        FP16_CLAMP_OVERFLOW = 20,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpGraph_FinalizeConfig_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FinalizeConfig {
    /// Name of the setting. The library logs an unknown one and goes on.
    pub key: *const c_char,
    /// Its value.
    pub value: Scalar,
}

/// `QnnHtpGraph_VtcmConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct VtcmConfig {
    /// Part of this graph, bytes.
    pub size_in_bytes: u32,
    /// Its start, bytes.
    pub offset_in_bytes: u32,
    /// All parts, bytes.
    pub size_total_in_bytes: u32,
    /// Zero.
    pub reserved: [u32; 3],
}

c_enum! {
    /// `QnnHtpGraph_ConcurrencyOption_t`.
    ConcurrencyOption, "QNN_HTP_GRAPH_CONCURRENCY_OPTION_" {
        NONE = 0,
        ALL_SHARED = 1,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpGraph_ParallelGraphExecutionConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ParallelGraphExecutionConfig {
    /// How graphs run beside each other.
    pub concurrency: ConcurrencyOption,
    /// Which part of the memory is this graph's.
    pub vtcm: VtcmConfig,
    /// Zero.
    pub reserved: [u32; 4],
}

/// `QnnHtp_HmxBoundingInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HmxBoundingInfo {
    /// Clock of the matrix unit, Hz.
    pub target_hmx_freq_hz: f32,
    /// Clock of the core.
    pub target_dsp_core_freq: f32,
}

/// The value of a [`GraphCustomConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union GraphCustomValue {
    /// [`GraphCustomOption::OPTIMIZATION`]
    pub optimization: OptimizationOption,
    /// [`GraphCustomOption::PRECISION`]
    pub precision: Precision,
    /// A switch: 0 or 1, in one byte.
    pub flag: u8,
    /// A number of 32 bits: [`GraphCustomOption::VTCM_SIZE_IN_MB`] (0 is the SoC's maximum),
    /// [`GraphCustomOption::VTCM_SIZE_IN_BYTES`], [`GraphCustomOption::NUM_CORES`].
    pub word: u32,
    /// [`GraphCustomOption::NUM_HVX_THREADS`] (0 is the default).
    pub num_hvx_threads: u64,
    /// [`GraphCustomOption::FINALIZE_CONFIG`]
    pub finalize: FinalizeConfig,
    /// [`GraphCustomOption::PARALLEL_GRAPH_EXECUTION_CONFIG`]
    pub parallel: ParallelGraphExecutionConfig,
    /// [`GraphCustomOption::HMX_BOUNDING`]
    pub hmx_bounding: HmxBoundingInfo,
    /// All bytes, to leave none uninitialised.
    pub raw: [u64; 6],
}

/// `QnnHtpGraph_CustomConfig_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GraphCustomConfig {
    /// Which member of `value` counts. The library logs an unknown one and goes on.
    pub option: GraphCustomOption,
    /// The value.
    pub value: GraphCustomValue,
}

impl GraphCustomConfig {
    const fn zeroed(option: GraphCustomOption) -> Self {
        Self { option, value: GraphCustomValue { raw: [0; 6] } }
    }

    /// A switch.
    pub const fn flag(option: GraphCustomOption, on: bool) -> Self {
        let mut config = Self::zeroed(option);
        config.value.flag = on as u8;
        config
    }

    /// A number of 32 bits.
    pub const fn word(option: GraphCustomOption, word: u32) -> Self {
        let mut config = Self::zeroed(option);
        config.value.word = word;
        config
    }

    /// An optimization setting.
    pub const fn optimization(optimization_type: OptimizationType, value: f32) -> Self {
        let mut config = Self::zeroed(GraphCustomOption::OPTIMIZATION);
        config.value.optimization = OptimizationOption { optimization_type, value };
        config
    }

    /// Arithmetic of float graphs.
    pub const fn precision(precision: Precision) -> Self {
        let mut config = Self::zeroed(GraphCustomOption::PRECISION);
        config.value.precision = precision;
        config
    }

    /// Number of vector threads, 0 for the default.
    pub const fn num_hvx_threads(threads: u64) -> Self {
        let mut config = Self::zeroed(GraphCustomOption::NUM_HVX_THREADS);
        config.value.num_hvx_threads = threads;
        config
    }

    /// A setting by name. The name must outlive the call that is given the config.
    pub const fn finalize(key: *const c_char, value: Scalar) -> Self {
        let mut config = Self::zeroed(GraphCustomOption::FINALIZE_CONFIG);
        config.value.finalize = FinalizeConfig { key, value };
        config
    }

    /// The config as `graphCreate` takes it. The result points to `self`.
    pub fn as_graph_config(&mut self) -> crate::api::GraphConfig {
        crate::api::GraphConfig::custom((&raw mut *self).cast::<c_void>())
    }
}
