//! The one way into the vendor's libraries: every call of a function of theirs passes here.
//!
//! [`vendor!`](vendor) writes such a call. It takes the lock that the call needs, measures it, and turns its status into a result. A test
//! below holds that no function of the vendor's tables is called in another way.
//!
//! # Who waits for whom
//! The libraries' state is the process's, and the vendor promises thread safety for single functions only. So there is one lock for the
//! process, which a call takes by its [`Access`]:
//!
//! | access | beside it may run |
//! |---|---|
//! | `Exclusive`: creates, changes or frees something | nothing |
//! | `Execute` on an NPU | executions of other contexts, `Shared` |
//! | `Execute` in the emulator | nothing: it crashes when a graph is compiled or another one executed meanwhile |
//! | `Shared`: reads what does not change | `Shared`, executions on an NPU |
//!
//! Executions of one context are kept apart by that context ([`crate::Graph`]). Loading a model waits for executions to end, and
//! executions wait for a model that is being loaded.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use qnn_sys::types::{ErrorHandle, SUCCESS};

use crate::{Result, VendorError, codes, log};

/// What a call does to the library's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads what does not change.
    Shared,
    /// Creates, changes or frees something.
    Exclusive,
    /// Executes a graph.
    Execute,
}

static LOCK: RwLock<()> = RwLock::new(());

/// A library, or a part of one, that has a table of functions.
pub(crate) trait Vendor {
    /// The table.
    type Functions;

    /// The functions. Called by [`vendor!`](vendor) alone.
    fn functions(&self) -> &Self::Functions;

    /// Whether executions, too, keep out everything else.
    fn executes_alone(&self) -> bool {
        true
    }

    /// Counts time spent in the library.
    fn spent(&self, _time: Duration) {}
}

/// Calls a function of the vendor's:
///
/// ```text
/// // SAFETY: why handles and pointers are good
/// unsafe { vendor!(backend, Exclusive, graph_retrieve(context, name.as_ptr(), &mut handle), "graph `{name}`") }?;
/// ```
///
/// After the function comes what the call is about, for errors; a block in braces after the access is run under the lock, right before
/// the call, and may end it with an error.
macro_rules! vendor {
    ($library:expr, $access:ident $({ $($first:tt)* })?, $function:ident($($argument:expr),* $(,)?) $(, $($subject:tt)+)?) => {
        $crate::gate::pass(
            $library,
            $crate::gate::Access::$access,
            || $crate::gate::subject!($($($subject)+)?),
            |functions| {
                $($($first)*)?
                let function = functions.$function()?;
                Ok((functions.c_names().$function, function($($argument),*)))
            },
        )
    };
}
pub(crate) use vendor;

/// What a call is about, formatted.
macro_rules! subject {
    () => {
        String::new()
    };
    ($($subject:tt)+) => {
        format!($($subject)+)
    };
}
pub(crate) use subject;

/// Makes a call: waits until it may, measures it, decodes a failure. `call` gives the function's name and what it returned.
pub(crate) fn pass<V: Vendor>(
    library: &V,
    access: Access,
    subject: impl FnOnce() -> String,
    call: impl FnOnce(&V::Functions) -> Result<(&'static str, ErrorHandle)>,
) -> Result<()> {
    let alone = match access {
        Access::Shared => false,
        Access::Exclusive => true,
        Access::Execute => library.executes_alone(),
    };
    // Nothing of this crate is left half changed by a panic under the lock.
    let (_alone, _beside) = match alone {
        true => (Some(LOCK.write().unwrap_or_else(PoisonError::into_inner)), None),
        false => (None, Some(LOCK.read().unwrap_or_else(PoisonError::into_inner))),
    };
    let mark = log::mark();
    let started = Instant::now();
    let called = call(library.functions());
    library.spent(started.elapsed());
    let (name, status) = called?;
    if status == SUCCESS {
        return Ok(());
    }
    Err(VendorError { call: name, subject: subject(), code: codes::decode(status), log: log::since(mark) }
        .into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use qnn_sys::htp::PerfInfrastructure;
    use qnn_sys::interface::Functions;
    use qnn_sys::system::SystemFunctions;

    fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, into),
                false => into.push(path),
            }
        }
    }

    /// The text without comments and white space.
    fn code(path: &Path) -> String {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect()
    }

    /// Places where a table's function is named, and of these the ones behind `vendor!(…, Access,`.
    fn calls(code: &str, function: &str) -> (usize, usize) {
        let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = code.match_indices(function).filter(|(at, _)| {
            let (before, after) = (&code[..*at], &code[at + function.len()..]);
            !before.ends_with(identifier) && after.starts_with('(')
        });
        let mut counts = (0, 0);
        for (at, _) in named {
            let before = &code[..at];
            let from = before.rfind("vendor!(").unwrap_or(at);
            let head = &before[from..];
            // A library, an access, and perhaps a block.
            let gated = ["Shared", "Exclusive", "Execute"].iter().any(|access| {
                let found = head.find(&format!(",{access}"));
                found.is_some_and(|at| {
                    let rest = &head[at + 1 + access.len()..];
                    rest == "," || (rest.starts_with('{') && rest.ends_with("},"))
                })
            });
            counts = (counts.0 + 1, counts.1 + usize::from(gated));
        }
        counts
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads the sources")]
    fn functions_of_the_vendor_are_called_through_the_gate_only() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let functions = [Functions::FIELDS, SystemFunctions::FIELDS, PerfInfrastructure::FIELDS].concat();
        let mut all = 0;
        // This file has the macro; the fake library has functions of these names, of its own.
        let own = |path: &PathBuf| {
            path.ends_with("gate.rs") || path.components().any(|part| part.as_os_str() == "fake")
        };
        for path in files.iter().filter(|path| !own(path)) {
            let code = code(path);
            for function in &functions {
                let (named, gated) = calls(&code, function);
                assert_eq!(named, gated, "`{function}` in {} is called outside of `vendor!`", path.display());
                all += gated;
            }
            let tables = code.matches(".functions()").count();
            let holds_one = path.ends_with("backend.rs") || path.ends_with("library.rs");
            assert!(tables == 0 || holds_one, "{} reads a table", path.display());
        }
        assert!(all >= 30, "the test finds {all} calls");
        assert_eq!(calls("unsafe{vendor!(b,Exclusive,log_free(l))};api.log_free()?(l)", "log_free"), (2, 1));
        assert_eq!(calls("vendor!(b,Execute{check()?;},graph_execute(l))", "graph_execute"), (1, 1));
    }
}
