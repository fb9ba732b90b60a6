//! Whether a linked library is what was asked for.

use std::path::Path;

use super::package::Package;
use super::target::Target;
use qnn_manifest::Kind;
use qnn_ops::elf::{self, Library};
use qnn_types::Diagnostic;

/// Names that the C library, the compiler's run-time library and the system of the NPU have: what the vendor's own libraries for it
/// import, and the rest of C's mathematics. What else a package leaves undefined nobody has, and the process that loads it would
/// end. The standard streams have other names there than in the headers of open compilers.
const SYSTEM: &[&str] = &[
    "abort",
    "acosf",
    "asinf",
    "atan2f",
    "atanf",
    "calloc",
    "ceil",
    "ceilf",
    "cos",
    "cosf",
    "erf",
    "erff",
    "exp",
    "exp2f",
    "expf",
    "expm1f",
    "fabs",
    "fabsf",
    "floor",
    "floorf",
    "fmaxf",
    "fminf",
    "fmod",
    "fmodf",
    "free",
    "fprintf",
    "log",
    "log10f",
    "log1pf",
    "log2f",
    "logf",
    "lrintf",
    "lroundf",
    "malloc",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "nearbyintf",
    "pow",
    "powf",
    "printf",
    "puts",
    "realloc",
    "rint",
    "rintf",
    "round",
    "roundf",
    "sin",
    "sinf",
    "snprintf",
    "sqrt",
    "sqrtf",
    "strcmp",
    "strlen",
    "strncmp",
    "strncpy",
    "tan",
    "tanf",
    "tanh",
    "tanhf",
    "truncf",
    "vsnprintf",
    "_Stderr",
    "_Stdout",
    "dlopen",
    "dlsym",
    "fclose",
    "fflush",
    "fopen",
    "fputc",
    "fputs",
    "fread",
    "frexpf",
    "fwrite",
    "getenv",
    "ilogb",
    "ldexpf",
    "memchr",
    "strdup",
    "strstr",
    "FARF",
    "HAP_debug",
    "HAP_debug_v2",
    "__cxa_atexit",
    "__cxa_finalize",
    "__stack_chk_fail",
    "__tls_get_addr",
];
/// How names begin that the HTP library or the system has.
const PREFIXES: &[&str] = &["qhpi_", "Qnn", "__hexagon_", "__qdsp_", "qurt_", "HAP_", "__aeabi_"];

/// Holds the library at `path` against the package and target it is built for.
///
/// # Errors
/// `E0907`: another processor, a missing provider, symbols that nobody has.
pub(super) fn linked(package: &Package, target: Target, path: &Path) -> Result<(), Diagnostic> {
    let problem = |message: String| Diagnostic::new("E0907", message).at(path.display().to_string());
    let library = elf::read(path).map_err(|why| problem(format!("what was linked for {target} {why}")))?;
    if library.machine != target.machine() {
        let message =
            format!("what was linked for {target} is for {}, not for {}", library.machine, target.machine());
        return Err(problem(message).help("look at the compiler's flags in compile_commands.json"));
    }
    let missing: Vec<String> =
        package.exports(target).into_iter().filter(|name| !library.exports.contains(name)).collect();
    if !missing.is_empty() {
        let message = format!("the package exports no `{}`", missing.join("`, no `"));
        return Err(problem(message)
            .note(exported(&library))
            .help("define it with default visibility; docs/OP-PACKAGES.md shows the few lines"));
    }
    // The linker has resolved everything on x86; C++ packages call the library's own classes, whose names are beyond listing.
    if package.kind == Kind::Qhpi && matches!(target, Target::Hexagon(_)) {
        let unknown: Vec<&str> =
            library.undefined.iter().map(String::as_str).filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            let message =
                format!("the package uses `{}`, which neither it nor the NPU has", unknown.join("`, `"));
            return Err(
                problem(message).help("define the function, or add the source that does to `sources`")
            );
        }
    }
    Ok(())
}

fn is_known(name: &str) -> bool {
    SYSTEM.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn exported(library: &Library) -> String {
    match &library.exports[..] {
        [] => "it exports nothing".to_owned(),
        names => format!("it exports {}", names.iter().take(12).cloned().collect::<Vec<_>>().join(", ")),
    }
}
