//! A build from beginning to end.

use std::path::{Path, PathBuf};

use qnn_manifest::module::generate;
use qnn_manifest::output::{CODE, LOG, write_code, write_stamp};
use qnn_manifest::script::{Answer, PROTOCOL, Request};
use qnn_manifest::{Manifest, Mode};
use qnn_platform::env;
use qnn_types::{ARTIFACT_MANIFEST, ArtifactManifest, Diagnostic, Error, Result};

use crate::ask::{ask, find};
use crate::builder::{Artifacts, Builder};
use crate::cargo::Cargo;
use crate::{stored, stub};

pub(crate) fn run(builder: &Builder) -> Result<Artifacts> {
    let cargo = builder.cargo;
    for var in env::rebuild() {
        cargo.rerun_if_env_changed(var.name);
    }
    let request = request(builder)?;
    cargo.rerun_if_changed(&request.manifest_path);
    let (mode, why) = match builder.mode {
        Some(mode) => (mode, "the build script asks for a stub".to_owned()),
        None => Mode::from_env()?,
    };
    cargo.cfg("qnn_stub", mode == Mode::Stub);
    cargo.cfg("qnn_off", mode == Mode::Off);
    if mode == Mode::Off {
        let (code, _) = generate(&[], &[]).unwrap_or_default();
        write_code(&request.out_dir, &code)?;
        // What an earlier build made stays.
        return Ok(artifacts(&request.out_dir, ArtifactManifest::default(), Vec::new()));
    }
    let stamp = write_stamp(&request.out_dir)
        .map_err(|error| Error::io("E0605", "cannot write to", &request.out_dir, &error))?;
    cargo.rerun_if_changed(&stamp);
    let (made, warnings) = match mode {
        Mode::Stub => {
            let manifest = manifest(&request)?;
            watch(cargo, &manifest);
            stub::make(&manifest, &why, &request.out_dir)?
        }
        _ => compile(builder, &request)?,
    };
    warnings.iter().for_each(|warning| cargo.warning(warning));
    Ok(artifacts(&request.out_dir, made, warnings))
}

/// Asks `cargo-qnn`; without one, takes what the store remembers.
fn compile(builder: &Builder, request: &Request) -> Result<(ArtifactManifest, Vec<Diagnostic>)> {
    let program = match builder.worker.clone().map_or_else(find, Ok) {
        Ok(program) => program,
        Err(missing) => {
            let manifest = manifest(request)?;
            watch(builder.cargo, &manifest);
            return stored::take(&manifest, request, builder.cargo).map_err(|why| missing.note(why).into());
        }
    };
    let Answer { artifacts, problems, warnings, log, watch } = ask(&program, request)?;
    watch.iter().for_each(|file| builder.cargo.rerun_if_changed(file));
    match artifacts {
        Some(artifacts) if problems.is_empty() => Ok((artifacts, warnings)),
        _ => Err(Error { problems, warnings, log }),
    }
}

/// What the builder says, and the environment says to build scripts only.
fn request(builder: &Builder) -> Result<Request> {
    let out_dir = match &builder.out_dir {
        Some(dir) => dir.clone(),
        None => PathBuf::from(env::var(&env::OUT_DIR).ok_or_else(|| not_a_build_script("OUT_DIR"))?),
    };
    Ok(Request {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        manifest_path: manifest_path(builder)?,
        out_dir,
        settings: builder.settings.clone(),
        cache_dir: builder.cache_dir.clone(),
        qnn_lib_dir: builder.qnn_lib_dir.clone(),
        jobs: builder.jobs,
        memory: builder.memory,
        timeout_ms: builder.timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        offline: builder.offline,
    })
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

fn manifest(request: &Request) -> Result<Manifest> {
    Manifest::of_build_script(&request.manifest_path, &request.settings)
}

fn watch(cargo: Cargo, manifest: &Manifest) {
    manifest.watched().iter().for_each(|file| cargo.rerun_if_changed(file));
}

fn artifacts(out_dir: &Path, manifest: ArtifactManifest, warnings: Vec<Diagnostic>) -> Artifacts {
    Artifacts {
        code: out_dir.join(CODE),
        manifest_path: out_dir.join(ARTIFACT_MANIFEST),
        manifest,
        warnings,
        log: out_dir.join(LOG),
    }
}
