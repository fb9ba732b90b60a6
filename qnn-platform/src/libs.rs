//! Where the QNN libraries and ONNX Runtime are looked for, in which order, and where the project keeps its own files.
//!
//! The order: an explicit folder, `QNN_SDK_ROOT`, `QNN_LIB_DIR`, the installed toolchain, the folder of the executable (or
//! of the library this code is linked into), and on Android the app's native libraries. A place that the user named
//! and that has no library is an error: falling through to another version would go unnoticed.

use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, OS};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::env;

/// The QNN release that `cargo qnn toolchain install` installs and that this version is tested with.
pub const QNN_VERSION: &str = "2.51.0";
/// Written last into an installed toolchain; a folder without it is not a toolchain.
pub const TOOLCHAIN_MANIFEST: &str = "toolchain.json";
/// Folder of an installed toolchain that holds the QNN libraries.
pub const QNN_SUBDIR: &str = "onnxruntime_qnn";
/// Folder of an installed toolchain that holds the C++ runtime the QNN libraries find by their run path.
pub const QNN_RUNTIME_SUBDIR: &str = "onnxruntime_qnn.libs";
/// Folder of an installed toolchain that holds the ONNX Runtime library.
pub const ONNXRUNTIME_SUBDIR: &str = "onnxruntime";

/// A folder with the QNN libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QnnLibs {
    /// The folder; empty when the system's loader finds the libraries by name alone (inside an Android app).
    pub dir: PathBuf,
    /// Which rule found it.
    pub source: Source,
}

/// The rule that found a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Named by the caller.
    Explicit,
    /// `QNN_SDK_ROOT`.
    SdkRoot,
    /// `QNN_LIB_DIR`.
    LibDir,
    /// A toolchain that `cargo qnn toolchain install` installed.
    Toolchain,
    /// Beside the executable or beside the library that this code is part of.
    Beside,
    /// The app's native libraries, found by name.
    AppLibraries,
    /// `ORT_DYLIB_PATH`.
    OrtDylibPath,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Explicit => "named explicitly",
            Source::SdkRoot => "QNN_SDK_ROOT",
            Source::LibDir => "QNN_LIB_DIR",
            Source::Toolchain => "installed toolchain",
            Source::Beside => "beside the executable",
            Source::AppLibraries => "the app's native libraries",
            Source::OrtDylibPath => "ORT_DYLIB_PATH",
        })
    }
}

impl QnnLibs {
    /// Path of a library by its stem: `QnnHtp` is `<dir>/libQnnHtp.so` on Linux and Android, `<dir>\QnnHtp.dll` on Windows.
    pub fn library(&self, stem: &str) -> PathBuf {
        self.dir.join(library_file(stem))
    }

    /// The HTP backend.
    pub fn htp(&self) -> PathBuf {
        self.library("QnnHtp")
    }

    /// The metadata and DLC reader.
    pub fn system(&self) -> PathBuf {
        self.library("QnnSystem")
    }

    /// The DLC writer.
    pub fn ir(&self) -> PathBuf {
        self.library("QnnIr")
    }
}

/// A library was in none of the places where it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// File name of the library.
    pub library: String,
    /// Each place and why it did not serve, in the order they were tried.
    pub looked: Vec<String>,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not found", self.library)?;
        for place in &self.looked {
            write!(f, "\n  {place}")?;
        }
        write!(f, "\nhelp: {}", self.remedy)
    }
}

impl std::error::Error for NotFound {}

/// The inputs of the search, so that it can be run without touching the process's environment.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// A folder named on the command line or by the caller: the libraries' own, or the root of an SDK.
    pub explicit: Option<PathBuf>,
    /// `QNN_SDK_ROOT`.
    pub sdk_root: Option<PathBuf>,
    /// `QNN_LIB_DIR`.
    pub lib_dir: Option<PathBuf>,
    /// `ORT_DYLIB_PATH`.
    pub ort_dylib: Option<PathBuf>,
    /// The data folder, see [`data_dir`].
    pub data_dir: Option<PathBuf>,
    /// Folders of the executable and of the library that this code is part of.
    pub beside: Vec<PathBuf>,
    /// Whether the system's loader can find libraries of the app by name alone.
    pub app_libraries: bool,
}

impl Places {
    /// The places as the process's environment names them.
    pub fn from_env(explicit: Option<&Path>) -> Places {
        Places {
            explicit: explicit.map(Path::to_owned),
            sdk_root: env::var(&env::QNN_SDK_ROOT).map(PathBuf::from),
            lib_dir: env::var(&env::QNN_LIB_DIR).map(PathBuf::from),
            ort_dylib: env::var(&env::ORT_DYLIB_PATH).map(PathBuf::from),
            data_dir: data_dir(),
            beside: beside(),
            app_libraries: cfg!(target_os = "android"),
        }
    }

    /// The QNN libraries.
    pub fn qnn(&self) -> Result<QnnLibs, NotFound> {
        let library = library_file("QnnHtp");
        let has = |dir: &Path| dir.join(&library).is_file();
        let found = |dir: &Path, source| Ok(QnnLibs { dir: dir.to_owned(), source });
        let not_found =
            |looked, remedy: &str| NotFound { library: library.clone(), looked, remedy: remedy.to_owned() };
        let mut looked = Vec::new();

        let named = [
            ("the folder that was named", &self.explicit, Source::Explicit),
            ("QNN_SDK_ROOT", &self.sdk_root, Source::SdkRoot),
            ("QNN_LIB_DIR", &self.lib_dir, Source::LibDir),
        ];
        for (what, dir, source) in named {
            let Some(dir) = dir else {
                looked.push(format!("{what}: not set"));
                continue;
            };
            let mut candidates = sdk_lib_dirs(dir);
            match source {
                Source::SdkRoot => {}
                Source::Explicit => candidates.insert(0, dir.clone()),
                _ => candidates = vec![dir.clone()],
            }
            if let Some(dir) = candidates.iter().find(|dir| has(dir)) {
                return found(dir, source);
            }
            looked.extend(candidates.iter().map(|dir| format!("{what}: no {library} in {}", dir.display())));
            return Err(not_found(
                looked,
                "correct the folder, or leave it unset to use the toolchain that `cargo qnn toolchain install` installs",
            ));
        }
        match self.toolchain() {
            Ok(dir) => {
                let dir = dir.join(QNN_SUBDIR);
                if has(&dir) {
                    return found(&dir, Source::Toolchain);
                }
                looked.push(format!("installed toolchain: no {library} in {}", dir.display()));
            }
            Err(why) => looked.push(format!("installed toolchain: {why}")),
        }
        for dir in &self.beside {
            if has(dir) {
                return found(dir, Source::Beside);
            }
            looked.push(format!("beside the executable: no {library} in {}", dir.display()));
        }
        if self.app_libraries {
            return found(Path::new(""), Source::AppLibraries);
        }
        Err(not_found(
            looked,
            "run `cargo qnn toolchain install`, or set QNN_SDK_ROOT to a QAIRT SDK or QNN_LIB_DIR to a folder with the libraries",
        ))
    }

    /// The ONNX Runtime library: `ORT_DYLIB_PATH`, else beside the QNN libraries of a Python environment, else the
    /// installed toolchain's.
    pub fn onnxruntime(&self) -> Result<(PathBuf, Source), NotFound> {
        let library = library_file("onnxruntime");
        let mut looked = Vec::new();
        match &self.ort_dylib {
            Some(file) if file.is_file() => return Ok((file.clone(), Source::OrtDylibPath)),
            Some(file) => {
                let looked = vec![format!("ORT_DYLIB_PATH: {} is not a file", file.display())];
                return Err(NotFound {
                    library,
                    looked,
                    remedy: "correct or unset ORT_DYLIB_PATH".to_owned(),
                });
            }
            None => looked.push("ORT_DYLIB_PATH: not set".to_owned()),
        }
        let mut folders = Vec::new();
        if let Some(parent) = self.lib_dir.as_deref().and_then(Path::parent) {
            folders.push((parent.join("onnxruntime").join("capi"), Source::LibDir));
        }
        match self.toolchain() {
            Ok(dir) => folders.push((dir.join(ONNXRUNTIME_SUBDIR), Source::Toolchain)),
            Err(why) => looked.push(format!("installed toolchain: {why}")),
        }
        for (dir, source) in folders {
            if let Some(file) = versioned(&dir, &library) {
                return Ok((file, source));
            }
            looked.push(format!("{source}: no {library} in {}", dir.display()));
        }
        let remedy = "run `cargo qnn toolchain install`, or set ORT_DYLIB_PATH to the library".to_owned();
        Err(NotFound { library, looked, remedy })
    }

    /// The installed toolchain's folder, or why there is none.
    fn toolchain(&self) -> Result<PathBuf, String> {
        let data =
            self.data_dir.as_deref().ok_or("no data folder: neither CARGO_QNN_HOME nor HOME is set")?;
        let dir = toolchain_dir(data);
        if dir.join(TOOLCHAIN_MANIFEST).is_file() {
            return Ok(dir);
        }
        Err(format!("no {TOOLCHAIN_MANIFEST} in {}", dir.display()))
    }
}

/// Finds the QNN libraries by the resolution order; `explicit` wins over everything.
pub fn resolve(explicit: Option<&Path>) -> Result<QnnLibs, NotFound> {
    Places::from_env(explicit).qnn()
}

/// Finds the ONNX Runtime library.
pub fn onnxruntime() -> Result<PathBuf, NotFound> {
    Places::from_env(None).onnxruntime().map(|(file, _)| file)
}

/// This machine in the names of toolchains, for example `linux-x86_64`.
pub fn host() -> String {
    format!("{OS}-{ARCH}")
}

/// The id of the toolchain that belongs to this version, for example `qnn-2.51.0-linux-x86_64`.
pub fn toolchain_id() -> String {
    format!("qnn-{QNN_VERSION}-{}", host())
}

/// Folder of all installed toolchains.
pub fn toolchains_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("toolchains")
}

/// Folder of the toolchain that belongs to this version, whether or not it is installed.
pub fn toolchain_dir(data_dir: &Path) -> PathBuf {
    toolchains_dir(data_dir).join(toolchain_id())
}

/// Version of the `ziglang` wheel, whose clang compiles op packages for the NPU.
pub const ZIG_VERSION: &str = "0.17.0";

/// Name of the installed compiler for the NPU, for example `zig-0.17.0-linux-x86_64`.
pub fn hexagon_toolchain_id() -> String {
    format!("zig-{ZIG_VERSION}-{}", host())
}

/// Folder of the compiler for the NPU, whether or not it is installed.
pub fn hexagon_toolchain_dir(data_dir: &Path) -> PathBuf {
    toolchains_dir(data_dir).join(hexagon_toolchain_id())
}

/// The data folder: `CARGO_QNN_HOME`, else `$XDG_DATA_HOME/cargo-qnn`, else `~/.local/share/cargo-qnn`. `None` without a home folder.
pub fn data_dir() -> Option<PathBuf> {
    let own = env::var(&env::CARGO_QNN_HOME).map(PathBuf::from);
    own.or_else(|| user_dir(&env::XDG_DATA_HOME, &[".local", "share"]))
}

/// The cache folder: `QNN_CACHE_DIR`, else `$XDG_CACHE_HOME/cargo-qnn`, else `~/.cache/cargo-qnn`. `None` without a home.
pub fn cache_dir() -> Option<PathBuf> {
    let own = env::var(&env::QNN_CACHE_DIR).map(PathBuf::from);
    own.or_else(|| user_dir(&env::XDG_CACHE_HOME, &[".cache"]))
}

/// File name of a shared library on this system: `QnnHtp` is `libQnnHtp.so` or `QnnHtp.dll`.
pub fn library_file(stem: &str) -> String {
    format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}")
}

fn user_dir(xdg: &env::EnvVar, below_home: &[&str]) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let base = env::var(xdg)
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(|| Some(below_home.iter().fold(home()?, |dir, part| dir.join(part))))?;
    Some(base.join("cargo-qnn"))
}

/// The user's own folder: `HOME` (or `USERPROFILE`), else what the system's list of users says, as cargo finds it. Services and CI
/// often run without the variable.
pub fn home() -> Option<PathBuf> {
    let named = env::var(&env::HOME).or_else(|| env::var(&env::USERPROFILE)).map(PathBuf::from);
    named.or_else(std::env::home_dir).filter(|home| home.is_absolute())
}

/// Folders of a QAIRT SDK that may hold libraries for this machine.
fn sdk_lib_dirs(root: &Path) -> Vec<PathBuf> {
    const FOLDERS: &[(&str, &str, &[&str])] = &[
        ("linux", "x86_64", &["x86_64-linux-clang"]),
        (
            "linux",
            "aarch64",
            &["aarch64-oe-linux-gcc11.2", "aarch64-ubuntu-gcc9.4", "aarch64-oe-linux-gcc9.3"],
        ),
        ("android", "aarch64", &["aarch64-android"]),
        ("windows", "x86_64", &["x86_64-windows-msvc"]),
        ("windows", "aarch64", &["aarch64-windows-msvc", "arm64x-windows-msvc"]),
    ];
    let folders =
        FOLDERS.iter().find(|(os, arch, _)| (*os, *arch) == (OS, ARCH)).map_or(&[][..], |row| row.2);
    folders.iter().map(|folder| root.join("lib").join(folder)).collect()
}

/// `library` in `dir`, or the same with a version after it (`libonnxruntime.so.1.31.1`); of several the last by name.
fn versioned(dir: &Path, library: &str) -> Option<PathBuf> {
    let exact = dir.join(library);
    if exact.is_file() {
        return Some(exact);
    }
    let prefix = format!("{library}.");
    let entries = std::fs::read_dir(dir).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
        .max()
}

/// Folders of the executable and of the library that this function ended up in (the app's own `.so` on Android).
fn beside() -> Vec<PathBuf> {
    let executable = std::env::current_exe().ok().and_then(|file| file.parent().map(Path::to_owned));
    let mut dirs: Vec<PathBuf> = executable.into_iter().chain(own_library_dir()).collect();
    dirs.dedup();
    dirs
}

/// Folder of the mapped file that contains this function. A library inside an APK has no folder: `None`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn own_library_dir() -> Option<PathBuf> {
    let here = own_library_dir as *const () as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let range = range.and_then(|(start, end)| {
            Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
        });
        range.is_some_and(|range| range.contains(&here))
    })?;
    let file = Path::new(line.get(line.find('/')?..)?);
    file.is_file().then(|| file.parent().map(Path::to_owned)).flatten()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn own_library_dir() -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder that is removed with its contents at the end of the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Scratch {
            let dir = std::env::temp_dir().join(format!("qnn-platform-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).unwrap();
            Scratch(dir)
        }

        fn file(&self, path: &str) -> PathBuf {
            let file = self.0.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            file
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn toolchain(scratch: &Scratch) -> PathBuf {
        let relative = format!("data/toolchains/{}", toolchain_id());
        scratch.file(&format!("{relative}/{QNN_SUBDIR}/{}", library_file("QnnHtp")));
        scratch.0.join(relative)
    }

    #[test]
    fn the_order_is_explicit_then_sdk_then_lib_dir_then_toolchain_then_beside() {
        let scratch = Scratch::new("order");
        let htp = library_file("QnnHtp");
        let dir_of = |file: PathBuf| file.parent().unwrap().to_owned();
        let explicit = dir_of(scratch.file(&format!("explicit/{htp}")));
        let lib_dir = dir_of(scratch.file(&format!("libs/{htp}")));
        let beside = dir_of(scratch.file(&format!("app/{htp}")));
        let sdk = scratch.0.join("sdk");
        let sdk_libs = dir_of(scratch.file(&sdk_lib_dirs(Path::new("sdk"))[0].join(&htp).to_string_lossy()));
        fs::write(toolchain(&scratch).join(TOOLCHAIN_MANIFEST), "{}").unwrap();

        let mut places = Places {
            explicit: Some(explicit.clone()),
            sdk_root: Some(sdk),
            lib_dir: Some(lib_dir.clone()),
            data_dir: Some(scratch.0.join("data")),
            beside: vec![beside.clone()],
            ..Places::default()
        };
        let found = |places: &Places| places.qnn().map(|libs| (libs.dir, libs.source));
        assert_eq!(found(&places), Ok((explicit, Source::Explicit)));
        places.explicit = None;
        assert_eq!(found(&places), Ok((sdk_libs, Source::SdkRoot)));
        places.sdk_root = None;
        assert_eq!(found(&places), Ok((lib_dir, Source::LibDir)));
        places.lib_dir = None;
        let installed = toolchain_dir(&scratch.0.join("data")).join(QNN_SUBDIR);
        assert_eq!(found(&places), Ok((installed, Source::Toolchain)));
        places.data_dir = None;
        assert_eq!(found(&places), Ok((beside, Source::Beside)));
    }

    #[test]
    fn a_named_place_without_the_library_is_an_error_even_when_another_has_it() {
        let scratch = Scratch::new("named");
        fs::write(toolchain(&scratch).join(TOOLCHAIN_MANIFEST), "{}").unwrap();
        let data_dir = Some(scratch.0.join("data"));
        let places = Places { sdk_root: Some("/no/such/sdk".into()), data_dir, ..Places::default() };
        let error = places.qnn().unwrap_err();
        assert!(error.to_string().contains("QNN_SDK_ROOT: no "), "{error}");
        assert!(error.to_string().contains("/no/such/sdk"), "{error}");
    }

    #[test]
    fn a_toolchain_that_was_not_finished_does_not_count() {
        let scratch = Scratch::new("unfinished");
        toolchain(&scratch);
        let places = Places { data_dir: Some(scratch.0.join("data")), ..Places::default() };
        let error = places.qnn().unwrap_err();
        assert!(error.to_string().contains(TOOLCHAIN_MANIFEST), "{error}");
        assert!(error.remedy.contains("cargo qnn toolchain install"), "{error}");
    }

    #[test]
    fn inside_an_android_app_the_loader_finds_the_libraries_by_name() {
        let libs = Places { app_libraries: true, ..Places::default() }.qnn().unwrap();
        assert_eq!(libs.source, Source::AppLibraries);
        assert_eq!(libs.htp(), Path::new(&library_file("QnnHtp")));
    }

    #[test]
    fn onnxruntime_is_found_with_its_version_and_ort_dylib_path_wins() {
        let scratch = Scratch::new("ort");
        let dir = toolchain(&scratch);
        fs::write(dir.join(TOOLCHAIN_MANIFEST), "{}").unwrap();
        let mut places = Places { data_dir: Some(scratch.0.join("data")), ..Places::default() };
        assert!(places.onnxruntime().is_err());
        let installed = dir.join(ONNXRUNTIME_SUBDIR).join(format!("{}.1.31.1", library_file("onnxruntime")));
        fs::create_dir_all(installed.parent().unwrap()).unwrap();
        fs::write(&installed, "").unwrap();
        assert_eq!(places.onnxruntime(), Ok((installed, Source::Toolchain)));
        let own = scratch.file("my-onnxruntime.so");
        places.ort_dylib = Some(own.clone());
        assert_eq!(places.onnxruntime(), Ok((own, Source::OrtDylibPath)));
        places.ort_dylib = Some("/no/such/file".into());
        assert!(places.onnxruntime().unwrap_err().to_string().contains("ORT_DYLIB_PATH"));
    }

    #[test]
    fn the_folder_of_this_code_is_the_test_executables() {
        let executable = std::env::current_exe().unwrap();
        assert_eq!(own_library_dir().as_deref(), executable.parent());
    }
}
