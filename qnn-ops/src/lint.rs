//! Lints: definitions that parse and contradict themselves, or are probably mistakes.

use std::collections::HashMap;

use crate::code::CodeParam;
use crate::model::{Datatype, Finding, Kind, Level, Op, Package, Param, Position, Rank, Tensor};
use crate::words::{is_identifier, upper};

/// Everything that is wrong with the definitions, in the file's order.
pub fn lint(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_identifier(&package.name) {
        findings.push(
            Finding::error(package.at, format!("PackageName `{}` is no name in C", package.name))
                .help("letters, digits and `_`: functions and the library are called after it"),
        );
    }
    if package.domain == "ai.onnx" || package.domain == "com.microsoft" {
        let message = format!("Domain `{}` belongs to operators of others", package.domain);
        findings.push(
            Finding::error(package.at, message).help("choose a domain of your own, such as `com.example`"),
        );
    }
    let numbers: Vec<&str> = package.version.split('.').collect();
    let number =
        |text: &&str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    if numbers.len() > 3 || !numbers.iter().all(number) {
        findings.push(
            Finding::error(package.at, format!("Version `{}` is no version", package.version))
                .help("one to three numbers, such as 1.2 or 1.2.3: compiled models are held against it"),
        );
    }
    if package.ops.is_empty() {
        findings.push(Finding::error(package.at, "there is no op in it"));
    }
    twice(&mut findings, "op", package.ops.iter().map(|op| (&*op.name, op.at)));
    for op in &package.ops {
        self::op(package, op, &mut findings);
    }
    supplements(package, &mut findings);
    findings.sort_by(|a, b| a.at.cmp(&b.at).then(b.level.cmp(&a.level)));
    findings
}

/// Names that are there twice, also those that differ only in what C and Rust make of them.
fn twice<'a>(findings: &mut Vec<Finding>, what: &str, names: impl Iterator<Item = (&'a str, Position)>) {
    let mut seen: HashMap<String, (&str, Position)> = HashMap::new();
    for (name, at) in names {
        match seen.get(&upper(name)) {
            Some((first, place)) if *first == name => {
                findings
                    .push(Finding::error(at, format!("{what} `{name}` is there twice; first at {place}")));
            }
            Some((first, place)) => findings.push(Finding::error(
                at,
                format!(
                    "{what} `{name}` and `{first}` at {place} would have the same constant {}",
                    upper(name)
                ),
            )),
            None => {
                seen.insert(upper(name), (name, at));
            }
        }
    }
}

fn op(package: &Package, op: &Op, findings: &mut Vec<Finding>) {
    if !is_identifier(&op.name) {
        findings.push(Finding::error(op.at, format!("the name of op `{}` is no name in C", op.name)));
    }
    if op.description.is_empty() {
        findings.push(Finding::warning(op.at, format!("op `{}` has no description", op.name)));
    }
    if op.outputs.is_empty() {
        findings.push(Finding::error(op.at, format!("op `{}` has no output", op.name)));
    }
    if op.backends.is_empty() {
        findings.push(Finding::warning(op.at, format!("op `{}` names no `SupportedBackend`", op.name)));
    }
    let place = |tensor: &Tensor| tensor.at;
    twice(findings, "input", op.inputs.iter().map(|t| (&*t.name, place(t))));
    twice(findings, "output", op.outputs.iter().map(|t| (&*t.name, place(t))));
    twice(findings, "parameter", op.params.iter().map(|p| (&*p.name, p.at)));
    for (kind, tensors) in [(Kind::Input, &op.inputs), (Kind::Output, &op.outputs)] {
        let mut optional: Option<&Tensor> = None;
        for (i, tensor) in tensors.iter().enumerate() {
            types(package, op, kind, (&tensor.name, &tensor.datatypes, tensor.at), findings);
            if tensor.repeated && i + 1 != tensors.len() {
                let message = format!("{kind} `{}` is repeated and not the last one", tensor.name);
                findings.push(Finding::error(tensor.at, message));
            }
            if tensor.is_static && kind == Kind::Output {
                let message = format!("output `{}` cannot be a static tensor", tensor.name);
                findings.push(Finding::error(tensor.at, message));
            }
            match optional {
                Some(before) if tensor.mandatory => {
                    let message = format!(
                        "{kind} `{}` is mandatory and follows `{}`, which is optional",
                        tensor.name, before.name
                    );
                    findings.push(
                        Finding::error(tensor.at, message)
                            .help("tensors are told apart by their order: put optional ones last"),
                    );
                }
                None if !tensor.mandatory => optional = Some(tensor),
                _ => {}
            }
        }
    }
    for param in &op.params {
        self::param(package, op, param, findings);
    }
}

/// Types that contradict each other, or that nobody decides.
fn types(
    package: &Package,
    op: &Op,
    kind: Kind,
    (name, own, at): (&str, &[Datatype], Position),
    findings: &mut Vec<Finding>,
) {
    if !own.contains(&Datatype::BackendSpecific) {
        return;
    }
    if own.len() > 1 {
        let message = format!("{kind} `{name}` lists datatypes beside BACKEND_SPECIFIC");
        findings.push(
            Finding::error(at, message).help("either list the types, or leave them to the supplements"),
        );
    }
    if op.backends.iter().any(|backend| backend == "HTP") && package.datatypes(op, kind, name).is_empty() {
        findings.push(
            Finding::warning(at, format!("nothing says which datatypes {kind} `{name}` has on the HTP")).help(
                "name them here, or in the `SupplementalOpDef` of this op in the list for Backend=\"HTP\"",
            ),
        );
    }
}

fn param(package: &Package, op: &Op, param: &Param, findings: &mut Vec<Finding>) {
    types(package, op, Kind::Param, (&param.name, &param.datatypes, param.at), findings);
    let name = &param.name;
    match &param.default {
        None if !param.mandatory => {
            let message = format!("parameter `{name}` is optional and has no `Default`");
            findings.push(Finding::warning(param.at, message).help("say what the op does without it"));
        }
        Some(default) if param.mandatory => {
            let message = format!("parameter `{name}` is mandatory and has the default `{default}`");
            findings.push(
                Finding::warning(param.at, message)
                    .help("a default is never used then: remove one of the two"),
            );
        }
        Some(default) if param.rank == Rank::Scalar && !is_value(default, param) => {
            let message = format!("the default `{default}` of parameter `{name}` is no value of its types");
            findings.push(Finding::error(param.at, message));
        }
        _ => {}
    }
    if !param.values.is_empty() && param.rank != Rank::Scalar {
        let message = format!("parameter `{name}` has an enumeration and is no scalar");
        findings.push(Finding::error(param.at, message));
    }
    let mut names: Vec<&String> = param.values.iter().collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("the enumeration of parameter `{name}` has `{}` twice", pair[0]);
        findings.push(Finding::error(param.at, message));
    }
    for tensor in op.inputs.iter().chain(&op.outputs).filter(|tensor| tensor.name == *name) {
        let message = format!("parameter `{name}` has the name of the tensor at {}", tensor.at);
        findings.push(Finding::warning(param.at, message));
    }
}

/// Whether a text is a value of one of a parameter's types, or a name of its enumeration.
fn is_value(text: &str, param: &Param) -> bool {
    let fits = |datatype: &Datatype| match datatype {
        Datatype::BackendSpecific => true,
        Datatype::Float16 | Datatype::Float32 => text.trim_end_matches(['f', 'F']).parse::<f64>().is_ok(),
        Datatype::Bool8 => ["true", "false", "0", "1"].contains(&text.to_ascii_lowercase().as_str()),
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 | Datatype::Uint64 => {
            text.parse::<u64>().is_ok()
        }
        _ => text.parse::<i64>().is_ok(),
    };
    param.values.iter().any(|value| value == text) || param.datatypes.iter().any(fits)
}

fn supplements(package: &Package, findings: &mut Vec<Finding>) {
    let known: Vec<&str> = package.ops.iter().map(|op| &*op.name).collect();
    let unknown = |name: &str, at: Position, what: &str| {
        let near = qnn_platform::nearest::nearest(name, known.iter().copied(), 1);
        let finding = Finding::error(at, format!("{what} `{name}`, which no `OpDef` defines"));
        match near.first() {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("add an `OpDef` of that name, or remove this"),
        }
    };
    for list in &package.supplements {
        twice(findings, "supplement of op", list.ops.iter().map(|(name, at, _)| (&**name, *at)));
        for (name, at) in &list.supported {
            match package.op(name) {
                None => findings.push(unknown(name, *at, "`SupportedOps` lists op")),
                Some(op) if !op.backends.contains(&list.backend) => {
                    let message = format!(
                        "op `{name}` is supported here on {}, and its definition says {}",
                        list.backend,
                        if op.backends.is_empty() { "nothing".to_owned() } else { op.backends.join(", ") }
                    );
                    findings.push(Finding::warning(*at, message));
                }
                Some(_) => {}
            }
        }
        for (name, at, tensors) in &list.ops {
            let Some(op) = package.op(name) else {
                findings.push(unknown(name, *at, "a supplement is about op"));
                continue;
            };
            if !list.supported.is_empty() && !list.supported.iter().any(|(supported, _)| supported == name) {
                let message = format!("op `{name}` has a supplement and is not among the `SupportedOps`");
                findings.push(Finding::warning(*at, message));
            }
            for tensor in tensors {
                let own = match tensor.kind {
                    Kind::Input => op.inputs.iter().find(|t| t.name == tensor.name).map(|t| &t.datatypes),
                    Kind::Output => op.outputs.iter().find(|t| t.name == tensor.name).map(|t| &t.datatypes),
                    Kind::Param => op.params.iter().find(|p| p.name == tensor.name).map(|p| &p.datatypes),
                };
                let Some(own) = own else {
                    let message = format!("op `{name}` has no {} `{}`", tensor.kind, tensor.name);
                    findings.push(Finding::error(tensor.at, message));
                    continue;
                };
                let other = tensor.datatypes.iter().find(|datatype| !own.contains(datatype));
                if let Some(other) = other.filter(|_| !own.contains(&Datatype::BackendSpecific)) {
                    let message = format!(
                        "the supplement gives {} `{}` the type {}, which its definition does not list",
                        tensor.kind,
                        tensor.name,
                        other.name()
                    );
                    findings.push(Finding::error(tensor.at, message));
                }
            }
        }
    }
}

/// The glue registers a kernel for each number of parameters, so many at most.
const MOST_OPTIONAL: usize = 3;

/// Operands of a kernel, inputs and parameters together: as many as the glue has room for.
const MOST_OPERANDS: usize = 16;

/// Signed integers that the HTP hands over as unsigned ones, what their zero becomes, and the type that says so.
const MOVED: &[(Datatype, &str, &str)] =
    &[(Datatype::Int8, "128", "SFIXED_POINT_8"), (Datatype::Int16, "32768", "SFIXED_POINT_16")];

/// What a package in C cannot do: the HTP hands parameters to a kernel by their position.
pub fn lint_qhpi(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    for op in &package.ops {
        let operands = op.inputs.len() + op.params.len();
        if operands > MOST_OPERANDS || op.outputs.len() > MOST_OPERANDS {
            let message = format!(
                "op `{}` has {operands} inputs and parameters and {} outputs; a kernel gets at most {MOST_OPERANDS} of each",
                op.name,
                op.outputs.len()
            );
            findings.push(
                Finding::error(op.at, message).help("join inputs by a Concat in the model, or divide the op"),
            );
        }
        let mut optional: Option<&Param> = None;
        for param in &op.params {
            match optional {
                Some(before) if param.mandatory => {
                    let message = format!(
                        "parameter `{}` is mandatory and follows `{}`, which is optional",
                        param.name, before.name
                    );
                    let help = "a kernel gets its parameters by position: put optional ones last";
                    findings.push(Finding::error(param.at, message).help(help));
                }
                None if !param.mandatory => optional = Some(param),
                _ => {}
            }
            let name = &param.name;
            if param.rank != Rank::Scalar {
                let message = format!("parameter `{name}` is a tensor; kernels get only single values");
                findings
                    .push(Finding::error(param.at, message).help("make it an input with `IsStaticTensor`"));
            }
            let fits = |datatype: &&Datatype| {
                [Datatype::Float32, Datatype::Int32, Datatype::Uint32].contains(datatype)
            };
            let types = package.datatypes(op, Kind::Param, name);
            if let Some(other) = types.iter().find(|datatype| !fits(datatype)) {
                let message = format!("parameter `{name}` is {}, which no kernel gets", other.name());
                let help = "use QNN_DATATYPE_FLOAT_32, _INT_32 or _UINT_32";
                findings.push(Finding::error(param.at, message).help(help));
            }
        }
        let optional: Vec<&Param> = op.params.iter().filter(|param| !param.mandatory).collect();
        if let Some(extra) = optional.get(MOST_OPTIONAL) {
            let message = format!("op `{}` has more than {MOST_OPTIONAL} optional parameters", op.name);
            findings.push(Finding::error(extra.at, message).help("make some of them mandatory"));
        }
        for input in op.inputs.iter().filter(|input| !input.mandatory || input.repeated) {
            let message =
                format!("input `{}` may be left out or repeated; kernels get a fixed number", input.name);
            findings.push(Finding::error(input.at, message).help("define an op for each number of inputs"));
        }
        for (kind, tensors) in [(Kind::Input, &op.inputs), (Kind::Output, &op.outputs)] {
            for tensor in tensors {
                if !is_identifier(&tensor.name) {
                    let message = format!("the name of {kind} `{}` is no name in C", tensor.name);
                    findings.push(Finding::error(tensor.at, message));
                }
                let types = package.datatypes(op, kind, &tensor.name);
                let moved = MOVED.iter().find(|(datatype, ..)| types.contains(datatype));
                if let Some((datatype, zero, instead)) = moved {
                    let message = format!(
                        "{kind} `{}` lists {}, and kernels get such numbers as unsigned ones, {zero} higher",
                        tensor.name,
                        datatype.name()
                    );
                    let help = format!(
                        "use QNN_DATATYPE_INT_32 for whole numbers, or QNN_DATATYPE_{instead} for numbers with a scale, whose `zero` says it"
                    );
                    findings.push(Finding::error(tensor.at, message).help(help));
                }
                if tensor.rank == Rank::Fixed(5) {
                    let message = format!("{kind} `{}` has rank 5, which no kernel gets", tensor.name);
                    findings.push(Finding::error(tensor.at, message).help("reshape to 4 axes in the model"));
                }
            }
        }
        for param in op.params.iter().filter(|param| !is_identifier(&param.name)) {
            let message = format!("the name of parameter `{}` is no name in C", param.name);
            findings.push(Finding::error(param.at, message));
        }
    }
    findings
}

/// What the definitions and the package's C++ code say differently: `code` is what [`crate::param_orders`] found, with the file of
/// each. Places are those of the definitions.
pub fn lint_code(package: &Package, code: &[(String, CodeParam)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for op in &package.ops {
        for param in &op.params {
            let found = code.iter().find(|(_, p)| p.op == op.name && p.name == param.name);
            let registered = code.iter().any(|(_, p)| p.op == op.name);
            match found {
                Some((file, code)) if code.mandatory && !param.mandatory => findings.push(
                    Finding::error(
                        param.at,
                        format!(
                            "parameter `{}` of op `{}` is optional here and mandatory in the code ({file}:{})",
                            param.name, op.name, code.line
                        ),
                    )
                    .help("the code wins when the model is compiled: make both say the same"),
                ),
                Some((file, code)) if !code.mandatory && param.mandatory => findings.push(Finding::warning(
                    param.at,
                    format!(
                        "parameter `{}` of op `{}` is mandatory here and optional in the code ({file}:{})",
                        param.name, op.name, code.line
                    ),
                )),
                None if registered => findings.push(Finding::error(
                    param.at,
                    format!("parameter `{}` of op `{}` is not in DEF_PACKAGE_PARAM_ORDER", param.name, op.name),
                )),
                _ => {}
            }
        }
    }
    for (file, param) in code {
        let op = package.op(&param.op);
        if op.is_some_and(|op| !op.params.iter().any(|p| p.name == param.name)) {
            let at = op.map_or(package.at, |op| op.at);
            findings.push(Finding {
                level: Level::Error,
                at,
                message: format!(
                    "the code gives op `{}` a parameter `{}` ({file}:{}) that is not defined",
                    param.op, param.name, param.line
                ),
                help: None,
            });
        }
    }
    findings.sort_by_key(|finding| finding.at);
    findings
}
