//! E06xx: the store of compiled context binaries, and the output folders.

use super::{Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0601",
        "a store entry is damaged",
        "\
The bytes of a compiled context binary in the store do not have the hash that was recorded when
it was made. The entry is thrown away and the model compiled again; the build goes on. When it
happens repeatedly, check the disk.
",
    ),
    row(
        "E0602",
        "the cache folder cannot be written",
        "\
The store (`QNN_CACHE_DIR`, else `~/.cache/cargo-qnn`) is read-only or belongs to somebody else.
What is in it is used; what is compiled anew goes to the build's own folder, and is compiled
again by the next build that needs it. Set `QNN_CACHE_DIR` to a folder that can be written.
",
    ),
    row(
        "E0603",
        "the disk is full",
        "\
There was no room for a context binary or a file of the build (or a quota is used up). Nothing
half-written is left. `cargo qnn cache size` tells what the store takes, `cargo qnn cache prune`
frees it, `QNN_CACHE_DIR` moves it to another disk.
",
    ),
    row(
        "E0604",
        "the store cannot be used",
        "\
Reading or writing a file of the store failed for another reason than a full disk or missing
permission. The note is what the operating system said. Removing the cache folder (`cargo qnn
cache prune --all`) is always safe: everything in it can be made again.
",
    ),
    row(
        "E0605",
        "an output file cannot be written",
        "\
A file of the build (in `OUT_DIR` or in the folder where artifacts are collected) could not be
written. The note is what the operating system said. On Windows, a program that is running from
that folder is a common cause.
",
    ),
];
