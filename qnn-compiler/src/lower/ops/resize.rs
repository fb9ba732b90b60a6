//! Resize: HTP's own ops where they compute what the model says, else one product with a constant matrix, or one Gather, an
//! axis.
//!
//! Measured (QNN 2.51, SM8650, 13 pairs of sizes against ONNX Runtime): ResizeBilinear is right for every coordinate
//! transformation it has; Resize with cubic interpolation too. ResizeNearestNeighbor takes the nearest element, the upper of
//! two, with half pixels or aligned corners, and the lower neighbour else: other combinations validate and take other
//! elements, among them ONNX's default (half_pixel, round_prefer_floor) for sizes that meet a tie. So the elements that
//! the op takes are compared with those that the model wants.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::interpolate::{Axis, Coordinates, Kernel, Nearest};
use crate::lower::engine::{Lower, Ops, is_float};
use crate::problem::node_problem;
use crate::program::TensorId;

/// Resize.
pub(crate) fn resize(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let axes = axes(&ops)?;
    let x = ops.input(0)?;
    let y = match node.attrs.str_or("mode", "nearest") {
        "nearest" => nearest(&mut ops, x, &axes)?,
        "linear" => interpolated(&mut ops, x, &axes, Kernel::Linear)?,
        "cubic" => {
            let a = node.attrs.float_or("cubic_coeff_a", -0.75);
            interpolated(&mut ops, x, &axes, Kernel::Cubic(a.into()))?
        }
        other => return Err(ops.refuse(format!("mode {other:?} is not known"))),
    };
    ops.output(0, y)
}

/// Every axis in the order of the physical input.
fn axes(ops: &Ops<'_, '_, '_>) -> Result<Vec<Axis>, Diagnostic> {
    let (from, to) = (&ops.input_type(0)?.shape, &ops.output_type(0)?.shape);
    let rank = from.len();
    // Lists count axes as the model does.
    let order: Vec<usize> = if rank < 3 {
        (0..rank).collect()
    } else {
        [&[0], &(2..rank).collect::<Vec<_>>()[..], &[1]].concat()
    };
    let listed = |i: usize, parts: usize| -> Result<Option<Vec<f32>>, Diagnostic> {
        let Some(id) = ops.node.input(i) else { return Ok(None) };
        let Some(values) = ops.lower.graph.const_f32(id) else {
            let what = if i == 1 { "the region" } else { "the scales" };
            let mut p = node_problem("E0307", ops.node, format!("{what} must be constant"));
            p.help = Some("export the model with a fixed size".to_owned());
            return Err(p);
        };
        if values.len() == parts * rank {
            Ok(Some(values))
        } else {
            Err(ops.refuse(format!("input {i} has {} numbers for {rank} axes", values.len())))
        }
    };
    let mode = ops.node.attrs.str_or("coordinate_transformation_mode", "half_pixel");
    let region = if mode == "tf_crop_and_resize" { listed(1, 2)? } else { None };
    let scales = if ops.node.input(3).is_some() { None } else { listed(2, 1)? };
    (0..rank)
        .map(|p| {
            let coordinates = match mode {
                "half_pixel" => Coordinates::HalfPixel,
                "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
                "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
                "align_corners" => Coordinates::AlignCorners,
                "asymmetric" => Coordinates::Asymmetric,
                "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
                "tf_crop_and_resize" => {
                    let bound = |part: usize, whole: f32| {
                        region.as_ref().map_or(whole, |r| r[part * rank + order[p]])
                    };
                    Coordinates::Crop { start: bound(0, 0.0), end: bound(1, 1.0) }
                }
                other => {
                    return Err(ops.refuse(format!("coordinate_transformation_mode {other:?} is not known")));
                }
            };
            let scale = scales.as_ref().map_or(to[p] as f32 / from[p] as f32, |s| s[order[p]]);
            Ok(Axis { from: from[p], to: to[p], scale, coordinates })
        })
        .collect()
}

/// Whether only height and width of a (N, H, W, C) change, by factors that are the ratios of the extents: what HTP's ops
/// assume.
fn is_plain(axes: &[Axis]) -> bool {
    let [n, h, w, c] = axes else { return false };
    let exact = |a: &Axis| (f64::from(a.scale) * a.from as f64 - a.to as f64).abs() < 1e-3;
    n.is_identity() && c.is_identity() && exact(h) && exact(w)
}

fn shape_of(axes: &[Axis]) -> Vec<usize> {
    axes.iter().map(|a| a.to).collect()
}

fn interpolated(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    axes: &[Axis],
    kernel: Kernel,
) -> Result<TensorId, Diagnostic> {
    let antialias = ops.node.attrs.int_or("antialias", 0) != 0;
    let exclude = ops.node.attrs.int_or("exclude_outside", 0) != 0;
    // ONNX Runtime's plain linear interpolation has no outside.
    let exclude = exclude && (antialias || kernel != Kernel::Linear);
    let garbled = kernel != Kernel::Linear && ops.dtype(x) == DataType::UFixed16;
    if is_plain(axes)
        && !garbled
        && !antialias
        && !exclude
        && let Some(mode) = native_mode(axes)
    {
        let (dtype, shape) = (ops.dtype(x), shape_of(axes));
        return Ok(match kernel {
            Kernel::Linear => ops.step("ResizeBilinear", &[x], dtype, &shape, |op| {
                op.bool("align_corners", mode == ALIGN_CORNERS).bool("half_pixel_centers", mode <= PYTORCH)
            }),
            Kernel::Cubic(a) => ops.step("Resize", &[x], dtype, &shape, |op| {
                op.bool("exclude_outside", false)
                    .u32("transformation_mode", mode)
                    .u32("interpolation_mode", 2)
                    .f32("cubic_coeff", a as f32)
            }),
        });
    }
    let mut y = x;
    for (p, axis) in axes.iter().enumerate().filter(|(_, a)| !a.is_identity()) {
        ops.matrix_fits(axis.to, axis.from)?;
        y = ops.along_axis(y, p, axis.to, &axis.matrix(kernel, antialias, exclude))?;
    }
    Ok(extrapolated(ops, y, axes))
}

const PYTORCH: u32 = 1;
const ALIGN_CORNERS: u32 = 2;

/// QNN's number for a transformation of both height and width.
fn native_mode(axes: &[Axis]) -> Option<u32> {
    match axes.get(1)?.coordinates {
        Coordinates::HalfPixel => Some(0),
        // One element is taken from the start, not from the centre: the op does not tell these apart.
        Coordinates::PytorchHalfPixel if axes[1..3].iter().all(|a| a.to > 1 || a.from == 1) => Some(PYTORCH),
        Coordinates::AlignCorners if axes.iter().all(Axis::is_whole) => Some(ALIGN_CORNERS),
        Coordinates::Asymmetric => Some(3),
        _ => None,
    }
}

/// The extrapolation value where a crop reaches outside; the matrices gave zero there.
fn extrapolated(ops: &mut Ops<'_, '_, '_>, x: TensorId, axes: &[Axis]) -> TensorId {
    let value = f64::from(ops.node.attrs.float_or("extrapolation_value", 0.0));
    let outside: Vec<Vec<bool>> = axes.iter().map(|a| (0..a.to).map(|o| a.is_outside(o)).collect()).collect();
    if value == 0.0 || outside.iter().flatten().all(|&o| !o) {
        return x;
    }
    // Axes that stay inside need one element of the map.
    let shape: Vec<usize> = outside.iter().map(|o| if o.contains(&true) { o.len() } else { 1 }).collect();
    let count = shape.iter().product();
    let map: Vec<f64> = (0..count)
        .map(|flat| {
            let mut rest = flat;
            let mut out = false;
            for (p, &d) in shape.iter().enumerate().rev() {
                out |= d > 1 && outside[p][rest % d] || d == 1 && outside[p].iter().all(|&o| o);
                rest /= d;
            }
            if out { value } else { 0.0 }
        })
        .collect();
    let dtype = ops.dtype(x);
    let map = ops.constant(dtype, &shape, &map);
    ops.binary("ElementWiseAdd", x, map)
}

fn nearest(ops: &mut Ops<'_, '_, '_>, x: TensorId, axes: &[Axis]) -> Result<TensorId, Diagnostic> {
    let mode = match ops.node.attrs.str_or("nearest_mode", "round_prefer_floor") {
        "round_prefer_floor" => Nearest::RoundPreferFloor,
        "round_prefer_ceil" => Nearest::RoundPreferCeil,
        "floor" => Nearest::Floor,
        "ceil" => Nearest::Ceil,
        other => return Err(ops.refuse(format!("nearest_mode {other:?} is not known"))),
    };
    if axes.iter().any(|a| (0..a.to).any(|o| a.is_outside(o))) {
        return Err(ops.refuse("a crop that reaches outside of the image, with mode nearest"));
    }
    let taken: Vec<Vec<usize>> = axes.iter().map(|a| a.nearest(mode)).collect();
    let whole =
        |p: usize| taken[p].len() == axes[p].from && taken[p].iter().enumerate().all(|(o, &i)| o == i);
    let dtype = ops.dtype(x);
    let float = is_float(dtype);
    if axes.len() == 4
        && float
        && whole(0)
        && whole(3)
        && let Some((align, half)) = native_nearest(&axes[1..3], &taken[1..3])
    {
        let shape = shape_of(axes);
        return Ok(ops.step("ResizeNearestNeighbor", &[x], dtype, &shape, |op| {
            op.bool("align_corners", align).bool("half_pixel_centers", half)
        }));
    }
    let mut y = x;
    let mut shape = ops.shape(x);
    for (p, elements) in taken.iter().enumerate().filter(|(p, _)| !whole(*p)) {
        let indices: Vec<i64> = elements.iter().map(|&i| i as i64).collect();
        let indices = ops.ints(&[indices.len()], &indices);
        shape[p] = elements.len();
        y = ops.step("Gather", &[y, indices], dtype, &shape, |op| op.i32("axis", p as i32));
    }
    Ok(y)
}

/// The flags (align_corners, half_pixel_centers) with which ResizeNearestNeighbor takes these elements.
fn native_nearest(axes: &[Axis], taken: &[Vec<usize>]) -> Option<(bool, bool)> {
    let takes = |element: &dyn Fn(usize, usize, usize) -> usize| {
        axes.iter().zip(taken).all(|(a, taken)| {
            taken.iter().enumerate().all(|(o, &i)| element(o, a.from, a.to).min(a.from - 1) == i)
        })
    };
    if takes(&|o, from, to| o * from / to) {
        Some((false, false))
    } else if takes(&|o, from, to| (2 * o + 1) * from / (2 * to)) {
        Some((false, true))
    } else if takes(&|o, from, to| if to > 1 { (2 * o * (from - 1) + to - 1) / (2 * (to - 1)) } else { 0 }) {
        Some((true, false))
    } else {
        None
    }
}
