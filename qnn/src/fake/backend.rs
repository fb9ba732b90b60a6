//! The backend's functions.
#![expect(unsafe_code, reason = "a library's side of a C interface")]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use qnn_sys::api::*;
use qnn_sys::htp::{
    DeviceInfoExtension, DeviceInfrastructure, DeviceType, InfrastructureType, OnChipDeviceInfo,
    PerfInfrastructure, PowerConfig,
};
use qnn_sys::interface::{Functions, Interface, InterfaceHeader};
use qnn_sys::rpcmem::Rpcmem;
use qnn_sys::types::*;

use crate::pinned::Pinned;

use super::state::{State, behind, current, exclusive, execute, free, handle};

/// What a library's interface begins with, and its table.
#[repr(C)]
struct Table {
    header: InterfaceHeader,
    functions: Functions,
}

/// What loads with another answer than success, and which.
pub(super) const REFUSED: (&[u8], ErrorHandle) = (b"refused", 5005);

struct Context {
    state: Arc<State>,
    busy: AtomicUsize,
    /// Its graphs, freed with it.
    graphs: Mutex<Vec<usize>>,
}

struct Graph {
    context: *const Context,
}

/// An object that does nothing but to be alive.
struct Thing {
    state: Arc<State>,
    kind: &'static str,
}

fn create(state: &Arc<State>, kind: &'static str) -> *mut c_void {
    state.note(format!("+{kind}"));
    handle(Thing { state: state.clone(), kind })
}

/// # Safety
/// The handle is of a [`Thing`] and alive.
unsafe fn destroy(thing: *mut c_void) -> ErrorHandle {
    // SAFETY: by this function's contract.
    let Thing { state, kind } = unsafe { free(thing) };
    state.note(format!("-{kind}"));
    SUCCESS
}

/// # Safety
/// The handle is of a [`Thing`] and alive.
unsafe fn state_of<'a>(thing: *mut c_void) -> &'a Arc<State> {
    // SAFETY: by this function's contract.
    &unsafe { behind::<Thing>(thing) }.state
}

pub(super) fn interface() -> Interface {
    let table = Box::leak(Box::new(Table {
        header: InterfaceHeader {
            backend_id: backend_id::HTP,
            provider_name: c"FAKE".as_ptr(),
            api_version: ApiVersion { core: qnn_sys::CORE_MAX, backend: Version::new(5, 51) },
        },
        functions: functions(),
    }));
    // SAFETY: a header and a table of as many slots as the newest version has, which are never freed.
    unsafe { Interface::from_raw(NonNull::from(table).cast()) }.expect("the newest version is supported")
}

unsafe extern "C" fn log_create(_: Option<LogCallback>, _: LogLevel, out: *mut LogHandle) -> ErrorHandle {
    // SAFETY: here and below, the caller's out-pointers are valid.
    exclusive(|| unsafe { *out = create(&current(), "log") });
    SUCCESS
}

unsafe extern "C" fn log_free(log: LogHandle) -> ErrorHandle {
    // SAFETY: here and below, the caller's handles are alive and of this library.
    exclusive(|| unsafe { destroy(log) })
}

unsafe extern "C" fn backend_create(
    log: LogHandle,
    _: *mut *const BackendConfig,
    out: *mut BackendHandle,
) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { *out = create(state_of(log), "backend") });
    SUCCESS
}

unsafe extern "C" fn backend_free(backend: BackendHandle) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { destroy(backend) })
}

unsafe extern "C" fn backend_get_build_id(out: *mut *const c_char) -> ErrorHandle {
    // SAFETY: as above.
    unsafe { *out = c"fake".as_ptr() };
    SUCCESS
}

/// A platform with one NPU.
struct Platform {
    info: PlatformInfo,
    _device: Box<HardwareDeviceInfo>,
    _extension: Box<DeviceInfoExtension>,
}

// SAFETY: never changed.
unsafe impl Send for Platform {}
// SAFETY: never changed.
unsafe impl Sync for Platform {}

unsafe extern "C" fn device_get_platform_info(_: LogHandle, out: *mut *const PlatformInfo) -> ErrorHandle {
    static PLATFORM: OnceLock<Platform> = OnceLock::new();
    let platform = PLATFORM.get_or_init(|| {
        let chip = OnChipDeviceInfo {
            vtcm_size: 8,
            soc_model: 57,
            signed_pd_support: 0,
            dlbc_support: 0,
            arch: qnn_sys::htp::Arch::V75,
        };
        let extension = Box::new(DeviceInfoExtension { device_type: DeviceType::ON_CHIP, on_chip: chip });
        let device = Box::new(HardwareDeviceInfo {
            version: 1,
            v1: HardwareDeviceInfoV1 {
                device_id: 0,
                device_type: 0,
                num_cores: 0,
                cores: ptr::null_mut(),
                extension: ptr::from_ref(&*extension).cast_mut().cast(),
            },
        });
        let devices = ptr::from_ref(&*device).cast_mut();
        let info = PlatformInfo { version: 1, v1: PlatformInfoV1 { num_devices: 1, devices } };
        Platform { info, _device: device, _extension: extension }
    });
    // SAFETY: as above.
    unsafe { *out = &platform.info };
    SUCCESS
}

unsafe extern "C" fn device_free_platform_info(_: LogHandle, _: *const PlatformInfo) -> ErrorHandle {
    SUCCESS
}

unsafe extern "C" fn device_create(
    log: LogHandle,
    _: *mut *const DeviceConfig,
    out: *mut DeviceHandle,
) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { *out = create(state_of(log), "device") });
    SUCCESS
}

unsafe extern "C" fn device_free(device: DeviceHandle) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { destroy(device) })
}

unsafe extern "C" fn context_create_from_binary(
    backend: BackendHandle,
    _: DeviceHandle,
    configs: *mut *const ContextConfig,
    binary: *const c_void,
    size: ContextBinarySize,
    out: *mut ContextHandle,
    profile: ProfileHandle,
) -> ErrorHandle {
    exclusive(|| {
        // SAFETY: as above; the binary has its length, the list of configs ends with a null.
        unsafe {
            let state = state_of(backend).clone();
            if std::slice::from_raw_parts(binary.cast::<u8>(), size as usize) == REFUSED.0 {
                return REFUSED.1;
            }
            let mut at = configs;
            while !(*at).is_null() {
                let config = &**at;
                if config.option == ContextConfigOption::OPTION_PRIORITY {
                    state.note(format!("priority {:?}", config.value.priority.0));
                }
                at = at.add(1);
            }
            if !profile.is_null() {
                state.note("profiled");
            }
            state.note("+context");
            *out = handle(Context { state, busy: AtomicUsize::new(0), graphs: Mutex::default() });
        }
        SUCCESS
    })
}

unsafe extern "C" fn context_free(context: ContextHandle, _: ProfileHandle) -> ErrorHandle {
    exclusive(|| {
        // SAFETY: as above; graphs are freed with their context.
        unsafe {
            let Context { state, graphs, .. } = free::<Context>(context);
            for graph in graphs.into_inner().unwrap_or_else(PoisonError::into_inner) {
                let _ = free::<Graph>(ptr::with_exposed_provenance_mut(graph));
            }
            state.note("-context");
        }
    });
    SUCCESS
}

unsafe extern "C" fn graph_retrieve(
    context: ContextHandle,
    _: *const c_char,
    out: *mut GraphHandle,
) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe {
        let graph = handle(Graph { context: context.cast() });
        let graphs = &behind::<Context>(context).graphs;
        graphs.lock().unwrap_or_else(PoisonError::into_inner).push(graph.expose_provenance());
        *out = graph;
    });
    SUCCESS
}

/// Where a tensor's data is.
///
/// # Safety
/// The tensor has a buffer.
unsafe fn data(tensor: &Tensor) -> (*mut f32, usize) {
    let common = tensor.common().expect("version 1 or 2");
    // SAFETY: the tensor says which member counts; dimensions are `rank` long.
    unsafe {
        let dims = std::slice::from_raw_parts(common.dimensions, common.rank as usize);
        let count = dims.iter().product::<u32>() as usize;
        if common.mem_type == TensorMemType::MEMHANDLE {
            return (behind::<Memory>(common.data.mem_handle).address.cast(), count);
        }
        let buffer = common.data.client_buffer;
        assert_eq!(buffer.data_size as usize, count * 4);
        (buffer.data.cast(), count)
    }
}

/// Every output is twice the input of the same place.
unsafe extern "C" fn graph_execute(
    graph: GraphHandle,
    inputs: *const Tensor,
    num_inputs: u32,
    outputs: *mut Tensor,
    num_outputs: u32,
    _: ProfileHandle,
    _: SignalHandle,
) -> ErrorHandle {
    // SAFETY: as above; a graph's context is alive; lists have their lengths, and every tensor has a buffer of its size.
    unsafe {
        let context = &*behind::<Graph>(graph).context;
        execute(&context.state, &context.busy, || {
            let inputs = std::slice::from_raw_parts(inputs, num_inputs as usize);
            let outputs = std::slice::from_raw_parts(outputs, num_outputs as usize);
            for (input, output) in inputs.iter().zip(outputs) {
                let ((from, count), (to, _)) = (data(input), data(output));
                for index in 0..count {
                    *to.add(index) = 2.0 * *from.add(index);
                }
            }
            std::thread::yield_now();
        });
    }
    SUCCESS
}

unsafe extern "C" fn profile_create(
    backend: BackendHandle,
    _: ProfileLevel,
    out: *mut ProfileHandle,
) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { *out = create(state_of(backend), "profile") });
    SUCCESS
}

unsafe extern "C" fn profile_get_events(
    _: ProfileHandle,
    out: *mut *const ProfileEventId,
    count: *mut u32,
) -> ErrorHandle {
    // SAFETY: as above.
    unsafe { (*out, *count) = (ptr::null(), 0) };
    SUCCESS
}

unsafe extern "C" fn profile_free(profile: ProfileHandle) -> ErrorHandle {
    // SAFETY: as above.
    exclusive(|| unsafe { destroy(profile) })
}

/// Registered memory.
struct Memory {
    state: Arc<State>,
    address: *mut c_void,
}

unsafe extern "C" fn mem_register(
    context: ContextHandle,
    descriptor: *const MemDescriptor,
    count: u32,
    out: *mut MemHandle,
) -> ErrorHandle {
    assert_eq!(count, 1);
    // SAFETY: as above; the descriptor says which member counts.
    exclusive(|| unsafe {
        let descriptor = &*descriptor;
        assert_eq!(descriptor.mem_type, MemType::ION);
        let state = behind::<Context>(context).state.clone();
        state.note("+memory");
        *out = handle(Memory { state, address: of_descriptor(descriptor.info.ion.fd) });
    });
    SUCCESS
}

unsafe extern "C" fn mem_deregister(handles: *const MemHandle, count: u32) -> ErrorHandle {
    assert_eq!(count, 1);
    // SAFETY: as above.
    exclusive(|| unsafe { free::<Memory>(*handles).state.note("-memory") });
    SUCCESS
}

static PERF: DeviceInfrastructure = DeviceInfrastructure {
    infrastructure_type: InfrastructureType::PERF,
    perf: PerfInfrastructure {
        create_power_config_id: Some(create_power_config_id),
        destroy_power_config_id: Some(destroy_power_config_id),
        set_power_config: Some(set_power_config),
        set_memory_config: None,
    },
};

unsafe extern "C" fn device_get_infrastructure(out: *mut *mut c_void) -> ErrorHandle {
    // SAFETY: as above; the caller only reads.
    unsafe { *out = ptr::from_ref(&PERF).cast_mut().cast() };
    SUCCESS
}

unsafe extern "C" fn create_power_config_id(_: u32, _: u32, out: *mut u32) -> ErrorHandle {
    exclusive(|| current().note("+vote"));
    // SAFETY: as above.
    unsafe { *out = 7 };
    SUCCESS
}

unsafe extern "C" fn set_power_config(id: u32, _: *mut *const PowerConfig) -> ErrorHandle {
    assert_eq!(id, 7);
    SUCCESS
}

unsafe extern "C" fn destroy_power_config_id(id: u32) -> ErrorHandle {
    assert_eq!(id, 7);
    exclusive(|| current().note("-vote"));
    SUCCESS
}

fn functions() -> Functions {
    Functions {
        backend_create: Some(backend_create),
        backend_free: Some(backend_free),
        backend_get_build_id: Some(backend_get_build_id),
        context_create_from_binary: Some(context_create_from_binary),
        context_free: Some(context_free),
        device_create: Some(device_create),
        device_free: Some(device_free),
        device_free_platform_info: Some(device_free_platform_info),
        device_get_infrastructure: Some(device_get_infrastructure),
        device_get_platform_info: Some(device_get_platform_info),
        graph_execute: Some(graph_execute),
        graph_retrieve: Some(graph_retrieve),
        log_create: Some(log_create),
        log_free: Some(log_free),
        mem_deregister: Some(mem_deregister),
        mem_register: Some(mem_register),
        profile_create: Some(profile_create),
        profile_free: Some(profile_free),
        profile_get_events: Some(profile_get_events),
        ..Functions::default()
    }
}

/// Allocations of the fake allocator by file descriptor.
static SHARED: Mutex<Vec<Option<Pinned<u64>>>> = Mutex::new(Vec::new());

pub(super) fn rpcmem() -> Rpcmem {
    // SAFETY: they allocate, free and name memory.
    unsafe { Rpcmem::from_functions(alloc, dealloc, to_fd) }
}

/// Allocations that were not freed.
pub(super) fn shared_alive() -> usize {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().count()
}

unsafe extern "C" fn alloc(_: c_int, _: u32, size: c_int) -> *mut c_void {
    let memory = Pinned::new(vec![0u64; (size as usize).div_ceil(8)]);
    let address = memory.as_ptr().cast();
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).push(Some(memory));
    address
}

fn is_at(memory: &Option<Pinned<u64>>, address: *mut c_void) -> bool {
    memory.as_ref().is_some_and(|memory| memory.as_ptr().addr() == address.addr())
}

unsafe extern "C" fn dealloc(address: *mut c_void) {
    let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.iter_mut().find(|memory| is_at(memory, address)).expect("allocated");
    *found = None;
}

unsafe extern "C" fn to_fd(address: *mut c_void) -> c_int {
    let all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().position(|memory| is_at(memory, address)).expect("allocated") as c_int
}

fn of_descriptor(fd: c_int) -> *mut c_void {
    let all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    all[fd as usize].as_ref().expect("allocated").as_ptr().cast()
}
