//! Graph to graph, one job each, in one list.

mod check;
mod fuse;
mod graph_io;
mod layout;
mod legalize_types;
mod numeric_warnings;
mod quantize;
pub mod rescale;
mod spatial_rank;
mod stage;

use crate::frontend::encodings;
use crate::graph::Graph;
use crate::graph::verify::Dialect;
use crate::problem::Result;
pub use stage::{Measure, Need, Phase, Run, Setting, Stage};
use {Need::*, Phase::*};

const fn stage(phase: Phase, name: &'static str, needs: &'static [Need], run: Run) -> Stage {
    Stage { name, phase, needs, run, leaves: Dialect::Model }
}

/// The stages in order. After the last one the graph is in physical layout, ready to lower.
#[rustfmt::skip]
pub static STAGES: &[Stage] = &[
    stage(Read, "encodings", &[Entries], Run::Set(|graph, setting| {
        let warnings = encodings::apply(graph, setting.entries.unwrap_or_default())?;
        warnings.into_iter().for_each(&mut *setting.warn);
        Ok(())
    })),
    stage(Read, "graph-io", &[], Run::Set(|graph, setting| graph_io::run(graph, setting.inputs))),
    stage(Read, "qdq", &[], Run::Graph(quantize::qdq)),
    stage(Fuse, "fuse", &[], Run::Graph(fuse::run)),
    stage(Assign, "numeric-warnings", &[], Run::Set(|graph, setting| {
        numeric_warnings::find(graph, setting.soc).into_iter().for_each(&mut *setting.warn);
        Ok(())
    })),
    stage(Assign, "measure", &[Samples], Run::Set(|graph, setting| {
        setting.ranges = setting.measure.as_mut().map(|measure| measure(graph)).transpose()?;
        Ok(())
    })),
    stage(Refine, "mask-ranges", &[Encoded], Run::Graph(quantize::mask_ranges)),
    stage(Refine, "refine-ranges", &[Encoded], Run::Graph(quantize::refine_ranges)),
    stage(Refine, "propagate", &[Encoded], Run::Graph(quantize::propagate)),
    stage(Refine, "data-movement", &[Encoded], Run::Graph(quantize::data_movement)),
    stage(Refine, "linear", &[Encoded], Run::Graph(quantize::linear)),
    stage(Refine, "fixed-ranges", &[Integers], Run::Graph(quantize::fixed_ranges)),
    stage(Refine, "infer-encodings", &[Integers], Run::Graph(quantize::infer_encodings)),
    stage(Refine, "rescale", &[Samples], Run::Set(rescale::run)),
    stage(Layout, "spatial-rank", &[], Run::Checked(spatial_rank::run)),
    stage(Layout, "layout", &[], Run::Checked(layout::run)).leaving(Dialect::Physical),
    stage(Layout, "legalize-types", &[], Run::Checked(legalize_types::run)).leaving(Dialect::Device),
];

/// Runs the stages, but for those of skipped phases and those that lack what they need. After each, the graph is verified.
///
/// # Errors
/// The problems of the first stage that finds any, or is defective.
pub fn run(graph: &mut Graph, setting: &mut Setting<'_>) -> Result<()> {
    run_until(graph, setting, Layout)
}

/// Runs the stages up to the end of a phase.
///
/// # Errors
/// As [`run`].
pub fn run_until(graph: &mut Graph, setting: &mut Setting<'_>, last: Phase) -> Result<()> {
    check::after("read", graph, Dialect::Model)?;
    for stage in STAGES.iter().filter(|stage| stage.phase <= last) {
        let applies = !setting.skipped.contains(&stage.phase)
            && stage.needs.iter().all(|&need| setting.has(need, graph));
        if applies {
            stage.apply(graph, setting)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_one_another_and_names_are_unique() {
        assert!(STAGES.is_sorted_by_key(|stage| stage.phase));
        let mut names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STAGES.len());
    }
}
