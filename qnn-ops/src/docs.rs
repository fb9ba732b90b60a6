//! The definitions as a page of Markdown.

use std::fmt::Write;

use crate::model::{Datatype, Kind, Op, Package};

/// One section an op: what it does, its tensors and parameters in a table.
pub fn markdown(package: &Package) -> String {
    let mut out = format!("# Ops of {}\n\n", package.name);
    let _ = writeln!(
        out,
        "Domain `{}`, version {}. A model uses an op as an operator of that domain and name; attributes are its parameters.",
        package.domain, package.version
    );
    for op in &package.ops {
        section(&mut out, package, op);
    }
    out
}

fn section(out: &mut String, package: &Package, op: &Op) {
    let _ = writeln!(out, "\n## {}\n", op.name);
    if !op.description.is_empty() {
        let _ = writeln!(out, "{}\n", op.description);
    }
    let _ = writeln!(out, "| | name | types on the HTP | shape | |\n|---|---|---|---|---|");
    for (kind, tensors) in [(Kind::Input, &op.inputs), (Kind::Output, &op.outputs)] {
        for tensor in tensors {
            let mut notes: Vec<String> = [
                (!tensor.mandatory, "optional"),
                (tensor.repeated, "any number"),
                (tensor.is_static, "constant"),
            ]
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, word)| (*word).to_owned())
            .collect();
            notes.extend((!tensor.description.is_empty()).then(|| tensor.description.clone()));
            notes.extend(tensor.constraints.iter().map(|rule| rule.text.clone()));
            let shape = match &tensor.shape {
                Some(text) => format!("{}: {text}", tensor.rank),
                None => tensor.rank.to_string(),
            };
            row(
                out,
                [
                    &kind.to_string(),
                    &tensor.name,
                    &types(package, op, kind, &tensor.name),
                    &shape,
                    &notes.join("; "),
                ],
            );
        }
    }
    for param in &op.params {
        let mut notes = Vec::new();
        match (&param.default, param.mandatory) {
            (Some(default), false) => notes.push(format!("default {default}")),
            (None, false) => notes.push("optional".to_owned()),
            _ => {}
        }
        let values = param.values.iter().enumerate().map(|(i, name)| format!("{i} = {name}"));
        notes.extend((!param.values.is_empty()).then(|| values.collect::<Vec<_>>().join(", ")));
        notes.extend((!param.description.is_empty()).then(|| param.description.clone()));
        notes.extend(param.constraints.iter().map(|rule| rule.text.clone()));
        let types = types(package, op, Kind::Param, &param.name);
        row(out, ["parameter", &param.name, &types, &param.rank.to_string(), &notes.join("; ")]);
    }
}

fn types(package: &Package, op: &Op, kind: Kind, name: &str) -> String {
    let types: Vec<&str> = package.datatypes(op, kind, name).iter().map(|d: &Datatype| d.short()).collect();
    if types.is_empty() { "not said".to_owned() } else { types.join(", ") }
}

/// A row; what would end a cell or a line is replaced.
fn row(out: &mut String, cells: [&str; 5]) {
    let clean = cells.map(|cell| cell.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" "));
    let _ = writeln!(out, "| {} | `{}` | {} | {} | {} |", clean[0], clean[1], clean[2], clean[3], clean[4]);
}
