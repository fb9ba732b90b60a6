//! Op packages of a job, registered with the library.

use std::path::Path;

use qnn::Backend;
use qnn_ops::elf::{self, Machine};
use qnn_types::{Diagnostic, OpPackage};

use super::emit::diagnostic;
use crate::problem::{Problems, Result, problem};
use crate::program::{Op, Program};
use crate::reporter::Reporter;

/// The vendor's own package, whose ops are not reported as at risk.
pub(super) const VENDOR: &str = "qti.aisw";

/// Registers every package. The library runs a package's initialization on the way.
///
/// # Errors
/// `E0908` for each that cannot be loaded or is refused.
pub(super) fn register(backend: &Backend, packages: &[OpPackage], reporter: &mut Reporter<'_>) -> Result<()> {
    let mut problems = Vec::new();
    for package in packages {
        if let Err(refused) = loadable(&package.name, &package.library) {
            problems.push(refused);
            continue;
        }
        reporter.at_risk(vec![format!("package {} (its initialization)", package.package)]);
        if let Err(error) = backend.register_op_package(&package.library, &package.provider, None) {
            let message = format!("op package `{}` cannot be registered", package.name);
            let at = Some(package.library.display().to_string());
            problems.push(Diagnostic { code: "E0908".to_owned(), at, ..diagnostic(&error, &message) });
        }
        reporter.at_risk(Vec::new());
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// An op whose code is not the vendor's, with its node.
pub(super) fn own_op(op: &Op) -> Option<String> {
    (op.package != VENDOR).then(|| format!("{}::{} (node {})", op.package, op.ty, op.origin.node))
}

/// The ops of a program whose code is not the vendor's.
pub(crate) fn own_ops(program: &Program) -> Vec<String> {
    program.ops.iter().filter_map(own_op).collect()
}

/// A context binary that the library cannot load because ops of a package are missing; `None` for other errors.
pub(super) fn missing(error: &qnn::Error, what: &str) -> Option<Diagnostic> {
    if error.kind() != qnn::ErrorKind::OpPackageMissing {
        return None;
    }
    let ops = error.details();
    let packages: std::collections::BTreeSet<&str> =
        ops.iter().map(|op| op.split_once("::").map_or(&**op, |(package, _)| package)).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    let message = format!(
        "{what} needs op package {}, and it is not registered in the version that it was compiled with",
        packages.join(", ")
    );
    Some(Diagnostic {
        notes: vec![format!("ops: {}", ops.join(", "))],
        help: Some(
            "name its folder: --op-package FOLDER, or op-packages in the manifest; where it is named, its `Version` is another \
             one or it lost the op: compile the model again"
                .to_owned(),
        ),
        ..problem("E0912", message)
    })
}

/// Whether a library that was built elsewhere can be loaded by this machine's HTP library.
///
/// # Errors
/// `E0908` with what it is for.
fn loadable(name: &str, library: &Path) -> std::result::Result<(), Diagnostic> {
    let problem = |why: String| {
        Diagnostic::new("E0908", format!("op package `{name}` cannot be loaded"))
            .at(library.display().to_string())
            .note(why)
    };
    let found = elf::read(library).map_err(|why| problem(format!("the library {why}")))?;
    if found.machine != Machine::X86_64 {
        let why = format!("the library is for {}, models are compiled and emulated on x86-64", found.machine);
        return Err(problem(why).help("name the build for htp-x86: cargo qnn op build --target htp-x86"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_for_the_npu_is_not_loaded_here() {
        // The header of a 32-bit shared object for Hexagon v79, and one section: dynamic symbols, of which there are none.
        let mut header = vec![0; 52 + 40];
        header[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        header[16] = 3;
        header[18] = 164;
        header[36] = 0x79;
        (header[32], header[46], header[48], header[52 + 4]) = (52, 40, 1, 11);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), header).unwrap();
        let problem = loadable("small", file.path()).unwrap_err().to_string();
        assert!(problem.contains("E0908") && problem.contains("is for Hexagon v79"), "{problem}");
    }
}
