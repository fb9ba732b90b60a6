//! Windows of convolutions and poolings over (N, H, W, C).

use qnn_types::Diagnostic;

use crate::lower::engine::{Ops, is_float};
use crate::program::TensorId;

/// Kernel, steps and padding; each has an entry for the height and one for the width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lower) struct Window {
    /// Extent of the kernel.
    pub(in crate::lower) kernel: [usize; 2],
    /// Step.
    pub(in crate::lower) strides: [usize; 2],
    /// Distance between the kernel's elements.
    pub(in crate::lower) dilations: [usize; 2],
    /// Padding before and after.
    pub(in crate::lower) pads: [[usize; 2]; 2],
}

impl Window {
    /// Reads a node's attributes, which the front end has made explicit. `kernel` is the weight's where there is one.
    pub(in crate::lower) fn read(
        ops: &Ops<'_, '_, '_>,
        kernel: Option<[usize; 2]>,
    ) -> Result<Self, Diagnostic> {
        let list = |name: &str, default: i64, least: i64, len: usize| -> Result<Vec<usize>, Diagnostic> {
            let values = ops.node.attrs.ints(name).map_or_else(|| vec![default; len], <[i64]>::to_vec);
            let fits = values.len() == len && values.iter().all(|&v| v >= least && v <= i64::from(u32::MAX));
            if !fits {
                let what = format!("attribute {name} is {values:?}; {len} numbers from {least} are needed");
                return Err(ops.refuse(what));
            }
            Ok(values.into_iter().map(|v| v as usize).collect())
        };
        let pair = |name: &str| list(name, 1, 1, 2).map(|v| [v[0], v[1]]);
        let pads = list("pads", 0, 0, 4)?;
        Ok(Self {
            kernel: kernel.map_or_else(|| pair("kernel_shape"), Ok)?,
            strides: pair("strides")?,
            dilations: pair("dilations")?,
            pads: [[pads[0], pads[2]], [pads[1], pads[3]]],
        })
    }

    /// Extent that the dilated kernel covers along an axis.
    pub(in crate::lower) fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// Whether there is any padding.
    pub(in crate::lower) fn is_padded(&self) -> bool {
        self.pads != [[0; 2]; 2]
    }

    /// Whether the kernel's elements are apart.
    pub(in crate::lower) fn is_dilated(&self) -> bool {
        self.dilations != [1; 2]
    }

    /// Whether it steps over positions.
    pub(in crate::lower) fn is_strided(&self) -> bool {
        self.strides != [1; 2]
    }

    /// Padding after an axis so that `out` windows end exactly with the padded input of extent `input`: rounding up needs
    /// more of it than the model says, and what no window reaches needs none.
    pub(in crate::lower) fn end_for(&self, axis: usize, input: usize, out: usize) -> usize {
        let last = out.saturating_sub(1) * self.strides[axis] + self.reach(axis);
        last.saturating_sub(input + self.pads[axis][0])
    }

    /// Strides as QNN takes them.
    pub(in crate::lower) fn stride_values(&self) -> [u32; 2] {
        self.strides.map(|v| v as u32)
    }

    /// Padding as QNN takes it: (2, 2), row-major.
    pub(in crate::lower) fn pad_values(&self) -> [u32; 4] {
        let [[top, bottom], [left, right]] = self.pads;
        [top, bottom, left, right].map(|v| v as u32)
    }

    /// Height and width of the result over an input of this height and width.
    pub(in crate::lower) fn out(&self, input: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|i| {
            let room = input[i] + self.pads[i][0] + self.pads[i][1];
            room.saturating_sub(self.reach(i)) / self.strides[i] + 1
        })
    }
}

/// Shape of the `i`-th input, which must have four axes: (N, H, W, C) for activations.
pub(in crate::lower) fn four(ops: &Ops<'_, '_, '_>, i: usize) -> Result<[usize; 4], Diagnostic> {
    let shape = &ops.input_type(i)?.shape;
    <[usize; 4]>::try_from(&shape[..]).map_err(|_| {
        let axes = shape.len().saturating_sub(2);
        let mut p = ops.refuse(format!("{axes} spatial axes; one or two are supported"));
        p.help = Some("fold an axis of size one or a batch of frames into the batch".to_owned());
        p
    })
}

/// Shape of the first output, which has as many axes as the first input.
pub(in crate::lower) fn four_out(ops: &Ops<'_, '_, '_>) -> Result<[usize; 4], Diagnostic> {
    let shape = &ops.output_type(0)?.shape;
    <[usize; 4]>::try_from(&shape[..])
        .map_err(|_| ops.refuse(format!("the output has {} axes; four are needed", shape.len())))
}

/// Puts `value` around the plane and after the channels.
pub(in crate::lower) fn pad(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    plane: [[usize; 2]; 2],
    channels: usize,
    value: f32,
) -> TensorId {
    if plane == [[0; 2]; 2] && channels == 0 {
        return x;
    }
    let amounts = [[0, 0], plane[0], plane[1], [0, channels]];
    let dtype = ops.dtype(x);
    let shape: Vec<usize> = ops.shape(x).iter().zip(amounts).map(|(d, [b, e])| d + b + e).collect();
    let flat: Vec<u32> = amounts.iter().flatten().map(|&v| v as u32).collect();
    ops.step("Pad", &[x], dtype, &shape, |op| {
        let op = op.u32("scheme", 0).u32s("pad_amount", &[4, 2], &flat);
        match dtype {
            dtype if is_float(dtype) => op.f32("pad_constant_value", value),
            _ => op.i32("pad_constant_value", value as i32),
        }
    })
}
