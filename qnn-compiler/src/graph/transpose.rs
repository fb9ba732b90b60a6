//! Constants in another order of axes.

use super::Data;

impl Data {
    /// The elements, of `size` bytes and row-major in `shape`, with axis `i` of the result being axis `perm[i]` of these.
    pub fn transposed(&self, size: usize, shape: &[usize], perm: &[usize]) -> Self {
        match size {
            1 => reorder::<1>(self, shape, perm),
            2 => reorder::<2>(self, shape, perm),
            4 => reorder::<4>(self, shape, perm),
            _ => reorder::<8>(self, shape, perm),
        }
    }
}

fn apply(perm: &[usize], of: &[usize]) -> Vec<usize> {
    perm.iter().map(|&axis| of[axis]).collect()
}

/// Copies a block of neighbours along the new innermost axis at a time, and walks the other axes in the order that the source
/// has them: each of the block's places in the source then moves on by one element at a time, and stays in the cache.
fn reorder<const SIZE: usize>(data: &Data, shape: &[usize], perm: &[usize]) -> Data {
    const BLOCK: usize = 32;
    let (elements, _) = data.bytes().as_chunks::<SIZE>();
    if elements.is_empty() {
        return data.clone();
    }
    let from = strides(shape);
    let shape = apply(perm, shape);
    let to = strides(&shape);
    let from = apply(perm, &from);
    let inner = shape.len() - 1;
    let mut walk: Vec<usize> = (0..inner).collect();
    walk.sort_by_key(|&axis| std::cmp::Reverse(from[axis]));
    let mut out = vec![[0u8; SIZE]; elements.len()];
    for block in (0..shape[inner]).step_by(BLOCK) {
        let wide = BLOCK.min(shape[inner] - block);
        let mut index = vec![0usize; inner];
        let (mut source, mut target) = (block * from[inner], block);
        'places: loop {
            for (i, element) in out[target..target + wide].iter_mut().enumerate() {
                *element = elements[source + i * from[inner]];
            }
            for &axis in walk.iter().rev() {
                index[axis] += 1;
                source += from[axis];
                target += to[axis];
                if index[axis] < shape[axis] {
                    continue 'places;
                }
                source -= from[axis] * shape[axis];
                target -= to[axis] * shape[axis];
                index[axis] = 0;
            }
            break;
        }
    }
    Data::new(out.into_flattened().into())
}

/// Elements from one position of an axis to the next, row-major.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    strides
}
