//! What an op package is built for.

use std::fmt;
use std::str::FromStr;

use qnn_platform::nearest::nearest;

use qnn_ops::elf::Machine;

/// A build of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The HTP library of x86-64 Linux: compiles models and emulates them.
    HtpX86,
    /// The NPU itself, of this Hexagon architecture.
    Hexagon(u32),
    /// The HTP library on an Android device that compiles models there.
    HtpAarch64Android,
    /// The CPU backend of x86-64 Linux.
    CpuX86,
    /// The CPU backend on Android.
    CpuAarch64Android,
}

/// Architectures of the NPU that packages are built for.
pub(super) const ARCHS: &[u32] = &[68, 69, 73, 75, 79, 81];

impl Target {
    /// Every target.
    pub fn all() -> impl Iterator<Item = Target> {
        let hexagon = ARCHS.iter().map(|arch| Target::Hexagon(*arch));
        std::iter::once(Target::HtpX86).chain(hexagon).chain([
            Target::HtpAarch64Android,
            Target::CpuX86,
            Target::CpuAarch64Android,
        ])
    }

    /// The folder of its files, as the QNN SDK's Makefiles call it.
    pub fn folder(self) -> String {
        match self {
            Target::HtpX86 => "x86_64-linux-clang".to_owned(),
            Target::Hexagon(arch) => format!("hexagon-v{arch}"),
            Target::HtpAarch64Android => "aarch64-android".to_owned(),
            Target::CpuX86 => "libs/x86_64-linux-clang".to_owned(),
            Target::CpuAarch64Android => "libs/aarch64-android".to_owned(),
        }
    }

    /// The library of a package of this name, as the SDK's Makefiles call it.
    pub fn library(self, package: &str) -> String {
        match self {
            Target::CpuX86 | Target::CpuAarch64Android => format!("lib{package}.so"),
            _ => format!("libQnn{package}.so"),
        }
    }

    /// Which processor its library is for, and for the NPU which architecture.
    pub fn machine(self) -> Machine {
        match self {
            Target::HtpX86 | Target::CpuX86 => Machine::X86_64,
            Target::Hexagon(arch) => Machine::Hexagon(arch),
            Target::HtpAarch64Android | Target::CpuAarch64Android => Machine::Aarch64,
        }
    }

    /// What the library is registered as on a device; nothing in the emulator.
    pub fn registration(self) -> Option<&'static str> {
        match self {
            Target::HtpX86 | Target::CpuX86 => None,
            Target::Hexagon(_) => Some("HTP"),
            Target::HtpAarch64Android | Target::CpuAarch64Android => Some("CPU"),
        }
    }

    /// Whether it is for the CPU backend.
    pub fn is_cpu_backend(self) -> bool {
        matches!(self, Target::CpuX86 | Target::CpuAarch64Android)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::HtpX86 => f.write_str("htp-x86"),
            Target::Hexagon(arch) => write!(f, "hexagon-v{arch}"),
            Target::HtpAarch64Android => f.write_str("htp-aarch64-android"),
            Target::CpuX86 => f.write_str("cpu-x86"),
            Target::CpuAarch64Android => f.write_str("cpu-aarch64-android"),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<String> = Target::all().map(|target| target.to_string()).collect();
        if let Some(target) = Target::all().find(|target| target.to_string() == text) {
            return Ok(target);
        }
        Err(match nearest(text, names.iter().map(String::as_str), 1).first() {
            Some(near) => format!("`{text}` is no target of op packages; did you mean `{near}`?"),
            None => format!("`{text}` is no target of op packages; there are {}", names.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_found_by_its_name() {
        for target in Target::all() {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        let error = "hexagon-v74".parse::<Target>().unwrap_err();
        assert!(error.contains("did you mean"), "{error}");
    }
}
