// The interface between an op package and the HTP backend, as far as a package in C needs it: QNN's op package
// interface 1.4 (what the backend asks the package) and QHPI (what the package tells the backend and asks at run time).
//
// The declarations are this project's own; names of functions, order of fields and numbers are the ABI of QNN 2.48 and
// later. All pointers belong to whom they came from and are good for the call, unless said otherwise.
#ifndef QNN_OP_PACKAGE_H
#define QNN_OP_PACKAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QNN_EXPORT __attribute__((visibility("default")))

// ---- QNN: op configurations, as validateOpConfig gets them --------------------------------------------------------

// 0 is success.
typedef uint64_t qnn_status;
enum {
    QNN_OK = 0,
    QNN_ERROR_ALREADY_INITIALIZED = 3000,
    QNN_ERROR_NOT_INITIALIZED = 3001,
    QNN_ERROR_VALIDATION = 3110,
    QNN_ERROR_ARGUMENT = 3200,
};

// Element types of tensors and scalar parameters.
typedef uint32_t qnn_dtype;
enum {
    QNN_INT_8 = 0x0008,
    QNN_INT_16 = 0x0016,
    QNN_INT_32 = 0x0032,
    QNN_INT_64 = 0x0064,
    QNN_UINT_8 = 0x0108,
    QNN_UINT_16 = 0x0116,
    QNN_UINT_32 = 0x0132,
    QNN_UINT_64 = 0x0164,
    QNN_FLOAT_16 = 0x0216,
    QNN_FLOAT_32 = 0x0232,
    QNN_SFIXED_8 = 0x0308,
    QNN_SFIXED_16 = 0x0316,
    QNN_SFIXED_32 = 0x0332,
    QNN_UFIXED_8 = 0x0408,
    QNN_UFIXED_16 = 0x0416,
    QNN_UFIXED_32 = 0x0432,
    QNN_BOOL_8 = 0x0508,
};

enum { QNN_ENCODING_DEFINED = 1, QNN_QUANT_SCALE_OFFSET = 0 };

// A number q of the tensor means (q + offset) * scale. Only the per-tensor form is declared.
typedef struct {
    uint32_t definition;  // QNN_ENCODING_DEFINED when there is an encoding
    uint32_t encoding;    // QNN_QUANT_SCALE_OFFSET for the form below
    union {
        struct {
            float scale;
            int32_t offset;
        } scale_offset;
        struct {
            uint32_t numbers[3];
            void *pointers[2];
        } other;  // as large as the largest form
    };
} qnn_quantization;

typedef struct {
    void *data;
    uint32_t size;  // bytes
} qnn_client_buffer;

// A tensor. Version 2 appends fields that no op here reads.
typedef struct {
    uint32_t version;
    union {
        struct {
            uint32_t id;
            const char *name;
            uint32_t type;
            uint32_t data_format;
            qnn_dtype dtype;
            qnn_quantization quantization;
            uint32_t rank;
            uint32_t *dims;
            uint32_t memory_type;
            union {
                qnn_client_buffer buffer;
                void *handle;
            };
        };
        struct {
            char common[sizeof(void *) == 8 ? 112 : 68];
            uint8_t *is_dynamic;
            uint32_t sparse[3];
            uint8_t is_produced;
        } v2;
    };
} qnn_tensor;

typedef struct {
    qnn_dtype dtype;
    union {
        float f32;
        double f64;
        uint32_t u32;
        int32_t i32;
        uint8_t bool8;
        uint64_t u64;
        const char *text;
    };
} qnn_scalar;

enum { QNN_PARAM_SCALAR = 0, QNN_PARAM_TENSOR = 1 };

typedef struct {
    uint32_t kind;
    const char *name;
    union {
        qnn_scalar scalar;
        qnn_tensor tensor;
    };
} qnn_param;

typedef struct {
    uint32_t version;  // 1
    const char *name;
    const char *package;
    const char *type;
    uint32_t num_params;
    qnn_param *params;
    uint32_t num_inputs;
    qnn_tensor *inputs;
    uint32_t num_outputs;
    qnn_tensor *outputs;
} qnn_op_config;

// ---- QNN: the op package interface, version 1.4 ---------------------------------------------------------------------

typedef struct {
    uint32_t major, minor, patch;
} qnn_version;

typedef struct {
    qnn_version core, backend;
} qnn_api_version;

typedef struct {
    const char *name;
    const char **ops;
    const void *op_info;
    uint32_t num_ops;
    const void *optimizations;
    uint32_t num_optimizations;
    const char *sdk_build_id;
    const qnn_api_version *sdk_api_version;
    const void *package_info;
    const qnn_version *opset_version;
    size_t reserved[12];
} qnn_package_info;

enum { QNN_LOG_ERROR = 1, QNN_LOG_WARN = 2, QNN_LOG_INFO = 3, QNN_LOG_VERBOSE = 4, QNN_LOG_DEBUG = 5 };
typedef void (*qnn_log_fn)(const char *format, uint32_t level, uint64_t timestamp, va_list args);

typedef struct {
    qnn_version version;
    qnn_status (*init)(void *infrastructure);
    qnn_status (*terminate)(void);
    qnn_status (*get_info)(const qnn_package_info **info);
    qnn_status (*validate)(qnn_op_config config);
    qnn_status (*create_op)(void *graph, void *node, void **op);  // not for HTP
    qnn_status (*free_op)(void *op);                              // not for HTP
    qnn_status (*log_initialize)(qnn_log_fn log, uint32_t max_level);
    qnn_status (*log_set_level)(uint32_t max_level);
    qnn_status (*log_terminate)(void);
} qnn_package_interface;

// ---- QHPI: kernels ----------------------------------------------------------------------------------------------------

enum { QHPI_MAX_RANK = 8 };
typedef struct {
    uint32_t rank;
    uint32_t dims[QHPI_MAX_RANK];  // the first `rank` count
} qhpi_shape;

enum {
    QHPI_QUINT8 = 1,
    QHPI_QUINT16 = 2,
    QHPI_QINT16 = 3,
    QHPI_FLOAT32 = 4,
    QHPI_INT32 = 5,
    QHPI_QINT32 = 6,
    QHPI_QINT8 = 7,
    QHPI_FLOAT16 = 8,
    QHPI_INT64 = 9,
    QHPI_ANY_TYPE = 240,
};

// A number q of the tensor means (q - zero) * step: `zero` is minus the offset of a QNN encoding.
typedef struct {
    int32_t zero;
    float step;
} qhpi_quantization;

enum { QHPI_LAYOUT_ANY = 0, QHPI_LAYOUT_FLAT_4 = 2, QHPI_LAYOUT_FLAT_5 = 3, QHPI_LAYOUT_FLAT_6 = 4 };
enum { QHPI_STORAGE_DIRECT = 0, QHPI_STORAGE_INDIRECT = 1, QHPI_STORAGE_EITHER = 2 };
enum { QHPI_DDR = 0, QHPI_TCM = 1, QHPI_DDR_OR_TCM = 2 };
enum { QHPI_RESOURCE_HVX = 2, QHPI_RESOURCE_HMX = 4 };

// What a kernel takes as one input or output.
typedef struct {
    uint32_t type;
    uint32_t layout;
    uint8_t storage;
    uint8_t memory;
} qhpi_signature;

typedef struct qhpi_op qhpi_op;
typedef struct qhpi_tensor qhpi_tensor;
typedef struct qhpi_runtime qhpi_runtime;

typedef struct {
    const qhpi_op *op;
    uint32_t output;
} qhpi_op_ref;

typedef struct {
    uint32_t type;
    qhpi_quantization quantization;
    qhpi_shape shape;
} qhpi_output;

// Of an axis in a required shape: must not be divided.
#define QHPI_NO_TILING 0xffffffffu

// Returns 0, or anything else to fail the execution of the graph.
typedef uint32_t (*qhpi_kernel_fn)(qhpi_runtime *runtime, uint32_t num_outputs, qhpi_tensor **outputs, uint32_t num_inputs,
                                   const qhpi_tensor *const *inputs);

typedef struct {
    const char *name;  // "package::kernel"; the context binary stores it
    qhpi_kernel_fn run;
    uint8_t resources;
    uint8_t source_destructive : 1;  // first input and first output may be one buffer
    uint8_t multithreaded : 1;       // runs as qhpi_num_slices() slices at a time
    uint8_t variable_inputs : 1;     // more than `min_inputs`; the last signature is theirs
    uint8_t variable_outputs : 1;
    uint32_t min_inputs;
    qhpi_signature *inputs;
    uint32_t min_outputs;
    qhpi_signature *outputs;
    float (*cost)(uint32_t num_inputs, const qhpi_tensor *const *inputs);
    uint32_t sync_block_size;
    uint32_t precomputed_size;
    uint32_t (*precompute)(qhpi_runtime *runtime, void *data, uint32_t num_outputs, qhpi_tensor **outputs,
                           uint32_t num_inputs, const qhpi_tensor *const *inputs);
    uint32_t (*run_precomputed)(qhpi_runtime *runtime, const void *data);
    uint32_t (*predicate)(const qhpi_op *op, uint32_t num_inputs, const qhpi_tensor *const *inputs);
    void *reserved[4];
} qhpi_kernel;

typedef struct {
    const char *name;  // "package::Op"
    uint32_t num_kernels;
    qhpi_kernel *kernels;
    const qhpi_op *(*early_rewrite)(const qhpi_op *op);
    qhpi_shape (*shape_required)(const qhpi_op *op);
    qhpi_shape (*shape_legalized)(const qhpi_op *op, const qhpi_shape *shape);
    unsigned tile_output;
    const qhpi_op *(*build_tile)(const qhpi_op *op, const qhpi_shape *start, const qhpi_shape *extent);
    const qhpi_op *(*late_rewrite)(const qhpi_op *op);
    void *reserved[4];
} qhpi_op_info;

// Called by name when the package is loaded; registers its ops and returns the package's name.
QNN_EXPORT const char *qhpi_init(void);

uint32_t qhpi_register_ops_v1(uint32_t num_ops, qhpi_op_info *ops, const char *package);

// While a graph is prepared, on the machine that compiles: a device's library need not have these.
const char *qhpi_op_name(const qhpi_op *op);
uint32_t qhpi_op_num_inputs(const qhpi_op *op);
qhpi_op_ref qhpi_op_input(const qhpi_op *op, uint32_t index);
qhpi_output qhpi_op_output(const qhpi_op *op, uint32_t index);
qhpi_op_ref qhpi_op_slice(qhpi_op_ref ref, const qhpi_shape *start, const qhpi_shape *extent);
const qhpi_op *qhpi_op_create(const qhpi_op *root, const char *name, uint32_t num_inputs, const qhpi_op_ref *inputs,
                              uint32_t num_outputs, const qhpi_output *outputs);

// In kernels.
qhpi_shape qhpi_tensor_shape(const qhpi_tensor *tensor);
uint32_t qhpi_tensor_type(const qhpi_tensor *tensor);
qhpi_quantization qhpi_tensor_quant_parameters(const qhpi_tensor *tensor);
void *qhpi_tensor_raw_data(const qhpi_tensor *tensor);
uint32_t qhpi_num_slices(qhpi_runtime *runtime);
uint32_t qhpi_slice_number(qhpi_runtime *runtime);

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(qnn_quantization) == 40, "Qnn_QuantizeParams_t");
_Static_assert(sizeof(qnn_tensor) == 144, "Qnn_Tensor_t");
_Static_assert(sizeof(qnn_param) == 160, "Qnn_Param_t");
_Static_assert(sizeof(qnn_op_config) == 80, "Qnn_OpConfig_t");
_Static_assert(offsetof(qnn_op_config, name) == 8, "Qnn_OpConfig_t::v1");
_Static_assert(offsetof(qnn_tensor, dims) == 88, "Qnn_TensorV1_t::dimensions");
#else
_Static_assert(sizeof(qnn_quantization) == 28, "Qnn_QuantizeParams_t");
_Static_assert(offsetof(qnn_tensor, rank) == 52, "Qnn_TensorV1_t::rank");
_Static_assert(offsetof(qnn_tensor, dims) == 56, "Qnn_TensorV1_t::dimensions");
_Static_assert(sizeof(qnn_tensor) == 92, "Qnn_Tensor_t");
_Static_assert(offsetof(qnn_op_config, num_inputs) == 24, "Qnn_OpConfig_t::v1");
#endif

#ifdef __cplusplus
}
#endif

#endif
