//! Keeps the maker of integers and their reader apart where the library would join the two and be wrong.

use qnn::DataType;

use crate::lower::engine::Ops;
use crate::program::{Quant, TensorId};

/// The same integers behind a PoolMax2d of single elements, which the library takes for nothing else (measured with QNN 2.51 on SM8650).
pub(in crate::lower) fn apart(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    if let Some(&apart) = ops.lower.apart.get(&x) {
        return apart;
    }
    let shape = ops.shape(x);
    let mut image = shape.clone();
    while image.len() < 4 {
        image.insert(0, 1);
    }
    while image.len() > 4 {
        let first = image.remove(0);
        image[0] *= first;
    }
    let dtype = ops.dtype(x);
    let from = ops.reshape(x, &image);
    let pooled = ops.step("PoolMax2d", &[from], dtype, &image, |op| {
        op.u32s("filter_size", &[2], &[1, 1]).u32s("stride", &[2], &[1, 1]).u32s(
            "pad_amount",
            &[2, 2],
            &[0; 4],
        )
    });
    let apart = ops.reshape(pooled, &shape);
    ops.lower.apart.insert(x, apart);
    apart
}

/// The first operand of a product with a weight, kept apart from the Convert that makes it, where at least so many Reshapes stand between.
///
/// Where the weight has a scale a channel, the library joins a Convert of 16 bits with the product as if all channels had one: 1 to
/// 18 dB, against 56 on v68 and 81 on others (measured with QNN 2.51 on SM8350, SM8550, SM8650, QCS6490). Before a FullyConnected it does
/// so always, before a convolution of tokens, whose Convert has three axes, but not where the Convert has the convolution's own shape.
pub(in crate::lower) fn apart_from_convert(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    weight: TensorId,
    reshapes: usize,
) -> TensorId {
    let by_channel = matches!(
        ops.lower.get(weight).quant,
        Quant::PerAxis { .. } | Quant::BitWidthPerAxis { .. } | Quant::BlockExpansion { .. }
    );
    if !by_channel || ops.dtype(x) != DataType::UFixed16 {
        return x;
    }
    let (mut at, mut passed) = (x, 0);
    while let Some((ty, Some(&from))) = ops.lower.op_that_makes(at).map(|op| (&*op.ty, op.inputs.first())) {
        match ty {
            "Reshape" => (at, passed) = (from, passed + 1),
            "Convert" if passed >= reshapes => return apart(ops, x),
            _ => break,
        }
    }
    x
}
