//! Context options.

use std::ffi::c_void;

use crate::types::ContextHandle;

c_enum! {
    /// `QnnHtpContext_ConfigOption_t`: which member of [`ContextCustomValue`] counts.
    ContextCustomOption, "QNN_HTP_CONTEXT_CONFIG_OPTION_" {
        WEIGHT_SHARING_ENABLED = 1,
        REGISTER_MULTI_CONTEXTS = 2,
        FILE_READ_MEMORY_BUDGET = 3,
        DSP_MEMORY_PROFILING_ENABLED = 4,
        SHARE_RESOURCES = 5,
        IO_MEM_ESTIMATION = 6,
        PREPARE_ONLY = 7,
        INIT_ACCELERATION = 8,
        SKIP_VALIDATION_ON_BINARY_SECTION = 9,
        SHARE_RESOURCES_OPTIMIZATION_TYPE = 10,
        /// For arch 81 and newer.
        USE_EXTENDED_UDMA = 11,
        REGISTER_CONCURRENT_RESOURCE_SHARING = 12,
        /// Since core 2.32 at the latest.
        LORA_WEIGHT_SHARING_ENABLED = 13,
        /// Since core 2.37 at the latest.
        LORA_WEIGHT_SHARING_RAM_PRELOAD_ENABLED = 16,
        /// Since core 2.37 at the latest.
        REUSED_IO_LIMIT = 17,
        /// Since core 2.37 at the latest. For contexts composed from a DLC file.
        REFERENCE_WEIGHT_SHARING_ENABLED = 18,
        /// Since core 2.37 at the latest.
        CONCURRENT_DESERIALIZATION_EXTRA_SIZE = 19,
        /// Since core 2.37 at the latest.
        GRAPH_SPLITTING_ENABLED = 20,
        /// Since core 2.37 at the latest.
        CONCURRENT_DESERIALIZATION_PATCH = 21,
        /// Since core 2.39 at the latest: a switch, for the older one of number 20.
        GRAPH_SPLITTING_CONFIGS = 22,
        /// Since core 2.39 at the latest.
        LORA_PRELOAD_BUFFER_GROUPS = 23,
        /// Since core 2.39 at the latest.
        PARALLEL_WEIGHT_LOADING = 25,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpContext_GroupRegistration_t`: contexts that share their spill-fill buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GroupRegistration {
    /// First context of the group, or null for the first itself.
    pub first_group_handle: ContextHandle,
    /// Largest spill-fill buffer of the group, bytes.
    pub max_spill_fill_buffer: u64,
}

/// `QnnHtpContext_ParallelWeightLoading_t`: whether weights are copied by a second thread. Since core 2.39 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ParallelWeightLoading {
    /// 0 by size, 1 always, 2 never.
    pub mode: u32,
    /// For mode 0: from how many MiB on; 0 is the library's own limit.
    pub threshold_mb: u64,
}

/// The value of a [`ContextCustomConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ContextCustomValue {
    /// A switch: 0 or 1, in one byte.
    pub flag: u8,
    /// [`ContextCustomOption::REGISTER_MULTI_CONTEXTS`] and
    /// [`ContextCustomOption::REGISTER_CONCURRENT_RESOURCE_SHARING`]
    pub group: GroupRegistration,
    /// A number of 64 bits: [`ContextCustomOption::FILE_READ_MEMORY_BUDGET`] and
    /// [`ContextCustomOption::REUSED_IO_LIMIT`], both MiB.
    pub number: u64,
    /// A number of 32 bits: [`ContextCustomOption::SHARE_RESOURCES_OPTIMIZATION_TYPE`] (0 sequential with virtual-address
    /// optimisation, 1 sequential without, 2 concurrent), [`ContextCustomOption::CONCURRENT_DESERIALIZATION_EXTRA_SIZE`] (KiB),
    /// [`ContextCustomOption::CONCURRENT_DESERIALIZATION_PATCH`] (file descriptor).
    pub word: u32,
    /// [`ContextCustomOption::PARALLEL_WEIGHT_LOADING`]
    pub parallel_weight_loading: ParallelWeightLoading,
    /// All bytes, to leave none uninitialised.
    pub raw: [u64; 2],
}

/// `QnnHtpContext_CustomConfig_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextCustomConfig {
    /// Which member of `value` counts.
    pub option: ContextCustomOption,
    /// The value.
    pub value: ContextCustomValue,
}

impl ContextCustomConfig {
    /// A switch.
    pub const fn flag(option: ContextCustomOption, on: bool) -> Self {
        let mut value = ContextCustomValue { raw: [0; 2] };
        value.flag = on as u8;
        Self { option, value }
    }

    /// A number of 64 bits.
    pub const fn number(option: ContextCustomOption, number: u64) -> Self {
        let mut value = ContextCustomValue { raw: [0; 2] };
        value.number = number;
        Self { option, value }
    }

    /// The config as `contextCreate` takes it. The result points to `self`.
    pub fn as_context_config(&mut self) -> crate::api::ContextConfig {
        crate::api::ContextConfig::custom((&raw mut *self).cast::<c_void>())
    }
}

c_enum! {
    /// `QnnHtpContext_GetPropertyOption_t`.
    ContextPropertyOption, "QNN_HTP_CONTEXT_GET_PROP_" {
        BUFFER_START_ALIGNMENT = 1,
        MAX_SPILLFILL_BUFFER_SIZE = 2,
        WEIGHTS_BUFFER_SIZE = 3,
        /// Since core 2.37 at the latest.
        MAX_VTCMBACKUP_BUFFER_SIZE = 6,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnHtpContext_CustomProperty_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ContextProperty {
    /// What is asked.
    pub option: ContextPropertyOption,
    /// The answer, bytes.
    pub value: u64,
}
