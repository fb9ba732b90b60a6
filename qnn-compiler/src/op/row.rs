//! The row of an operator, and how it is found.

use super::columns::{Axes, Elements, Fold, Lowering, Onnx, Results, Scale, Types};
use super::integers::{Integers, OnIntegers};
use super::{Op, rows};
use crate::infer::Rule;
use crate::lower::LowerFn;

/// Everything that the engine knows of one operator. `None` is a question that is left open: a test fails then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(super) op: Op,
    types: Types,
    onnx: Onnx,
    axes: Option<Axes>,
    elements: Option<Elements>,
    scale: Option<Scale>,
    results: Option<Results>,
    integers: Option<Integers>,
    fold: Option<Fold>,
    lowering: Option<Lowering>,
}

/// An operator that the device computes.
pub(super) const fn row(op: Op, onnx: Onnx, types: Rule) -> Row {
    Row {
        op,
        types: Types::By(types),
        onnx,
        axes: None,
        elements: None,
        scale: None,
        results: None,
        integers: None,
        fold: None,
        lowering: None,
    }
}

/// An operator that is gone when the passes start: the front end writes it as others, its result is known, or it is refused. `fold`
/// says how it is evaluated.
pub(super) const fn gone(op: Op, onnx: Onnx, types: Rule, fold: Fold) -> Row {
    Row { lowering: Some(Lowering::Nothing), ..row(op, onnx, types) }
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(fold)
}

impl Row {
    pub(super) const fn axes(self, axes: Axes) -> Self {
        Self { axes: Some(axes), ..self }
    }

    /// What becomes of the numbers of operands.
    pub(super) const fn numbers(self, elements: Elements, scale: Scale, results: Results) -> Self {
        Self { elements: Some(elements), scale: Some(scale), results: Some(results), ..self }
    }

    pub(super) const fn integers(self, integers: Integers) -> Self {
        Self { integers: Some(integers), ..self }
    }

    pub(super) const fn fold(self, fold: Fold) -> Self {
        Self { fold: Some(fold), ..self }
    }

    /// The lowering, and what it makes, for docs/SUPPORTED-OPS.md.
    pub(super) const fn lower(self, lower: LowerFn, note: &'static str) -> Self {
        Self { lowering: Some(Lowering::By { lower, note }), ..self }
    }
}

/// What is said of an operator that nobody knows, and of those of op packages.
static OTHER: Row = Row {
    op: Op::Identity,
    types: Types::Unknown,
    onnx: Onnx::Itself,
    axes: Some(Axes::Opaque),
    elements: Some(Elements::Computed),
    scale: Some(Scale::Other),
    results: Some(Results::Any),
    integers: Some(Integers::No),
    fold: Some(Fold::Reference),
    lowering: Some(Lowering::Nothing),
};

/// The row of each known operator, by its place in the list. A list that lacks a row, or has two, does not compile.
static TABLE: [&Row; Op::KNOWN.len()] = {
    let mut found: [Option<&Row>; Op::KNOWN.len()] = [None; Op::KNOWN.len()];
    let (mut family, mut at) = (0, 0);
    while family < rows::FAMILIES.len() {
        let rows = rows::FAMILIES[family];
        while at < rows.len() {
            if let Some(place) = rows[at].op.place() {
                assert!(found[place].is_none(), "an operator has two rows");
                found[place] = Some(&rows[at]);
            }
            at += 1;
        }
        (family, at) = (family + 1, 0);
    }
    let mut table: [&Row; Op::KNOWN.len()] = [&OTHER; Op::KNOWN.len()];
    let mut place = 0;
    while place < table.len() {
        match found[place] {
            Some(row) => table[place] = row,
            None => panic!("{}", Op::KNOWN[place].variant()),
        }
        place += 1;
    }
    table
};

impl Op {
    fn row(self) -> &'static Row {
        self.place().map_or(&OTHER, |place| TABLE[place])
    }

    /// The types of its results.
    pub(crate) fn types(self) -> Types {
        self.row().types
    }

    /// How it is written for ONNX Runtime.
    pub(crate) fn onnx(self) -> Onnx {
        self.row().onnx
    }

    /// What it does to the order of axes.
    pub(crate) fn axes(self) -> Axes {
        self.row().axes.unwrap_or(Axes::Opaque)
    }

    /// What becomes of the elements of its operands.
    pub(crate) fn elements(self) -> Elements {
        self.row().elements.unwrap_or(Elements::Computed)
    }

    /// How many inputs are elements that it only moves.
    pub(crate) fn moved_inputs(self) -> usize {
        match self.elements() {
            Elements::Moved(count) => count,
            _ => 0,
        }
    }

    /// What becomes of a factor of its first operand.
    pub(crate) fn scale(self) -> Scale {
        self.row().scale.unwrap_or(Scale::Other)
    }

    /// Between which numbers its results lie.
    pub(crate) fn results(self) -> Results {
        self.row().results.unwrap_or(Results::Any)
    }

    /// What HTP has of it on integers.
    pub(crate) fn on_integers(self) -> Option<OnIntegers> {
        match self.row().integers {
            Some(Integers::On(row)) => Some(row),
            _ => None,
        }
    }

    /// How it is evaluated while the model is read.
    pub(crate) fn fold(self) -> Fold {
        self.row().fold.unwrap_or(Fold::Reference)
    }

    /// How it is lowered.
    pub(crate) fn lowering(self) -> Lowering {
        self.row().lowering.unwrap_or(Lowering::Nothing)
    }

    /// Which HTP ops it becomes, and what is refused; `None` where it has no lowering.
    pub fn note(self) -> Option<&'static str> {
        match self.lowering() {
            Lowering::By { note, .. } => Some(note),
            Lowering::Nothing => None,
        }
    }

    /// Whether it is lowered on integers in some form.
    pub fn is_on_integers(self) -> bool {
        self.on_integers().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_answers_every_question() {
        let open = |op: Op| {
            let row = op.row();
            [
                ("axes", row.axes.is_none()),
                ("elements", row.elements.is_none()),
                ("scale", row.scale.is_none()),
                ("results", row.results.is_none()),
                ("integers", row.integers.is_none()),
                ("fold", row.fold.is_none()),
                ("lowering", row.lowering.is_none()),
            ]
            .into_iter()
            .filter(|(_, open)| *open)
            .map(move |(column, _)| format!("{op}: {column}"))
        };
        let found: Vec<String> = Op::KNOWN.iter().copied().flat_map(open).collect();
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_only_moves_elements_makes_no_other_numbers() {
        let moved = Op::KNOWN.iter().copied().filter(|op| op.moved_inputs() > 0);
        for op in moved {
            assert!(matches!(op.scale(), Scale::Homogeneous | Scale::Sum), "{op} changes a factor");
            assert!(op.on_integers().is_some() || op == Op::Identity, "{op} moves integers as floats");
        }
    }
}
