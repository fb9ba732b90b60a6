//! No change of the engine is taken for the engine before it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use qnn_platform::identity::ENGINE;

const OWN: &str = env!("CARGO_MANIFEST_DIR");

/// A copy of what the engine is made of.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        let checkout = Path::new(OWN).parent().unwrap();
        for path in ENGINE.watched(Path::new(OWN)) {
            copy_all(&path, &copy.0.path().join(path.strip_prefix(checkout).unwrap()));
        }
        copy
    }

    fn identity(&self) -> String {
        ENGINE.identity(&self.0.path().join("qnn-compiler"), env!("CARGO_PKG_VERSION"))
    }

    /// The identity while a file has other text.
    fn with(&self, file: &str, change: impl FnOnce(&str) -> String) -> String {
        let path = self.0.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "{file}");
        fs::write(&path, after).unwrap();
        let identity = self.identity();
        fs::write(&path, before).unwrap();
        identity
    }
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry: PathBuf = entry.unwrap().path();
        copy_all(&entry, &to.join(entry.file_name().unwrap()));
    }
}

#[test]
fn the_engine_says_the_identity_of_its_sources_wherever_they_are() {
    assert_eq!(Copy::new().identity(), qnn_compiler::ENGINE);
    assert_eq!(qnn_compiler::ENGINE.len(), 32);
}

#[test]
fn a_change_in_any_crate_of_the_engine_is_another_engine() {
    let copy = Copy::new();
    let base = copy.identity();
    let mut seen = vec![base.clone()];
    let line = |text: &str| format!("{text}\n// another line\n");
    for file in [
        "qnn-compiler/src/lower/mod.rs",
        "qnn-compiler/src/engine.rs",
        "qnn-platform/src/identity.rs",
        "qnn/src/compose/graph.rs",
        "qnn-types/src/normalization.rs",
        "qnn-llm/src/lib.rs",
        "qnn-ops/src/lib.rs",
        "qnn-platform/src/soc.rs",
        "qnn-sys/src/lib.rs",
        "qnn-llm/Cargo.toml",
    ] {
        seen.push(copy.with(file, line));
    }
    // A dependency in another version.
    seen.push(copy.with("Cargo.lock", |lock| {
        let at =
            lock.find("name = \"prost\"\nversion = \"").unwrap() + "name = \"prost\"\nversion = \"".len();
        format!("{}9{}", &lock[..at], &lock[at..])
    }));
    // A file of another name.
    let path = copy.0.path().join("qnn-compiler/src/engine.rs");
    fs::rename(&path, path.with_file_name("motor.rs")).unwrap();
    seen.push(copy.identity());
    fs::rename(path.with_file_name("motor.rs"), &path).unwrap();
    for (i, one) in seen.iter().enumerate() {
        assert!(!seen[..i].contains(one), "change {i} does not count");
    }
    assert_eq!(copy.identity(), base);
    // What the engine does not use.
    let other = copy.with("Cargo.lock", |lock| lock.replace("name = \"clap\"", "name = \"clapped\""));
    assert_eq!(other, base);
}
