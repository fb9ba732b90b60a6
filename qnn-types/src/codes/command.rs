//! E08xx: the command line.

use super::{Class, Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0801",
        "an argument cannot be understood",
        "\
A value on the command line does not have the form that its option takes; the message shows the
form. `cargo qnn help COMMAND` describes every option, with examples.
",
    ),
    row(
        "E0802",
        "an input file cannot be used",
        "\
A file named on the command line does not exist, cannot be read, or is of another kind than the
command works on. `cargo qnn inspect FILE` says what a file is.
",
    ),
    row(
        "E0803",
        "arrays do not fit the graph",
        "\
The `.npz` file lacks an array for a graph input, has one that the graph does not know, or one
of another dtype or shape. `cargo qnn inspect FILE.bin` prints the graph's inputs; arrays are
matched by name. A leading dimension more than the graph has is taken as a batch of samples.
",
    ),
    row(
        "E0804",
        "the Android NDK was not found",
        "\
Linking for Android needs the NDK's clang. Set `ANDROID_NDK_HOME` (or install the NDK through
Android Studio's SDK manager and set `ANDROID_HOME`), or set the linker by
`CARGO_TARGET_<TRIPLE>_LINKER`. `cargo qnn doctor` prints what was found.
",
    )
    .class(Class::Toolchain),
    row(
        "E0805",
        "the workspace cannot be resolved",
        "\
`cargo metadata` failed, or a package named with `-p` is not in the workspace. The notes hold
cargo's own message. `--manifest-path` names another Cargo.toml.
",
    ),
];
