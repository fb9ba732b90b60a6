//! Classical machine learning: what scikit-learn, LightGBM and XGBoost are exported as.

use qnn_compiler::frontend::onnx::proto::AttributeProto;

use crate::case::{Case, Draft, case, refused};
use crate::support::{floats, ints, text, texts};

/// A node of the domain, each of whose results is an output.
fn node(d: &mut Draft, op: &str, inputs: &[&str], attributes: &[AttributeProto], outputs: usize) {
    for y in d.nodes(op, inputs, attributes, outputs) {
        d.output(&y);
    }
    d.domain("ai.onnx.ml");
}

/// Classes that weights are of.
const ONE: &[i64] = &[0];
const THREE: &[i64] = &[0, 1, 2];
/// How splits compare.
const AT_MOST: &[&str] = &["BRANCH_LEQ"];
const BELOW: &[&str] = &["BRANCH_LT"];
const MIXED: &[&str] = &["BRANCH_LEQ", "BRANCH_GT", "BRANCH_GTE"];

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        case("scaler", |d| {
            let x = d.input(&[4, 3]);
            let attributes = [floats("offset", &[0.5, -1.0, 2.0]), floats("scale", &[2.0, 0.1, 3.0])];
            node(d, "Scaler", &[&x], &attributes, 1);
        }),
        case("scaler_by_one_number", |d| {
            let x = d.input(&[4, 3]);
            node(d, "Scaler", &[&x], &[floats("offset", &[0.5]), floats("scale", &[2.0])], 1);
        }),
        case("linear_regressor", |d| {
            let x = d.input(&[4, 3]);
            let attributes = [floats("coefficients", &[0.5, -1.0, 2.0]), floats("intercepts", &[0.7])];
            node(d, "LinearRegressor", &[&x], &attributes, 1);
        }),
        case("array_feature_extractor", |d| {
            let x = d.input(&[4, 6]);
            let at = d.ints(&[4, 1]);
            node(d, "ArrayFeatureExtractor", &[&x, &at], &[], 1);
        }),
        case("binarizer", |d| {
            let x = d.input(&[4, 6]);
            node(d, "Binarizer", &[&x], &[crate::support::float("threshold", 0.2)], 1);
        }),
        case("one_hot_encoder", |d| {
            let x = d.input_i64(&[4], &[3, 9, 5, 4]);
            node(d, "OneHotEncoder", &[&x], &[ints("cats_int64s", &[3, 4, 5])], 1);
        }),
        case("label_encoder", |d| {
            let x = d.input_i64(&[5], &[3, 9, 5, 4, 3]);
            let lists = [ints("keys_int64s", &[3, 4, 5]), floats("values_floats", &[0.5, -2.0, 7.0])];
            node(d, "LabelEncoder", &[&x], &lists, 1);
            d.version("ai.onnx.ml", 2);
        }),
        refused("zip_map", "E0302", "sequence of maps", |d| {
            let x = d.input(&[4, 2]);
            let x = d.node("Softmax", &[&x], &[]);
            node(d, "ZipMap", &[&x], &[ints("classlabels_int64s", &[0, 1])], 1);
        }),
        refused("labels_of_text", "E0302", "labels are texts", |d| {
            let x = d.input(&[4, 2]);
            let attributes = [
                floats("coefficients", &[0.5, -1.0, 2.0, 1.0]),
                floats("intercepts", &[0.7, 0.1]),
                texts("classlabels_strings", &["cat", "dog"]),
            ];
            node(d, "LinearClassifier", &[&x], &attributes, 2);
        }),
    ];
    for norm in ["MAX", "L1", "L2"] {
        all.push(case(format!("normalizer_{norm}"), move |d| {
            let x = d.input(&[4, 6]);
            node(d, "Normalizer", &[&x], &[text("norm", norm)], 1);
        }));
    }
    for transform in ["NONE", "LOGISTIC", "SOFTMAX"] {
        for targets in [1usize, 2, 3] {
            all.push(case(format!("linear_classifier_{targets}_{transform}"), move |d| {
                let x = d.input(&[5, 4]);
                let (w, b) = (d.normal(4 * targets, 0.5), d.normal(targets, 0.5));
                let labels: &[i64] = if targets == 3 { &[2, 5, 9] } else { &[4, 7] };
                let attributes = [
                    floats("coefficients", &w),
                    floats("intercepts", &b),
                    ints("classlabels_ints", labels),
                    text("post_transform", transform),
                ];
                node(d, "LinearClassifier", &[&x], &attributes, 2);
            }));
        }
        for (name, ids, low) in [("binary", ONE, 0.0), ("signed", ONE, -1.0), ("three", THREE, -1.0)] {
            let three = ids.len() == 3;
            all.push(case(format!("trees_classifier_{name}_{transform}"), move |d| {
                let labels: &[i64] = if three { &[0, 1, 2] } else { &[0, 1] };
                let own = [ints("classlabels_int64s", labels), text("post_transform", transform)];
                trees(d, "Classifier", ids, low, &own);
            }));
        }
    }
    for (name, modes) in [("at_most", AT_MOST), ("below", BELOW), ("mixed", MIXED)] {
        for (rows, average) in [(1, false), (6, true)] {
            all.push(case(format!("trees_regressor_{name}_of_{rows}"), move |d| {
                let how = if average { "AVERAGE" } else { "SUM" };
                let x = d.input(&[rows, 3]);
                let mut lists = forest(d, modes);
                lists.extend(leaves(d, "target", &[0, 1], -1.0));
                lists.extend([
                    crate::support::int("n_targets", 2),
                    text("aggregate_function", how),
                    floats("base_values", &[0.25, -3.0]),
                ]);
                node(d, "TreeEnsembleRegressor", &[&x], &lists, 1);
            }));
        }
    }
    all
}

/// Three trees of two splits and three leaves each.
const TREES: i64 = 3;

fn forest(d: &mut Draft, modes: &[&str]) -> Vec<AttributeProto> {
    let mut lists: [Vec<i64>; 5] = Default::default();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for tree in 0..TREES {
        // Node 0 leads to leaf 1 or node 2, and that to leaves 3 and 4.
        for (id, yes, no) in [(0, 1, 2), (1, 0, 0), (2, 3, 4), (3, 0, 0), (4, 0, 0)] {
            let own = [tree, id, (tree + id) % 3, yes, no];
            lists.iter_mut().zip(own).for_each(|(list, value)| list.push(value));
            let split = id == 0 || id == 2;
            names.push(if split { modes[names.len() % modes.len()] } else { "LEAF" });
            values.push(if split { d.normal(1, 0.7)[0] } else { 0.0 });
        }
    }
    let keys =
        ["nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"];
    let mut all: Vec<AttributeProto> = keys.iter().zip(&lists).map(|(key, list)| ints(key, list)).collect();
    all.extend([texts("nodes_modes", &names), floats("nodes_values", &values)]);
    all
}

/// What each leaf adds to each of some targets.
fn leaves(d: &mut Draft, kind: &str, targets: &[i64], low: f32) -> Vec<AttributeProto> {
    let mut lists: [Vec<i64>; 3] = Default::default();
    for tree in 0..TREES {
        for leaf in [1, 3, 4] {
            for target in targets {
                lists.iter_mut().zip([tree, leaf, *target]).for_each(|(list, value)| list.push(value));
            }
        }
    }
    let weights = d.between(lists[0].len(), low, 0.4);
    let keys = ["treeids", "nodeids", "ids"];
    let mut all: Vec<AttributeProto> =
        keys.iter().zip(&lists).map(|(key, list)| ints(&format!("{kind}_{key}"), list)).collect();
    all.push(floats(&format!("{kind}_weights"), &weights));
    all
}

fn trees(d: &mut Draft, kind: &str, targets: &[i64], low: f32, own: &[AttributeProto]) {
    let x = d.input(&[6, 3]);
    let mut lists = forest(d, &["BRANCH_LEQ"]);
    lists.extend(leaves(d, "class", targets, low));
    lists.extend_from_slice(own);
    node(d, &format!("TreeEnsemble{kind}"), &[&x], &lists, 2);
}
