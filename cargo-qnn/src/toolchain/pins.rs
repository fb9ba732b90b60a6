//! Which wheels make a toolchain, for each platform that can compile: pinned by version and sha256.

use qnn_platform::libs;

use super::contents::{Known, ONNXRUNTIME, ONNXRUNTIME_QNN};

/// A file of the package index, by what decides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// Distribution name, as `pip` takes it.
    pub(crate) name: &'static str,
    /// Version.
    pub(crate) version: &'static str,
    /// File name of the wheel.
    pub(crate) file: &'static str,
    /// Size of the wheel, bytes.
    pub(crate) bytes: u64,
    /// sha256 of the wheel, hexadecimal.
    pub(crate) sha256: &'static str,
    /// Which of its files are unpacked.
    pub(crate) keep: &'static [Keep],
    /// Every file that is unpacked; empty where there are too many to list, and the downloader may not take them from its cache.
    pub(crate) files: &'static [Known],
    /// Under which terms it comes, for the message before unpacking.
    pub(crate) licence: &'static str,
}

/// Selects files of a wheel by their path in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// One file, at the same path in the toolchain.
    File(&'static str),
    /// One file, and its path in the toolchain.
    FileAs(&'static str, &'static str),
    /// Files whose path starts with this text, at the same path in the toolchain.
    Prefix(&'static str),
}

impl Keep {
    /// Where the file at `path` (in the wheel, with `/`) goes, if it is meant.
    pub(crate) fn target(self, path: &str) -> Option<&str> {
        match self {
            Keep::File(file) => (path == file).then_some(path),
            Keep::FileAs(file, to) => (path == file).then_some(to),
            Keep::Prefix(prefix) => (path.starts_with(prefix) && !path.ends_with('/')).then_some(path),
        }
    }
}

/// What is installed for one host platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// Operating system and architecture as Rust names them: `std::env::consts::{OS, ARCH}`.
    pub(crate) host: (&'static str, &'static str),
    /// Version of what is installed: of QNN, or of the compiler.
    pub(crate) qnn: &'static str,
    /// Python version and ABI of the wheels. The libraries do not depend on it; the installer must be told.
    pub(crate) python: &'static str,
    /// `pip`'s names of the platforms that the wheels are for.
    pub(crate) pip_platforms: &'static [&'static str],
    /// `uv`'s name of the platform.
    pub(crate) uv_platform: &'static str,
    /// The wheels.
    pub(crate) wheels: &'static [Pin],
}

/// One row for each platform that can compile. A new platform is a new row.
pub(crate) const PLATFORMS: &[Platform] = &[Platform {
    host: ("linux", "x86_64"),
    qnn: "2.51.0",
    python: "3.11",
    pip_platforms: &["manylinux_2_35_x86_64", "manylinux_2_28_x86_64"],
    uv_platform: "x86_64-manylinux_2_35",
    wheels: &[
        Pin {
            name: "onnxruntime-qnn",
            version: "2.7.0",
            file: "onnxruntime_qnn-2.7.0-cp311-cp311-manylinux_2_35_x86_64.whl",
            bytes: 98_578_793,
            sha256: "c56c01562b8534fe8980cfea4601408d950c065f8251fb862ce82101c52c9849",
            // The library folder and the folder of its C++ runtime stay side by side: the libraries find each other by
            // a path relative to their own.
            keep: &[
                Keep::File("onnxruntime_qnn/libQnnHtp.so"),
                Keep::File("onnxruntime_qnn/libQnnSystem.so"),
                Keep::File("onnxruntime_qnn/libQnnIr.so"),
                Keep::File("onnxruntime_qnn/libQnnSaver.so"),
                Keep::File("onnxruntime_qnn/LICENSE"),
                Keep::File("onnxruntime_qnn/Qualcomm_LICENSE.pdf"),
                Keep::File("onnxruntime_qnn/ThirdPartyNotices.txt"),
                Keep::Prefix("onnxruntime_qnn.libs/"),
            ],
            files: ONNXRUNTIME_QNN,
            licence: "Qualcomm's terms for the QNN libraries (Qualcomm_LICENSE.pdf), MIT for the rest",
        },
        Pin {
            name: "onnxruntime",
            version: "1.31.1",
            file: "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
            bytes: 23_753_652,
            sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
            keep: &[
                Keep::FileAs(
                    "onnxruntime/capi/libonnxruntime.so.1.31.1",
                    "onnxruntime/libonnxruntime.so.1.31.1",
                ),
                Keep::File("onnxruntime/LICENSE"),
                Keep::File("onnxruntime/ThirdPartyNotices.txt"),
            ],
            files: ONNXRUNTIME,
            licence: "MIT",
        },
    ],
}];

/// The compiler for the NPU, which builds op packages; one row for each platform.
pub(crate) const HEXAGON: &[Platform] = &[Platform {
    host: ("linux", "x86_64"),
    qnn: libs::ZIG_VERSION,
    python: "3.11",
    pip_platforms: &["manylinux2010_x86_64"],
    uv_platform: "x86_64-manylinux2014",
    wheels: &[Pin {
        name: "ziglang",
        version: libs::ZIG_VERSION,
        file: "ziglang-0.17.0-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl",
        bytes: 101_011_302,
        sha256: "97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b",
        // The program, the headers of its clang and of the C library for Hexagon; it does not start without `std`.
        keep: &[
            Keep::File("ziglang/zig"),
            Keep::File("ziglang/LICENSE"),
            Keep::Prefix("ziglang/lib/include/"),
            Keep::Prefix("ziglang/lib/std/"),
            Keep::Prefix("ziglang/lib/libc/include/generic-musl/"),
            Keep::Prefix("ziglang/lib/libc/include/any-linux-any/"),
            Keep::Prefix("ziglang/lib/libc/include/hexagon-linux-any/"),
            Keep::Prefix("ziglang/lib/libc/include/hexagon-linux-musl/"),
        ],
        files: &[],
        licence: "MIT; its clang and lld Apache-2.0 with LLVM exceptions",
    }],
}];

/// What `toolchain install` installs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Product {
    /// The QNN libraries and ONNX Runtime.
    #[default]
    Qnn,
    /// The compiler for the NPU.
    Hexagon,
}

impl Product {
    /// Its rows.
    pub(crate) fn platforms(self) -> &'static [Platform] {
        match self {
            Product::Qnn => PLATFORMS,
            Product::Hexagon => HEXAGON,
        }
    }

    /// The row of the machine this runs on.
    pub(crate) fn host(self) -> Option<&'static Platform> {
        let host = (std::env::consts::OS, std::env::consts::ARCH);
        self.platforms().iter().find(|platform| platform.host == host)
    }

    /// Name of its folder.
    pub(crate) fn id(self) -> String {
        match self {
            Product::Qnn => libs::toolchain_id(),
            Product::Hexagon => libs::hexagon_toolchain_id(),
        }
    }

    /// What is unpacked, in words.
    pub(crate) fn contents(self) -> &'static str {
        match self {
            Product::Qnn => "the libraries",
            Product::Hexagon => "the compiler",
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Product::Qnn => "the QNN libraries are",
            Product::Hexagon => "the compiler for the NPU is",
        }
    }

    /// The argument of `toolchain install`, with a space before it.
    pub(crate) fn argument(self) -> &'static str {
        match self {
            Product::Qnn => "",
            Product::Hexagon => " hexagon",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_complete() {
        for platform in PLATFORMS.iter().chain(HEXAGON) {
            for pin in platform.wheels {
                assert_eq!(pin.sha256.len(), 64, "{}", pin.file);
                assert!(pin.sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
                let stem = format!("{}-{}-", pin.name.replace('-', "_"), pin.version);
                assert!(pin.file.starts_with(&stem) && pin.file.ends_with(".whl"), "{}", pin.file);
            }
        }
    }

    #[test]
    fn pins_are_of_the_qnn_version_that_is_looked_for() {
        assert!(PLATFORMS.iter().all(|platform| platform.qnn == libs::QNN_VERSION));
    }

    #[test]
    fn a_prefix_does_not_select_a_folder_entry() {
        assert_eq!(Keep::Prefix("a.libs/").target("a.libs/x.so"), Some("a.libs/x.so"));
        assert_eq!(Keep::Prefix("a.libs/").target("a.libs/"), None);
        assert_eq!(Keep::File("a/x").target("a/xy"), None);
        assert_eq!(Keep::FileAs("a/x", "b/x").target("a/x"), Some("b/x"));
    }
}
