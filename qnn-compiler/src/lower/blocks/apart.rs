//! Keeps the maker of integers and their reader apart where the library would join the two and be wrong.

use crate::lower::engine::Ops;
use crate::program::TensorId;

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
