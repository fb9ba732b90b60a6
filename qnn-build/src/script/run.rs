//! A build from beginning to end.

use std::path::PathBuf;

use qnn_platform::{env, libs};

use super::builder::{Artifacts, Builder};
use super::mode::Mode;
use super::{install, stub};
use crate::artifacts::{ARTIFACT_MANIFEST, ArtifactKind, ArtifactManifest, ArtifactRecord, write_stamp};
use crate::codegen::{FileCode, LlmCode, LlmSocCode, ModelCode, OpPackageCode, Placement, SocCode, generate};
use crate::compile::Compiler;
use crate::driver::{Limits, Worker};
use crate::files::write_if_changed;
use crate::log::Log;
use crate::manifest::{Embed, Manifest, Overrides};
use crate::op_package::{self, Builds, Device};
use crate::package::{self, ModelOutputs};
use crate::store::Store;
use qnn_types::{CompileJob, Diagnostic, Samples, Target};
use qnn_types::{Error, Result};

/// Where a build reads and writes.
struct Places {
    out_dir: PathBuf,
    code: PathBuf,
    log: Log,
    log_path: PathBuf,
}

pub(super) fn run(builder: &Builder) -> Result<Artifacts> {
    let cargo = builder.cargo;
    for var in env::rebuild() {
        cargo.rerun_if_env_changed(var.name);
    }
    let out_dir = match &builder.out_dir {
        Some(dir) => dir.clone(),
        None => PathBuf::from(env::var(&env::OUT_DIR).ok_or_else(|| not_a_build_script("OUT_DIR"))?),
    };
    let log_path = out_dir.join("qnn.log");
    let log = Log::create(&log_path);
    let places = Places { code: out_dir.join("qnn.rs"), out_dir, log, log_path };

    let manifest_path = manifest_path(builder)?;
    cargo.rerun_if_changed(&manifest_path);
    let (mode, why) = match builder.mode {
        Some(mode) => (mode, "the build script asks for a stub".to_owned()),
        None => Mode::from_env()?,
    };
    cargo.cfg("qnn_stub", mode == Mode::Stub);
    cargo.cfg("qnn_off", mode == Mode::Off);
    if mode == Mode::Off {
        return off(&places);
    }
    let stamp = write_stamp(&places.out_dir)
        .map_err(|error| Error::io("E0605", "cannot write to", &places.out_dir, &error))?;
    cargo.rerun_if_changed(&stamp);
    let overrides = builder.overrides.clone().and(Overrides::from_env());
    let mut manifest = Manifest::load(&manifest_path, &overrides)?;
    manifest.retain(|feature| env::family(&env::CARGO_FEATURE, &env::feature_part(feature)).is_some());
    let sources = manifest.config.models.values().map(|model| model.source.as_path());
    let samples = manifest.config.models.values().filter_map(|model| model.samples.as_deref());
    let samples = samples.filter_map(|text| match Samples::from_text(text) {
        Samples::File(file) => Some(file),
        Samples::Generated => None,
    });
    samples.for_each(|file| cargo.rerun_if_changed(&file));
    let encodings = manifest.config.models.values().filter_map(|model| model.quantize.encodings.as_deref());
    encodings.for_each(|file| cargo.rerun_if_changed(file));
    // cargo looks at every file below a folder.
    manifest.config.op_packages.values().for_each(|package| cargo.rerun_if_changed(&package.path));
    manifest.workspace.as_deref().into_iter().chain(sources).for_each(|file| cargo.rerun_if_changed(file));
    let artifacts = match mode {
        Mode::Stub => make_stub(&manifest, &why, &places)?,
        _ => make(builder, manifest, &places)
            .map_err(|error| Error { log: Some(places.log_path.clone()), ..error })?,
    };
    artifacts.warnings.iter().for_each(|warning| cargo.warning(warning));
    Ok(artifacts)
}

fn manifest_path(builder: &Builder) -> Result<PathBuf> {
    if let Some(path) = &builder.manifest_path {
        return Ok(path.clone());
    }
    let path = env::var(&env::CARGO_MANIFEST_PATH).map(PathBuf::from);
    let in_folder = || Some(PathBuf::from(env::var(&env::CARGO_MANIFEST_DIR)?).join("Cargo.toml"));
    path.or_else(in_folder).ok_or_else(|| not_a_build_script("CARGO_MANIFEST_DIR").into())
}

fn not_a_build_script(var: &str) -> Diagnostic {
    Diagnostic::new("E0102", format!("{var} is not set"))
        .note("cargo sets it for build scripts")
        .help("call this from build.rs, or give the path to the Builder")
}

/// Compiles, places, generates.
fn make(builder: &Builder, manifest: Manifest, places: &Places) -> Result<Artifacts> {
    let cargo = builder.cargo;
    let own = places.out_dir.join("qnn-cache");
    let cache = builder.cache_dir.clone().or_else(libs::cache_dir);
    let store = match cache {
        Some(cache) => Store::new(cache, Some(own)),
        None => Store::new(own, None),
    };
    let memo = store.memo();
    let worker = match &builder.worker {
        Some(path) => Worker::at(path, &memo),
        None => Worker::find(&memo),
    };
    if let Ok(worker) = &worker {
        cargo.rerun_if_changed(&worker.path);
    }
    let resolved =
        install::ensure(builder.qnn_lib_dir.as_deref(), &worker, builder.offline, &memo, &places.log)?;
    cargo.rerun_if_changed(&resolved.identity);
    let manifests = [manifest];
    let target = env::string(&env::TARGET);
    let from_env = Limits::from_env();
    let limits = Limits {
        jobs: builder.jobs.or(from_env.jobs),
        memory: builder.memory.or(from_env.memory),
        timeout: builder.timeout.or(from_env.timeout),
    };
    let builds = Builds { store: &store, resolved: &resolved, limits: &limits, memo: &memo };
    let packages = package::plan(&manifests, &builds, target.as_deref())?;
    for model in packages.iter().flat_map(|package| &package.plan.models) {
        model.facts.external.iter().for_each(|file| cargo.rerun_if_changed(&file.path));
    }
    let keep = env::var(&env::QNN_KEEP).map(PathBuf::from);
    let compiler = Compiler {
        store: &store,
        build_id: &resolved.build_id,
        worker,
        limits,
        log: &places.log,
        keep: keep.as_deref(),
    };
    for note in packages.iter().flat_map(|package| &package.plan.notes) {
        places.log.line(&format!("note: {note}"));
    }
    let (built, mut warnings) = package::build(packages, &compiler, &*builder.progress)?;

    let outputs = package::outputs(&built)?;
    package::place_all(&outputs, &built, &places.out_dir, &memo)?;
    // An app for this machine runs where it is built.
    let local = target.is_none() || target == env::string(&env::HOST);
    let (models, llms) = code_of(&outputs, local);
    let (code, found) =
        generate(&models, &llms).map_err(|problems| Error { problems, warnings: Vec::new(), log: None })?;
    warnings.extend(found);
    finish(places, &code, package::listed(&outputs, &built), warnings)
}

fn code_of<'a>(outputs: &'a [ModelOutputs<'a>], local: bool) -> (Vec<ModelCode<'a>>, Vec<LlmCode<'a>>) {
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

/// Generates types without models.
fn make_stub(manifest: &Manifest, why: &str, places: &Places) -> Result<Artifacts> {
    let before = ArtifactManifest::read(&places.out_dir);
    let stubs = stub::stubs(manifest, before.as_ref());
    let models: Vec<ModelCode<'_>> = stubs
        .iter()
        .filter(|stub| !stub.llm)
        .map(|stub| {
            let soc = |soc| SocCode {
                soc,
                build_id: "",
                placement: Placement::Stub(why.to_owned()),
                op_packages: Vec::new(),
            };
            ModelCode {
                name: &stub.name,
                source: stub.source.clone(),
                graphs: &stub.graphs,
                specs: &stub.specs,
                socs: stub.socs.iter().map(soc).collect(),
            }
        })
        .collect();
    let llms: Vec<LlmCode<'_>> = stubs
        .iter()
        .filter(|stub| stub.llm)
        .map(|stub| {
            let soc = |soc: &Target| LlmSocCode {
                soc: soc.name.clone(),
                description: None,
                files: vec![(String::new(), Placement::Stub(why.to_owned()))],
            };
            LlmCode {
                name: &stub.name,
                source: stub.source.clone(),
                socs: stub.socs.iter().map(soc).collect(),
            }
        })
        .collect();
    let (code, mut warnings) =
        generate(&models, &llms).map_err(|problems| Error { problems, warnings: Vec::new(), log: None })?;
    let names: Vec<&str> = stubs.iter().map(|stub| stub.name.as_str()).collect();
    let warning =
        Diagnostic::new("E0705", format!("models are stubs that cannot be loaded: {}", names.join(", ")))
            .note(why)
            .help("build with QNN_BUILD unset on a machine where models can be compiled");
    let records = stubs.iter().flat_map(|stub| stub.records(&manifest.package)).collect();
    let artifacts =
        ArtifactManifest { stub: Some(why.to_owned()), artifacts: records, ..ArtifactManifest::default() };
    warnings.insert(0, warning);
    finish(places, &code, artifacts, warnings)
}

/// Generates nothing; what an earlier build made stays.
fn off(places: &Places) -> Result<Artifacts> {
    write_code(places, &generate(&[], &[]).unwrap_or_default().0)?;
    Ok(Artifacts {
        code: places.code.clone(),
        manifest_path: places.out_dir.join(ARTIFACT_MANIFEST),
        manifest: ArtifactManifest::default(),
        warnings: Vec::new(),
        log: places.log_path.clone(),
    })
}

fn write_code(places: &Places, code: &str) -> Result<()> {
    write_if_changed(&places.code, code.as_bytes())
        .map_err(|error| Error::io("E0605", "cannot write", &places.code, &error))
}

fn finish(
    places: &Places,
    code: &str,
    manifest: ArtifactManifest,
    warnings: Vec<Diagnostic>,
) -> Result<Artifacts> {
    write_code(places, code)?;
    // The folder is this package's alone.
    let before = ArtifactManifest::read(&places.out_dir).unwrap_or_default();
    let packages: Vec<&str> = before.artifacts.iter().map(|artifact| artifact.package.as_str()).collect();
    let libraries = before.op_packages.iter().map(|library| library.package.as_str());
    let packages: Vec<&str> = packages.into_iter().chain(libraries).collect();
    let manifest_path = manifest.write(&places.out_dir, &packages)?;
    for warning in &warnings {
        places.log.line(&format!("warning: {warning}"));
    }
    Ok(Artifacts {
        code: places.code.clone(),
        manifest_path,
        manifest,
        warnings,
        log: places.log_path.clone(),
    })
}
