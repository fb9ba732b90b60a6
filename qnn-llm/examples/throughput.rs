//! How fast weights are unpacked and dequantized: megabytes of file a second, one thread.

use std::time::{Duration, Instant};

use qnn_llm::block::{dequantize_rows, unpack_rows};
use qnn_llm::{Format, Weight};

/// Rows at a time: what stays in the cache, as the compiler takes them.
const ROWS: usize = 64;

fn main() {
    println!("{:8} {:>12} {:>12}", "format", "dequantize", "unpack");
    for format in Format::all() {
        let (rows, columns) = (4096, 4096);
        let bytes = rows * columns / format.block() * format.block_bytes();
        // Small numbers in every position of a scale: finite, and no two bytes alike for long.
        let data: Vec<u8> = (0..bytes).map(|i| (i * 7 % 59) as u8).collect();
        let weight = Weight { name: "w".to_owned(), rows, columns, format, data: data.into() };
        let mut out = vec![0.0; ROWS * columns];
        let dequantize = best(|| {
            for row in (0..rows).step_by(ROWS) {
                dequantize_rows(&weight, row..row + ROWS, &mut out).expect("finite");
            }
        });
        let unpack = (format.block() > 1).then(|| {
            best(|| {
                for row in (0..rows).step_by(ROWS) {
                    std::hint::black_box(unpack_rows(&weight, row..row + ROWS).expect("finite"));
                }
            })
        });
        let rate = |time: Duration| format!("{:.0} MB/s", bytes as f64 / 1e6 / time.as_secs_f64());
        println!("{:8} {:>12} {:>12}", format.name(), rate(dequantize), unpack.map_or(String::new(), rate));
    }
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}
