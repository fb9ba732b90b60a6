//! Which compiler builds a package for a target: what the user names, what is installed, in a fixed order.
//!
//! For the NPU that is the Hexagon SDK, then the compiler of the wheel `ziglang` that `cargo qnn toolchain install hexagon` unpacks, then a
//! `clang` that knows the architecture with `lld`. For this machine it is what the crate `cc` finds, which honours `CC`,
//! `CFLAGS` and their forms with a target in the name.

mod hexagon;
mod host;
mod places;
mod sdk;

use std::ffi::OsString;
use std::path::PathBuf;

use super::target::Target;
use crate::memo::Memo;
use qnn_manifest::Kind;
use qnn_types::Diagnostic;

pub use places::Places;
pub use sdk::{Preferred, SDKS, Sdk};

/// Whose compiler it is, which decides the flags that it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// gcc or clang for this machine.
    Host,
    /// clang++ for this machine, for packages in C++: with the headers of the Hexagon SDK's emulation library.
    HostCpp {
        /// The tools folder of the Hexagon SDK that holds `libnative`.
        tools: Option<PathBuf>,
    },
    /// The Hexagon SDK's own clang.
    HexagonSdk(Sdk),
    /// clang of the system.
    Clang {
        /// The linker, `lld`.
        linker: PathBuf,
    },
    /// clang inside zig.
    Zig,
    /// clang of the Android NDK.
    Ndk {
        /// As in [`Family::HostCpp`].
        tools: Option<PathBuf>,
    },
}

/// A compiler, ready to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Whose it is.
    pub family: Family,
    /// The program.
    pub program: PathBuf,
    /// Arguments before all others: `cc` for zig, flags of the environment.
    pub arguments: Vec<OsString>,
    /// Variables it needs.
    pub env: Vec<(OsString, OsString)>,
}

/// The compiler for a package of this kind and a target.
///
/// # Errors
/// `E0905` with every place that was looked at and the ways to get one.
pub fn find(kind: Kind, target: Target, places: &Places, memo: &Memo) -> Result<Compiler, Diagnostic> {
    match (target, kind) {
        (Target::HtpX86, Kind::Qhpi) => host::c_compiler(places),
        (Target::HtpX86, Kind::Cpp) => host::cpp_compiler(places, true),
        (Target::CpuX86, _) => host::cpp_compiler(places, false),
        (Target::Hexagon(arch), _) => hexagon::compiler(kind, arch, places, memo),
        (Target::HtpAarch64Android, kind) => host::ndk(target, kind, places),
        (Target::CpuAarch64Android, kind) => host::ndk(target, kind, places),
    }
}

/// The problem of a target that nothing compiles for.
fn missing(target: Target, looked: Vec<String>, ways: &[&str]) -> Diagnostic {
    let problem = Diagnostic::new("E0905", format!("there is no compiler for {target}"));
    let problem =
        looked.into_iter().fold(problem, |problem, place| problem.note(format!("looked for {place}")));
    problem.help(ways.join("\nor "))
}
