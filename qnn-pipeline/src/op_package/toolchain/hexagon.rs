//! Compilers for the NPU.

use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, Stdio};

use super::places::{Places, words};
use super::{Compiler, Family, missing, sdk};
use crate::memo::Memo;
use crate::op_package::target::Target;
use qnn_manifest::Kind;
use qnn_types::Diagnostic;

/// Names of clang that are looked for, the newest releases first among those with a number.
const CLANGS: &[&str] = &["clang", "clang-23", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18"];

/// The compiler for an architecture, by preference.
pub(super) fn compiler(kind: Kind, arch: u32, places: &Places, memo: &Memo) -> Result<Compiler, Diagnostic> {
    let mut looked = Vec::new();
    let program = match kind {
        Kind::Qhpi => "hexagon-clang",
        Kind::Cpp => "hexagon-clang++",
    };
    if let Some(sdk) = sdk::find(arch, places, &mut looked) {
        let file = sdk.tools.join("bin").join(program);
        if file.is_file() {
            return Ok(Compiler {
                family: Family::HexagonSdk(sdk),
                program: file,
                arguments: vec![],
                env: vec![],
            });
        }
        looked.push(file.display().to_string());
    }
    let target = Target::Hexagon(arch);
    if kind == Kind::Cpp {
        const WAYS: &[&str] = &[
            "set HEXAGON_SDK_ROOT to a Hexagon SDK (qpm-cli --install hexagonsdk6.x); packages in C++ are built by nothing else, since they include its headers",
            "move the package to C (kind = \"qhpi\"), which clang and the zig wheel build: docs/OP-PACKAGES.md",
        ];
        return Err(missing(target, looked, WAYS));
    }
    // What was installed for this comes before what the system has for other work: it knows every architecture, so that one build has
    // one compiler.
    if let Some(zig) = &places.zig {
        return Ok(zig_cc(zig, places));
    }
    if let Some(found) = clang(arch, places, memo, &mut looked) {
        return Ok(found);
    }
    looked.push("the zig wheel: `cargo qnn toolchain install hexagon` was not run".to_owned());
    const WAYS: &[&str] = &[
        "cargo qnn toolchain install hexagon (the wheel `ziglang`: 101 MB, every architecture)",
        "install clang and lld of your system: clang 19 compiles up to v73 (apt-get install clang-19 lld-19)",
        "set HEXAGON_SDK_ROOT to a Hexagon SDK (qpm-cli --install hexagonsdk6.x)",
    ];
    Err(missing(target, looked, WAYS))
}

fn clang(arch: u32, places: &Places, memo: &Memo, looked: &mut Vec<String>) -> Option<Compiler> {
    let mut any = false;
    for name in CLANGS {
        let Some(program) = places.program(name) else { continue };
        any = true;
        let archs = memo.fact("clang-hexagon", &program, || Ok::<_, Infallible>(archs_of(&program)));
        let archs = match archs {
            Ok(archs) => archs,
            Err(never) => match never {},
        };
        if !archs.contains(&arch) {
            let last =
                archs.iter().max().map_or("no Hexagon".to_owned(), |last| format!("Hexagon up to v{last}"));
            looked.push(format!("{}: it knows {last}", program.display()));
            continue;
        }
        let suffix = name.strip_prefix("clang").unwrap_or_default();
        let linkers = [format!("ld.lld{suffix}"), "ld.lld".to_owned()];
        let Some(linker) = linkers.iter().find_map(|name| places.program(name)) else {
            looked.push(format!("{}, which needs {} to link", program.display(), linkers[0]));
            continue;
        };
        return Some(Compiler { family: Family::Clang { linker }, program, arguments: vec![], env: vec![] });
    }
    if !any {
        looked.push(format!("{} on PATH", CLANGS.join(", ")));
    }
    None
}

/// The architectures that a clang lists.
fn archs_of(clang: &Path) -> Vec<u32> {
    let mut command = Command::new(clang);
    command.args(["--target=hexagon-unknown-elf", "--print-supported-cpus"]).stdin(Stdio::null());
    let Ok(output) = command.output() else { return Vec::new() };
    // It prints the list to standard error.
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(|word| word.strip_prefix("hexagonv")?.parse().ok()).collect()
}

fn zig_cc(zig: &Path, places: &Places) -> Compiler {
    let cache = places.zig_cache.iter().flat_map(|cache| {
        ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"]
            .map(|name| (name.into(), cache.clone().into_os_string()))
    });
    Compiler { family: Family::Zig, program: zig.to_owned(), arguments: words(["cc"]), env: cache.collect() }
}
