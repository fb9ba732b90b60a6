//! `cargo qnn run`: builds the app with its models and runs it.

use std::ffi::OsString;

use clap::Args;

use super::build::{self, BuildArgs, Then};
use crate::args::{BuildFlags, ConfigArgs, JobArgs, PackageArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::ndk;
use crate::session::Session;

/// Arguments of `cargo qnn run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Print the plan, the command and its environment; do nothing
    #[arg(long)]
    dry_run: bool,
    /// Android API level to link for
    #[arg(long, value_name = "LEVEL", default_value_t = ndk::DEFAULT_API)]
    android_api: u32,
    /// Output format, passed on to cargo; `json` also describes artifacts and problems
    #[arg(long, value_name = "FORMAT")]
    message_format: Option<String>,
    /// Arguments for the app
    #[arg(last = true, value_name = "APP ARGS")]
    app: Vec<OsString>,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    #[command(flatten)]
    flags: BuildFlags,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) fn run(session: &Session, args: &RunArgs) -> Result<Exit> {
    let args = BuildArgs {
        packages: args.packages.clone(),
        flags: args.flags.clone(),
        config: args.config.clone(),
        job: args.job.clone(),
        artifacts_only: false,
        dry_run: args.dry_run,
        android_api: args.android_api,
        message_format: args.message_format.clone(),
        rest: args.app.clone(),
    };
    build::build(session, &args, Then::Run)
}
