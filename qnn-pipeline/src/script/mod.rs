//! Answers a build script: compiles the models of its package, and puts code and artifacts into its folder.

mod code;
mod install;
mod record;

use std::path::PathBuf;
use std::time::Duration;

use qnn_manifest::Manifest;
use qnn_manifest::module::generate;
use qnn_manifest::output::{LOG, write_code, write_own_artifacts};
use qnn_manifest::script::{Answer, PROTOCOL, Request, wrong_version};
use qnn_platform::{env, libs};
use qnn_types::{ArtifactManifest, Diagnostic, Error, Result};

use crate::compile::Compiler;
use crate::driver::{Limits, Progress, Worker};
use crate::log::Log;
use crate::op_package::Builds;
use crate::package;
use crate::store::Store;

/// Compiles, places and generates what `request` asks for; jobs run in processes of `worker`.
pub fn answer(request: &Request, worker: &Worker, progress: &dyn Progress) -> Answer {
    let log_path = request.out_dir.join(LOG);
    let mut watch = Vec::new();
    let result = check_protocol(request).map_err(Error::from).and_then(|()| {
        let log = Log::create(&log_path);
        make(request, worker, progress, &log, &mut watch)
            .map_err(|error| Error { log: Some(log_path.clone()), ..error })
    });
    match result {
        Ok((artifacts, warnings)) => {
            Answer { artifacts: Some(artifacts), warnings, log: Some(log_path), watch, ..Answer::default() }
        }
        Err(Error { problems, warnings, log }) => Answer { artifacts: None, problems, warnings, log, watch },
    }
}

fn check_protocol(request: &Request) -> Result<(), Diagnostic> {
    if request.protocol == PROTOCOL {
        return Ok(());
    }
    let ours = format!("cargo-qnn is version {} (protocol {PROTOCOL})", env!("CARGO_PKG_VERSION"));
    Err(wrong_version(&ours, &request.version, request.protocol))
}

fn make(
    request: &Request,
    worker: &Worker,
    progress: &dyn Progress,
    log: &Log,
    watch: &mut Vec<PathBuf>,
) -> Result<(ArtifactManifest, Vec<Diagnostic>)> {
    let manifest = Manifest::of_build_script(&request.manifest_path, &request.settings)?;
    watch.extend(manifest.watched());
    watch.push(worker.path.clone());
    let store = store(request);
    let memo = store.memo();
    let resolved = install::ensure(request.qnn_lib_dir.as_deref(), worker, request.offline, &memo, log)?;
    watch.push(resolved.identity.clone());
    let manifests = [manifest];
    let target = env::string(&env::TARGET);
    let limits = limits(request);
    let builds = Builds { store: &store, resolved: &resolved, limits: &limits, memo: &memo };
    let packages = package::plan(&manifests, &builds, target.as_deref())?;
    let models = packages.iter().flat_map(|package| &package.plan.models);
    watch.extend(models.flat_map(|model| &model.facts.external).map(|file| file.path.clone()));
    let keep = env::var(&env::QNN_KEEP).map(PathBuf::from);
    let compiler = Compiler {
        store: &store,
        build_id: &resolved.build_id,
        worker: worker.clone(),
        limits,
        log,
        keep: keep.as_deref(),
        recheck: env::var(&env::QNN_CHECK_CACHE).is_some(),
    };
    for note in packages.iter().flat_map(|package| &package.plan.notes) {
        log.line(&format!("note: {note}"));
    }
    let (built, mut warnings) = package::build(packages, &compiler, progress)?;

    let outputs = package::outputs(&built)?;
    package::place_all(&outputs, &built, &request.out_dir, &memo)?;
    // An app for this machine runs where it is built.
    let host = env::string(&env::HOST);
    let local = target.is_none() || target == host;
    let (models, llms) = code::code_of(&outputs, local);
    let (text, found) = generate(&models, &llms).map_err(Error::of)?;
    warnings.extend(found);
    let artifacts = package::listed(&outputs, &built);
    write_code(&request.out_dir, &text)?;
    write_own_artifacts(&artifacts, &request.out_dir)?;
    warnings.iter().for_each(|warning| log.line(&format!("warning: {warning}")));
    let made = record::Made {
        manifest: &manifests[0],
        outputs: &outputs,
        code: &text,
        artifacts: &artifacts,
        memo: &memo,
    };
    made.keep(&store, &warnings, target.as_deref(), host.as_deref());
    Ok((artifacts, warnings))
}

fn store(request: &Request) -> Store {
    let own = request.out_dir.join("qnn-cache");
    match request.cache_dir.clone().or_else(libs::cache_dir) {
        Some(cache) => Store::new(cache, Some(own)),
        None => Store::new(own, None),
    }
}

fn limits(request: &Request) -> Limits {
    let from_env = Limits::from_env();
    Limits {
        jobs: request.jobs.or(from_env.jobs),
        memory: request.memory.or(from_env.memory),
        timeout: request.timeout_ms.map(Duration::from_millis).or(from_env.timeout),
    }
}
