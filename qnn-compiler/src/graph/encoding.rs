//! Quantization encodings of values.

/// How stored integers stand for real numbers: `real = (q - zero_point) * scale`, and in blocks `+ shift`.
///
/// A computed value with an encoding is a float in the graph, and integers on the device. A constant with an encoding has
/// an integer dtype: its data are the stored integers, its meaning the real numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoding {
    /// Bits in use; at most the dtype's.
    pub bits: u8,
    /// Whether the stored integers are signed.
    pub signed: bool,
    /// Axis that `scales` runs along; `None` means per tensor.
    pub axis: Option<usize>,
    /// Elements along `axis` that share a scale; 0 where a whole slice does.
    pub block: usize,
    /// One scale per tensor, or one per slice along `axis`. In blocks a tensor of scales, row-major, of the value's shape with
    /// `axis` divided by `block`.
    pub scales: Vec<f32>,
    /// As many as `scales`.
    pub zero_points: Vec<i32>,
    /// In blocks what is added to each real number, as many as `scales`; empty for nothing.
    pub shifts: Vec<f32>,
}

impl Encoding {
    /// The least and the largest stored integer.
    pub fn limits(&self) -> (i64, i64) {
        let bits = u32::from(self.bits.clamp(1, 32));
        if self.signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
    }

    /// Scale and zero point where there is one of each.
    pub fn per_tensor(&self) -> Option<(f32, i32)> {
        match (self.axis, &self.scales[..], &self.zero_points[..]) {
            (None, &[scale], &[zero]) => Some((scale, zero)),
            _ => None,
        }
    }

    /// The least and the largest real number; `None` where slices differ.
    pub fn range(&self) -> Option<(f64, f64)> {
        let (scale, zero) = self.per_tensor()?;
        let (low, high) = self.limits();
        let real = |q: i64| (q - i64::from(zero)) as f64 * f64::from(scale);
        Some((real(low), real(high)))
    }

    /// Which entry of `scales` each element of a tensor has.
    fn slices(&self, shape: &[usize]) -> impl Fn(usize) -> usize + use<> {
        let (extent, inner) = match self.axis {
            Some(axis) => (
                shape.get(axis).copied().unwrap_or(1).max(1),
                shape.get(axis + 1..).unwrap_or_default().iter().product::<usize>().max(1),
            ),
            None => (1, 1),
        };
        let block = self.block;
        let blocks = extent.div_ceil(block.max(1));
        move |i| {
            let along = (i / inner) % extent;
            match along.checked_div(block) {
                None => along,
                Some(at) => ((i / (inner * extent)) * blocks + at) * inner + i % inner,
            }
        }
    }

    /// The shape of `scales` in blocks, for a value of this shape.
    pub fn scales_shape(&self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        if let Some(extent) = self.axis.and_then(|axis| shape.get_mut(axis)) {
            *extent = extent.div_ceil(self.block.max(1));
        }
        shape
    }

    /// The encoding of a value in blocks whose axes are put in another order, the `i`-th from axis `order[i]`.
    #[must_use]
    pub fn transposed_blocks(&self, shape: &[usize], order: &[usize]) -> Self {
        let from = self.scales_shape(shape);
        Self {
            axis: self.axis.and_then(|axis| order.iter().position(|&o| o == axis)),
            scales: transposed(&self.scales, &from, order),
            zero_points: transposed(&self.zero_points, &from, order),
            shifts: transposed(&self.shifts, &from, order),
            ..*self
        }
    }

    /// The real numbers of stored integers.
    pub fn dequantize(&self, integers: &[i64], shape: &[usize]) -> Vec<f64> {
        let slice = self.slices(shape);
        integers.iter().enumerate().map(|(i, &q)| self.dequantize_one(q, slice(i))).collect()
    }

    /// The real number of an integer that has the `at`-th scale.
    pub fn dequantize_one(&self, q: i64, at: usize) -> f64 {
        let zero = self.zero_points.get(at).copied().unwrap_or(0);
        let shift = self.shifts.get(at).copied().unwrap_or(0.0);
        (q - i64::from(zero)) as f64 * f64::from(self.scales.get(at).copied().unwrap_or(0.0))
            + f64::from(shift)
    }

    /// The stored integers of real numbers: rounded to nearest, ties to even, saturated.
    pub fn quantize(&self, reals: &[f64], shape: &[usize]) -> Vec<i64> {
        let slice = self.slices(shape);
        reals.iter().enumerate().map(|(i, &real)| self.quantize_one(real, slice(i))).collect()
    }

    /// The integer of a real number that has the `at`-th scale.
    pub fn quantize_one(&self, real: f64, at: usize) -> i64 {
        let (low, high) = self.limits();
        let zero = f64::from(self.zero_points.get(at).copied().unwrap_or(0));
        let scale = f64::from(self.scales.get(at).copied().unwrap_or(1.0));
        let shift = f64::from(self.shifts.get(at).copied().unwrap_or(0.0));
        let steps = (real - shift) / scale;
        // Halves are those of float32, in which the operator divides.
        let steps = if self.bits > 16 { steps } else { f64::from(steps as f32) };
        (steps.round_ties_even() + zero).clamp(low as f64, high as f64) as i64
    }
}

/// Elements of a tensor of shape `from` with its axes in another order; nothing where there are none.
fn transposed<T: Copy>(elements: &[T], from: &[usize], order: &[usize]) -> Vec<T> {
    let mut steps = vec![1; from.len()];
    for axis in (1..from.len()).rev() {
        steps[axis - 1] = steps[axis] * from[axis];
    }
    let to: Vec<usize> = order.iter().map(|&axis| from[axis]).collect();
    let at = |flat: usize| {
        let mut rest = flat;
        order.iter().zip(&to).rev().fold(0, |at, (&axis, &extent)| {
            let index = rest % extent;
            rest /= extent;
            at + index * steps[axis]
        })
    };
    (0..elements.len()).filter_map(|flat| elements.get(at(flat)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_along_an_axis_have_their_own_scale() {
        let encoding = Encoding {
            bits: 8,
            signed: true,
            axis: Some(1),
            scales: vec![0.5, 2.0],
            zero_points: vec![0, 1],
            ..Encoding::default()
        };
        assert_eq!(encoding.dequantize(&[1, 2, 3, 4], &[1, 2, 2]), [0.5, 1.0, 4.0, 6.0]);
        assert_eq!(encoding.quantize(&[0.5, 1.0, 4.0, 600.0], &[1, 2, 2]), [1, 2, 3, 127]);
    }

    #[test]
    fn ties_round_to_even_and_the_zero_point_comes_after() {
        let encoding = Encoding { bits: 8, scales: vec![1.0], zero_points: vec![1], ..Encoding::default() };
        assert_eq!(encoding.quantize(&[0.5, 1.5, 2.5, -9.0], &[4]), [1, 3, 3, 0]);
    }

    #[test]
    fn blocks_along_an_axis_have_their_own_scale_and_shift() {
        let encoding = Encoding {
            bits: 4,
            signed: true,
            axis: Some(1),
            block: 2,
            scales: vec![1.0, 2.0, 3.0, 4.0],
            zero_points: vec![0; 4],
            shifts: vec![0.5, 0.0, 0.0, 0.0],
        };
        let integers = [1, 1, 1, 1, 2, 2, 2, 2];
        let reals = [1.5, 1.5, 2.0, 2.0, 6.0, 6.0, 8.0, 8.0];
        assert_eq!(encoding.dequantize(&integers, &[2, 4]), reals);
        assert_eq!(encoding.quantize(&reals, &[2, 4]), integers);
        let turned = encoding.transposed_blocks(&[2, 4], &[1, 0]);
        assert_eq!((turned.axis, &turned.scales[..]), (Some(0), &[1.0, 3.0, 2.0, 4.0][..]));
        let turned_integers = [1, 2, 1, 2, 1, 2, 1, 2];
        assert_eq!(turned.dequantize(&turned_integers, &[4, 2]), [1.5, 6.0, 1.5, 6.0, 2.0, 8.0, 2.0, 8.0]);
    }
}
