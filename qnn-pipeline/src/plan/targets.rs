//! SoC names to targets, and what a SoC can do against what a model wants.

use qnn_platform::soc::{self, Soc};

use crate::source::SourceFacts;
use qnn_manifest::{Manifest, Model, target};
use qnn_types::{Diagnostic, SourceFormat, Target};

/// SoCs as they were listed, and where.
pub(super) struct SocList {
    socs: Vec<&'static Soc>,
    at: String,
}

/// The package's own list. Whether it may be empty depends on the models.
pub(super) fn of_package(manifest: &Manifest, problems: &mut Vec<Diagnostic>) -> SocList {
    let list = &manifest.config.soc;
    if list.is_empty() && manifest.config.models.values().any(|model| model.soc.is_none()) {
        problems.push(none_given(&manifest.path.display().to_string()));
    }
    look_up(list, manifest.origin(&["soc"]).to_string(), problems)
}

/// The targets of a model: its own list, else the package's.
pub(super) fn of_model(
    manifest: &Manifest,
    name: &str,
    model: &Model,
    package: &SocList,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Target> {
    let own = model.soc.as_ref().map(|list| {
        let at = manifest.origin(&["models", name, "soc"]).to_string();
        if list.is_empty() {
            problems.push(none_given(&at));
        }
        look_up(list, at, problems)
    });
    let list = own.as_ref().unwrap_or(package);
    for soc in &list.socs {
        problems.extend(fits(soc, model).into_iter().map(|problem| problem.at(&list.at)));
    }
    list.socs.iter().map(|soc| target(soc)).collect()
}

fn none_given(at: &str) -> Diagnostic {
    Diagnostic::new("E0107", "no SoC to compile for is given")
        .at(at)
        .help("add soc = [\"SM8650\"] to [package.metadata.qnn]; `cargo qnn socs` lists the names")
}

/// The rows of a list, without repetition, in its order.
fn look_up(list: &[String], at: String, problems: &mut Vec<Diagnostic>) -> SocList {
    let mut socs: Vec<&'static Soc> = Vec::new();
    for name in list {
        match soc::find(name) {
            Ok(soc) if socs.iter().any(|known| known.id == soc.id) => {}
            Ok(soc) => socs.push(soc),
            Err(unknown) => {
                let names: Vec<String> = unknown.nearest.iter().map(|near| format!("`{near}`")).collect();
                let help = match names.as_slice() {
                    [] => "`cargo qnn socs` lists the known ones".to_owned(),
                    names => format!("did you mean {}?", names.join(" or ")),
                };
                problems.push(Diagnostic::new("E0105", format!("unknown SoC `{name}`")).at(&at).help(help));
            }
        }
    }
    SocList { socs, at }
}

/// What the model asks of the SoC and the SoC does not have.
fn fits(soc: &Soc, model: &Model) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let Some(vtcm) = model.htp.vtcm_mb
        && vtcm > soc.vtcm_mb
    {
        let message = format!("htp.vtcm-mb = {vtcm}, but {} has {} MiB of VTCM", soc.name, soc.vtcm_mb);
        problems.push(
            Diagnostic::new("E0114", message)
                .help(format!("at most {}; or leave it out to use all of it", soc.vtcm_mb)),
        );
    }
    problems
}

/// What a model without quantization asks of SoCs that compute with integers alone. What of a quantized model is left to floats
/// only the engine can tell.
pub(super) fn floats(
    targets: &[Target],
    format: SourceFormat,
    facts: &SourceFacts,
    model: &Model,
) -> Vec<Diagnostic> {
    let float = |dtype: &str| dtype.starts_with("float");
    let computes = facts.inputs.iter().chain(&facts.outputs).any(|value| float(&value.dtype));
    let quantized = facts.quantized || model.quantize.encodings.is_some();
    let (needed, why, help) = match format {
        SourceFormat::Onnx => (
            computes && !quantized,
            "the model is not quantized",
            "quantize the model: QuantizeLinear and DequantizeLinear nodes, or an encodings file (`quantize.encodings`); or",
        ),
        SourceFormat::Gguf | SourceFormat::Safetensors => (true, "language models are computed in fp16", ""),
        SourceFormat::Dlc | SourceFormat::ContextBinary => (false, "", ""),
    };
    if !needed {
        return Vec::new();
    }
    targets
        .iter()
        .filter(|target| !target.fp16)
        .map(|target| {
            let soc = &target.name;
            let help = format!("{help} take {soc} out of `soc` for this model");
            Diagnostic::new("E0106", format!("{soc} has no fp16 unit, and {why}")).help(help.trim())
        })
        .collect()
}
