//! Generated code and this crate of versions that do not fit: one error of the compiler's, which is a sentence.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::path::Path;
use std::process::{Command, Output};

/// What `qnn` of this version exports.
const OWN: &str = include_str!("../src/private/fit.rs");
/// An app whose code `qnn-build` of this version generated.
const APP: &str = "::qnn::__generated! { protocol = 1;\npub mod digits { pub const NAME: &str = \"digits\"; pub fn load() { ::qnn::__private::v1::load() } }\n}\nfn main() { digits::load() }";

/// Compiles the app with a stand-in for `qnn` that has nothing but the macro and a support module, as the crate of a version has.
fn compile(name: &str, qnn: &str, app: &str) -> Output {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("protocol").join(name);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("qnn.rs"), qnn).unwrap();
    std::fs::write(dir.join("app.rs"), app).unwrap();
    let rustc = |args: &[&str]| {
        let mut command = Command::new("rustc");
        command.args(["--edition=2024", "--emit=metadata"]).args(args).current_dir(&dir).output().unwrap()
    };
    let library = rustc(&["--crate-type=lib", "--crate-name=qnn", "qnn.rs", "-o", "libqnn.rmeta"]);
    assert!(library.status.success(), "{}", String::from_utf8_lossy(&library.stderr));
    rustc(&["--crate-name=app", "--extern=qnn=libqnn.rmeta", "app.rs", "-o", "app.rmeta"])
}

/// The crate of a version with another protocol, as it will be or was.
fn of_protocol(protocol: u32) -> String {
    let own = OWN.replace("protocol = 1;", &format!("protocol = {protocol};"));
    let own = own.replace("has protocol 1.", &format!("has protocol {protocol}."));
    format!("{own}\npub mod __private {{ pub mod v{protocol} {{ pub fn load() {{}} }} }}")
}

#[test]
fn code_of_the_same_protocol_compiles_and_of_another_is_refused_in_one_sentence() {
    let same = compile("same", &of_protocol(1), APP);
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stderr));

    // An app that raised only `qnn-build`, and one that raised only `qnn`.
    let newer = APP.replace("protocol = 1", "protocol = 2").replace("v1", "v2");
    for (name, qnn, app, theirs, ours) in
        [("old-qnn", of_protocol(1), &*newer, 2, 1), ("new-qnn", of_protocol(2), APP, 1, 2)]
    {
        let out = compile(name, &qnn, app);
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success(), "{name}");
        for part in [
            "the crates `qnn` and `qnn-build` of this app do not fit each other",
            &format!("generated code of protocol {theirs}, this `qnn` has protocol {ours}"),
            "the same version in Cargo.toml",
        ] {
            assert!(stderr.contains(part), "{name}: no {part:?} in {stderr}");
        }
        // Names that cannot be found would be noise.
        assert!(stderr.contains("due to 1 previous error"), "{name}: {stderr}");
    }
}
