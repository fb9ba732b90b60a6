//! A vendor's library made here, for tests of what the real one cannot show: that everything is freed once and in order, that no call
//! overlaps one that must be alone, that memory is sound under Miri, and what a device would be asked.
//!
//! It is a fake: it computes `y = 2 x`, and nothing is concluded from it about what the vendor's library does.

mod allocations;
mod backend;
mod state;
mod system;
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use qnn_platform::libs::{QnnLibs, Source};

pub(crate) use self::state::State;
use crate::library::{Core, System};
use crate::{Backend, Result};

/// A backend over the fake library: the emulator, or an NPU.
pub(crate) fn backend(emulator: bool) -> Result<(Backend, Arc<State>)> {
    let state = state::begin();
    let core = Core {
        interface: backend::interface(),
        path: PathBuf::from("/fake/libQnnHtp.so"),
        emulator,
        rpcmem: OnceLock::from(Some(backend::rpcmem())),
    };
    let system = OnceLock::from(System { interface: system::interface() });
    let libs = QnnLibs { dir: PathBuf::from("/fake"), source: Source::Explicit };
    Ok((Backend::start(core, libs, system, Duration::ZERO)?, state))
}
