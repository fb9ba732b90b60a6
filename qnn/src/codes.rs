//! What the vendor's error codes mean: name, usual cause, remedy.
//!
//! The vendor's messages rarely say more than a number. Causes and remedies are what the number was seen for in practice;
//! the library's own log lines, which accompany every [`crate::VendorError`], say the particulars.

/// A vendor error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// The number: the low 16 bits of the library's return value.
    pub code: u32,
    /// The vendor's name for it.
    pub name: &'static str,
    /// What it usually means.
    pub cause: &'static str,
    /// What usually helps.
    pub remedy: &'static str,
}

/// Decodes a return value of the library. Numbers without a row of their own get the row of their range.
pub fn decode(status: u64) -> Code {
    let code = (status & 0xffff) as u32;
    if let Some(row) = CODES.iter().find(|row| row.code == code) {
        return *row;
    }
    let range = RANGES.iter().find(|(first, last, _)| (*first..=*last).contains(&code));
    let name = range.map_or("an error outside the documented ranges", |(_, _, name)| name);
    Code { code, name, cause: "this version of the project does not know the number", remedy: SEE_LOG }
}

const SEE_LOG: &str = "read the library's log lines; QNN_LOG=verbose prints all of them";
const BUG: &str = "this is a defect of the calling code: report it with the library's log lines";
const REBUILD: &str =
    "compile the model again with the QNN release that this device runs, or ship that release's libraries";
const SHIP_SKEL: &str = "ship libQnnHtpVxxStub.so and libQnnHtpVxxSkel.so of the device's architecture (docs/DEVICE.md tells where they come from), and set ADSP_LIBRARY_PATH to their folder before the first call";
const SIMPLIFY: &str = "try optimization level 1, or narrow the model down to the op that the log names";
const RESTART: &str = "open the backend again; if the NPU crashed, the next session starts clean";
const SMALLER: &str = "close other models, or compile a smaller model or one with fewer graphs";

/// Every known code, ascending.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
    c(1000, "QNN_COMMON_ERROR_NOT_SUPPORTED", "this build of the library does not offer the function or option", "leave the option out, or use a newer QNN release"),
    c(1002, "QNN_COMMON_ERROR_MEM_ALLOC", "memory could not be had; while finalizing also: no implementation of an op fits its types, shapes or encodings", "read which op the log names; otherwise free memory or lower the VTCM request"),
    c(1003, "QNN_COMMON_ERROR_SYSTEM", "an operating-system call failed", SEE_LOG),
    c(1004, "QNN_COMMON_ERROR_INVALID_ARGUMENT", "an argument was refused", SEE_LOG),
    c(1005, "QNN_COMMON_ERROR_OPERATION_NOT_PERMITTED", "the process may not do this", "on Android, an app needs `<uses-native-library android:name=\"libcdsprpc.so\">` in its manifest"),
    c(1006, "QNN_COMMON_ERROR_PLATFORM_NOT_SUPPORTED", "this machine has no NPU the library can use", "run on a supported Snapdragon device, or in the emulator on an x86-64 Linux machine"),
    c(1007, "QNN_COMMON_ERROR_SYSTEM_COMMUNICATION", "the NPU could not be reached, or its session died", RESTART),
    c(1008, "QNN_COMMON_ERROR_INCOMPATIBLE_BINARIES", "host library, stub and skel are of different QNN releases", "ship all QNN libraries of one release, and make sure the system's own copies are not loaded first"),
    c(1009, "QNN_COMMON_ERROR_LOADING_BINARIES", "the NPU-side library could not be loaded", SHIP_SKEL),
    c(1010, "QNN_COMMON_ERROR_RESOURCE_UNAVAILABLE", "the NPU has no room for this now", SMALLER),
    c(1011, "QNN_COMMON_ERROR_SYSTEM_COMMUNICATION_FATAL", "the NPU's session is gone and cannot be used again", RESTART),
    c(1100, "QNN_COMMON_ERROR_GENERAL", "unspecified; also returned when no backend was created before", SEE_LOG),
    c(2000, "QNN_PROPERTY_ERROR_UNKNOWN_KEY", "the library does not know the property", "use a newer QNN release"),
    c(3000, "QNN_OP_PACKAGE_ERROR_LIBRARY_ALREADY_INITIALIZED", "an op package was initialized twice", BUG),
    c(3001, "QNN_OP_PACKAGE_ERROR_LIBRARY_NOT_INITIALIZED", "an op package was used before it was initialized", BUG),
    c(3002, "QNN_OP_PACKAGE_ERROR_INVALID_HANDLE", "an op package was given a bad handle", BUG),
    c(3100, "QNN_OP_PACKAGE_ERROR_INVALID_INFRASTRUCTURE", "an op package refused the library's infrastructure", "rebuild the op package for this QNN release"),
    c(3101, "QNN_OP_PACKAGE_ERROR_INVALID_INFO", "an op package's description of itself is wrong", "rebuild the op package for this QNN release"),
    c(3110, "QNN_OP_PACKAGE_ERROR_VALIDATION_FAILURE", "the op does not support these types, shapes, encodings or parameters on this SoC", "compare the log's list of supported configurations with the op; change its types, its precision or the SoC"),
    c(3200, "QNN_OP_PACKAGE_ERROR_INVALID_ARGUMENT", "an op package was given a bad argument", BUG),
    c(4000, "QNN_BACKEND_ERROR_CANNOT_INITIALIZE", "the backend did not start", SHIP_SKEL),
    c(4002, "QNN_BACKEND_ERROR_TERMINATE_FAILED", "the backend did not stop cleanly", RESTART),
    c(4003, "QNN_BACKEND_ERROR_NOT_SUPPORTED", "the backend does not offer the function", "use a newer QNN release"),
    c(4004, "QNN_BACKEND_ERROR_INVALID_ARGUMENT", "an argument to the backend was refused", BUG),
    c(4005, "QNN_BACKEND_ERROR_OP_PACKAGE_NOT_FOUND", "no registered op package has this op", "correct the op's name, or register the op package that has it"),
    c(4006, "QNN_BACKEND_ERROR_OP_PACKAGE_IF_PROVIDER_NOT_FOUND", "the op package exports no interface provider of that name", "correct the provider's name, or rebuild the op package"),
    c(4007, "QNN_BACKEND_ERROR_OP_PACKAGE_REGISTRATION_FAILED", "the op package could not be registered", "rebuild the op package for this QNN release and this machine"),
    c(4008, "QNN_BACKEND_ERROR_OP_PACKAGE_UNSUPPORTED_VERSION", "the op package was made for another QNN release", "rebuild the op package for this QNN release"),
    c(4009, "QNN_BACKEND_ERROR_OP_PACKAGE_DUPLICATE", "an op package of this name is already registered", "register it once"),
    c(4010, "QNN_BACKEND_ERROR_INCONSISTENT_CONFIG", "backend options contradict each other", BUG),
    c(4011, "QNN_BACKEND_ERROR_INVALID_HANDLE", "the backend handle is not valid", BUG),
    c(4012, "QNN_BACKEND_ERROR_INVALID_CONFIG", "a backend option was refused", BUG),
    c(4950, "QNN_SAVER_ERROR_DUMMY_RETVALUE", "the recording backend does not execute", "use the HTP backend"),
    c(5000, "QNN_CONTEXT_ERROR_INVALID_ARGUMENT", "the context binary or an option was refused: usually a binary of another QNN release or architecture", REBUILD),
    c(5001, "QNN_CONTEXT_ERROR_CTX_DOES_NOT_EXIST", "the context was freed or never created", BUG),
    c(5002, "QNN_CONTEXT_ERROR_INVALID_HANDLE", "the context handle is not valid", BUG),
    c(5003, "QNN_CONTEXT_ERROR_NOT_FINALIZED", "a graph of the context was not finalized", "finalize every graph before the binary is written"),
    c(5004, "QNN_CONTEXT_ERROR_BINARY_VERSION", "the context binary was made by an incompatible QNN release", REBUILD),
    c(5005, "QNN_CONTEXT_ERROR_CREATE_FROM_BINARY", "the context binary could not be loaded: another release or architecture, a missing op package, or too little memory on the NPU", REBUILD),
    c(5006, "QNN_CONTEXT_ERROR_GET_BINARY_SIZE_FAILED", "the context could not be measured", SEE_LOG),
    c(5007, "QNN_CONTEXT_ERROR_GET_BINARY_FAILED", "the context could not be written", SEE_LOG),
    c(5008, "QNN_CONTEXT_ERROR_BINARY_CONFIGURATION", "the binary's configuration does not fit this device", REBUILD),
    c(5009, "QNN_CONTEXT_ERROR_SET_PROFILE", "profiling could not be attached", "run without profiling"),
    c(5010, "QNN_CONTEXT_ERROR_INVALID_CONFIG", "a context option was refused", "leave the option out: the library of this machine or SoC does not know it"),
    c(5011, "QNN_CONTEXT_ERROR_BINARY_SUBOPTIMAL", "the binary was made for another, older SoC", "compile the model for this SoC as well"),
    c(5012, "QNN_CONTEXT_ERROR_ABORTED", "the call was cancelled", "call again"),
    c(5013, "QNN_CONTEXT_ERROR_TIMED_OUT", "the call ran out of its time", "call again with more time"),
    c(5014, "QNN_CONTEXT_ERROR_INCREMENT_INVALID_BUFFER", "a buffer was not the library's own", BUG),
    c(6000, "QNN_GRAPH_ERROR_INVALID_ARGUMENT", "a graph option or a mandatory op parameter is missing or refused", "read which one the log names"),
    c(6001, "QNN_GRAPH_ERROR_INVALID_HANDLE", "the graph handle is not valid", BUG),
    c(6002, "QNN_GRAPH_ERROR_GRAPH_DOES_NOT_EXIST", "the context has no graph of this name", "list the graphs with `cargo qnn inspect`"),
    c(6003, "QNN_GRAPH_ERROR_INVALID_NAME", "the graph's name is empty or taken", "give every graph of a context its own name"),
    c(6004, "QNN_GRAPH_ERROR_INVALID_TENSOR", "a tensor does not belong to the graph or has an unexpected type or size", "compare with `cargo qnn inspect`: the binary may be newer than the code that calls it"),
    c(6005, "QNN_GRAPH_ERROR_INVALID_OP_CONFIG", "an op's inputs, outputs or parameters are malformed", "read which op the log names"),
    c(6006, "QNN_GRAPH_ERROR_SET_PROFILE", "profiling could not be attached", "run without profiling"),
    c(6007, "QNN_GRAPH_ERROR_UNCONNECTED_NODE", "an op uses a tensor that nothing produces, or its op package is unknown", "add the producer first; read which op the log names"),
    c(6020, "QNN_GRAPH_ERROR_CREATE_FAILED", "the graph could not be prepared; seen when an output is produced by no op", "make every output the output of an op"),
    c(6021, "QNN_GRAPH_ERROR_OPTIMIZATION_FAILED", "the graph could not be optimized", SIMPLIFY),
    c(6022, "QNN_GRAPH_ERROR_FINALIZE_FAILED", "the graph could not be compiled: it is empty, has an op that was refused, or does not fit the SoC", SIMPLIFY),
    c(6023, "QNN_GRAPH_ERROR_GRAPH_NOT_FINALIZED", "the graph is executed before it is finalized", BUG),
    c(6024, "QNN_GRAPH_ERROR_GRAPH_FINALIZED", "the graph is changed after it was finalized", BUG),
    c(6025, "QNN_GRAPH_ERROR_EXECUTION_ASYNC_FIFO_FULL", "too many executions wait", "wait for one to finish"),
    c(6030, "QNN_GRAPH_ERROR_SIGNAL_IN_USE", "a signal is used by two calls", BUG),
    c(6031, "QNN_GRAPH_ERROR_ABORTED", "the execution was cancelled", "call again"),
    c(6032, "QNN_GRAPH_ERROR_PROFILE_IN_USE", "profiling is attached to another graph", BUG),
    c(6033, "QNN_GRAPH_ERROR_TIMED_OUT", "the execution ran out of its time", "call again with more time"),
    c(6034, "QNN_GRAPH_ERROR_SUBGRAPH", "not possible on a subgraph", BUG),
    c(6035, "QNN_GRAPH_ERROR_DISABLED", "the graph is disabled in this context", "enable the graph when the context is loaded"),
    c(6036, "QNN_GRAPH_ERROR_DYNAMIC_TENSOR_SHAPE", "a tensor's dynamic shape was refused", "use fixed shapes"),
    c(6037, "QNN_GRAPH_ERROR_TENSOR_SPARSITY", "a tensor's sparsity was refused", "use dense tensors"),
    c(6038, "QNN_GRAPH_ERROR_EARLY_TERMINATION", "the execution ended early", "call again"),
    c(6039, "QNN_GRAPH_ERROR_INVALID_CONTEXT", "the graph's context was freed", BUG),
    c(7001, "QNN_TENSOR_ERROR_INVALID_HANDLE", "the tensor handle is not valid", BUG),
    c(7002, "QNN_TENSOR_ERROR_DOES_NOT_EXIST", "the tensor does not exist", BUG),
    c(7003, "QNN_TENSOR_ERROR_ALREADY_EXISTS", "the graph has a tensor of this name", "give every tensor of a graph its own name"),
    c(7004, "QNN_TENSOR_ERROR_INVALID_TENSOR_PARAM", "the tensor's type, data or name was refused", "read what the log names; 64-bit and 4-bit types are not tensor types of the HTP"),
    c(7005, "QNN_TENSOR_ERROR_UNSUPPORTED_TENSOR_PARAM", "a property of the tensor is not supported", "read what the log names"),
    c(7006, "QNN_TENSOR_ERROR_NAME_HASH_COLLISION", "two tensor names have the same hash", "rename one of the tensors"),
    c(7007, "QNN_TENSOR_ERROR_INCOMPATIBLE_TENSOR_UPDATE", "an update changes more than data and encoding", "keep type and shape"),
    c(8000, "QNN_MEM_ERROR_INVALID_ARGUMENT", "shared memory was described wrongly", BUG),
    c(8001, "QNN_MEM_ERROR_INVALID_HANDLE", "the memory handle is not valid", BUG),
    c(8002, "QNN_MEM_ERROR_ALREADY_REGISTERED", "the memory is already registered", "register it once"),
    c(8003, "QNN_MEM_ERROR_MAPPING", "the memory could not be mapped on the NPU", SMALLER),
    c(8004, "QNN_MEM_ERROR_INVALID_SHAPE", "the memory's shape does not fit the tensor", BUG),
    c(8005, "QNN_MEM_ERROR_UNSUPPORTED_MEMTYPE", "the kind of memory is not supported", "use ordinary buffers"),
    c(9000, "QNN_SIGNAL_ERROR_SIGNAL_IN_USE", "a signal is used by two calls", BUG),
    c(11002, "QNN_LOG_ERROR_INITIALIZATION", "logging could not be set up", BUG),
    c(11003, "QNN_LOG_ERROR_INVALID_ARGUMENT", "the log level is not 1 to 5", BUG),
    c(11004, "QNN_LOG_ERROR_INVALID_HANDLE", "the log handle is not valid", BUG),
    c(12000, "QNN_PROFILE_ERROR_INVALID_HANDLE", "the profile handle is not valid", BUG),
    c(12001, "QNN_PROFILE_ERROR_HANDLE_IN_USE", "the profile is used by two calls", BUG),
    c(12002, "QNN_PROFILE_ERROR_INCOMPATIBLE_EVENT", "the profile event has no such data", BUG),
    c(13000, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_INVALID_HANDLE_PTR", "the performance handle is not valid", BUG),
    c(13001, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_INVALID_INPUT", "a performance setting was refused", "use another performance mode"),
    c(13002, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_UNSUPPORTED_CONFIG", "the device does not know this performance setting", "use another performance mode"),
    c(13003, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_TRANSPORT", "the NPU could not be reached", RESTART),
    c(13004, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_UNSUPPORTED", "performance control is not available here", "go on without it"),
    c(13005, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_MEM_ALLOC", "memory could not be had", SMALLER),
    c(13006, "QNN_HTP_PERF_INFRASTRUCTURE_ERROR_FAILED", "the performance setting could not be applied", SEE_LOG),
    c(14000, "QNN_DEVICE_ERROR_INVALID_HANDLE", "the device handle is not valid", BUG),
    c(14001, "QNN_DEVICE_ERROR_INVALID_CONFIG", "the library does not know the SoC; on a device also: its stub or skel was not found", SHIP_SKEL),
    c(14002, "QNN_DEVICE_ERROR_HARDWARE_UNAVAILABLE", "the NPU is not available", RESTART),
    c(14003, "QNN_DEVICE_ERROR_ASSOCIATED_TO_CONTEXT", "the device is closed while a context uses it", BUG),
    c(14004, "QNN_DEVICE_ERROR_ACCESS_DENIED", "the process may not use the NPU", "on Android, an app needs `<uses-native-library android:name=\"libcdsprpc.so\">` in its manifest"),
    c(15000, "QNN_GLOBAL_CONFIG_ERROR_INVALID_CONFIG", "a global option was refused", BUG),
    c(30000, "QNN_SYSTEM_COMMON_ERROR_INVALID_HANDLE", "a handle of the metadata reader is not valid", BUG),
    c(30001, "QNN_SYSTEM_COMMON_ERROR_INVALID_ARGUMENT", "the data is no context binary or DLC", "check the file: it is of another kind, or was not copied whole"),
    c(30002, "QNN_SYSTEM_CONTEXT_ERROR_OPERATION_FAILED", "the metadata reader could not do its work", SEE_LOG),
    c(30010, "QNN_SYSTEM_CONTEXT_ERROR_MALFORMED_BINARY", "the data is damaged, cut short, or no context binary or DLC", "check the file: it is of another kind, or was not copied whole"),
];

/// Number ranges of the vendor's interfaces.
const RANGES: &[(u32, u32, &str)] = &[
    (1000, 1999, "a common error"),
    (2000, 2999, "a property error"),
    (3000, 3999, "an op package error"),
    (4000, 4999, "a backend error"),
    (5000, 5999, "a context error"),
    (6000, 6999, "a graph error"),
    (7000, 7999, "a tensor error"),
    (8000, 8999, "a memory error"),
    (9000, 9999, "a signal error"),
    (10000, 10999, "an error of error reporting"),
    (11000, 11999, "a logging error"),
    (12000, 12999, "a profiling error"),
    (13000, 13999, "a performance control error"),
    (14000, 14999, "a device error"),
    (15000, 15999, "a global configuration error"),
    (30000, 49999, "an error of the metadata and DLC reader"),
    (60000, 60999, "an interface error"),
];

const fn c(code: u32, name: &'static str, cause: &'static str, remedy: &'static str) -> Code {
    Code { code, name, cause, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_bits_of_a_status_do_not_matter() {
        assert_eq!(decode(0xffff_0000_0000_0000 | 3110).name, "QNN_OP_PACKAGE_ERROR_VALIDATION_FAILURE");
    }

    #[test]
    fn an_unknown_number_is_named_by_its_range() {
        assert_eq!(decode(6999).name, "a graph error");
        assert_eq!(decode(7).name, "an error outside the documented ranges");
    }

    #[test]
    fn rows_ascend_and_lie_in_a_range() {
        assert!(CODES.is_sorted_by_key(|row| row.code));
        for pair in CODES.windows(2) {
            assert_ne!(pair[0].code, pair[1].code);
        }
        for row in CODES {
            assert!(
                RANGES.iter().any(|(first, last, _)| (*first..=*last).contains(&row.code)),
                "{}",
                row.code
            );
        }
    }
}
