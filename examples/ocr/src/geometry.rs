//! Points and rectangles in any direction.

use std::ops::{Add, Mul, Sub};

/// A point, or the way from one point to another, in pixels; y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

impl Point {
    pub fn distance(self, other: Point) -> f32 {
        let way = other - self;
        way.x.hypot(way.y)
    }

    fn dot(self, other: Point) -> f32 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Point) -> f32 {
        self.x * other.y - self.y * other.x
    }
}

impl Add for Point {
    type Output = Point;

    fn add(self, other: Point) -> Point {
        Point { x: self.x + other.x, y: self.y + other.y }
    }
}

impl Sub for Point {
    type Output = Point;

    fn sub(self, other: Point) -> Point {
        Point { x: self.x - other.x, y: self.y - other.y }
    }
}

impl Mul<f32> for Point {
    type Output = Point;

    fn mul(self, factor: f32) -> Point {
        Point { x: self.x * factor, y: self.y * factor }
    }
}

/// A region with four corners.
#[derive(Clone, Copy, Debug)]
pub struct Quad {
    /// Clockwise from the top left.
    pub corners: [Point; 4],
}

/// A rectangle that may be turned.
#[derive(Clone, Copy, Debug)]
pub struct Rectangle {
    center: Point,
    /// Direction of its width; length 1.
    axis: Point,
    width: f32,
    height: f32,
}

impl Rectangle {
    /// The smallest rectangle around `points`; `None` when there are none.
    pub fn around(points: Vec<Point>) -> Option<Rectangle> {
        let hull = convex_hull(points);
        let (&first, &last) = (hull.first()?, hull.last()?);
        // One side of the smallest rectangle lies along an edge of the hull.
        let edges = hull.iter().zip(hull.iter().skip(1).chain([&first]));
        let directions = edges.filter(|(a, b)| a != b).map(|(&a, &b)| (b - a) * (1.0 / a.distance(b)));
        let upright = (first == last).then_some(Point { x: 1.0, y: 0.0 });
        directions
            .chain(upright)
            .map(|axis| Rectangle::along(axis, &hull))
            .min_by(|a, b| (a.width * a.height).total_cmp(&(b.width * b.height)))
    }

    /// The smallest rectangle around `points` with a side in the direction of `axis`.
    fn along(axis: Point, points: &[Point]) -> Rectangle {
        let normal = Point { x: -axis.y, y: axis.x };
        let range = |direction: Point| {
            let places = points.iter().map(|point| point.dot(direction));
            places.fold((f32::MAX, f32::MIN), |(low, high), at| (low.min(at), high.max(at)))
        };
        let ((left, right), (top, bottom)) = (range(axis), range(normal));
        let center = axis * ((left + right) / 2.0) + normal * ((top + bottom) / 2.0);
        Rectangle { center, axis, width: right - left, height: bottom - top }
    }

    /// The shorter side.
    pub fn thickness(&self) -> f32 {
        self.width.min(self.height)
    }

    /// The rectangle with every side moved outwards by area / perimeter times `ratio`: the networks mark
    /// the core of a line, this gets the line back.
    pub fn unclip(self, ratio: f32) -> Rectangle {
        let distance = self.width * self.height * ratio / (2.0 * (self.width + self.height));
        Rectangle { width: self.width + 2.0 * distance, height: self.height + 2.0 * distance, ..self }
    }

    /// Whether a point lies inside or on the border.
    pub fn contains(&self, point: Point) -> bool {
        let way = point - self.center;
        way.dot(self.axis).abs() <= self.width / 2.0 && way.cross(self.axis).abs() <= self.height / 2.0
    }

    /// Its corners, for a text that leans by less than 45 degrees.
    pub fn quad(&self) -> Quad {
        let across = self.axis * (self.width / 2.0);
        let down = Point { x: -self.axis.y, y: self.axis.x } * (self.height / 2.0);
        let center = self.center;
        let mut corners =
            [center - across - down, center + across - down, center + across + down, center - across + down];
        corners.sort_by(|a, b| a.x.total_cmp(&b.x));
        let [mut top_left, mut bottom_left, mut top_right, mut bottom_right] = corners;
        if top_left.y > bottom_left.y {
            (top_left, bottom_left) = (bottom_left, top_left);
        }
        if top_right.y > bottom_right.y {
            (top_right, bottom_right) = (bottom_right, top_right);
        }
        Quad { corners: [top_left, top_right, bottom_right, bottom_left] }
    }
}

/// The corners of the smallest convex polygon around `points`, in order (Andrew's monotone chain).
fn convex_hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    points.dedup();
    let mut hull: Vec<Point> = Vec::new();
    for chain in [points.iter().collect::<Vec<_>>(), points.iter().rev().collect()] {
        let start = hull.len();
        for &&point in &chain {
            while let &[.., a, b] = &hull[start..]
                && (b - a).cross(point - b) <= 0.0
            {
                hull.pop();
            }
            hull.push(point);
        }
        // The last point of a chain is the first of the next.
        hull.pop();
    }
    if hull.is_empty() { points } else { hull }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f32, f32)]) -> Vec<Point> {
        list.iter().map(|&(x, y)| Point { x, y }).collect()
    }

    #[test]
    fn the_smallest_rectangle_follows_a_slanted_shape() {
        // A 4 x 2 rectangle in a 3-4-5 direction, and a point within.
        let corners = points(&[(0.0, 0.0), (3.2, 2.4), (2.0, 4.0), (-1.2, 1.6), (1.0, 2.0)]);
        let rectangle = Rectangle::around(corners.clone()).unwrap();
        let sides = [rectangle.width.max(rectangle.height), rectangle.thickness()];
        assert!((sides[0] - 4.0).abs() < 1e-4 && (sides[1] - 2.0).abs() < 1e-4, "{sides:?}");
        assert!(corners.iter().all(|&corner| rectangle.unclip(0.01).contains(corner)));
        assert!(!rectangle.contains(Point { x: -1.0, y: 0.0 }));
    }

    #[test]
    fn points_on_a_line_and_a_single_point_have_a_flat_rectangle() {
        for list in [&[(1.0, 1.0)][..], &[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]] {
            let rectangle = Rectangle::around(points(list)).unwrap();
            assert!(rectangle.thickness() < 1e-5, "{rectangle:?}");
        }
        assert!(Rectangle::around(Vec::new()).is_none());
    }

    #[test]
    fn corners_run_clockwise_from_the_top_left_however_the_rectangle_was_found() {
        let corners = points(&[(10.0, 10.0), (30.0, 12.0), (29.0, 18.0), (9.0, 16.0)]);
        for start in 0..4 {
            let mut turned = corners.clone();
            turned.rotate_left(start);
            let quad = Rectangle::around(turned).unwrap().quad();
            for (found, expected) in quad.corners.iter().zip(&corners) {
                assert!(found.distance(*expected) < 0.7, "{:?}", quad.corners);
            }
        }
    }

    #[test]
    fn unclipping_moves_every_side_by_area_over_perimeter() {
        let rectangle =
            Rectangle::around(points(&[(0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (0.0, 5.0)])).unwrap();
        let grown = rectangle.unclip(1.5);
        // 10 * 5 / 30 * 1.5 = 2.5 on each side.
        assert_eq!((grown.width.max(grown.height), grown.thickness()), (15.0, 10.0));
    }
}
