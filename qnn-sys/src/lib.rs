//! Raw declarations of the Qualcomm QNN C interface and its run-time loading.
//!
//! Nothing is linked and no vendor header is needed: [`BackendLibrary::open`] and [`SystemLibrary::open`] load the vendor's
//! libraries from absolute paths, read the version they report and hand out their function tables. Supported are core API
//! 2.27 to 2.40 on 64-bit targets; other versions are refused ([`LoadError::Version`]).
//!
//! Names are the C names without their prefix, in Rust's case: `Qnn_TensorV1_t` is [`types::TensorV1`],
//! `QNN_DATATYPE_UINT_8` is [`types::DataType::UINT_8`], the table slot `graphAddNode` is
//! [`interface::Functions::graph_add_node`].
//!
//! Where two versions of that range lay out a struct differently, this crate has one constructor that takes the
//! [`AbiVersion`] of the loaded library and writes what that library reads.
//!
//! Feature `bindgen` generates declarations from the headers of a full SDK (`QNN_SDK_ROOT`) as the module `bindings`, and the
//! tests then hold the declarations of this crate against them.
#![allow(unsafe_code, reason = "calling a C interface is what this crate is for")]

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("QNN libraries exist for 64-bit little-endian targets only, and the layouts here are theirs");

#[macro_use]
mod constants;

pub mod api;
pub mod error;
pub mod htp;
pub mod interface;
pub mod ir;
mod load;
mod quiet;
pub mod rpcmem;
pub mod system;
pub mod types;
mod version;

pub use load::{BackendLibrary, LoadError, SymbolScope, SystemLibrary, library_file_name};
pub use version::{
    AbiVersion, CORE_MAX, CORE_MIN, DeviceConfigLayout, SYSTEM_MAX, SYSTEM_MIN, SlotCount, SystemVersion,
    VersionError,
};

/// Declarations generated from the headers below `QNN_SDK_ROOT`, by their C names. The function tables are named without
/// their version: `QnnInterface_Implementation_t` and `QnnSystemInterface_Implementation_t`.
#[cfg(feature = "bindgen")]
#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    reason = "generated"
)]
pub mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
