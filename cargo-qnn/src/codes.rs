//! Codes of the errors that this crate makes; [`qnn_types::codes`] has the long form of each.

/// No model is declared.
pub(crate) const NO_MODEL: &str = "E0101";
/// The manifest cannot be read.
pub(crate) const MANIFEST: &str = "E0102";
/// No SoC has that name.
pub(crate) const UNKNOWN_SOC: &str = "E0105";
/// The DLC cannot be read.
pub(crate) const DLC: &str = "E0212";
/// The context binary does not fit.
pub(crate) const CONTEXT_BINARY: &str = "E0213";
/// ONNX Runtime is missing, or refuses the model.
pub(crate) const REFERENCE: &str = "E0218";
/// The QNN libraries were not found.
pub(crate) const NO_LIBRARIES: &str = "E0401";
/// The toolchain could not be installed: no compiler for this machine, no installer, no download, a wrong wheel.
pub(crate) const NOT_INSTALLED: &str = "E0402";
/// A QNN library cannot be loaded.
pub(crate) const NOT_LOADED: &str = "E0403";
/// A QNN library is damaged, or another than is recorded.
pub(crate) const LIBRARY: &str = "E0405";
/// The network is needed and forbidden.
pub(crate) const OFFLINE: &str = "E0409";
/// The cache folder cannot be written.
pub(crate) const NOT_WRITABLE: &str = "E0602";
/// The disk is full.
pub(crate) const DISK_FULL: &str = "E0603";
/// An output file cannot be written.
pub(crate) const OUTPUT_FILE: &str = "E0605";
/// An argument cannot be understood.
pub(crate) const ARGUMENT: &str = "E0801";
/// An input file cannot be used.
pub(crate) const INPUT_FILE: &str = "E0802";
/// Arrays do not fit the graph.
pub(crate) const ARRAYS: &str = "E0803";
/// The workspace cannot be resolved.
pub(crate) const WORKSPACE: &str = "E0805";
/// The Android NDK was not found.
pub(crate) const NO_NDK: &str = "E0804";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for code in [
            NO_LIBRARIES,
            NOT_INSTALLED,
            OFFLINE,
            NOT_WRITABLE,
            DISK_FULL,
            OUTPUT_FILE,
            ARGUMENT,
            NO_NDK,
            NO_MODEL,
            MANIFEST,
            UNKNOWN_SOC,
            WORKSPACE,
        ] {
            assert!(qnn_types::codes::find(code).is_some(), "{code}");
        }
    }
}
