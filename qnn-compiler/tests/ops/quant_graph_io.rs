//! Quantization at the border of a model: QuantizeLinear and DequantizeLinear alone, and floats and integers that the app
//! writes and reads.

use crate::case::{Case, case, steps};
use crate::quant::{S8, S16, Stored, U8, U16};

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8, U16, S16] {
        all.extend(alone(a));
    }
    all
}

fn alone(a: Stored) -> Vec<Case> {
    vec![
        // Numbers beyond the range saturate. HTP rounds what fp16 makes of a number, and halves up.
        steps(format!("quantize_{}", a.name), 1, move |d| {
            let x = d.input(&[2, 3, 4, 5]);
            a.output(d, &x, (-1.0, 1.5));
        }),
        case(format!("dequantize_{}", a.name), move |d| {
            let x = a.input(d, &[2, 3, 4, 5], (-1.0, 1.5));
            d.result("Identity", &[&x], &[]);
        }),
        steps(format!("rounded_{}", a.name), 1, move |d| {
            let x = d.input(&[2, 3, 4, 5]);
            let y = a.rounded(d, &x, (-1.0, 1.5));
            a.output(d, &y, (-1.0, 1.5));
        }),
    ]
}
