//! Settings on the command line that override the manifest.

use clap::Args;
use qnn_manifest::Overrides;

/// Flags that win over everything the manifest says.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model Options")]
pub(crate) struct ConfigArgs {
    /// Compile every model for this SoC instead of those in the manifest; see `cargo qnn socs`
    #[arg(long, value_name = "SOC", value_delimiter = ',')]
    pub(crate) soc: Vec<String>,
    /// Override a value of the manifest, for example models.digits.precision=fp16
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
}

impl ConfigArgs {
    /// What overrides the manifest: the environment, and these flags on top.
    pub(crate) fn overrides(&self) -> Overrides {
        let overrides = self.config.iter().fold(Overrides::from_env(), |all, arg| all.config(arg));
        overrides.soc(&self.soc)
    }
}
