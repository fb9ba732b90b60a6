//! Convolutions. Activations are (N, H, W, C), weights (H, W, in, out).
//!
//! Several forms validate, finalize and compute garbage (QNN 2.51, SM8650, fp16; each measured against ONNX Runtime over
//! grids and random geometries). Each rule below names what it avoids.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::apart::apart_from_convert;
use crate::lower::blocks::slices;
use crate::lower::blocks::weight::{dilate, lengthen, merge_groups, merge_transposed};
use crate::lower::blocks::window::{Window, four, four_out, pad};
use crate::lower::engine::{Lower, Ops};
use crate::program::TensorId;

/// A convolution to write.
pub(in crate::lower) struct Convolution {
    /// (N, H, W, C).
    pub(in crate::lower) x: TensorId,
    /// (H, W, in / group, out).
    pub(in crate::lower) weight: TensorId,
    /// One number an output channel.
    pub(in crate::lower) bias: Option<TensorId>,
    /// Geometry.
    pub(in crate::lower) window: Window,
    /// Groups of channels that do not see each other.
    pub(in crate::lower) group: usize,
}

/// Conv.
pub(crate) fn conv(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let [_, h, w, channels] = four(&ops, 0)?;
    let [kh, kw, depth, _] = four(&ops, 1)?;
    let [_, oh, ow, _] = four_out(&ops)?;
    let group = channels / depth.max(1);
    let mut window = Window::read(&ops, Some([kh, kw]))?;
    for (axis, (input, out)) in [(h, oh), (w, ow)].into_iter().enumerate() {
        let end = window.end_for(axis, input, out);
        window.pads[axis][1] = window.pads[axis][1].min(end);
    }
    let x = ops.input(0)?;
    let weight = ops.input(1)?;
    let bias = bias(&mut ops)?;
    let y = Convolution { x, weight, bias, window, group }.write(&mut ops);
    ops.output(0, y)
}

/// The bias, where there is one.
fn bias(ops: &mut Ops<'_, '_, '_>) -> Result<Option<TensorId>, Diagnostic> {
    ops.node.input(2).map(|_| ops.input(2)).transpose()
}

impl Convolution {
    /// Writes it; the result's channels are the weight's.
    pub(in crate::lower) fn write(mut self, ops: &mut Ops<'_, '_, '_>) -> TensorId {
        let depthwise = self.is_depthwise(ops);
        if self.group > 1 && !depthwise {
            self.widen_groups(ops);
        }
        self.stand(ops);
        self.lengthen(ops);
        self.pad_first(ops);
        let margins = self.without_margins(ops);
        let doubled = !depthwise && self.double_column(ops);
        if !depthwise {
            self.end_row(ops);
        }
        let late_bias = if margins == [[0; 2]; 2] { None } else { self.bias.take() };
        let y = self.emit(ops, depthwise);
        let y = if doubled { slices::part(ops, y, 2, 0, 1) } else { y };
        let y = pad(ops, y, margins, 0, 0.0);
        late_bias.map_or(y, |bias| ops.binary("ElementWiseAdd", y, bias))
    }

    fn emit(mut self, ops: &mut Ops<'_, '_, '_>, depthwise: bool) -> TensorId {
        self.x = apart_from_convert(ops, self.x, self.weight, 1);
        let (x, w) = (ops.shape(self.x), ops.shape(self.weight));
        let [oh, ow] = self.window.out([x[1], x[2]]);
        let mut inputs = vec![self.x, self.weight];
        inputs.extend(self.bias);
        let dtype = ops.dtype(self.x);
        let ty = if depthwise { "DepthWiseConv2d" } else { "Conv2d" };
        let dilations = self.window.dilations.map(|v| v as u32);
        ops.step(ty, &inputs, dtype, &[x[0], oh, ow, w[3]], |op| {
            let op = op
                .u32s("stride", &[2], &self.window.stride_values())
                .u32s("pad_amount", &[2, 2], &self.window.pad_values())
                .u32s("dilation", &[2], &dilations);
            if depthwise { op } else { op.u32("group", self.group as u32) }
        })
    }

    /// Whether DepthWiseConv2d is right for it; Conv2d with groups computes the same.
    ///
    /// Measured: refused with both dilation and stride; garbage with several filters a channel and stride 2 or
    /// dilation, for one channel, for kernels of 9 and more with dilation 2, and with more than 32 channels for 1x1 with
    /// stride 3, 3x3 with stride 4, 9x9 with stride 2.
    fn is_depthwise(&self, ops: &Ops<'_, '_, '_>) -> bool {
        let (channels, filters) = (ops.shape(self.x)[3], ops.shape(self.weight)[3]);
        let [kh, kw] = self.window.kernel;
        let line = kh == 1 || kw == 1;
        self.group > 1
            && self.group == channels
            && filters == channels
            && (!self.window.is_dilated() || (!self.window.is_strided() && kh.max(kw) <= 8))
            && self.window.strides.iter().all(|&s| s <= 2)
            && (!self.window.is_strided() || (kh * kw > 1 && (line || kh.max(kw) <= 7)))
    }

    /// Joins groups into larger ones whose weights are zero where the old groups do not see each other: the hardware
    /// works on 32 channels at a time, and narrow groups are what it gets wrong (5x5 with stride 2 over three groups of
    /// one, 9x1 over two, 3x3 with stride 4 over groups of three).
    fn widen_groups(&mut self, ops: &mut Ops<'_, '_, '_>) {
        /// Groups of so many channels are right as they are.
        const WIDE: usize = 16;
        let depth = ops.shape(self.weight)[2];
        let mut join = 1;
        while depth < WIDE && depth * join < 32 && self.group.is_multiple_of(join * 2) {
            join *= 2;
        }
        if depth * self.group <= 32 {
            join = self.group;
        }
        if join > 1
            && let Some(weight) = merge_groups(ops, self.weight, self.group, join)
        {
            self.weight = weight;
            self.group /= join;
        }
    }

    /// Takes the step away along an axis with one window: 1x1 with a step over a single row or column of up to four channels
    /// gives garbage.
    fn stand(&mut self, ops: &Ops<'_, '_, '_>) {
        let shape = ops.shape(self.x);
        for (axis, input) in [shape[1], shape[2]].into_iter().enumerate() {
            let [before, after] = self.window.pads[axis];
            if before + input + after == self.window.reach(axis) {
                self.window.strides[axis] = 1;
            }
        }
    }

    /// Gives a kernel that is shorter than its step zeros up to the step: 3x3 with stride 4 cannot be executed, and a padded
    /// 1x2 with stride 2 gives garbage. An unpadded 1x1 is right, and what networks use.
    fn lengthen(&mut self, ops: &mut Ops<'_, '_, '_>) {
        let shape = ops.shape(self.x);
        let plane = [shape[1], shape[2]];
        let out = self.window.out(plane);
        let short = |axis: usize| self.window.reach(axis) < self.window.strides[axis];
        let point = self.window.kernel == [1; 2] && !self.window.is_padded();
        if point || !(short(0) || short(1)) {
            return;
        }
        let mut kernel = self.window.kernel;
        let mut dilations = self.window.dilations;
        for axis in (0..2).filter(|&axis| short(axis)) {
            (kernel[axis], dilations[axis]) = (self.window.strides[axis], 1);
        }
        let Some(weight) = lengthen(ops, self.weight, self.window.dilations, kernel, dilations) else {
            return;
        };
        self.weight = weight;
        (self.window.kernel, self.window.dilations) = (kernel, dilations);
        for axis in 0..2 {
            self.window.pads[axis][1] = self.window.end_for(axis, plane[axis], out[axis]);
        }
    }

    /// Makes the padding an op of its own for strides above 2, which Conv2d gets wrong with it.
    fn pad_first(&mut self, ops: &mut Ops<'_, '_, '_>) {
        if self.window.is_padded() && self.window.strides.iter().any(|&s| s > 2) {
            self.x = pad(ops, self.x, self.window.pads, 0, 0.0);
            self.window.pads = [[0; 2]; 2];
        }
    }

    /// Computes a second column, of which nothing is used, beside a single one, and says whether it does: a single column
    /// gives garbage where a reshape follows, or with padding as a row does.
    fn double_column(&mut self, ops: &Ops<'_, '_, '_>) -> bool {
        let shape = ops.shape(self.x);
        let [_, ow] = self.window.out([shape[1], shape[2]]);
        let column = shape[2] == 1 && ow == 1 && shape[1] > 1 && self.window.kernel != [1; 2];
        if column {
            self.window.pads[1][1] += self.window.strides[1];
        }
        column
    }

    /// Gives a single row its padding at the end by a Concat: a row whose width is a multiple of 8, with padding of 2 and more
    /// at both ends, gives garbage up to a width of about 8 times the padding (5 elements over 8, 15 over 40, 3 with
    /// dilation 32 over 256), and is right beyond. Padding at one end alone is right, and the library does not join a Concat with the
    /// convolution, as it does a Pad. The Concat costs a third of the cycles of a convolution over 1024 on v73, and half of them on v81.
    fn end_row(&mut self, ops: &mut Ops<'_, '_, '_>) {
        /// Widths, in paddings, up to which rows are treated so: twice as many as were found to be wrong.
        const ROW: usize = 16;
        let shape = ops.shape(self.x);
        let [begin, end] = self.window.pads[1];
        let long = shape[2] > ROW * begin.max(end);
        if shape[1] != 1 || begin == 0 || end == 0 || begin.max(end) == 1 || long {
            return;
        }
        let zeros = [shape[0], 1, end, shape[3]];
        let dtype = ops.dtype(self.x);
        let zeros = ops.filled(dtype, &zeros, 0.0);
        self.x = slices::joined(ops, &[self.x, zeros], 2);
        self.window.pads[1][1] = 0;
    }

    /// Takes away padding that holds whole windows, and says how many windows that are before and after each axis: padding of
    /// the kernel's reach and more gives garbage, also where it is an op of its own, which the library joins with the
    /// convolution.
    fn without_margins(&mut self, ops: &Ops<'_, '_, '_>) -> [[usize; 2]; 2] {
        let shape = ops.shape(self.x);
        let [oh, ow] = self.window.out([shape[1], shape[2]]);
        let mut margins = [[0; 2]; 2];
        for (axis, (input, out)) in [(shape[1], oh), (shape[2], ow)].into_iter().enumerate() {
            let (stride, reach) = (self.window.strides[axis], self.window.reach(axis));
            let [begin, end] = self.window.pads[axis];
            let before = (begin + 1).saturating_sub(reach).div_ceil(stride).min(begin / stride);
            // Windows that start behind the input.
            let after = out.saturating_sub((begin + input).div_ceil(stride)).min(end / stride);
            if before + after < out {
                margins[axis] = [before, after];
                self.window.pads[axis] = [begin - before * stride, end - after * stride];
            }
        }
        margins
    }
}

/// ConvTranspose: weights are (H, W, in, out / group).
pub(crate) fn transpose(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let [n, h, w, channels] = four(&ops, 0)?;
    let [kh, kw, _, filters] = four(&ops, 1)?;
    let [_, oh, ow, out_channels] = four_out(&ops)?;
    let mut window = Window::read(&ops, Some([kh, kw]))?;
    let mut x = ops.input(0)?;
    let mut weight = ops.input(1)?;
    if window.is_dilated() {
        // TransposeConv2d has no dilation: the zeros between the kernel's elements become part of it.
        weight = dilate(&mut ops, weight, window.dilations)?;
        window.kernel = [0, 1].map(|axis| window.reach(axis));
        window.dilations = [1; 2];
    }
    // The op's own output_padding gives garbage, or cannot be finalized, once it is more than the padding it takes back
    // (3x3 with stride 4, 2x2 with stride 3). Less padding at the end is the same thing; where there is none left, a
    // position of zeros more at the end of the input, of which the surplus is cut off as padding.
    let mut more = [[0; 2]; 2];
    for (axis, (input, out)) in [(h, oh), (w, ow)].into_iter().enumerate() {
        let stride = window.strides[axis];
        let mut full = (input - 1) * stride + window.kernel[axis];
        while full < out + window.pads[axis][0] {
            more[axis][1] += 1;
            full += stride;
        }
        window.pads[axis][1] = full - out - window.pads[axis][0];
    }
    x = pad(&mut ops, x, more, 0, 0.0);
    let mut group = (out_channels / filters.max(1)).max(1);
    // Narrow groups again: 5x5 with stride 2 over four groups of one gives garbage.
    if group > 1
        && channels <= 32
        && let Some(merged) = merge_transposed(&mut ops, weight, group)
    {
        (weight, group) = (merged, 1);
    }
    let mut inputs = vec![apart_from_convert(&mut ops, x, weight, 1), weight];
    inputs.extend(bias(&mut ops)?);
    let dtype = ops.dtype(x);
    let y = ops.step("TransposeConv2d", &inputs, dtype, &[n, oh, ow, out_channels], |op| {
        op.u32s("stride", &[2], &window.stride_values())
            .u32s("pad_amount", &[2, 2], &window.pad_values())
            .u32("group", group as u32)
    });
    ops.output(0, y)
}
