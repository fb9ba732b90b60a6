//! The declarations of this crate against those generated from the vendor's headers below `QNN_SDK_ROOT`, of whichever supported
//! version they are.
#![cfg(feature = "bindgen")]

/// Makes a test of a list of layouts.
macro_rules! layouts {
    ($($([since $since:literal])? $module:ident::$name:ident = $c:ident ($size:literal, $align:literal) {
        $($field:ident: $cfield:ident @ $offset:literal),* $(,)?
    })*) => {
        #[test]
        fn structs_are_laid_out_as_in_the_headers() {
            use qnn_sys::bindings;
            $($(#[cfg(qnn_headers = $since)])? {
                type Ours = qnn_sys::$module::$name;
                type Theirs = bindings::$c;
                let name = stringify!($c);
                assert_eq!(size_of::<Ours>(), size_of::<Theirs>(), "size of {name}");
                assert_eq!(align_of::<Ours>(), align_of::<Theirs>(), "alignment of {name}");
                $(
                    let ours = std::mem::offset_of!(Ours, $field);
                    let theirs = std::mem::offset_of!(Theirs, $cfield);
                    assert_eq!(ours, theirs, "offset of {} in {name}", stringify!($cfield));
                )*
            })*
        }
    };
}

mod functions;
mod structs;

use std::collections::HashMap;
use std::fs;
use std::mem::offset_of;
use std::path::Path;

use qnn_sys::htp::DeviceCustomConfig;
use qnn_sys::interface::Functions;
use qnn_sys::system::SystemFunctions;
use qnn_sys::types::Version;
use qnn_sys::{AbiVersion, DeviceConfigLayout, SlotCount, SystemVersion};
use qnn_sys::{api, bindings, error, htp, ir, system, types};

const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));

fn abi() -> AbiVersion {
    let version = Version::new(bindings::QNN_API_VERSION_MAJOR, bindings::QNN_API_VERSION_MINOR);
    AbiVersion::new(version).expect("the build script refuses headers of other versions")
}

fn system_version() -> SystemVersion {
    let version =
        Version::new(bindings::QNN_SYSTEM_API_VERSION_MAJOR, bindings::QNN_SYSTEM_API_VERSION_MINOR);
    SystemVersion::new(version).expect("supported")
}

/// Field names of a generated struct, in order.
fn fields(name: &str) -> Vec<&'static str> {
    let (_, rest) = GENERATED.split_once(&format!("pub struct {name} {{")).expect("generated struct");
    let (body, _) = rest.split_once('}').expect("end of struct");
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn the_backend_table_has_our_slots_in_our_order() {
    let theirs = fields("QnnInterface_Implementation_t");
    assert_eq!(theirs, Functions::NAMES[..theirs.len().min(Functions::NAMES.len())]);
    match abi().slots() {
        SlotCount::Exactly(count) => assert_eq!(count, theirs.len()),
        SlotCount::AtLeast(count) => assert!(count <= theirs.len()),
    }
}

#[test]
fn the_system_table_begins_with_our_slots_in_our_order() {
    let theirs = fields("QnnSystemInterface_Implementation_t");
    let common = theirs.len().min(SystemFunctions::NAMES.len());
    assert_eq!(theirs[..common], SystemFunctions::NAMES[..common]);
    match system_version().slots() {
        SlotCount::Exactly(count) => assert_eq!(count, theirs.len()),
        SlotCount::AtLeast(count) => assert!(count <= theirs.len()),
    }
}

#[test]
fn both_interfaces_are_known_to_be_of_one_sdk() {
    if let SlotCount::Exactly(_) = abi().slots() {
        assert!(abi().same_sdk(system_version()));
    }
}

#[test]
#[expect(unsafe_code, reason = "reads our bytes as the library would")]
fn the_device_config_is_read_where_our_layout_writes_it() {
    let theirs = offset_of!(bindings::QnnHtpDevice_CustomConfig_t, __bindgen_anon_1);
    let ours = match abi().device_config_layout() {
        DeviceConfigLayout::Offset4 => 4,
        DeviceConfigLayout::Offset8 => 8,
    };
    assert_eq!(ours, theirs);
    assert!(size_of::<DeviceCustomConfig>() >= size_of::<bindings::QnnHtpDevice_CustomConfig_t>());

    // What the library would read from our configs.
    let soc = DeviceCustomConfig::soc(57);
    let arch = DeviceCustomConfig::arch(abi(), 3, htp::Arch::V75);
    // SAFETY: ours is at least as long and as aligned as theirs, all bytes are initialised, and every bit pattern is valid
    // for the members that are read.
    unsafe {
        let soc = &*(&raw const soc).cast::<bindings::QnnHtpDevice_CustomConfig_t>();
        assert_eq!(soc.option, bindings::QNN_HTP_DEVICE_CONFIG_OPTION_SOC);
        assert_eq!(soc.__bindgen_anon_1.socModel, 57);
        let arch = &*(&raw const arch).cast::<bindings::QnnHtpDevice_CustomConfig_t>();
        assert_eq!(arch.option, bindings::QNN_HTP_DEVICE_CONFIG_OPTION_ARCH);
        assert_eq!(arch.__bindgen_anon_1.arch.deviceId, 3);
        assert_eq!(arch.__bindgen_anon_1.arch.arch, bindings::QNN_HTP_DEVICE_ARCH_V75);
    }
}

/// Every enumeration of this crate.
const ENUMERATIONS: &[&[(&str, u32)]] = &[
    api::BackendConfigOption::ALL,
    api::GlobalConfigOption::ALL,
    api::ContextConfigOption::ALL,
    api::BinaryCompatibility::ALL,
    api::ContextNotifyType::ALL,
    api::ContextSection::ALL,
    api::ContextMemType::ALL,
    api::CallbackType::ALL,
    api::DeviceConfigOption::ALL,
    api::GraphConfigOption::ALL,
    api::ProfilingState::ALL,
    api::ExecuteEnvironmentOption::ALL,
    api::NodeValidationStatus::ALL,
    api::LogLevel::ALL,
    api::MemType::ALL,
    api::ProfileLevel::ALL,
    api::ProfileEventType::ALL,
    api::ProfileEventUnit::ALL,
    api::ProfileConfigOption::ALL,
    api::PropertyKey::ALL,
    api::SignalConfigOption::ALL,
    htp::ContextCustomOption::ALL,
    htp::ContextPropertyOption::ALL,
    htp::Arch::ALL,
    htp::DeviceCustomOption::ALL,
    htp::DeviceType::ALL,
    htp::InfrastructureType::ALL,
    htp::OptimizationType::ALL,
    htp::GraphCustomOption::ALL,
    htp::ConcurrencyOption::ALL,
    htp::MemType::ALL,
    htp::GraphBlobVersion::ALL,
    htp::VoltageCorner::ALL,
    htp::ExpVoltageCorner::ALL,
    htp::PowerMode::ALL,
    htp::ClockPerfMode::ALL,
    htp::PowerConfigOption::ALL,
    htp::ProfileEvent::ALL,
    ir::GraphConfigOption::ALL,
    ir::SerializationType::ALL,
    system::DlcRecordType::ALL,
    system::GraphInfoVersion::ALL,
    system::BinaryInfoVersion::ALL,
    system::SerializationTargetConfigType::ALL,
    system::ProfileMethod::ALL,
    types::Priority::ALL,
    types::ErrorReportingLevel::ALL,
    types::MappingType::ALL,
    types::ParamType::ALL,
    types::Definition::ALL,
    types::QuantizationEncoding::ALL,
    types::EncodingMapping::ALL,
    types::BlockScaleStorage::ALL,
    types::DataType::ALL,
    types::FloatEncoding::ALL,
    types::Precision::ALL,
    types::TensorType::ALL,
    types::TensorDataFormat::ALL,
    types::TensorMemType::ALL,
    types::SparseLayoutType::ALL,
    types::TensorVersion::ALL,
];

/// Names that core 2.39 brought; the newest headers before it lack them.
const OF_2_39: &[&str] = &[
    "QNN_GRAPH_NODE_VALIDATION_STATUS_SUPPORTED",
    "QNN_GRAPH_NODE_VALIDATION_STATUS_UNSUPPORTED",
    "QNN_GRAPH_NODE_VALIDATION_STATUS_UNDEFINED",
    "QNN_HTP_CONTEXT_CONFIG_OPTION_GRAPH_SPLITTING_CONFIGS",
    "QNN_HTP_CONTEXT_CONFIG_OPTION_LORA_PRELOAD_BUFFER_GROUPS",
    "QNN_HTP_CONTEXT_CONFIG_OPTION_PARALLEL_WEIGHT_LOADING",
    "QNN_HTP_GRAPH_CONFIG_OPTION_ENABLE_PREDICATION",
    "QNN_HTP_GRAPH_CONFIG_OPTION_FP16_CLAMP_OVERFLOW",
    "QNN_GRAPH_ERROR_CYCLE_DETECTED",
];

/// Integer constants of the generated declarations.
fn constants() -> HashMap<&'static str, u32> {
    let statements = GENERATED.split("pub const ").skip(1).filter_map(|rest| rest.split_once(';'));
    statements
        .filter_map(|(statement, _)| {
            let (name, rest) = statement.split_once(':')?;
            let value = rest.split_once('=')?.1.trim().parse().ok()?;
            Some((name, value))
        })
        .collect()
}

#[test]
fn constants_have_the_values_of_the_headers() {
    let theirs = constants();
    let codes = error::CODES.iter().map(|(code, name)| (*name, *code));
    let ours = ENUMERATIONS.iter().flat_map(|values| values.iter().copied()).chain(codes);
    let mut compared = 0;
    let mut missing = Vec::new();
    for (name, value) in ours {
        match theirs.get(name) {
            Some(theirs) => assert_eq!(value, *theirs, "{name}"),
            None => missing.push(name),
        }
        compared += 1;
    }
    if cfg!(qnn_headers = "2.37") && cfg!(qnn_headers = "ir") {
        missing.retain(|name| !OF_2_39.contains(name));
        assert_eq!(missing, Vec::<&str>::new(), "not in the headers");
    } else {
        // Older headers lack what came later; core 2.27 has three quarters of the names.
        assert!(missing.len() * 10 < compared * 3, "{} of {compared} not in the headers", missing.len());
    }
}

/// An enumeration that is declared but not listed would be compared with nothing.
#[test]
fn every_enumeration_is_listed() {
    let sources = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    assert_eq!(enumerations_in(sources), ENUMERATIONS.len());
}

fn enumerations_in(folder: &Path) -> usize {
    fs::read_dir(folder)
        .expect("source folder")
        .map(|entry| entry.expect("entry").path())
        .map(|path| {
            if path.is_dir() {
                return enumerations_in(&path);
            }
            let source = fs::read_to_string(&path).expect("source file");
            source.lines().filter(|line| *line == "c_enum! {").count()
        })
        .sum()
}
