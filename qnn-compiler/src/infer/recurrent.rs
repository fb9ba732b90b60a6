//! Recurrent networks.

use super::site::{Answer, Site, dims, invalid};
use crate::graph::TensorType;

pub(crate) fn recurrent(site: &Site<'_>) -> Answer {
    let hidden = match site.ty(2)?.shape[..] {
        [_, _, hidden] => hidden,
        _ => return invalid(format!("recurrence weights {}", dims(&site.ty(2)?.shape))),
    };
    states(site, hidden)
}

/// The recurrence weights are transposed.
pub(crate) fn quantized(site: &Site<'_>) -> Answer {
    match site.ty(2)?.shape[..] {
        [_, hidden, _] => states(site, hidden),
        _ => invalid(format!("recurrence weights {}", dims(&site.ty(2)?.shape))),
    }
}

/// Outputs: all states, the last state, the last cell state (which LSTM alone has).
fn states(site: &Site<'_>, hidden: usize) -> Answer {
    let (x, w) = (site.ty(0)?, site.ty(1)?);
    let directions = if site.node.attrs.str_or("direction", "forward") == "bidirectional" { 2 } else { 1 };
    let ([a, b, _], [wd, _, _]) = (&x.shape[..], &w.shape[..]) else {
        return invalid(format!("input {} with weights {}", dims(&x.shape), dims(&w.shape)));
    };
    if *wd != directions || site.count("hidden_size", hidden as i64)? != hidden {
        return invalid(format!("weights {} do not fit the direction or hidden_size", dims(&w.shape)));
    }
    let batch_first = site.node.attrs.int_or("layout", 0) != 0;
    let (all, last) = if batch_first {
        (vec![*a, *b, directions, hidden], vec![*a, directions, hidden])
    } else {
        (vec![*a, directions, *b, hidden], vec![directions, *b, hidden])
    };
    let last = TensorType::new(x.dtype, last);
    Ok(vec![TensorType::new(x.dtype, all), last.clone(), last])
}
