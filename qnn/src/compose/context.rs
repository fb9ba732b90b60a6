//! A context under construction, and its serialization.

use std::fmt;
use std::ptr;
use std::sync::Arc;

use qnn_sys::api::ContextConfig as RawConfig;
use qnn_sys::htp::{ContextCustomConfig, ContextCustomOption};
use qnn_sys::types::ContextHandle;

use super::{GraphBuilder, GraphConfig};
use crate::context::OwnedContext;
use crate::gate::vendor;
use crate::{Device, Error, Result};

/// Options of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextConfig {
    /// Store constants that several graphs of the context have in common once.
    pub weight_sharing: bool,
}

/// A context under construction: graphs are made in it, then it is serialized.
///
/// The first context of a process is compiled reproducibly, later ones are not: the library numbers things per process.
pub struct ContextBuilder {
    context: Arc<OwnedContext>,
    device: Device,
}

impl Device {
    /// Begins a context for this device.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the library refuses an option.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn new_context(&self, config: &ContextConfig) -> Result<ContextBuilder> {
        let mut sharing = ContextCustomConfig::flag(ContextCustomOption::WEIGHT_SHARING_ENABLED, true);
        let sharing: Option<RawConfig> = config.weight_sharing.then(|| sharing.as_context_config());
        let mut configs: Vec<*const RawConfig> = sharing.iter().map(ptr::from_ref).collect();
        configs.push(ptr::null());
        let mut handle: ContextHandle = ptr::null_mut();
        // SAFETY: backend and device are alive; the list is null-terminated, and it and what it points to live until the end of
        // this function; the library copies them.
        unsafe {
            let (backend, configs) = (self.backend(), configs.as_mut_ptr());
            vendor!(
                backend,
                Exclusive,
                context_create(backend.handle(), self.handle(), configs, &mut handle),
                "{}",
                self.info()
            )
        }?;
        let backend = self.backend().clone();
        let context = Arc::new(OwnedContext { backend, _device: Some(self.clone()), handle });
        Ok(ContextBuilder { context, device: self.clone() })
    }
}

impl ContextBuilder {
    /// Begins a graph; its name is unique in the context.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for options outside what the SoC has, [`Vendor`](crate::ErrorKind::Vendor) when the library refuses one.
    pub fn graph<'d>(&self, name: &str, config: &GraphConfig) -> Result<GraphBuilder<'d>> {
        GraphBuilder::create(self.context.clone(), &self.device, name, config)
    }

    /// The device that is compiled for.
    pub fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn context(&self) -> &Arc<OwnedContext> {
        &self.context
    }

    /// Size of the context binary, bytes. Every graph must be finalized.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor), code 5003 when a graph is not finalized.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn binary_size(&self) -> Result<u64> {
        let mut size = 0;
        let backend = self.device().backend();
        // SAFETY: the context is alive and the out-pointer valid.
        unsafe { vendor!(backend, Exclusive, context_get_binary_size(self.context.handle, &mut size)) }?;
        Ok(size)
    }

    /// Writes the context binary into `buffer`, which has at least [`ContextBuilder::binary_size`] bytes, and returns its
    /// length.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a short buffer, [`Vendor`](crate::ErrorKind::Vendor) when the library cannot write it.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn write_binary(&self, buffer: &mut [u8]) -> Result<usize> {
        let (size, room) = (self.binary_size()?, buffer.len() as u64);
        if room < size {
            return Err(Error::invalid(
                "buffer for the context binary",
                format!("it has {room} of {size} bytes"),
            ));
        }
        let mut written = 0;
        // SAFETY: the context is alive, the buffer has `room` writable bytes, the out-pointer is valid.
        unsafe {
            let (backend, context, data) =
                (self.device().backend(), self.context.handle, buffer.as_mut_ptr());
            vendor!(backend, Exclusive, context_get_binary(context, data.cast(), room, &mut written))
        }?;
        usize::try_from(written).ok().filter(|written| *written <= buffer.len()).ok_or_else(|| {
            Error::invalid("context binary", format!("the library wrote {written} of {room} bytes"))
        })
    }
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContextBuilder({:?})", self.device())
    }
}
