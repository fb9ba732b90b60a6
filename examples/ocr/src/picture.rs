//! Pictures as the networks want them: planes of floats from -1 to 1, blue first (they were trained on BGR images).

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use crate::geometry::{Point, Quad};

/// The picture scaled to fit `width` x `height`, at the top left of a grey canvas of that size; and the scale.
pub fn letterbox(picture: &RgbImage, width: usize, height: usize) -> (Vec<f32>, f32) {
    let scale_x = width as f32 / picture.width() as f32;
    let scale_y = height as f32 / picture.height() as f32;
    let scale = scale_x.min(scale_y);
    let fit = |size: u32, limit: usize| ((size as f32 * scale).round() as u32).clamp(1, limit as u32);
    let (fit_width, fit_height) = (fit(picture.width(), width), fit(picture.height(), height));
    let scaled = resize(picture, fit_width, fit_height, FilterType::Triangle);
    (planes(&scaled, width, height), scale)
}

/// A line of text scaled to `height`; a short one has grey to its right, one that is too long is squeezed into `width`.
pub fn line(line: &RgbImage, width: usize, height: usize) -> Vec<f32> {
    let natural = (height as f32 * line.width() as f32 / line.height() as f32).ceil();
    let fit_width = (natural as u32).clamp(1, width as u32);
    let scaled = resize(line, fit_width, height as u32, FilterType::Triangle);
    planes(&scaled, width, height)
}

/// Planes of `width` x `height` with `picture` at the top left; 0, which is grey, elsewhere.
fn planes(picture: &RgbImage, width: usize, height: usize) -> Vec<f32> {
    let mut planes = vec![0.0; 3 * width * height];
    for (x, y, Rgb([red, green, blue])) in picture.enumerate_pixels() {
        for (plane, value) in [blue, green, red].into_iter().enumerate() {
            let index = (plane * height + y as usize) * width + x as usize;
            planes[index] = f32::from(*value) / 127.5 - 1.0;
        }
    }
    planes
}

/// The region of `picture` as an upright picture. A region much taller than wide is a line that runs
/// downwards: it is laid on its side.
pub fn cut_out(picture: &RgbImage, region: &Quad) -> RgbImage {
    let [top_left, top_right, bottom_right, bottom_left] = region.corners;
    let width = top_left.distance(top_right).max(bottom_left.distance(bottom_right));
    let height = top_left.distance(bottom_left).max(top_right.distance(bottom_right));
    if height >= 1.5 * width {
        sample(picture, top_right, bottom_right, top_left, height, width)
    } else {
        sample(picture, top_left, top_right, bottom_left, width, height)
    }
}

/// Samples the parallelogram with an edge from `origin` to `right` and one from `origin` to `down`.
fn sample(picture: &RgbImage, origin: Point, right: Point, down: Point, width: f32, height: f32) -> RgbImage {
    let (width, height) = (width.round().max(1.0), height.round().max(1.0));
    let (step_x, step_y) = ((right - origin) * (1.0 / width), (down - origin) * (1.0 / height));
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        bilinear(picture, origin + step_x * x as f32 + step_y * y as f32)
    })
}

/// The colour at a point between pixels; beyond the border, that of the border.
fn bilinear(picture: &RgbImage, at: Point) -> Rgb<u8> {
    let (left, top) = (at.x.floor(), at.y.floor());
    let (share_x, share_y) = (at.x - left, at.y - top);
    let pixel = |x: f32, y: f32| {
        let x = x.clamp(0.0, (picture.width() - 1) as f32);
        let y = y.clamp(0.0, (picture.height() - 1) as f32);
        picture.get_pixel(x as u32, y as u32).0.map(f32::from)
    };
    let mix = |a: [f32; 3], b: [f32; 3], share: f32| {
        std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * share)
    };
    let upper = mix(pixel(left, top), pixel(left + 1.0, top), share_x);
    let lower = mix(pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0), share_x);
    Rgb(mix(upper, lower, share_y).map(|value: f32| value.round() as u8))
}
