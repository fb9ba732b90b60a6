//! Compilers for this machine and for Android.

use std::path::PathBuf;

use super::places::{Places, words};
use super::{Compiler, Family, missing, sdk};
use crate::op_package::target::Target;
use qnn_manifest::Kind;
use qnn_types::Diagnostic;

/// The only machine whose HTP library emulates and compiles.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Android API level that the SDK's Makefiles link for.
const ANDROID_API: u32 = 21;

/// The C compiler: `CC` with its forms, else `cc`, as every crate with C code finds it.
pub(super) fn c_compiler(places: &Places) -> Result<Compiler, Diagnostic> {
    let mut build = cc::Build::new();
    // Everything that cc would read of a build script's environment is said here, so that it works outside of one, too.
    build.target(TRIPLE).host(TRIPLE).opt_level(2).debug(false).cargo_metadata(false).cargo_warnings(false);
    build.no_default_flags(true);
    const WAYS: &[&str] = &[
        "install gcc or clang (apt-get install gcc)",
        "set CC to a C compiler",
        "set CC_x86_64_unknown_linux_gnu to one",
    ];
    let tool = build.try_get_compiler().map_err(|error| {
        missing(Target::HtpX86, vec![format!("a C compiler by the crate cc: {error}")], WAYS)
    })?;
    let Some(program) = places.named(tool.path()) else {
        let looked = vec![format!("`{}` on PATH", tool.path().display())];
        return Err(missing(Target::HtpX86, looked, WAYS));
    };
    let (arguments, env) = (
        tool.args().to_vec(),
        tool.get_envs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    );
    Ok(Compiler { family: Family::Host, program, arguments, env })
}

/// clang++ for packages in C++: `X86_CXX`, else `clang++`. With `emulation` the Hexagon SDK's emulation library is needed.
pub(super) fn cpp_compiler(places: &Places, emulation: bool) -> Result<Compiler, Diagnostic> {
    let target = if emulation { Target::HtpX86 } else { Target::CpuX86 };
    const WAYS: &[&str] = &[
        "install clang and libc++ (apt-get install clang libc++-dev libc++abi-dev)",
        "set X86_CXX to a clang++",
        "set HEXAGON_SDK_ROOT to a Hexagon SDK, whose emulation library packages in C++ are linked with",
    ];
    let mut looked = Vec::new();
    let named = places.x86_cxx.as_deref();
    let program = match named {
        Some(name) => places.named(name),
        None => places.program("clang++").or_else(|| places.program("clang++-9")),
    };
    let Some(program) = program else {
        let name = named.map_or("clang++".to_owned(), |name| name.display().to_string());
        looked.push(format!("`{name}` on PATH"));
        return Err(missing(target, looked, WAYS));
    };
    let tools = if emulation {
        let Some(sdk) = sdk::find(0, places, &mut looked) else { return Err(missing(target, looked, WAYS)) };
        Some(sdk.tools)
    } else {
        None
    };
    Ok(Compiler { family: Family::HostCpp { tools }, program, arguments: vec![], env: vec![] })
}

/// clang of the NDK.
pub(super) fn ndk(target: Target, kind: Kind, places: &Places) -> Result<Compiler, Diagnostic> {
    let emulation = kind == Kind::Cpp && target == Target::HtpAarch64Android;
    const WAYS: &[&str] = &[
        "set ANDROID_NDK_HOME to an Android NDK (r25c or newer)",
        "set ANDROID_NDK_ROOT to one",
        "leave this target out: a device that loads compiled models needs only the Hexagon library",
    ];
    let Some(ndk) = &places.ndk else {
        let looked =
            vec!["the Android NDK: ANDROID_NDK_HOME, ANDROID_NDK_ROOT and NDK_HOME are not set".to_owned()];
        return Err(missing(target, looked, WAYS));
    };
    let prebuilt = ndk.join("toolchains/llvm/prebuilt/linux-x86_64");
    let program: PathBuf = prebuilt.join("bin").join(if kind == Kind::Cpp { "clang++" } else { "clang" });
    if !program.is_file() {
        return Err(missing(target, vec![program.display().to_string()], WAYS));
    }
    let mut looked = Vec::new();
    let tools = if emulation {
        let Some(sdk) = sdk::find(0, places, &mut looked) else { return Err(missing(target, looked, WAYS)) };
        Some(sdk.tools)
    } else {
        None
    };
    let mut arguments = words(["--target=aarch64-none-linux-android"]);
    if let Some(triple) = arguments.first_mut() {
        triple.push(ANDROID_API.to_string());
    }
    arguments.push(format!("--sysroot={}", prebuilt.join("sysroot").display()).into());
    Ok(Compiler { family: Family::Ndk { tools }, program, arguments, env: vec![] })
}
