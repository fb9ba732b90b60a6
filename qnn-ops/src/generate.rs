//! What code is generated from the definitions. op-package/GENERATED.md is the contract of the C header.

use std::fmt::Write;

use crate::model::{Datatype, Kind, Op, Package, Param, Rank, Tensor};
use crate::words::upper;

macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        // Writing to a String cannot fail.
        let _ = writeln!($out, $($arg)*);
    };
}

/// The C header that a package's source includes; `from` is the name of the file with the definitions.
pub fn c_header(package: &Package, from: &str) -> String {
    let mut out = String::new();
    let guard = format!("{}_OPS_H", upper(&package.name));
    put!(out, "// Generated from {}. Edit that.", one_line(from));
    put!(out, "#ifndef {guard}\n#define {guard}\n\n#include \"qnn_op_glue.h\"\n");
    put!(out, "#define QNN_PACKAGE_NAME {:?}", package.name);
    put!(out, "#define QNN_PACKAGE_DOMAIN {:?}", package.domain);
    let version = version(&package.version);
    put!(out, "#define QNN_PACKAGE_VERSION {{{version}}}");
    put!(out, "// In the names of kernels, which context binaries store: one of another version finds none.");
    put!(out, "#define QNN_PACKAGE_VERSION_TAG {:?}", version.replace(", ", "_"));
    put!(out, "// The function that the backend is given the name of when the package is registered.");
    put!(out, "#define QNN_PACKAGE_PROVIDER {}InterfaceProvider\n", package.name);
    let ops = package.ops.iter().enumerate().map(|(i, op)| format!("OP_{} = {i}", op.name));
    let count = format!("QNN_PACKAGE_NUM_OPS = {}", package.ops.len());
    put!(out, "enum {{ {} }};", ops.chain([count]).collect::<Vec<_>>().join(", "));
    let each: Vec<String> = package.ops.iter().map(|op| format!("X({})", op.name)).collect();
    put!(out, "// All ops in order: the glue makes one function for each.");
    put!(out, "#define QNN_PACKAGE_EACH_OP(X) {}", each.join(" "));
    for op in &package.ops {
        op_tables(&mut out, package, op);
    }
    put!(out, "\nstatic const qnn_op_def QNN_PACKAGE_OPS[QNN_PACKAGE_NUM_OPS] = {{");
    for op in &package.ops {
        let name = &op.name;
        put!(out, "    [OP_{name}] = {{.name = {name:?},");
        for (kind, tables) in tables(op) {
            let lower = tables.to_ascii_lowercase();
            if count_of(op, kind) > 0 {
                put!(out, "        .num_{lower} = {name}_NUM_{tables}, .{lower} = {name}_{tables},");
            } else {
                put!(out, "        .num_{lower} = 0,");
            }
        }
        put!(out, "    }},");
    }
    put!(out, "}};\n\n#endif");
    out
}

fn tables(_: &Op) -> [(Kind, &'static str); 3] {
    [(Kind::Input, "INPUTS"), (Kind::Output, "OUTPUTS"), (Kind::Param, "PARAMS")]
}

fn count_of(op: &Op, kind: Kind) -> usize {
    match kind {
        Kind::Input => op.inputs.len(),
        Kind::Output => op.outputs.len(),
        Kind::Param => op.params.len(),
    }
}

fn op_tables(out: &mut String, package: &Package, op: &Op) {
    put!(out, "");
    let name = &op.name;
    let list = |infix: &str, plural: &str, names: Vec<&str>| {
        let count = format!("{name}_NUM_{plural} = {}", names.len());
        let indexes =
            names.iter().enumerate().map(|(i, own)| format!("{name}_{infix}_{} = {i}", c_name(own)));
        format!("enum {{ {} }};", indexes.chain([count]).collect::<Vec<_>>().join(", "))
    };
    let tensors = |tensors: &'_ [Tensor]| tensors.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    let (inputs, outputs) = (tensors(&op.inputs), tensors(&op.outputs));
    put!(out, "{}", list("IN", "INPUTS", inputs.iter().map(String::as_str).collect()));
    put!(out, "{}", list("OUT", "OUTPUTS", outputs.iter().map(String::as_str).collect()));
    put!(out, "{}", list("PARAM", "PARAMS", op.params.iter().map(|p| &*p.name).collect()));
    for (kind, table) in tables(op) {
        if count_of(op, kind) == 0 {
            continue;
        }
        put!(out, "static const qnn_operand_def {name}_{table}[] = {{");
        match kind {
            Kind::Input => op.inputs.iter().for_each(|t| operand(out, package, op, kind, t)),
            Kind::Output => op.outputs.iter().for_each(|t| operand(out, package, op, kind, t)),
            Kind::Param => op.params.iter().for_each(|p| parameter(out, package, op, p)),
        }
        put!(out, "}};");
    }
}

fn operand(out: &mut String, package: &Package, op: &Op, kind: Kind, tensor: &Tensor) {
    let types = package.datatypes(op, kind, &tensor.name);
    put!(out, "    {{{}}},", row(&tensor.name, tensor.mandatory, tensor.rank, types));
}

fn parameter(out: &mut String, package: &Package, op: &Op, param: &Param) {
    let types = package.datatypes(op, Kind::Param, &param.name);
    let fallback = param
        .default
        .as_deref()
        .filter(|_| !param.mandatory && param.rank == Rank::Scalar)
        .and_then(|text| fallback(text, param, types))
        .map_or(String::new(), |value| format!(",\n     .fallback = {{{value}}}"));
    put!(out, "    {{{}{fallback}}},", row(&param.name, param.mandatory, param.rank, types));
}

fn row(name: &str, mandatory: bool, rank: Rank, types: &[Datatype]) -> String {
    let rank = match rank {
        Rank::Scalar => "0".to_owned(),
        Rank::Fixed(rank) => rank.to_string(),
        Rank::Any => "QNN_RANK_ANY".to_owned(),
    };
    let names: Vec<String> = types.iter().map(|datatype| c_datatype(*datatype)).collect();
    // An array without elements is no C.
    let dtypes = match &names[..] {
        [] => String::new(),
        names => format!(",\n     .dtypes = (const qnn_dtype[]){{{}}}", names.join(", ")),
    };
    format!(
        ".name = {name:?}, .mandatory = {}, .rank = {rank}, .num_dtypes = {}{dtypes}",
        u8::from(mandatory),
        names.len()
    )
}

/// `QNN_DATATYPE_UFIXED_POINT_8` is `QNN_UFIXED_8` in the header.
fn c_datatype(datatype: Datatype) -> String {
    datatype.name().replace("DATATYPE_", "").replace("_POINT", "")
}

/// A default as a member of the value's union.
fn fallback(text: &str, param: &Param, types: &[Datatype]) -> Option<String> {
    let number = param.values.iter().position(|value| value == text).map(|i| i.to_string());
    let number = number.unwrap_or_else(|| text.trim_end_matches(['f', 'F']).to_owned());
    Some(match types.first()? {
        Datatype::Float16 | Datatype::Float32 => {
            let value: f32 = number.parse().ok()?;
            if !value.is_finite() {
                return None;
            }
            format!(".f32 = {value:e}f")
        }
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 | Datatype::Int64 => {
            format!(".i32 = {}", number.parse::<i32>().ok()?)
        }
        _ => match number.to_ascii_lowercase().as_str() {
            "true" => ".u32 = 1".to_owned(),
            "false" => ".u32 = 0".to_owned(),
            number => format!(".u32 = {}", number.parse::<u32>().ok()?),
        },
    })
}

/// `1.2` as `1, 2, 0`.
fn version(text: &str) -> String {
    let mut parts = text.split('.').map(|part| part.trim().parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    format!("{}, {}, {}", next(), next(), next())
}

/// A name of the XML inside a C name: `in[0]`, as the SDK's examples write, is `in_0_`.
fn c_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// The definitions as Rust constants: a module an op, with the names that graphs are composed with.
pub fn rust_constants(package: &Package, from: &str) -> String {
    let mut out = String::new();
    put!(out, "// Generated from {}. Edit that.\n", one_line(from));
    put!(out, "/// Name of the package.\npub const PACKAGE: &str = {:?};", package.name);
    put!(out, "/// Domain of its operators in a model.\npub const DOMAIN: &str = {:?};", package.domain);
    put!(out, "/// Version of the definitions.\npub const VERSION: &str = {:?};", package.version);
    let names: Vec<String> = package.ops.iter().map(|op| format!("{:?}", op.name)).collect();
    put!(out, "/// Names of its ops.\npub const OPS: &[&str] = &[{}];", names.join(", "));
    for op in &package.ops {
        put!(out, "\n/// {}", summary(op));
        put!(out, "pub mod {} {{", upper(&op.name).to_ascii_lowercase());
        put!(out, "    /// Name of the op.\n    pub const OP: &str = {:?};", op.name);
        for (i, tensor) in op.inputs.iter().enumerate() {
            put!(
                out,
                "    /// Index of input `{}`.\n    pub const IN_{}: usize = {i};",
                tensor.name,
                upper(&tensor.name)
            );
        }
        for (i, tensor) in op.outputs.iter().enumerate() {
            put!(
                out,
                "    /// Index of output `{}`.\n    pub const OUT_{}: usize = {i};",
                tensor.name,
                upper(&tensor.name)
            );
        }
        for param in &op.params {
            put!(
                out,
                "    /// Name of parameter `{0}`.\n    pub const PARAM_{1}: &str = {0:?};",
                param.name,
                upper(&param.name)
            );
            for (i, value) in param.values.iter().enumerate() {
                put!(
                    out,
                    "    /// Value `{value}` of parameter `{}`.\n    pub const {}_{}: u32 = {i};",
                    param.name,
                    upper(&param.name),
                    upper(value)
                );
            }
        }
        put!(out, "}}");
    }
    out
}

/// The first sentence of an op's description.
fn summary(op: &Op) -> String {
    let text = one_line(&op.description);
    let first = text.split_inclusive(". ").next().unwrap_or_default().trim();
    if first.is_empty() { format!("Op `{}`.", op.name) } else { first.to_owned() }
}
