//! Op packages: kernels of an app's own beside the vendor's ops.

use std::ffi::{CString, c_char};
use std::path::Path;
use std::ptr;

use crate::error::texts;
use crate::gate::vendor;
use crate::{Backend, Error, Result};

impl Backend {
    /// Makes the ops of a package known, before the first graph that uses one is compiled or loaded.
    ///
    /// `path` is the package's library, built for what executes: for x86-64 in the emulator, for the Hexagon architecture on a
    /// device. `provider` is the exported function that hands out its interface. `target` says what a device's library is for, `HTP` for
    /// the Hexagon build and `CPU` for the build of the processor that compiles; the emulator takes `None`.
    ///
    /// A package that is linked against nothing finds the functions it calls (`qhpi_*`) in the loaded backend: from the first
    /// call on its symbols are global in the process.
    ///
    /// Contexts, devices and the backend must be dropped before the process ends; where one is kept in a static, the
    /// package's unloading aborts the process.
    ///
    /// # Errors
    /// [`File`](crate::ErrorKind::File) when the library cannot be read, [`Invalid`](crate::ErrorKind::Invalid) for names with a zero byte, [`Vendor`](crate::ErrorKind::Vendor) when the
    /// backend does not take the package: codes 4006 (no such provider), 4007, 4008 (another interface version), 4009 (registered
    /// before).
    ///
    /// A library with undefined symbols that neither the process nor its dependencies have ends the process when it is loaded.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn register_op_package(
        &self,
        path: impl AsRef<Path>,
        provider: &str,
        target: Option<&str>,
    ) -> Result<()> {
        let path = path.as_ref();
        let subject = || format!("op package `{}`", path.display());
        // The vendor's message for a missing file is a bare code. On Android a name alone is looked up by the loader.
        let by_name = cfg!(target_os = "android") && path.components().count() == 1;
        if !by_name {
            std::fs::File::open(path).map_err(texts::file(path))?;
        }
        let text = |what: &str, text: &str| {
            CString::new(text).map_err(|_| Error::invalid(subject(), format!("its {what} has a zero byte")))
        };
        let file = path.to_str().ok_or_else(|| Error::invalid(subject(), "its path is not UTF-8"))?;
        let file = text("path", file)?;
        let provider = text("interface provider's name", provider)?;
        let target = target.map(|target| text("target", target)).transpose()?;

        self.core().make_global()?;
        let target: *const c_char = target.as_ref().map_or(ptr::null(), |target| target.as_ptr());
        // SAFETY: the backend is alive; the strings are terminated and outlive the call; the caller names the package.
        unsafe {
            let (file, provider) = (file.as_ptr(), provider.as_ptr());
            vendor!(
                self,
                Exclusive,
                backend_register_op_package(self.handle(), file, provider, target),
                "op package `{}`",
                path.display()
            )
        }
    }
}
