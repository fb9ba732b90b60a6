//! Removes what lowering node by node leaves between the ops of neighbours: reshapes of reshapes, reshapes to the same
//! shape, and ops that nothing reads after that.

use std::collections::{HashMap, HashSet};

use crate::program::{Program, Quant, Role, TensorId};

/// Tidies the program; every output stays what it is.
pub(in crate::lower) fn run(program: &mut Program) {
    let mut sources: HashMap<TensorId, TensorId> = HashMap::new();
    let mut same: HashMap<TensorId, TensorId> = HashMap::new();
    for i in 0..program.ops.len() {
        let op = &mut program.ops[i];
        for input in &mut op.inputs {
            *input = same.get(input).copied().unwrap_or(*input);
        }
        let (&[x], &[y]) = (&op.inputs[..], &op.outputs[..]) else { continue };
        if op.ty != "Reshape" || !plain(program, x) || !plain(program, y) {
            continue;
        }
        let source = sources.get(&x).copied().unwrap_or(x);
        program.ops[i].inputs[0] = source;
        sources.insert(y, source);
        let (from, to) = (program.tensor(source), program.tensor(y));
        if from.dims == to.dims && matches!(to.role, Role::Native) {
            same.insert(y, source);
        }
    }
    let mut read: HashSet<TensorId> = HashSet::new();
    let mut keep = vec![true; program.ops.len()];
    for (keep, op) in keep.iter_mut().zip(&program.ops).rev() {
        let wanted = |y: &TensorId| read.contains(y) || matches!(program.tensor(*y).role, Role::Output);
        *keep = op.outputs.iter().any(wanted);
        if *keep {
            read.extend(&op.inputs);
        }
    }
    let mut keep = keep.into_iter();
    program.ops.retain(|_| keep.next().unwrap_or(true));
}

/// Whether a tensor holds numbers as they are: a reshape of quantized ones may change their encoding.
fn plain(program: &Program, t: TensorId) -> bool {
    matches!(program.tensor(t).quant, Quant::None)
}
