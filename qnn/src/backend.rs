//! The loaded HTP backend.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use qnn_platform::libs::{self, QnnLibs};
use qnn_sys::interface::Functions;
use qnn_sys::types::{BackendHandle, LogHandle, Version};

use crate::gate::{Vendor, vendor};
use crate::library::{Core, System};
use crate::{Error, Result, log};

/// The vendor's HTP backend, loaded and initialized. Cheap to clone; the last clone shuts it down.
///
/// It is the NPU of the device on Snapdragon, and the HTP emulator on an x86-64 machine ([`Backend::is_emulator`]).
///
/// # Threads
/// `Send` and `Sync`. Calls that create, change or free the library's objects have the process's libraries to themselves: their state is
/// the process's, and the vendor promises thread safety for single functions only. On an NPU executions of different contexts
/// run side by side (see [`crate::Graph`]); in the emulator they take turns, because it crashes when a graph is compiled while
/// another one executes.
#[derive(Clone)]
pub struct Backend {
    shared: Arc<Shared>,
}

/// VTCM that the emulator is set up for, bytes; 0 before the first graph. See [`Backend::plan_vtcm`].
static EMULATED_VTCM: AtomicU64 = AtomicU64::new(0);

struct Shared {
    core: Core,
    libs: QnnLibs,
    /// Opened when the first binary is read.
    system: OnceLock<System>,
    logger: LogHandle,
    handle: BackendHandle,
    build_id: String,
    vendor_nanos: AtomicU64,
}

// SAFETY: the handles are opaque addresses that only the library dereferences. It ties them to no thread (contexts were created,
// executed and freed from different threads in the tests), and the gate keeps calls that change its state from overlapping.
#[expect(unsafe_code, reason = "raw handles")]
unsafe impl Send for Shared {}
// SAFETY: as above; all fields are either immutable after `open` or synchronized.
#[expect(unsafe_code, reason = "raw handles")]
unsafe impl Sync for Shared {}

impl Vendor for Shared {
    type Functions = Functions;

    fn functions(&self) -> &Functions {
        self.core.interface.functions()
    }

    fn executes_alone(&self) -> bool {
        self.core.emulator
    }

    fn spent(&self, time: Duration) {
        self.vendor_nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }
}

impl Vendor for Backend {
    type Functions = Functions;

    fn functions(&self) -> &Functions {
        self.shared.functions()
    }

    fn executes_alone(&self) -> bool {
        self.shared.executes_alone()
    }

    fn spent(&self, time: Duration) {
        self.shared.spent(time);
    }
}

impl Backend {
    /// Loads the HTP backend from the libraries that the resolution order finds: `QNN_SDK_ROOT`, `QNN_LIB_DIR`, the installed
    /// toolchain, the folder of the executable, on Android the app's native libraries.
    ///
    /// # Errors
    /// [`LibrariesNotFound`](crate::ErrorKind::LibrariesNotFound) with every place that was looked at; else as [`Backend::open`].
    pub fn htp() -> Result<Backend> {
        Backend::open(&libs::resolve(None)?)
    }

    /// Loads the HTP backend of a folder.
    ///
    /// Loading takes some 50 ms and, on x86-64, writes a line to standard output.
    ///
    /// # Errors
    /// [`Load`](crate::ErrorKind::Load) when the library cannot be loaded or has an unsupported version, [`Vendor`](crate::ErrorKind::Vendor) when it does not start.
    pub fn open(libs: &QnnLibs) -> Result<Backend> {
        Backend::open_library(libs, &libs.htp())
    }

    /// Loads any backend library: the DLC writer is one, too.
    pub(crate) fn open_library(libs: &QnnLibs, path: &Path) -> Result<Backend> {
        let started = Instant::now();
        let core = Core::open(path)?;
        Backend::start(core, libs.clone(), OnceLock::new(), started.elapsed())
    }

    /// Starts a loaded library.
    #[expect(unsafe_code, reason = "calls the library")]
    pub(crate) fn start(
        core: Core,
        libs: QnnLibs,
        system: OnceLock<System>,
        loading: Duration,
    ) -> Result<Backend> {
        let mut shared = Shared {
            core,
            libs,
            system,
            logger: ptr::null_mut(),
            handle: ptr::null_mut(),
            build_id: String::new(),
            vendor_nanos: AtomicU64::new(nanos(loading)),
        };
        let (mut logger, mut handle) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the callback is a function of this crate that lives forever and may be called from any thread.
        unsafe { vendor!(&shared, Exclusive, log_create(Some(log::callback), log::level(), &mut logger)) }?;
        shared.logger = logger;
        // SAFETY: the logger was just created; no configuration; the out-pointer is valid.
        unsafe { vendor!(&shared, Exclusive, backend_create(logger, ptr::null_mut(), &mut handle)) }?;
        shared.handle = handle;
        let mut build_id: *const c_char = ptr::null();
        // SAFETY: the out-pointer is valid; the string is a constant of the library.
        unsafe { vendor!(&shared, Shared, backend_get_build_id(&mut build_id)) }?;
        if !build_id.is_null() {
            // SAFETY: on success a C string that lives as long as the library, which is never unloaded.
            shared.build_id = unsafe { CStr::from_ptr(build_id) }.to_string_lossy().into_owned();
        }
        Ok(Backend { shared: Arc::new(shared) })
    }

    /// Whether this is the emulator of a development machine and not an NPU. Asked of the library when it is opened: the emulator's has
    /// the NPU's kernels in it.
    pub fn is_emulator(&self) -> bool {
        self.shared.core.emulator
    }

    /// Build id of the loaded library, for example `v2.51.0.260929181845`.
    pub fn build_id(&self) -> &str {
        &self.shared.build_id
    }

    /// Core API version of the loaded library, for example 2.40.0.
    pub fn core_api_version(&self) -> Version {
        self.shared.core.interface.header().api_version.core
    }

    /// Version of the HTP part of the API, for example 5.51.0.
    pub fn backend_api_version(&self) -> Version {
        self.shared.core.interface.header().api_version.backend
    }

    /// Where the library was loaded from, and by which rule.
    pub fn libs(&self) -> &QnnLibs {
        &self.shared.libs
    }

    /// Time spent so far inside the vendor's library, its loading included, all threads together.
    pub fn vendor_time(&self) -> Duration {
        Duration::from_nanos(self.shared.vendor_nanos.load(Ordering::Relaxed))
    }

    #[cfg(feature = "compose")]
    pub(crate) fn interface(&self) -> &qnn_sys::interface::Interface {
        &self.shared.core.interface
    }

    pub(crate) fn core(&self) -> &Core {
        &self.shared.core
    }

    /// The System library beside the backend's.
    pub(crate) fn system(&self) -> Result<&System> {
        match self.shared.system.get() {
            Some(system) => Ok(system),
            None => {
                let system = System::open(&self.shared.libs)?;
                Ok(self.shared.system.get_or_init(|| system))
            }
        }
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
    /// [`EmulatedVtcm`](crate::ErrorKind::EmulatedVtcm) when it was set up for another amount since.
    pub(crate) fn check_vtcm(&self, graph: &str, bytes: u64) -> Result<()> {
        let now = EMULATED_VTCM.load(Ordering::Relaxed);
        if !self.is_emulator() || bytes == 0 || bytes == now {
            return Ok(());
        }
        Err(Error::emulated_vtcm(graph, bytes >> 20, now >> 20))
    }

    pub(crate) fn logger(&self) -> LogHandle {
        self.shared.logger
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Drop for Shared {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the library logs it.
        if !self.handle.is_null() {
            // SAFETY: the handle is ours and alive; devices and contexts hold clones of the backend, so none is left.
            let _ = unsafe { vendor!(self, Exclusive, backend_free(self.handle)) };
        }
        if !self.logger.is_null() {
            // SAFETY: the logger is ours and alive, and the backend that used it is gone.
            let _ = unsafe { vendor!(self, Exclusive, log_free(self.logger)) };
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Backend");
        debug.field("library", &self.shared.core.path).field("build_id", &self.shared.build_id);
        debug.finish_non_exhaustive()
    }
}
