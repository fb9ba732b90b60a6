//! What sees the values of a graph while samples run through it.

use std::collections::HashMap;

use super::tensor::Tensor;
use crate::graph::ValueId;

/// Sees every value that it asked for, once a sample.
pub trait Observer {
    /// A value of one sample.
    fn see(&mut self, value: ValueId, tensor: &Tensor);
}

/// The least and the largest number of each value; infinities and NaN do not count.
#[derive(Clone, Debug, Default)]
pub struct Extremes(pub HashMap<ValueId, (f64, f64)>);

impl Observer for Extremes {
    fn see(&mut self, value: ValueId, tensor: &Tensor) {
        let entry = self.0.entry(value).or_insert((f64::INFINITY, f64::NEG_INFINITY));
        for number in tensor.data.to_f32(tensor.ty.dtype).into_iter().filter(|number| number.is_finite()) {
            *entry = (entry.0.min(f64::from(number)), entry.1.max(f64::from(number)));
        }
    }
}
