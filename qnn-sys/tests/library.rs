//! The vendor's libraries, loaded and used through the declarations of this crate. `QNN_LIB_DIR` or the installed toolchain
//! (`cargo qnn toolchain install`) says where they are; without them these tests fail.
#![expect(unsafe_code, reason = "calls the vendor's libraries")]

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::ptr;

use qnn_platform::libs;
use qnn_sys::api::{DeviceConfig, GraphConfig, GraphValidationResult, backend_id};
use qnn_sys::htp::{
    Arch, ContextBlobInfo, DeviceCustomConfig, GraphBlobInfo, GraphBlobInfoV2, GraphBlobVersion,
    GraphCustomConfig, GraphCustomOption, OptimizationType,
};
use qnn_sys::interface::Functions;
use qnn_sys::system::{
    BinaryInfo, BinaryInfoVersion, ComposeGraphs, DlcGraphConfigInfo, DlcGraphConfigInfoV1, GraphInfo,
    GraphInfoVersion,
};
use qnn_sys::types::*;
use qnn_sys::{BackendLibrary, CORE_MAX, LoadError, SYSTEM_MAX, SlotCount, SymbolScope, SystemLibrary, ir};

fn library(stem: &str) -> PathBuf {
    libs::resolve(None).unwrap_or_else(|error| panic!("{error}")).library(stem)
}

fn backend(stem: &str) -> BackendLibrary {
    // SAFETY: the vendor's library.
    unsafe { BackendLibrary::open(&library(stem), SymbolScope::Local) }
        .unwrap_or_else(|error| panic!("{error}"))
}

fn system() -> SystemLibrary {
    // SAFETY: the vendor's library.
    unsafe { SystemLibrary::open(&library("QnnSystem")) }.unwrap_or_else(|error| panic!("{error}"))
}

fn check(what: &str, result: ErrorHandle) {
    let code = qnn_sys::error::code(result);
    assert_eq!(code, 0, "{what}: {:?}", qnn_sys::error::name(code));
}

#[test]
fn the_htp_library_reports_a_known_version_and_fills_every_slot() {
    let library = backend("QnnHtp");
    let interface = library.interface();
    assert_eq!(interface.header().backend_id, backend_id::HTP);
    // SAFETY: the name is a constant of the library.
    assert_eq!(unsafe { CStr::from_ptr(interface.header().provider_name) }, c"HTP_QTI_AISW");
    assert_eq!(interface.abi().core(), CORE_MAX);
    assert_eq!(interface.abi().slots(), SlotCount::Exactly(Functions::NAMES.len()));
    let table = interface.by_value::<75>().expect("core 2.40 has 75 slots").table;
    assert!(table.iter().all(Option::is_some));
    assert!(interface.by_value::<72>().is_none());
    assert!(library.path().is_absolute());
}

#[test]
fn the_system_library_reports_a_known_version() {
    let library = system();
    let interface = library.interface();
    assert_eq!(interface.version().api(), SYSTEM_MAX);
    assert_eq!(interface.version().slots(), SlotCount::Exactly(90));
    assert!(interface.functions().system_dlc_create_with_destination_dir.is_some());
    assert!(backend("QnnHtp").interface().abi().same_sdk(interface.version()));
}

#[test]
fn symbols_outside_the_table_are_found_or_named() {
    let library = backend("QnnHtp");
    // SAFETY: a function pointer, which is not called.
    let found = unsafe { library.symbol::<unsafe extern "C" fn()>("QnnInterface_getProviders") };
    assert!(found.is_ok());
    // SAFETY: as above.
    let error = unsafe { library.symbol::<unsafe extern "C" fn()>("no_such_function") }.expect_err("missing");
    assert!(
        error.to_string().ends_with("is not a QNN library: it has no function `no_such_function`"),
        "{error}"
    );
}

#[test]
fn what_is_no_qnn_library_is_refused_with_its_path() {
    // SAFETY: nothing is loaded from a relative path.
    let relative = unsafe { BackendLibrary::open(Path::new("libQnnHtp.so"), SymbolScope::Local) };
    assert!(matches!(relative, Err(LoadError::NotAbsolute { .. })));

    let folder = tempfile::tempdir().expect("temporary folder");
    let absent = folder.path().join("libQnnHtp.so");
    // SAFETY: there is no such file.
    let error = unsafe { BackendLibrary::open(&absent, SymbolScope::Local) }.expect_err("absent");
    assert!(error.to_string().contains(&absent.display().to_string()), "{error}");

    let text = folder.path().join("libText.so");
    std::fs::write(&text, "not a library").expect("write");
    // SAFETY: the loader refuses the file before running anything.
    let error = unsafe { SystemLibrary::open(&text) }.expect_err("text");
    assert!(matches!(error, LoadError::Open { .. }), "{error}");

    // The System library is a library of QNN, but no backend.
    // SAFETY: the vendor's library.
    let error =
        unsafe { BackendLibrary::open(&library("QnnSystem"), SymbolScope::Local) }.expect_err("no backend");
    assert!(matches!(error, LoadError::Symbol { symbol: "QnnInterface_getProviders", .. }), "{error}");
}

const DIMENSIONS: [u32; 4] = [1, 8, 8, 16];

fn tensor(name: &CStr, tensor_type: TensorType, dimensions: &mut [u32]) -> Tensor {
    Tensor::from_v1(TensorV1 {
        name: name.as_ptr(),
        tensor_type,
        data_type: DataType::FLOAT_16,
        rank: dimensions.len() as u32,
        dimensions: dimensions.as_mut_ptr(),
        ..TensorV1::default()
    })
}

fn op(name: &CStr, type_name: &CStr, inputs: &mut [Tensor], outputs: &mut [Tensor]) -> OpConfig {
    OpConfig::from(OpConfigV1 {
        name: name.as_ptr(),
        package_name: c"qti.aisw".as_ptr(),
        type_name: type_name.as_ptr(),
        num_inputs: inputs.len() as u32,
        inputs: inputs.as_mut_ptr(),
        num_outputs: outputs.len() as u32,
        outputs: outputs.as_mut_ptr(),
        ..OpConfigV1::default()
    })
}

/// Adds `input -> Relu -> output` to a graph.
///
/// # Safety
/// The graph must be alive and of the library.
unsafe fn add_relu(functions: &Functions, graph: GraphHandle, output_dimensions: &mut [u32]) {
    let mut dimensions = DIMENSIONS;
    let mut input = [tensor(c"input", TensorType::APP_WRITE, &mut dimensions)];
    let mut output = [tensor(c"output", TensorType::APP_READ, output_dimensions)];
    let create = functions.tensor_create_graph_tensor().expect("function");
    // SAFETY: the tensors and what they point to live until the end of the function, and the library copies them.
    unsafe {
        check("tensorCreateGraphTensor", create(graph, &mut input[0]));
        check("tensorCreateGraphTensor", create(graph, &mut output[0]));
        let op = op(c"relu", c"Relu", &mut input, &mut output);
        check("graphAddNode", functions.graph_add_node().expect("function")(graph, op));
    }
}

/// A backend for SM8650 with one context.
struct Session<'a> {
    library: &'a BackendLibrary,
    backend: BackendHandle,
    device: DeviceHandle,
    context: ContextHandle,
}

impl<'a> Session<'a> {
    fn new(library: &'a BackendLibrary) -> Self {
        let functions = library.interface().functions();
        let (mut backend, mut device, mut context) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let mut custom = DeviceCustomConfig::soc(57);
        let config = custom.as_device_config();
        let mut configs: [*const DeviceConfig; 2] = [&config, ptr::null()];
        // SAFETY: out-pointers are valid, handles come from the calls before, lists are null-terminated.
        unsafe {
            let create = functions.backend_create().expect("function");
            check("backendCreate", create(ptr::null_mut(), ptr::null_mut(), &mut backend));
            let has_devices = library.interface().header().backend_id == backend_id::HTP;
            if has_devices {
                let create = functions.device_create().expect("function");
                check("deviceCreate", create(ptr::null_mut(), configs.as_mut_ptr(), &mut device));
            }
            let create = functions.context_create().expect("function");
            check("contextCreate", create(backend, device, ptr::null_mut(), &mut context));
        }
        Self { library, backend, device, context }
    }

    fn functions(&self) -> &Functions {
        self.library.interface().functions()
    }

    fn graph(&self, name: &CStr, configs: &[GraphConfig]) -> GraphHandle {
        let mut list: Vec<*const GraphConfig> =
            configs.iter().map(ptr::from_ref).chain([ptr::null()]).collect();
        let mut graph = ptr::null_mut();
        let create = self.functions().graph_create().expect("function");
        // SAFETY: the context is alive, the list null-terminated.
        check("graphCreate", unsafe { create(self.context, name.as_ptr(), list.as_mut_ptr(), &mut graph) });
        graph
    }

    fn finalize(&self, graph: GraphHandle) {
        let finalize = self.functions().graph_finalize().expect("function");
        // SAFETY: the graph is alive; profile and signal may be null.
        check("graphFinalize", unsafe { finalize(graph, ptr::null_mut(), ptr::null_mut()) });
    }

    fn binary(&self) -> Vec<u8> {
        let (mut size, mut written) = (0, 0);
        // SAFETY: the context is alive and the buffer has the size that the library asks for.
        unsafe {
            let get_size = self.functions().context_get_binary_size().expect("function");
            check("contextGetBinarySize", get_size(self.context, &mut size));
            let mut binary = vec![0u8; size as usize];
            let get = self.functions().context_get_binary().expect("function");
            check("contextGetBinary", get(self.context, binary.as_mut_ptr().cast(), size, &mut written));
            binary.truncate(written as usize);
            binary
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let functions = self.functions();
        // SAFETY: the handles are alive and used by no one else.
        unsafe {
            check("contextFree", functions.context_free().expect("function")(self.context, ptr::null_mut()));
            if !self.device.is_null() {
                check("deviceFree", functions.device_free().expect("function")(self.device));
            }
            check("backendFree", functions.backend_free().expect("function")(self.backend));
        }
    }
}

/// What the metadata of a binary says.
#[derive(Debug, PartialEq)]
struct Metadata {
    soc: u32,
    arch: Arch,
    graph: String,
    inputs: Vec<(String, Vec<u32>)>,
    optimization: u32,
    vtcm: u32,
}

fn metadata(system: &SystemLibrary, binary: &[u8]) -> Metadata {
    let functions = system.interface().functions();
    let mut context = ptr::null_mut();
    let mut info: *const BinaryInfo = ptr::null();
    // SAFETY: the binary outlives the System context, whose memory is read before it is freed; unions are read by their
    // version.
    unsafe {
        check("systemContextCreate", functions.system_context_create().expect("function")(&mut context));
        let get = functions.system_context_get_metadata().expect("function");
        check(
            "systemContextGetMetaData",
            get(context, binary.as_ptr().cast(), binary.len() as u64, &mut info),
        );
        let info = &*info;
        assert_eq!(info.version, BinaryInfoVersion::VERSION_3);
        let info = &info.body.v3;
        assert_eq!(info.backend_id, backend_id::HTP);
        assert_eq!(info.core_api_version, CORE_MAX);
        assert_eq!(info.num_graphs, 1);
        let chip = &*info.context_metadata.cast::<ContextBlobInfo>();
        assert_eq!(info.context_metadata_size as usize, size_of::<ContextBlobInfo>());

        let graph = &*info.graphs;
        assert_eq!(graph.version, GraphInfoVersion::VERSION_3);
        let graph = &graph.body.v3;
        let tensors = std::slice::from_raw_parts(graph.v2.v1.inputs, graph.v2.v1.num_inputs as usize);
        let describe = |tensor: &Tensor| {
            let tensor = tensor.common().expect("known version");
            let dimensions = std::slice::from_raw_parts(tensor.dimensions, tensor.rank as usize);
            (CStr::from_ptr(tensor.name).to_string_lossy().into_owned(), dimensions.to_vec())
        };
        assert_eq!(graph.blob_info_size as usize, size_of::<GraphBlobInfo>() + size_of::<GraphBlobInfoV2>());
        let first = &*graph.blob_info.cast::<GraphBlobInfo>();
        assert_eq!(first.version, GraphBlobVersion::VERSION_V1);
        let second = &*graph.blob_info.byte_add(size_of::<GraphBlobInfo>()).cast::<GraphBlobInfoV2>();
        assert_eq!(second.version, GraphBlobVersion::VERSION_V2);
        let metadata = Metadata {
            soc: info.soc_model,
            arch: chip.dsp_arch,
            graph: CStr::from_ptr(graph.v2.v1.name).to_string_lossy().into_owned(),
            inputs: tensors.iter().map(describe).collect(),
            optimization: first.v1.optimization_level,
            vtcm: first.v1.vtcm_size,
        };
        check("systemContextFree", functions.system_context_free().expect("function")(context));
        metadata
    }
}

fn expected(graph: &str) -> Metadata {
    Metadata {
        soc: 57,
        arch: Arch::V75,
        graph: graph.to_owned(),
        inputs: vec![("input".to_owned(), DIMENSIONS.to_vec())],
        optimization: 3,
        vtcm: 4 << 20,
    }
}

fn htp_options() -> [GraphCustomConfig; 2] {
    [
        GraphCustomConfig::optimization(OptimizationType::FINALIZE_OPTIMIZATION_FLAG, 3.0),
        GraphCustomConfig::word(GraphCustomOption::VTCM_SIZE_IN_MB, 4),
    ]
}

#[test]
fn a_graph_compiles_for_the_soc_and_options_that_the_structs_say() {
    let (library, system) = (backend("QnnHtp"), system());
    let session = Session::new(&library);
    let mut options = htp_options();
    let configs = options.each_mut().map(GraphCustomConfig::as_graph_config);
    let graph = session.graph(c"relu_graph", &configs);
    // SAFETY: the graph is alive.
    unsafe { add_relu(session.functions(), graph, &mut DIMENSIONS.clone()) };
    session.finalize(graph);
    assert_eq!(metadata(&system, &session.binary()), expected("relu_graph"));
}

/// Table slots 72 to 74 were declared from headers of core 2.39; this one answers, which shows that it is where it is declared.
#[test]
fn whole_graph_validation_is_in_the_table_and_not_supported() {
    let library = backend("QnnHtp");
    let session = Session::new(&library);
    let graph = session.graph(c"relu_graph", &[]);
    let mut result: *mut GraphValidationResult = ptr::null_mut();
    // SAFETY: the graph is alive and the out-pointer valid.
    let code = unsafe {
        add_relu(session.functions(), graph, &mut DIMENSIONS.clone());
        session.functions().graph_validate().expect("function")(graph, ptr::null_mut(), &mut result)
    };
    assert_eq!(qnn_sys::error::name(qnn_sys::error::code(code)), Some("QNN_COMMON_ERROR_NOT_SUPPORTED"));
    assert!(result.is_null());
}

/// A DLC file written by the IR backend, composed into the HTP backend with its table passed by value.
#[test]
fn a_dlc_file_is_written_and_composed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = CString::new(folder.path().join("relu.dlc").to_str().expect("UTF-8")).expect("no NUL");
    let ir_library = backend("QnnIr");
    {
        let session = Session::new(&ir_library);
        let mut config = ir::GraphCustomConfig::serialize_to(path.as_ptr());
        let graph = session.graph(c"relu_graph", &[config.as_graph_config()]);
        // SAFETY: the graph is alive.
        unsafe { add_relu(session.functions(), graph, &mut DIMENSIONS.clone()) };
        session.finalize(graph);
    }

    let (library, system) = (backend("QnnHtp"), system());
    let session = Session::new(&library);
    let functions = system.interface().functions();
    let mut options = htp_options();
    let configs = options.each_mut().map(GraphCustomConfig::as_graph_config);
    let mut list: Vec<*const GraphConfig> = configs.iter().map(ptr::from_ref).chain([ptr::null()]).collect();
    let info = DlcGraphConfigInfo {
        version: 1,
        v1: DlcGraphConfigInfoV1 {
            graph_name: c"relu_graph".as_ptr(),
            graph_configs: list.as_mut_ptr(),
            num_configs: configs.len() as u32,
        },
    };
    let mut infos: [*const DlcGraphConfigInfo; 1] = [&info];
    let mut dlc = ptr::null_mut();
    let mut graphs: *mut GraphInfo = ptr::null_mut();
    let mut num_graphs = 0;
    let mut graph = ptr::null_mut();
    // SAFETY: handles are alive, lists have the lengths that they say, out-pointers are valid.
    unsafe {
        let create = functions.system_dlc_create_from_file().expect("function");
        check("systemDlcCreateFromFile", create(ptr::null_mut(), path.as_ptr(), &mut dlc));
        let request = ComposeGraphs {
            dlc,
            graph_configs: infos.as_mut_ptr(),
            num_graph_configs: 1,
            backend: session.backend,
            context: session.context,
            interface: library.interface(),
            graph_info_version: GraphInfoVersion::VERSION_3,
        };
        let composed = system.interface().dlc_compose_graphs(&request, &mut graphs, &mut num_graphs);
        check("systemDlcComposeGraphs", composed.expect("known table"));
        assert_eq!(num_graphs, 1);
        let name = (*graphs).body.v1.name;
        assert_eq!(CStr::from_ptr(name), c"relu_graph");
        let retrieve = session.functions().graph_retrieve().expect("function");
        check("graphRetrieve", retrieve(session.context, name, &mut graph));
    }
    session.finalize(graph);
    assert_eq!(metadata(&system, &session.binary()), expected("relu_graph"));
    // SAFETY: the file is used by no one else.
    unsafe { check("systemDlcFree", functions.system_dlc_free().expect("function")(dlc)) };
}
