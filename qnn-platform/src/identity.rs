//! The identity of a part of the project: a hash over everything that it is built from. What the part makes is kept under this identity,
//! so no change of it, however small, can be given what an earlier one made. Build scripts of such parts use this.
//!
//! The sources of the part's crate and of those of the project that it uses count, and of all others their versions and checksums in the
//! lock file. In a package from a registry, the project's other crates are not there: their versions count then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::checksum::Checksum;

/// A part of the project.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its crate.
    pub own: &'static str,
    /// Crates of the project that it is made of as well.
    pub uses: &'static [&'static str],
}

/// What compiles models.
pub const ENGINE: Part = Part {
    own: "qnn-compiler",
    uses: &["qnn", "qnn-llm", "qnn-ops", "qnn-platform", "qnn-sys", "qnn-types"],
};

/// What reads facts of files: digests, inputs and outputs, sizes of language models.
pub const PIPELINE: Part =
    Part { own: "qnn-pipeline", uses: &["qnn-llm", "qnn-manifest", "qnn-ops", "qnn-platform", "qnn-types"] };

impl Part {
    /// The identity of the part whose crate is in the folder `own`: 32 hexadecimal digits.
    pub fn identity(&self, own: &Path, version: &str) -> String {
        let mut hash = Hash([Checksum::with_seed(1), Checksum::with_seed(2)]);
        hash.text(version);
        for (name, folder) in self.crates(own) {
            hash.text(name);
            for (path, file) in sources(&folder) {
                hash.text(&path);
                hash.bytes(&fs::read(file).unwrap_or_default());
            }
        }
        let lock = lock_file(own).and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        lock_rows(&lock, self.own).iter().for_each(|row| hash.text(row));
        hash.finish()
    }

    /// What the identity depends on, as cargo watches it.
    pub fn watched(&self, own: &Path) -> Vec<PathBuf> {
        let folders = self.crates(own).into_iter().flat_map(|(_, folder)| {
            ["src", "build-script", "Cargo.toml"].map(|part| folder.join(part)).into_iter()
        });
        folders.chain(lock_file(own)).filter(|path| path.exists()).collect()
    }

    /// The crates whose sources are there, by name.
    fn crates(&self, own: &Path) -> Vec<(&'static str, PathBuf)> {
        let beside = own.parent().unwrap_or(own);
        let others = self.uses.iter().map(|name| (*name, beside.join(name)));
        std::iter::once((self.own, own.to_owned()))
            .chain(others)
            .filter(|(_, folder)| folder.is_dir())
            .collect()
    }
}

/// What a build script of the part does: cargo watches its sources, and the crate gets the identity as the variable `name`.
pub fn build_script(part: &Part, own: &Path, version: &str, name: &str) {
    for path in part.watched(own) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rustc-env={name}={}", part.identity(own, version));
}

struct Hash([Checksum; 2]);

impl Hash {
    /// With its length, so that what follows cannot be taken for a part of it.
    fn bytes(&mut self, bytes: &[u8]) {
        for sum in &mut self.0 {
            sum.update(&(bytes.len() as u64).to_le_bytes());
            sum.update(bytes);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn finish(&self) -> String {
        self.0.iter().map(|sum| sum.finish().to_string()).collect()
    }
}

/// Every source file of a crate, by its path in it.
fn sources(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("src"), folder.join("build-script")];
    found.insert("Cargo.toml".to_owned(), folder.join("Cargo.toml"));
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                found.insert(relative.to_string_lossy().replace('\\', "/"), path);
            }
        }
    }
    found
}

fn lock_file(own: &Path) -> Option<PathBuf> {
    own.ancestors().take(2).map(|folder| folder.join("Cargo.lock")).find(|path| path.is_file())
}

/// Of each package that `own` needs, name, version, source and checksum.
fn lock_rows<'l>(lock: &'l str, own: &'l str) -> BTreeSet<String> {
    let mut packages: BTreeMap<&'l str, (String, Vec<&str>)> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let Some(name) = value(package, "name") else { continue };
        let said = ["version", "source", "checksum"].map(|key| value(package, key).unwrap_or_default());
        let (_, needs) = package.split_once("dependencies = [").unwrap_or_default();
        let needs = needs.split_once(']').map_or("", |(needs, _)| needs).lines();
        // `name`, or `name version` where there are several of a name.
        let needs = needs.filter_map(|line| line.trim().trim_matches(['"', ',']).split(' ').next());
        let (row, all) = packages.entry(name).or_default();
        row.push_str(&format!("{name} {}\n", said.join(" ")));
        all.extend(needs.filter(|name| !name.is_empty()));
    }
    let (mut rows, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![own]);
    while let Some(name) = next.pop() {
        if let Some((row, needs)) = packages.get(name)
            && seen.insert(name)
        {
            rows.insert(row.clone());
            next.extend(needs);
        }
    }
    rows
}

fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let line = package.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='))?;
    Some(line.trim().trim_matches('"'))
}
