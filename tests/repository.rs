//! The repository's own words: every command, option, variable, error code, manifest key, file and link that its texts name exists.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "repository/commands.rs"]
mod commands;
#[path = "repository/dependencies.rs"]
mod dependencies;
#[path = "repository/links.rs"]
mod links;
#[path = "repository/manifests.rs"]
mod manifests;
#[path = "repository/names.rs"]
mod names;
#[path = "repository/texts.rs"]
mod texts;
