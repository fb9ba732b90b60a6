//! Clocks and power of the NPU.

use std::fmt;
use std::ptr;

use qnn_sys::htp::{
    DcvsV3, DeviceInfrastructure, InfrastructureType, PerfInfrastructure, PowerConfig, PowerConfigOption,
    PowerMode, VoltageCorner,
};

use crate::gate::{Vendor, vendor};
use crate::{Device, Error, Result};

/// How fast the NPU runs, and what that costs.
///
/// The operating points are those that ONNX Runtime's QNN execution provider uses for the modes of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PerformanceMode {
    /// Highest clocks and quickest wake-up: lowest latency, for short bursts.
    Burst,
    /// High clocks.
    HighPerformance,
    /// Between speed and power.
    Balanced,
    /// Low clocks.
    PowerSaver,
    /// Lowest clocks that still run.
    LowPowerSaver,
}

/// One mode: whether clocks follow the load, the time to wake up (microseconds), corner of bus and core, and the polling time
/// of calls to the NPU (microseconds, 0 for none).
struct Setting {
    mode: PerformanceMode,
    follow_load: bool,
    sleep_latency: u32,
    corner: VoltageCorner,
    polling: u32,
}

const SETTINGS: &[Setting] = &[
    setting(PerformanceMode::Burst, false, 40, VoltageCorner::VCORNER_MAX_VOLTAGE_CORNER, 9999),
    setting(PerformanceMode::HighPerformance, false, 100, VoltageCorner::VCORNER_TURBO, 9999),
    setting(PerformanceMode::Balanced, true, 1000, VoltageCorner::VCORNER_NOM_PLUS, 0),
    setting(PerformanceMode::PowerSaver, true, 1000, VoltageCorner::VCORNER_SVS, 0),
    setting(PerformanceMode::LowPowerSaver, true, 1000, VoltageCorner::VCORNER_SVS2, 0),
];

const fn setting(
    mode: PerformanceMode,
    follow_load: bool,
    sleep_latency: u32,
    corner: VoltageCorner,
    polling: u32,
) -> Setting {
    Setting { mode, follow_load, sleep_latency, corner, polling }
}

/// A performance mode in force; it ends when this is dropped.
#[must_use = "the performance mode ends when this is dropped"]
pub struct Performance {
    device: Device,
    mode: PerformanceMode,
    /// The vote on the NPU; none in the emulator.
    vote: Option<(PerfInfrastructure, u32)>,
}

impl Device {
    /// Puts a performance mode in force until the result is dropped. Several may be in force; the NPU follows the most
    /// demanding.
    ///
    /// The emulator has no clocks: there the call succeeds, changes nothing, and [`Performance::is_applied`] says so.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the NPU refuses the mode.
    pub fn performance(&self, mode: PerformanceMode) -> Result<Performance> {
        let mut performance = Performance { device: self.clone(), mode, vote: None };
        if !self.backend().is_emulator() {
            let infrastructure = self.infrastructure()?;
            let id = begin(&infrastructure, mode)?;
            performance.vote = Some((infrastructure, id));
            apply(&infrastructure, id, mode, self.info().arch)?;
        }
        Ok(performance)
    }

    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    fn infrastructure(&self) -> Result<PerfInfrastructure> {
        let mut infrastructure = ptr::null_mut();
        // SAFETY: the out-pointer is valid.
        unsafe { vendor!(self.backend(), Exclusive, device_get_infrastructure(&mut infrastructure)) }?;
        // SAFETY: of the HTP backend null or this struct, a constant of the library.
        let found = unsafe { infrastructure.cast::<DeviceInfrastructure>().as_ref() };
        found
            .filter(|found| found.infrastructure_type == InfrastructureType::PERF)
            .map(|found| found.perf)
            .ok_or_else(|| {
                Error::invalid("performance mode", "the library has no performance control for this device")
            })
    }
}

impl Vendor for PerfInfrastructure {
    type Functions = PerfInfrastructure;

    fn functions(&self) -> &PerfInfrastructure {
        self
    }
}

#[expect(unsafe_code, reason = "calls the library")]
fn begin(infrastructure: &PerfInfrastructure, mode: PerformanceMode) -> Result<u32> {
    let mut id = 0;
    // SAFETY: device 0, core 0 is the HTP; the out-pointer is valid.
    unsafe {
        vendor!(infrastructure, Exclusive, create_power_config_id(0, 0, &mut id), "performance mode {mode:?}")
    }?;
    Ok(id)
}

#[expect(unsafe_code, reason = "calls the library")]
fn apply(infrastructure: &PerfInfrastructure, id: u32, mode: PerformanceMode, arch: u32) -> Result<()> {
    let configs = power_configs(id, mode, arch);
    let mut list: Vec<*const PowerConfig> = configs.iter().map(ptr::from_ref).collect();
    list.push(ptr::null());
    // SAFETY: the id is alive; the list is null-terminated, and it and its elements live until the call returns.
    unsafe {
        let list = list.as_mut_ptr();
        vendor!(infrastructure, Exclusive, set_power_config(id, list), "performance mode {mode:?}")
    }
}

fn power_configs(id: u32, mode: PerformanceMode, arch: u32) -> Vec<PowerConfig> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.mode == mode) else { return Vec::new() };
    let mut configs = vec![PowerConfig::dcvs_v3(DcvsV3 {
        context_id: id,
        set_dcvs_enable: 1,
        dcvs_enable: setting.follow_load.into(),
        power_mode: PowerMode::PERFORMANCE_MODE,
        set_sleep_latency: 1,
        sleep_latency: setting.sleep_latency,
        set_sleep_disable: 0,
        sleep_disable: 0,
        set_bus_params: 1,
        bus_voltage_corner_min: setting.corner,
        bus_voltage_corner_target: setting.corner,
        bus_voltage_corner_max: setting.corner,
        set_core_params: 1,
        core_voltage_corner_min: setting.corner,
        core_voltage_corner_target: setting.corner,
        core_voltage_corner_max: setting.corner,
    })];
    // Older architectures refuse polling.
    if setting.polling > 0 && arch >= 69 {
        configs.push(PowerConfig::word(PowerConfigOption::RPC_CONTROL_LATENCY, 100));
        configs.push(PowerConfig::word(PowerConfigOption::RPC_POLLING_TIME, setting.polling));
    }
    configs
}

impl Performance {
    /// The mode.
    pub fn mode(&self) -> PerformanceMode {
        self.mode
    }

    /// Whether the NPU's clocks were set. `false` in the emulator, which has none.
    pub fn is_applied(&self) -> bool {
        self.vote.is_some()
    }
}

impl Drop for Performance {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        if let Some((infrastructure, id)) = &self.vote {
            // SAFETY: the id is ours and alive. Nothing can be done about a failure here, and the library logs it.
            let _ = unsafe { vendor!(infrastructure, Exclusive, destroy_power_config_id(*id)) };
        }
    }
}

impl fmt::Debug for Performance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Performance({:?} on {:?}, applied: {})", self.mode, self.device, self.is_applied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_setting_and_faster_modes_have_higher_corners() {
        assert!(SETTINGS.is_sorted_by(|faster, slower| faster.corner >= slower.corner));
        for setting in SETTINGS {
            let configs = power_configs(7, setting.mode, 75);
            assert_eq!(configs[0].option, PowerConfigOption::DCVS_V3);
            assert_eq!(configs.len() == 3, setting.polling > 0, "{:?}", setting.mode);
            assert_eq!(power_configs(7, setting.mode, 68).len(), 1, "no polling on v68");
        }
    }
}
