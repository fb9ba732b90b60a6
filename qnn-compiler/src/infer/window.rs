//! Sliding windows: the arithmetic that convolutions and poolings share.

use super::site::{Answer, Site, dim, invalid};

/// Kernel, stride, dilation and padding of a node, each with one entry a spatial axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Extent of the kernel.
    pub(crate) kernel: Vec<i64>,
    /// Step.
    pub(crate) strides: Vec<i64>,
    /// Distance between the kernel's elements.
    pub(crate) dilations: Vec<i64>,
    /// Padding before each axis.
    pub(crate) begins: Vec<i64>,
    /// Padding after each axis.
    pub(crate) ends: Vec<i64>,
}

impl Window {
    /// Reads a node's attributes. `kernel` is the weights' where there are weights, else the attribute is required;
    /// `input` are the spatial extents that automatic padding is computed from.
    pub(crate) fn read(site: &Site<'_>, input: &[usize], weights: Option<&[usize]>) -> Answer<Self> {
        let axes = input.len();
        let attrs = &site.node.attrs;
        let kernel = match (weights, attrs.ints("kernel_shape")) {
            (Some(weights), _) => weights.iter().map(|k| *k as i64).collect(),
            (None, Some(_)) => site.window("kernel_shape", axes, 1)?,
            (None, None) => return invalid("attribute kernel_shape is missing"),
        };
        if weights.is_some() && attrs.ints("kernel_shape").is_some_and(|k| !k.is_empty() && k != kernel) {
            return invalid("attribute kernel_shape differs from the weights' shape");
        }
        let strides = site.window("strides", axes, 1)?;
        let dilations = site.window("dilations", axes, 1)?;
        if kernel.iter().chain(&strides).chain(&dilations).any(|v| *v < 1 || *v > 1 << 20) {
            return invalid("kernel, strides and dilations must be positive");
        }
        let mut window = Self { kernel, strides, dilations, begins: vec![0; axes], ends: vec![0; axes] };
        match attrs.str_or("auto_pad", "NOTSET") {
            "NOTSET" | "" => {
                let pads = site.pads(axes)?;
                window.ends = pads[axes..].to_vec();
                window.begins = pads[..axes].to_vec();
            }
            "VALID" => {}
            mode @ ("SAME_UPPER" | "SAME_LOWER") => {
                for (i, extent) in input.iter().enumerate() {
                    let out = (*extent as i64 + window.strides[i] - 1) / window.strides[i];
                    let total = ((out - 1) * window.strides[i] + window.reach(i) - *extent as i64).max(0);
                    let small = total / 2;
                    let begin = if mode == "SAME_UPPER" { small } else { total - small };
                    (window.begins[i], window.ends[i]) = (begin, total - begin);
                }
            }
            other => return invalid(format!("attribute auto_pad is '{other}'")),
        }
        Ok(window)
    }

    /// Extent that the dilated kernel covers.
    pub(crate) fn reach(&self, axis: usize) -> i64 {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// Takes a kernel that is larger than the input to be as large as that, where one window is left that ends outside of the
    /// input: what is pooled is what is there.
    pub(crate) fn clip(&mut self, axis: usize, input: usize) {
        let beyond = self.reach(axis) - input as i64;
        let plain = self.dilations[axis] == 1 && self.begins[axis] == 0 && self.ends[axis] == 0;
        if plain && beyond > 0 && beyond < self.strides[axis] {
            (self.kernel[axis], self.strides[axis]) = (input as i64, 1);
        }
    }

    /// Extent of the result along a spatial axis of extent `input`; with `ceil` the last window may start inside and end
    /// outside of the padded input.
    pub(crate) fn out(&self, axis: usize, input: usize, ceil: bool) -> Answer<usize> {
        let input = input as i64;
        let room = input + self.begins[axis] + self.ends[axis] - self.reach(axis);
        if room < 0 {
            return invalid(format!(
                "the kernel covers {} elements of a spatial axis, the padded input has {}",
                self.reach(axis),
                room + self.reach(axis)
            ));
        }
        let stride = self.strides[axis];
        let mut steps = if ceil { (room + stride - 1) / stride } else { room / stride };
        if ceil && steps * stride >= input + self.begins[axis] {
            steps -= 1;
        }
        dim(steps + 1)
    }

    /// The padding as the attribute has it: all begins, then all ends.
    pub(crate) fn pads(&self) -> Vec<i64> {
        self.begins.iter().chain(&self.ends).copied().collect()
    }
}

impl Site<'_> {
    /// Attribute `pads`: begins, then ends, of each spatial axis.
    fn pads(&self, axes: usize) -> Answer<Vec<i64>> {
        match self.node.attrs.ints("pads") {
            Some(pads) if !pads.is_empty() && pads.len() != 2 * axes => {
                invalid(format!("attribute pads has {} entries for {axes} spatial axes", pads.len()))
            }
            _ => self.window("pads", 2 * axes, 0),
        }
    }
}

/// Padding of a transposed convolution with automatic padding or a wanted output shape: `(begins, ends, output_padding)`.
pub(crate) fn transposed_padding(site: &Site<'_>, input: &[usize], window: &Window) -> Answer<[Vec<i64>; 3]> {
    let axes = input.len();
    let mut output_padding = site.window("output_padding", axes, 0)?;
    if output_padding.iter().any(|p| *p < 0) {
        return invalid("attribute output_padding has a negative entry");
    }
    let auto = site.node.attrs.str_or("auto_pad", "NOTSET");
    let wanted = site.node.attrs.ints("output_shape").filter(|shape| !shape.is_empty());
    if wanted.is_none() && !auto.starts_with("SAME") {
        return Ok([window.begins.clone(), window.ends.clone(), output_padding]);
    }
    // With a rank's worth of entries the first two are batch and channels.
    let wanted = match wanted {
        Some(shape) if shape.len() == axes => Some(shape),
        Some(shape) if shape.len() == axes + 2 => Some(&shape[2..]),
        Some(shape) => return invalid(format!("attribute output_shape has {} entries", shape.len())),
        None => None,
    };
    let (mut begins, mut ends) = (vec![0; axes], vec![0; axes]);
    for i in 0..axes {
        let full = (input[i] as i64 - 1) * window.strides[i] + window.reach(i) + output_padding[i];
        let want = wanted.map_or(input[i] as i64 * window.strides[i], |shape| shape[i]);
        if want < 1 {
            return invalid(format!("attribute output_shape has the entry {want}"));
        }
        // What padding cannot add is added after the result.
        output_padding[i] += (want - full).max(0);
        let total = (full - want).max(0);
        let small = total / 2;
        begins[i] = if auto == "SAME_UPPER" { small } else { total - small };
        ends[i] = total - begins[i];
    }
    Ok([begins, ends, output_padding])
}
