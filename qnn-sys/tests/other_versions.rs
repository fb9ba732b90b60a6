//! Libraries of versions that this project cannot install, stood in for by small ones with a table of their own.
#![expect(unsafe_code, reason = "loads libraries made here")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;

use qnn_sys::interface::Functions;
use qnn_sys::system::{ComposeError, ComposeGraphs, GraphInfoVersion, SystemFunctions};
use qnn_sys::{BackendLibrary, LoadError, SlotCount, SymbolScope, SystemLibrary};

/// Source of a library with one provider. Slot `n` returns `n`; the memory after the table is not null either.
const SOURCE: &str = r#"
    #[repr(C)]
    struct Interface { backend: u32, name: *const u8, version: [u32; VERSION_WORDS], table: [usize; SLOTS], after: [usize; 99] }
    unsafe impl Sync for Interface {}
    extern "C" fn slot<const N: u64>() -> u64 { N }
    fn table() -> Interface {
        let mut interface = Interface {
            backend: 6, name: c"TEST".as_ptr().cast(), version: VERSION, table: [slot::<0> as usize; SLOTS], after: [1; 99],
        };
        interface.table[LAST] = slot::<{ LAST as u64 }> as usize;
        interface
    }
    #[unsafe(no_mangle)]
    unsafe extern "C" fn GET_PROVIDERS(list: *mut *const *const Interface, count: *mut u32) -> u64 {
        unsafe {
            *count = PROVIDERS;
            *list = Box::leak(Box::new(&raw const *Box::leak(Box::new(table()))));
        }
        RESULT
    }
"#;

/// What a library made here is like.
struct Made<'a> {
    get_providers: &'a str,
    version: &'a str,
    slots: usize,
    providers: u32,
    result: u64,
}

/// A backend library of core API 2.`minor`.
fn of_core(version: &str, slots: usize) -> Made<'_> {
    Made { get_providers: "QnnInterface_getProviders", version, slots, providers: 1, result: 0 }
}

/// A System library.
fn of_system(version: &str, slots: usize) -> Made<'_> {
    Made { get_providers: "QnnSystemInterface_getProviders", ..of_core(version, slots) }
}

fn make(folder: &Path, made: &Made<'_>) -> PathBuf {
    let words = made.version.split(',').count();
    let source = SOURCE
        .replace("GET_PROVIDERS", made.get_providers)
        .replace("VERSION_WORDS", &words.to_string())
        .replace("VERSION", &format!("[{}]", made.version))
        .replace("PROVIDERS", &made.providers.to_string())
        .replace("SLOTS", &made.slots.to_string())
        .replace("LAST", &(made.slots - 1).to_string())
        .replace("RESULT", &made.result.to_string());
    let input = folder.join("library.rs");
    std::fs::write(&input, source).expect("write");
    let name = format!("{}_{}.so", made.get_providers, made.version.replace([',', ' '], "_"));
    let output = folder.join(name);
    let compiled = Command::new("rustc")
        .args(["--edition", "2024", "--crate-type", "cdylib", "-C", "panic=abort", "-o"])
        .args([&output, &input])
        .output()
        .expect("rustc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    output
}

fn backend(folder: &Path, made: &Made<'_>) -> Result<BackendLibrary, LoadError> {
    // SAFETY: a library made above.
    unsafe { BackendLibrary::open(&make(folder, made), SymbolScope::Local) }
}

fn system(folder: &Path, made: &Made<'_>) -> Result<SystemLibrary, LoadError> {
    // SAFETY: a library made above.
    unsafe { SystemLibrary::open(&make(folder, made)) }
}

#[test]
fn versions_outside_the_range_are_refused_with_what_was_found_and_what_is_supported() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for (version, found) in
        [("2,26,0,5,35,0", "2.26.0"), ("2,41,0,5,52,0", "2.41.0"), ("3,30,0,6,0,0", "3.30.0")]
    {
        let error = backend(folder.path(), &of_core(version, 68)).expect_err("unsupported");
        let text = error.to_string();
        assert!(text.contains(&folder.path().display().to_string()), "{text}");
        assert!(text.ends_with(&format!("its core API is {found}, supported is 2.27 to 2.40")), "{text}");
    }
    let error = system(folder.path(), &of_system("1,8,0", 27)).expect_err("out of order");
    let text = error.to_string();
    assert!(text.ends_with("its System API is 1.8.0, supported is 1.4 to 1.15 without 1.8"), "{text}");
}

#[test]
fn only_the_slots_of_the_version_are_read() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = backend(folder.path(), &of_core("2,30,0,5,40,0", 69)).expect("supported");
    let functions = library.interface().functions();
    assert_eq!(library.interface().abi().slots(), SlotCount::Exactly(69));
    let last = functions.context_create_from_binary_with_callback().expect("slot 68");
    // SAFETY: the function made above reads no argument.
    let slot = unsafe {
        last(
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null(),
            ptr::null(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    assert_eq!(slot, 68);
    assert_eq!(Functions::NAMES[68], "contextCreateFromBinaryWithCallback");
    let error = functions.context_get_binary_section_update().expect_err("after the table");
    assert_eq!(error.to_string(), "the loaded QNN library has no function `contextGetBinarySectionUpdate`");
    assert!(library.interface().by_value::<69>().is_some());
    assert!(library.interface().by_value::<68>().is_none());
}

#[test]
fn a_version_between_two_known_ones_has_the_slots_of_the_older_and_no_table_by_value() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = backend(folder.path(), &of_core("2,31,0,5,41,0", 71)).expect("supported");
    assert_eq!(library.interface().abi().slots(), SlotCount::AtLeast(69));
    assert!(library.interface().functions().context_create_from_binary_with_callback.is_some());
    assert!(library.interface().functions().context_get_binary_section_update.is_none());
    assert!(library.interface().by_value::<69>().is_none());
    assert!(library.interface().by_value::<71>().is_none());

    let library = system(folder.path(), &of_system("1,9,0", 20)).expect("supported");
    assert_eq!(library.interface().version().slots(), SlotCount::AtLeast(16));
    assert_eq!(SystemFunctions::NAMES[15], "systemProfileFreeSerializationTarget");
    assert!(library.interface().functions().system_profile_free_serialization_target.is_some());
    assert!(library.interface().functions().system_dlc_get_record_by_name.is_none());
}

#[test]
fn composing_with_libraries_of_different_sdks_is_refused_before_the_call() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let backend = backend(folder.path(), &of_core("2,37,0,5,48,0", 72)).expect("supported");
    let system = system(folder.path(), &of_system("1,15,0", 90)).expect("supported");
    let request = ComposeGraphs {
        dlc: ptr::null_mut(),
        graph_configs: ptr::null_mut(),
        num_graph_configs: 0,
        backend: ptr::null_mut(),
        context: ptr::null_mut(),
        interface: backend.interface(),
        graph_info_version: GraphInfoVersion::VERSION_1,
    };
    let (mut graphs, mut num_graphs) = (ptr::null_mut(), 0);
    // SAFETY: the out-pointers are valid, and the functions made above read no argument.
    let refused = unsafe { system.interface().dlc_compose_graphs(&request, &mut graphs, &mut num_graphs) };
    let error = refused.expect_err("2.37 and 1.15 are of different SDKs");
    assert!(matches!(error, ComposeError::UnknownTable { .. }));
    assert!(
        error.to_string().contains("System library of API 1.15.0 for a backend of core API 2.37.0"),
        "{error}"
    );
}

#[test]
fn a_library_that_hands_out_nothing_is_refused_with_its_code() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let failing = Made { result: 1000, ..of_core("2,40,0,5,51,0", 75) };
    let error = backend(folder.path(), &failing).expect_err("failed");
    assert!(matches!(error, LoadError::Providers { code: 1000, .. }), "{error}");
    let folder = tempfile::tempdir().expect("temporary folder");
    let empty = Made { providers: 0, ..of_core("2,40,0,5,51,0", 75) };
    let error = backend(folder.path(), &empty).expect_err("empty");
    assert!(matches!(error, LoadError::Providers { code: 0, .. }), "{error}");
}
