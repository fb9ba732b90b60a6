//! Hexagon SDKs: which versions are there, and which of their tools compile for an architecture.

use std::fs;
use std::path::{Path, PathBuf};

use super::Places;

/// Where an installed Hexagon SDK and its tools are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdk {
    /// Root of the SDK.
    pub root: PathBuf,
    /// The `Tools` folder of the compiler's version.
    pub tools: PathBuf,
    /// That version, for example `8.6.02`.
    pub version: String,
}

/// The SDK and tools that the QNN SDK's Makefiles use for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// Architecture; 0 stands for the emulation library of this machine.
    pub arch: u32,
    /// Version of the SDK.
    pub sdk: &'static str,
    /// Version of the tools; older ones do not know the architecture.
    pub tools: &'static str,
}

/// Architecture to versions: as the Makefiles of QNN 2.4x have them.
pub const SDKS: &[Preferred] = &[
    Preferred { arch: 0, sdk: "6.0.0", tools: "8.8.02" },
    Preferred { arch: 68, sdk: "4.2.0", tools: "8.4.09" },
    Preferred { arch: 69, sdk: "4.3.0", tools: "8.5.03" },
    Preferred { arch: 73, sdk: "5.4.0", tools: "8.6.02" },
    Preferred { arch: 75, sdk: "5.4.0", tools: "8.7.03" },
    Preferred { arch: 79, sdk: "6.0.0", tools: "8.8.02" },
    Preferred { arch: 81, sdk: "6.2.0", tools: "19.0.01" },
];

/// The SDK whose tools compile for `arch` (0: whose emulation library is used). What was looked for is added to `looked`.
///
/// In order: the version that a variable names; the pair of the table; the oldest tools that are new enough. Of several SDKs with the
/// same tools the one that `HEXAGON_SDK_ROOT` names wins.
pub(super) fn find(arch: u32, places: &Places, looked: &mut Vec<String>) -> Option<Sdk> {
    let Some(root) = &places.hexagon_sdk else {
        looked.push("the Hexagon SDK: HEXAGON_SDK_ROOT is not set".to_owned());
        return None;
    };
    let mut all: Vec<Sdk> = roots(root).iter().flat_map(|root| tools_of(root)).collect();
    let preferred = SDKS.iter().find(|row| row.arch == arch)?;
    if let Some((version, variable)) = places.wanted_tools(arch) {
        let found = all.into_iter().find(|sdk| sdk.version == version);
        if found.is_none() {
            looked.push(format!(
                "Hexagon tools {version}, which {variable} names, in {}/tools/HEXAGON_Tools and in SDKs beside it",
                root.display()
            ));
        }
        return found;
    }
    let is_pair = |sdk: &Sdk| {
        sdk.version == preferred.tools
            && version_of(&sdk.root).is_some_and(|v| v.starts_with(&numbers(preferred.sdk)))
    };
    if let Some(at) = all.iter().position(is_pair) {
        return Some(all.swap_remove(at));
    }
    let least = numbers(preferred.tools);
    all.retain(|sdk| numbers(&sdk.version) >= least);
    // Sorting keeps the order of roots among equals.
    all.sort_by_key(|sdk| numbers(&sdk.version));
    let found = all.into_iter().next();
    if found.is_none() {
        looked.push(format!(
            "Hexagon tools {} or newer in {}/tools/HEXAGON_Tools and in SDKs beside it",
            preferred.tools,
            root.display()
        ));
    }
    found
}

/// The SDK that is named, then those in the same folder.
fn roots(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_owned()];
    let beside = root.parent().and_then(|parent| fs::read_dir(parent).ok()).into_iter().flatten().flatten();
    let mut beside: Vec<PathBuf> =
        beside.map(|entry| entry.path()).filter(|path| path != root && path.join("tools").is_dir()).collect();
    beside.sort();
    all.extend(beside);
    all
}

/// Every version of the tools in an SDK.
fn tools_of(root: &Path) -> Vec<Sdk> {
    let folder = root.join("tools").join("HEXAGON_Tools");
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut found: Vec<Sdk> = entries
        .filter_map(|entry| {
            let tools = entry.path().join("Tools");
            let version = entry.file_name().into_string().ok()?;
            tools.is_dir().then(|| Sdk { root: root.to_owned(), tools, version })
        })
        .collect();
    found.sort_by_key(|sdk| numbers(&sdk.version));
    found
}

/// The version in the name of an SDK's folder: `hexagon-sdk-5.4.0`, `6.0.0.2`.
fn version_of(root: &Path) -> Option<Vec<u32>> {
    let name = root.file_name()?.to_str()?;
    let start = name.find(|c: char| c.is_ascii_digit())?;
    Some(numbers(&name[start..]))
}

/// `8.4.09` as numbers.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(folder: &Path, sdk: &str, versions: &[&str]) -> PathBuf {
        let root = folder.join(sdk);
        for version in versions {
            fs::create_dir_all(root.join("tools/HEXAGON_Tools").join(version).join("Tools/bin")).unwrap();
        }
        root
    }

    fn found(arch: u32, places: &Places) -> Option<(String, String)> {
        let sdk = find(arch, places, &mut Vec::new())?;
        Some((sdk.root.file_name().unwrap().to_string_lossy().into_owned(), sdk.version))
    }

    #[test]
    fn each_architecture_gets_the_pair_of_the_table_then_the_oldest_new_enough() {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "hexagon-sdk-4.2.0", &["8.4.09"]);
        install(folder.path(), "hexagon-sdk-5.4.0", &["8.6.02", "8.7.03"]);
        let root = install(folder.path(), "hexagon-sdk-6.2.0", &["8.8.02", "19.0.01"]);
        let mut places = Places { hexagon_sdk: Some(root), ..Places::default() };
        let pair = |sdk: &str, tools: &str| Some((format!("hexagon-sdk-{sdk}"), tools.to_owned()));
        assert_eq!(found(68, &places), pair("4.2.0", "8.4.09"));
        assert_eq!(found(75, &places), pair("5.4.0", "8.7.03"));
        assert_eq!(found(81, &places), pair("6.2.0", "19.0.01"));
        // No pair: 8.5.03 is not there, 8.6.02 knows v69 as well.
        assert_eq!(found(69, &places), pair("5.4.0", "8.6.02"));
        assert_eq!(found(79, &places), pair("6.2.0", "8.8.02"));
        places.tools_version = Some("19.0.01".to_owned());
        places.tools_versions = vec![(73, "8.6.02".to_owned())];
        assert_eq!(found(68, &places), pair("6.2.0", "19.0.01"));
        assert_eq!(found(73, &places), pair("5.4.0", "8.6.02"));
        places.tools_version = Some("7.0".to_owned());
        let mut looked = Vec::new();
        assert_eq!(super::find(68, &places, &mut looked), None);
        assert!(looked[0].contains("Hexagon tools 7.0, which HEXAGON_TOOLS_VERSION names"), "{looked:?}");
    }
}
