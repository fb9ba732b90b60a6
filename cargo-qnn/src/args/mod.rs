//! The command line as types.

mod cargo;
mod compile;
mod config;
pub(crate) mod examples;
mod job;
mod llm;
mod model;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::exit;
use crate::term::ColorChoice;

pub(crate) use cargo::{BuildFlags, FeatureArgs, PackageArgs};
pub(crate) use compile::CompileFlags;
pub(crate) use config::ConfigArgs;
pub(crate) use job::JobArgs;
pub(crate) use llm::LlmFlags;
pub(crate) use model::{DimArg, InputArg, sizes};

/// As cargo colours its help.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// From a line in Cargo.toml to a neural network on a Snapdragon NPU.
#[derive(Debug, Parser)]
#[command(name = "cargo-qnn", bin_name = "cargo qnn", version, styles = STYLES, after_help = exit::HELP)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every subcommand, with cargo's names and meaning.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Say more: -v the commands that are run, -vv also what the vendor library says
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 900)]
    pub(crate) verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 901)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", display_order = 902)]
    pub(crate) color: Option<ColorChoice>,
    /// Do not use the network
    #[arg(long, global = true, display_order = 903)]
    pub(crate) offline: bool,
}

/// The subcommands, one file each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile the models that are missing, then build the app
    #[command(visible_alias = "b")]
    Build(commands::build::BuildArgs),
    /// Find everything that is wrong with the models, without compiling them to the end
    #[command(visible_alias = "c")]
    Check(commands::check::CheckArgs),
    /// Build the app with its models and run it
    #[command(visible_alias = "r")]
    Run(commands::run::RunArgs),
    /// Make a new app that runs a model
    New(commands::new::NewArgs),
    /// Add models to the package in the current folder
    Init(commands::init::InitArgs),
    /// Compile a model file into a context binary, without a manifest
    Compile(commands::compile::CompileArgs),
    /// Run a context binary in the emulator
    Exec(commands::exec::ExecArgs),
    /// Compare what the HTP computes with ONNX Runtime
    Verify(commands::verify::VerifyArgs),
    /// Estimate what an execution takes on the chip, by the vendor's own simulation
    Estimate(commands::estimate::EstimateArgs),
    /// Write a language model as ONNX or DLC, for other tools
    Export(commands::export::ExportArgs),
    /// Show what a context binary, model or container holds
    Inspect(commands::inspect::InspectArgs),
    /// Show the merged manifest, each value with its origin
    Show(commands::show::ShowArgs),
    /// Make, check and build op packages: kernels of your own
    Op(commands::op::OpArgs),
    /// Install, list or locate the QNN libraries
    Toolchain(commands::toolchain::ToolchainArgs),
    /// Check this machine: libraries, tools, folders; every finding with its remedy
    Doctor(commands::doctor::DoctorArgs),
    /// List the SoCs that can be compiled for
    Socs(commands::socs::SocsArgs),
    /// Locate, measure or shrink the store of compiled models
    Cache(commands::cache::CacheArgs),
    /// Remove what was built of packages with models: collected context binaries, and the rest by `cargo clean`
    Clean(commands::clean::CleanArgs),
    /// Explain an error code
    Explain(commands::explain::ExplainArgs),
    /// Show the environment variables that are read, with their values
    Env(commands::env::EnvArgs),
    /// Print shell completions
    Completions(commands::completions::CompletionsArgs),
    /// Print or write the manual pages
    Man(commands::man::ManArgs),
    /// Answer a build script; started by `qnn-build`
    #[command(hide = true)]
    Script,
    /// Run one job of a build; started by the other commands and by build scripts
    #[command(hide = true)]
    Worker,
}

impl Command {
    /// Whether `--frozen` is there, which means `--offline`, too.
    pub(crate) fn frozen(&self) -> bool {
        let packages = match self {
            Command::Build(args) => &args.packages,
            Command::Check(args) => &args.packages,
            Command::Run(args) => &args.packages,
            Command::Verify(args) => &args.packages,
            Command::Show(args) => &args.packages,
            Command::Clean(args) => &args.packages,
            _ => return false,
        };
        packages.frozen
    }
}
