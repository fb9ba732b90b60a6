//! What was taken for what.

use std::fmt;

/// Counts by digit shown and digit read.
#[derive(Default)]
pub struct Confusion {
    counts: [[usize; 10]; 10],
}

impl Confusion {
    /// Counts one image.
    pub fn add(&mut self, shown: usize, read: usize) {
        self.counts[shown][read] += 1;
    }

    /// Images in all.
    fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Images read right.
    fn right(&self) -> usize {
        (0..10).map(|digit| self.counts[digit][digit]).sum()
    }

    /// Share of images read right, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.total() as f64
    }
}

/// `{}` is the table, `{:#}` one line: the accuracy.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "{:.2} %  ({} of {})", self.accuracy() * 100.0, self.right(), self.total());
        }
        let heads: String = (0..10).map(|digit| format!("{digit:>4}")).collect();
        writeln!(f, "          read as")?;
        writeln!(f, "   shown{heads}   right")?;
        writeln!(f, "       ┌{}┐", "─".repeat(42))?;
        for (digit, row) in self.counts.iter().enumerate() {
            let cells: String = row
                .iter()
                .map(|&count| if count == 0 { "   ·".to_owned() } else { format!("{count:>4}") })
                .collect();
            let right = row[digit] as f64 / row.iter().sum::<usize>() as f64;
            writeln!(f, "     {digit} │{cells}  │{:>5.0} %", right * 100.0)?;
        }
        writeln!(f, "       └{}┘", "─".repeat(42))
    }
}
