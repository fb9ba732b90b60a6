//! What the ops mean, in float64 and without any of the kernels' ways. Each result comes with the error that float32 may make of it.

/// A result and how far float32 may be off.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub value: f64,
    pub slack: f64,
}

/// Some units of float32 in the last place, of a number of this magnitude.
fn units(count: f64, magnitude: f64) -> f64 {
    count * magnitude.abs() * f64::from(f32::EPSILON)
}

pub fn identity(x: f64) -> Near {
    Near { value: x, slack: units(1.0, x) }
}

pub fn sum(a: f64, b: f64) -> Near {
    Near { value: a + b, slack: units(1.0, a.abs() + b.abs()) }
}

/// Below -87 the kernels end at `x * exp(-87)`, which is less than 1e-34 for numbers that fit fp16.
pub fn silu(x: f64) -> Near {
    let value = x / (1.0 + (-x).exp());
    Near { value, slack: units(4.0, value) + x.abs() * 2e-38 }
}

pub fn silu_mul(gate: f64, up: f64) -> Near {
    let Near { value, slack } = silu(gate);
    let product = value * up;
    Near { value: product, slack: slack * up.abs() + units(1.0, product) }
}

/// One row.
pub fn rms_norm(x: &[f64], weight: &[f64], epsilon: f64) -> Vec<Near> {
    let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    let factor = 1.0 / (mean + epsilon).sqrt();
    // Sums of squares in one or in 32 parts: the error is a random walk.
    let count = 4.0 + 0.5 * (x.len() as f64).sqrt();
    let row = x.iter().zip(weight).map(|(x, w)| x * factor * w);
    row.map(|value| Near { value, slack: units(count, value) }).collect()
}

/// One row.
pub fn layer_norm(x: &[f64], weight: &[f64], bias: &[f64], epsilon: f64) -> Vec<Near> {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let factor = 1.0 / (variance + epsilon).sqrt();
    let largest = x.iter().fold(0f64, |a, x| a.max(x.abs()));
    let error = 4.0 + 0.5 * count.sqrt();
    x.iter()
        .zip(weight.iter().zip(bias))
        .map(|(x, (w, b))| {
            let scaled = (x - mean) * factor * w;
            // The mean is off by units of the largest element.
            let slack =
                units(error, scaled.abs() + largest * factor * w.abs()) + units(1.0, b.abs() + scaled.abs());
            Near { value: scaled + b, slack }
        })
        .collect()
}

/// One row, with the sines and cosines of its position.
pub fn rope(x: &[f64], sin: &[f64], cos: &[f64], interleaved: bool) -> Vec<Near> {
    let pairs = sin.len();
    let mut y: Vec<Near> = x.iter().map(|x| identity(*x)).collect();
    for i in 0..pairs {
        let (first, second) = if interleaved { (2 * i, 2 * i + 1) } else { (i, i + pairs) };
        let (a, b) = (x[first], x[second]);
        let slack = |p: f64, q: f64| units(2.0, p.abs() + q.abs());
        y[first] = Near { value: a * cos[i] - b * sin[i], slack: slack(a * cos[i], b * sin[i]) };
        y[second] = Near { value: b * cos[i] + a * sin[i], slack: slack(b * cos[i], a * sin[i]) };
    }
    y
}
