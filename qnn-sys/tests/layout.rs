//! Size, alignment and field offsets of every declaration, against numbers written down here. Needs no vendor file.

/// Makes a test of a list of layouts.
macro_rules! layouts {
    ($($([since $since:literal])? $module:ident::$name:ident = $c:ident ($size:literal, $align:literal) {
        $($field:ident: $cfield:ident @ $offset:literal),* $(,)?
    })*) => {
        pub(crate) const COUNT: usize = [$(stringify!($name)),*].len();

        #[test]
        fn structs_have_the_written_layout() {
            $({
                type Ours = qnn_sys::$module::$name;
                let name = concat!(stringify!($module), "::", stringify!($name));
                assert_eq!((size_of::<Ours>(), align_of::<Ours>()), ($size, $align), "size and alignment of {name}");
                $(
                    let offset = std::mem::offset_of!(Ours, $field);
                    assert_eq!(offset, $offset, "offset of {} in {name}", stringify!($field));
                )*
            })*
        }
    };
}

mod structs;

use std::fs;
use std::mem::offset_of;
use std::path::Path;

use qnn_sys::htp::DeviceCustomConfig;
use qnn_sys::interface::{Functions, InterfaceByValue, InterfaceHeader};
use qnn_sys::system::{GraphInfoV1, GraphInfoV2, SystemFunctions, SystemInterfaceHeader};
use qnn_sys::types::{TensorV1, TensorV2};

#[test]
fn tables_follow_their_headers() {
    assert_eq!(size_of::<InterfaceHeader>(), 40);
    assert_eq!(offset_of!(InterfaceByValue<75>, table), 40);
    assert_eq!(size_of::<InterfaceByValue<75>>(), 640);
    assert_eq!(size_of::<InterfaceByValue<68>>(), 584);
    assert_eq!(size_of::<SystemInterfaceHeader>(), 32);
    assert_eq!(size_of::<Functions>(), 75 * 8);
    assert_eq!(Functions::NAMES.len(), 75);
    assert_eq!(size_of::<SystemFunctions>(), 27 * 8);
    assert_eq!(SystemFunctions::NAMES.len(), 27);
}

#[test]
fn the_device_config_is_as_long_as_the_longest_version() {
    assert_eq!((size_of::<DeviceCustomConfig>(), align_of::<DeviceCustomConfig>()), (24, 8));
}

/// What lets [`qnn_sys::types::Tensor::common`] read a tensor of either version.
#[test]
fn a_version_2_tensor_begins_with_the_fields_of_version_1() {
    macro_rules! same_offset {
        ($($field:ident),*) => { $(
            assert_eq!(offset_of!(TensorV1, $field), offset_of!(TensorV2, $field), stringify!($field));
        )* };
    }
    same_offset!(
        id,
        name,
        tensor_type,
        data_format,
        data_type,
        quantize_params,
        rank,
        dimensions,
        mem_type,
        data
    );
    assert!(size_of::<TensorV1>() <= size_of::<TensorV2>());
}

/// What lets a graph info of a newer version be read as an older one.
#[test]
fn newer_graph_infos_begin_with_the_older() {
    assert_eq!(offset_of!(GraphInfoV2, num_updateable_tensors), size_of::<GraphInfoV1>());
    assert_eq!(offset_of!(qnn_sys::system::GraphInfoV3, blob_info_size), size_of::<GraphInfoV2>());
}

/// A struct that is declared but not listed would be compared with nothing.
#[test]
fn every_c_struct_is_listed() {
    // The two interface headers, the interface by value and the device config have tests of their own above.
    const OWN_TESTS: usize = 4;
    // The table of performance functions is listed, and declared by the macro of all tables.
    const BY_MACRO: usize = 1;
    let listed = structs::api::COUNT + structs::htp::COUNT + structs::system::COUNT + structs::types::COUNT;
    let declared = count_in_sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "#[repr(C");
    assert_eq!(declared + BY_MACRO, listed + OWN_TESTS);
}

fn count_in_sources(folder: &Path, text: &str) -> usize {
    fs::read_dir(folder)
        .expect("source folder")
        .map(|entry| entry.expect("entry").path())
        .map(|path| {
            if path.is_dir() {
                return count_in_sources(&path, text);
            }
            let source = fs::read_to_string(&path).expect("source file");
            source.lines().filter(|line| line.starts_with(text)).count()
        })
        .sum()
}
