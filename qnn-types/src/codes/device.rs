//! E07xx: loading and running artifacts, on a device or in the emulator.

use super::{Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0701",
        "no artifact for this SoC",
        "\
The app carries context binaries for other SoCs than the one it runs on, and none of them is
compatible. Add the SoC to `soc` in Cargo.toml and build again; the message names both sides.
Architectures are compatible upwards only within the vendor's own rules, so a binary per SoC is
the sure way.
",
    ),
    row(
        "E0702",
        "the QNN backend cannot be loaded on the device",
        "\
`libQnnHtp.so` and the `libQnnHtpV<arch>Stub.so` that belongs to it were not found in the app's
library folder, or the loader refused them. docs/DEVICE.md tells which files an app ships, where
they come from and where they go. An Android app also declares
`<uses-native-library android:name=\"libcdsprpc.so\"/>`.
",
    ),
    row(
        "E0703",
        "the artifact was made by another QNN version",
        "\
The context binary was compiled by one QNN build and is loaded by another that does not accept
it. Ship the runtime libraries of the same version as the toolchain that compiled the model, or
compile again with the toolchain of the device's libraries (`QNN_SDK_ROOT`). The message names
both.
",
    ),
    row(
        "E0704",
        "a tensor has the wrong size or dtype",
        "\
The QNN library does not check the length of the buffers it is given, so this is checked before
the call. The message has the name, dtype and shape that the graph expects. The generated types
make this impossible; it happens with the untyped interface and with `cargo qnn exec`.
",
    ),
    row(
        "E0705",
        "the artifact is a stub",
        "\
The app was built with `QNN_BUILD=stub` (or on docs.rs): the types are there, the compiled model
is not. Build it again without that variable. Code can ask `cfg!(qnn_stub)`.
",
    ),
    row(
        "E0706",
        "execution failed",
        "\
The graph was loaded and running it failed. On a device, codes from 4000 on are usually the
transport to the DSP (permissions, SELinux), 2000 a skel library of another version or
architecture, 1008 an incompatible binary. `QNN_LOG=info` prints the library's log.
",
    ),
    row(
        "E0707",
        "an artifact file is missing",
        "\
The model is declared with `embed = \"file\"` (or is too large to embed), and its context binary
was not found beside the executable. `cargo qnn build` collects such files in
`target/<triple>/<profile>/qnn/`; ship them with the app, or set `QNN_ARTIFACT_DIR`.
",
    ),
];
