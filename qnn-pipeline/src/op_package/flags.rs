//! The flags of each kind of package, target and compiler. For packages in C++ they are those of the QNN SDK's Makefiles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::package::Package;
use super::target::Target;
use super::toolchain::{Compiler, Family, Sdk};
use qnn_manifest::Kind;

/// What a compiler is told for one package and target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Before every source.
    pub(super) compile: Vec<OsString>,
    /// Before the objects.
    pub(super) link: Vec<OsString>,
    /// After the objects.
    pub(super) libraries: Vec<OsString>,
}

/// What flags depend on beside package, target and compiler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// Folder of generated headers.
    pub(super) generated: &'a Path,
    /// Root of the QNN SDK.
    pub(super) qnn_sdk: Option<&'a Path>,
    /// Folder of the QNN libraries.
    pub(super) qnn_lib_dir: Option<&'a Path>,
}

/// Packages in C, every target.
const QHPI: &[&str] =
    &["-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter"];
/// Packages in C++, every target of the HTP.
const CPP: &[&str] = &[
    "-std=c++17",
    "-fPIC",
    "-Wall",
    "-Wreorder",
    "-Wno-missing-braces",
    "-Wno-unused-function",
    "-Werror",
    "-Wno-format",
    "-Wno-unused-command-line-argument",
    "-fvisibility=default",
    "-stdlib=libc++",
];
/// The macros by which the SDK's headers export.
const CPP_EXPORT: &[&str] = &[
    "-DQNN_API=__attribute__((visibility(\"default\")))",
    "-D__QAIC_HEADER_EXPORT=__attribute__((visibility(\"default\")))",
];
/// Packages in C++ that the emulation library stands in for HVX in.
const CPP_EMULATED: &[&str] =
    &["-D__HVXDBL__", "-ffast-math", "-DUSE_OS_LINUX", "-fomit-frame-pointer", "-Wno-invalid-offsetof"];
const CPP_ANDROID: &[&str] = &[
    "-DANDROID",
    "-Wno-unused-variable",
    "-Wno-unused-parameter",
    "-Wno-unused-private-field",
    "-Wno-sign-compare",
    "-Wno-ignored-qualifiers",
    "-Wno-missing-field-initializers",
];
const CPP_HEXAGON: &[&str] =
    &["-mhvx", "-mhvx-length=128B", "-mhmx", "-DUSE_OS_QURT", "-O2", "-Wno-reorder", "-DPREPARE_DISABLED"];
const CPP_LINK: &[&str] = &["-fPIC", "-std=c++17", "-g", "-shared"];
/// Packages for the CPU backend.
const CPU: &[&str] = &[
    "-std=c++11",
    "-fno-exceptions",
    "-fPIC",
    "-O3",
    "-Wno-write-strings",
    "-fvisibility=hidden",
    "-DQNN_API=",
];

/// The flags.
pub(super) fn flags(package: &Package, target: Target, compiler: &Compiler, around: Around<'_>) -> Flags {
    match package.kind {
        Kind::Qhpi => qhpi(package, target, compiler, around),
        Kind::Cpp => {
            let mut flags = if target.is_cpu_backend() {
                cpu(package, target, around)
            } else {
                cpp(package, target, compiler, around)
            };
            flags.compile.extend(package.include.iter().map(|folder| include(folder)));
            flags
        }
    }
}

fn add(list: &mut Vec<OsString>, words: &[&str]) {
    list.extend(words.iter().map(OsString::from));
}

fn include(folder: &Path) -> OsString {
    joined("-I", folder)
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut text = OsString::from(flag);
    text.push(path);
    text
}

fn soname(package: &Package, target: Target) -> OsString {
    format!("-Wl,-soname,{}", target.library(&package.definition.name)).into()
}

fn qhpi(package: &Package, target: Target, compiler: &Compiler, around: Around<'_>) -> Flags {
    let mut flags = Flags::default();
    if let Target::Hexagon(arch) = target {
        match &compiler.family {
            Family::HexagonSdk(sdk) => {
                add(
                    &mut flags.compile,
                    &[&format!("-mv{arch}"), "-mhvx", "-mhvx-length=128B", "-mhmx", "-DUSE_OS_QURT"],
                );
                flags.compile.extend(sdk_includes(sdk, arch));
                add(&mut flags.link, &[&format!("-mv{arch}"), "-shared", "-fPIC", "-nostdlib"]);
            }
            Family::Zig => {
                let cpu = format!("-mcpu=hexagonv{arch}+hvxv{arch}+hvx_length128b+hvx_qfloat");
                // Without a C library the linker makes a library that needs none.
                add(&mut flags.compile, &["-target", "hexagon-linux-musl", &cpu, "-fno-sanitize=all"]);
                add(&mut flags.link, &["-target", "hexagon-linux-none", &cpu, "-shared", "-nostdlib"]);
            }
            family => {
                let cpu = format!("-mcpu=hexagonv{arch}");
                // There is no C library beside the compiler: only its own headers are used.
                add(
                    &mut flags.compile,
                    &["--target=hexagon-unknown-elf", &cpu, "-mhvx", "-mhvx-length=128B", "-ffreestanding"],
                );
                add(&mut flags.link, &["--target=hexagon-unknown-elf", &cpu, "-shared", "-nostdlib"]);
                if let Family::Clang { linker } = family {
                    flags.link.push(joined("--ld-path=", linker));
                }
            }
        }
    } else {
        add(&mut flags.link, &["-shared", "-fPIC"]);
        if let (Target::HtpX86, Some(folder)) = (target, around.qnn_lib_dir) {
            // What is left undefined is a linker's error now and not the end of the process that loads the package.
            add(&mut flags.link, &["-Wl,--no-undefined", "-Wl,--allow-shlib-undefined"]);
            flags.libraries.push(joined("-L", folder));
            add(&mut flags.libraries, &["-lQnnHtp", "-lm"]);
        }
    }
    flags.link.push(soname(package, target));
    add(&mut flags.compile, QHPI);
    // Where the package lies must not be seen in its bytes, which the store's keys depend on.
    flags.compile.push(format!("-ffile-prefix-map={}=.", package.folder.display()).into());
    // Its own headers come first, so that a package can bring newer ones; then the generated one and those that come with it.
    flags.compile.extend(package.include.iter().map(|folder| include(folder)));
    flags.compile.push(include(around.generated));
    flags
}

fn cpp(package: &Package, target: Target, compiler: &Compiler, around: Around<'_>) -> Flags {
    let mut flags = Flags::default();
    add(&mut flags.compile, CPP);
    add(&mut flags.compile, CPP_EXPORT);
    flags.compile.push(format!("-DTHIS_PKG_NAME={}", package.definition.name).into());
    flags.compile.extend(qnn_headers(around));
    add(&mut flags.link, CPP_LINK);
    match (&compiler.family, target) {
        (Family::HexagonSdk(sdk), Target::Hexagon(arch)) => {
            add(&mut flags.compile, CPP_HEXAGON);
            add(&mut flags.compile, &[&format!("-mv{arch}")]);
            flags.compile.extend(sdk_includes(sdk, arch));
            add(&mut flags.link, &[&format!("-mv{arch}")]);
        }
        (Family::HostCpp { tools: Some(tools) }, _) => {
            add(&mut flags.compile, CPP_EMULATED);
            flags.compile.push(include(&tools.join("libnative/include")));
            add(&mut flags.libraries, &["-Wl,--whole-archive"]);
            flags.libraries.push(joined("-L", &tools.join("libnative/lib")));
            add(&mut flags.libraries, &["-lnative", "-Wl,--no-whole-archive", "-lpthread"]);
        }
        (Family::Ndk { tools: Some(tools) }, _) => {
            add(&mut flags.compile, CPP_EMULATED);
            add(&mut flags.compile, CPP_ANDROID);
            flags.compile.push(include(&tools.join("libnative/include")));
            add(&mut flags.link, &["-stdlib=libc++", "-static-libstdc++"]);
            if let Some(sdk) = around.qnn_sdk {
                flags.libraries.push(joined("-L", &sdk.join("lib/aarch64-android")));
            }
            add(&mut flags.libraries, &["-lQnnHtp", "-lQnnHtpPrepare"]);
        }
        _ => {}
    }
    flags
}

fn cpu(package: &Package, target: Target, around: Around<'_>) -> Flags {
    let mut flags = Flags::default();
    add(&mut flags.compile, CPU);
    if target == Target::CpuX86 {
        add(&mut flags.compile, &["-march=x86-64"]);
    }
    flags.compile.extend(qnn_headers(around));
    if let Some(sdk) = around.qnn_sdk {
        flags.compile.push(include(&sdk.join("include/QNN/CPU")));
        flags.compile.push(include(&sdk.join("share/QNN/OpPackageGenerator/CustomOp")));
    }
    for folder in ["src/utils", "src/utils/CPU"] {
        flags.compile.push(include(&package.folder.join(folder)));
    }
    add(&mut flags.link, &["-shared", "-fPIC"]);
    if target == Target::CpuAarch64Android {
        add(&mut flags.libraries, &["-lc", "-lm", "-ldl"]);
    }
    flags
}

fn qnn_headers(around: Around<'_>) -> Option<OsString> {
    around.qnn_sdk.map(|sdk| include(&sdk.join("include/QNN")))
}

/// Headers of the Hexagon SDK and its operating system.
fn sdk_includes(sdk: &Sdk, arch: u32) -> Vec<OsString> {
    let qurt = format!("rtos/qurt/computev{arch}/include");
    let folders = ["incs", "incs/stddef", &format!("{qurt}/qurt"), &format!("{qurt}/posix")];
    folders.iter().map(|folder| include(&sdk.root.join(folder))).collect()
}

/// What a package in C++ needs of the QNN SDK; `None` when all is there.
pub(super) fn missing_headers(package: &Package, around: Around<'_>) -> Option<Vec<PathBuf>> {
    if package.kind == Kind::Qhpi {
        return None;
    }
    let header = |sdk: &Path| sdk.join("include/QNN/QnnOpPackage.h");
    match around.qnn_sdk {
        Some(sdk) if header(sdk).is_file() => None,
        Some(sdk) => Some(vec![header(sdk)]),
        None => Some(vec![]),
    }
}
