//! Where compilers are looked for, taken from the environment once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use qnn_platform::{env, libs};

use super::super::target::ARCHS;

/// What the environment says of compilers and SDKs.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Folders of programs.
    pub path: Vec<PathBuf>,
    /// Root of a Hexagon SDK; its siblings are looked at, too.
    pub hexagon_sdk: Option<PathBuf>,
    /// Version of the Hexagon tools for every architecture.
    pub tools_version: Option<String>,
    /// Version of the Hexagon tools for single architectures.
    pub tools_versions: Vec<(u32, String)>,
    /// Root of the QNN SDK, whose headers C++ packages need.
    pub qnn_sdk: Option<PathBuf>,
    /// Root of the Android NDK.
    pub ndk: Option<PathBuf>,
    /// The compiler of C++ packages for this machine.
    pub x86_cxx: Option<PathBuf>,
    /// The program `zig` of the installed wheel.
    pub zig: Option<PathBuf>,
    /// Where zig keeps what it makes for itself.
    pub zig_cache: Option<PathBuf>,
}

impl Places {
    /// From the environment of this process.
    pub fn from_env() -> Self {
        let path = |var| env::var(var).map(PathBuf::from);
        let versions = ARCHS.iter().filter_map(|arch| {
            let version = env::family(&env::HEXAGON_TOOLS_VERSION_ARCH, &format!("V{arch}"))?;
            Some((*arch, version.to_string_lossy().into_owned()))
        });
        let ndks = [&env::ANDROID_NDK_HOME, &env::ANDROID_NDK_ROOT, &env::NDK_HOME];
        let zig = libs::data_dir()
            .map(|data| libs::hexagon_toolchain_dir(&data).join("ziglang").join(program("zig")));
        Self {
            path: path(&env::PATH).map(|path| std::env::split_paths(&path).collect()).unwrap_or_default(),
            hexagon_sdk: path(&env::HEXAGON_SDK_ROOT),
            tools_version: env::string(&env::HEXAGON_TOOLS_VERSION),
            tools_versions: versions.collect(),
            qnn_sdk: path(&env::QNN_SDK_ROOT),
            ndk: ndks.into_iter().find_map(path),
            x86_cxx: path(&env::X86_CXX),
            zig: zig.filter(|zig| zig.is_file()),
            zig_cache: libs::cache_dir().map(|cache| cache.join("zig")),
        }
    }

    /// A program on the path.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let name = program(name);
        self.path.iter().map(|folder| folder.join(&name)).find(|file| file.is_file())
    }

    /// A program that the user may name by a path or by its name.
    pub(super) fn named(&self, name: &Path) -> Option<PathBuf> {
        match name.components().count() {
            1 => self.program(name.to_str()?),
            _ => name.is_file().then(|| name.to_owned()),
        }
    }

    /// The version of the Hexagon tools that the user wants for an architecture, with the variable that says so.
    pub(super) fn wanted_tools(&self, arch: u32) -> Option<(String, String)> {
        let own = self.tools_versions.iter().find(|(known, _)| *known == arch);
        let own = own.map(|(_, version)| {
            (version.clone(), env::family_name(&env::HEXAGON_TOOLS_VERSION_ARCH, &format!("V{arch}")))
        });
        own.or_else(|| Some((self.tools_version.clone()?, env::HEXAGON_TOOLS_VERSION.name.to_owned())))
    }
}

fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// A list of words as arguments.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
