//! Reads the text of a picture: finds lines of text, turns the ones that stand on their head, reads each.

mod detection;
mod geometry;
mod picture;
mod recognition;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use image::RgbImage;
use image::imageops::rotate180;
use qnn::Backend;

qnn::include_models!();

/// Lines that the recognizer is less sure of are not shown.
const MIN_CONFIDENCE: f32 = 0.5;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: ocr PICTURE (PNG or JPEG)");
        return Ok(ExitCode::from(2));
    };
    let picture = image::open(&path).map_err(|error| format!("{}: {error}", path.display()))?.into_rgb8();

    let backend = Backend::htp()?;
    if backend.is_emulator() {
        eprintln!("This machine has no NPU: the emulator takes seconds for every network.");
    }
    let reader = Reader::new(&backend)?;
    for line in reader.read(&picture)? {
        println!("{:3.0} %  {}", line.confidence * 100.0, line.text);
    }
    Ok(ExitCode::SUCCESS)
}

/// The three networks.
struct Reader {
    detect: detect::Model,
    classify: classify::Model,
    recognize: recognize::Model,
}

impl Reader {
    fn new(backend: &Backend) -> Result<Self, qnn::Error> {
        Ok(Self {
            detect: detect::Model::load(backend)?,
            classify: classify::Model::load(backend)?,
            recognize: recognize::Model::load(backend)?,
        })
    }

    /// The lines of text in `picture`, from top to bottom.
    fn read(&self, picture: &RgbImage) -> Result<Vec<recognition::Line>, Box<dyn Error>> {
        let started = Instant::now();
        let boxes = self.find(picture)?;
        eprintln!("{} lines found in {:.1} s", boxes.len(), started.elapsed().as_secs_f32());

        let mut lines = Vec::new();
        for (index, region) in boxes.iter().enumerate() {
            let started = Instant::now();
            let mut line = picture::cut_out(picture, region);
            if self.is_upside_down(&line)? {
                line = rotate180(&line);
            }
            lines.push(self.read_line(&line)?);
            eprintln!("line {} read in {:.1} s", index + 1, started.elapsed().as_secs_f32());
        }
        lines.retain(|line| !line.text.is_empty() && line.confidence >= MIN_CONFIDENCE);
        Ok(lines)
    }

    fn find(&self, picture: &RgbImage) -> Result<Vec<geometry::Quad>, Box<dyn Error>> {
        let [_, _, height, width] = detect::Inputs::X_SHAPE;
        let (x, scale) = picture::letterbox(picture, width, height);
        let outputs = self.detect.run(detect::Inputs { x: x.as_slice().try_into()? })?;
        Ok(detection::lines(&outputs.sigmoid_0_tmp_0[..], width, height, scale))
    }

    fn is_upside_down(&self, line: &RgbImage) -> Result<bool, Box<dyn Error>> {
        let [_, _, height, width] = classify::Inputs::X_SHAPE;
        let x = picture::line(line, width, height);
        let outputs = self.classify.run(classify::Inputs { x: x.as_slice().try_into()? })?;
        // Probabilities of 0 and of 180 degrees.
        Ok(outputs.save_infer_model_scale_0_tmp_1[1] > 0.9)
    }

    fn read_line(&self, line: &RgbImage) -> Result<recognition::Line, Box<dyn Error>> {
        let [_, _, height, width] = recognize::Inputs::X_SHAPE;
        let x = picture::line(line, width, height);
        let outputs = self.recognize.run(recognize::Inputs { x: x.as_slice().try_into()? })?;
        Ok(recognition::decode(&outputs.softmax_11_tmp_0[..]))
    }
}
