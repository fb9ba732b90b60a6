//! Every environment variable that the project reads, with its documentation.
//!
//! Code reads variables only through [`var`], [`string`] and [`family`], which take an entry of this registry, so a
//! variable cannot be read without being documented. `docs/ENVIRONMENT.md` is generated from [`ALL`].

use std::env;
use std::ffi::OsString;

/// What a variable is about; the documentation is grouped by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Where the vendor's libraries and the project's own files are.
    Places,
    /// How compiling and building behave.
    Build,
    /// How an app that runs a model behaves.
    Runtime,
    /// The Android toolchain.
    Android,
    /// Set by cargo for its build scripts and subcommands.
    Cargo,
    /// Conventions of the terminal and the operating system.
    System,
}

impl Group {
    /// All groups in the order of the documentation.
    pub const ALL: [Group; 6] =
        [Group::Places, Group::Build, Group::Runtime, Group::Android, Group::Cargo, Group::System];

    /// Heading in the documentation.
    pub fn title(self) -> &'static str {
        match self {
            Group::Places => "Places",
            Group::Build => "Build",
            Group::Runtime => "Run time",
            Group::Android => "Android toolchain",
            Group::Cargo => "Set by cargo",
            Group::System => "Terminal and operating system",
        }
    }
}

/// An environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name. A part in angle brackets stands for any text; such a variable is read by [`family`].
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What it does.
    pub about: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// Who reads it.
    pub readers: &'static [&'static str],
    /// Whether it decides what a build makes, so that a build script must run again when it changes.
    pub rebuild: bool,
}

macro_rules! registry {
    ($($ident:ident = $name:literal, $group:ident, $rebuild:literal, $readers:expr, $default:literal, $about:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $about)]
            pub const $ident: EnvVar = EnvVar {
                name: $name,
                group: Group::$group,
                about: $about,
                default: $default,
                readers: &$readers,
                rebuild: $rebuild,
            };
        )*

        /// Every variable, grouped.
        pub const ALL: &[&EnvVar] = &[$(&$ident),*];
    };
}

// Columns: constant = variable, group, rebuild, readers, default, what it does.
registry! {
    QNN_SDK_ROOT = "QNN_SDK_ROOT", Places, true, ["qnn", "qnn-build", "cargo qnn"], "not set",
        "Root of a full QAIRT (QNN) SDK. Its libraries for this host are used before any other.";
    QNN_LIB_DIR = "QNN_LIB_DIR", Places, true, ["qnn", "qnn-build", "cargo qnn"], "not set",
        "Folder that holds the QNN libraries (`libQnnHtp.so`, `libQnnSystem.so`). `QNN_SDK_ROOT` wins over it.";
    ORT_DYLIB_PATH = "ORT_DYLIB_PATH", Places, true, ["cargo qnn"], "the installed toolchain's",
        "The ONNX Runtime library to use as the reference engine.";
    CARGO_QNN = "CARGO_QNN", Places, false, ["qnn-build"], "`cargo-qnn` on `PATH`",
        "The `cargo-qnn` executable that build scripts ask to compile models; `cargo qnn build` sets it.";
    CARGO_QNN_HOME = "CARGO_QNN_HOME", Places, true, ["qnn", "qnn-build", "cargo qnn"],
        "`$XDG_DATA_HOME/cargo-qnn`, else `~/.local/share/cargo-qnn`",
        "Data folder: installed toolchains live in it.";
    QNN_CACHE_DIR = "QNN_CACHE_DIR", Places, true, ["qnn-build", "cargo qnn"],
        "`$XDG_CACHE_HOME/cargo-qnn`, else `~/.cache/cargo-qnn`",
        "Cache folder: the store of compiled context binaries.";

    QNN_BUILD = "QNN_BUILD", Build, true, ["qnn-build", "cargo qnn"], "`required`; `stub` under `DOCS_RS`",
        "What a build does about models: `required` compiles them or fails, `stub` generates types whose `load` fails, `off` generates nothing.";
    QNN_SOC = "QNN_SOC", Build, true, ["qnn-build", "cargo qnn"], "the manifest's",
        "SoCs to compile every model for, separated by commas, instead of the manifest's; `cargo qnn build --soc` sets it.";
    QNN_CONFIG = "QNN_CONFIG", Build, true, ["qnn-build", "cargo qnn"], "not set",
        "Settings that override the manifest, one `KEY=VALUE` a line; `cargo qnn build --config` sets it.";
    QNN_TIMEOUT = "QNN_TIMEOUT", Build, false, ["qnn-build", "cargo qnn"], "no limit",
        "Seconds one compile job may take before its process is ended.";
    QNN_MEMORY = "QNN_MEMORY", Build, false, ["qnn-build", "cargo qnn"], "what the machine has free",
        "Memory, MiB, that compile jobs running side by side may use together.";
    QNN_KEEP = "QNN_KEEP", Build, false, ["qnn-build", "cargo qnn"], "not set",
        "Folder in which the working files of failed compile jobs are kept.";
    QNN_CHECK_CACHE = "QNN_CHECK_CACHE", Build, false, ["qnn-build", "cargo qnn"], "not set",
        "When set, models that the store has are compiled all the same, and other bytes than the store's are an error: proves the store.";
    QNN_VERIFY_IR = "QNN_VERIFY_IR", Build, false, ["cargo qnn"], "not set; debug builds always do",
        "Any value lets the compiler verify the graph of a model after each of its passes.";
    QNN_PRINT_IR = "QNN_PRINT_IR", Build, false, ["cargo qnn"], "not set",
        "Folder in which the compiler writes the graph of a model after each of its passes, as text.";
    CARGO_NET_OFFLINE = "CARGO_NET_OFFLINE", Build, false, ["qnn-build", "cargo qnn"], "`false`",
        "`true` forbids network access, as `--offline` does: a missing toolchain is an error and is not downloaded.";
    DOCS_RS = "DOCS_RS", Build, true, ["qnn-build"], "not set",
        "Set by docs.rs, where models cannot be compiled: selects `QNN_BUILD=stub` by its presence.";
    CARGO_QNN_INSTALLER = "CARGO_QNN_INSTALLER", Build, false, ["cargo qnn"], "`uv`, else `pip`",
        "The program that downloads the toolchain's wheels: a path to `uv` or to a Python that has `pip`.";

    QNN_EMULATE_SOC = "QNN_EMULATE_SOC", Runtime, false, ["qnn"], "the first SoC of the app's manifest",
        "On a development machine, the SoC whose artifact is loaded into the HTP emulator: part number, alias or id.";
    QNN_ARTIFACT_DIR = "QNN_ARTIFACT_DIR", Runtime, false, ["qnn"], "beside the executable, in `qnn` there, in `../qnn`, and where the build put them",
        "Folder in which context binaries that are files (`embed = \"file\"`) are looked for first.";
    QNN_LOG = "QNN_LOG", Runtime, false, ["qnn", "cargo qnn"], "not set: kept for error messages",
        "Prints the vendor library's log to standard error at this level: `error`, `warn`, `info`, `verbose` or `debug`.";

    ANDROID_NDK_HOME = "ANDROID_NDK_HOME", Android, false, ["qnn-build", "cargo qnn"], "not set",
        "Root of the Android NDK.";
    ANDROID_NDK_ROOT = "ANDROID_NDK_ROOT", Android, false, ["qnn-build", "cargo qnn"], "not set",
        "Root of the Android NDK; `ANDROID_NDK_HOME` wins over it.";
    NDK_HOME = "NDK_HOME", Android, false, ["qnn-build", "cargo qnn"], "not set",
        "Root of the Android NDK; the other two names win over it.";
    ANDROID_HOME = "ANDROID_HOME", Android, false, ["cargo qnn"], "not set",
        "Root of the Android SDK, whose `ndk` folder is searched when no NDK is named.";
    ANDROID_SDK_ROOT = "ANDROID_SDK_ROOT", Android, false, ["cargo qnn"], "not set",
        "Root of the Android SDK; `ANDROID_HOME` wins over it.";
    CARGO_TARGET_LINKER = "CARGO_TARGET_<TRIPLE>_LINKER", Android, false, ["cargo qnn"], "the NDK's clang",
        "Linker of a target. `cargo qnn` sets it for Android targets only where it is not set.";
    CC_TARGET = "CC_<TRIPLE>", Android, false, ["cargo qnn"], "the NDK's clang",
        "C compiler of a target. `cargo qnn` sets it for Android targets only where it is not set.";
    CXX_TARGET = "CXX_<TRIPLE>", Android, false, ["cargo qnn"], "the NDK's clang++",
        "C++ compiler of a target. `cargo qnn` sets it for Android targets only where it is not set.";
    AR_TARGET = "AR_<TRIPLE>", Android, false, ["cargo qnn"], "the NDK's llvm-ar",
        "Archiver of a target. `cargo qnn` sets it for Android targets only where it is not set.";
    HEXAGON_SDK_ROOT = "HEXAGON_SDK_ROOT", Android, true, ["qnn-build", "cargo qnn"], "not set",
        "Root of a Hexagon SDK, whose compiler builds op packages before any other; SDKs in the same folder are looked at, too.";
    HEXAGON_TOOLS_VERSION = "HEXAGON_TOOLS_VERSION", Android, true, ["qnn-build", "cargo qnn"], "by architecture",
        "Version of the Hexagon tools (`8.7.03`) that builds op packages.";
    HEXAGON_TOOLS_VERSION_ARCH = "HEXAGON_TOOLS_VERSION_<ARCH>", Android, false, ["qnn-build", "cargo qnn"], "`HEXAGON_TOOLS_VERSION`",
        "The same for one architecture: `HEXAGON_TOOLS_VERSION_V73`.";
    X86_CXX = "X86_CXX", Android, true, ["qnn-build", "cargo qnn"], "`clang++`",
        "The compiler that builds op packages in C++ for this machine, as in the QNN SDK's Makefiles.";

    CARGO = "CARGO", Cargo, false, ["cargo qnn"], "`cargo` on `PATH`",
        "The cargo that runs; nested cargo commands use the same.";
    OUT_DIR = "OUT_DIR", Cargo, false, ["qnn-build"], "none: an error outside a build script",
        "Where a build script writes; `qnn.rs` is generated into it.";
    CARGO_MANIFEST_DIR = "CARGO_MANIFEST_DIR", Cargo, false, ["qnn-build"], "none: an error outside a build script",
        "Folder of the Cargo.toml of the package being built.";
    CARGO_MANIFEST_PATH = "CARGO_MANIFEST_PATH", Cargo, false, ["qnn-build"], "`Cargo.toml` in `CARGO_MANIFEST_DIR`",
        "The Cargo.toml of the package being built.";
    CARGO_FEATURE = "CARGO_FEATURE_<NAME>", Cargo, false, ["qnn-build"], "the feature is off",
        "Set for each feature of the package that is on: models may need some.";
    HOST = "HOST", Cargo, false, ["qnn-build"], "this machine",
        "The machine that builds: an app for it finds its files where the build put them.";
    TARGET = "TARGET", Cargo, false, ["qnn-build"], "this machine",
        "The target that is built: for x86-64 the models run in the emulator, which cannot load shared weights.";
    CARGO_MAKEFLAGS = "CARGO_MAKEFLAGS", Cargo, false, ["qnn-build"], "no jobserver",
        "cargo's jobserver, under which compile jobs run in parallel.";
    NUM_JOBS = "NUM_JOBS", Cargo, false, ["qnn-build"], "number of processors",
        "How many jobs cargo runs at once.";
    CARGO_BUILD_TARGET = "CARGO_BUILD_TARGET", Cargo, false, ["cargo qnn"], "`build.target` of cargo's configuration",
        "The target that cargo builds when `--target` is not given; artifacts are collected in its folder.";
    CARGO_HOME = "CARGO_HOME", Cargo, false, ["cargo qnn"], "`~/.cargo`",
        "cargo's own folder; `cargo qnn doctor` looks for installed binaries in it.";

    CARGO_TERM_COLOR = "CARGO_TERM_COLOR", System, false, ["cargo qnn"], "`auto`",
        "When output is coloured: `auto`, `always` or `never`.";
    NO_COLOR = "NO_COLOR", System, false, ["cargo qnn"], "not set",
        "Any value but the empty one turns colour off.";
    CARGO_TERM_PROGRESS = "CARGO_TERM_PROGRESS_WHEN", System, false, ["cargo qnn"], "`auto`",
        "When progress bars are drawn: `auto`, `always` or `never`.";
    TERM = "TERM", System, false, ["cargo qnn"], "not set",
        "`dumb` turns colour and progress bars off.";
    CI = "CI", System, false, ["cargo qnn"], "not set",
        "Set by most continuous-integration services: no progress bars.";
    PATH = "PATH", System, false, ["qnn-build", "cargo qnn"], "empty",
        "Where programs (`cargo-qnn`, `uv`, `python3`, `adb`) are looked for.";
    HOME = "HOME", System, false, ["qnn", "qnn-build", "cargo qnn"], "not set",
        "The user's home folder.";
    USERPROFILE = "USERPROFILE", System, false, ["qnn", "qnn-build", "cargo qnn"], "not set",
        "The user's home folder on Windows.";
    XDG_DATA_HOME = "XDG_DATA_HOME", System, false, ["qnn", "qnn-build", "cargo qnn"], "`~/.local/share`",
        "Parent of the data folder.";
    XDG_CACHE_HOME = "XDG_CACHE_HOME", System, false, ["qnn-build", "cargo qnn"], "`~/.cache`",
        "Parent of the cache folder.";
    LD_LIBRARY_PATH = "LD_LIBRARY_PATH", System, false, ["cargo qnn"], "not set",
        "Library search path; reported by `cargo qnn doctor`, because it can put other QNN libraries before the chosen ones.";
    ADSP_LIBRARY_PATH = "ADSP_LIBRARY_PATH", System, false, ["qnn"], "the system's folders",
        "On a device, where the DSP side (the skel library) is looked for; named in errors when the device cannot be opened.";
}

/// The value of a variable; `None` when it is not set or empty.
#[expect(clippy::disallowed_methods, reason = "the one place where variables are read")]
pub fn var(var: &EnvVar) -> Option<OsString> {
    env::var_os(var.name).filter(|value| !value.is_empty())
}

/// The value of a variable as text; `None` when it is not set or empty. Bytes that are no UTF-8 are replaced.
pub fn string(var: &EnvVar) -> Option<String> {
    self::var(var).map(|value| value.to_string_lossy().into_owned())
}

/// A feature of a package as it stands in the name of a [`CARGO_FEATURE`] variable.
pub fn feature_part(feature: &str) -> String {
    feature.to_uppercase().replace('-', "_")
}

/// The value of one member of a family such as [`CARGO_TARGET_LINKER`]: `part` goes where the angle brackets are.
#[expect(clippy::disallowed_methods, reason = "the one place where variables are read")]
pub fn family(family: &EnvVar, part: &str) -> Option<OsString> {
    env::var_os(family_name(family, part)).filter(|value| !value.is_empty())
}

/// The name of one member of a family.
pub fn family_name(family: &EnvVar, part: &str) -> String {
    match family.name.split_once('<').and_then(|(head, rest)| Some((head, rest.split_once('>')?.1))) {
        Some((head, tail)) => format!("{head}{part}{tail}"),
        None => family.name.to_owned(),
    }
}

/// The variables that decide what a build makes: a build script names them in `rerun-if-env-changed`.
pub fn rebuild() -> impl Iterator<Item = &'static EnvVar> {
    ALL.iter().copied().filter(|var| var.rebuild)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_groups_stay_together() {
        let names: HashSet<&str> = ALL.iter().map(|var| var.name).collect();
        assert_eq!(names.len(), ALL.len());
        let order = |group| Group::ALL.iter().position(|known| *known == group);
        assert!(ALL.is_sorted_by_key(|var| order(var.group)));
    }

    #[test]
    fn every_variable_is_documented() {
        for var in ALL {
            assert!(
                var.about.ends_with('.') && !var.default.is_empty() && !var.readers.is_empty(),
                "{}",
                var.name
            );
        }
    }

    #[test]
    fn a_family_member_is_named_by_its_part() {
        assert_eq!(
            family_name(&CARGO_TARGET_LINKER, "AARCH64_LINUX_ANDROID"),
            "CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER"
        );
        assert_eq!(family_name(&CC_TARGET, "aarch64-linux-android"), "CC_aarch64-linux-android");
    }

    #[test]
    fn a_set_variable_is_read_and_an_unset_one_is_none() {
        assert!(var(&PATH).is_some());
        assert_eq!(family(&CC_TARGET, "no-such-target-anywhere"), None);
    }
}
