//! SoCs by the names that users give.

use qnn_platform::soc;
use qnn_types::Target;

use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// A SoC as jobs carry it.
pub(crate) fn target(name: &str) -> Result<Target> {
    let soc = soc::find(name).map_err(|unknown| {
        let failure = Failure::new(Exit::Usage, codes::UNKNOWN_SOC, format!("unknown SoC `{name}`"));
        match unknown.nearest.first() {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`cargo qnn socs` lists the known ones"),
        }
    })?;
    let (name, id, arch) = (soc.name.to_owned(), soc.id, soc.arch);
    Ok(Target { name, id, arch, vtcm_mb: soc.vtcm_mb, fp16: soc.fp16 })
}
