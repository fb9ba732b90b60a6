//! Installing a toolchain: at most one process at a time, nothing half done is ever visible, and a killed
//! installation costs the next one nothing but the time.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use qnn_pipeline::toolchain::build_id_of;
use qnn_platform::libs::{self, QNN_SUBDIR, TOOLCHAIN_MANIFEST};

use super::clients::{self, Fetched};
use super::contents::{self, Known};
use super::pins::{Pin, Platform, Product};
use super::record::{Record, SCHEMA, WheelRecord};
use super::wheel::{self, Source};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result, list};
use crate::term::{Terminal, elapsed, size};

/// Prefix of the folders in which a toolchain is put together. They are only made while the lock is held, so every
/// one that is found under the lock belongs to a process that was killed.
const STAGING: &str = ".staging-";
/// Wheels that were downloaded for an installation that has not ended yet.
const DOWNLOADS: &str = ".downloads";

/// What the user asked for.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    /// What is wanted.
    pub(crate) product: Product,
    /// A folder with the wheels; nothing is downloaded then.
    pub(crate) from: Option<&'a Path>,
    /// Whether the network may not be used.
    pub(crate) offline: bool,
    /// Hash what is installed, and install again where a file was changed.
    pub(crate) thorough: bool,
    /// Install again even when it is installed and intact.
    pub(crate) force: bool,
}

/// A toolchain in its place.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) folder: PathBuf,
    pub(crate) record: Record,
    /// Whether this call installed it.
    pub(crate) fresh: bool,
}

/// Installs the toolchain of this version for this machine, if it is not there yet.
pub(crate) fn install(term: &Terminal, data: &Path, request: &Request<'_>) -> Result<Installed> {
    let product = request.product;
    let platform = product.host().ok_or_else(|| no_platform(product))?;
    let parent = libs::toolchains_dir(data);
    fs::create_dir_all(&parent).at("cannot create", &parent)?;
    let folder = parent.join(product.id());
    if let Some(installed) = present(&folder, request) {
        return Ok(installed);
    }
    let _lock = lock(term, &parent)?;
    // Whoever held the lock may have installed it.
    if let Some(installed) = present(&folder, request) {
        return Ok(installed);
    }
    remove_leftovers(&parent)?;
    let start = Instant::now();
    let staging = parent.join(format!("{STAGING}{}", std::process::id()));
    fs::create_dir_all(&staging).at("cannot create", &staging)?;
    let done = put_together(term, platform, &parent, &staging, request)
        .and_then(|record| move_into_place(&staging, &folder).map(|()| record));
    if done.is_err() {
        // What is left of a failure is only in the way; the error is what counts.
        let _ = fs::remove_dir_all(&staging);
    }
    let record = done?;
    let _ = fs::remove_dir_all(parent.join(DOWNLOADS));
    let time = elapsed(start.elapsed());
    term.status(
        "Installed",
        format!("{} ({}) in {time}: {}", record.name, size(record.bytes()), folder.display()),
    );
    Ok(Installed { folder, record, fresh: true })
}

/// The installed toolchain, unless it is missing, incomplete or not wanted.
fn present(folder: &Path, request: &Request<'_>) -> Option<Installed> {
    let record = Record::read(folder).filter(|_| !request.force)?;
    let intact = if request.thorough { record.check_contents(folder) } else { record.check_sizes(folder) };
    let pinned = request.product.platforms().iter().flat_map(|platform| platform.wheels);
    let differs = pinned.map(|pin| contents::differs(pin.files, &record.files)).any(|found| found.is_some());
    let intact = intact.is_empty() && !differs;
    intact.then(|| Installed { folder: folder.to_owned(), record, fresh: false })
}

fn no_platform(product: Product) -> Failure {
    let platforms = product.platforms().iter();
    let known = list(platforms.map(|platform| format!("{} {}", platform.host.1, platform.host.0)));
    if product == Product::Hexagon {
        let message = format!("there is no compiler for the NPU for this machine ({})", libs::host());
        return Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, message)
            .help(format!("set HEXAGON_SDK_ROOT to a Hexagon SDK, or build op packages on one of: {known}"));
    }
    let message = format!(
        "this machine ({}) cannot compile for the NPU: there is no QNN compiler for it",
        libs::host()
    );
    Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, message).help(format!(
        "compile on one of: {known}; elsewhere set QNN_BUILD=stub to build without models, or point QNN_SDK_ROOT at a QAIRT SDK"
    ))
}

fn lock(term: &Terminal, parent: &Path) -> Result<File> {
    let path = parent.join(".lock");
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).at("cannot open", &path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            term.status("Blocking", "waiting for another process that installs the QNN toolchain");
            file.lock().at("cannot lock", &path)?;
        }
        Err(fs::TryLockError::Error(error)) => return Err(Failure::io("cannot lock", &path, &error)),
    }
    Ok(file)
}

fn remove_leftovers(parent: &Path) -> Result<()> {
    for entry in fs::read_dir(parent).at("cannot read", parent)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            fs::remove_dir_all(entry.path()).at("cannot remove", &entry.path())?;
        }
    }
    Ok(())
}

/// Gets the wheels, unpacks them into `staging` and writes the record.
fn put_together(
    term: &Terminal,
    platform: &Platform,
    parent: &Path,
    staging: &Path,
    request: &Request<'_>,
) -> Result<Record> {
    let sources = wheels(term, platform, parent, staging, request)?;
    for (pin, _) in &sources {
        term.note(format!("{} {}: {}", pin.name, pin.version, pin.licence));
    }
    let contents = request.product.contents();
    let total =
        sources.iter().map(|(pin, source)| wheel::unpacked_bytes(pin, source)).sum::<Result<u64>>()?;
    term.status("Unpacking", format!("{contents} ({})", size(total)));
    let bar = term.bytes_bar("Unpacking", total);
    let content = staging.join("content");
    let mut files = Vec::new();
    for (pin, source) in &sources {
        let unpacked = wheel::unpack(pin, source, &content, &bar)?;
        if let Some(known) = contents::differs(pin.files, &unpacked) {
            bar.finish_and_clear();
            return Err(not_pinned(pin, known, source));
        }
        files.extend(unpacked);
    }
    bar.finish_and_clear();
    let build_id = match request.product {
        Product::Qnn => build_id_of(&content.join(QNN_SUBDIR).join(libs::library_file("QnnHtp")))?,
        Product::Hexagon => {
            executable(&content.join("ziglang").join("zig"))?;
            format!("zig {}", platform.qnn)
        }
    };
    let record = Record {
        schema: SCHEMA,
        name: request.product.id(),
        qnn: platform.qnn.to_owned(),
        build_id,
        installed_by: format!("cargo-qnn {}", env!("CARGO_PKG_VERSION")),
        wheels: sources.iter().map(|(pin, _)| wheel_record(pin)).collect(),
        files,
    };
    let text = serde_json::to_vec_pretty(&record)
        .map_err(|error| Failure::user("cannot describe the toolchain").note(error.to_string()))?;
    let path = content.join(TOOLCHAIN_MANIFEST);
    let mut file = File::create(&path).at("cannot create", &path)?;
    file.write_all(&text).and_then(|()| file.sync_all()).at("cannot write", &path)?;
    Ok(record)
}

/// A wheel with the right hash has the right files; what `uv` unpacked once and keeps need not have.
fn not_pinned(pin: &Pin, known: &Known, source: &Source) -> Failure {
    let message = format!("{} of {} {} is not the file that is pinned", known.path, pin.name, pin.version);
    let failure = Failure::new(Exit::Toolchain, codes::NOT_INSTALLED, message)
        .note(format!("sha256 expected: {}", known.sha256));
    match source {
        Source::Tree(_) => failure.note("it comes from uv's cache, where it was changed").help(format!(
            "uv cache clean {}, then cargo qnn toolchain install; CARGO_QNN_INSTALLER=pip downloads without uv",
            pin.name
        )),
        Source::Wheel(_) => failure.help("please report this: the pins are wrong"),
    }
}

/// Lets a file be run; wheels are unpacked without permissions.
fn executable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).at("cannot write", file)?;
    }
    let _ = file;
    Ok(())
}

fn wheel_record(pin: &Pin) -> WheelRecord {
    WheelRecord {
        name: pin.name.to_owned(),
        version: pin.version.to_owned(),
        file: pin.file.to_owned(),
        sha256: pin.sha256.to_owned(),
        licence: pin.licence.to_owned(),
    }
}

/// Every wheel with where its files are read: given by the user, downloaded before, or downloaded now.
fn wheels(
    term: &Terminal,
    platform: &Platform,
    parent: &Path,
    staging: &Path,
    request: &Request<'_>,
) -> Result<Vec<(&'static Pin, Source)>> {
    let pins: Vec<&'static Pin> = request
        .product
        .platforms()
        .iter()
        .find(|row| *row == platform)
        .map_or(&[][..], |row| row.wheels)
        .iter()
        .collect();
    if let Some(folder) = request.from {
        return pins.into_iter().map(|pin| given(pin, folder, request.product)).collect();
    }
    let downloads = parent.join(DOWNLOADS);
    fs::create_dir_all(&downloads).at("cannot create", &downloads)?;
    let (kept, missing): (Vec<&'static Pin>, Vec<&'static Pin>) =
        pins.into_iter().partition(|pin| wheel::is_intact(pin, &downloads.join(pin.file)));
    let mut sources: Vec<(&'static Pin, Source)> = Vec::new();
    for pin in kept {
        term.verbose("Reusing", format!("{}, downloaded before", pin.file));
        sources.push((pin, Source::Wheel(downloads.join(pin.file))));
    }
    if missing.is_empty() {
        return Ok(sources);
    }
    if request.offline {
        return Err(offline(&missing, request.product));
    }
    match clients::fetch(platform, &missing, staging, term)? {
        Fetched::Tree(tree) => {
            sources.extend(missing.into_iter().map(|pin| (pin, Source::Tree(tree.clone()))));
        }
        Fetched::Wheels(folder) => {
            for pin in missing {
                let file = folder.join(pin.file);
                wheel::check(pin, &file)?;
                // Kept outside the staging folder, so that a kill while unpacking does not cost the download.
                let kept = downloads.join(pin.file);
                fs::rename(&file, &kept).at("cannot move", &file)?;
                sources.push((pin, Source::Wheel(kept)));
            }
        }
    }
    Ok(sources)
}

/// A wheel from the folder that the user named.
fn given(pin: &'static Pin, folder: &Path, product: Product) -> Result<(&'static Pin, Source)> {
    let file = folder.join(pin.file);
    if !file.is_file() {
        return Err(Failure::new(
            Exit::Toolchain,
            codes::NOT_INSTALLED,
            format!("{} is not in {}", pin.file, folder.display()),
        )
        .help(format!("get it on a machine with network access: {}", download_command(product))));
    }
    wheel::check(pin, &file)?;
    Ok((pin, Source::Wheel(file)))
}

fn offline(missing: &[&Pin], product: Product) -> Failure {
    let wheels = list(missing.iter().map(|pin| format!("{} {}", pin.name, pin.version)));
    let message =
        format!("{} not installed, and downloading ({wheels}) is forbidden by --offline", product.name());
    let argument = product.argument();
    Failure::new(Exit::Toolchain, codes::OFFLINE, message)
        .note("CARGO_NET_OFFLINE=true and --frozen mean --offline")
        .help(format!(
            "run `cargo qnn toolchain install{argument}` once with network access, or `cargo qnn toolchain install{argument} \
             --from FOLDER` with the wheels that this gets elsewhere: {}",
            download_command(product)
        ))
}

/// The command that downloads all wheels, on any machine.
fn download_command(product: Product) -> String {
    let Some(platform) = product.platforms().first() else { return String::new() };
    let wheels = platform.wheels.iter().map(|pin| format!("{}=={}", pin.name, pin.version));
    let names = platform.pip_platforms.iter().map(|name| format!("--platform {name}"));
    format!(
        "pip download --no-deps --only-binary=:all: --python-version {} {} {}",
        platform.python,
        names.collect::<Vec<_>>().join(" "),
        wheels.collect::<Vec<_>>().join(" ")
    )
}

/// Makes the staged content visible under its final name, in one step.
fn move_into_place(staging: &Path, folder: &Path) -> Result<()> {
    let content = staging.join("content");
    sync_folders(&content)?;
    if folder.exists() {
        // A damaged or unwanted installation: out of the way first, for a folder cannot be replaced in one step.
        let old = staging.join("old");
        fs::rename(folder, &old).at("cannot move", folder)?;
    }
    fs::rename(&content, folder).at("cannot move", &content)?;
    if let Some(parent) = folder.parent() {
        sync_folder(parent)?;
    }
    // The installation is complete; leftovers are removed by the next one.
    let _ = fs::remove_dir_all(staging);
    Ok(())
}

fn sync_folders(root: &Path) -> Result<()> {
    let folders = walkdir::WalkDir::new(root).into_iter().filter_map(|entry| entry.ok());
    for folder in folders.filter(|entry| entry.file_type().is_dir()) {
        sync_folder(folder.path())?;
    }
    Ok(())
}

/// Flushes a folder's entries; only Unix can open folders.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).at("cannot write", folder)?;
    }
    Ok(())
}
