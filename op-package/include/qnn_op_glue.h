// Between the backend and the kernels of a package: registers them, checks op configurations against the op definitions, and hands
// kernels their arguments. The definitions come as tables from the generated header `<Package>_ops.h`, which includes this file; one source
// file of the package includes that, fills a `qnn_kernel_def` per op, and ends with QNN_OP_PACKAGE.
#ifndef QNN_OP_GLUE_H
#define QNN_OP_GLUE_H

#include "qnn_op_package.h"
#include "qnn_op_runtime.h"

#if !defined(__hexagon__)
#include <stdio.h>
#endif

// ---- Op definitions ---------------------------------------------------------------------------------------------------

enum { QNN_RANK_ANY = 255, QNN_MAX_OPTIONAL_PARAMS = 3, QNN_MAX_OPERANDS = 16 };

// An input, output or parameter.
typedef struct {
    const char *name;
    uint8_t mandatory;
    uint8_t rank;  // 0 is a scalar, QNN_RANK_ANY any
    uint8_t num_dtypes;
    const qnn_dtype *dtypes;
    union {
        float f32;
        int32_t i32;
        uint32_t u32;
    } fallback;  // of a parameter that is left out
} qnn_operand_def;

typedef struct {
    const char *name;
    uint32_t num_inputs;
    const qnn_operand_def *inputs;
    uint32_t num_outputs;
    const qnn_operand_def *outputs;
    uint32_t num_params;
    const qnn_operand_def *params;
} qnn_op_def;

// ---- What a package writes ----------------------------------------------------------------------------------------------

// Arguments of a kernel. Tensors are in the order of the definition, have rank 4 with ones in front, and are row-major.
typedef struct {
    const qnn_op_def *op;
    const qhpi_tensor *const *inputs;
    qhpi_tensor *const *outputs;
    const qhpi_tensor *const *params;
    uint32_t num_params;  // the first of the definition's
    uint32_t slice, num_slices;
} qnn_kernel_args;

// An op configuration under validation, whose names, counts, types and ranks are right already.
typedef struct {
    const qnn_op_def *op;
    const qnn_op_config *config;
} qnn_check;

typedef struct {
    // Computes slice `slice` of `num_slices`; slices run at the same time. Returns NULL, or what is wrong, which fails the execution.
    const char *(*run)(const qnn_kernel_args *args);
    // What the definition cannot say, such as shapes that must agree. Returns QNN_OK, or the result of qnn_refuse. May be NULL.
    qnn_status (*check)(const qnn_check *check);
    // Axes of the output, of four, that may be computed in parts: QNN_AXIS(0) | QNN_AXIS(1) | …. HTP divides an op whose tensors do not
    // fit into VTCM, and fails to compile one that cannot be divided.
    uint8_t tiled_axes;
    // Inputs of which a part of the output needs only the same part of those axes: QNN_INPUT(0) | …; others are passed whole. An axis is not
    // divided where such an input has another length than the output (but 1, which is repeated), or where an input that is passed whole has
    // more than one: the kernel could not tell which part is meant.
    uint16_t tiled_inputs;
    // Inputs that are passed whole on purpose, since their places have nothing to do with the output's: tables that numbers are looked up in.
    uint16_t whole_inputs;
} qnn_kernel_def;

#define QNN_AXIS(axis) (1u << (axis))
#define QNN_INPUT(index) (1u << (index))

// ---- Messages -------------------------------------------------------------------------------------------------------------

static qnn_log_fn qnn_log;

// To the backend's log, where there is one, else to standard error.
__attribute__((format(printf, 1, 2), unused)) static void qnn_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (qnn_log) {
        qnn_log(format, QNN_LOG_ERROR, 0, args);
    } else {
#if !defined(__hexagon__)
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
#endif
    }
    va_end(args);
}

// Refuses a configuration: QNN_REFUSE(check, "weight", "has %u elements, %u expected", n, width).
#define QNN_REFUSE(check, operand, format, ...)                                                                        \
    (qnn_say("%s: %s `%s`: `%s` " format, (check)->config->package, (check)->op->name, (check)->config->name,            \
             (operand)__VA_OPT__(, ) __VA_ARGS__),                                                                     \
     (qnn_status)QNN_ERROR_VALIDATION)

// ---- For kernels ------------------------------------------------------------------------------------------------------------

// The value of a parameter, or the definition's default when it was left out.
__attribute__((unused)) static float qnn_param_f32(const qnn_kernel_args *args, uint32_t index) {
    if (index >= args->num_params) return args->op->params[index].fallback.f32;
    return *(const float *)qhpi_tensor_raw_data(args->params[index]);
}
__attribute__((unused)) static int32_t qnn_param_i32(const qnn_kernel_args *args, uint32_t index) {
    if (index >= args->num_params) return args->op->params[index].fallback.i32;
    return *(const int32_t *)qhpi_tensor_raw_data(args->params[index]);
}
__attribute__((unused)) static uint32_t qnn_param_u32(const qnn_kernel_args *args, uint32_t index) {
    return (uint32_t)qnn_param_i32(args, index);
}

typedef struct {
    size_t begin, end;
} qnn_range;

// This slice's part of `count` units of work.
__attribute__((unused)) static qnn_range qnn_my_part(const qnn_kernel_args *args, size_t count) {
    size_t each = count / args->num_slices, more = count % args->num_slices, slice = args->slice;
    qnn_range part;
    part.begin = slice * each + (slice < more ? slice : more);
    part.end = part.begin + each + (slice < more);
    return part;
}

// ---- For checks --------------------------------------------------------------------------------------------------------------

// A parameter's configuration, or NULL when it was left out.
__attribute__((unused)) static const qnn_scalar *qnn_config_param(const qnn_check *check, uint32_t index) {
    return index < check->config->num_params ? &check->config->params[index].scalar : NULL;
}

// A dimension counted from the last, which is 0; 1 where the tensor has fewer.
__attribute__((unused)) static uint32_t qnn_dim_from_last(const qnn_tensor *tensor, uint32_t index) {
    return index < tensor->rank ? tensor->dims[tensor->rank - 1 - index] : 1;
}

// Refuses operand `a` when its dimensions are not those of `b`.
__attribute__((unused)) static qnn_status qnn_same_dims(const qnn_check *check, const char *a_name, const qnn_tensor *a,
                                                        const char *b_name, const qnn_tensor *b) {
    if (a->rank != b->rank) {
        return QNN_REFUSE(check, a_name, "has rank %u, expected %u as `%s`", a->rank, b->rank, b_name);
    }
    for (uint32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i]) {
            return QNN_REFUSE(check, a_name, "has %u at dimension %u, expected %u as `%s`", a->dims[i], i, b->dims[i], b_name);
        }
    }
    return QNN_OK;
}

// ---- Checks by the definition --------------------------------------------------------------------------------------------------

static int qnn_same_text(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static const char *qnn_dtype_name(qnn_dtype dtype) {
    switch (dtype) {
        case QNN_INT_8: return "INT_8";
        case QNN_INT_16: return "INT_16";
        case QNN_INT_32: return "INT_32";
        case QNN_INT_64: return "INT_64";
        case QNN_UINT_8: return "UINT_8";
        case QNN_UINT_16: return "UINT_16";
        case QNN_UINT_32: return "UINT_32";
        case QNN_UINT_64: return "UINT_64";
        case QNN_FLOAT_16: return "FLOAT_16";
        case QNN_FLOAT_32: return "FLOAT_32";
        case QNN_SFIXED_8: return "SFIXED_POINT_8";
        case QNN_SFIXED_16: return "SFIXED_POINT_16";
        case QNN_SFIXED_32: return "SFIXED_POINT_32";
        case QNN_UFIXED_8: return "UFIXED_POINT_8";
        case QNN_UFIXED_16: return "UFIXED_POINT_16";
        case QNN_UFIXED_32: return "UFIXED_POINT_32";
        case QNN_BOOL_8: return "BOOL_8";
        default: return "a type that is unknown here";
    }
}

static qnn_status qnn_check_dtype(const qnn_check *check, const qnn_operand_def *def, qnn_dtype dtype) {
    // All names in one line of the log; 16 is more than there are types.
    const char *names[16] = {"", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""};
    for (uint32_t i = 0; i < def->num_dtypes; i++) {
        if (def->dtypes[i] == dtype) return QNN_OK;
        if (i < 8) {
            names[2 * i] = i ? ", " : "";
            names[2 * i + 1] = qnn_dtype_name(def->dtypes[i]);
        }
    }
    return QNN_REFUSE(check, def->name, "is %s, expected %s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", qnn_dtype_name(dtype), names[0],
                      names[1], names[2], names[3], names[4], names[5], names[6], names[7], names[8], names[9], names[10],
                      names[11], names[12], names[13], names[14], names[15]);
}

static qnn_status qnn_check_tensors(const qnn_check *check, const char *what, uint32_t expected, const qnn_operand_def *defs,
                                    uint32_t found, const qnn_tensor *tensors) {
    if (found != expected) return QNN_REFUSE(check, what, "found %u, expected %u", found, expected);
    for (uint32_t i = 0; i < expected; i++) {
        const qnn_operand_def *def = &defs[i];
        qnn_status status = qnn_check_dtype(check, def, tensors[i].dtype);
        if (status != QNN_OK) return status;
        if (tensors[i].rank < 1 || tensors[i].rank > 4) {
            return QNN_REFUSE(check, def->name, "has rank %u, expected 1 to 4", tensors[i].rank);
        }
        if (def->rank != QNN_RANK_ANY && tensors[i].rank != def->rank) {
            return QNN_REFUSE(check, def->name, "has rank %u, expected %u", tensors[i].rank, def->rank);
        }
    }
    return QNN_OK;
}

static qnn_status qnn_check_params(const qnn_check *check) {
    const qnn_op_def *op = check->op;
    const qnn_op_config *config = check->config;
    if (config->num_params > op->num_params) {
        return QNN_REFUSE(check, "parameters", "found %u, expected %u at most", config->num_params, op->num_params);
    }
    for (uint32_t i = 0; i < op->num_params; i++) {
        const qnn_operand_def *def = &op->params[i];
        if (i >= config->num_params) {
            if (def->mandatory) return QNN_REFUSE(check, def->name, "is missing");
            continue;
        }
        // Kernels get parameters by position.
        const qnn_param *param = &config->params[i];
        if (!qnn_same_text(param->name, def->name)) {
            return QNN_REFUSE(check, def->name, "expected as parameter %u, found `%s`; the order is the definition's", i,
                              param->name);
        }
        if (param->kind != QNN_PARAM_SCALAR) return QNN_REFUSE(check, def->name, "is a tensor, expected a scalar");
        qnn_status status = qnn_check_dtype(check, def, param->scalar.dtype);
        if (status != QNN_OK) return status;
    }
    return QNN_OK;
}

// ---- Registration -----------------------------------------------------------------------------------------------------------------

// A package's tables, an entry per op each.
typedef struct {
    const char *name;
    qnn_version version;
    uint32_t num_ops;
    const qnn_op_def *ops;
    const qnn_kernel_def *kernels;
    const char **names;                                            // "Op"
    const char *const *full_names;                                 // "package::Op"
    const char *const (*kernel_names)[QNN_MAX_OPTIONAL_PARAMS + 1];  // one for each number of parameters
    const qhpi_kernel_fn *functions;
    // Filled by qnn_register; the backend keeps pointers into them.
    qhpi_op_info *op_infos;
    qhpi_kernel (*kernel_infos)[QNN_MAX_OPTIONAL_PARAMS + 1];
} qnn_package_def;

// The one of this library.
static const qnn_package_def qnn_package;

static qnn_status qnn_validate(qnn_op_config config) {
    if (config.version != 1 || !qnn_same_text(config.package, qnn_package.name)) return QNN_ERROR_ARGUMENT;
    for (uint32_t i = 0; i < qnn_package.num_ops; i++) {
        const qnn_op_def *op = &qnn_package.ops[i];
        if (!qnn_same_text(config.type, op->name)) continue;
        qnn_check check = {op, &config};
        qnn_status status = qnn_check_tensors(&check, "inputs", op->num_inputs, op->inputs, config.num_inputs, config.inputs);
        if (status != QNN_OK) return status;
        status = qnn_check_tensors(&check, "outputs", op->num_outputs, op->outputs, config.num_outputs, config.outputs);
        if (status != QNN_OK) return status;
        status = qnn_check_params(&check);
        if (status != QNN_OK) return status;
        return qnn_package.kernels[i].check ? qnn_package.kernels[i].check(&check) : QNN_OK;
    }
    qnn_say("%s has no op `%s`", qnn_package.name, config.type);
    return QNN_ERROR_VALIDATION;
}

static uint32_t qnn_run_op(uint32_t index, qhpi_runtime *runtime, qhpi_tensor **outputs, uint32_t num_inputs,
                           const qhpi_tensor *const *inputs) {
    const qnn_op_def *op = &qnn_package.ops[index];
    qnn_kernel_args args = {
        .op = op,
        .inputs = inputs,
        .outputs = outputs,
        .params = inputs + op->num_inputs,
        .num_params = num_inputs - op->num_inputs,
        .slice = qhpi_slice_number(runtime),
        .num_slices = qhpi_num_slices(runtime),
    };
    const char *wrong = qnn_package.kernels[index].run(&args);
    if (!wrong) return 0;
    qnn_say("%s: %s: %s", qnn_package.name, op->name, wrong);
    return QNN_ERROR_ARGUMENT;
}

// One kernel for each number of parameters that may be given: HTP finds kernels by their exact number of inputs.
static uint32_t qnn_fill_kernels(uint32_t index, qhpi_signature *any) {
    const qnn_op_def *op = &qnn_package.ops[index];
    uint32_t mandatory = 0, count = 0;
    while (mandatory < op->num_params && op->params[mandatory].mandatory) mandatory++;
    // The linter refuses more operands; tables made otherwise must not be read beyond their end.
    if (op->num_inputs + op->num_params > QNN_MAX_OPERANDS || op->num_outputs > QNN_MAX_OPERANDS) {
        qnn_say("%s: %s has more than %d inputs and parameters, or outputs", qnn_package.name, op->name, (int)QNN_MAX_OPERANDS);
        return 0;
    }
    for (uint32_t given = mandatory; given <= op->num_params && count <= QNN_MAX_OPTIONAL_PARAMS; given++, count++) {
        qnn_package.kernel_infos[index][count] = (qhpi_kernel){
            .name = qnn_package.kernel_names[index][count],
            .run = qnn_package.functions[index],
            .resources = QHPI_RESOURCE_HVX,
            .multithreaded = 1,
            .min_inputs = op->num_inputs + given,
            .inputs = any,
            .min_outputs = op->num_outputs,
            .outputs = any,
        };
    }
    return count;
}

#if !defined(__hexagon__)

static uint32_t qnn_index_of(const qhpi_op *op) {
    uint32_t index = 0;
    while (index < qnn_package.num_ops && !qnn_same_text(qnn_package.full_names[index], qhpi_op_name(op))) index++;
    return index;
}

// Whether something is to be said of an op's axis: once, however often the backend asks.
static int qnn_first_time(uint32_t index, uint32_t axis) {
    static uint64_t said;
    uint64_t bit = 1ull << ((index * 4 + axis) % 64);
    int first = !(said & bit);
    said |= bit;
    return first;
}

// Whether parts of an axis can be told to the kernel; says why not.
static int qnn_may_divide(const qhpi_op *op, uint32_t index, uint32_t axis) {
    if (index >= qnn_package.num_ops) return 0;
    const qnn_op_def *def = &qnn_package.ops[index];
    const qnn_kernel_def *kernel = &qnn_package.kernels[index];
    if (!(kernel->tiled_axes & QNN_AXIS(axis))) return 0;
    uint32_t whole = qhpi_op_output(op, 0).shape.dims[axis];
    for (uint32_t i = 1; i < def->num_outputs; i++) {
        uint32_t other = qhpi_op_output(op, i).shape.dims[axis];
        if (other == whole) continue;
        if (!qnn_first_time(index, axis)) return 0;
        qnn_say("%s: %s: axis %u cannot be divided: output `%s` has %u there, and `%s` %u", qnn_package.name, def->name, axis,
                def->outputs[i].name, other, def->outputs[0].name, whole);
        return 0;
    }
    for (uint32_t i = 0; i < def->num_inputs; i++) {
        if (kernel->whole_inputs & QNN_INPUT(i)) continue;
        qhpi_op_ref ref = qhpi_op_input(op, i);
        uint32_t length = qhpi_op_output(ref.op, ref.output).shape.dims[axis];
        if (length == 1 || (kernel->tiled_inputs & QNN_INPUT(i) && length == whole)) continue;
        if (!qnn_first_time(index, axis)) return 0;
        qnn_say("%s: %s: axis %u of `%s` cannot be divided: input `%s` has %u there, which %s", qnn_package.name, def->name, axis,
                def->outputs[0].name, def->inputs[i].name, length,
                length == whole ? "is not among the tiled_inputs" : "is another length");
        return 0;
    }
    return 1;
}

// The smallest parts that are worth their overhead: 128 Ki elements, 512 KiB of float32. Axes that stay whole count first, then the
// innermost: what is returned is a multiple that parts must have, so an axis takes no more than is left.
static qhpi_shape qnn_tile_required(const qhpi_op *op) {
    uint32_t index = qnn_index_of(op);
    qhpi_shape shape = qhpi_op_output(op, 0).shape;
    uint32_t room = 1u << 17;
    uint8_t divided = 0;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (qnn_may_divide(op, index, i)) {
            divided |= (uint8_t)QNN_AXIS(i);
        } else {
            room = room > shape.dims[i] ? room / shape.dims[i] : 1;
        }
    }
    for (uint32_t i = shape.rank; i-- > 0;) {
        if (!(divided & QNN_AXIS(i))) {
            shape.dims[i] = QHPI_NO_TILING;
        } else {
            if (shape.dims[i] > room) shape.dims[i] = room;
            room = room > shape.dims[i] ? room / shape.dims[i] : 1;
        }
    }
    return shape;
}

// What is proposed is rounded up to such parts.
static qhpi_shape qnn_tile_legalized(const qhpi_op *op, const qhpi_shape *proposed) {
    qhpi_shape shape = *proposed, whole = qhpi_op_output(op, 0).shape, required = qnn_tile_required(op);
    for (uint32_t i = 0; i < shape.rank; i++) {
        uint32_t least = required.dims[i] < whole.dims[i] ? required.dims[i] : whole.dims[i];
        if (shape.dims[i] < least) shape.dims[i] = least;
    }
    return shape;
}

// The op again, for a part of its output.
static const qhpi_op *qnn_build_tile(const qhpi_op *op, const qhpi_shape *start, const qhpi_shape *extent) {
    uint32_t index = qnn_index_of(op);
    const qnn_kernel_def *kernel = &qnn_package.kernels[index];
    uint32_t num_outputs = qnn_package.ops[index].num_outputs;
    qhpi_output outputs[QNN_MAX_OPERANDS];
    for (uint32_t i = 0; i < num_outputs; i++) outputs[i] = qhpi_op_output(op, i);
    qhpi_op_ref inputs[QNN_MAX_OPERANDS];
    uint32_t num_inputs = qhpi_op_num_inputs(op);
    for (uint32_t i = 0; i < num_inputs && i < QNN_MAX_OPERANDS; i++) {
        inputs[i] = qhpi_op_input(op, i);
        if (!(kernel->tiled_inputs & QNN_INPUT(i))) continue;
        qhpi_shape from = *start, size = qhpi_op_output(inputs[i].op, inputs[i].output).shape;
        for (uint32_t axis = 0; axis < size.rank; axis++) {
            // An axis of another length is one that the output repeats, or does not have in parts.
            if (size.dims[axis] == outputs[0].shape.dims[axis]) {
                size.dims[axis] = extent->dims[axis];
            } else {
                from.dims[axis] = 0;
            }
        }
        inputs[i] = qhpi_op_slice(inputs[i], &from, &size);
    }
    // Axes that are divided have one length in all outputs; others stay whole in each.
    qhpi_shape whole = outputs[0].shape;
    for (uint32_t i = 0; i < num_outputs; i++) {
        for (uint32_t axis = 0; axis < whole.rank; axis++) {
            if (extent->dims[axis] != whole.dims[axis]) outputs[i].shape.dims[axis] = extent->dims[axis];
        }
    }
    return qhpi_op_create(op, qhpi_op_name(op), num_inputs, inputs, num_outputs, outputs);
}

static void qnn_register_tiling(qhpi_op_info *info, const qnn_kernel_def *kernel) {
    if (!kernel->tiled_axes) return;
    info->shape_required = qnn_tile_required;
    info->shape_legalized = qnn_tile_legalized;
    info->build_tile = qnn_build_tile;
}

#else

// A device executes what was prepared.
static void qnn_register_tiling(qhpi_op_info *info, const qnn_kernel_def *kernel) {
    (void)info;
    (void)kernel;
}

#endif

static const char *qnn_register(void) {
    static qhpi_signature any[QNN_MAX_OPERANDS];
    for (uint32_t i = 0; i < QNN_MAX_OPERANDS; i++) {
        any[i] = (qhpi_signature){QHPI_ANY_TYPE, QHPI_LAYOUT_FLAT_4, QHPI_STORAGE_DIRECT, QHPI_DDR_OR_TCM};
    }
    for (uint32_t i = 0; i < qnn_package.num_ops; i++) {
        qnn_package.op_infos[i].name = qnn_package.full_names[i];
        qnn_package.op_infos[i].kernels = qnn_package.kernel_infos[i];
        qnn_package.op_infos[i].num_kernels = qnn_fill_kernels(i, any);
        qnn_register_tiling(&qnn_package.op_infos[i], &qnn_package.kernels[i]);
    }
    uint32_t status = qhpi_register_ops_v1(qnn_package.num_ops, qnn_package.op_infos, qnn_package.name);
    if (status != 0) qnn_say("%s: its ops could not be registered: QHPI status %u", qnn_package.name, status);
    return qnn_package.name;
}

static qnn_status qnn_init(void *infrastructure) {
    (void)infrastructure;
    return QNN_OK;
}

static qnn_status qnn_terminate(void) {
    qnn_log = NULL;
    return QNN_OK;
}

static qnn_status qnn_get_info(const qnn_package_info **info) {
    // What the glue is written for; with another version the backend only warns.
    static const qnn_api_version api = {{2, 40, 0}, {5, 51, 0}};
    static qnn_package_info description;
    description.name = qnn_package.name;
    description.ops = qnn_package.names;
    description.num_ops = qnn_package.num_ops;
    description.sdk_api_version = &api;
    description.opset_version = &qnn_package.version;
    *info = &description;
    return QNN_OK;
}

static qnn_status qnn_log_initialize(qnn_log_fn log, uint32_t max_level) {
    (void)max_level;  // only errors are logged
    qnn_log = log;
    return QNN_OK;
}

static qnn_status qnn_log_set_level(uint32_t max_level) {
    (void)max_level;
    return QNN_OK;
}

static qnn_status qnn_log_terminate(void) {
    qnn_log = NULL;
    return QNN_OK;
}

static qnn_status qnn_provide(qnn_package_interface *interface) {
    if (!interface) return QNN_ERROR_ARGUMENT;
    *interface = (qnn_package_interface){
        .version = {1, 4, 0},
        .init = qnn_init,
        .terminate = qnn_terminate,
        .get_info = qnn_get_info,
        .validate = qnn_validate,
        .log_initialize = qnn_log_initialize,
        .log_set_level = qnn_log_set_level,
        .log_terminate = qnn_log_terminate,
    };
    return QNN_OK;
}

// What an op needs of its own: names, and a function that knows which op it is.
#define QNN_GLUE_JOIN(a, b) a##b
#define QNN_GLUE_RUN(OP)                                                                                              \
    static uint32_t QNN_GLUE_JOIN(qnn_run_, OP)(qhpi_runtime * runtime, uint32_t num_outputs, qhpi_tensor * *outputs, \
                                                uint32_t num_inputs, const qhpi_tensor *const *inputs) {              \
        (void)num_outputs;                                                                                            \
        return qnn_run_op(QNN_GLUE_JOIN(OP_, OP), runtime, outputs, num_inputs, inputs);                              \
    }
#define QNN_GLUE_FUNCTION(OP) QNN_GLUE_JOIN(qnn_run_, OP),
#define QNN_GLUE_NAME(OP) #OP,
#define QNN_GLUE_FULL_NAME(OP) QNN_PACKAGE_NAME "::" #OP,
// With the version: a binary that was compiled with another one does not find its kernels.
#define QNN_GLUE_KERNEL_NAME(OP, KERNEL) QNN_PACKAGE_NAME "::" #OP KERNEL "_v" QNN_PACKAGE_VERSION_TAG
#define QNN_GLUE_KERNEL_NAMES(OP)                                              \
    {QNN_GLUE_KERNEL_NAME(OP, "_kernel"), QNN_GLUE_KERNEL_NAME(OP, "_kernel_1"), QNN_GLUE_KERNEL_NAME(OP, "_kernel_2"), \
     QNN_GLUE_KERNEL_NAME(OP, "_kernel_3")},

// The package's tables, and the two functions that the backend looks up by name. KERNELS has a row per op.
#define QNN_OP_PACKAGE(KERNELS)                                                                                         \
    QNN_PACKAGE_EACH_OP(QNN_GLUE_RUN)                                                                                   \
    static const char *qnn_names[] = {QNN_PACKAGE_EACH_OP(QNN_GLUE_NAME)};                                              \
    static const char *const qnn_full_names[] = {QNN_PACKAGE_EACH_OP(QNN_GLUE_FULL_NAME)};                              \
    static const char *const qnn_kernel_names[][QNN_MAX_OPTIONAL_PARAMS + 1] = {                                        \
        QNN_PACKAGE_EACH_OP(QNN_GLUE_KERNEL_NAMES)};                                                                    \
    static const qhpi_kernel_fn qnn_functions[] = {QNN_PACKAGE_EACH_OP(QNN_GLUE_FUNCTION)};                             \
    static qhpi_op_info qnn_op_infos[QNN_PACKAGE_NUM_OPS];                                                              \
    static qhpi_kernel qnn_kernel_infos[QNN_PACKAGE_NUM_OPS][QNN_MAX_OPTIONAL_PARAMS + 1];                              \
    static const qnn_package_def qnn_package = {QNN_PACKAGE_NAME, QNN_PACKAGE_VERSION, QNN_PACKAGE_NUM_OPS,             \
                                                QNN_PACKAGE_OPS,  KERNELS,             qnn_names,                       \
                                                qnn_full_names,   qnn_kernel_names,    qnn_functions,                   \
                                                qnn_op_infos,     qnn_kernel_infos};                                    \
    QNN_EXPORT const char *qhpi_init(void) { return qnn_register(); }                                                   \
    QNN_EXPORT qnn_status QNN_PACKAGE_PROVIDER(qnn_package_interface *interface) { return qnn_provide(interface); }

#endif
