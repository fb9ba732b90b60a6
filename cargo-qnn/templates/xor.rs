use std::error::Error;

// One module per model of Cargo.toml: here `xor`.
qnn::include_models!();

fn main() -> Result<(), Box<dyn Error>> {
    // The NPU of a phone, or the emulator on a development machine.
    let backend = qnn::Backend::htp()?;
    let model = xor::Model::load(&backend)?;

    for bits in [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] {
        let outputs = model.run(xor::Inputs { bits: &bits })?;
        println!("{} xor {} = {:.2}", bits[0], bits[1], outputs.xor[0]);
    }
    Ok(())
}
