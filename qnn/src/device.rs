//! The NPU, or the SoC that is compiled for or emulated.

use std::fmt;
use std::ptr;
use std::sync::Arc;

use qnn_platform::env;
use qnn_platform::soc::{self, Soc, UnknownSoc};
use qnn_sys::api::{DeviceConfig, PlatformInfo};
use qnn_sys::htp::{DeviceCustomConfig, DeviceInfoExtension, DeviceType};
use qnn_sys::types::DeviceHandle;

use crate::gate::vendor;
use crate::{Backend, Error, Result};

/// A device of a backend: the NPU of the machine, or a SoC to compile for or to emulate. Cheap to clone.
///
/// `Send` and `Sync`, as [`Backend`] is.
#[derive(Clone)]
pub struct Device {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Backend,
    handle: DeviceHandle,
    info: DeviceInfo,
}

// SAFETY: the handle is an opaque address that only the library dereferences, in calls that the backend keeps from overlapping;
// see `Backend`.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Send for Shared {}
// SAFETY: as above; all fields are immutable.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Sync for Shared {}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The vendor's SoC id.
    pub soc_id: u32,
    /// Hexagon architecture, for example 75.
    pub arch: u32,
    /// VTCM, MiB.
    pub vtcm_mb: u32,
}

impl DeviceInfo {
    /// The row of the SoC table, where there is one.
    pub fn soc(&self) -> Option<&'static Soc> {
        soc::by_id(self.soc_id)
    }
}

impl fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.soc() {
            Some(soc) => write!(f, "{} (v{})", soc.name, self.arch),
            None => write!(f, "SoC {} (v{})", self.soc_id, self.arch),
        }
    }
}

impl Device {
    /// A device to compile for, or to emulate, a SoC of the table.
    ///
    /// # Errors
    /// [`UnknownSoc`](crate::ErrorKind::UnknownSoc) for an id without a row: the library accepts many ids that it cannot compile for.
    pub fn for_soc(backend: &Backend, soc_id: u32) -> Result<Device> {
        let unknown = || UnknownSoc { name: soc_id.to_string(), nearest: Vec::new() };
        let soc = soc::by_id(soc_id).ok_or_else(unknown)?;
        let info = DeviceInfo { soc_id, arch: soc.arch, vtcm_mb: soc.vtcm_mb };
        Device::create(backend, info, Some(DeviceCustomConfig::soc(soc_id)))
    }

    /// The NPU of this machine.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the machine has none that the library can reach; always in the emulator, which has no SoC of its
    /// own ([`Device::for_soc`] gives it one).
    pub fn native(backend: &Backend) -> Result<Device> {
        let info = machine(backend)?;
        Device::create(backend, info, None)
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn create(backend: &Backend, info: DeviceInfo, custom: Option<DeviceCustomConfig>) -> Result<Device> {
        let mut custom = custom;
        let config: Option<DeviceConfig> = custom.as_mut().map(DeviceCustomConfig::as_device_config);
        let mut configs: Vec<*const DeviceConfig> = config.iter().map(ptr::from_ref).collect();
        configs.push(ptr::null());
        let mut handle: DeviceHandle = ptr::null_mut();
        // SAFETY: the list is null-terminated, its elements and what they point to live until the end of this function, and the
        // library copies them.
        let created = unsafe {
            let configs = configs.as_mut_ptr();
            vendor!(backend, Exclusive, device_create(backend.logger(), configs, &mut handle), "{info}")
        };
        created.map_err(|error| with_library_path(backend, error))?;
        Ok(Device { shared: Arc::new(Shared { backend: backend.clone(), handle, info }) })
    }

    /// Id, architecture and VTCM.
    pub fn info(&self) -> DeviceInfo {
        self.shared.info
    }

    /// The backend.
    pub fn backend(&self) -> &Backend {
        &self.shared.backend
    }

    pub(crate) fn handle(&self) -> DeviceHandle {
        self.shared.handle
    }
}

impl Drop for Shared {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the library logs it.
        // SAFETY: the handle is ours and alive; contexts hold clones of the device, so none is left.
        let _ = unsafe { vendor!(&self.backend, Exclusive, device_free(self.handle)) };
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.shared.info)
    }
}

/// On a device, the usual reason is that the NPU-side library is not where the system looks for it.
fn with_library_path(backend: &Backend, error: Error) -> Error {
    if backend.is_emulator() {
        return error;
    }
    let path = env::string(&env::ADSP_LIBRARY_PATH).unwrap_or_else(|| "not set".to_owned());
    error.with_log_line(format!("ADSP_LIBRARY_PATH is {path}"))
}

/// What the library says about the NPU of this machine.
#[expect(unsafe_code, reason = "calls the library and reads what it returns")]
fn machine(backend: &Backend) -> Result<DeviceInfo> {
    if backend.is_emulator() {
        return Err(Error::invalid(
            "this machine",
            "it has no NPU; the emulator needs to be told which SoC to be",
        ));
    }
    let mut info: *const PlatformInfo = ptr::null();
    // SAFETY: the logger is alive and the out-pointer valid.
    unsafe { vendor!(backend, Exclusive, device_get_platform_info(backend.logger(), &mut info)) }?;
    // SAFETY: on success null or a description that stays valid until it is freed below.
    let found = unsafe { info.as_ref() }.and_then(|info| {
        if info.version != 1 || info.v1.devices.is_null() {
            return None;
        }
        // SAFETY: version 1 has `num_devices` devices at `devices`.
        let devices = unsafe { std::slice::from_raw_parts(info.v1.devices, info.v1.num_devices as usize) };
        devices.iter().filter(|device| device.version == 1).find_map(|device| {
            // SAFETY: of the HTP backend the extension is null or this struct.
            let extension = unsafe { device.v1.extension.cast::<DeviceInfoExtension>().as_ref() }?;
            let chip = extension.on_chip;
            (extension.device_type == DeviceType::ON_CHIP).then_some(DeviceInfo {
                soc_id: chip.soc_model,
                arch: chip.arch.0,
                vtcm_mb: chip.vtcm_size as u32,
            })
        })
    });
    if !info.is_null() {
        // SAFETY: the library gave it out above, and nothing refers to it any more.
        unsafe { vendor!(backend, Exclusive, device_free_platform_info(backend.logger(), info)) }?;
    }
    found.ok_or_else(|| Error::invalid("this machine", "the library reports no HTP device"))
}
