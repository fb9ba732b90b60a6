//! Building op packages: which commands are run, what is built again, what is refused. Compilers of SDKs are fakes here, which write down
//! their arguments and "link" by copying a library that the test makes; the C compiler of this machine is real.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use qnn_pipeline::Memo;
use qnn_pipeline::driver::Limits;
use qnn_pipeline::op_package::toolchain::Places;
use qnn_pipeline::op_package::{Built, Kind, Package, Settings, Spec, Target, build};
use qnn_platform::env;
use qnn_types::Diagnostic;

const XML: &str = r#"<OpDefCollection PackageName="Small" Domain="small" Version="1.0"><OpDefList>
<OpDef><Name>Twice</Name><Description><Content>Doubles.</Content></Description>
<Input><Name>x</Name><Mandatory>true</Mandatory><Datatype>QNN_DATATYPE_FLOAT_32</Datatype><Shape><Rank>ND</Rank></Shape></Input>
<Output><Name>y</Name><Mandatory>true</Mandatory><Datatype>QNN_DATATYPE_FLOAT_32</Datatype><Shape><Rank>ND</Rank></Shape></Output>
<SupportedBackend>HTP</SupportedBackend></OpDef></OpDefList></OpDefCollection>"#;
const INTERFACE: &str = "#define OUT __attribute__((visibility(\"default\")))\n#include \"scale.h\"\n\
    OUT const char *qhpi_init(void) { return \"Small\"; }\nOUT int SmallInterfaceProvider(void *p) { return scale(p != 0); }\n";

/// A package in a folder of its own, and places where compilers are looked for.
struct Bench {
    folder: tempfile::TempDir,
    places: Places,
    kind: Kind,
}

impl Bench {
    fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = std::env::split_paths(&env::var(&env::PATH).unwrap()).collect();
        let bench = Self { folder, places: Places { path, ..Places::default() }, kind };
        bench.write("package/small.xml", XML);
        match kind {
            Kind::Qhpi => {
                bench.write("package/src/interface.c", INTERFACE);
                bench.write(
                    "package/src/scale.c",
                    "#include \"scale.h\"\nint scale(int x) { return 2 * x; }\n",
                );
                bench.write("package/include/scale.h", "int scale(int x);\n");
            }
            Kind::Cpp => {
                bench.write("package/src/SmallInterface.cpp", "int a;\n");
                bench.write("package/src/ops/Twice.cpp", "int b;\n");
                bench.write("package/src/ops/v75_asm/twice.S", "");
                bench.write("package/src/ops/v79_asm/twice.S", "");
            }
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A program that adds its arguments to `arguments.txt` beside it, and makes what `-o` names: a copy of `library`, or an empty file.
    fn fake(&self, name: &str, library: &Path) -> PathBuf {
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >> \"$0.txt\"\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=\"$2\"; shift; done\n\
             case \"$out\" in *.unchecked) cp {} \"$out\";; *) : > \"$out\";; esac\n",
            library.display()
        );
        let path = self.write(name, script);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A fake Hexagon SDK whose compilers link `library`.
    fn sdk(&mut self, version: &str, tools: &str, library: &[u8]) -> PathBuf {
        let library = self.write("library.so", library);
        let root = self.path(&format!("sdks/hexagon-sdk-{version}"));
        let bin = format!("sdks/hexagon-sdk-{version}/tools/HEXAGON_Tools/{tools}/Tools/bin");
        self.fake(&format!("{bin}/hexagon-clang"), &library);
        self.fake(&format!("{bin}/hexagon-clang++"), &library);
        self.places.hexagon_sdk = Some(root.clone());
        root.join("tools/HEXAGON_Tools").join(tools).join("Tools/bin")
    }

    fn package(&self) -> Result<Package, Vec<Diagnostic>> {
        Package::open("", &Spec { path: self.path("package"), kind: self.kind, ..Spec::default() })
    }

    fn build(&self, target: Target) -> Result<Built, Vec<Diagnostic>> {
        let out = self.path("out");
        let settings = Settings {
            out: &out,
            places: &self.places,
            qnn_lib_dir: None,
            build_id: Some("v2.51.0.260929181845"),
            limits: &Limits { jobs: Some(2), ..Limits::default() },
            memo: &Memo::default(),
        };
        build(&self.package()?, &[target], &settings).map(|mut built| built.remove(0))
    }

    #[track_caller]
    fn problem(&self, target: Target) -> Diagnostic {
        self.build(target).expect_err("the build should fail").remove(0)
    }
}

/// A library with nothing but a header and symbols: those that are exported, then those that are left to others.
fn library(machine: u16, flags: u32, exports: &[&str], undefined: &[&str]) -> Vec<u8> {
    let mut strings = vec![0u8];
    let mut symbols = vec![0u8; 16];
    for (name, section) in
        exports.iter().map(|name| (name, 1u16)).chain(undefined.iter().map(|name| (name, 0)))
    {
        symbols.extend((strings.len() as u32).to_le_bytes());
        symbols.extend([0; 8]);
        symbols.extend([0x12, 0]);
        symbols.extend(section.to_le_bytes());
        strings.extend(name.bytes().chain([0]));
    }
    let (symbols_at, strings_at) = (52u32, 52 + symbols.len() as u32);
    let table = strings_at + strings.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend(3u16.to_le_bytes());
    file.extend(machine.to_le_bytes());
    for word in [1, 0, 0, table, flags] {
        file.extend(word.to_le_bytes());
    }
    for half in [52u16, 0, 0, 40, 3, 0] {
        file.extend(half.to_le_bytes());
    }
    file.extend(&symbols);
    file.extend(&strings);
    let section = |kind: u32, at: u32, size: u32, link: u32| [0, kind, 0, 0, at, size, link, 0, 0, 16];
    for words in [
        section(0, 0, 0, 0),
        section(11, symbols_at, symbols.len() as u32, 2),
        section(3, strings_at, strings.len() as u32, 0),
    ] {
        words.iter().for_each(|word| file.extend(word.to_le_bytes()));
    }
    file
}

const HEXAGON: u16 = 164;

fn hexagon(flags: u32, undefined: &[&str]) -> Vec<u8> {
    library(HEXAGON, flags, &["qhpi_init", "SmallInterfaceProvider"], undefined)
}

fn arguments(program: &Path) -> Vec<String> {
    let text = fs::read_to_string(
        program
            .with_extension("txt")
            .with_file_name(format!("{}.txt", program.file_name().unwrap().to_str().unwrap())),
    );
    text.unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_sdks_compiler_gets_its_flags_for_a_package_in_c() {
    let mut bench = Bench::new(Kind::Qhpi);
    let bin = bench.sdk("5.4.0", "8.7.03", &hexagon(0x75, &["qhpi_tensor_shape", "memcpy"]));
    let built = bench.build(Target::Hexagon(75)).unwrap();
    assert!(built.library.ends_with("hexagon-v75/libQnnSmall.so"), "{:?}", built.library);
    let said = arguments(&bin.join("hexagon-clang"));
    for flag in
        ["-mv75", "-mhmx", "-mhvx", "-mhvx-length=128B", "-fPIC", "-std=c11", "-Wl,-soname,libQnnSmall.so"]
    {
        assert!(said.iter().any(|word| word == flag), "no {flag} in {said:?}");
    }
    let qurt = said.iter().any(|word| word.ends_with("/rtos/qurt/computev75/include/qurt"));
    assert!(qurt, "{said:?}");
}

#[test]
fn a_package_in_cpp_is_built_as_the_sdks_makefiles_do() {
    let mut bench = Bench::new(Kind::Cpp);
    let bin = bench.sdk("5.4.0", "8.7.03", &hexagon(0x75, &["_ZN4hnnx5GraphEv"]));
    bench.write("qnn/include/QNN/QnnOpPackage.h", "");
    bench.places.qnn_sdk = Some(bench.path("qnn"));
    let built = bench.build(Target::Hexagon(75)).unwrap();
    let compiled: Vec<&str> =
        built.compiled.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        compiled,
        ["SmallInterface.cpp", "Twice.cpp", "twice.S"],
        "only the assembler files of the architecture"
    );
    assert!(bench.path("out/hexagon-v75/ops/Twice.cpp.o").exists());
    let said = arguments(&bin.join("hexagon-clang++"));
    for flag in [
        "-std=c++17",
        "-Werror",
        "-stdlib=libc++",
        "-fvisibility=default",
        "-DTHIS_PKG_NAME=Small",
        "-DUSE_OS_QURT",
        "-DPREPARE_DISABLED",
        "-mhmx",
        "-mv75",
        "-DQNN_API=__attribute__((visibility(\"default\")))",
        "-shared",
    ] {
        assert!(said.iter().any(|word| word == flag), "no {flag} in {said:?}");
    }
    assert!(said.contains(&format!("-I{}", bench.path("qnn/include/QNN").display())), "{said:?}");
}

#[test]
fn clang_of_the_system_gets_no_flag_that_only_the_sdk_knows() {
    let mut bench = Bench::new(Kind::Qhpi);
    let library = bench.write("library.so", hexagon(0x73, &[]));
    let clang = bench.fake("bin/clang-19", &library);
    let text = fs::read_to_string(&clang).unwrap().replace(
        "#!/bin/sh\n",
        "#!/bin/sh\ncase \"$*\" in *--print-supported-cpus*) echo 'hexagonv68\nhexagonv73' >&2; exit;; esac\n",
    );
    fs::write(&clang, text).unwrap();
    bench.fake("bin/ld.lld-19", &library);
    // Only the fakes: this machine may have others.
    bench.places.path = vec![bench.path("bin")];
    bench.build(Target::Hexagon(73)).unwrap();
    let said = arguments(&clang);
    for flag in ["--target=hexagon-unknown-elf", "-mcpu=hexagonv73", "-mhvx", "-ffreestanding", "-nostdlib"] {
        assert!(said.iter().any(|word| word == flag), "no {flag} in {said:?}");
    }
    assert!(
        said.iter().any(|word| word.starts_with("--ld-path=") && word.ends_with("bin/ld.lld-19")),
        "{said:?}"
    );
    assert!(!said.iter().any(|word| word == "-mhmx"), "{said:?}");
    // It does not know v81, and says so.
    let problem = bench.problem(Target::Hexagon(81));
    assert_eq!(problem.code, "E0905");
    assert!(
        problem.notes.iter().any(|note| note.contains("bin/clang-19: it knows Hexagon up to v73")),
        "{problem}"
    );
}

#[test]
fn a_missing_compiler_is_told_with_where_it_was_looked_for_and_three_ways() {
    let mut bench = Bench::new(Kind::Qhpi);
    bench.places = Places::default();
    let problem = bench.problem(Target::Hexagon(79)).to_string();
    for part in [
        "E0905",
        "no compiler for hexagon-v79",
        "HEXAGON_SDK_ROOT is not set",
        "clang-19",
        "cargo qnn toolchain install hexagon",
        "apt-get install clang-19 lld-19",
        "set HEXAGON_SDK_ROOT to a Hexagon SDK",
    ] {
        assert!(problem.contains(part), "no {part:?} in {problem}");
    }
    let mut cpp = Bench::new(Kind::Cpp);
    cpp.places = Places::default();
    let problem = cpp.problem(Target::HtpX86).to_string();
    assert!(problem.contains("QNN_SDK_ROOT"), "{problem}");
}

#[test]
fn only_what_changed_is_compiled_again() {
    let bench = Bench::new(Kind::Qhpi);
    let first = bench.build(Target::HtpX86).unwrap();
    assert_eq!((first.compiled.len(), first.linked), (2, true));
    assert!(first.new_commands.is_some());
    let commands: serde_json::Value =
        serde_json::from_slice(&fs::read(bench.path("out/compile_commands.json")).unwrap()).unwrap();
    assert_eq!(commands.as_array().unwrap().len(), 2);

    let started = Instant::now();
    let nothing = bench.build(Target::HtpX86).unwrap();
    let elapsed = started.elapsed();
    assert_eq!((nothing.compiled.len(), nothing.linked, nothing.new_commands.is_some()), (0, false, false));
    assert_eq!(nothing.blake3, first.blake3);
    println!("nothing to do: {elapsed:?}");

    bench.write("package/src/scale.c", "#include \"scale.h\"\nint scale(int x) { return 3 * x; }\n");
    let kernel = bench.build(Target::HtpX86).unwrap();
    assert_eq!(kernel.compiled, [bench.path("package/src/scale.c")]);
    assert!(kernel.linked && kernel.blake3 != first.blake3);

    bench.write("package/include/scale.h", "int scale(int x);\n#define NEW 1\n");
    assert_eq!(bench.build(Target::HtpX86).unwrap().compiled.len(), 2, "both include the header");

    fs::remove_file(&kernel.library).unwrap();
    let again = bench.build(Target::HtpX86).unwrap();
    assert_eq!((again.compiled.len(), again.linked), (0, true));
}

#[test]
fn the_same_package_elsewhere_is_the_same_library() {
    let (one, other) = (Bench::new(Kind::Qhpi), Bench::new(Kind::Qhpi));
    assert_eq!(one.build(Target::HtpX86).unwrap().blake3, other.build(Target::HtpX86).unwrap().blake3);
}

#[test]
fn a_compilers_error_is_shown_in_its_own_words_with_the_command() {
    let bench = Bench::new(Kind::Qhpi);
    let source =
        bench.write("package/src/scale.c", "#include \"scale.h\"\nint scale(int x) { return twice(x) }\n");
    let problem = bench.problem(Target::HtpX86);
    assert_eq!(
        (problem.code.as_str(), problem.message.as_str()),
        ("E0906", "src/scale.c does not compile for htp-x86")
    );
    let text = problem.to_string();
    assert!(text.contains("scale.c:2:") && text.contains("error:"), "{text}");
    let command = problem.notes.iter().find_map(|note| note.strip_prefix("command: ")).unwrap();
    // The command can be run as it stands.
    let output = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(
        !output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains(source.to_str().unwrap())
    );
}

#[test]
fn what_was_linked_is_held_against_what_was_asked_for() {
    let refused = |library: Vec<u8>| {
        let mut bench = Bench::new(Kind::Qhpi);
        bench.sdk("5.4.0", "8.7.03", &library);
        let problem = bench.problem(Target::Hexagon(75));
        assert_eq!(problem.code, "E0907");
        assert!(!bench.path("out/hexagon-v75/libQnnSmall.so").exists(), "what is refused gets no name");
        problem.to_string()
    };
    let other = refused(hexagon(0x73, &[]));
    assert!(other.contains("is for Hexagon v73, not for Hexagon v75"), "{other}");
    let unknown = refused(hexagon(0x75, &["qhpi_tensor_shape", "no_such_function"]));
    assert!(unknown.contains("`no_such_function`, which neither it nor the NPU has"), "{unknown}");
    let none = refused(library(HEXAGON, 0x75, &["qhpi_init"], &[]));
    assert!(
        none.contains("exports no `SmallInterfaceProvider`") && none.contains("it exports qhpi_init"),
        "{none}"
    );
    let text = refused(b"not a library".to_vec());
    assert!(text.contains("is no ELF file"), "{text}");
}

#[test]
fn a_package_in_cpp_of_another_qnn_release_is_refused() {
    let mut bench = Bench::new(Kind::Cpp);
    let mut library = hexagon(0x75, &[]);
    library.extend(b"\0v2.40.0.250101000000\0");
    bench.sdk("5.4.0", "8.7.03", &library);
    bench.write("qnn/include/QNN/QnnOpPackage.h", "");
    bench.places.qnn_sdk = Some(bench.path("qnn"));
    let problem = bench.problem(Target::Hexagon(75)).to_string();
    for part in ["E0908", "v2.40.0.250101000000", "v2.51.0.260929181845", "set QNN_SDK_ROOT"] {
        assert!(problem.contains(part), "no {part} in {problem}");
    }
}

#[test]
fn a_folder_without_sources_or_with_several_definitions_says_what_to_do() {
    let bench = Bench::new(Kind::Qhpi);
    bench.write("package/other.xml", XML);
    let problem = bench.package().unwrap_err().remove(0).to_string();
    assert!(problem.contains("E0904") && problem.contains("`other.xml`, `small.xml`"), "{problem}");
    fs::remove_file(bench.path("package/other.xml")).unwrap();
    fs::remove_dir_all(bench.path("package/src")).unwrap();
    let problem = bench.package().unwrap_err().remove(0).to_string();
    assert!(problem.contains("no source"), "{problem}");
    bench.write("package/small.xml", XML.replace("</Name>", "</Nam>"));
    let problem = bench.package().unwrap_err().remove(0);
    assert_eq!(problem.code, "E0901");
    assert!(problem.at.as_deref().is_some_and(|at| at.contains("small.xml:2:")), "{problem}");
}
