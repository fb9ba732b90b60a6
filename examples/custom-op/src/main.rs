//! Runs a network whose activation is no operator of ONNX or of the NPU: its kernel is in `audio-ops/`.

qnn::include_models!();

/// As in the model.
const ALPHA: f32 = 1.5;

/// What the kernel computes, in Rust.
fn snake(x: f32) -> f32 {
    x + (ALPHA * x).sin().powi(2) / ALPHA
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = qnn::Backend::htp()?;
    // Registers the op package first.
    let model = vocoder::Model::load(&backend)?;

    let mel: Vec<f32> = (0..8 * 32).map(|i| (i as f32 * 0.37).sin()).collect();
    let outputs = model.run(vocoder::Inputs { mel: mel.as_slice().try_into()? })?;

    let pairs = outputs.hidden.iter().zip(outputs.active.iter());
    let worst = pairs.map(|(x, y)| (y - snake(*x)).abs()).fold(0.0, f32::max);
    println!("wave      {:?} …", &outputs.wave[..4]);
    println!("Snake     differs from the formula by at most {worst:.5} in {} values", outputs.active.len());
    // The NPU computes in fp16.
    if worst > 0.01 {
        return Err("the kernel computes something else".into());
    }
    Ok(())
}
