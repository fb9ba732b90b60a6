//! Compiling the package and the harness: with `cc` for this machine, with the zig wheel's compiler for Hexagon.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Architectures that a device may have.
pub const ARCHS: [&str; 6] = ["v68", "v69", "v73", "v75", "v79", "v81"];

/// op-package/
pub fn package_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// C files of a folder of the package, in order.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(package_dir().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension() == Some(OsStr::new("c")));
    files.sort();
    assert!(!files.is_empty(), "no sources in {folder}");
    files
}

/// The kernels and the harness around them.
fn harness_sources() -> Vec<PathBuf> {
    let mut files = sources("src/kernels");
    files.push(package_dir().join("tests/harness/harness.c"));
    files
}

/// Runs a tool, which must succeed and have nothing to say: a warning is a failure.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{command:?}: {}\n{said}", output.status);
}

/// What both compilers are told.
fn common(command: &mut Command) {
    let package = package_dir();
    command.args(["-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]);
    command.arg("-I").arg(package.join("include")).arg("-I").arg(package.join("src"));
}

/// The harness for this machine. Undefined behaviour ends it.
pub fn host_harness(dir: &Path) -> PathBuf {
    let program = dir.join("harness");
    let mut cc = Command::new("cc");
    common(&mut cc);
    cc.args(["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]);
    run(cc.args(harness_sources()).arg("-o").arg(&program));
    program
}

/// The package for the emulator.
pub fn host_package(dir: &Path) -> PathBuf {
    let library = dir.join("libQnnLlmOps.so");
    write_header(dir);
    let mut cc = Command::new("cc");
    common(&mut cc);
    cc.args(["-shared", "-fPIC", "-fvisibility=hidden"]).arg("-I").arg(dir);
    run(cc.args(sources("src")).args(sources("src/kernels")).arg("-o").arg(&library));
    library
}

/// Writes the header that is generated from the XML.
fn write_header(dir: &Path) {
    let xml = fs::read_to_string(package_dir().join("QnnLlmOps.xml")).unwrap();
    let package = qnn_ops::parse(&xml).unwrap_or_else(|findings| panic!("{findings:?}"));
    let header = qnn_ops::c_header(&package, "QnnLlmOps.xml");
    fs::write(dir.join("QnnLlmOps_ops.h"), header).unwrap();
}

/// How the kernels are compiled for Hexagon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As for a device.
    Hvx,
    /// HVX, but for floats, which are computed by scalar loops: QEMU has no HVX floats.
    Shim,
    /// Integer instructions in the place of float ones: wrong results in as many instructions.
    Count,
    /// Without HVX.
    Scalar,
}

/// The Hexagon compiler of the zig wheel, and QEMU.
pub struct Tools {
    zig: PathBuf,
    qemu: PathBuf,
}

/// Where programs are looked for.
#[expect(clippy::disallowed_methods, reason = "the system's own variable, in a test")]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

impl Tools {
    /// What tools.sh installed, else what is in `PATH`.
    pub fn find() -> Tools {
        let installed = package_dir().parent().unwrap().join("target/hexagon-tools");
        let tool = |name: &str| {
            let path = search_path();
            let mut places = std::iter::once(installed.clone()).chain(std::env::split_paths(&path));
            places.find_map(|place| Some(place.join(name)).filter(|file| file.is_file())).unwrap_or_else(
                || {
                    panic!(
                        "{name} is neither in {} nor in PATH; run op-package/tests/tools.sh",
                        installed.display()
                    )
                },
            )
        };
        Tools { zig: tool("zig"), qemu: tool("qemu-hexagon") }
    }

    /// `zig cc` for an architecture, `v73` for example.
    fn compiler(&self, arch: &str, form: Form) -> Command {
        let hvx = match form {
            Form::Scalar => String::new(),
            // IEEE arithmetic on vectors is what the header takes from v79 on.
            _ if arch >= "v79" => format!("+hvx{arch}+hvx_length128b+hvx_qfloat+hvx_ieee_fp"),
            _ => format!("+hvx{arch}+hvx_length128b+hvx_qfloat"),
        };
        let mut zig = Command::new(&self.zig);
        zig.args(["cc", "-target", "hexagon-linux-none", "-fno-sanitize=all", "-nostdlib"]);
        // zig adds some flags that not every step uses.
        zig.arg("-Wno-unused-command-line-argument");
        zig.arg(format!("-mcpu=hexagon{arch}{hvx}"));
        match form {
            Form::Shim => zig.arg("-DHVX_FLOAT_SHIM"),
            Form::Count => zig.arg("-DHVX_FLOAT_COUNT"),
            Form::Hvx | Form::Scalar => &mut zig,
        };
        zig
    }

    /// Assembly of the harness, a file a source.
    pub fn harness_assembly(&self, dir: &Path, arch: &str, form: Form) -> Vec<PathBuf> {
        let sources = harness_sources();
        let files = sources.iter().map(|source| {
            let stem = source.file_stem().unwrap().to_string_lossy();
            let file = dir.join(format!("{stem}.{arch}.{form:?}.s"));
            let mut zig = self.compiler(arch, form);
            common(&mut zig);
            run(zig.args(["-g0", "-fno-pic", "-S"]).arg(source).arg("-o").arg(&file));
            file
        });
        files.collect()
    }

    /// The harness as a program for QEMU, which is assembled from text that was looked through: QEMU 7 and 10 die of HVX floats, or, of two
    /// conversions that v73 brought, silently compute something else.
    pub fn harness(&self, dir: &Path, arch: &str, form: Form) -> PathBuf {
        let assembly = self.harness_assembly(dir, arch, form);
        for file in &assembly {
            let found = vector_floats(&fs::read_to_string(file).unwrap());
            assert!(found.is_empty(), "{} has HVX float instructions: {found:?}", file.display());
        }
        let program = dir.join(format!("harness.{arch}.{form:?}"));
        let mut zig = self.compiler(arch, form);
        run(zig.args(["-static", "-Wl,-e,_start"]).args(assembly).arg("-o").arg(&program));
        program
    }

    /// The package for a device.
    pub fn package(&self, dir: &Path, arch: &str) -> PathBuf {
        let library = dir.join(format!("libQnnLlmOps.{arch}.so"));
        write_header(dir);
        let mut zig = self.compiler(arch, Form::Hvx);
        common(&mut zig);
        zig.args(["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-soname,libQnnLlmOps.so"])
            .arg("-I")
            .arg(dir);
        run(zig.args(sources("src")).args(sources("src/kernels")).arg("-o").arg(&library));
        library
    }

    /// QEMU with a program. Its newest Hexagon in Debian 12 is v67, which has all that programs of [`Tools::harness`] use.
    pub fn qemu(&self, program: &Path) -> Command {
        let mut qemu = Command::new(&self.qemu);
        qemu.args(["-cpu", "v67"]).arg(program);
        qemu
    }
}

/// HVX instructions on floats in assembly: those with a float type on a vector register.
pub fn vector_floats(assembly: &str) -> Vec<String> {
    const TYPES: [&str; 5] = [".sf", ".hf", ".qf16", ".qf32", ".bf"];
    let code = assembly.lines().map(|line| line.split("//").next().unwrap_or(line));
    let is_one = |line: &&str| {
        TYPES.iter().any(|ty| {
            line.match_indices(ty)
                .any(|(at, _)| !line[at + ty.len()..].starts_with(|c: char| c.is_alphanumeric()))
        })
    };
    code.filter(is_one).map(|line| line.trim().to_owned()).collect()
}

/// An empty folder of a test's own.
pub fn scratch(root: &str, test: &str) -> PathBuf {
    let dir = Path::new(root).join(test);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}
