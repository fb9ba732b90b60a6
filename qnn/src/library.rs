//! The vendor's libraries as this crate holds them: tables of functions, and what was asked when they were opened.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use qnn_platform::libs::QnnLibs;
use qnn_sys::interface::{Functions, Interface};
use qnn_sys::rpcmem::Rpcmem;
use qnn_sys::system::{SystemFunctions, SystemInterface};
use qnn_sys::{BackendLibrary, SymbolScope, SystemLibrary};

use crate::Result;
use crate::gate::Vendor;

/// What a backend library that computes on this machine exports, and one that drives an NPU does not: the interface by which op packages
/// give it kernels. (Looked up in 2.51: the x86-64 library has it; of the AArch64 one only the compiler, a file of its own.)
const KERNELS: &str = "qhpi_register_ops_v1";

/// A backend library. It is never unloaded.
pub(crate) struct Core {
    pub(crate) interface: Interface,
    pub(crate) path: PathBuf,
    /// Whether it computes on this machine, instead of an NPU.
    pub(crate) emulator: bool,
    /// What allocates memory that the NPU shares, once it was asked for.
    pub(crate) rpcmem: OnceLock<Option<Rpcmem>>,
}

impl Core {
    /// Loads a backend library.
    #[expect(unsafe_code, reason = "loads a library")]
    pub(crate) fn open(path: &Path) -> Result<Core> {
        // SAFETY: the resolution order, or the caller, names the vendor's library.
        let library = unsafe { BackendLibrary::open(path, SymbolScope::Local) }?;
        // SAFETY: any exported function is a function pointer, and this one is not called.
        let kernels = unsafe { library.symbol::<unsafe extern "C" fn()>(KERNELS) };
        Ok(Core {
            interface: *library.interface(),
            path: path.to_owned(),
            emulator: kernels.is_ok(),
            rpcmem: OnceLock::new(),
        })
    }

    /// What allocates memory that the NPU shares; `None` where there is no NPU or no such allocator.
    pub(crate) fn rpcmem(&self) -> Option<Rpcmem> {
        if self.emulator {
            return None;
        }
        *self.rpcmem.get_or_init(Rpcmem::open)
    }

    /// Lets every library that is loaded later find this one's symbols.
    #[expect(unsafe_code, reason = "loads a library")]
    pub(crate) fn make_global(&self) -> Result<()> {
        // SAFETY: the library is loaded: opening it once more only widens who sees its symbols.
        unsafe { BackendLibrary::open(&self.path, SymbolScope::Global) }?;
        Ok(())
    }
}

impl Vendor for Core {
    type Functions = Functions;

    fn functions(&self) -> &Functions {
        self.interface.functions()
    }
}

/// The System library: metadata of context binaries, and DLC files. It is never unloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System {
    pub(crate) interface: SystemInterface,
}

impl System {
    /// Loads the System library of a folder.
    #[expect(unsafe_code, reason = "loads a library")]
    pub(crate) fn open(libs: &QnnLibs) -> Result<System> {
        // SAFETY: the resolution order, or the caller, names the vendor's library.
        let library = unsafe { SystemLibrary::open(&libs.system()) }?;
        Ok(System { interface: *library.interface() })
    }
}

impl Vendor for System {
    type Functions = SystemFunctions;

    fn functions(&self) -> &SystemFunctions {
        self.interface.functions()
    }
}
