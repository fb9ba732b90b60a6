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
permission. The note is what the operating system said. `cargo qnn cache prune --all` removes
what the store has, and nothing else in its folder: all of it can be made again.
",
    ),
    row(
        "E0605",
        "an output file cannot be written",
        "\
A file of the build (in `OUT_DIR` or in the folder where artifacts are collected), or an output that
a command was told to write, could not be written: the note is what the operating system said. An
output that is one of the command's inputs is refused as well. On Windows, a program that is
running from that folder is a common cause.
",
    ),
    row(
        "E0606",
        "the folder is not a cache of cargo-qnn",
        "\
`cargo qnn cache prune` removes files only from a folder that `cargo-qnn` made: one with a
`CACHEDIR.TAG` that says so. `QNN_CACHE_DIR` names another one, such as your home folder. Nothing
was removed. `cargo qnn cache dir` prints the folder.
",
    ),
    row(
        "E0607",
        "others can write to the cache folder",
        "\
Everybody may write to the store of compiled models. Its entries
are checked against damage, not against people: whoever can write there decides what your app
runs. Take the permission away (`chmod -R go-w ~/.cache/cargo-qnn`), or set `QNN_CACHE_DIR` to a
folder of your own. To share compiled models, let one account write the store and the others
read it.
",
    ),
    row(
        "E0608",
        "the model's files were changed while they were compiled",
        "\
The model, its external data, its samples, its encodings or an op package had other bytes after
the compile than before it. Which of them were compiled is unknown, so the result was thrown
away: kept, it would be taken for the model's later on. Build again when the program that
writes the file has finished.
",
    ),
    row(
        "E0609",
        "compiled again, a model has other bytes than the store has of it",
        "\
With `QNN_CHECK_CACHE` set, a model that the store has is compiled again and both are compared.
They must be the same to the last byte: the store's key names everything that decides them. So
this is a fault of `cargo-qnn`, or somebody changed the entry and its record. Please report it
with the model. `cargo qnn cache prune --all` empties the store.
",
    ),
];
