//! From the detector's map of probabilities to lines of text (the post-processing of differentiable binarization, DB).

use crate::geometry::{Point, Quad, Rectangle};

/// A pixel of at least this probability is text.
const PIXEL_THRESHOLD: f32 = 0.3;
/// A line needs this mean probability.
const LINE_THRESHOLD: f32 = 0.5;
/// How far a line reaches beyond its marked core, see [`Rectangle::unclip`].
const UNCLIP_RATIO: f32 = 1.6;
/// Lines thinner than this, in pixels of the map, are noise; after unclipping, than this and two.
const MIN_THICKNESS: f32 = 3.0;

/// The lines in a `width` x `height` map, in reading order. `scale` is pixels of the map per pixel of the picture;
/// the corners are in pixels of the picture.
pub fn lines(map: &[f32], width: usize, height: usize, scale: f32) -> Vec<Quad> {
    let rectangles = regions(&thickened(map, width), width, height).into_iter().filter_map(|pixels| {
        let core = Rectangle::around(pixels)?;
        let line = core.unclip(UNCLIP_RATIO);
        let keep = core.thickness() >= MIN_THICKNESS
            && mean_inside(map, width, &core) >= LINE_THRESHOLD
            && line.thickness() >= MIN_THICKNESS + 2.0;
        keep.then_some(line)
    });
    let mut lines: Vec<Quad> = rectangles
        .map(|line| Quad { corners: line.quad().corners.map(|corner| corner * (1.0 / scale)) })
        .collect();
    sort_for_reading(&mut lines);
    lines
}

/// Which pixels are text; each also marks its neighbours to the right and below, which closes small gaps.
fn thickened(map: &[f32], width: usize) -> Vec<bool> {
    let text = |index: usize| map[index] > PIXEL_THRESHOLD;
    (0..map.len())
        .map(|index| {
            let (has_left, has_above) = (index % width > 0, index >= width);
            text(index)
                || (has_left && text(index - 1))
                || (has_above && text(index - width))
                || (has_left && has_above && text(index - width - 1))
        })
        .collect()
}

/// The pixels of each connected region; diagonal neighbours connect.
fn regions(mask: &[bool], width: usize, height: usize) -> Vec<Vec<Point>> {
    let mut left = mask.to_vec();
    let mut regions = Vec::new();
    for start in 0..mask.len() {
        if !left[start] {
            continue;
        }
        left[start] = false;
        let (mut region, mut open) = (Vec::new(), vec![start]);
        while let Some(index) = open.pop() {
            let (x, y) = (index % width, index / width);
            region.push(Point { x: x as f32, y: y as f32 });
            for y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let neighbour = y * width + x;
                    if left[neighbour] {
                        left[neighbour] = false;
                        open.push(neighbour);
                    }
                }
            }
        }
        regions.push(region);
    }
    regions
}

/// Mean probability of the pixels inside `rectangle`.
fn mean_inside(map: &[f32], width: usize, rectangle: &Rectangle) -> f32 {
    let (mut sum, mut count) = (0.0, 0);
    for (index, value) in map.iter().enumerate() {
        if rectangle.contains(Point { x: (index % width) as f32, y: (index / width) as f32 }) {
            sum += value;
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { sum / count as f32 }
}

/// From top to bottom; what is side by side, from left to right.
fn sort_for_reading(lines: &mut [Quad]) {
    let top = |line: &Quad| line.corners[0].y;
    let left = |line: &Quad| line.corners[0].x;
    lines.sort_by(|a, b| top(a).total_cmp(&top(b)));
    for end in 1..lines.len() {
        for place in (1..=end).rev() {
            let (before, line) = (&lines[place - 1], &lines[place]);
            let thickness = line.corners[0].distance(line.corners[3]);
            if (top(line) - top(before)).abs() < thickness / 2.0 && left(line) < left(before) {
                lines.swap(place - 1, place);
            } else {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 64 x 48 map with bars of text: left, top, width, height, probability.
    fn map(bars: &[(usize, usize, usize, usize, f32)]) -> Vec<f32> {
        let mut map = vec![0.05; 64 * 48];
        for &(left, top, width, height, probability) in bars {
            for y in top..top + height {
                map[y * 64 + left..][..width].fill(probability);
            }
        }
        map
    }

    #[test]
    fn bars_become_lines_in_reading_order_in_pixels_of_the_picture() {
        let map = map(&[(40, 11, 16, 6, 0.9), (4, 30, 30, 6, 0.9), (4, 10, 20, 6, 0.9)]);
        let lines = lines(&map, 64, 48, 0.5);
        let corners: Vec<Point> = lines.iter().map(|line| line.corners[0]).collect();
        assert_eq!(lines.len(), 3);
        assert!(corners[0].x < 10.0 && corners[1].x > 60.0 && corners[2].y > 40.0, "{corners:?}");
        // 20 x 6 pixels of the map, thickened to a distance of 20 x 6 between the outermost centres, then unclipped.
        let grown = 2.0 * 20.0 * 6.0 * 1.6 / 52.0;
        let [top_left, top_right, _, bottom_left] = lines[0].corners;
        assert!((top_left.distance(top_right) - 2.0 * (20.0 + grown)).abs() < 0.01);
        assert!((top_left.distance(bottom_left) - 2.0 * (6.0 + grown)).abs() < 0.01);
    }

    #[test]
    fn faint_and_thin_regions_are_no_lines() {
        assert!(lines(&map(&[(4, 10, 20, 6, 0.4)]), 64, 48, 1.0).is_empty());
        assert!(lines(&map(&[(4, 10, 20, 1, 0.9)]), 64, 48, 1.0).is_empty());
        assert!(lines(&map(&[]), 64, 48, 1.0).is_empty());
    }

    #[test]
    fn pixels_that_touch_at_a_corner_are_one_region_and_others_are_not() {
        let mask = [true, false, false, false, false, true, false, true];
        let sizes: Vec<usize> = regions(&mask, 4, 2).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
