//! Op packages of a job, registered with the library.

use qnn::Backend;
use qnn_build::job::{Diagnostic, OpPackage};
use qnn_build::op_package::loadable;

use super::emit::diagnostic;
use crate::problem::{Problems, Result, problem};
use crate::program::{Op, Program};
use crate::reporter::Reporter;

/// The vendor's own package, whose ops are at nobody's risk but the vendor's.
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
    (op.package != VENDOR).then(|| format!("{}::{} (node {})", op.package, op.ty, op.origin.0))
}

/// The ops of a program whose code is not the vendor's.
pub(crate) fn own_ops(program: &Program) -> Vec<String> {
    program.ops.iter().filter_map(own_op).collect()
}

/// A context binary that the library cannot load because ops of a package are missing; `None` for other errors.
pub(super) fn missing(error: &qnn::Error, what: &str) -> Option<Diagnostic> {
    let qnn::Error::OpPackageMissing { ops, .. } = error else { return None };
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
