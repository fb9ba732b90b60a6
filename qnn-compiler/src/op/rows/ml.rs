//! Operators of `ai.onnx.ml`.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::MlArrayFeatureExtractor, Onnx::Itself, infer::ml::extract, Fold::Reference),
    gone(Op::MlBinarizer, Onnx::Itself, infer::ml::same, Fold::Reference),
    gone(Op::MlFeatureVectorizer, Onnx::Itself, infer::ml::join, Fold::Reference),
    gone(Op::MlImputer, Onnx::Itself, infer::ml::same, Fold::Reference),
    gone(Op::MlLabelEncoder, Onnx::Itself, infer::ml::encode, Fold::Reference),
    gone(Op::MlLinearClassifier, Onnx::Itself, infer::ml::classify, Fold::Reference),
    gone(
        Op::MlLinearRegressor,
        Onnx::Itself,
        |site| infer::ml::floats(site, site.count("targets", 1)?),
        Fold::Reference,
    ),
    gone(Op::MlNormalizer, Onnx::Itself, infer::ml::float, Fold::Reference),
    gone(Op::MlOneHotEncoder, Onnx::Itself, infer::ml::one_hot, Fold::Reference),
    gone(Op::MlScaler, Onnx::Itself, infer::ml::float, Fold::Reference),
    gone(
        Op::MlTreeEnsemble,
        Onnx::Itself,
        |site| infer::ml::floats(site, site.count("n_targets", 1)?),
        Fold::Reference,
    ),
    gone(Op::MlTreeEnsembleClassifier, Onnx::Itself, infer::ml::classify, Fold::Reference),
    gone(
        Op::MlTreeEnsembleRegressor,
        Onnx::Itself,
        |site| infer::ml::floats(site, site.count("n_targets", 1)?),
        Fold::Reference,
    ),
    gone(Op::MlZipMap, Onnx::Itself, infer::ml::zip, Fold::Reference),
];
