//! Classifies handwritten digits that the network has not seen, with the network inside this executable.

mod confusion;
mod eval;

use std::error::Error;
use std::process::ExitCode;

use confusion::Confusion;

qnn::include_models!();

/// How far the accuracy may be from that of ONNX Runtime on the same images: half a percent.
const TOLERANCE: f64 = 0.005;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let eval = eval::read()?;

    let backend = qnn::Backend::htp()?;
    let model = digits::Model::load(&backend)?;

    let mut npu = Confusion::default();
    let mut reference = Confusion::default();
    for sample in &eval {
        let outputs = model.run(digits::Inputs { image: &sample.image })?;
        npu.add(sample.label, argmax(&outputs.logits[..]));
        reference.add(sample.label, argmax(&sample.reference_logits));
    }

    println!("{npu}");
    println!("accuracy       {npu:#}");
    println!("ONNX Runtime   {reference:#}");

    let close = (npu.accuracy() - reference.accuracy()).abs() <= TOLERANCE;
    if !close {
        eprintln!("error: more than {} % apart", TOLERANCE * 100.0);
    }
    Ok(if close { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Index of the largest value.
fn argmax(values: &[f32]) -> usize {
    let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(index, _)| index)
}
