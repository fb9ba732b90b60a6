//! E05xx: worker processes.

use super::{Class, Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0501",
        "cargo-qnn was not found",
        "\
A build script does not compile models itself: it asks the program `cargo-qnn`, which it looks
for in `CARGO_QNN` and then on `PATH`. In a clone of the project:

    cargo install --locked --path cargo-qnn

`cargo qnn build` sets `CARGO_QNN` for the builds it starts. For a machine that shall not
compile models (documentation, an editor), set `QNN_BUILD=stub`.
",
    )
    .class(Class::Toolchain),
    row(
        "E0502",
        "cargo-qnn has another version",
        "\
`cargo-qnn` and the `qnn-build` of the app speak different versions of the job protocol. Install
the cargo-qnn that belongs to the app's qnn-build, from the same clone or version, or update
qnn-build in Cargo.toml (`cargo update -p qnn-build`).
",
    )
    .class(Class::Toolchain),
    row(
        "E0503",
        "the compiler crashed",
        "\
The process that compiled the model died of a signal, almost always inside the vendor's library.
Nothing else is affected: every model is compiled in a process of its own. The message names the
stage; the notes hold the last lines it printed.

If a shape or parameter of the model is unusual (a stride of 0, an empty tensor), that is the
likely cause. `cargo qnn check` finds many of them before the library does. Otherwise please
report it; `QNN_KEEP=folder` keeps the job.
",
    ),
    row(
        "E0504",
        "out of memory",
        "\
The process that compiled the model was ended for lack of memory, or could not get any.
Compiling takes about six times the size of the weights. Run fewer jobs at once (`-j 1`,
`--mem-limit MIB`), close other programs, add swap, or compile on a larger machine: the store's
entries can be copied.
",
    ),
    row(
        "E0505",
        "timeout",
        "\
The job took longer than `--timeout` or `QNN_TIMEOUT` allows, and its process was ended. Without
either there is no limit. The stage `finalize` is the vendor's compilation proper; it takes
seconds for small networks and minutes for large ones, and less with `htp.optimization = 1`.
",
    ),
    row(
        "E0506",
        "the worker ended without an answer",
        "\
The worker process exited before it reported success or failure, or what it wrote could not be
understood. Usually `CARGO_QNN` or `PATH` leads to a program that is not cargo-qnn. Otherwise it
is a defect: please report it with the log that the message names.
",
    ),
    row(
        "E0507",
        "the worker could not be started",
        "\
The operating system refused to start `cargo-qnn`: no permission, a file for another
architecture, or too many processes. The note is what it said. `cargo-qnn --version` must work
in the same terminal.
",
    ),
    row(
        "E0508",
        "the job cannot be understood",
        "\
The worker could not read the job that it was sent. Driver and worker check their versions
before, so this is a defect: please report it with the log that the message names.
",
    ),
    row(
        "E0509",
        "the compiler was stopped from outside",
        "\
The worker process got a signal that asks a program to end (SIGTERM, SIGINT, SIGHUP): Ctrl-C, a
CI system that cancelled the job, or a shutdown. Nothing is left behind; the next build starts
cleanly.
",
    ),
    row(
        "E0510",
        "a defect in cargo-qnn",
        "\
The worker hit a state that its code does not expect (a Rust panic). The notes hold its message.
Please report it with the model if it can be shared; `QNN_KEEP=folder` keeps the job.
",
    ),
    row(
        "E0511",
        "the context binary may have other bytes in another process",
        "\
The vendor's compiler copies more than the constants of a model into the context binary: a few
bytes of what lies behind them in its memory, without any influence on numbers. So that these
bytes are always the same, the worker gives the compiler a heap of its own, for which the system
must allow 10 GiB of address space (not of memory). Here it did not. The binary is right; compiled
again elsewhere, it may have another hash. Allow more address space: `ulimit -v unlimited`.
",
    ),
    row(
        "E0512",
        "a pass of the compiler broke the graph",
        "\
Between the model and the device a graph goes through passes, and after each of them it is held
against what all passes rely on: order, types, encodings, layout. Here it was no graph any more.
It is a defect of cargo-qnn: please report it, with the model if it can be shared. A release build
looks where `QNN_VERIFY_IR` is set; `QNN_PRINT_IR=folder` writes the graph after every pass.
",
    ),
];
