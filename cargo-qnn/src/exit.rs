//! Exit codes. The list is append-only: scripts depend on the numbers.

/// How a command ended, as the number the shell sees. Panics end with 101, Rust's own code for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and every check passed.
    Ok,
    /// The model, the manifest or a file of the user is wrong, or a comparison missed its threshold.
    User,
    /// The command line is wrong.
    Usage,
    /// The QNN libraries, or another tool that is needed, are missing or damaged.
    Toolchain,
    /// The vendor's compiler refused the model, crashed or ran out of time.
    Compile,
    /// A device could not be reached or refused to run.
    Device,
    /// The code of cargo, or of the app that it ran.
    PassedOn(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::User => 1,
            Exit::Usage => 2,
            Exit::Toolchain => 3,
            Exit::Compile => 4,
            Exit::Device => 5,
            Exit::PassedOn(code) => code,
        }
    }
}

/// Every exit code with its meaning, for `--help` and the manual page.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    the model, the manifest or an input file is wrong, or a threshold was missed
  2    the command line is wrong
  3    the QNN libraries or another needed tool are missing or damaged
  4    the compiler refused the model, crashed or ran out of time
  5    a device could not be reached or refused to run
  101  a bug in cargo-qnn, or cargo failed
`cargo qnn build` and `run` pass on what cargo or the app ends with.";
