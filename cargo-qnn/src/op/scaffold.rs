//! `cargo qnn op new`: a package that builds and runs at once, for ops that are then filled in.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use qnn_ops::{Op, Rank};
use qnn_pipeline::op_package::{Kind, definitions};

use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::session::Session;

/// Arguments of `cargo qnn op new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Folder of the new package
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Op definitions to start from, copied into the package; without them the flags below describe one op
    #[arg(long, value_name = "FILE.xml", conflicts_with_all = ["name", "domain", "op", "input", "param"])]
    from: Option<PathBuf>,
    /// The package's name, a C identifier; asked for on a terminal, else made from the folder's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Domain of the operators in a model; asked for on a terminal, else made from the name
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Name of the op; asked for on a terminal, else `MyOp`
    #[arg(long, value_name = "OP")]
    op: Option<String>,
    /// An input of the op; may be repeated; `x` by default
    #[arg(long, value_name = "NAME")]
    input: Vec<String>,
    /// A float parameter of the op, with its default; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
}

pub(crate) fn run(session: &Session, args: &NewArgs) -> Result<Exit> {
    if fs::read_dir(&args.folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::user(format!("{} exists and is not empty", args.folder.display())));
    }
    let (file, xml) = match &args.from {
        Some(file) => {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read_to_string(file).at("cannot read", file)?)
        }
        None => described(args)?,
    };
    let folder = &args.folder;
    fs::create_dir_all(folder.join("src")).at("cannot create", folder)?;
    let path = folder.join(&file);
    write(&path, &xml)?;
    let made = definitions(&path, Kind::Qhpi).and_then(|(definition, found)| {
        let (warnings, problems): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.code == "E0903");
        if problems.is_empty() { Ok((definition, warnings)) } else { Err(problems) }
    });
    let (definition, warnings) = made.map_err(|problems| {
        // Nothing is left of a package that could not be made.
        let _ = fs::remove_dir_all(folder);
        Failure { exit: Exit::User, problems }
    })?;
    warnings.iter().for_each(|warning| session.term.warning(warning));
    write(&folder.join("src").join("package.c"), &source(&definition))?;
    write(&folder.join(".gitignore"), "/build\n")?;
    session.term.status("Created", format!("{} in {}", definition.name, folder.display()));
    let place = folder.display();
    session.term.note(format!(
        "cargo qnn op build {place}; in Cargo.toml: [package.metadata.qnn.op-packages.{}] path = \"{place}\"",
        definition.name
    ));
    Ok(Exit::Ok)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).at("cannot write", path)
}

/// The definitions of one op, by flags and answers.
fn described(args: &NewArgs) -> Result<(String, String)> {
    let stem = args.folder.file_name().unwrap_or_default().to_string_lossy();
    let name = ask(&args.name, "name of the package", &camel(&stem))?;
    let domain = ask(
        &args.domain,
        "domain of its operators in a model",
        &format!("com.example.{}", name.to_lowercase()),
    )?;
    let op = ask(&args.op, "name of the op", "MyOp")?;
    let inputs: Vec<&str> = match &args.input[..] {
        [] => vec!["x"],
        given => given.iter().map(String::as_str).collect(),
    };
    let mut tensors = String::new();
    for (element, name) in inputs.iter().map(|name| ("Input", *name)).chain([("Output", "y")]) {
        let _ = write!(
            tensors,
            "            <{element}>\n                <Name>{}</Name>\n                <Mandatory>true</Mandatory>\n                \
             <Datatype>QNN_DATATYPE_FLOAT_32</Datatype>\n                <Shape><Rank>ND</Rank></Shape>\n            </{element}>\n",
            escape(name)
        );
    }
    for param in &args.param {
        let (name, default) = param.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--param takes NAME=VALUE, not `{param}`"))
                .help("for example --param alpha=0.5")
        })?;
        let _ = write!(
            tensors,
            "            <Parameter>\n                <Name>{}</Name>\n                <Mandatory>false</Mandatory>\n                \
             <Datatype>QNN_DATATYPE_FLOAT_32</Datatype>\n                <Shape><Rank>SCALAR</Rank></Shape>\n                \
             <Default>{}</Default>\n            </Parameter>\n",
            escape(name),
            escape(default)
        );
    }
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OpDefCollection PackageName=\"{}\" Domain=\"{}\" Version=\"1.0\">\n    <OpDefList>\n        \
         <OpDef>\n            <Name>{}</Name>\n            <Description>\n                <Content>What {} computes.</Content>\n            \
         </Description>\n{tensors}            <SupportedBackend>HTP</SupportedBackend>\n        </OpDef>\n    </OpDefList>\n</OpDefCollection>\n",
        escape(&name),
        escape(&domain),
        escape(&op),
        escape(&op)
    );
    Ok((format!("{name}.xml"), xml))
}

/// What a flag says, else what the user answers, else `default`.
fn ask(given: &Option<String>, question: &str, default: &str) -> Result<String> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Ok(default.to_owned());
    }
    let mut answer = String::new();
    let asked = write!(stderr, "{question} [{default}]: ").and_then(|()| stderr.flush());
    asked
        .and_then(|()| stdin.lock().read_line(&mut answer))
        .map_err(|error| Failure::user(error.to_string()))?;
    let answer = answer.trim();
    Ok(if answer.is_empty() { default } else { answer }.to_owned())
}

/// `my-ops` as `MyOps`.
fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_uppercase())
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Ops{name}") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A source with a kernel for every op: it copies the first input, and says what to change.
fn source(package: &qnn_ops::Package) -> String {
    let mut out = format!(
        "// Kernels of {0}, and how the HTP reaches them. The tables behind the names come from the XML.\n#include \"{0}_ops.h\"\n\n\
         // Number of elements. Tensors have four dimensions here, with ones in front.\nstatic size_t elements(const qhpi_tensor *tensor) {{\n    \
         qhpi_shape shape = qhpi_tensor_shape(tensor);\n    size_t count = 1;\n    for (uint32_t i = 0; i < shape.rank; i++) count *= shape.dims[i];\n    \
         return count;\n}}\n",
        package.name
    );
    let known = |kind, op: &Op, name: &str| c_type(package, op, kind, name).is_some();
    let told_later = |op: &Op| {
        op.inputs.first().is_some_and(|x| !known(qnn_ops::Kind::Input, op, &x.name))
            || op.outputs.iter().any(|y| !known(qnn_ops::Kind::Output, op, &y.name))
    };
    if package.ops.iter().any(|op| !op.inputs.is_empty() && told_later(op)) {
        out.push_str(SIZE_OF);
    }
    for op in &package.ops {
        kernel(&mut out, package, op);
    }
    out.push_str("\nstatic const qnn_kernel_def KERNELS[QNN_PACKAGE_NUM_OPS] = {\n");
    for op in &package.ops {
        let name = &op.name;
        let inputs: Vec<String> =
            op.inputs.iter().map(|input| format!("QNN_INPUT({name}_IN_{})", input.name)).collect();
        // Element by element, as the copy is: any axis may be divided.
        let divided = match inputs.is_empty() {
            true => String::new(),
            false => format!(
                ",\n        // Where tensors are larger than the NPU's memory, HTP computes parts of these axes from the same parts of these inputs.\n        \
                 // Leave out axes of which a part needs more than that.\n        \
                 .tiled_axes = QNN_AXIS(0) | QNN_AXIS(1) | QNN_AXIS(2) | QNN_AXIS(3),\n        .tiled_inputs = {}",
                inputs.join(" | ")
            ),
        };
        let _ = writeln!(out, "    [OP_{name}] = {{.run = run_{name}, .check = check_{name}{divided}}},");
    }
    out.push_str("};\n\nQNN_OP_PACKAGE(KERNELS)\n");
    out
}

/// The C type of a tensor's elements where the definition lists types of one size, by [`qnn_ops::Datatype`].
fn c_type(package: &qnn_ops::Package, op: &Op, kind: qnn_ops::Kind, name: &str) -> Option<&'static str> {
    use qnn_ops::Datatype;
    let of = |datatype: &Datatype| match datatype {
        Datatype::Float32 => "float",
        // Half floats by their bits: f32_of_half and half_of_f32 of hvx.h convert them.
        Datatype::Float16 | Datatype::Uint16 | Datatype::UFixed16 | Datatype::SFixed16 => "uint16_t",
        Datatype::Uint8 | Datatype::UFixed8 | Datatype::SFixed8 | Datatype::Bool8 => "uint8_t",
        Datatype::Int32 | Datatype::Uint32 | Datatype::SFixed32 | Datatype::UFixed32 => "int32_t",
        _ => "",
    };
    let listed = package.datatypes(op, kind, name);
    let first = of(listed.first()?);
    (!first.is_empty() && listed.iter().all(|datatype| of(datatype) == first)).then_some(first)
}

/// What copies `from` to `to` whatever their elements are, where that is told only when it runs.
const COPY_ANY: &str = "\
        if (qhpi_tensor_type(to) != qhpi_tensor_type(from)) return \"the types of input and output differ\";
        size_t size = size_of(to), begin = part.begin * size, end = part.end * size;
        const uint8_t *bytes = qhpi_tensor_raw_data(from);
        for (size_t i = begin; i < end; i++) ((uint8_t *)qhpi_tensor_raw_data(to))[i] = bytes[i];
";

const SIZE_OF: &str = "
// Bytes of an element.
static inline size_t size_of(const qhpi_tensor *tensor) {
    switch (qhpi_tensor_type(tensor)) {
        case QHPI_QUINT8: case QHPI_QINT8: return 1;
        case QHPI_QUINT16: case QHPI_QINT16: case QHPI_FLOAT16: return 2;
        case QHPI_INT64: return 8;
        default: return 4;
    }
}
";

fn kernel(out: &mut String, package: &qnn_ops::Package, op: &Op) {
    let name = &op.name;
    let from = op.inputs.first().map(|input| &*input.name);
    let params: String = op
        .params
        .iter()
        .filter(|param| param.rank == Rank::Scalar)
        .map(|param| {
            let reader = match param.datatypes.first() {
                Some(qnn_ops::Datatype::Int32) => ("int32_t", "i32"),
                Some(qnn_ops::Datatype::Uint32) => ("uint32_t", "u32"),
                _ => ("float", "f32"),
            };
            format!(
                "    {} {} = qnn_param_{}(args, {name}_PARAM_{});\n    (void){};\n",
                reader.0, param.name, reader.1, param.name, param.name
            )
        })
        .collect();
    let _ = write!(
        out,
        "\n// Computes one slice of the output; slices run side by side. This one copies: write the op here.\n"
    );
    let _ = write!(out, "static const char *run_{name}(const qnn_kernel_args *args) {{\n{params}");
    for output in &op.outputs {
        let y = &output.name;
        let to = c_type(package, op, qnn_ops::Kind::Output, y);
        let source = from.map_or(to, |x| c_type(package, op, qnn_ops::Kind::Input, x));
        if let (true, Some(x)) = (to.is_none() || source.is_none(), from) {
            let _ = write!(
                out,
                "    {{\n        qhpi_tensor *to = args->outputs[{name}_OUT_{y}];\n        \
                 const qhpi_tensor *from = args->inputs[{name}_IN_{x}];\n        \
                 qnn_range part = qnn_my_part(args, elements(to));\n{COPY_ANY}    }}\n"
            );
            continue;
        }
        let (to, source) = (to.unwrap_or("float"), source.unwrap_or("float"));
        let _ = write!(
            out,
            "    {{\n        {to} *to = qhpi_tensor_raw_data(args->outputs[{name}_OUT_{y}]);\n        \
             qnn_range part = qnn_my_part(args, elements(args->outputs[{name}_OUT_{y}]));\n"
        );
        let value = match from {
            Some(x) => {
                let _ = writeln!(
                    out,
                    "        const {source} *from = qhpi_tensor_raw_data(args->inputs[{name}_IN_{x}]);"
                );
                if source == to { "from[i]".to_owned() } else { format!("({to})from[i]") }
            }
            None => "0".to_owned(),
        };
        let _ =
            write!(out, "        for (size_t i = part.begin; i < part.end; i++) to[i] = {value};\n    }}\n");
    }
    let _ = write!(out, "    return NULL;  // or what is wrong\n}}\n");
    let _ = write!(
        out,
        "\n// What the XML cannot say, before a model is compiled: here that shapes agree.\nstatic qnn_status check_{name}(const qnn_check *check) {{\n"
    );
    if let Some(x) = from {
        for output in &op.outputs {
            let y = &output.name;
            let _ = write!(
                out,
                "    {{\n        qnn_status status = qnn_same_dims(check, \"{y}\", &check->config->outputs[{name}_OUT_{y}], \"{x}\",\n                                          \
                 &check->config->inputs[{name}_IN_{x}]);\n        if (status != QNN_OK) return status;\n    }}\n"
            );
        }
    }
    let _ = write!(out, "    (void)check;\n    return QNN_OK;\n}}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_becomes_a_name_in_c() {
        for (folder, name) in [("my-ops", "MyOps"), ("ops", "Ops"), ("2d", "Ops2d"), ("", "Ops")] {
            assert_eq!(camel(folder), name);
        }
    }
}
