//! What is done after every stage: the graph is verified, and printed where somebody wants to see it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use qnn_platform::env;
use qnn_types::Diagnostic;

use crate::graph::Graph;
use crate::graph::text::{self, Detail};
use crate::graph::verify::{Dialect, Violation, verify};
use crate::problem::{Result, problem};

/// Violations that are named.
const NAMED: usize = 8;

/// Holds a graph against its dialect after a stage: in debug builds, and where `QNN_VERIFY_IR` is set. Writes it where `QNN_PRINT_IR` says.
///
/// # Errors
/// The graph is none: a defect of the stage.
pub(super) fn after(stage: &str, graph: &Graph, dialect: Dialect) -> Result<()> {
    if let Some(folder) = env::var(&env::QNN_PRINT_IR) {
        print(Path::new(&folder), stage, graph)?;
    }
    if !cfg!(debug_assertions) && env::var(&env::QNN_VERIFY_IR).is_none() {
        return Ok(());
    }
    verify(graph, dialect).map_err(|found| defect(stage, graph, &found).into())
}

/// What the user is told of a pass that broke the graph.
fn defect(stage: &str, graph: &Graph, found: &[Violation]) -> Diagnostic {
    let first = found.first().map_or_else(String::new, ToString::to_string);
    let mut p = problem(
        "E0512",
        format!("stage {stage} left graph {:?} in a state that is none: {first}", graph.name),
    );
    p.node = found.first().and_then(|violation| violation.node.clone());
    p.notes = found.iter().skip(1).take(NAMED).map(ToString::to_string).collect();
    if found.len() > NAMED + 1 {
        p.notes.push(format!("{} more", found.len() - NAMED - 1));
    }
    p.help = Some(
        "this is a defect of cargo-qnn: please report it, with the model if it can be shared".to_owned(),
    );
    p
}

/// Writes `03-fuse-main.graph` into a folder, counted in the order of this process.
fn print(folder: &Path, stage: &str, graph: &Graph) -> Result<()> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let at = COUNT.fetch_add(1, Ordering::Relaxed);
    let name: String = graph.name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let path = folder.join(format!("{at:02}-{stage}-{name}.graph"));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text::print(graph, Detail::Short)))
        .map_err(|error| qnn_types::io_problem("E0605", "cannot write", &path, &error).into())
}
