//! Emits a program through the vendor's library.

use std::collections::HashMap;

use qnn::compose::{self, GraphBuilder, OpSpec, TensorSpec};
use qnn_types::Diagnostic;

use super::miscompilations;
use super::packages::own_op;
use crate::problem::{Problems, Result};
use crate::program::{Op, Param, Program, Role, TensorId};
use crate::reporter::Reporter;

/// Creates every tensor, then validates and adds every op. An op that fails validation does not stop the others from
/// being validated.
///
/// # Errors
/// Every op that the library would compute garbage for, else every op that it refuses, in its own words.
pub(super) fn emit<'p>(
    program: &'p Program,
    builder: &mut GraphBuilder<'p>,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    hand_over(program, builder, reporter, true)
}

/// As [`emit`] for a file, whose ops are validated when it is composed.
pub(crate) fn emit_to_file<'p>(
    program: &'p Program,
    builder: &mut GraphBuilder<'p>,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    hand_over(program, builder, reporter, false)
}

fn hand_over<'p>(
    program: &'p Program,
    builder: &mut GraphBuilder<'p>,
    reporter: &mut Reporter<'_>,
    validate: bool,
) -> Result<()> {
    let found = miscompilations::found(program);
    if !found.is_empty() {
        return Err(Problems(found));
    }
    let mut ids = HashMap::new();
    for (i, tensor) in program.tensors.iter().enumerate() {
        let role = match &tensor.role {
            Role::Input => compose::Role::Input,
            Role::Output => compose::Role::Output,
            Role::Native => compose::Role::Native,
            Role::Static(data) => compose::Role::Static(data.bytes()),
        };
        let spec = TensorSpec {
            name: &tensor.name,
            role,
            dtype: tensor.dtype,
            dims: &tensor.dims,
            quant: &tensor.quant,
        };
        let id = builder
            .tensor(&spec)
            .map_err(|e| diagnostic(&e, &format!("creating tensor {:?}", tensor.name)))?;
        ids.insert(TensorId(i), id);
    }
    let mut problems = Vec::new();
    for (i, op) in program.ops.iter().enumerate() {
        // A package's own check of the op runs, and then its rewrites.
        let own = own_op(op);
        if let Some(own) = &own {
            reporter.at_risk(vec![own.clone()]);
        }
        // After a refusal the graph has holes: the ops that follow can only be validated.
        if let Err(p) = add(op, &ids, builder, problems.is_empty(), validate) {
            problems.push(p);
        }
        if own.is_some() {
            reporter.at_risk(Vec::new());
        }
        if i % 64 == 63 {
            reporter.progress(i + 1, program.ops.len());
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn add(
    op: &Op,
    ids: &HashMap<TensorId, compose::TensorId>,
    builder: &mut GraphBuilder<'_>,
    whole: bool,
    validate: bool,
) -> std::result::Result<(), Diagnostic> {
    let tensors = |list: &[TensorId]| -> Vec<compose::TensorId> {
        list.iter().filter_map(|t| ids.get(t).copied()).collect()
    };
    let (inputs, outputs) = (tensors(&op.inputs), tensors(&op.outputs));
    let params: Vec<compose::Param<'_>> = op
        .params
        .iter()
        .map(|param| match param {
            Param::Scalar(name, value) => compose::Param::Scalar(name, *value),
            Param::Tensor { name, dtype, dims, data } => {
                compose::Param::Tensor { name, dtype: *dtype, dims, data: data.bytes() }
            }
        })
        .collect();
    let spec = OpSpec {
        name: &op.name,
        package: &op.package,
        ty: &op.ty,
        inputs: &inputs,
        outputs: &outputs,
        params: &params,
    };
    let result = if !validate {
        builder.add(&spec)
    } else if whole {
        builder.validate(&spec).and_then(|()| builder.add(&spec))
    } else {
        builder.validate(&spec)
    };
    result.map_err(|e| {
        let mut p = diagnostic(&e, &format!("the QNN library refuses the {} that this node becomes", op.ty));
        p.code = "E0306".to_owned();
        (p.node, p.op) = (Some(op.origin.node.clone()), Some(op.origin.op.clone()));
        p
    })
}

/// An error of the library as a diagnostic.
pub(crate) fn diagnostic(error: &qnn::Error, what: &str) -> Diagnostic {
    let code = if error.kind() == qnn::ErrorKind::Load { "E0403" } else { "E0406" };
    let mut p = Diagnostic::new(code, what);
    p.help = error.help().map(str::to_owned);
    p.notes = error.message().lines().map(str::to_owned).collect();
    p
}

/// Says what to do where the library finds no way to divide a graph that has `own` ops of packages, each with its node.
pub(crate) fn undivided(problem: Diagnostic, own: &[String]) -> Diagnostic {
    let tiled = |note: &&String| note.contains("not sufficiently tiled");
    let Some(said) = problem.notes.iter().find(tiled).filter(|_| !own.is_empty()) else { return problem };
    // The log names the op, or the copy of its tensors that the library would have made.
    let named = own.iter().find(|op| op.split(' ').next().is_some_and(|op| said.contains(op)));
    let ops = named.map_or_else(|| own.join(", "), String::clone);
    let help = format!(
        "tensors of {ops} are larger than the NPU's memory, and the kernel does not say how they may be divided: name the axes \
         (`.tiled_axes` and `.tiled_inputs` of its qnn_kernel_def, docs/OP-PACKAGES.md), or make the tensors smaller"
    );
    Diagnostic { help: Some(help), ..problem }
}
