//! Does nothing without feature `bindgen`. With it, generates declarations from the headers of a full SDK, and tells the
//! compiler which core API they are of: `cfg(qnn_headers = "2.NN")` for it and every older version that added something,
//! `cfg(qnn_headers = "ir")` when they include the IR backend.

/// Core API minor versions from whose headers the tests expect more than from older ones.
const STEPS: &[u32] = &[28, 30, 32, 36, 37, 39];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let steps: Vec<String> = STEPS.iter().map(|minor| format!("\"2.{minor}\"")).collect();
    println!("cargo::rustc-check-cfg=cfg(qnn_headers, values(\"ir\", {}))", steps.join(", "));
    #[cfg(feature = "bindgen")]
    if let Err(message) = headers::generate() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

#[cfg(feature = "bindgen")]
#[expect(
    clippy::disallowed_methods,
    reason = "a build script cannot use the crate with the registry of variables, which has QNN_SDK_ROOT"
)]
mod headers {
    use std::path::{Path, PathBuf};

    use super::STEPS;

    /// Headers that every supported SDK has.
    const HEADERS: &[&str] = &[
        "QnnInterface.h",
        "HTP/QnnHtpCommon.h",
        "HTP/QnnHtpContext.h",
        "HTP/QnnHtpDevice.h",
        "HTP/QnnHtpGraph.h",
        "HTP/QnnHtpMem.h",
        "HTP/QnnHtpPerfInfrastructure.h",
        "HTP/QnnHtpProfile.h",
        "HTP/QnnHtpSystemContext.h",
        "System/QnnSystemInterface.h",
    ];
    /// Headers that an SDK may lack.
    const OPTIONAL: &[(&str, &str)] = &[("IR/QnnIrGraph.h", "ir")];

    pub(crate) fn generate() -> Result<(), String> {
        println!("cargo::rerun-if-env-changed=QNN_SDK_ROOT");
        let include = include_folder()?;
        let minor = core_minor(&include)?;
        for step in STEPS.iter().filter(|step| **step <= minor) {
            println!("cargo::rustc-cfg=qnn_headers=\"2.{step}\"");
        }

        // The headers use `bool` and `static_assert` without including what defines them in C.
        let mut source = String::from("#include <assert.h>\n#include <stdbool.h>\n#include <stddef.h>\n");
        for header in HEADERS {
            let path = include.join(header);
            if !path.is_file() {
                return Err(format!("QNN_SDK_ROOT: no file {}", path.display()));
            }
            println!("cargo::rerun-if-changed={}", path.display());
            source += &format!("#include \"{header}\"\n");
        }
        for (header, cfg) in OPTIONAL.iter().filter(|(header, _)| include.join(header).is_file()) {
            println!("cargo::rustc-cfg=qnn_headers=\"{cfg}\"");
            source += &format!("#include \"{header}\"\n");
        }

        let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; cargo sets it")?;
        bindgen::Builder::default()
            .header_contents("qnn.h", &source)
            .clang_arg(format!("-I{}", include.display()))
            .allowlist_item("(Qnn|QNN|DCVS).*")
            .default_enum_style(bindgen::EnumVariation::Consts)
            .prepend_enum_name(false)
            .generate_comments(false)
            .layout_tests(false)
            .parse_callbacks(Box::new(TableNames))
            .generate()
            .map_err(|error| format!("bindgen cannot read the headers in {}: {error}", include.display()))?
            .write_to_file(Path::new(&out).join("bindings.rs"))
            .map_err(|error| format!("cannot write the generated declarations: {error}"))
    }

    fn include_folder() -> Result<PathBuf, String> {
        let root = std::env::var_os("QNN_SDK_ROOT").filter(|root| !root.is_empty()).ok_or(
            "feature `bindgen` of qnn-sys reads the headers of a full QAIRT SDK: \
             set QNN_SDK_ROOT to its folder, the one with include/QNN in it",
        )?;
        let include = PathBuf::from(root).join("include").join("QNN");
        if include.is_dir() {
            Ok(include)
        } else {
            Err(format!("QNN_SDK_ROOT is not a QAIRT SDK: there is no folder {}", include.display()))
        }
    }

    /// The minor version of the core API that the headers declare.
    fn core_minor(include: &Path) -> Result<u32, String> {
        let path = include.join("QnnCommon.h");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let number = |name: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix("#define")?.trim_start().strip_prefix(name))
                .find_map(|value| value.trim().parse::<u32>().ok())
                .ok_or_else(|| format!("{} does not define {name}", path.display()))
        };
        match (number("QNN_API_VERSION_MAJOR")?, number("QNN_API_VERSION_MINOR")?) {
            (2, minor @ 27..=40) => Ok(minor),
            (major, minor) => Err(format!(
                "the headers in {} are of core API {major}.{minor}, supported is 2.27 to 2.40",
                include.display()
            )),
        }
    }

    /// Drops the version from the names of the function tables, so that code can name them.
    #[derive(Debug)]
    struct TableNames;

    impl bindgen::callbacks::ParseCallbacks for TableNames {
        fn item_name(&self, item: bindgen::callbacks::ItemInfo<'_>) -> Option<String> {
            let (interface, version) = item.name.split_once("_ImplementationV")?;
            let of_interface = interface == "QnnInterface" || interface == "QnnSystemInterface";
            let is_version = version.strip_suffix("_t")?.chars().all(|c| c.is_ascii_digit() || c == '_');
            (of_interface && is_version).then(|| format!("{interface}_Implementation_t"))
        }
    }
}
