//! Encodings of masks: a value that stands for minus infinity stretches the range beyond what HTP computes with.

use crate::graph::{Encoding, Graph};

/// The largest number of fp16.
const LARGEST: f64 = 65504.0;

/// No number that a network computes is as large; what is, blocks something.
const BEYOND: f64 = 1e8;

/// Ends ranges that are beyond all numbers of a network where fp16 ends: HTP's softmax of logits with steps of 5e33 keeps 28 dB.
/// Steps stay too coarse for any other number than zero, as they were.
pub(in crate::passes) fn run(graph: &mut Graph) {
    let graph_io: Vec<_> = graph.inputs.iter().chain(&graph.outputs).copied().collect();
    let ids: Vec<_> = graph.value_ids().filter(|id| !graph_io.contains(id)).collect();
    for id in ids {
        let value = graph.value_mut(id);
        if let Some(encoding) = value.encoding.as_mut().filter(|_| value.data.is_none()) {
            shrink(encoding);
        }
    }
}

fn shrink(encoding: &mut Encoding) {
    let Some((low, high)) = encoding.range().filter(|(low, high)| *low < -BEYOND || *high > BEYOND) else {
        return;
    };
    let (least, most) = encoding.limits();
    let (low, high) = (low.clamp(-LARGEST, 0.0), high.clamp(0.0, LARGEST));
    let scale = (high - low) / (most - least) as f64;
    let zero = (least as f64 - low / scale).round() as i32;
    if let Ok(limited) = Encoding::new_per_tensor(encoding.storage(), scale as f32, zero) {
        *encoding = limited;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Storage;

    #[test]
    fn a_mask_ends_where_fp16_does_and_keeps_its_zero() {
        let encoding = |scale, zero| Encoding::new_per_tensor(Storage::U16, scale, zero).unwrap();
        let mut mask = encoding(5.192_376e33, 65535);
        shrink(&mut mask);
        assert_eq!(mask, encoding(65504.0 / 65535.0, 65535));
        let mut large = encoding(100.0, 0);
        shrink(&mut large);
        assert_eq!(large, encoding(100.0, 0));
    }
}
