//! From the places the user named to the libraries that a job uses.

use std::path::{Path, PathBuf};

use qnn_platform::libs::{self, NotFound, Places, QnnLibs};
use qnn_types::Toolchain;

use super::install::{self, Request};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// The libraries of this run.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The QNN libraries.
    pub(crate) qnn: QnnLibs,
    /// The reference engine, where one is installed.
    pub(crate) onnxruntime: Option<PathBuf>,
}

impl Resolved {
    /// As jobs carry it.
    pub(crate) fn for_job(&self) -> Toolchain {
        Toolchain { qnn_lib_dir: self.qnn.dir.clone(), onnxruntime: self.onnxruntime.clone() }
    }
}

/// The data folder, or why there is none.
pub(crate) fn data_dir() -> Result<PathBuf> {
    libs::data_dir().ok_or_else(|| {
        Failure::user("there is no data folder: neither CARGO_QNN_HOME nor HOME is set")
            .help("set CARGO_QNN_HOME to a folder that may be written to")
    })
}

/// The libraries as they are found now; nothing is installed.
pub(crate) fn resolve(explicit: Option<&Path>) -> Result<Resolved, NotFound> {
    let places = Places::from_env(explicit);
    let qnn = places.qnn()?;
    let onnxruntime = places.onnxruntime().ok().map(|(file, _)| file);
    Ok(Resolved { qnn, onnxruntime })
}

/// The libraries, installed first when there are none, unless the network may not be used.
pub(crate) fn ensure(session: &Session) -> Result<Resolved> {
    let missing = match resolve(None) {
        Ok(found) => return Ok(found),
        Err(missing) => missing,
    };
    // A place that the user named and that has no libraries is theirs to correct.
    let places = Places::from_env(None);
    if places.sdk_root.is_some() || places.lib_dir.is_some() {
        return Err(not_found(missing));
    }
    let request = Request { offline: session.offline, ..Request::default() };
    install::install(&session.term, &data_dir()?, &request)?;
    resolve(None).map_err(not_found)
}

fn not_found(missing: NotFound) -> Failure {
    let failure =
        Failure::new(Exit::Toolchain, codes::NO_LIBRARIES, format!("{} was not found", missing.library));
    missing.looked.into_iter().fold(failure, Failure::note).help(missing.remedy)
}
