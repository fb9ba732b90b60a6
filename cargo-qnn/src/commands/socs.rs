//! `cargo qnn socs`: the SoCs that can be compiled for.

use clap::Args;
use qnn_platform::soc::{SOCS, Soc};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;
use crate::table::columns;

/// Arguments of `cargo qnn socs`.
#[derive(Debug, Args)]
pub(crate) struct SocsArgs {
    /// Answer as JSON, with where the numbers come from
    #[arg(long)]
    json: bool,
}

/// A row as `--json` shows it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    aliases: &'static [&'static str],
    id: u32,
    arch: u32,
    vtcm_mb: u32,
    fp16: bool,
    sources: &'static [&'static str],
    vtcm_source: &'static str,
}

impl From<&'static Soc> for Row {
    fn from(soc: &'static Soc) -> Self {
        let Soc { name, aliases, id, arch, vtcm_mb, vtcm_source, fp16, sources } = soc;
        Self { name, aliases, id: *id, arch: *arch, vtcm_mb: *vtcm_mb, fp16: *fp16, sources, vtcm_source }
    }
}

pub(crate) fn run(session: &Session, args: &SocsArgs) -> Result<Exit> {
    if args.json {
        session.term.json(&SOCS.iter().map(Row::from).collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    let mut rows = vec![["SOC", "ID", "ARCH", "VTCM", "FP16", "ALSO KNOWN AS"].map(str::to_owned).to_vec()];
    rows.extend(SOCS.iter().map(|soc| {
        vec![
            soc.name.to_owned(),
            soc.id.to_string(),
            format!("v{}", soc.arch),
            format!("{} MiB", soc.vtcm_mb),
            if soc.fp16 { "yes" } else { "no" }.to_owned(),
            soc.aliases.join(", "),
        ]
    }));
    session.term.data(columns(&rows))?;
    Ok(Exit::Ok)
}
