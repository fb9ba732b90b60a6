//! Classical machine learning: domain ai.onnx.ml.

use super::site::{Answer, Reason, Site, invalid, one};
use crate::graph::{Attr, Attrs, DType, TensorType};

/// How many entries a list of any kind has.
fn entries(attrs: &Attrs, name: &str) -> usize {
    match attrs.get(name) {
        Some(Attr::Ints(v)) => v.len(),
        Some(Attr::Floats(v)) => v.len(),
        Some(Attr::Strs(v)) => v.len(),
        Some(Attr::Tensor(ty, _)) => ty.elements(),
        _ => 0,
    }
}

/// How many classes a classifier tells apart.
pub(crate) fn classes(attrs: &Attrs) -> usize {
    ["classlabels_ints", "classlabels_int64s", "classlabels_strings"]
        .into_iter()
        .map(|name| entries(attrs, name))
        .max()
        .unwrap_or(0)
}

/// Rows of a table: a single axis is one row.
fn rows(site: &Site<'_>) -> Answer<usize> {
    match site.ty(0)?.shape[..] {
        [_] => Ok(1),
        [rows, _] => Ok(rows),
        ref shape => invalid(format!("its input has {} axes and not rows of features", shape.len())),
    }
}

pub(crate) fn same(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, x.shape.clone())
}

pub(crate) fn float(site: &Site<'_>) -> Answer {
    one(DType::F32, site.ty(0)?.shape.clone())
}

pub(crate) fn floats(site: &Site<'_>, count: usize) -> Answer {
    one(DType::F32, [rows(site)?, count])
}

/// The number of the class, and a score a class.
pub(crate) fn classify(site: &Site<'_>) -> Answer {
    let (rows, classes) = (rows(site)?, classes(&site.node.attrs));
    if classes == 0 {
        return invalid("it has no class labels");
    }
    Ok(vec![TensorType::new(DType::I64, [rows]), TensorType::new(DType::F32, [rows, classes])])
}

pub(crate) fn extract(site: &Site<'_>) -> Answer {
    let (x, at) = (site.ty(0)?, site.ty(1)?);
    let Some((_, outer)) = x.shape.split_last() else { return invalid("its input has no axis") };
    let outer: &[usize] = if outer.is_empty() { &[1] } else { outer };
    one(x.dtype, [outer, &[at.elements()]].concat())
}

pub(crate) fn join(site: &Site<'_>) -> Answer {
    let mut width = 0;
    for i in 0..site.node.inputs.len() {
        width += site.ty(i)?.shape.last().copied().unwrap_or(1);
    }
    one(DType::F32, [rows(site)?, width])
}

pub(crate) fn one_hot(site: &Site<'_>) -> Answer {
    let count = entries(&site.node.attrs, "cats_int64s");
    if count == 0 {
        return Err(Reason::Unsupported(
            "categories of text are not supported: encode them in the app".to_owned(),
        ));
    }
    one(DType::F32, [&site.ty(0)?.shape[..], &[count]].concat())
}

pub(crate) fn encode(site: &Site<'_>) -> Answer {
    let attrs = &site.node.attrs;
    let dtype = if entries(attrs, "values_int64s") > 0 {
        DType::I64
    } else if entries(attrs, "values_floats") > 0 {
        DType::F32
    } else if let Some(Attr::Tensor(ty, _)) = attrs.get("values_tensor") {
        ty.dtype
    } else {
        return Err(Reason::Unsupported(
            "labels of text are not supported: encode them in the app".to_owned(),
        ));
    };
    one(dtype, site.ty(0)?.shape.clone())
}

pub(crate) fn zip(_: &Site<'_>) -> Answer {
    Err(Reason::Unsupported(
        "its result is a sequence of maps and no tensor: keep the table of scores that it reads".to_owned(),
    ))
}
