//! Chooses the graph (its number of tokens) for the next step.

/// A step: the graph, and how many tokens it is given. The rest of its rows are padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Index of the graph.
    pub(super) graph: usize,
    /// Tokens of the graph.
    pub(super) size: usize,
    /// Tokens that are not padding.
    pub(super) used: usize,
}

/// The next chunk of `left` tokens after `past` ones: the smallest graph that takes all that is left, else the largest, of those
/// whose rows, padding included, still fit the context. A padded step costs what a full one does, and less than several of smaller
/// graphs: most of its time is for unpacking weights.
///
/// `sizes` are the graphs' tokens, largest first, the last 1. `None` when nothing is left or the context is full.
pub(super) fn next(sizes: &[usize], context: usize, past: usize, left: usize) -> Option<Chunk> {
    let fitting = || sizes.iter().enumerate().filter(|(_, size)| past + **size <= context);
    if left == 0 {
        return None;
    }
    let (graph, size) = fitting().rev().find(|(_, size)| **size >= left).or_else(|| fitting().next())?;
    Some(Chunk { graph, size: *size, used: left.min(*size) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(sizes: &[usize], context: usize, mut past: usize, mut left: usize) -> Vec<(usize, usize)> {
        let mut chunks = Vec::new();
        while let Some(chunk) = next(sizes, context, past, left) {
            assert_eq!(sizes[chunk.graph], chunk.size);
            assert!(past + chunk.size <= context, "rows past the end of the context");
            chunks.push((chunk.size, chunk.used));
            past += chunk.used;
            left -= chunk.used;
        }
        chunks
    }

    #[test]
    fn a_prompt_goes_through_the_largest_graph_and_its_rest_through_the_smallest_that_takes_it() {
        let sizes = [128, 32, 1];
        assert_eq!(all(&sizes, 1024, 0, 300), [(128, 128), (128, 128), (128, 44)]);
        assert_eq!(all(&sizes, 1024, 0, 20), [(32, 20)]);
        assert_eq!(all(&sizes, 1024, 10, 1), [(1, 1)]);
        assert_eq!(all(&sizes, 1024, 0, 129), [(128, 128), (1, 1)]);
        assert_eq!(all(&[1], 8, 0, 3), [(1, 1); 3]);
        assert_eq!(all(&sizes, 1024, 0, 0), []);
    }

    #[test]
    fn near_the_end_of_the_context_smaller_graphs_take_over() {
        let sizes = [32, 8, 1];
        assert_eq!(all(&sizes, 64, 30, 34), [(32, 32), (1, 1), (1, 1)]);
        assert_eq!(all(&sizes, 64, 40, 20), [(8, 8), (8, 8), (8, 4)]);
        assert_eq!(all(&sizes, 64, 60, 4), [(1, 1); 4]);
        // What does not fit is left: the caller refuses it before.
        assert_eq!(all(&sizes, 64, 62, 4), [(1, 1); 2]);
    }
}
