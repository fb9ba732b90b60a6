//! Where the elements of a resized axis come from, as the ONNX standard defines it and ONNX Runtime computes it.

/// How a position of the result becomes a position of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lower) enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    /// As opset 11 had it for nearest.
    TfHalfPixelForNn,
    /// Of a region, as shares of the extent.
    Crop {
        start: f32,
        end: f32,
    },
}

/// Which neighbour is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lower) enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// How values between elements are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lower) enum Kernel {
    Linear,
    /// With its coefficient.
    Cubic(f64),
}

impl Kernel {
    /// How far it reaches.
    fn support(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Cubic(_) => 2.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        let d = distance.abs();
        match self {
            Self::Linear => (1.0 - d).max(0.0),
            Self::Cubic(a) if d <= 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
            Self::Cubic(a) if d < 2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
            Self::Cubic(_) => 0.0,
        }
    }
}

/// One axis that is resized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lower) struct Axis {
    /// Extent of the input.
    pub(in crate::lower) from: usize,
    /// Extent of the result.
    pub(in crate::lower) to: usize,
    /// What the model says the factor is; rounding the extent may have made it another.
    pub(in crate::lower) scale: f32,
    /// Its mapping of positions.
    pub(in crate::lower) coordinates: Coordinates,
}

impl Axis {
    /// Position in the input of position `o` of the result, in the single precision that decides ties.
    pub(in crate::lower) fn original(&self, o: usize) -> f32 {
        let (x, from, to) = (o as f32, self.from as f32, self.to as f32);
        match self.coordinates {
            Coordinates::HalfPixel => (x + 0.5) / self.scale - 0.5,
            Coordinates::HalfPixelSymmetric => {
                let adjustment = to / (self.scale * from);
                let offset = from / 2.0 * (1.0 - adjustment);
                offset + (x + 0.5) / self.scale - 0.5
            }
            Coordinates::PytorchHalfPixel if self.to > 1 => (x + 0.5) / self.scale - 0.5,
            Coordinates::PytorchHalfPixel => 0.0,
            Coordinates::AlignCorners if self.to > 1 => x * (from - 1.0) / (self.exact() - 1.0),
            Coordinates::AlignCorners => 0.0,
            Coordinates::Asymmetric => x / self.scale,
            Coordinates::TfHalfPixelForNn => (x + 0.5) / self.scale,
            Coordinates::Crop { start, end } if self.to > 1 => {
                start * (from - 1.0) + x * (end - start) * (from - 1.0) / (to - 1.0)
            }
            Coordinates::Crop { start, end } => 0.5 * (start + end) * (from - 1.0),
        }
    }

    /// The extent of the result before it was rounded down, which the standard aligns the corners by. ONNX Runtime takes the rounded one.
    fn exact(&self) -> f32 {
        let (exact, to) = (self.scale * self.from as f32, self.to as f32);
        if (exact - to).abs() < 1e-3 { to } else { exact }
    }

    /// Whether the factor gives an extent that needs no rounding.
    pub(in crate::lower) fn is_whole(&self) -> bool {
        self.exact() == self.to as f32
    }

    /// Whether the result is the input: ONNX Runtime leaves an axis of factor 1 alone, also in a crop.
    pub(in crate::lower) fn is_identity(&self) -> bool {
        self.from == self.to && self.scale == 1.0
    }

    /// Whether a position of the result lies outside of the input, where a crop takes its extrapolation value.
    pub(in crate::lower) fn is_outside(&self, o: usize) -> bool {
        let x = self.original(o);
        let crop = matches!(self.coordinates, Coordinates::Crop { .. }) && !self.is_identity();
        crop && (x < 0.0 || x > self.from as f32 - 1.0)
    }

    /// The element that each position of the result takes.
    pub(in crate::lower) fn nearest(&self, mode: Nearest) -> Vec<usize> {
        if self.is_identity() {
            return (0..self.to).collect();
        }
        (0..self.to)
            .map(|o| {
                let x = self.original(o);
                let x = match mode {
                    Nearest::RoundPreferFloor if x == x.trunc() + 0.5 => x.floor(),
                    Nearest::RoundPreferFloor | Nearest::RoundPreferCeil => x.round(),
                    Nearest::Floor => x.floor(),
                    Nearest::Ceil => x.ceil(),
                };
                (x.max(0.0) as usize).min(self.from - 1)
            })
            .collect()
    }

    /// The matrix (`to`, `from`), row-major, whose product with the input's axis is the result's.
    pub(in crate::lower) fn matrix(
        &self,
        kernel: Kernel,
        antialias: bool,
        exclude_outside: bool,
    ) -> Vec<f64> {
        let mut matrix = vec![0.0; self.to * self.from];
        for (o, row) in matrix.chunks_exact_mut(self.from).enumerate() {
            if self.is_outside(o) {
                continue;
            }
            let mut x = f64::from(self.original(o));
            if kernel == Kernel::Linear && !antialias {
                x = x.clamp(0.0, self.from as f64 - 1.0);
            }
            // Shrinking, an antialiasing kernel is as wide as the elements that become one.
            let spread = if antialias { (1.0 / f64::from(self.scale)).max(1.0) } else { 1.0 };
            let reach = kernel.support() * spread;
            let first = (x - reach).ceil() as i64;
            let last = (x + reach).floor() as i64;
            for at in first..=last {
                let inside = at >= 0 && at < self.from as i64;
                if inside || !exclude_outside {
                    let element = at.clamp(0, self.from as i64 - 1) as usize;
                    row[element] += kernel.weight((at as f64 - x) / spread);
                }
            }
            let sum: f64 = row.iter().sum();
            if sum != 0.0 {
                row.iter_mut().for_each(|w| *w /= sum);
            }
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(from: usize, to: usize, coordinates: Coordinates) -> Axis {
        Axis { from, to, scale: to as f32 / from as f32, coordinates }
    }

    #[test]
    fn doubling_by_half_pixels_mixes_quarters() {
        let matrix = axis(2, 4, Coordinates::HalfPixel).matrix(Kernel::Linear, false, false);
        assert_eq!(matrix, [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
    }

    #[test]
    fn aligned_corners_keep_both_ends() {
        let matrix = axis(2, 3, Coordinates::AlignCorners).matrix(Kernel::Linear, false, false);
        assert_eq!(matrix, [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
    }

    #[test]
    fn halving_with_antialiasing_averages_with_the_edge() {
        let matrix = axis(4, 2, Coordinates::HalfPixel).matrix(Kernel::Linear, true, true);
        let expected = [3.0 / 7.0, 3.0 / 7.0, 1.0 / 7.0, 0.0, 0.0, 1.0 / 7.0, 3.0 / 7.0, 3.0 / 7.0];
        assert!(matrix.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-9), "{matrix:?}");
    }

    #[test]
    fn the_nearest_of_two_equally_near_is_the_mode_s_choice() {
        let axis = axis(4, 2, Coordinates::HalfPixel);
        assert_eq!(axis.nearest(Nearest::RoundPreferFloor), [0, 2]);
        assert_eq!(axis.nearest(Nearest::RoundPreferCeil), [1, 3]);
        assert_eq!(axis.nearest(Nearest::Floor), [0, 2]);
        assert_eq!(axis.nearest(Nearest::Ceil), [1, 3]);
    }

    #[test]
    fn rows_of_a_cubic_matrix_sum_to_one() {
        for exclude in [false, true] {
            let matrix = axis(5, 7, Coordinates::HalfPixel).matrix(Kernel::Cubic(-0.75), false, exclude);
            for row in matrix.chunks_exact(5) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_crop_beyond_the_input_is_outside() {
        let axis = axis(4, 3, Coordinates::Crop { start: 0.5, end: 1.5 });
        assert_eq!((0..3).map(|o| axis.is_outside(o)).collect::<Vec<_>>(), [false, false, true]);
    }
}
