//! The trees of an ensemble, as its node's lists describe them.

use std::collections::HashMap;

use super::{integers, numbers};
use crate::graph::{Attr, Attrs};
use crate::infer::{Answer, Reason, invalid};
use crate::op::Op;

/// How a split compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    AtMost,
    AtLeast,
    Equal,
}

/// A node that is no leaf: which feature it compares with what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) test: Test,
    pub(super) value: f64,
}

/// A leaf: the splits above it with the answer that leads to it, and what it adds to which targets.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) path: Vec<(usize, bool)>,
    pub(super) adds: Vec<(usize, f64)>,
}

/// One tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) splits: Vec<Split>,
    pub(super) leaves: Vec<Leaf>,
}

/// The most nodes of an ensemble that are read.
const MOST_NODES: usize = 1 << 20;

/// A node's place in the lists, or a leaf's.
#[derive(Clone, Copy, Debug)]
enum At {
    Node(usize),
    Leaf(usize),
}

/// The lists of an operator in one form.
struct Lists {
    roots: Vec<At>,
    features: Vec<i64>,
    modes: Vec<String>,
    values: Vec<f64>,
    yes: Vec<At>,
    no: Vec<At>,
    adds: Vec<Vec<(usize, f64)>>,
}

fn malformed<T>() -> Answer<T> {
    invalid("its lists of nodes contradict each other")
}

impl Lists {
    /// TreeEnsembleClassifier (`kind` "class") and TreeEnsembleRegressor ("target"): leaves are nodes.
    fn of_nodes(attrs: &Attrs, kind: &str) -> Answer<Self> {
        let (trees, ids) = (integers(attrs, "nodes_treeids"), integers(attrs, "nodes_nodeids"));
        let modes = match attrs.get("nodes_modes") {
            Some(Attr::Strs(modes)) => modes.clone(),
            _ => Vec::new(),
        };
        let count = ids.len();
        let places: HashMap<(i64, i64), usize> =
            trees.iter().copied().zip(ids.iter().copied()).enumerate().map(|(i, key)| (key, i)).collect();
        let (yes, no) = (integers(attrs, "nodes_truenodeids"), integers(attrs, "nodes_falsenodeids"));
        let whole = [trees.len(), modes.len(), yes.len(), no.len(), places.len()];
        if whole.iter().any(|n| *n != count) || count > MOST_NODES {
            return malformed();
        }
        let to = |list: &[i64]| -> Answer<Vec<At>> {
            let place = |i: usize| match (&*modes[i], places.get(&(trees[i], list[i]))) {
                ("LEAF", _) => Ok(At::Leaf(i)),
                (_, Some(&next)) if modes[next] == "LEAF" => Ok(At::Leaf(next)),
                (_, Some(&next)) => Ok(At::Node(next)),
                (_, None) => malformed(),
            };
            (0..count).map(place).collect()
        };
        let lists = [format!("{kind}_treeids"), format!("{kind}_nodeids"), format!("{kind}_ids")];
        let [own_trees, nodes, targets] = lists.map(|name| integers(attrs, &name));
        let weights = numbers(attrs, &format!("{kind}_weights"));
        if [own_trees.len(), nodes.len(), targets.len()] != [weights.len(); 3] {
            return malformed();
        }
        let mut adds = vec![Vec::new(); count];
        for (i, weight) in weights.into_iter().enumerate() {
            let (Some(&at), Ok(target)) =
                (places.get(&(own_trees[i], nodes[i])), usize::try_from(targets[i]))
            else {
                return malformed();
            };
            adds[at].push((target, weight));
        }
        // The first node of a tree is its root.
        let mut seen = std::collections::HashSet::new();
        let first = (0..count).filter(|&i| seen.insert(trees[i]));
        let roots = first.map(|i| if modes[i] == "LEAF" { At::Leaf(i) } else { At::Node(i) }).collect();
        Ok(Self {
            roots,
            features: integers(attrs, "nodes_featureids"),
            values: numbers(attrs, "nodes_values"),
            yes: to(&yes)?,
            no: to(&no)?,
            modes,
            adds,
        })
    }

    /// TreeEnsemble: leaves have lists of their own.
    fn of_leaves(attrs: &Attrs) -> Answer<Self> {
        const MODES: [&str; 7] = [
            "BRANCH_LEQ",
            "BRANCH_LT",
            "BRANCH_GTE",
            "BRANCH_GT",
            "BRANCH_EQ",
            "BRANCH_NEQ",
            "BRANCH_MEMBER",
        ];
        let name =
            |mode: i64| usize::try_from(mode).ok().and_then(|m| MODES.get(m)).map_or("", |m| *m).to_owned();
        let modes: Vec<String> = integers(attrs, "nodes_modes").into_iter().map(name).collect();
        let (weights, targets) = (numbers(attrs, "leaf_weights"), integers(attrs, "leaf_targetids"));
        let count = modes.len();
        if count > MOST_NODES || weights.len() != targets.len() {
            return malformed();
        }
        let to = |ids: &str, leaves: &str| -> Answer<Vec<At>> {
            let (ids, leaves) = (integers(attrs, ids), integers(attrs, leaves));
            if [ids.len(), leaves.len()] != [count; 2] {
                return malformed();
            }
            let place = |(id, leaf): (&i64, &i64)| match (usize::try_from(*id), leaf) {
                (Ok(at), 0) if at < count => Ok(At::Node(at)),
                (Ok(at), leaf) if *leaf != 0 && at < weights.len() => Ok(At::Leaf(at)),
                _ => malformed(),
            };
            ids.iter().zip(&leaves).map(place).collect()
        };
        let target = |i: usize| usize::try_from(targets[i]).ok().map(|t| vec![(t, weights[i])]);
        let Some(adds) = (0..weights.len()).map(target).collect::<Option<Vec<_>>>() else {
            return malformed();
        };
        let (yes, no) =
            (to("nodes_truenodeids", "nodes_trueleafs")?, to("nodes_falsenodeids", "nodes_falseleafs")?);
        let root = |id: i64| match usize::try_from(id) {
            Ok(at) if at < count => Ok(At::Node(at)),
            _ => malformed(),
        };
        Ok(Self {
            roots: integers(attrs, "tree_roots").into_iter().map(root).collect::<Answer<_>>()?,
            features: integers(attrs, "nodes_featureids"),
            values: numbers(attrs, "nodes_splits"),
            yes,
            no,
            modes,
            adds,
        })
    }

    /// A node's comparison, and whether its answer is the other way round.
    fn split(&self, at: usize) -> Answer<(Split, bool)> {
        let (test, turned) = match self.modes.get(at).map(String::as_str) {
            Some("BRANCH_LEQ") => (Test::AtMost, false),
            Some("BRANCH_GT") => (Test::AtMost, true),
            Some("BRANCH_GTE") => (Test::AtLeast, false),
            Some("BRANCH_LT") => (Test::AtLeast, true),
            Some("BRANCH_EQ") => (Test::Equal, false),
            Some("BRANCH_NEQ") => (Test::Equal, true),
            Some("BRANCH_MEMBER") => {
                return Err(Reason::Unsupported(
                    "splits by membership of a set are not supported".to_owned(),
                ));
            }
            _ => return malformed(),
        };
        let feature = self.features.get(at).and_then(|f| usize::try_from(*f).ok());
        let (Some(feature), Some(&value)) = (feature, self.values.get(at)) else { return malformed() };
        Ok((Split { feature, test, value }, turned))
    }

    fn tree(&self, root: At) -> Answer<Tree> {
        let mut tree = Tree::default();
        let mut open = vec![(root, Vec::new())];
        while let Some((at, path)) = open.pop() {
            if tree.splits.len() + tree.leaves.len() > MOST_NODES || path.len() > self.modes.len() {
                return malformed();
            }
            match at {
                At::Leaf(at) => {
                    let adds = self.adds.get(at).cloned().unwrap_or_default();
                    tree.leaves.push(Leaf { path, adds });
                }
                At::Node(at) => {
                    let (split, turned) = self.split(at)?;
                    let own = tree.splits.len();
                    tree.splits.push(split);
                    for (next, answer) in [(self.no[at], false), (self.yes[at], true)] {
                        let mut path = path.clone();
                        path.push((own, answer != turned));
                        open.push((next, path));
                    }
                }
            }
        }
        Ok(tree)
    }
}

/// The trees of an operator.
pub(super) fn read(attrs: &Attrs, op: Op) -> Answer<Vec<Tree>> {
    let lists = match op {
        Op::MlTreeEnsembleClassifier => Lists::of_nodes(attrs, "class")?,
        Op::MlTreeEnsembleRegressor => Lists::of_nodes(attrs, "target")?,
        _ => Lists::of_leaves(attrs)?,
    };
    lists.roots.iter().map(|root| lists.tree(*root)).collect()
}
