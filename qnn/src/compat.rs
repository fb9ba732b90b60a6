//! Holds a context binary against the library and the device before it is loaded.
//!
//! The library answers a binary of another release or architecture with a bare number (5000, 5005, 1008), the emulator not
//! at all. The metadata says enough to tell the user what is wrong.

use crate::metadata::{BinaryInfo, GraphInfo};
use crate::{Device, Error, LoadOptions, Result};

pub(crate) fn check(what: &str, binary: &BinaryInfo, device: &Device, options: &LoadOptions) -> Result<()> {
    let (backend, target) = (device.backend(), device.info());
    let mut found = Vec::new();
    let mut help = Vec::new();

    let (api, own_api) = (binary.core_api_version, backend.core_api_version());
    if binary.build_id != backend.build_id() && !options.any_build {
        found.push(format!(
            "it was made by QNN {}, the library is QNN {}",
            binary.build_id,
            backend.build_id()
        ));
        help.push(format!(
            "compile the model with the QNN release of the library in {}, or ship the release that compiled it",
            place(device)
        ));
    } else if (api.major, api.minor) > (own_api.major, own_api.minor) {
        found.push(format!("it needs core API {api}, the library has {own_api}"));
        help.push(format!("ship QNN libraries that are not older than {}", binary.build_id));
    }

    if let Some(arch) = binary.arch
        && arch != target.arch
    {
        found.push(format!("it is for architecture v{arch}, {target} is v{}", target.arch));
        help.push(add_soc(device));
    } else {
        let vtcm = u64::from(target.vtcm_mb) << 20;
        if let Some(graph) = binary.graphs.iter().find(|graph| graph.vtcm_bytes() > vtcm) {
            let wanted = graph.vtcm_bytes() >> 20;
            found.push(format!(
                "graph `{}` needs {wanted} MiB of VTCM, {target} has {}",
                graph.name, target.vtcm_mb
            ));
            help.push(add_soc(device));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::incompatible(what, found, help.join("; ")))
}

fn add_soc(device: &Device) -> String {
    match device.info().soc() {
        Some(soc) => format!("add \"{}\" to `soc` in [package.metadata.qnn] and build again", soc.name),
        None => format!("compile the model for architecture v{}", device.info().arch),
    }
}

fn place(device: &Device) -> String {
    let libs = device.backend().libs();
    match libs.dir.as_os_str().is_empty() {
        true => libs.source.to_string(),
        false => format!("{} ({})", libs.dir.display(), libs.source),
    }
}

/// Refuses what the emulator cannot load, before it says so with a bare code 1000.
pub(crate) fn emulable(what: &str, info: &BinaryInfo) -> Result<()> {
    let shared = |graph: &GraphInfo| graph.htp.as_ref()?.sizes.as_ref().map(|sizes| sizes.shared_weights);
    if !info.graphs.iter().any(|graph| shared(graph).is_some_and(|bytes| bytes > 0)) {
        return Ok(());
    }
    Err(Error::incompatible(
        what,
        vec!["its graphs share weights, which the x86-64 emulator does not support".to_owned()],
        "a device takes it as it is; to run on this machine, build with `--config models.NAME.htp.weight-sharing=false`",
    ))
}
