//! Pooling over (N, H, W, C).
//!
//! HTP's pools are wrong in many forms that its own validation accepts (QNN 2.51, SM8650, fp16; measured against ONNX
//! Runtime): an average with padding differs already for 3x3 windows over three channels, ends the process for 13x13
//! ones, and counts the cells that rounding up adds. Padding as an op of its own is no way out: the library joins it with
//! the pool again. So an average with padding is a convolution or a product of matrices here, and maxima keep to the forms
//! that were found to be right.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::window::{Window, four, four_out, pad};
use crate::lower::engine::{FP16_MAX, Lower, Ops, is_float};
use crate::lower::ops::conv::Convolution;
use crate::program::TensorId;

/// The two kinds of pool that HTP has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Max,
    Average,
}

impl Kind {
    fn op(self) -> &'static str {
        match self {
            Self::Max => "PoolMax2d",
            Self::Average => "PoolAvg2d",
        }
    }

    /// Whether the op is right for a window that lies inside of its input.
    ///
    /// Measured over 15x14 and 26x27, strides 1 to 4: PoolMax2d is wrong for 7x7 and 8x8 windows with stride 2, PoolAvg2d
    /// is 3 % off for 9x9 ones with strides 2 and 3; both are right along one axis for every extent tried (to 15).
    fn is_right_inside(self, window: &Window) -> bool {
        let [h, w] = window.kernel;
        let line = h == 1 || w == 1;
        line || match self {
            Self::Max => !window.strides.contains(&2) || h.max(w) <= 6,
            Self::Average => h.max(w) <= 8,
        }
    }
}

/// MaxPool.
pub(crate) fn max(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    if node.output(1).is_some() {
        let mut p = ops.refuse("the indices of the maxima (second output) are not supported");
        p.help = Some("HTP's pool gives values alone; export the model without MaxUnpool".to_owned());
        return Err(p);
    }
    let [_, h, w, _] = four(&ops, 0)?;
    let [_, oh, ow, _] = four_out(&ops)?;
    let mut window = Window::read(&ops, None)?;
    // The op takes floats and quantized numbers alone; 8-bit integers are exact in fp16.
    let x = ops.input(0)?;
    let x = if is_float(ops.dtype(x)) { x } else { ops.cast(x, DataType::Float32)? };
    if is_centred(&window) && node.attrs.int_or("ceil_mode", 0) == 0 {
        let y = write(&mut ops, Kind::Max, x, &window, [oh, ow]);
        return ops.output(0, y);
    }
    for (axis, (input, out)) in [(h, oh), (w, ow)].into_iter().enumerate() {
        window.pads[axis][1] = window.end_for(axis, input, out);
    }
    let inside = !window.is_padded();
    let x = pad(&mut ops, x, window.pads, 0, -FP16_MAX as f32);
    window.pads = [[0; 2]; 2];
    let y = if window.is_dilated() {
        dilated_max(&mut ops, x, &window, [oh, ow])
    } else if window.strides.contains(&2) && !(inside && Kind::Max.is_right_inside(&window)) {
        // Steps of two are what goes wrong: one at a time, and every second taken.
        let single = Window { strides: [1; 2], ..window.clone() };
        let shape = ops.shape(x);
        let all = write(&mut ops, Kind::Max, x, &single, single.out([shape[1], shape[2]]));
        let rows = every(&mut ops, all, 1, 0, window.strides[0], oh);
        every(&mut ops, rows, 2, 0, window.strides[1], ow)
    } else {
        write(&mut ops, Kind::Max, x, &window, [oh, ow])
    };
    ops.output(0, y)
}

/// The padded form that PoolMax2d gets right, and that networks use most: square odd windows centred on each position.
/// Measured for extents 7 to 40 and 3 to 64 channels: right for 3, 5, 9 and 13 with strides 1 and 2, wrong for 7 with
/// stride 2. Other padding is wrong now and then, or ends the process (5x1 with stride 2).
fn is_centred(window: &Window) -> bool {
    let [k, other] = window.kernel;
    k == other
        && k % 2 == 1
        && window.pads == [[k / 2; 2]; 2]
        && window.strides[0] == window.strides[1]
        && window.strides[0] <= 2
        && (window.strides[0] == 1 || k != 7)
        && !window.is_dilated()
}

fn write(ops: &mut Ops<'_, '_, '_>, kind: Kind, x: TensorId, window: &Window, out: [usize; 2]) -> TensorId {
    let (dtype, shape) = (ops.dtype(x), ops.shape(x));
    let kernel = window.kernel.map(|k| k as u32);
    ops.step(kind.op(), &[x], dtype, &[shape[0], out[0], out[1], shape[3]], |op| {
        op.u32s("filter_size", &[2], &kernel).u32s("stride", &[2], &window.stride_values()).u32s(
            "pad_amount",
            &[2, 2],
            &window.pad_values(),
        )
    })
}

/// Every `step`-th element along an axis from `start`, `count` of them.
fn every(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    axis: usize,
    start: usize,
    step: usize,
    count: usize,
) -> TensorId {
    let mut shape = ops.shape(x);
    if start == 0 && step == 1 && count == shape[axis] {
        return x;
    }
    let end = start + (count - 1) * step + 1;
    let ranges: Vec<i32> = (0..shape.len())
        .flat_map(|a| if a == axis { [start, end, step] } else { [0, shape[a], 1] })
        .map(|v| v as i32)
        .collect();
    let rank = shape.len() as u32;
    shape[axis] = count;
    let dtype = ops.dtype(x);
    ops.step("StridedSlice", &[x], dtype, &shape, |op| op.i32s("ranges", &[rank, 3], &ranges))
}

/// The maximum of windows whose elements are apart: along each axis, of one strided slice for each element.
fn dilated_max(ops: &mut Ops<'_, '_, '_>, x: TensorId, window: &Window, out: [usize; 2]) -> TensorId {
    let mut result = x;
    for (axis, &count) in out.iter().enumerate() {
        let source = result;
        for element in 0..window.kernel[axis] {
            let start = element * window.dilations[axis];
            let slice = every(ops, source, axis + 1, start, window.strides[axis], count);
            result = if element == 0 { slice } else { ops.binary("ElementWiseMaximum", result, slice) };
        }
    }
    result
}

/// AveragePool.
pub(crate) fn average(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let cells = if node.attrs.int_or("count_include_pad", 0) != 0 { Cells::Padded } else { Cells::Input };
    let y = averages(&mut ops, x, cells)?;
    ops.output(0, y)
}

/// Which cells of a window an average divides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cells {
    /// Those of the input.
    Input,
    /// Those of the padding too, but not those that only rounding up adds.
    Padded,
    /// All.
    Kernel,
}

/// The averages of a node's windows over `x`, which has the shape of its input.
fn averages(ops: &mut Ops<'_, '_, '_>, x: TensorId, cells: Cells) -> Result<TensorId, Diagnostic> {
    let [_, h, w, channels] = four(ops, 0)?;
    let [_, oh, ow, _] = four_out(ops)?;
    let mut window = Window::read(ops, None)?;
    let counts = [counts(&window, 0, h, oh, cells), counts(&window, 1, w, ow, cells)];
    for (axis, (input, out)) in [(h, oh), (w, ow)].into_iter().enumerate() {
        window.pads[axis][1] = window.end_for(axis, input, out);
    }
    let [kh, kw] = window.kernel;
    let inside = !window.is_padded() && !window.is_dilated();
    if inside && kh * kw == 1 {
        let rows = every(ops, x, 1, 0, window.strides[0], oh);
        return Ok(every(ops, rows, 2, 0, window.strides[1], ow));
    }
    if inside && Kind::Average.is_right_inside(&window) && !is_view(ops, x) {
        return Ok(write(ops, Kind::Average, x, &window, [oh, ow]));
    }
    let dtype = ops.dtype(x);
    let products = !dtype.is_quantized() && products_are_smaller(&window, [h, w], [oh, ow], channels);
    if products || kh.max(kw) > 7 || window.strides.iter().any(|&s| s > 2) {
        let rows = average_axis(ops, x, &window, 0, &counts[0])?;
        return average_axis(ops, rows, &window, 1, &counts[1]);
    }
    let area = (kh * kw) as f64;
    let weights = vec![1.0 / area; kh * kw * channels];
    // Equal numbers are exact in eight bits, and weights of integers have no more.
    let of = if dtype.is_quantized() { DataType::UFixed8 } else { dtype };
    let weight = ops.constant(of, &[kh, kw, 1, channels], &weights);
    let y = Convolution { x, weight, bias: None, window, group: channels }.write(ops);
    // Zeros were averaged too; where they do not count the result is too small.
    let map: Vec<f64> =
        counts[0].iter().flat_map(|r| counts[1].iter().map(move |c| area / (r * c) as f64)).collect();
    if map.iter().all(|&f| f == 1.0) {
        return Ok(y);
    }
    let dtype = ops.dtype(y);
    let map = ops.constant(dtype, &[1, oh, ow, 1], &map);
    Ok(ops.binary("ElementWiseMultiply", y, map))
}

/// Whether a tensor is a part of another one, or another one with a border. HTP joins both with the pool that follows, which then
/// averages other cells or reads beyond its input where the image is small and a convolution made it (QNN 2.51, SM8650: crops of 8x8
/// pixels, -1 dB; with a border the emulator dies).
fn is_view(ops: &Ops<'_, '_, '_>, x: TensorId) -> bool {
    ops.lower.op_that_makes(x).is_some_and(|op| matches!(&*op.ty, "Pad" | "StridedSlice"))
}

/// Whether a pool that takes steps is smaller as products with two matrices than as a depthwise convolution, in numbers that the
/// binary holds and in multiplications. HTP keeps depthwise weights in blocks of 32x32 channels, of which one in 32 is not
/// zero: 3x3 with stride 2 over 14x14x272 takes 165 kB, and the matrices 4. Eight bits are too few for their weights.
fn products_are_smaller(window: &Window, [h, w]: [usize; 2], [oh, ow]: [usize; 2], channels: usize) -> bool {
    const BLOCK: usize = 32;
    let [kh, kw] = window.kernel;
    let held = oh * h + ow * w <= kh * kw * channels.next_multiple_of(BLOCK) * BLOCK;
    let multiplied = w * (h + ow) <= ow * kh * kw * BLOCK;
    window.is_strided() && held && multiplied
}

/// Averages along one axis (0 or 1 of the plane), as a product with a matrix that has a window in each row.
fn average_axis(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    window: &Window,
    axis: usize,
    counts: &[usize],
) -> Result<TensorId, Diagnostic> {
    let input = ops.shape(x)[axis + 1];
    ops.matrix_fits(counts.len(), input.max(window.kernel[axis]))?;
    let mut matrix = vec![0.0; counts.len() * input];
    for (o, (row, &count)) in matrix.chunks_exact_mut(input).zip(counts).enumerate() {
        for element in 0..window.kernel[axis] {
            let at = o * window.strides[axis] + element * window.dilations[axis];
            if let Some(weight) = at.checked_sub(window.pads[axis][0]).and_then(|i| row.get_mut(i)) {
                *weight = 1.0 / count as f64;
            }
        }
    }
    ops.along_axis(x, axis + 1, counts.len(), &matrix)
}

/// How many cells of each window along an axis count.
fn counts(window: &Window, axis: usize, input: usize, out: usize, cells: Cells) -> Vec<usize> {
    let [begin, end] = window.pads[axis];
    let inside = |at: usize| match cells {
        Cells::Input => at >= begin && at < begin + input,
        Cells::Padded => at < begin + input + end,
        Cells::Kernel => true,
    };
    (0..out)
        .map(|o| {
            let start = o * window.strides[axis];
            (0..window.kernel[axis]).filter(|k| inside(start + k * window.dilations[axis])).count().max(1)
        })
        .collect()
}

/// GlobalAveragePool.
pub(crate) fn global_average(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    global(lower, node, Kind::Average)
}

/// GlobalMaxPool.
pub(crate) fn global_max(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    global(lower, node, Kind::Max)
}

fn global(lower: &mut Lower<'_>, node: &Node, kind: Kind) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let y = whole(&mut ops, x, kind)?;
    ops.output(0, y)
}

/// One window over the whole plane; any number of spatial axes.
fn whole(ops: &mut Ops<'_, '_, '_>, x: TensorId, kind: Kind) -> Result<TensorId, Diagnostic> {
    let shape = ops.input_type(0)?.shape.clone();
    let [n, spatial @ .., channels] = &shape[..] else {
        return Err(ops.refuse("the input has no batch and channels"));
    };
    let [outer @ .., width] = spatial else { return Ok(x) };
    let plane = [outer.iter().product(), *width];
    let x = ops.reshape(x, &[*n, plane[0], plane[1], *channels]);
    let window = Window { kernel: plane, strides: plane, dilations: [1; 2], pads: [[0; 2]; 2] };
    Ok(write(ops, kind, x, &window, [1, 1]))
}

/// LpPool: the p-th root of the sum of p-th powers.
pub(crate) fn lp(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let [kh, kw] = Window::read(&ops, None)?.kernel;
    let powers = powers(&mut ops, x);
    let mean = averages(&mut ops, powers, Cells::Kernel)?;
    let y = root(&mut ops, mean, kh * kw);
    ops.output(0, y)
}

/// GlobalLpPool.
pub(crate) fn global_lp(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let shape = &ops.input_type(0)?.shape;
    let cells = shape.iter().product::<usize>() / (shape[0] * shape[shape.len() - 1]).max(1);
    let powers = powers(&mut ops, x);
    let mean = whole(&mut ops, powers, Kind::Average)?;
    let y = root(&mut ops, mean, cells);
    ops.output(0, y)
}

fn exponent(node: &Node) -> f64 {
    f64::from(node.attrs.float_or("p", 2.0))
}

/// |x|ᵖ
fn powers(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let p = exponent(ops.node);
    if p == 2.0 {
        return ops.binary("ElementWiseMultiply", x, x);
    }
    let x = ops.unary("ElementWiseAbs", x);
    if p == 1.0 { x } else { ops.with("ElementWisePower", x, p) }
}

/// (mean · cells)¹ᐟᵖ, the factor after the root, where it cannot overflow.
fn root(ops: &mut Ops<'_, '_, '_>, mean: TensorId, cells: usize) -> TensorId {
    let p = exponent(ops.node);
    let y = match p {
        1.0 => mean,
        2.0 => ops.unary("ElementWiseSquareRoot", mean),
        _ => ops.with("ElementWisePower", mean, 1.0 / p),
    };
    ops.with("ElementWiseMultiply", y, (cells as f64).powf(1.0 / p))
}
