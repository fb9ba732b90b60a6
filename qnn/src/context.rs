//! Contexts: what a context binary becomes when it is loaded.

use qnn_sys::types::ContextHandle;

use crate::Device;

/// A context of the library, freed with the last reference to it.
pub(crate) struct OwnedContext {
    pub(crate) device: Device,
    pub(crate) handle: ContextHandle,
}

// SAFETY: the handle is an opaque address that only the library dereferences, in calls that the backend keeps from overlapping, and
// executions in calls that the context's own mutex keeps apart; see `Backend` and `Graph`.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Send for OwnedContext {}
// SAFETY: as above; all fields are immutable.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Sync for OwnedContext {}

impl Drop for OwnedContext {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the library logs it.
        let _ = self.device.backend().call("contextFree", String::new, |api| {
            let free = api.context_free()?;
            // SAFETY: the handle is ours and alive; graphs hold references to this struct, so none is used any more.
            Ok(unsafe { free(self.handle, std::ptr::null_mut()) })
        });
    }
}
