//! Reads the few settings that are needed from cargo's configuration files.

use std::path::{Path, PathBuf};

use qnn_platform::env;
use toml_edit::{DocumentMut, Item, Value};

/// The value at `path` (key by key) in the configuration file nearest to `folder`, the one in cargo's home last.
pub(crate) fn get(folder: &Path, path: &[&str]) -> Option<Value> {
    let home = env::var(&env::CARGO_HOME).map(PathBuf::from);
    let home = home.or_else(|| env::var(&env::HOME).map(|home| Path::new(&home).join(".cargo")));
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let folders = folder.ancestors().map(|folder| folder.join(".cargo")).chain(home);
    // The name without an extension is the old one, and wins.
    folders.flat_map(|folder| [folder.join("config"), folder.join("config.toml")]).find_map(|file| {
        let document: DocumentMut = std::fs::read_to_string(file).ok()?.parse().ok()?;
        let mut item: &Item = document.as_item();
        for key in path {
            item = item.get(key)?;
        }
        item.as_value().cloned()
    })
}

/// The target that is built when none is named: `CARGO_BUILD_TARGET`, or `build.target` of a configuration file.
pub(crate) fn default_target(folder: &Path) -> Option<String> {
    env::string(&env::CARGO_BUILD_TARGET).or_else(|| match get(folder, &["build", "target"])? {
        Value::String(target) => Some(target.into_value()),
        // Several targets: each gets its folder, the artifacts go to the first.
        Value::Array(targets) => targets.iter().next()?.as_str().map(str::to_owned),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_wins() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        std::fs::create_dir_all(inner.join(".cargo")).unwrap();
        std::fs::create_dir_all(root.path().join(".cargo")).unwrap();
        std::fs::write(root.path().join(".cargo/config.toml"), "[build]\ntarget = \"far\"\njobs = 3\n")
            .unwrap();
        std::fs::write(inner.join(".cargo/config.toml"), "build.target = [\"near\", \"other\"]\n").unwrap();
        assert_eq!(default_target(&inner).as_deref(), Some("near"));
        assert_eq!(get(&inner, &["build", "jobs"]).and_then(|jobs| jobs.as_integer()), Some(3));
        assert!(get(&inner, &["build", "no-such-key"]).is_none());
    }
}
