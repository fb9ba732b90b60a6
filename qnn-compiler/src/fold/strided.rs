//! Dense copies of strided views: what slicing, transposing and broadcasting have in common.

use crate::graph::{Data, TensorType};

/// Row-major strides of a shape, in elements.
pub(super) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut out = vec![1; shape.len()];
    for i in (0..shape.len().saturating_sub(1)).rev() {
        out[i] = out[i + 1] * shape[i + 1] as isize;
    }
    out
}

/// Strides under which a tensor of `shape` reads as one of `target`; `None` where it does not broadcast to that.
fn broadcast_strides(shape: &[usize], target: &[usize]) -> Option<Vec<isize>> {
    let skip = target.len().checked_sub(shape.len())?;
    let own = strides(shape);
    let stride = |i: usize| match i.checked_sub(skip) {
        Some(at) if shape[at] == target[i] => Some(own[at]),
        Some(at) if shape[at] != 1 => None,
        _ => Some(0),
    };
    (0..target.len()).map(stride).collect()
}

/// A view of elements of `size` bytes.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) size: usize,
    /// First element.
    pub(super) offset: isize,
    pub(super) shape: Vec<usize>,
    /// In elements, one an axis.
    pub(super) strides: Vec<isize>,
}

impl View<'_> {
    /// Calls `row` with the position of the first element of each innermost row, in row-major order.
    fn rows(&self, mut row: impl FnMut(isize) -> Option<()>) -> Option<()> {
        if self.shape.contains(&0) {
            return Some(());
        }
        let outer = self.shape.len().saturating_sub(1);
        let mut index = vec![0; outer];
        let mut at = self.offset;
        loop {
            row(at)?;
            let mut axis = outer;
            loop {
                if axis == 0 {
                    return Some(());
                }
                axis -= 1;
                index[axis] += 1;
                at += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.strides[axis] * index[axis] as isize;
                index[axis] = 0;
            }
        }
    }

    /// The elements in row-major order; `None` where the view leaves the bytes.
    pub(super) fn dense(&self) -> Option<Data> {
        match self.size {
            1 => self.copy::<1>(),
            2 => self.copy::<2>(),
            4 => self.copy::<4>(),
            8 => self.copy::<8>(),
            _ => None,
        }
    }

    fn copy<const N: usize>(&self) -> Option<Data> {
        let (elements, _) = self.bytes.as_chunks::<N>();
        let count: usize = self.shape.iter().product();
        let (length, step) = match (self.shape.last(), self.strides.last()) {
            (Some(length), Some(step)) => (*length, *step),
            _ => (1, 1),
        };
        let mut out: Vec<[u8; N]> = Vec::with_capacity(count);
        self.rows(|at| {
            if step == 1 {
                let start = usize::try_from(at).ok()?;
                out.extend_from_slice(elements.get(start..start + length)?);
            } else {
                for i in 0..length as isize {
                    out.push(*elements.get(usize::try_from(at + i * step).ok()?)?);
                }
            }
            Some(())
        })?;
        Some(Data::new(out.into_flattened().into()))
    }
}

/// A tensor's elements as one of shape `target`, which it broadcasts to.
pub(super) fn broadcast(ty: &TensorType, data: &Data, target: &[usize]) -> Option<Data> {
    if ty.shape == target {
        return Some(data.clone());
    }
    let strides = broadcast_strides(&ty.shape, target)?;
    View { bytes: data.bytes(), size: ty.dtype.size(), offset: 0, shape: target.to_vec(), strides }.dense()
}
