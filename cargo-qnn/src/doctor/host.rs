//! The machine: platform, C library, memory, folders.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use qnn_platform::libs;

use super::Finding;
use crate::programs;
use crate::term::size;
use crate::toolchain::pins;

/// The QNN libraries of the pinned wheels need symbols of this version.
const GLIBC_LEAST: (u32, u32) = (2, 34);
/// Free space below which a compile of a large model is likely to fail.
const DISK_LEAST: u64 = 2_000_000_000;
/// Free memory below which only small models compile: a model needs about six times its weights.
const MEMORY_LEAST: u64 = 2_000_000_000;

pub(super) fn platform() -> Finding {
    match pins::Product::Qnn.host() {
        Some(_) => Finding::ok(libs::host()),
        None => Finding::fail(
            format!("there is no QNN compiler for {}", libs::host()),
            "compile on x86-64 Linux; here, set QNN_BUILD=stub to build without models",
        ),
    }
}

pub(super) fn glibc() -> Finding {
    if !cfg!(target_os = "linux") {
        return Finding::skip("only Linux has it");
    }
    let (major, minor) = GLIBC_LEAST;
    let remedy = format!(
        "the libraries need glibc {major}.{minor}: Debian 12, Ubuntu 22.04, Fedora 35 or newer, or a container"
    );
    match glibc_version() {
        Some(found) if found >= GLIBC_LEAST => Finding::ok(format!("glibc {}.{}", found.0, found.1)),
        Some(found) => Finding::fail(format!("glibc {}.{} is too old", found.0, found.1), remedy),
        None => Finding::fail("no glibc was found (musl?)", remedy),
    }
}

/// `getconf` prints for example `glibc 2.36`.
fn glibc_version() -> Option<(u32, u32)> {
    let mut command = Command::new("getconf");
    let output = programs::output_within(command.arg("GNU_LIBC_VERSION"), Duration::from_secs(5)).ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, rest) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
}

pub(super) fn memory() -> Finding {
    let Some((available, total)) = memory_bytes() else {
        return Finding::skip("this system does not tell how much memory there is");
    };
    let detail = format!("{} of {} available", size(available), size(total));
    if available >= MEMORY_LEAST {
        Finding::ok(detail)
    } else {
        Finding::warn(
            detail,
            "compiling needs about six times the size of a model's weights: end other programs",
        )
    }
}

fn memory_bytes() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kib| kib * 1024)
    };
    Some((field("MemAvailable")?, field("MemTotal")?))
}

pub(super) fn cache() -> Finding {
    let Some(folder) = libs::cache_dir() else {
        return Finding::fail(
            "neither QNN_CACHE_DIR nor HOME is set",
            "set QNN_CACHE_DIR to a folder that may be written to",
        );
    };
    let Some(existing) = nearest_existing(&folder) else {
        return Finding::fail(
            format!("{} cannot exist", folder.display()),
            "set QNN_CACHE_DIR to another folder",
        );
    };
    match tempfile::tempfile_in(&existing) {
        Ok(_) => Finding::ok(folder.display().to_string()),
        Err(error) => Finding::fail(
            format!("{} cannot be written: {error}", existing.display()),
            "set QNN_CACHE_DIR to a folder that may be written to",
        ),
    }
}

pub(super) fn disk() -> Finding {
    let places: Vec<PathBuf> = [libs::cache_dir(), libs::data_dir()].into_iter().flatten().collect();
    let free: Vec<(PathBuf, u64)> = places
        .into_iter()
        .filter_map(|place| {
            nearest_existing(&place).and_then(|folder| free_bytes(&folder)).map(|free| (place, free))
        })
        .collect();
    let Some((place, least)) = free.into_iter().min_by_key(|(_, free)| *free) else {
        return Finding::skip("this system does not tell how much space is free");
    };
    let detail = format!("{} free at {}", size(least), place.display());
    if least >= DISK_LEAST {
        Finding::ok(detail)
    } else {
        Finding::warn(detail, "`cargo qnn cache prune` frees space, QNN_CACHE_DIR moves the cache")
    }
}

/// The folder itself or the nearest one above it that exists.
fn nearest_existing(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|place| place.is_dir()).map(Path::to_owned)
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
