//! Orders of axes.

/// Physical axis `i` holds the model's axis `order[i]`.
pub(super) type Order = Vec<usize>;

/// The model's own order.
pub(super) fn identity(rank: usize) -> Order {
    (0..rank).collect()
}

/// (N, spatial…, C).
pub(super) fn channels_last(rank: usize) -> Order {
    if rank < 3 {
        return identity(rank);
    }
    let mut order = vec![0];
    order.extend(2..rank);
    order.push(1);
    order
}

/// The shape in physical order.
pub(super) fn apply<T: Copy>(order: &[usize], shape: &[T]) -> Vec<T> {
    order.iter().map(|&axis| shape[axis]).collect()
}

/// Where the model's axis is, physically.
pub(super) fn position(order: &[usize], axis: usize) -> Option<usize> {
    order.iter().position(|&a| a == axis)
}

/// The permutation (`perm` of a Transpose) that takes data in order `have` to order `want`.
pub(super) fn between(have: &[usize], want: &[usize]) -> Vec<usize> {
    want.iter().filter_map(|&axis| position(have, axis)).collect()
}

/// Whether a permutation of this physical shape leaves the bytes where they are: only axes of size one move.
pub(super) fn moves_nothing(perm: &[usize], shape: &[usize]) -> bool {
    let order: Vec<usize> = perm.iter().copied().filter(|&axis| shape[axis] != 1).collect();
    order.is_sorted()
}

/// The order without some of the model's axes, the rest renumbered.
pub(super) fn without(order: &[usize], removed: &[usize]) -> Order {
    order
        .iter()
        .filter(|axis| !removed.contains(axis))
        .map(|&axis| axis - removed.iter().filter(|&&r| r < axis).count())
        .collect()
}

/// The order that a reshape's result has when the reshape is done on the physical data of order `order`; `None`
/// when the reshape mixes axes that are apart, so that the data must first return to the model's order.
pub(super) fn through_reshape(from: &[usize], to: &[usize], order: &[usize]) -> Option<Order> {
    let groups = groups(from, to)?;
    let physical: Vec<usize> = order.iter().copied().filter(|&axis| from[axis] != 1).collect();
    for (ins, _) in &groups {
        let solid: Vec<usize> = ins.clone().filter(|&axis| from[axis] != 1).collect();
        let Some(&first) = solid.first() else { continue };
        let start = physical.iter().position(|&axis| axis == first)?;
        if physical.get(start..start + solid.len()) != Some(&solid[..]) {
            return None;
        }
    }
    let mut done = vec![false; groups.len()];
    let mut result = Vec::with_capacity(to.len());
    for &axis in order {
        let Some(g) = groups.iter().position(|(ins, _)| ins.contains(&axis)) else { continue };
        let (ins, outs) = &groups[g];
        let anchor = ins.clone().find(|&a| from[a] != 1);
        if !done[g] && anchor.is_none_or(|a| a == axis) {
            done[g] = true;
            result.extend(outs.clone());
        }
    }
    if to[0] == 1
        && let Some(at) = position(&result, 0)
    {
        // A single image stays in front: HTP cuts its work along the inner axes, and not along that of a batch.
        result.remove(at);
        result.insert(0, 0);
    }
    (result.len() == to.len()).then_some(result)
}

/// Runs of axes of both shapes with equal numbers of elements.
fn groups(from: &[usize], to: &[usize]) -> Option<Vec<(std::ops::Range<usize>, std::ops::Range<usize>)>> {
    if from.is_empty() || to.is_empty() || from.contains(&0) || to.contains(&0) {
        return None;
    }
    let mut groups: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < from.len() && j < to.len() {
        let (i0, j0) = (i, j);
        let (mut a, mut b) = (from[i], to[j]);
        i += 1;
        j += 1;
        while a != b {
            if a < b {
                a *= from.get(i)?;
                i += 1;
            } else {
                b *= to.get(j)?;
                j += 1;
            }
        }
        groups.push((i0..i, j0..j));
    }
    let last = groups.last_mut()?;
    last.0.end = from.len();
    last.1.end = to.len();
    Some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_spatial_axes_keeps_channels_last() {
        assert_eq!(through_reshape(&[1, 64, 8, 8], &[1, 64, 64], &[0, 2, 3, 1]), Some(vec![0, 2, 1]));
    }

    #[test]
    fn flattening_channels_with_space_needs_the_models_order() {
        assert_eq!(through_reshape(&[1, 64, 8, 8], &[1, 4096], &[0, 2, 3, 1]), None);
    }

    #[test]
    fn flattening_a_pooled_map_is_free() {
        assert_eq!(through_reshape(&[2, 64, 1, 1], &[2, 64], &[0, 2, 3, 1]), Some(vec![0, 1]));
    }

    #[test]
    fn inserting_a_unit_axis_is_free() {
        let order = through_reshape(&[1, 16, 40], &[1, 16, 1, 40], &[0, 2, 1]);
        assert!(order.is_some_and(|o| position(&o, 3) < position(&o, 1)));
    }

    #[test]
    fn one_image_stays_in_front_of_the_tokens() {
        assert_eq!(
            through_reshape(&[1, 1, 8, 785, 16], &[1, 8, 785, 16], &[1, 3, 0, 2, 4]),
            Some(vec![0, 2, 1, 3])
        );
    }

    #[test]
    fn splitting_channels_keeps_channels_last() {
        assert_eq!(
            through_reshape(&[2, 8, 5, 5], &[2, 2, 4, 5, 5], &[0, 2, 3, 1]),
            Some(vec![0, 3, 4, 1, 2])
        );
    }
}
