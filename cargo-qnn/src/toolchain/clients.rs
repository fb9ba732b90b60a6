//! The programs that download wheels: `uv` or `pip`, run as the user would run them, with the user's own index settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use qnn_platform::env;

use super::pins::{Pin, Platform};
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result, list};
use crate::programs;
use crate::term::{Terminal, Verbosity};

/// How long a `--version` may take: a cold Python on a slow disk needs seconds.
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// A program that can download wheels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// `uv`: downloads, checks the hash and unpacks. It has no command that only downloads.
    Uv(PathBuf),
    /// `pip`, with the arguments that come before its subcommand (`-m pip` for a Python).
    Pip(PathBuf, Vec<&'static str>),
}

/// What a client left behind.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// A folder with wheel files.
    Wheels(PathBuf),
    /// A folder with the unpacked files of all wheels that were asked for, which the client checked by hash.
    Tree(PathBuf),
}

impl Client {
    fn from_program(program: PathBuf) -> Self {
        let stem = program.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
        if stem == "uv" {
            Client::Uv(program)
        } else if stem.starts_with("pip") {
            Client::Pip(program, vec![])
        } else {
            Client::Pip(program, vec!["-m", "pip"])
        }
    }

    /// How it is called, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Client::Uv(program) => program.display().to_string(),
            Client::Pip(program, args) => {
                let words = std::iter::once(program.display().to_string());
                words.chain(args.iter().map(|arg| (*arg).to_owned())).collect::<Vec<_>>().join(" ")
            }
        }
    }

    fn command(&self) -> Command {
        match self {
            Client::Uv(program) => Command::new(program),
            Client::Pip(program, args) => {
                let mut command = Command::new(program);
                command.args(args);
                command
            }
        }
    }

    /// Its version line, where it works: a Python without `pip` does not.
    pub(crate) fn probe(&self) -> std::result::Result<String, String> {
        let output = programs::output_within(self.command().arg("--version"), PROBE_LIMIT)
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().last().unwrap_or("it failed without a message").trim().to_owned())
        }
    }

    /// The command that puts `pins` into `folder`. `uv` links what it unpacked before, whose files nobody hashes: `fresh` forbids it.
    fn fetch_command(
        &self,
        platform: &Platform,
        requirements: &Path,
        folder: &Path,
        fresh: bool,
        term: &Terminal,
    ) -> Command {
        let mut command = self.command();
        match self {
            Client::Uv(_) => {
                command.args(["pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
                command.args([
                    "--python-version",
                    platform.python,
                    "--python-platform",
                    platform.uv_platform,
                ]);
                command.args(["--color", if term.color() { "always" } else { "never" }]);
                command.arg("--target").arg(folder);
                if fresh {
                    command.arg("--no-cache");
                }
            }
            Client::Pip(..) => {
                let abi = format!("cp{}", platform.python.replace('.', ""));
                command.args(["download", "--no-deps", "--only-binary=:all:", "--require-hashes"]);
                command.args(["--disable-pip-version-check", "--no-input", "--implementation", "cp"]);
                command.args(["--python-version", platform.python, "--abi", &abi]);
                for name in platform.pip_platforms {
                    command.args(["--platform", name]);
                }
                command.arg("--dest").arg(folder);
            }
        }
        command.arg("--requirement").arg(requirements);
        command
    }

    /// Downloads `pins` into a new folder under `work`.
    fn fetch(&self, platform: &Platform, pins: &[&Pin], work: &Path, term: &Terminal) -> Result<Fetched> {
        let requirements = work.join("requirements.txt");
        let lines: String = pins
            .iter()
            .map(|pin| format!("{}=={} --hash=sha256:{}\n", pin.name, pin.version, pin.sha256))
            .collect();
        std::fs::write(&requirements, lines).at("cannot write", &requirements)?;
        let folder = work.join(if matches!(self, Client::Uv(_)) { "tree" } else { "wheels" });
        std::fs::create_dir_all(&folder).at("cannot create", &folder)?;

        let fresh = pins.iter().any(|pin| pin.files.is_empty());
        let mut command = self.fetch_command(platform, &requirements, &folder, fresh, term);
        term.verbose("Running", programs::command_line(&command));
        run(&mut command, term).map_err(|failure| failure.note(format!("by {}", self.name())))?;
        Ok(match self {
            Client::Uv(_) => Fetched::Tree(folder),
            Client::Pip(..) => Fetched::Wheels(folder),
        })
    }
}

/// Runs a client. On a terminal its own progress is shown; otherwise what it says is kept for the error.
fn run(command: &mut Command, term: &Terminal) -> Result<()> {
    let not_run = |error: std::io::Error| Failure::user(format!("it could not be run: {error}"));
    command.stdin(Stdio::null());
    if term.is_interactive() || term.verbosity >= Verbosity::VeryVerbose {
        // Its standard output carries progress, not data: it goes where ours goes.
        command.stdout(Stdio::from(std::io::stderr()));
        let status = term.suspend(|| command.status()).map_err(not_run)?;
        return if status.success() { Ok(()) } else { Err(Failure::user(format!("it ended with {status}"))) };
    }
    let output = command.output().map_err(not_run)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(6)..].join("\n");
    Err(Failure::user(if tail.is_empty() { format!("it ended with {}", output.status) } else { tail }))
}

/// The candidates in the order they are tried: the one the user names, else `uv`, a Python's `pip`, a bare `pip`.
pub(crate) fn candidates() -> Vec<Client> {
    if let Some(program) = env::string(&env::CARGO_QNN_INSTALLER) {
        let program = programs::find(&program).unwrap_or_else(|| PathBuf::from(program));
        return vec![Client::from_program(program)];
    }
    let programs = ["uv", "python3", "python", "pip3", "pip"];
    programs.iter().filter_map(|name| programs::find(name)).map(Client::from_program).collect()
}

/// Downloads `pins` with the first client that can, into folders under `work`.
pub(crate) fn fetch(platform: &Platform, pins: &[&Pin], work: &Path, term: &Terminal) -> Result<Fetched> {
    let wheels = list(pins.iter().map(|pin| format!("{} {}", pin.name, pin.version)));
    let mut failures: Vec<String> = Vec::new();
    for client in candidates() {
        let version = match client.probe() {
            Ok(version) => version,
            Err(reason) => {
                failures.push(format!("{}: {reason}", client.name()));
                continue;
            }
        };
        let bytes = pins.iter().map(|pin| pin.bytes).sum();
        let short = version.split(" from ").next().unwrap_or(&version);
        term.status("Downloading", format!("{wheels} ({}, by {short})", crate::term::size(bytes)));
        match client.fetch(platform, pins, work, term) {
            Ok(fetched) => return Ok(fetched),
            Err(failure) => failures.push(format!("{}: {}", client.name(), failure.message())),
        }
    }
    let help = "install `uv`, or `pip` for a Python 3 (on Debian and Ubuntu: apt install python3-pip), or \
                download the wheels elsewhere and run `cargo qnn toolchain install --from FOLDER`";
    if failures.is_empty() {
        let message = "neither `uv` nor a Python with `pip` was found, and one of them has to download the QNN libraries";
        return Err(Failure::new(Exit::Toolchain, crate::codes::NOT_INSTALLED, message).help(help));
    }
    let failure =
        Failure::new(Exit::Toolchain, crate::codes::NOT_INSTALLED, format!("cannot download {wheels}"));
    Err(failures.into_iter().fold(failure, Failure::note).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_client_is_told_by_the_programs_name() {
        assert_eq!(Client::from_program("/a/uv".into()), Client::Uv("/a/uv".into()));
        assert_eq!(Client::from_program("/a/pip3.11".into()), Client::Pip("/a/pip3.11".into(), vec![]));
        let python = Client::from_program("/venv/bin/python".into());
        assert_eq!(python, Client::Pip("/venv/bin/python".into(), vec!["-m", "pip"]));
    }
}
