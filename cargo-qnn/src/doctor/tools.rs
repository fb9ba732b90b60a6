//! Programs: the downloader of wheels, `cargo-qnn` itself, compilers for the Hexagon.

use std::process::Command;
use std::time::Duration;

use qnn_pipeline::Memo;
use qnn_pipeline::op_package::{Kind, Target, toolchain};
use qnn_platform::env;
use qnn_platform::libs::Places;

use super::Finding;
use crate::programs;
use crate::toolchain::clients;

pub(super) fn installer() -> Finding {
    let mut reasons = Vec::new();
    for client in clients::candidates() {
        match client.probe() {
            Ok(version) => {
                let short = version.split(" from ").next().unwrap_or(&version);
                return Finding::ok(format!("{short} ({})", client.name()));
            }
            Err(reason) => reasons.push(format!("{}: {reason}", client.name())),
        }
    }
    let found = if reasons.is_empty() { "none was found".to_owned() } else { reasons.join("; ") };
    if Places::from_env(None).qnn().is_ok() {
        return Finding::skip(format!("{found}; not needed, for there are QNN libraries already"));
    }
    Finding::fail(
        found,
        "one of them downloads the toolchain: install `uv`, or pip (apt install python3-pip); without them, \
         `cargo qnn toolchain install --from FOLDER` takes wheels from a folder",
    )
}

pub(super) fn cargo_qnn() -> Finding {
    let remedy = "put its folder on PATH (`cargo install` puts it into ~/.cargo/bin), or set CARGO_QNN; `cargo qnn build` needs neither";
    let named = env::string(&env::CARGO_QNN);
    let Some(program) = named.as_deref().or(Some("cargo-qnn")).and_then(programs::find) else {
        let what = named.map_or("cargo-qnn is not on PATH".to_owned(), |path| {
            format!("{path} (CARGO_QNN) is no program")
        });
        return Finding::warn(format!("{what}: plain `cargo build` cannot compile models"), remedy);
    };
    let place = program.display();
    let output =
        match programs::output_within(Command::new(&program).arg("--version"), Duration::from_secs(8)) {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            }
            Ok(output) => return Finding::warn(format!("{place} ended with {}", output.status), remedy),
            Err(error) => return Finding::warn(format!("{place}: {error}"), remedy),
        };
    let ours = concat!("cargo-qnn ", env!("CARGO_PKG_VERSION"));
    if output == ours {
        Finding::ok(format!("{place} ({output})"))
    } else {
        Finding::warn(format!("{place} is {output}, this is {ours}"), remedy)
    }
}

pub(super) fn hexagon() -> Finding {
    // The architecture decides over flags and not over which compiler is found.
    const TARGET: Target = Target::Hexagon(75);
    match toolchain::find(Kind::Qhpi, TARGET, &toolchain::Places::from_env(), &Memo::default()) {
        Ok(compiler) => Finding::ok(format!("{} ({})", compiler.program.display(), family(&compiler.family))),
        Err(problem) if env::var(&env::HEXAGON_SDK_ROOT).is_some() => {
            Finding::warn(problem.message, "correct HEXAGON_SDK_ROOT or unset it")
        }
        Err(_) => Finding::skip("not found; needed only to build custom op packages for a device")
            .remedy("cargo qnn toolchain install hexagon, or set HEXAGON_SDK_ROOT to a Hexagon SDK"),
    }
}

fn family(family: &toolchain::Family) -> &'static str {
    match family {
        toolchain::Family::Zig => "clang of the installed zig",
        _ => "Hexagon SDK",
    }
}
