//! E04xx: the QNN libraries and the toolchain that holds them.

use super::{Class, Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0401",
        "the QNN libraries were not found",
        "\
Models are compiled by Qualcomm's own library, which is looked for in this order: `QNN_SDK_ROOT`
(a full QAIRT SDK), `QNN_LIB_DIR` (a folder with the libraries), the toolchain that `cargo qnn
toolchain install` installs. A place that is named and does not have the library is an error;
the notes list where it was looked for.

    cargo qnn toolchain install
",
    ),
    row(
        "E0402",
        "the toolchain could not be installed",
        "\
`cargo qnn toolchain install` downloads two wheels with `uv` or `pip`, checks their sha256 and
unpacks the libraries. The notes hold what the installer said. Behind a proxy or mirror, the
settings of `pip`/`uv` apply (`PIP_INDEX_URL`, `UV_INDEX_URL`). An interrupted installation is
continued by running the command again.
",
    ),
    row(
        "E0403",
        "a QNN library cannot be loaded",
        "\
The file is there and the system's loader refuses it; the note is what the loader said. The
libraries for x86-64 Linux need glibc 2.34 (Ubuntu 22.04, Debian 12 or newer), `libatomic.so.1`,
and the C++ runtime that lies in the folder `onnxruntime_qnn.libs` beside them: copy both
folders together. `cargo qnn doctor` checks each of these. `Cannot allocate memory` in the note is a
limit on this process (`ulimit -v`, a container's limit), not a fault of the file.
",
    ),
    row(
        "E0404",
        "the QNN version is unknown",
        "\
The library reports a core API version whose tables and layouts this version of cargo-qnn does
not know. Guessing would crash or silently give wrong results. Core API 2.27 to 2.40 (SDK 2.36
to 2.51) are known. Install the pinned toolchain (`cargo qnn toolchain install`), or a newer
cargo-qnn.
",
    ),
    row(
        "E0405",
        "the toolchain is incomplete",
        "\
A library that belongs to the toolchain is missing, has no version in it, is of another build than
the toolchain's record says, or has another length or SHA-256 than the file that is pinned: a copy
that stopped half way, a damaged disk, somebody who changed it, or files of two releases in one
folder. `cargo qnn toolchain install --force`
installs it again; with `QNN_LIB_DIR`, copy all `.so` files of the SDK's folder.
",
    ),
    row(
        "E0406",
        "the QNN library reported an error",
        "\
A call into the library failed. The message has the vendor's code and its meaning, the notes
what the library logged. Codes by thousands: 1000 common, 3000 op packages (3110: validation),
4000 backend, 5000 contexts, 6000 graphs, 7000 tensors, 14000 devices, 30000 files. Error 1002
in finalizing means that the compiler could not place the graph; smaller shapes or
`htp.optimization = 1` sometimes help. Where the log says that an op of an op package is not
divided to fit TCM, its kernel has to say how it may be: `tiled_axes`, docs/OP-PACKAGES.md.
",
    )
    .class(Class::Compile),
    row(
        "E0407",
        "the context binary is not what was asked for",
        "\
After compiling, the binary's metadata is read back and compared with the request: SoC id,
architecture, graphs, inputs and outputs. They differ, so the binary is thrown away. This is a
defect of cargo-qnn or of the library: please report it with the job (`QNN_KEEP=folder`).
",
    )
    .class(Class::Compile),
    row(
        "E0408",
        "the library's version cannot be told",
        "\
Artifacts are tied to the exact build of the QNN library, which is part of their key in the
store. The library file has no version text such as `v2.51.0.260929181845`, so it is not a QNN
library, or damaged. `cargo qnn doctor` says which file it is.
",
    ),
    row(
        "E0409",
        "the network is needed and forbidden",
        "\
The toolchain is not installed, and `--offline`, `--frozen` or `CARGO_NET_OFFLINE` forbids
downloading it. Run `cargo qnn toolchain install` once with network, copy the data folder of
another machine (`cargo qnn env` tells where it is), or set `QNN_LIB_DIR`.
",
    ),
];
