//! The order of rows within heads.

use bytes::Bytes;

use crate::problem::Problem;
use crate::weights::Weight;

/// Brings rows that lie in pairs (2i, 2i + 1) within each head into halves (i, i + head_dim / 2). Whole rows are moved, so the
/// format does not matter; a bias, a single row, has its elements moved.
pub(crate) fn in_halves(weight: &Weight, heads: usize) -> Result<Weight, Problem> {
    let vector = weight.rows == 1;
    if vector && weight.format.block() != 1 {
        let message = format!(
            "`{}` is of the type {}, whose blocks hold elements that must be moved",
            weight.name,
            weight.format.name()
        );
        return Err(Problem::config(message));
    }
    let rows = if vector { weight.columns } else { weight.rows };
    let row = weight.data.len().checked_div(rows).unwrap_or(0);
    let half = rows / heads.max(1) / 2;
    let mut moved = Vec::with_capacity(weight.data.len());
    for head in 0..heads {
        for part in 0..2 {
            for pair in 0..half {
                let from = (head * half * 2 + pair * 2 + part) * row;
                moved.extend_from_slice(weight.data.get(from..from + row).unwrap_or_default());
            }
        }
    }
    if moved.len() != weight.data.len() {
        return Err(Problem::config(format!(
            "`{}` has {rows} rows, which {heads} heads do not share",
            weight.name
        )));
    }
    Ok(Weight { data: Bytes::from(moved), ..weight.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Format;

    #[test]
    fn pairs_become_halves_within_each_head() {
        // Two heads of four rows of two bytes.
        let data: Vec<u8> = (0..16).collect();
        let weight =
            Weight { name: "q".to_owned(), rows: 8, columns: 1, format: Format::F16, data: data.into() };
        let moved = in_halves(&weight, 2).unwrap();
        assert_eq!(moved.data[..], [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
    }
}
