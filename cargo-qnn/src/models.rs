//! The models of the user's packages, planned and ready to be compiled.

use std::path::PathBuf;

use qnn_pipeline::compile::Compiler;
use qnn_pipeline::driver::Limits;
use qnn_pipeline::op_package::Builds;
use qnn_pipeline::package::{self, Package};
use qnn_pipeline::store::Store;
use qnn_pipeline::toolchain::{self, Resolved};
use qnn_pipeline::{Log, Memo};
use qnn_platform::{env, libs};

use crate::args::{ConfigArgs, JobArgs};
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::session::Session;
use crate::toolchain::ensure;
use crate::workspace::Workspace;

/// The store of compiled models. What cannot be written there goes to `fallback`, with a warning.
pub(crate) fn store(fallback: Option<PathBuf>) -> Result<Store> {
    let cache = libs::cache_dir().ok_or_else(|| {
        Failure::user("there is no cache folder: neither QNN_CACHE_DIR nor HOME is set")
            .help("set QNN_CACHE_DIR to a folder that may be written to")
    })?;
    Ok(Store::new(cache, fallback))
}

/// What a build or check works with.
pub(crate) struct Models {
    pub(crate) packages: Vec<Package>,
    pub(crate) store: Store,
    pub(crate) memo: Memo,
    pub(crate) resolved: Resolved,
    limits: Limits,
    log: Log,
    keep: Option<PathBuf>,
}

impl Models {
    /// Plans the models of `workspace`'s packages for a target triple, or this machine. Missing libraries are installed.
    pub(crate) fn plan(
        session: &Session,
        workspace: &Workspace,
        config: &ConfigArgs,
        job: &JobArgs,
        jobs: Option<usize>,
        target: Option<&str>,
    ) -> Result<Self> {
        let manifests = workspace.manifests(&config.overrides())?;
        let fallback = workspace.target_dir.join("qnn-cache");
        let plan = |builds: &Builds<'_>| Ok(package::plan(&manifests, builds, target)?);
        Self::of(session, Some(fallback), job, jobs, plan)
    }

    /// What `plan` makes with the libraries and the store. Missing libraries are installed.
    pub(crate) fn of(
        session: &Session,
        fallback: Option<PathBuf>,
        job: &JobArgs,
        jobs: Option<usize>,
        plan: impl FnOnce(&Builds<'_>) -> Result<Vec<Package>>,
    ) -> Result<Self> {
        let store = store(fallback)?;
        let memo = store.memo();
        let resolved = libraries(session, &memo)?;
        let from_env = Limits::from_env();
        let limits = Limits {
            jobs: jobs.or(from_env.jobs),
            memory: job.mem_limit.map(|mib| mib.saturating_mul(1 << 20)).or(from_env.memory),
            timeout: job.timeout()?.or(from_env.timeout),
        };
        let builds = Builds { store: &store, resolved: &resolved, limits: &limits, memo: &memo };
        let packages = plan(&builds)?;
        let keep = env::var(&env::QNN_KEEP).map(PathBuf::from);
        Ok(Self { packages, store, memo, resolved, limits, log: Log::default(), keep })
    }

    /// The compiler of these models, whose workers are this program.
    pub(crate) fn compiler(&self) -> Result<Compiler<'_>> {
        Ok(Compiler {
            store: &self.store,
            build_id: &self.resolved.build_id,
            worker: jobs::worker()?,
            limits: self.limits.clone(),
            log: &self.log,
            keep: self.keep.as_deref(),
            recheck: env::var(&env::QNN_CHECK_CACHE).is_some(),
        })
    }
}

/// The libraries with their build id; installed when there are none.
pub(crate) fn libraries(session: &Session, memo: &Memo) -> Result<Resolved> {
    match toolchain::resolve(None, memo) {
        Ok(resolved) => Ok(resolved),
        Err(_) => {
            ensure(session)?;
            Ok(toolchain::resolve(None, memo)?)
        }
    }
}
