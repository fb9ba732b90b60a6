//! HTP has no 64-bit numbers: int64 becomes int32 where the values allow it, double becomes float.

use bytes::Bytes;
use half::bf16;

use crate::graph::{DType, Data, Graph, ValueId};
use crate::problem::{Problems, Result, problem};

/// Narrows every value that a node, or the app, still uses.
///
/// # Errors
/// Every integer constant that holds a number outside 32 bits.
pub(super) fn run(graph: &mut Graph) -> Result<()> {
    let mut problems = Vec::new();
    let used: Vec<ValueId> = used_values(graph);
    for id in used {
        let value = graph.value(id);
        let to = match value.ty.dtype {
            DType::I64 => DType::I32,
            DType::U64 => DType::U32,
            DType::F64 | DType::Bf16 => DType::F32,
            _ => continue,
        };
        let data = match &value.data {
            None => None,
            Some(data) => {
                match convert(data, value.ty.dtype) {
                    Ok(data) => Some(data),
                    Err(number) => {
                        let mut p = problem(
                            "E0303",
                            format!(
                                "constant {:?} ({}) holds {number}, which does not fit 32 bits",
                                value.name, value.ty.dtype
                            ),
                        );
                        p.help = Some("HTP computes with 32-bit integers; export the model with smaller indices or bounds".to_owned());
                        problems.push(p);
                        continue;
                    }
                }
            }
        };
        let value = graph.value_mut(id);
        value.ty.dtype = to;
        value.data = data;
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn used_values(graph: &Graph) -> Vec<ValueId> {
    let mut seen = std::collections::BTreeSet::new();
    seen.extend(graph.inputs.iter().chain(&graph.outputs).copied());
    for node in &graph.nodes {
        seen.extend(node.inputs.iter().chain(&node.outputs).flatten().copied());
    }
    seen.into_iter().collect()
}

/// The data in the narrower type, or the number that does not fit.
fn convert(data: &Data, dtype: DType) -> std::result::Result<Data, i64> {
    match dtype {
        DType::I64 => {
            let narrow: std::result::Result<Vec<i32>, i64> =
                data.to_i64(dtype).into_iter().map(|v| i32::try_from(v).map_err(|_| v)).collect();
            Ok(Data::from_i32(&narrow?))
        }
        DType::U64 => {
            let mut bytes = Vec::with_capacity(data.len() / 2);
            for v in data.to_i64(dtype) {
                bytes.extend(u32::try_from(v).map_err(|_| v)?.to_le_bytes());
            }
            Ok(Data::new(Bytes::from(bytes)))
        }
        DType::Bf16 => Ok(Data::from_f32(
            &data
                .bytes()
                .chunks_exact(2)
                .map(|c| bf16::from_le_bytes([c[0], c[1]]).to_f32())
                .collect::<Vec<_>>(),
        )),
        _ => Ok(Data::from_f32(&data.to_f32(dtype))),
    }
}
