//! `cargo qnn env`: every environment variable that is read, and what the settings come to.

use std::path::PathBuf;

use clap::Args;
use qnn_pipeline::toolchain::build_id_of;
use qnn_platform::env::{self, EnvVar, Group};
use qnn_platform::libs::{self, Places};
use qnn_types::PROTOCOL;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;
use crate::table::columns;

/// Arguments of `cargo qnn env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// Answer as JSON, with what each variable does
    #[arg(long)]
    json: bool,
}

/// The whole answer.
#[derive(Serialize)]
struct Answer {
    version: &'static str,
    protocol: u32,
    resolved: Resolved,
    variables: Vec<Variable>,
}

/// What the variables and defaults come to.
#[derive(Serialize)]
struct Resolved {
    executable: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    toolchain_dir: Option<PathBuf>,
    qnn_lib_dir: Option<PathBuf>,
    qnn_lib_source: Option<String>,
    qnn_build_id: Option<String>,
    onnxruntime: Option<PathBuf>,
    onnxruntime_source: Option<String>,
}

/// A variable.
#[derive(Serialize)]
struct Variable {
    name: &'static str,
    group: &'static str,
    value: Option<String>,
    default: &'static str,
    about: &'static str,
    read_by: &'static [&'static str],
}

fn resolved() -> Resolved {
    let places = Places::from_env(None);
    let qnn = places.qnn().ok();
    let onnxruntime = places.onnxruntime().ok();
    let data_dir = libs::data_dir();
    Resolved {
        executable: std::env::current_exe().ok(),
        toolchain_dir: data_dir.as_deref().map(libs::toolchain_dir),
        data_dir,
        cache_dir: libs::cache_dir(),
        qnn_build_id: qnn.as_ref().and_then(|libs| build_id_of(&libs.htp()).ok()),
        qnn_lib_source: qnn.as_ref().map(|libs| libs.source.to_string()),
        qnn_lib_dir: qnn.map(|libs| libs.dir),
        onnxruntime_source: onnxruntime.as_ref().map(|(_, source)| source.to_string()),
        onnxruntime: onnxruntime.map(|(file, _)| file),
    }
}

/// A name with angle brackets stands for many variables, which have no single value.
fn variable(var: &'static EnvVar) -> Variable {
    let value = if var.name.contains('<') { None } else { env::string(var) };
    let EnvVar { name, group, default, about, readers, .. } = *var;
    Variable { name, group: group.title(), value, default, about, read_by: readers }
}

pub(crate) fn run(session: &Session, args: &EnvArgs) -> Result<Exit> {
    let term = &session.term;
    let resolved = resolved();
    let variables: Vec<Variable> = env::ALL.iter().map(|var| variable(var)).collect();
    if args.json {
        let version = env!("CARGO_PKG_VERSION");
        term.json(&Answer { version, protocol: PROTOCOL, resolved, variables })?;
        return Ok(Exit::Ok);
    }
    let shown = |path: &Option<PathBuf>| path.as_ref().map_or("none".to_owned(), |p| p.display().to_string());
    let from =
        |source: &Option<String>| source.as_ref().map_or(String::new(), |source| format!("({source})"));
    let rows: Vec<Vec<String>> = [
        ("cargo-qnn", shown(&resolved.executable), env!("CARGO_PKG_VERSION").to_owned()),
        ("data folder", shown(&resolved.data_dir), String::new()),
        ("cache folder", shown(&resolved.cache_dir), String::new()),
        ("QNN libraries", shown(&resolved.qnn_lib_dir), from(&resolved.qnn_lib_source)),
        ("QNN build", resolved.qnn_build_id.clone().unwrap_or("none".to_owned()), String::new()),
        ("ONNX Runtime", shown(&resolved.onnxruntime), from(&resolved.onnxruntime_source)),
    ]
    .map(|(what, value, more)| vec![what.to_owned(), value, more])
    .into();
    term.data(columns(&rows))?;
    for group in Group::ALL {
        term.data(format!("\n{}", group.title()))?;
        let of_group = variables.iter().filter(|var| var.group == group.title());
        let rows: Vec<Vec<String>> = of_group
            .map(|var| {
                let value = var.value.clone().unwrap_or_else(|| match var.default {
                    "not set" => "(not set)".to_owned(),
                    default => format!("(not set; then {default})"),
                });
                vec![format!("  {}", var.name), value]
            })
            .collect();
        term.data(columns(&rows))?;
    }
    Ok(Exit::Ok)
}
