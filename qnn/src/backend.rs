//! The loaded HTP backend.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use qnn_platform::libs::{self, QnnLibs};
use qnn_sys::interface::{Functions, Interface};
use qnn_sys::types::{BackendHandle, ErrorHandle, LogHandle, SUCCESS, Version};
use qnn_sys::{BackendLibrary, SymbolScope};

use crate::{Error, Result, VendorError, codes, log};

/// The vendor's HTP backend, loaded and initialized. Cheap to clone; the last clone shuts it down.
///
/// It is the NPU of the device on Snapdragon, and the HTP emulator on an x86-64 machine ([`Backend::is_emulator`]).
///
/// # Threads
/// `Send` and `Sync`. Calls that create, change or free the library's objects take turns, by one mutex for the process: the
/// library's state is the process's, and the vendor promises thread safety for single functions only. On an NPU executions do
/// not take it, they take turns per context (see [`crate::Graph`]); in the emulator they do, because it crashes when a graph
/// is compiled while another one executes.
#[derive(Clone)]
pub struct Backend {
    shared: Arc<Shared>,
}

/// Held during every call but an execution on an NPU.
static TURN: Mutex<()> = Mutex::new(());

/// VTCM that the emulator is set up for, bytes; 0 before the first graph. See [`Backend::plan_vtcm`].
static EMULATED_VTCM: AtomicU64 = AtomicU64::new(0);

struct Shared {
    library: BackendLibrary,
    libs: QnnLibs,
    logger: LogHandle,
    handle: BackendHandle,
    build_id: String,
    vendor_nanos: AtomicU64,
}

// SAFETY: the handles are opaque addresses that only the library dereferences. It ties them to no thread (contexts were created,
// executed and freed from different threads in the tests), and `TURN` keeps calls that change its state from overlapping.
#[expect(unsafe_code, reason = "raw handles")]
unsafe impl Send for Shared {}
// SAFETY: as above; all fields are either immutable after `open` or synchronized.
#[expect(unsafe_code, reason = "raw handles")]
unsafe impl Sync for Shared {}

impl Backend {
    /// Loads the HTP backend from the libraries that the resolution order finds: `QNN_SDK_ROOT`, `QNN_LIB_DIR`, the installed
    /// toolchain, the folder of the executable, on Android the app's native libraries.
    ///
    /// # Errors
    /// [`Error::LibrariesNotFound`] with every place that was looked at; else as [`Backend::open`].
    pub fn htp() -> Result<Backend> {
        Backend::open(&libs::resolve(None)?)
    }

    /// Loads the HTP backend of a folder.
    ///
    /// Loading takes some 50 ms and, on x86-64, writes a line to standard output.
    ///
    /// # Errors
    /// [`Error::Load`] when the library cannot be loaded or has an unsupported version, [`Error::Vendor`] when it does not start.
    pub fn open(libs: &QnnLibs) -> Result<Backend> {
        Backend::open_library(libs, &libs.htp())
    }

    /// Loads any backend library: the DLC writer is one, too.
    #[expect(unsafe_code, reason = "calls the library")]
    pub(crate) fn open_library(libs: &QnnLibs, path: &std::path::Path) -> Result<Backend> {
        let started = Instant::now();
        // SAFETY: the resolution order, or the caller, names the vendor's library.
        let library = unsafe { BackendLibrary::open(path, SymbolScope::Local) }?;
        let mut shared = Shared {
            library,
            libs: libs.clone(),
            logger: ptr::null_mut(),
            handle: ptr::null_mut(),
            build_id: String::new(),
            vendor_nanos: AtomicU64::new(0),
        };
        shared.vendor_nanos.store(nanos(started.elapsed()), Ordering::Relaxed);

        let (mut logger, mut handle) = (ptr::null_mut(), ptr::null_mut());
        shared.call("logCreate", String::new, |api| {
            let create = api.log_create()?;
            // SAFETY: the callback is a function of this crate that lives forever and may be called from any thread.
            Ok(unsafe { create(Some(log::callback), log::level(), &mut logger) })
        })?;
        shared.logger = logger;
        shared.call("backendCreate", String::new, |api| {
            let create = api.backend_create()?;
            // SAFETY: the logger was just created; no configuration; the out-pointer is valid.
            Ok(unsafe { create(logger, ptr::null_mut(), &mut handle) })
        })?;
        shared.handle = handle;
        let mut build_id: *const c_char = ptr::null();
        shared.call("backendGetBuildId", String::new, |api| {
            let get = api.backend_get_build_id()?;
            // SAFETY: the out-pointer is valid; the string is a constant of the library.
            Ok(unsafe { get(&mut build_id) })
        })?;
        if !build_id.is_null() {
            // SAFETY: on success a C string that lives as long as the library, which is never unloaded.
            shared.build_id = unsafe { CStr::from_ptr(build_id) }.to_string_lossy().into_owned();
        }
        Ok(Backend { shared: Arc::new(shared) })
    }

    /// Whether this is the emulator of a development machine and not an NPU.
    pub fn is_emulator(&self) -> bool {
        // The vendor's x86-64 builds contain the emulator, its AArch64 builds drive the NPU.
        cfg!(not(target_arch = "aarch64"))
    }

    /// Build id of the loaded library, for example `v2.51.0.260929181845`.
    pub fn build_id(&self) -> &str {
        &self.shared.build_id
    }

    /// Core API version of the loaded library, for example 2.40.0.
    pub fn core_api_version(&self) -> Version {
        self.interface().header().api_version.core
    }

    /// Version of the HTP part of the API, for example 5.51.0.
    pub fn backend_api_version(&self) -> Version {
        self.interface().header().api_version.backend
    }

    /// Where the library was loaded from, and by which rule.
    pub fn libs(&self) -> &QnnLibs {
        &self.shared.libs
    }

    /// Time spent so far inside the vendor's library, its loading included, all threads together.
    pub fn vendor_time(&self) -> Duration {
        Duration::from_nanos(self.shared.vendor_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn interface(&self) -> &Interface {
        self.shared.library.interface()
    }

    pub(crate) fn library_path(&self) -> &std::path::Path {
        self.shared.library.path()
    }

    pub(crate) fn handle(&self) -> BackendHandle {
        self.shared.handle
    }

    /// Notes that the emulator now has this much VTCM. Called within the call that compiles or loads a graph.
    ///
    /// Compiling or loading a graph gives the emulator the amount of VTCM that the graph was planned for, for the whole process. A
    /// graph that was loaded before with another amount then fails with the bare code 1100. An NPU has no such limit.
    pub(crate) fn plan_vtcm(&self, bytes: u64) {
        if self.is_emulator() && bytes > 0 {
            EMULATED_VTCM.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether the emulator can execute a graph that was planned for this much VTCM. Called within the call that executes.
    ///
    /// # Errors
    /// [`Error::EmulatedVtcm`] when it was set up for another amount since.
    pub(crate) fn check_vtcm(&self, graph: &str, bytes: u64) -> Result<()> {
        let now = EMULATED_VTCM.load(Ordering::Relaxed);
        if !self.is_emulator() || bytes == 0 || bytes == now {
            return Ok(());
        }
        Err(Error::EmulatedVtcm { graph: graph.to_owned(), planned_mb: bytes >> 20, emulated_mb: now >> 20 })
    }

    pub(crate) fn logger(&self) -> LogHandle {
        self.shared.logger
    }

    /// Makes a call that creates, changes or frees something: waits for its turn, measures, decodes a failure.
    pub(crate) fn call(
        &self,
        name: &'static str,
        subject: impl FnOnce() -> String,
        call: impl FnOnce(&Functions) -> Result<ErrorHandle>,
    ) -> Result<()> {
        self.shared.call(name, subject, call)
    }

    /// Makes a call that executes a graph. The caller keeps executions of one context apart.
    pub(crate) fn call_execution(
        &self,
        name: &'static str,
        subject: impl FnOnce() -> String,
        call: impl FnOnce(&Functions) -> Result<ErrorHandle>,
    ) -> Result<()> {
        if self.is_emulator() {
            self.shared.call(name, subject, call)
        } else {
            self.shared.call_now(name, subject, call)
        }
    }
}

impl Shared {
    fn call(
        &self,
        name: &'static str,
        subject: impl FnOnce() -> String,
        call: impl FnOnce(&Functions) -> Result<ErrorHandle>,
    ) -> Result<()> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        self.call_now(name, subject, call)
    }

    fn call_now(
        &self,
        name: &'static str,
        subject: impl FnOnce() -> String,
        call: impl FnOnce(&Functions) -> Result<ErrorHandle>,
    ) -> Result<()> {
        let mark = log::mark();
        let started = Instant::now();
        let status = call(self.library.interface().functions());
        self.vendor_nanos.fetch_add(nanos(started.elapsed()), Ordering::Relaxed);
        check(name, subject, mark, status?)
    }
}

/// Turns a status of the library into a result; `mark` is the log's position before the call.
pub(crate) fn check(
    name: &'static str,
    subject: impl FnOnce() -> String,
    mark: u64,
    status: ErrorHandle,
) -> Result<()> {
    if status == SUCCESS {
        return Ok(());
    }
    let error =
        VendorError { call: name, subject: subject(), code: codes::decode(status), log: log::since(mark) };
    Err(Error::Vendor(Box::new(error)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Drop for Shared {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let api = self.library.interface().functions();
        // Nothing can be done about a failure here, and the library logs it.
        if let (false, Some(free)) = (self.handle.is_null(), api.backend_free) {
            // SAFETY: the handle is ours and alive; devices and contexts hold clones of the backend, so none is left.
            let _ = unsafe { free(self.handle) };
        }
        if let (false, Some(free)) = (self.logger.is_null(), api.log_free) {
            // SAFETY: the logger is ours and alive, and the backend that used it is gone.
            let _ = unsafe { free(self.logger) };
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Backend");
        debug.field("library", &self.shared.library.path()).field("build_id", &self.shared.build_id);
        debug.finish_non_exhaustive()
    }
}
