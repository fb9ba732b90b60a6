//! The modules of a package's models.

use qnn_manifest::module::{FileCode, LlmCode, LlmSocCode, ModelCode, OpPackageCode, Placement, SocCode};
use qnn_types::{ArtifactKind, ArtifactRecord, CompileJob, Embed};

use crate::op_package::{self, Device};
use crate::package::ModelOutputs;

/// What is generated for models and for language models. `local` is whether the app runs on this machine.
pub(super) fn code_of<'a>(
    outputs: &'a [ModelOutputs<'a>],
    local: bool,
) -> (Vec<ModelCode<'a>>, Vec<LlmCode<'a>>) {
    let (mut models, mut llms) = (Vec::new(), Vec::new());
    for ModelOutputs { model, artifacts, outputs, op_packages } in outputs {
        let name = model.name.as_str();
        let source = model.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let records: Vec<&ArtifactRecord> = outputs.iter().map(|output| &output.record).collect();
        if model.facts.llm.is_some() {
            llms.push(LlmCode { name, source, socs: llm_socs(&records, local) });
            continue;
        }
        let socs = artifacts.iter().zip(&records).map(|((job, _), record)| SocCode {
            soc: &job.soc,
            build_id: &record.build_id,
            placement: placement(record, local),
            op_packages: libraries(job, op_packages),
        });
        models.push(ModelCode {
            name,
            source,
            graphs: records.first().map_or(&[][..], |record| &record.graphs),
            specs: artifacts.first().map_or(&[][..], |(job, _)| &job.graphs),
            socs: socs.collect(),
        });
    }
    (models, llms)
}

fn placement(record: &ArtifactRecord, local: bool) -> Placement {
    match record.embed {
        Embed::File => Placement::File(FileCode {
            package: record.package.clone(),
            name: record.file.clone(),
            bytes: record.bytes,
            checksum: record.checksum.clone(),
            local,
        }),
        Embed::Auto | Embed::Bytes => Placement::Bytes(record.file.clone()),
    }
}

/// For each SoC its own files and those for all; each has one description.
fn llm_socs(records: &[&ArtifactRecord], local: bool) -> Vec<LlmSocCode> {
    let descriptions = records.iter().filter(|record| record.kind == ArtifactKind::Description);
    let soc = |description: &&ArtifactRecord| {
        let named = records.iter().filter(|record| {
            let kinds = [ArtifactKind::ContextBinary, ArtifactKind::Embedding, ArtifactKind::Tokenizer];
            kinds.contains(&record.kind) && (record.soc.is_empty() || record.soc == description.soc)
        });
        LlmSocCode {
            soc: description.soc.clone(),
            description: Some(description.file.clone()),
            files: named.map(|record| (record.file.clone(), placement(record, local))).collect(),
        }
    };
    descriptions.map(soc).collect()
}

/// The libraries that a context binary needs where the app runs: of this machine, or of its architecture.
fn libraries(job: &CompileJob, devices: &[Device]) -> Vec<OpPackageCode> {
    let fits = |device: &&Device| match device.target {
        op_package::Target::HtpX86 => true,
        op_package::Target::Hexagon(arch) => arch == job.soc.arch,
        _ => false,
    };
    let used = |device: &&Device| job.op_packages.iter().any(|used| used.name == device.name);
    let is_here = |device: &Device| device.target == op_package::Target::HtpX86;
    let here = devices.iter().any(is_here);
    let side = |device: &&Device| here == is_here(device);
    devices
        .iter()
        .filter(|device| used(device) && fits(device) && side(device))
        .map(|device| OpPackageCode {
            name: device.package.clone(),
            provider: device.provider.clone(),
            file: device.file(),
            registration: device.target.registration(),
        })
        .collect()
}
