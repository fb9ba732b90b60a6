//! Clocks and power of the NPU.

use crate::interface::function_table;

c_enum! {
    /// `QnnHtpPerfInfrastructure_VoltageCorner_t`: operating points, slowest first.
    VoltageCorner, "DCVS_VOLTAGE_" {
        CORNER_DISABLE = 0x10,
        VCORNER_MIN_VOLTAGE_CORNER = 0x20,
        VCORNER_SVS2 = 0x30,
        VCORNER_SVS = 0x40,
        VCORNER_SVS_PLUS = 0x50,
        VCORNER_NOM = 0x60,
        VCORNER_NOM_PLUS = 0x70,
        VCORNER_TURBO = 0x80,
        VCORNER_TURBO_PLUS = 0x90,
        VCORNER_TURBO_L2 = 0x92,
        VCORNER_TURBO_L3 = 0x93,
        /// Since core 2.32 at the latest.
        VCORNER_TURBO_L4 = 0x94,
        /// Since core 2.32 at the latest.
        VCORNER_TURBO_L5 = 0x95,
        VCORNER_MAX_VOLTAGE_CORNER = 0xA0,
        VCORNER_UNKNOWN = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnHtpPerfInfrastructure_ExpVoltageCorner_t`: the finer operating points, slowest first. Which of them a device has
    /// depends on the device.
    ExpVoltageCorner, "DCVS_EXP_VCORNER_" {
        DISABLE = 0,
        MIN = 0x100,
        MIN_SVS = 0x130,
        LOW_SVS_D3 = 0x132,
        LOW_SVS_D2_1 = 0x133,
        LOW_SVS_D2 = 0x134,
        LOW_SVS_D1_1 = 0x136,
        LOW_SVS_D1 = 0x138,
        LOW_SVS_D0 = 0x13C,
        LOW_SVS = 0x140,
        LOW_SVS_P1 = 0x148,
        LOW_SVS_L0 = 0x14C,
        LOW_SVS_L1 = 0x150,
        LOW_SVS_L2 = 0x160,
        SVS = 0x180,
        SVS_L0 = 0x190,
        SVS_L1 = 0x1C0,
        SVS_L2 = 0x1E0,
        NOM = 0x200,
        NOM_L0 = 0x220,
        NOM_L1 = 0x240,
        NOM_L2 = 0x250,
        TUR = 0x280,
        TUR_L0 = 0x290,
        TUR_L1 = 0x2A0,
        TUR_L2 = 0x2B0,
        TUR_L3 = 0x2C0,
        TUR_L4 = 0x2C4,
        TUR_L5 = 0x2C8,
        SUPER_TURBO = 0x2D0,
        SUPER_TURBO_NO_CPR = 0x2E0,
        MAX = 0xFFFF,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnHtpPerfInfrastructure_PowerMode_t`: how clocks follow the load.
    PowerMode, "QNN_HTP_PERF_INFRASTRUCTURE_POWERMODE_" {
        ADJUST_UP_DOWN = 0x1,
        ADJUST_ONLY_UP = 0x2,
        POWER_SAVER_MODE = 0x4,
        POWER_SAVER_AGGRESSIVE_MODE = 0x8,
        PERFORMANCE_MODE = 0x10,
        DUTY_CYCLE_MODE = 0x20,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnHtpPerfInfrastructure_ClkPerfMode_t`.
    ClockPerfMode, "QNN_HTP_PERF_INFRASTRUCTURE_CLK_PERF_" {
        HIGH = 0,
        LOW = 1,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpPerfInfrastructure_DcvsV3_t`. The `set_…` fields are 1 when the fields after them count.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DcvsV3 {
    /// Id from `create_power_config_id`.
    pub context_id: u32,
    /// 1 when `dcvs_enable` counts.
    pub set_dcvs_enable: u32,
    /// 1 when clocks follow the load.
    pub dcvs_enable: u32,
    /// How they follow it.
    pub power_mode: PowerMode,
    /// 1 when `sleep_latency` counts.
    pub set_sleep_latency: u32,
    /// Time to wake up, microseconds.
    pub sleep_latency: u32,
    /// 1 when `sleep_disable` counts.
    pub set_sleep_disable: u32,
    /// 1 to never sleep.
    pub sleep_disable: u32,
    /// 1 when the bus corners count.
    pub set_bus_params: u32,
    /// Memory bus, lowest.
    pub bus_voltage_corner_min: VoltageCorner,
    /// Memory bus, wanted.
    pub bus_voltage_corner_target: VoltageCorner,
    /// Memory bus, highest.
    pub bus_voltage_corner_max: VoltageCorner,
    /// 1 when the core corners count.
    pub set_core_params: u32,
    /// Core, lowest.
    pub core_voltage_corner_min: VoltageCorner,
    /// Core, wanted.
    pub core_voltage_corner_target: VoltageCorner,
    /// Core, highest.
    pub core_voltage_corner_max: VoltageCorner,
}

/// `QnnHtpPerfInfrastructure_HmxV2_t`: the matrix unit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HmxV2 {
    /// 1 to follow the core.
    pub hmx_pick_default: u32,
    /// Lowest.
    pub hmx_voltage_corner_min: ExpVoltageCorner,
    /// Wanted.
    pub hmx_voltage_corner_target: ExpVoltageCorner,
    /// Highest.
    pub hmx_voltage_corner_max: ExpVoltageCorner,
    /// Which clock of a corner.
    pub hmx_perf_mode: ClockPerfMode,
}

/// `QnnHtpPerfInfrastructure_Ceng_t`: the compute engine. Since core 2.37 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ceng {
    /// Lowest.
    pub voltage_corner_min: VoltageCorner,
    /// Wanted.
    pub voltage_corner_target: VoltageCorner,
    /// Highest.
    pub voltage_corner_max: VoltageCorner,
    /// Which clock of a corner.
    pub perf_mode: ClockPerfMode,
}

/// `QnnHtpPerfInfrastructure_CengExp_t`: [`Ceng`] by finer operating points. Since core 2.37 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CengExp {
    /// Lowest.
    pub voltage_corner_min: ExpVoltageCorner,
    /// Wanted.
    pub voltage_corner_target: ExpVoltageCorner,
    /// Highest.
    pub voltage_corner_max: ExpVoltageCorner,
    /// Which clock of a corner.
    pub perf_mode: ClockPerfMode,
}

/// `QnnHtpPerfInfrastructure_DcvsV3Exp_t`: [`DcvsV3`] by finer operating points, with clocks that always follow the load. Since
/// core 2.37 at the latest; a device without them answers 13004, and the caller falls back to [`DcvsV3`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DcvsV3Exp {
    /// Id from `create_power_config_id`.
    pub context_id: u32,
    /// How clocks follow the load.
    pub power_mode: PowerMode,
    /// 1 when `sleep_latency` counts.
    pub set_sleep_latency: u32,
    /// Time to wake up, microseconds.
    pub sleep_latency: u32,
    /// 1 when `sleep_disable` counts.
    pub set_sleep_disable: u32,
    /// 1 to never sleep.
    pub sleep_disable: u32,
    /// 1 when the bus corners count.
    pub set_bus_params: u32,
    /// Memory bus, lowest.
    pub bus_voltage_corner_min: ExpVoltageCorner,
    /// Memory bus, wanted.
    pub bus_voltage_corner_target: ExpVoltageCorner,
    /// Memory bus, highest.
    pub bus_voltage_corner_max: ExpVoltageCorner,
    /// 1 when the core corners count.
    pub set_core_params: u32,
    /// Core, lowest.
    pub core_voltage_corner_min: ExpVoltageCorner,
    /// Core, wanted.
    pub core_voltage_corner_target: ExpVoltageCorner,
    /// Core, highest.
    pub core_voltage_corner_max: ExpVoltageCorner,
    /// Which clock of a core corner.
    pub core_perf_mode: ClockPerfMode,
    /// Which clock of a bus corner.
    pub bus_perf_mode: ClockPerfMode,
}

c_enum! {
    /// `QnnHtpPerfInfrastructure_PowerConfigOption_t`: which member of [`PowerConfigValue`] counts.
    PowerConfigOption, "QNN_HTP_PERF_INFRASTRUCTURE_POWER_CONFIGOPTION_" {
        DCVS_V3 = 1,
        RPC_CONTROL_LATENCY = 2,
        RPC_POLLING_TIME = 3,
        HMX_TIMEOUT_INTERVAL_US = 4,
        HMX_V2 = 5,
        ADAPTIVE_POLLING_TIME = 6,
        /// Since core 2.32 at the latest.
        DDR_PERF_MODE = 7,
        /// Since core 2.37 at the latest.
        CENG = 8,
        /// Since core 2.37 at the latest.
        DCVS_V3_EXP = 9,
        /// Since core 2.37 at the latest.
        CENG_EXP = 10,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// The value of a [`PowerConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union PowerConfigValue {
    /// [`PowerConfigOption::DCVS_V3`]
    pub dcvs_v3: DcvsV3,
    /// [`PowerConfigOption::HMX_V2`]
    pub hmx_v2: HmxV2,
    /// [`PowerConfigOption::CENG`]
    pub ceng: Ceng,
    /// [`PowerConfigOption::DCVS_V3_EXP`]
    pub dcvs_v3_exp: DcvsV3Exp,
    /// [`PowerConfigOption::CENG_EXP`]
    pub ceng_exp: CengExp,
    /// [`PowerConfigOption::RPC_CONTROL_LATENCY`], [`PowerConfigOption::RPC_POLLING_TIME`] (at most 9999),
    /// [`PowerConfigOption::ADAPTIVE_POLLING_TIME`] and [`PowerConfigOption::HMX_TIMEOUT_INTERVAL_US`], all microseconds;
    /// [`PowerConfigOption::DDR_PERF_MODE`].
    pub word: u32,
    /// All bytes, to leave none uninitialised.
    pub raw: [u32; 16],
}

/// `QnnHtpPerfInfrastructure_PowerConfig_t`. `set_power_config` takes a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PowerConfig {
    /// Which member of `value` counts.
    pub option: PowerConfigOption,
    /// The value.
    pub value: PowerConfigValue,
}

impl PowerConfig {
    /// Clocks.
    pub const fn dcvs_v3(config: DcvsV3) -> Self {
        Self { option: PowerConfigOption::DCVS_V3, value: PowerConfigValue { dcvs_v3: config } }
    }

    /// An option that is one number.
    pub const fn word(option: PowerConfigOption, word: u32) -> Self {
        let mut value = PowerConfigValue { raw: [0; 16] };
        value.word = word;
        Self { option, value }
    }

    /// The matrix unit.
    pub const fn hmx_v2(config: HmxV2) -> Self {
        let mut value = PowerConfigValue { raw: [0; 16] };
        value.hmx_v2 = config;
        Self { option: PowerConfigOption::HMX_V2, value }
    }
}

/// `QnnHtpPerfInfrastructure_MemoryConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemoryConfig {
    /// 1: grow size, the only option there is.
    pub option: u32,
    /// Bytes by which the NPU's heap grows.
    pub grow_size: u32,
}

function_table! {
    /// `QnnHtpDevice_PerfInfrastructure_t`: votes on clocks, and the heap of the NPU.
    PerfInfrastructure, PerfFunctionNames {
        /// Begins a vote on clocks.
        create_power_config_id = "createPowerConfigId"(device_id: u32, core_id: u32, power_config_id: *mut u32);
        /// Ends it.
        destroy_power_config_id = "destroyPowerConfigId"(power_config_id: u32);
        /// Changes it.
        set_power_config = "setPowerConfig"(power_config_id: u32, config: *mut *const PowerConfig);
        /// Sets the heap of the NPU.
        set_memory_config = "setMemoryConfig"(
            device_id: u32, core_id: u32, config: *mut *const MemoryConfig);
    }
}
