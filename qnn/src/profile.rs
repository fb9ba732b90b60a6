//! Where the time of an execution goes.

use std::ffi::CStr;
use std::ptr;

#[cfg(feature = "compose")]
use qnn_sys::api::{ProfileConfig, ProfileConfigOption, ProfileConfigValue};
use qnn_sys::api::{
    ProfileEventData, ProfileEventId, ProfileEventType, ProfileEventUnit, ProfileEventValue,
    ProfileExtendedEventData, ProfileExtendedEventDataV1, ProfileOpaqueObject,
};
use qnn_sys::htp;
use qnn_sys::types::{OpaqueObject, ProfileHandle};

use crate::gate::vendor;
use crate::{Backend, Result};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileLevel {
    /// Totals of the execution.
    Basic,
    /// Also every op; slower.
    Detailed,
}

/// What was measured during an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The measurements in the library's order.
    pub events: Vec<ProfileEvent>,
    /// Traces of a simulation: a short header of the library's, then JSON as Chrome's trace viewer reads it, with times in cycles.
    pub traces: Vec<Vec<u8>>,
}

/// Whether a compile also writes down how it simulates an execution, op by op.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    /// No trace.
    #[default]
    Off,
    /// A trace, for the SoCs of which the library has a simulation.
    On,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileEvent {
    /// The vendor's number of the kind of event.
    pub code: u32,
    /// What it is about: the op's name for an op, else the vendor's name of the kind of event.
    pub name: String,
    /// The value.
    pub value: u64,
    /// Its unit.
    pub unit: ProfileUnit,
    /// Parts of it: the ops of an execution.
    pub parts: Vec<ProfileEvent>,
}

/// Unit of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileUnit {
    /// Microseconds.
    Microseconds,
    /// Bytes.
    Bytes,
    /// Cycles of the NPU (of the development machine in the emulator).
    Cycles,
    /// A plain number.
    Count,
    /// Bytes that are no number: see [`Profile::traces`].
    Object,
    /// None that is known.
    Other,
}

/// A profile of the library, freed when dropped.
pub(crate) struct OwnedProfile {
    backend: Backend,
    handle: ProfileHandle,
}

impl OwnedProfile {
    #[expect(unsafe_code, reason = "calls the library")]
    pub(crate) fn new(backend: &Backend, level: ProfileLevel) -> Result<OwnedProfile> {
        let level = match level {
            ProfileLevel::Basic => qnn_sys::api::ProfileLevel::BASIC,
            ProfileLevel::Detailed => qnn_sys::api::ProfileLevel::DETAILED,
        };
        let mut handle: ProfileHandle = ptr::null_mut();
        // SAFETY: the backend is alive and the out-pointer valid.
        unsafe { vendor!(backend, Exclusive, profile_create(backend.handle(), level, &mut handle)) }?;
        Ok(OwnedProfile { backend: backend.clone(), handle })
    }

    pub(crate) fn handle(&self) -> ProfileHandle {
        self.handle
    }

    /// Asks for a trace, too.
    #[cfg(feature = "compose")]
    #[expect(unsafe_code, reason = "calls the library")]
    pub(crate) fn trace(&self) -> Result<()> {
        let config = ProfileConfig {
            option: ProfileConfigOption::ENABLE_OPTRACE,
            value: ProfileConfigValue { enable_optrace: 1 },
        };
        let mut list = [ptr::from_ref(&config), ptr::null()];
        // SAFETY: the profile is alive; the library copies the null-terminated list, which lives until the end of this function.
        unsafe { vendor!(&self.backend, Exclusive, profile_set_config(self.handle, list.as_mut_ptr())) }
    }

    /// Reads all events.
    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    pub(crate) fn read(&self) -> Result<Profile> {
        let mut ids: *const ProfileEventId = ptr::null();
        let mut count = 0;
        // SAFETY: the profile is alive, the out-pointers are valid.
        unsafe { vendor!(&self.backend, Shared, profile_get_events(self.handle, &mut ids, &mut count)) }?;
        // SAFETY: on success `count` ids that belong to the profile.
        let ids = unsafe { id_list(ids, count) };
        let mut profile = Profile::default();
        for id in ids {
            let event = self.event(id)?;
            if event.unit == ProfileUnit::Object {
                profile.traces.extend(self.object(id)?);
            }
            profile.events.push(event);
        }
        Ok(profile)
    }

    /// The bytes of an event that is an object; `None` where it has none.
    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    fn object(&self, id: ProfileEventId) -> Result<Option<Vec<u8>>> {
        let nothing = ProfileExtendedEventDataV1 {
            event_type: ProfileEventType(0),
            unit: ProfileEventUnit::NONE,
            value: ProfileEventValue {
                object: ProfileOpaqueObject {
                    object: OpaqueObject { data: ptr::null_mut(), len: 0 },
                    file_name: ptr::null(),
                },
            },
            timestamp: 0,
            identifier: ptr::null(),
        };
        let mut data = ProfileExtendedEventData { version: 1, v1: nothing };
        // SAFETY: the event belongs to the profile, which is alive; the out-pointer is valid.
        unsafe { vendor!(&self.backend, Shared, profile_get_extended_event_data(id, &mut data)) }?;
        if data.v1.unit != ProfileEventUnit::OBJECT {
            return Ok(None);
        }
        // SAFETY: the unit says which member counts.
        let object = unsafe { data.v1.value.object.object };
        if object.data.is_null() {
            return Ok(None);
        }
        // SAFETY: `len` bytes that belong to the profile.
        let bytes = unsafe { std::slice::from_raw_parts(object.data.cast::<u8>(), object.len as usize) };
        Ok(Some(bytes.to_vec()))
    }

    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    fn event(&self, id: ProfileEventId) -> Result<ProfileEvent> {
        let mut data = ProfileEventData {
            event_type: ProfileEventType(0),
            unit: ProfileEventUnit::NONE,
            value: 0,
            identifier: ptr::null(),
        };
        // SAFETY: the event belongs to the profile, which is alive; the out-pointer is valid.
        unsafe { vendor!(&self.backend, Shared, profile_get_event_data(id, &mut data)) }?;
        let mut ids: *const ProfileEventId = ptr::null();
        let mut count = 0;
        // SAFETY: as above.
        unsafe { vendor!(&self.backend, Shared, profile_get_sub_events(id, &mut ids, &mut count)) }?;
        // SAFETY: on success `count` ids that belong to the profile.
        let ids = unsafe { id_list(ids, count) };
        let identifier = match data.identifier.is_null() {
            true => None,
            // SAFETY: not null, so a C string that belongs to the profile.
            false => Some(unsafe { CStr::from_ptr(data.identifier) }.to_string_lossy().into_owned()),
        };
        let code = data.event_type.0;
        let kind = data.event_type.c_name().or(htp::ProfileEvent(code).c_name());
        let kind = kind.map_or_else(|| format!("event {code}"), |name| name.to_owned());
        Ok(ProfileEvent {
            code,
            name: identifier.filter(|name| !name.is_empty()).unwrap_or(kind),
            value: data.value,
            unit: match data.unit {
                ProfileEventUnit::MICROSEC => ProfileUnit::Microseconds,
                ProfileEventUnit::BYTES => ProfileUnit::Bytes,
                ProfileEventUnit::CYCLES => ProfileUnit::Cycles,
                ProfileEventUnit::COUNT => ProfileUnit::Count,
                ProfileEventUnit::OBJECT => ProfileUnit::Object,
                _ => ProfileUnit::Other,
            },
            parts: ids.into_iter().map(|id| self.event(id)).collect::<Result<_>>()?,
        })
    }
}

impl Drop for OwnedProfile {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the library logs it.
        // SAFETY: the handle is ours and alive, and the execution that used it is over.
        let _ = unsafe { vendor!(&self.backend, Exclusive, profile_free(self.handle)) };
    }
}

/// # Safety
/// `ids` is null or `count` ids.
#[expect(unsafe_code, reason = "reads a C array")]
unsafe fn id_list(ids: *const ProfileEventId, count: u32) -> Vec<ProfileEventId> {
    if ids.is_null() || count == 0 {
        return Vec::new();
    }
    // SAFETY: by this function's contract.
    unsafe { std::slice::from_raw_parts(ids, count as usize) }.to_vec()
}
