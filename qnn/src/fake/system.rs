//! The System library's functions: every binary has one graph `double`, whose tensors are as the binary says.
#![expect(unsafe_code, reason = "a library's side of a C interface")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use qnn_sys::api::backend_id;
use qnn_sys::system::*;
use qnn_sys::types::*;

use super::state::{behind, exclusive, free, handle};
use crate::pinned::Pinned;

#[repr(C)]
struct Table {
    header: SystemInterfaceHeader,
    functions: SystemFunctions,
}

/// A binary that says this has a tensor larger than memory.
pub(super) const HUGE: &[u8] = b"huge";

/// What one binary says, with what its pointers lead to.
#[derive(Default)]
struct Reader {
    info: std::cell::OnceCell<Described>,
}

struct Described {
    info: Pinned<BinaryInfo>,
    _graphs: Pinned<GraphInfo>,
    _tensors: [Pinned<Tensor>; 2],
    _dims: Pinned<u32>,
}

pub(super) fn interface() -> SystemInterface {
    let table = Box::leak(Box::new(Table {
        header: SystemInterfaceHeader {
            backend_id: 0,
            provider_name: c"FAKE".as_ptr(),
            api_version: qnn_sys::SYSTEM_MAX,
        },
        functions: SystemFunctions {
            system_context_create: Some(create),
            system_context_get_metadata: Some(get_metadata),
            system_context_free: Some(free_context),
            ..SystemFunctions::default()
        },
    }));
    // SAFETY: a header and a table, which are never freed; slots that the crate does not declare are not read.
    unsafe { SystemInterface::from_raw(NonNull::from(table).cast()) }
        .expect("the newest version is supported")
}

unsafe extern "C" fn create(out: *mut SystemContextHandle) -> ErrorHandle {
    // SAFETY: the caller's out-pointer is valid.
    exclusive(|| unsafe { *out = handle(Reader::default()) });
    SUCCESS
}

unsafe extern "C" fn free_context(context: SystemContextHandle) -> ErrorHandle {
    // SAFETY: the caller's handle is alive.
    exclusive(|| unsafe { drop(free::<Reader>(context)) });
    SUCCESS
}

unsafe extern "C" fn get_metadata(
    context: SystemContextHandle,
    binary: *const c_void,
    size: u64,
    out: *mut *const BinaryInfo,
) -> ErrorHandle {
    // SAFETY: the binary has its length.
    let binary = unsafe { std::slice::from_raw_parts(binary.cast::<u8>(), size as usize) };
    exclusive(|| {
        // SAFETY: the caller's handle is alive and its out-pointer valid.
        unsafe { *out = behind::<Reader>(context).info.get_or_init(|| describe(binary)).info.as_ptr() };
    });
    SUCCESS
}

fn describe(binary: &[u8]) -> Described {
    let dims = match binary == HUGE {
        true => Pinned::new([1 << 31, 1 << 31, 4]),
        false => Pinned::new([2u32, 2]),
    };
    let tensor = |id, name: &'static std::ffi::CStr| {
        Tensor::from_v1(TensorV1 {
            id,
            name: name.as_ptr(),
            data_type: DataType::FLOAT_32,
            rank: dims.len() as u32,
            dimensions: dims.as_ptr(),
            ..TensorV1::default()
        })
    };
    let inputs = Pinned::new([tensor(1, c"a"), tensor(2, c"b")]);
    let outputs = Pinned::new([tensor(3, c"x"), tensor(4, c"y")]);
    let v1 = GraphInfoV1 {
        name: c"double".as_ptr(),
        num_inputs: 2,
        inputs: inputs.as_ptr(),
        num_outputs: 2,
        outputs: outputs.as_ptr(),
    };
    let graphs =
        Pinned::new([GraphInfo { version: GraphInfoVersion::VERSION_1, body: GraphInfoBody { v1 } }]);
    let v1 = BinaryInfoV1 {
        backend_id: backend_id::HTP,
        build_id: c"fake".as_ptr(),
        core_api_version: qnn_sys::CORE_MAX,
        backend_api_version: Version::new(5, 51),
        soc_version: ptr::null(),
        hw_info_blob_version: Version::default(),
        context_blob_version: Version::default(),
        hw_info_blob_size: 0,
        hw_info_blob: ptr::null_mut(),
        context_blob_size: 0,
        num_context_tensors: 0,
        context_tensors: ptr::null_mut(),
        num_graphs: 1,
        graphs: graphs.as_ptr(),
    };
    let info = BinaryInfo { version: BinaryInfoVersion::VERSION_1, body: BinaryInfoBody { v1 } };
    Described { info: Pinned::new([info]), _graphs: graphs, _tensors: [inputs, outputs], _dims: dims }
}
