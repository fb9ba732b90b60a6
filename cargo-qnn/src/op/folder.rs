//! Folders of op packages that flags name, built for this machine.

use std::path::{Path, PathBuf};

use clap::Args;
use qnn_pipeline::driver::Limits;
use qnn_pipeline::op_package::{self, Builds, Kind, Spec};
use qnn_types::OpPackage;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::models::{libraries, store};
use crate::session::Session;

/// Flags that name op packages.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model Options")]
pub(crate) struct OpPackageArgs {
    /// Folder of an op package that the model uses: built when it changed; may be repeated
    #[arg(long, value_name = "FOLDER")]
    pub(crate) op_package: Vec<PathBuf>,
}

impl OpPackageArgs {
    /// Builds every package for this machine.
    pub(crate) fn open(&self, session: &Session) -> Result<Vec<OpPackage>> {
        if self.op_package.is_empty() {
            return Ok(Vec::new());
        }
        let store = store(None)?;
        let memo = store.memo();
        let resolved = libraries(session, &memo)?;
        let limits = Limits::from_env();
        let builds = Builds { store: &store, resolved: &resolved, limits: &limits, memo: &memo };
        let mut packages = Vec::new();
        for folder in &self.op_package {
            let opened = op_package::open("", &spec(folder), &builds);
            let opened = opened.map_err(|problems| Failure { exit: Exit::User, problems })?;
            opened.package.warnings.iter().for_each(|warning| session.term.warning(warning));
            packages.push(opened.job);
        }
        Ok(packages)
    }
}

/// A folder by itself: its kind is told by its sources.
pub(crate) fn spec(folder: &Path) -> Spec {
    Spec { path: folder.to_owned(), kind: kind(folder), ..Spec::default() }
}

/// C++ where `src` holds C++ and no C.
fn kind(folder: &Path) -> Kind {
    let files = || {
        let entries = ["src", "src/ops"].map(|name| std::fs::read_dir(folder.join(name)));
        entries.into_iter().flatten().flatten().flatten().map(|entry| entry.path())
    };
    let has = |extension: &str| files().any(|file| file.extension().is_some_and(|found| found == extension));
    if has("cpp") && !has("c") { Kind::Cpp } else { Kind::Qhpi }
}
