//! Checks of arguments that the library accepts without checking and then miscomputes or reads out of bounds.

use super::{OpSpec, Param, Role, TensorSpec};
use crate::{DataType, Error, Quant, Result};

/// The HTP takes up to 5 dimensions and says so; no tensor needs more than this.
const MAX_RANK: usize = 8;

/// Checks a tensor: name, dimensions, static data length, encoding.
pub(super) fn tensor(spec: &TensorSpec<'_>) -> Result<()> {
    let wrong = |why: String| Error::invalid(format!("tensor `{}`", spec.name), why);
    if spec.name.is_empty() {
        return Err(wrong("it has no name".into()));
    }
    let bytes = byte_len(spec.dtype, spec.dims).map_err(wrong)?;
    if let Role::Static(data) = spec.role {
        data_len(data.len(), bytes, spec.dtype, spec.dims).map_err(wrong)?;
    }
    encoding(spec).map_err(wrong)
}

/// Checks an op's own texts and its tensor parameters.
pub(super) fn op(spec: &OpSpec<'_>) -> Result<()> {
    let wrong = |why: String| Error::invalid(format!("op `{}` ({})", spec.name, spec.ty), why);
    for (what, text) in [("name", spec.name), ("package", spec.package), ("type", spec.ty)] {
        if text.is_empty() {
            return Err(wrong(format!("it has no {what}")));
        }
    }
    if spec.outputs.is_empty() {
        return Err(wrong("it has no outputs".into()));
    }
    for param in spec.params {
        if let Param::Tensor { name, dtype, dims, data } = param {
            let checked = byte_len(*dtype, dims).and_then(|bytes| data_len(data.len(), bytes, *dtype, dims));
            checked.map_err(|why| wrong(format!("parameter `{name}`: {why}")))?;
        }
    }
    Ok(())
}

/// Bytes of a tensor, when its dimensions make sense.
fn byte_len(dtype: DataType, dims: &[u32]) -> Result<usize, String> {
    if dims.is_empty() || dims.len() > MAX_RANK {
        return Err(format!("it has {} dimensions; 1 to {MAX_RANK} are possible", dims.len()));
    }
    if dims.contains(&0) {
        return Err(format!("its shape {dims:?} has a dimension of 0"));
    }
    let bytes = dims.iter().try_fold(dtype.size() as u64, |bytes, dim| bytes.checked_mul(u64::from(*dim)));
    // The library's own lengths are 32 bits wide.
    bytes
        .filter(|bytes| *bytes <= u64::from(u32::MAX))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| format!("{dtype} {dims:?} is larger than the 4 GiB a tensor can have"))
}

fn data_len(given: usize, expected: usize, dtype: DataType, dims: &[u32]) -> Result<(), String> {
    if given == expected {
        return Ok(());
    }
    Err(format!("its data has {given} bytes, {dtype} {dims:?} needs {expected}"))
}

fn encoding(spec: &TensorSpec<'_>) -> Result<(), String> {
    let storage_bits = 8 * spec.dtype.size() as u32;
    if spec.dtype.is_quantized() == (*spec.quant == Quant::None) {
        return Err(match spec.dtype.is_quantized() {
            true => format!("it is {} and has no encoding", spec.dtype),
            false => format!("it is {}, which cannot have an encoding", spec.dtype),
        });
    }
    let good_scale = |scale: f32| match scale.is_finite() && scale > 0.0 {
        true => Ok(()),
        false => Err(format!("its scale is {scale}; a scale is finite and above 0")),
    };
    let good_bits = |bits: u32| match (1..=storage_bits).contains(&bits) {
        true => Ok(()),
        false => Err(format!("its encoding uses {bits} of {storage_bits} bits")),
    };
    let good_axis = |axis: u32, scale_offsets: &[(f32, i32)]| {
        let slices = spec.dims.get(axis as usize).copied();
        if slices.map(|slices| slices as usize) != Some(scale_offsets.len()) {
            let count = scale_offsets.len();
            return Err(format!(
                "its encoding has {count} scales along axis {axis} of shape {:?}",
                spec.dims
            ));
        }
        scale_offsets.iter().try_for_each(|(scale, _)| good_scale(*scale))
    };
    match spec.quant {
        Quant::None => Ok(()),
        Quant::PerTensor { scale, .. } => good_scale(*scale),
        Quant::PerAxis { axis, scale_offsets } => good_axis(*axis, scale_offsets),
        Quant::BitWidth { bits, scale, .. } => good_bits(*bits).and_then(|()| good_scale(*scale)),
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            good_bits(*bits).and_then(|()| good_axis(*axis, scale_offsets))
        }
        Quant::FloatBlocks { bits, block, scale_offsets } => {
            good_bits(*bits)?;
            let whole = block.len() == spec.dims.len()
                && block.iter().zip(spec.dims).all(|(&b, &d)| b > 0 && d.is_multiple_of(b));
            if !whole {
                return Err(format!("its blocks of {block:?} do not divide shape {:?}", spec.dims));
            }
            let count: u64 = block.iter().zip(spec.dims).map(|(&b, &d)| u64::from(d / b)).product();
            if count != scale_offsets.len() as u64 {
                return Err(format!("its encoding has {} scales for {count} blocks", scale_offsets.len()));
            }
            // A negative scale is computed right (measured with QNN 2.51).
            match scale_offsets.iter().find(|(s, o)| !s.is_finite() || *s == 0.0 || !o.is_finite()) {
                None => Ok(()),
                Some((scale, offset)) => Err(format!(
                    "a block has scale {scale} and offset {offset}; both are finite, and a scale is not 0"
                )),
            }
        }
        Quant::BlockExpansion { axis, scales, block_scale_bits, block_scales } => {
            let (slices, blocks) = (scales.len(), block_scales.len());
            if spec.dims.get(*axis as usize).map(|slices| *slices as usize) != Some(slices) {
                return Err(format!(
                    "its encoding has {slices} scales along axis {axis} of shape {:?}",
                    spec.dims
                ));
            }
            scales.iter().try_for_each(|scale| good_scale(*scale))?;
            let slice = spec.dims.iter().map(|&dim| u64::from(dim)).product::<u64>() / slices.max(1) as u64;
            let whole = blocks > 0
                && blocks.is_multiple_of(slices)
                && slice.is_multiple_of((blocks / slices.max(1)) as u64);
            if !whole {
                return Err(format!(
                    "its encoding has {blocks} blocks for {slices} slices of {slice} elements"
                ));
            }
            if !(1..=8).contains(block_scale_bits) {
                return Err(format!(
                    "its blocks have integers of {block_scale_bits} bits; 1 to 8 are possible"
                ));
            }
            match block_scales.iter().find(|scale| !(1..=1 << block_scale_bits).contains(&u32::from(**scale)))
            {
                None => Ok(()),
                Some(scale) => {
                    Err(format!("a block's integer is {scale}; 1 to {} are possible", 1 << block_scale_bits))
                }
            }
        }
        Quant::Other(kind) => {
            Err(format!("its encoding of kind {kind} was read from a binary and cannot be written"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(role: Role<'_>, dtype: DataType, dims: &[u32], quant: &Quant) -> String {
        tensor(&TensorSpec { name: "t", role, dtype, dims, quant }).unwrap_err().to_string()
    }

    #[test]
    fn shapes_that_hold_nothing_are_refused() {
        assert!(refused(Role::Input, DataType::Float32, &[], &Quant::None).contains("0 dimensions"));
        assert!(refused(Role::Input, DataType::Float32, &[1, 0], &Quant::None).contains("dimension of 0"));
        assert!(refused(Role::Input, DataType::Float32, &[65536, 65536], &Quant::None).contains("4 GiB"));
    }

    #[test]
    fn static_data_of_another_length_is_refused() {
        let message = refused(Role::Static(&[0; 15]), DataType::Float32, &[2, 2], &Quant::None);
        assert!(message.contains("15 bytes") && message.contains("needs 16"), "{message}");
    }

    #[test]
    fn a_quantized_type_needs_an_encoding_and_a_plain_one_refuses_it() {
        let encoding = Quant::PerTensor { scale: 0.1, offset: 0 };
        assert!(refused(Role::Input, DataType::UFixed8, &[1], &Quant::None).contains("no encoding"));
        assert!(refused(Role::Input, DataType::Uint8, &[1], &encoding).contains("cannot have an encoding"));
    }

    #[test]
    fn scales_are_finite_and_positive() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let quant = Quant::PerTensor { scale, offset: 0 };
            assert!(refused(Role::Native, DataType::UFixed8, &[1], &quant).contains("scale"), "{scale}");
        }
    }

    #[test]
    fn per_axis_encodings_have_one_scale_per_slice() {
        let scale_offsets = vec![(0.1, 0); 5];
        let quant = Quant::PerAxis { axis: 1, scale_offsets: scale_offsets.clone() };
        assert!(refused(Role::Native, DataType::SFixed8, &[3, 32], &quant).contains("5 scales along axis 1"));
        let quant = Quant::PerAxis { axis: 2, scale_offsets };
        assert!(refused(Role::Native, DataType::SFixed8, &[3, 5], &quant).contains("axis 2"));
    }

    #[test]
    fn block_expansions_have_whole_blocks_of_small_integers() {
        let refused = |slices: usize, block_scales: &[u8]| {
            let block_scales = block_scales.into();
            let quant = Quant::BlockExpansion {
                axis: 0,
                scales: vec![0.1; slices],
                block_scale_bits: 4,
                block_scales,
            };
            refused(Role::Native, DataType::SFixed8, &[2, 6], &quant)
        };
        assert!(refused(3, &[1; 6]).contains("3 scales along axis 0"));
        assert!(refused(2, &[1; 8]).contains("8 blocks for 2 slices of 6 elements"));
        assert!(refused(2, &[]).contains("0 blocks"));
        assert!(refused(2, &[1, 2, 3, 4, 5, 17]).contains("integer is 17; 1 to 16"));
    }

    #[test]
    fn bits_fit_the_storage() {
        let quant = Quant::BitWidth { bits: 9, scale: 1.0, offset: 0 };
        assert!(refused(Role::Native, DataType::SFixed8, &[1], &quant).contains("9 of 8 bits"));
    }

    #[test]
    fn parameter_data_of_another_length_is_refused() {
        let params = [Param::Tensor { name: "stride", dtype: DataType::Uint32, dims: &[2], data: &[0; 4] }];
        let outputs = [super::super::TensorId(0)];
        let spec = OpSpec {
            name: "c",
            package: "qti.aisw",
            ty: "Conv2d",
            inputs: &[],
            outputs: &outputs,
            params: &params,
        };
        let message = op(&spec).unwrap_err().to_string();
        assert!(message.contains("parameter `stride`") && message.contains("needs 8"), "{message}");
    }
}
