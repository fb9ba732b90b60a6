//! The Android NDK: finding it, and the variables that make cargo and `cc` use its compiler.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use qnn_platform::env::{self, EnvVar};
use qnn_platform::libs;

use crate::cargo_config;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};

/// The lowest Android API level that Rust's standard library supports.
pub(crate) const DEFAULT_API: u32 = 21;

/// Rust's triples for Android, and what the NDK calls the compiler of each.
const TRIPLES: &[(&str, &str)] = &[
    ("aarch64-linux-android", "aarch64-linux-android"),
    ("armv7-linux-androideabi", "armv7a-linux-androideabi"),
    ("i686-linux-android", "i686-linux-android"),
    ("thumbv7neon-linux-androideabi", "armv7a-linux-androideabi"),
    ("x86_64-linux-android", "x86_64-linux-android"),
];

/// Where an NDK may be named, in order.
const NAMED: &[&EnvVar] = &[&env::ANDROID_NDK_HOME, &env::ANDROID_NDK_ROOT, &env::NDK_HOME];
/// Where an SDK may be named, whose `ndk` folder holds NDKs by version.
const SDKS: &[&EnvVar] = &[&env::ANDROID_HOME, &env::ANDROID_SDK_ROOT];

/// An installed NDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ndk {
    pub(crate) root: PathBuf,
    /// The variable that led to it.
    pub(crate) source: &'static str,
    /// Folder of its compilers.
    bin: PathBuf,
}

/// Whether `triple` is an Android target.
pub(crate) fn is_android(triple: &str) -> bool {
    compiler_prefix(triple).is_some()
}

fn compiler_prefix(triple: &str) -> Option<&'static str> {
    TRIPLES.iter().find(|(name, _)| *name == triple).map(|(_, prefix)| *prefix)
}

/// Where Android Studio puts its SDK, on Linux, macOS and Windows.
fn usual_sdks() -> Vec<PathBuf> {
    let Some(home) = libs::home() else { return Vec::new() };
    [&["Android", "Sdk"][..], &["Library", "Android", "sdk"], &["AppData", "Local", "Android", "Sdk"]]
        .iter()
        .map(|parts| parts.iter().fold(home.clone(), |folder, part| folder.join(part)))
        .collect()
}

/// The newest NDK of an SDK.
fn newest(sdk: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(sdk.join("ndk")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).max_by_key(|path| version(path))
}

impl Ndk {
    /// The NDK that the environment names, else the newest of the Android SDK that it names, else of Android Studio's own. `None`:
    /// there is none. A place that is named and holds none is an error.
    pub(crate) fn find() -> Result<Option<Self>> {
        for var in NAMED {
            if let Some(root) = env::var(var).map(PathBuf::from) {
                return Self::at(root, var.name).map(Some);
            }
        }
        for var in SDKS {
            let Some(sdk) = env::var(var).map(PathBuf::from) else { continue };
            if let Some(root) = newest(&sdk) {
                return Self::at(root, var.name).map(Some);
            }
        }
        let usual = usual_sdks().into_iter().find_map(|sdk| newest(&sdk));
        usual.map(|root| Self::at(root, "Android Studio's folder")).transpose()
    }

    /// As [`Ndk::find`], when there must be one.
    pub(crate) fn require(triple: &str) -> Result<Self> {
        Self::find()?.ok_or_else(|| {
            let message = format!("linking for {triple} needs the Android NDK, and none was found");
            let upper = triple.replace('-', "_").to_uppercase();
            let linker = env::family_name(&env::CARGO_TARGET_LINKER, &upper);
            let failure = Failure::new(Exit::Toolchain, codes::NO_NDK, message)
                .note(format!("none of {} is set", list(NAMED.iter().chain(SDKS).map(|var| var.name))));
            let usual = list(usual_sdks().iter().map(|sdk| sdk.join("ndk").display().to_string()));
            let failure = if usual.is_empty() { failure } else { failure.note(format!("there is none in {usual}")) };
            failure.help(format!(
                "install one with Android Studio's SDK manager, set ANDROID_NDK_HOME to one, or the linker by {linker}"
            ))
        })
    }

    fn at(root: PathBuf, source: &'static str) -> Result<Self> {
        let prebuilt = root.join("toolchains").join("llvm").join("prebuilt");
        let bin = std::fs::read_dir(&prebuilt)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .find(|bin| bin.is_dir());
        match bin {
            Some(bin) => Ok(Self { root, source, bin }),
            None => {
                let message = format!("{} ({source}) is not an Android NDK", root.display());
                Err(Failure::new(Exit::Toolchain, codes::NO_NDK, message)
                    .note(format!("there is no compiler in {}", prebuilt.display()))
                    .help(format!("correct {source}, or unset it")))
            }
        }
    }

    /// The variables for building `triple` at an Android API level of at least `api`, without those that the environment
    /// or a cargo configuration file (looked for from `folder` upwards) sets already.
    pub(crate) fn variables(&self, triple: &str, api: u32, folder: &Path) -> Result<Vec<(String, OsString)>> {
        let prefix = compiler_prefix(triple)
            .ok_or_else(|| Failure::usage(format!("{triple} is not an Android target")))?;
        let clang = self.clang(prefix, api)?;
        let clangxx = PathBuf::from(format!("{}++", clang.display()));
        let ar = self.bin.join("llvm-ar");
        let underscored = triple.replace('-', "_");
        let upper = underscored.to_uppercase();

        let mut variables = Vec::new();
        let linker = env::family(&env::CARGO_TARGET_LINKER, &upper);
        if linker.is_none() && cargo_config::get(folder, &["target", triple, "linker"]).is_none() {
            variables.push((env::family_name(&env::CARGO_TARGET_LINKER, &upper), clang.clone().into()));
        }
        for (family, program) in
            [(&env::CC_TARGET, clang), (&env::CXX_TARGET, clangxx), (&env::AR_TARGET, ar)]
        {
            // The `cc` crate reads both spellings.
            if env::family(family, triple).is_none() && env::family(family, &underscored).is_none() {
                variables.push((env::family_name(family, &underscored), program.into()));
            }
        }
        for var in [&env::ANDROID_NDK_HOME, &env::ANDROID_NDK_ROOT] {
            if env::var(var).is_none() {
                variables.push((var.name.to_owned(), self.root.clone().into()));
            }
        }
        Ok(variables)
    }

    /// The compiler for the lowest API level the NDK has that is not below `api`.
    fn clang(&self, prefix: &str, api: u32) -> Result<PathBuf> {
        let entries = std::fs::read_dir(&self.bin).into_iter().flatten().flatten();
        let level = |name: String| {
            name.strip_prefix(prefix)?
                .strip_suffix("-clang")?
                .parse::<u32>()
                .ok()
                .filter(|level| *level >= api)
        };
        let lowest =
            entries.filter_map(|entry| level(entry.file_name().to_string_lossy().into_owned())).min();
        match lowest {
            Some(level) => Ok(self.bin.join(format!("{prefix}{level}-clang"))),
            None => {
                let message = format!("the NDK has no compiler for {prefix} with API level {api} or above");
                Err(Failure::new(Exit::Toolchain, codes::NO_NDK, message)
                    .note(format!("looked in {}", self.bin.display()))
                    .help("take a newer NDK, or a lower --android-api"))
            }
        }
    }
}

/// `27.1.12297006` as numbers, for finding the newest.
fn version(folder: &Path) -> Vec<u64> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder laid out as an NDK, with empty files for compilers.
    fn fake_ndk(levels: &[u32]) -> (tempfile::TempDir, Ndk) {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("toolchains/llvm/prebuilt/linux-x86_64/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for level in levels {
            std::fs::write(bin.join(format!("aarch64-linux-android{level}-clang")), "").unwrap();
        }
        let ndk = Ndk::at(root.path().to_owned(), "test").unwrap();
        (root, ndk)
    }

    #[test]
    fn the_lowest_level_that_is_high_enough_is_taken() {
        let (_root, ndk) = fake_ndk(&[35, 24, 30]);
        let clang = ndk.clang("aarch64-linux-android", 21).unwrap();
        assert!(clang.ends_with("aarch64-linux-android24-clang"));
        assert!(ndk.clang("aarch64-linux-android", 36).is_err());
        assert!(ndk.clang("x86_64-linux-android", 21).is_err());
    }

    #[test]
    fn a_linker_in_a_cargo_configuration_file_is_respected() {
        let (_root, ndk) = fake_ndk(&[21]);
        let project = tempfile::tempdir().unwrap();
        let names = |folder: &Path| {
            let variables = ndk.variables("aarch64-linux-android", 21, folder).unwrap();
            variables.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let linker = "CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER".to_owned();
        assert!(names(project.path()).contains(&linker));
        std::fs::create_dir(project.path().join(".cargo")).unwrap();
        let config = "[target.aarch64-linux-android]\nlinker = \"mine\"\n";
        std::fs::write(project.path().join(".cargo/config.toml"), config).unwrap();
        let below = project.path().join("src");
        assert!(!names(&below).contains(&linker));
        assert!(names(&below).contains(&"CC_aarch64_linux_android".to_owned()));
    }

    #[test]
    fn a_folder_without_compilers_is_no_ndk() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Ndk::at(folder.path().to_owned(), "ANDROID_NDK_HOME").unwrap_err();
        assert_eq!(failure.exit, Exit::Toolchain);
        assert!(failure.message().contains("ANDROID_NDK_HOME"));
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version(Path::new("/ndk/9.2.1")) < version(Path::new("/ndk/27.1.12297006")));
    }
}
