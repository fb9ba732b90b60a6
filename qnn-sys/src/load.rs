//! Loading the vendor's libraries.

use std::error::Error;
use std::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use crate::interface::Interface;
use crate::quiet;
use crate::system::SystemInterface;
use crate::types::{ErrorHandle, SUCCESS};
use crate::version::VersionError;

/// Why a library cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// Only absolute paths are loaded: a bare name would be searched in places that the caller does not control. On Android a bare
    /// name is good too; there it is found among the app's own native libraries.
    NotAbsolute {
        /// What was asked for.
        path: PathBuf,
    },
    /// The system's loader refused the file.
    Open {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        source: libloading::Error,
    },
    /// The file is a library, but not one of QNN.
    Symbol {
        /// The library.
        path: PathBuf,
        /// What it lacks.
        symbol: &'static str,
    },
    /// The library handed out no interface.
    Providers {
        /// The library.
        path: PathBuf,
        /// What was asked.
        symbol: &'static str,
        /// What it returned, 0 when the list was empty.
        code: ErrorHandle,
    },
    /// The library is too old or too new.
    Version {
        /// The library.
        path: PathBuf,
        /// Found and supported versions.
        source: VersionError,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute { path } => write!(
                f,
                "`{}` is not an absolute path; QNN libraries are loaded from absolute paths only",
                path.display()
            ),
            Self::Open { path, source } => {
                write!(f, "cannot load the QNN library `{}`: {}", path.display(), reason(source))
            }
            Self::Symbol { path, symbol } => {
                write!(f, "`{}` is not a QNN library: it has no function `{symbol}`", path.display())
            }
            Self::Providers { path, symbol, code } => {
                write!(f, "`{}` gave no interface: `{symbol}` returned {code}", path.display())
            }
            Self::Version { path, source } => write!(f, "`{}`: {source}", path.display()),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open { source, .. } => Some(source),
            Self::Version { source, .. } => Some(source),
            Self::NotAbsolute { .. } | Self::Symbol { .. } | Self::Providers { .. } => None,
        }
    }
}

/// What the system's loader said, which the error itself only has as its cause.
fn reason(error: &libloading::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match cause {
        Some(cause) if !cause.is_empty() => cause,
        _ => error.to_string(),
    }
}

/// Who sees the symbols of a loaded library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SymbolScope {
    /// Only this crate. What apps use.
    #[default]
    Local,
    /// Every library that is loaded later. Op packages that call into the backend library need it, unless they are linked
    /// against it.
    Global,
}

/// The file name of a library on the target, for example `libQnnHtp.so` for `QnnHtp`.
pub fn library_file_name(stem: &str) -> String {
    format!("{}{stem}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// A loaded library. It is never unloaded: the vendor's libraries keep threads and thread-local state, and stay mapped after
/// an unload anyway.
struct Loaded {
    library: ManuallyDrop<libloading::Library>,
    path: PathBuf,
}

impl Loaded {
    /// # Safety
    /// The file must be a library whose initialisers are safe to run.
    unsafe fn open(path: &Path, scope: SymbolScope) -> Result<Self, LoadError> {
        let by_name = cfg!(target_os = "android") && path.components().count() == 1;
        if !path.is_absolute() && !by_name {
            return Err(LoadError::NotAbsolute { path: path.to_owned() });
        }
        // SAFETY: the caller vouches for the library's initialisers.
        match quiet::off_stdout(|| unsafe { open_library(path, scope) }) {
            Ok(library) => Ok(Self { library: ManuallyDrop::new(library), path: path.to_owned() }),
            Err(source) => Err(LoadError::Open { path: path.to_owned(), source }),
        }
    }

    /// The interfaces that the library's `getProviders` function lists.
    ///
    /// # Safety
    /// The function of that name must be QNN's.
    unsafe fn providers(&self, symbol: &'static str) -> Result<Vec<NonNull<c_void>>, LoadError> {
        type GetProviders = unsafe extern "C" fn(*mut *mut *const c_void, *mut u32) -> ErrorHandle;
        // SAFETY: the type is that of both `getProviders` functions, a list of pointers and its length.
        let get = unsafe { self.library.get::<GetProviders>(symbol) }
            .map_err(|_| LoadError::Symbol { path: self.path.clone(), symbol })?;
        let mut list: *mut *const c_void = ptr::null_mut();
        let mut count = 0;
        // SAFETY: both out-pointers are valid for the call.
        let code = unsafe { get(&mut list, &mut count) };
        let failed = || LoadError::Providers { path: self.path.clone(), symbol, code };
        if code != SUCCESS || list.is_null() {
            return Err(failed());
        }
        // SAFETY: on success the list has `count` entries and belongs to the library.
        let list = unsafe { std::slice::from_raw_parts(list, count as usize) };
        let providers: Vec<_> = list.iter().filter_map(|entry| NonNull::new(entry.cast_mut())).collect();
        if providers.is_empty() { Err(failed()) } else { Ok(providers) }
    }

    /// The first provider of a supported version, else the error of the first one.
    fn choose<T>(
        &self,
        providers: &[NonNull<c_void>],
        symbol: &'static str,
        read: impl Fn(NonNull<c_void>) -> Result<T, VersionError>,
    ) -> Result<T, LoadError> {
        let mut first_error = None;
        for provider in providers {
            match read(*provider) {
                Ok(interface) => return Ok(interface),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        let path = self.path.clone();
        Err(match first_error {
            Some(source) => LoadError::Version { path, source },
            None => LoadError::Providers { path, symbol, code: SUCCESS },
        })
    }
}

#[cfg(unix)]
unsafe fn open_library(path: &Path, scope: SymbolScope) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix;
    let scope = match scope {
        SymbolScope::Local => unix::RTLD_LOCAL,
        SymbolScope::Global => unix::RTLD_GLOBAL,
    };
    // SAFETY: the caller vouches for the library's initialisers.
    unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | scope) }.map(Into::into)
}

#[cfg(windows)]
unsafe fn open_library(path: &Path, _scope: SymbolScope) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::windows;
    // Windows has no symbol scopes. The library's own folder is searched for what it depends on.
    // SAFETY: the caller vouches for the library's initialisers.
    unsafe { windows::Library::load_with_flags(path, windows::LOAD_WITH_ALTERED_SEARCH_PATH) }.map(Into::into)
}

/// A loaded backend library: `libQnnHtp.so`, `libQnnIr.so`, `libQnnSaver.so`.
pub struct BackendLibrary {
    loaded: Loaded,
    interface: Interface,
}

impl BackendLibrary {
    /// Loads a backend library and reads its interface.
    ///
    /// Loading the x86-64 HTP library writes a line to standard error.
    ///
    /// # Errors
    /// [`LoadError`] for a relative path, a file that is no QNN library, and a library of an unsupported version.
    ///
    /// # Safety
    /// Code of the file runs: it must be the vendor's library.
    pub unsafe fn open(path: &Path, scope: SymbolScope) -> Result<Self, LoadError> {
        const SYMBOL: &str = "QnnInterface_getProviders";
        // SAFETY: the caller vouches for the library.
        let loaded = unsafe { Loaded::open(path, scope) }?;
        // SAFETY: the symbol is QNN's.
        let providers = unsafe { loaded.providers(SYMBOL) }?;
        let interface = loaded.choose(&providers, SYMBOL, |provider| {
            // SAFETY: the library lists interfaces of the version they say, and is never unloaded.
            unsafe { Interface::from_raw(provider) }
        })?;
        Ok(Self { loaded, interface })
    }

    /// Versions and functions.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.loaded.path
    }

    /// A symbol of the library, for what is outside the function table.
    ///
    /// # Errors
    /// [`LoadError::Symbol`] when the library does not export it.
    ///
    /// # Safety
    /// `T` must be the type of the symbol, a function pointer or pointer.
    pub unsafe fn symbol<T: Copy>(&self, name: &'static str) -> Result<T, LoadError> {
        // SAFETY: the caller vouches for the type; the library is never unloaded, so the pointer stays valid.
        unsafe { self.loaded.library.get::<T>(name) }
            .map(|symbol| *symbol)
            .map_err(|_| LoadError::Symbol { path: self.loaded.path.clone(), symbol: name })
    }
}

impl fmt::Debug for BackendLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendLibrary").field("path", &self.loaded.path).finish_non_exhaustive()
    }
}

/// The loaded System library, `libQnnSystem.so`: metadata of context binaries, and DLC files.
pub struct SystemLibrary {
    loaded: Loaded,
    interface: SystemInterface,
}

impl SystemLibrary {
    /// Loads the System library and reads its interface.
    ///
    /// # Errors
    /// [`LoadError`] for a relative path, a file that is no QNN library, and a library of an unsupported version.
    ///
    /// # Safety
    /// Code of the file runs: it must be the vendor's library.
    pub unsafe fn open(path: &Path) -> Result<Self, LoadError> {
        const SYMBOL: &str = "QnnSystemInterface_getProviders";
        // SAFETY: the caller vouches for the library.
        let loaded = unsafe { Loaded::open(path, SymbolScope::Local) }?;
        // SAFETY: the symbol is QNN's.
        let providers = unsafe { loaded.providers(SYMBOL) }?;
        let interface = loaded.choose(&providers, SYMBOL, |provider| {
            // SAFETY: the library lists interfaces of the version they say, and is never unloaded.
            unsafe { SystemInterface::from_raw(provider) }
        })?;
        Ok(Self { loaded, interface })
    }

    /// Version and functions.
    pub fn interface(&self) -> &SystemInterface {
        &self.interface
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.loaded.path
    }
}

impl fmt::Debug for SystemLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemLibrary").field("path", &self.loaded.path).finish_non_exhaustive()
    }
}
