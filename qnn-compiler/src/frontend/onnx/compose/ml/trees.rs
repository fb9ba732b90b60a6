//! Ensembles of decision trees as products of matrices.
//!
//! All splits are answered at once. A leaf counts the answers on its path that lead to it: its tree gives what the one leaf adds
//! whose count is complete.

use half::f16;
use qnn_types::Diagnostic;

use super::super::parts::Parts;
use super::super::table::{Row, Written};
use super::ensemble::{Split, Test, Tree, read};
use super::{ml, numbers, scores};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;
use crate::problem::problem;

const NOTE: &str = "Gather, comparisons, two MatMul; up to 2^25 pairs of a split and a leaf; inputs are compared in fp16 where they are floats";

pub(super) const ROWS: &[Row] = &[
    ml("TreeEnsemble", NOTE, ensemble),
    ml("TreeEnsembleClassifier", NOTE, classify),
    ml("TreeEnsembleRegressor", NOTE, regress),
];

/// The most numbers of the matrix between splits and leaves.
const LARGEST: usize = 1 << 25;

fn regress(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let average = match p.node.attrs.str_or("aggregate_function", "SUM") {
        "SUM" => false,
        "AVERAGE" => true,
        other => return p.refuse(format!("aggregate_function {other} is not supported")),
    };
    let transform = p.node.attrs.str_or("post_transform", "NONE").to_owned();
    finish(p, average, &transform)
}

fn ensemble(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let average = match p.node.attrs.int_or("aggregate_function", 1) {
        0 => true,
        1 => false,
        _ => return p.refuse("aggregate_function MIN and MAX are not supported"),
    };
    let transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];
    let at = usize::try_from(p.node.attrs.int_or("post_transform", 0)).unwrap_or(usize::MAX);
    let transform = transforms.get(at).copied().unwrap_or("");
    finish(p, average, transform)
}

fn finish(p: &mut Parts<'_, '_>, average: bool, transform: &str) -> Answer<Written> {
    let trees = trees(p)?;
    let targets = p.types[0].shape[1];
    let share = if average { 1.0 / trees.len().max(1) as f64 } else { 1.0 };
    let y = sum(p, &trees, targets, share)?;
    let y = with_base(p, y, targets)?;
    Ok(Some(vec![scores::transformed(p, y, transform)?]))
}

fn classify(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let trees = trees(p)?;
    let classes = p.types[1].shape[1];
    let transform = p.node.attrs.str_or("post_transform", "NONE").to_owned();
    let weights = || trees.iter().flat_map(|t| &t.leaves).flat_map(|leaf| &leaf.adds);
    let base = numbers(&p.node.attrs, "base_values").len();
    let (label, scores) = if classes == 2 && weights().all(|(class, _)| *class == 0) && base < 2 {
        // What is given to the first class is the score of the second, as ONNX Runtime has it.
        let score = sum(p, &trees, 1, 1.0)?;
        let score = with_base(p, score, 1)?;
        let positive = weights().all(|(_, weight)| *weight >= 0.0);
        let (bound, rest) = if positive { (0.5, 1.0) } else { (0.0, 0.0) };
        (scores::above(p, score, bound)?, scores::both(p, score, &transform, rest)?)
    } else if classes == 2 && base != 0 {
        return p.refuse("base values of two classes are not supported");
    } else {
        let all = sum(p, &trees, classes, 1.0)?;
        let all = with_base(p, all, classes)?;
        let label = if classes == 2 {
            let second = p.range(all, 1, 1, 2)?;
            scores::above(p, second, 0.0)?
        } else {
            scores::largest(p, all)?
        };
        (label, scores::transformed(p, all, &transform)?)
    };
    let mut values = vec![label, scores];
    values.truncate(p.outputs.max(1));
    Ok(Some(values))
}

fn with_base(p: &mut Parts<'_, '_>, y: ValueId, targets: usize) -> Answer<ValueId> {
    let base = numbers(&p.node.attrs, "base_values");
    if base.iter().all(|b| *b == 0.0) {
        return Ok(y);
    }
    if ![1, targets].contains(&base.len()) {
        return invalid(format!("{} base values for {targets} targets", base.len()));
    }
    let base = p.floats(DType::F32, &[base.len()], &base);
    p.op(Op::Add, &[y, base])
}

fn trees(p: &Parts<'_, '_>) -> Answer<Vec<Tree>> {
    let trees = read(&p.node.attrs, p.node.op)?;
    let width = p.shape(p.input(0)?).last().copied().unwrap_or(1);
    if trees.iter().flat_map(|t| &t.splits).any(|split| split.feature >= width) {
        return invalid(format!("a split reads a feature beyond the {width} of the input"));
    }
    Ok(trees)
}

/// What the trees add to each target, (rows, targets), times `share`.
fn sum(p: &mut Parts<'_, '_>, trees: &[Tree], targets: usize, share: f64) -> Answer<ValueId> {
    let splits = trees.iter().map(|t| t.splits.len()).max().unwrap_or(0).max(1);
    let leaves = trees.iter().map(|t| t.leaves.len()).max().unwrap_or(0).max(1);
    let count = trees.len().max(1);
    let size = count.saturating_mul(splits).saturating_mul(leaves);
    if size > LARGEST {
        return p.refuse(format!(
            "{count} trees of up to {splits} splits and {leaves} leaves would be a matrix of {size} numbers: limit the leaves of a tree (max_leaf_nodes, num_leaves or max_depth) when the model is trained"
        ));
    }
    let answers = answers(p, trees, splits)?;
    let mut paths = vec![0.0; size];
    let mut missing = vec![0.0; count * leaves];
    let mut adds = vec![0.0; count * leaves * targets];
    for (t, tree) in trees.iter().enumerate() {
        for (l, leaf) in tree.leaves.iter().enumerate() {
            for (split, yes) in &leaf.path {
                paths[(t * splits + split) * leaves + l] = if *yes { 1.0 } else { -1.0 };
            }
            missing[t * leaves + l] = 1.0 - leaf.path.iter().filter(|(_, yes)| *yes).count() as f64;
            for (target, weight) in &leaf.adds {
                match adds.get_mut((t * leaves + l) * targets + target).filter(|_| *target < targets) {
                    Some(add) => *add += weight * share,
                    None => return invalid(format!("a leaf adds to target {target} of {targets}")),
                }
            }
        }
    }
    let paths = p.floats(DType::F32, &[count, splits, leaves], &paths);
    let missing = p.floats(DType::F32, &[count, 1, leaves], &missing);
    let adds = p.floats(DType::F32, &[count, leaves, targets], &adds);
    let met = p.op(Op::MatMul, &[answers, paths])?;
    let met = p.op(Op::Add, &[met, missing])?;
    let met = p.op(Op::Relu, &[met])?;
    let y = p.op(Op::MatMul, &[met, adds])?;
    p.reduce(Op::ReduceSum, y, &[0], false)
}

/// The answer of every split, 1 or 0, as (trees, rows, splits).
fn answers(p: &mut Parts<'_, '_>, trees: &[Tree], splits: usize) -> Answer<ValueId> {
    let none = Split { feature: 0, test: Test::AtMost, value: 0.0 };
    let all: Vec<Split> = trees
        .iter()
        .flat_map(|t| (0..splits).map(move |i| t.splits.get(i).copied().unwrap_or(none)))
        .collect();
    let x = whole_numbers(p)?;
    let width = p.shape(x).last().copied().unwrap_or(1);
    let rows = p.shape(x).iter().product::<usize>() / width.max(1);
    let x = p.reshape(x, &[rows, width])?;
    if p.dtype(x).is_float() {
        warn(p, &all);
    }
    let features: Vec<i64> = all.iter().map(|s| s.feature as i64).collect();
    let features = p.ints(DType::I64, &[all.len()], &features);
    let asked = p.with(Op::Gather, &[x, features], [("axis", Attr::Int(1))])?;
    let mut answer: Option<ValueId> = None;
    for (test, op) in
        [(Test::AtMost, Op::LessOrEqual), (Test::AtLeast, Op::GreaterOrEqual), (Test::Equal, Op::Equal)]
    {
        if !all.iter().any(|split| split.test == test) {
            continue;
        }
        let bounds: Vec<f64> = all.iter().map(|split| bound(split.value, test, p.dtype(x))).collect();
        let bounds = p.floats(p.dtype(x), &[all.len()], &bounds);
        let found = p.op(op, &[asked, bounds])?;
        let found = p.cast(found, DType::F32)?;
        answer = Some(match answer {
            None => found,
            Some(others) => {
                let own: Vec<i64> = all.iter().map(|split| i64::from(split.test == test)).collect();
                let own = p.ints(DType::Bool, &[all.len()], &own);
                p.op(Op::Where, &[own, found, others])?
            }
        });
    }
    let Some(answer) = answer else { return invalid("it has no trees") };
    let count = trees.len();
    if rows == 1 {
        return p.reshape(answer, &[count, 1, splits]);
    }
    let answer = p.reshape(answer, &[rows, count, splits])?;
    p.transpose(answer, &[1, 0, 2])
}

/// The input, as integers where it was made of such: they are compared exactly.
fn whole_numbers(p: &mut Parts<'_, '_>) -> Answer<ValueId> {
    let x = p.input(0)?;
    if !p.dtype(x).is_float() {
        return Ok(x);
    }
    let cast = p.maker(x).filter(|n| n.op == Op::Cast);
    if let Some(from) = cast.and_then(|n| n.input(0))
        && [DType::I32, DType::I64].contains(&p.dtype(from))
    {
        return Ok(from);
    }
    p.cast(x, DType::F32)
}

/// The number that is compared with. The device rounds features and bounds to fp16 in the same way, so that a feature which is the bound
/// takes the branch of equals, as those of counted things often are.
fn bound(value: f64, test: Test, dtype: DType) -> f64 {
    if dtype.is_float() {
        return value;
    }
    match test {
        Test::AtMost => value.floor(),
        Test::AtLeast => value.ceil(),
        // No integer is a half.
        Test::Equal if value.fract() != 0.0 => f64::from(i32::MIN),
        Test::Equal => value,
    }
}

/// Says where fp16 does not tell thresholds apart.
fn warn(p: &mut Parts<'_, '_>, splits: &[Split]) {
    let mut by_feature: Vec<(usize, f64)> = splits.iter().map(|s| (s.feature, s.value)).collect();
    by_feature.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    by_feature.dedup();
    let close = by_feature
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && f16::from_f64(pair[0].1) == f16::from_f64(pair[1].1))
        .count();
    if close > 0 {
        let message = format!(
            "{close} of {} thresholds are as near to another one of their feature as fp16 rounds: inputs near them may take the other branch",
            by_feature.len()
        );
        let node = Some(p.node.name.clone());
        let op = Some(p.node.op.label());
        let help = Some("give the features in a smaller range (subtract their mean before the model is trained), or as int32".to_owned());
        p.warn(Diagnostic { node, op, help, ..problem("E0311", message) });
    }
}
