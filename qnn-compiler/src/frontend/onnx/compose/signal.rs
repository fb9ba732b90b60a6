//! Fourier transforms as matrix products, and tables that depend on nothing but numbers.

use std::f64::consts::TAU;

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("BlackmanWindow", TABLE, |p| window(p, &[0.42, -0.5, 0.08])),
    row("DFT", "MatMul with a constant matrix", dft),
    row("HammingWindow", TABLE, |p| window(p, &[25.0 / 46.0, -21.0 / 46.0])),
    row("HannWindow", TABLE, |p| window(p, &[0.5, -0.5])),
    row("MelWeightMatrix", TABLE, mel_weights),
    row("STFT", "Gather of frames, Mul by the window, MatMul with a constant matrix", stft),
];

const TABLE: &str = "a constant";

/// A sum of cosines of multiples of the place.
fn window(p: &mut Parts<'_, '_>, factors: &[f64]) -> Answer<Written> {
    let ty = p.types[0].clone();
    let size = ty.elements();
    let periodic = p.node.attrs.int_or("periodic", 1) != 0;
    let span = if periodic { size } else { size.saturating_sub(1) }.max(1) as f64;
    let at =
        |i: usize| factors.iter().enumerate().map(|(k, f)| f * (TAU * (k * i) as f64 / span).cos()).sum();
    let values: Vec<f64> = (0..size).map(at).collect();
    Ok(Some(vec![p.floats(ty.dtype, &ty.shape, &values)]))
}

/// Triangles between edges that are evenly spaced in mel.
fn mel_weights(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let ty = p.types[0].clone();
    let [Some(bins), Some(length), Some(rate)] =
        [0, 1, 2].map(|i| p.node.input(i).and_then(|id| p.known_ints(id)).and_then(|v| v.first().copied()))
    else {
        return invalid("its inputs are not constant");
    };
    let [Some(low), Some(high)] =
        [3, 4].map(|i| p.node.input(i).and_then(|id| p.known_floats(id)).and_then(|v| v.first().copied()))
    else {
        return invalid("its inputs are not constant");
    };
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let hertz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(low), mel(high));
    let step = (high - low) / (bins + 2) as f64;
    let edge = |i: i64| ((length + 1) as f64 * hertz(low + step * i as f64) / rate as f64).floor() as i64;
    let &[rows, columns] = &ty.shape[..] else { return invalid("the result is no matrix") };
    let mut values = vec![0.0; rows * columns];
    for bin in 0..columns {
        let (begin, centre, end) = (edge(bin as i64), edge(bin as i64 + 1), edge(bin as i64 + 2));
        for row in 0..rows as i64 {
            let weight = if row == centre && begin == centre {
                1.0
            } else if (begin..=centre).contains(&row) {
                (row - begin) as f64 / (centre - begin) as f64
            } else if (centre..end).contains(&row) {
                (end - row) as f64 / (end - centre) as f64
            } else {
                0.0
            };
            values[row as usize * columns + bin] = weight;
        }
    }
    Ok(Some(vec![p.floats(ty.dtype, &ty.shape, &values)]))
}

/// Real and imaginary part of each row turn into those of each column.
struct Transform {
    /// Elements read, each with one part or two.
    rows: usize,
    parts: usize,
    /// Elements made.
    columns: usize,
    /// Parts made.
    made: usize,
    /// Length of the transform.
    length: usize,
    inverse: bool,
    /// The rows are the first half of a spectrum whose other half mirrors it.
    mirrored: bool,
}

impl Transform {
    /// The matrix (rows · parts, columns · made).
    fn matrix(&self) -> Vec<f64> {
        let n = self.length;
        let scale = if self.inverse { 1.0 / n as f64 } else { 1.0 };
        let mut matrix = Vec::with_capacity(self.rows * self.parts * self.columns * self.made);
        for row in 0..self.rows {
            let alone = row == 0 || 2 * row == n;
            let weight = scale * if self.mirrored && !alone { 2.0 } else { 1.0 };
            for part in 0..self.parts {
                for column in 0..self.columns {
                    // The product is taken modulo the length, so that the angle is exact.
                    let angle = TAU * (row * column % n) as f64 / n as f64;
                    let angle = if self.inverse { angle } else { -angle };
                    let (real, imaginary) =
                        if part == 0 { (angle.cos(), angle.sin()) } else { (-angle.sin(), angle.cos()) };
                    matrix.push(weight * real);
                    if self.made == 2 {
                        matrix.push(weight * imaginary);
                    }
                }
            }
        }
        matrix
    }

    fn constant(&self, p: &mut Parts<'_, '_>, dtype: DType) -> ValueId {
        p.floats(dtype, &[self.rows * self.parts, self.columns * self.made], &self.matrix())
    }
}

fn dft(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, result, dtype) = (p.shape(x), p.types[0].shape.clone(), p.dtype(x));
    let rank = shape.len();
    let axis = crate::infer::axis(p.site().int(2)?, rank)?;
    let inverse = p.node.attrs.int_or("inverse", 0) != 0;
    let mirrored = inverse && p.node.attrs.int_or("onesided", 0) != 0;
    let length = match p.site().opt_ints(1)?.as_deref() {
        Some(&[n]) => usize::try_from(n).unwrap_or(0),
        _ if mirrored => 2 * shape[axis].saturating_sub(1),
        _ => shape[axis],
    };
    if length == 0 {
        return invalid("a transform of no elements");
    }
    let most = if mirrored { length / 2 + 1 } else { length };
    let rows = shape[axis].min(most);
    let x = if rows < shape[axis] { p.slice(x, axis, [0, rows as i64, 1])? } else { x };
    let parts = shape[rank - 1];
    let transform =
        Transform { rows, parts, columns: result[axis], made: result[rank - 1], length, inverse, mirrored };
    let matrix = transform.constant(p, dtype);
    let perm: Vec<usize> =
        (0..rank).filter(|a| *a != axis && *a + 1 != rank).chain([axis, rank - 1]).collect();
    let turned = p.transpose(x, &perm)?;
    let outer: Vec<usize> = perm[..rank - 2].iter().map(|a| shape[*a]).collect();
    let count = outer.iter().product();
    let flat = p.reshape(turned, &[count, rows * parts])?;
    let y = p.op(Op::MatMul, &[flat, matrix])?;
    let y = p.reshape(y, &[&outer[..], &[result[axis], result[rank - 1]]].concat())?;
    let mut back = vec![0; rank];
    perm.iter().enumerate().for_each(|(i, a)| back[*a] = i);
    Ok(Some(vec![p.transpose(y, &back)?]))
}

/// Inputs: signal (batch, length, parts), step, window, length of a frame.
fn stft(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, dtype) = (p.shape(x), p.dtype(x));
    let (batch, length) = (shape[0], shape[1]);
    let parts = shape.get(2).copied().unwrap_or(1);
    let [_, frames, bins, _] = p.types[0].shape[..] else { return invalid("the result has not four axes") };
    let step = p.site().int(1)?;
    let frame = match (p.node.input(3), p.node.input(2)) {
        (Some(_), _) => usize::try_from(p.site().int(3)?).unwrap_or(0),
        (None, Some(window)) => p.shape(window).iter().product(),
        (None, None) => return invalid("neither a window nor a frame length is given"),
    };
    let turned = p.reshape(x, &[batch, length, parts])?;
    let turned = p.transpose(turned, &[1, 0, 2])?;
    let table = p.reshape(turned, &[length, batch * parts])?;
    let places: Vec<i64> =
        (0..frames as i64).flat_map(|f| (0..frame as i64).map(move |i| f * step + i)).collect();
    let places = p.ints(DType::I64, &[places.len()], &places);
    let taken = p.rows(table, places)?;
    let taken = p.reshape(taken, &[frames, frame, batch, parts])?;
    let mut taken = p.transpose(taken, &[2, 0, 1, 3])?;
    if let Some(window) = p.node.input(2) {
        let window = p.reshape(window, &[1, 1, frame, 1])?;
        taken = p.op(Op::Mul, &[taken, window])?;
    }
    let flat = p.reshape(taken, &[batch * frames, frame * parts])?;
    let transform = Transform {
        rows: frame,
        parts,
        columns: bins,
        made: 2,
        length: frame,
        inverse: false,
        mirrored: false,
    };
    let matrix = transform.constant(p, dtype);
    let y = p.op(Op::MatMul, &[flat, matrix])?;
    Ok(Some(vec![p.reshape(y, &[batch, frames, bins, 2])?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_and_its_inverse_are_one() {
        let transform = |inverse| Transform {
            rows: 5,
            parts: 2,
            columns: 5,
            made: 2,
            length: 5,
            inverse,
            mirrored: false,
        };
        let (a, b) = (transform(false).matrix(), transform(true).matrix());
        for i in 0..10 {
            for j in 0..10 {
                let sum: f64 = (0..10).map(|k| a[i * 10 + k] * b[k * 10 + j]).sum();
                assert!((sum - f64::from(u8::from(i == j))).abs() < 1e-12, "{i} {j} {sum}");
            }
        }
    }
}
