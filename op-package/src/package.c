// Glue: from HTP's tensors to the kernels, and the checks that the op definitions cannot say.
#include "QnnLlmOps_ops.h"
#include "kernels/kernels.h"

_Static_assert((int)STORED_U8 == QHPI_QUINT8 && (int)STORED_U16 == QHPI_QUINT16 && (int)STORED_S16 == QHPI_QINT16, "");
_Static_assert((int)STORED_F32 == QHPI_FLOAT32 && (int)STORED_S8 == QHPI_QINT8 && (int)STORED_F16 == QHPI_FLOAT16, "");

// ---- Tensors ------------------------------------------------------------------------------------------------------------

static buffer buffer_of(const qhpi_tensor *tensor) {
    buffer buffer = {qhpi_tensor_raw_data(tensor), qhpi_tensor_type(tensor), 0, 0};
    if (buffer.stored != STORED_F32 && buffer.stored != STORED_F16) {
        qhpi_quantization quantization = qhpi_tensor_quant_parameters(tensor);
        buffer.zero = quantization.zero;
        buffer.step = quantization.step;
    }
    return buffer;
}

static size_t dim(const qhpi_tensor *tensor, uint32_t axis) { return qhpi_tensor_shape(tensor).dims[axis]; }

static size_t elements(const qhpi_tensor *tensor) {
    qhpi_shape shape = qhpi_tensor_shape(tensor);
    size_t count = 1;
    for (uint32_t i = 0; i < shape.rank; i++) count *= shape.dims[i];
    return count;
}

static size_t rows(const qhpi_tensor *tensor) { return elements(tensor) / dim(tensor, 3); }

static size_t index_in(const qhpi_tensor *tensor) { return *(const uint32_t *)qhpi_tensor_raw_data(tensor); }

// Whether the kernels can read and write all of them. Validation sees to it; a damaged context binary could still ask for more.
static const char *unusable(const qnn_kernel_args *args, uint32_t num_inputs) {
    for (uint32_t i = 0; i < num_inputs; i++) {
        if (!stored_size(qhpi_tensor_type(args->inputs[i]))) return "an input has an element type that is unknown here";
    }
    return stored_size(qhpi_tensor_type(args->outputs[0])) ? NULL : "the output has an element type that is unknown here";
}

// ---- Element by element -------------------------------------------------------------------------------------------------

static const char *run_silu(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, SiLU_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[SiLU_IN_x]), y = buffer_of(args->outputs[SiLU_OUT_y]);
    qnn_range part = qnn_my_part(args, elements(args->outputs[SiLU_OUT_y]));
    silu(&y, &x, part.begin, part.end);
    return NULL;
}

static const char *run_silu_mul(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, SiluMul_NUM_INPUTS);
    if (wrong) return wrong;
    buffer gate = buffer_of(args->inputs[SiluMul_IN_gate]), up = buffer_of(args->inputs[SiluMul_IN_up]);
    buffer y = buffer_of(args->outputs[SiluMul_OUT_y]);
    qnn_range part = qnn_my_part(args, elements(args->outputs[SiluMul_OUT_y]));
    silu_mul(&y, &gate, &up, part.begin, part.end);
    return NULL;
}

static const char *run_quantize(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, Quantize_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[Quantize_IN_x]), y = buffer_of(args->outputs[Quantize_OUT_y]);
    qnn_range part = qnn_my_part(args, elements(args->outputs[Quantize_OUT_y]));
    convert(&y, &x, part.begin, part.end);
    return NULL;
}

static const char *run_dequantize(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, Dequantize_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[Dequantize_IN_x]), y = buffer_of(args->outputs[Dequantize_OUT_y]);
    qnn_range part = qnn_my_part(args, elements(args->outputs[Dequantize_OUT_y]));
    convert(&y, &x, part.begin, part.end);
    return NULL;
}

static const char *run_dequantize_add(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, DequantizeAdd_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[DequantizeAdd_IN_x]), bias = buffer_of(args->inputs[DequantizeAdd_IN_bias]);
    buffer y = buffer_of(args->outputs[DequantizeAdd_OUT_y]);
    qnn_range part = qnn_my_part(args, elements(args->outputs[DequantizeAdd_OUT_y]));
    add_bias(&y, &x, &bias, elements(args->inputs[DequantizeAdd_IN_bias]), part.begin, part.end);
    return NULL;
}

// ---- Row by row ---------------------------------------------------------------------------------------------------------

static const char *run_rms_norm(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, RMSNorm_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[RMSNorm_IN_x]), weight = buffer_of(args->inputs[RMSNorm_IN_weight]);
    buffer y = buffer_of(args->outputs[RMSNorm_OUT_y]);
    qnn_range part = qnn_my_part(args, rows(args->inputs[RMSNorm_IN_x]));
    rms_norm(&y, &x, &weight, qnn_param_f32(args, RMSNorm_PARAM_epsilon), dim(args->inputs[RMSNorm_IN_x], 3), part.begin,
             part.end);
    return NULL;
}

static const char *run_layer_norm(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, LayerNorm_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[LayerNorm_IN_x]), weight = buffer_of(args->inputs[LayerNorm_IN_weight]);
    buffer bias = buffer_of(args->inputs[LayerNorm_IN_bias]), y = buffer_of(args->outputs[LayerNorm_OUT_y]);
    qnn_range part = qnn_my_part(args, rows(args->inputs[LayerNorm_IN_x]));
    layer_norm(&y, &x, &weight, &bias, qnn_param_f32(args, LayerNorm_PARAM_epsilon), dim(args->inputs[LayerNorm_IN_x], 3),
               part.begin, part.end);
    return NULL;
}

static const char *run_rope(const qnn_kernel_args *args) {
    const char *wrong = unusable(args, RoPE_NUM_INPUTS);
    if (wrong) return wrong;
    buffer x = buffer_of(args->inputs[RoPE_IN_x]), sin = buffer_of(args->inputs[RoPE_IN_sin]);
    buffer cos = buffer_of(args->inputs[RoPE_IN_cos]), y = buffer_of(args->outputs[RoPE_OUT_y]);
    rope_shape shape = {
        .width = dim(args->inputs[RoPE_IN_x], 3),
        .pairs = dim(args->inputs[RoPE_IN_sin], 3),
        .heads = dim(args->inputs[RoPE_IN_x], 2),
        .positions = dim(args->inputs[RoPE_IN_sin], 2),
        .interleaved = qnn_param_u32(args, RoPE_PARAM_interleaved) != 0,
    };
    qnn_range part = qnn_my_part(args, rows(args->inputs[RoPE_IN_x]));
    rope(&y, &x, &sin, &cos, &shape, part.begin, part.end);
    return NULL;
}

static const char *run_causal_mask(const qnn_kernel_args *args) {
    if (!stored_size(qhpi_tensor_type(args->inputs[CausalMask_IN_scores]))) return "the scores' element type is unknown here";
    buffer x = buffer_of(args->inputs[CausalMask_IN_scores]), y = buffer_of(args->outputs[CausalMask_OUT_y]);
    qnn_range part = qnn_my_part(args, rows(args->inputs[CausalMask_IN_scores]));
    causal_mask(&y, &x, qnn_param_f32(args, CausalMask_PARAM_mask_value), index_in(args->inputs[CausalMask_IN_position]),
                dim(args->inputs[CausalMask_IN_scores], 2), dim(args->inputs[CausalMask_IN_scores], 3), part.begin, part.end);
    return NULL;
}

static const char *run_kv_cache(const qnn_kernel_args *args) {
    const qhpi_tensor *cache = args->inputs[KVCache_IN_cache], *added = args->inputs[KVCache_IN_added];
    if (!stored_size(qhpi_tensor_type(cache))) return "the cache's element type is unknown here";
    uint32_t axis = (uint32_t)(4 + qnn_param_i32(args, KVCache_PARAM_axis));
    if (axis > 3) return "the axis is none of a tensor of rank 4";
    size_t rows = dim(cache, axis), added_rows = dim(added, axis), inner = 1, outer = 1;
    for (uint32_t i = 0; i < axis; i++) outer *= dim(cache, i);
    for (uint32_t i = axis + 1; i < 4; i++) inner *= dim(cache, i);
    size_t position = index_in(args->inputs[KVCache_IN_position]);
    if (position > rows || added_rows > rows - position) return "the new rows do not fit into the cache at this position";
    buffer before = buffer_of(cache), more = buffer_of(added), after = buffer_of(args->outputs[KVCache_OUT_y]);
    qnn_range part = qnn_my_part(args, outer);
    kv_append(&after, &before, &more, rows, added_rows, inner, position, part.begin, part.end);
    return NULL;
}

// ---- Checks -------------------------------------------------------------------------------------------------------------

static int is_fixed_point(qnn_dtype dtype) { return dtype >= QNN_SFIXED_8 && dtype < QNN_BOOL_8; }

static int has_encoding(const qnn_tensor *tensor) {
    return tensor->quantization.definition == QNN_ENCODING_DEFINED &&
           tensor->quantization.encoding == QNN_QUANT_SCALE_OFFSET && tensor->quantization.scale_offset.scale > 0;
}

// Fixed point means nothing without an encoding, and HTP does not ask for one.
static qnn_status check_encodings(const qnn_check *check) {
    const qnn_op_config *config = check->config;
    for (uint32_t i = 0; i < config->num_inputs + config->num_outputs; i++) {
        int is_input = i < config->num_inputs;
        uint32_t index = is_input ? i : i - config->num_inputs;
        const qnn_tensor *tensor = is_input ? &config->inputs[index] : &config->outputs[index];
        const qnn_operand_def *def = is_input ? &check->op->inputs[index] : &check->op->outputs[index];
        if (is_fixed_point(tensor->dtype) && !has_encoding(tensor)) {
            return QNN_REFUSE(check, def->name, "has no encoding of one positive scale and an offset for all elements");
        }
    }
    return QNN_OK;
}

static qnn_status same_dtype(const qnn_check *check, const char *a_name, const qnn_tensor *a, const char *b_name,
                             const qnn_tensor *b) {
    if (a->dtype == b->dtype) return QNN_OK;
    return QNN_REFUSE(check, a_name, "is %s, expected %s as `%s`", qnn_dtype_name(a->dtype), qnn_dtype_name(b->dtype), b_name);
}

static qnn_status same_encoding(const qnn_check *check, const char *a_name, const qnn_tensor *a, const char *b_name,
                                const qnn_tensor *b) {
    if (!is_fixed_point(a->dtype)) return QNN_OK;
    float scale = a->quantization.scale_offset.scale, expected = b->quantization.scale_offset.scale;
    int32_t offset = a->quantization.scale_offset.offset, expected_offset = b->quantization.scale_offset.offset;
    if (scale == expected && offset == expected_offset) return QNN_OK;
    return QNN_REFUSE(check, a_name, "has scale %g and offset %d, expected %g and %d as `%s`", (double)scale, offset,
                      (double)expected, expected_offset, b_name);
}

// Weights and tables: floats beside floats, fixed point beside fixed point.
static qnn_status same_family(const qnn_check *check, const char *a_name, const qnn_tensor *a, const char *b_name,
                              const qnn_tensor *b) {
    if (is_fixed_point(a->dtype) == is_fixed_point(b->dtype)) return QNN_OK;
    return QNN_REFUSE(check, a_name, "is %s, expected %s as `%s`", qnn_dtype_name(a->dtype),
                      is_fixed_point(b->dtype) ? "fixed point" : "a float", b_name);
}

// The output has the dimensions and the type of the first input.
static qnn_status check_alike(const qnn_check *check) {
    const qnn_tensor *x = &check->config->inputs[0], *y = &check->config->outputs[0];
    const char *x_name = check->op->inputs[0].name, *y_name = check->op->outputs[0].name;
    qnn_status status = check_encodings(check);
    if (status == QNN_OK) status = qnn_same_dims(check, y_name, y, x_name, x);
    if (status == QNN_OK) status = same_dtype(check, y_name, y, x_name, x);
    return status;
}

static qnn_status check_silu_mul(const qnn_check *check) {
    const qnn_tensor *gate = &check->config->inputs[SiluMul_IN_gate], *up = &check->config->inputs[SiluMul_IN_up];
    qnn_status status = check_alike(check);
    if (status == QNN_OK) status = qnn_same_dims(check, "up", up, "gate", gate);
    if (status == QNN_OK) status = same_dtype(check, "up", up, "gate", gate);
    return status;
}

static qnn_status check_epsilon(const qnn_check *check, uint32_t index) {
    const qnn_scalar *epsilon = qnn_config_param(check, index);
    // Refuses NaN, too.
    if (!epsilon || (epsilon->f32 >= 0 && epsilon->f32 < 1e30f)) return QNN_OK;
    return QNN_REFUSE(check, check->op->params[index].name, "is %g, expected a finite number, not negative",
                      (double)epsilon->f32);
}

// Inputs from 1 on have one element for each of a row.
static qnn_status check_norm(const qnn_check *check, uint32_t epsilon) {
    const qnn_tensor *x = &check->config->inputs[0];
    uint32_t width = qnn_dim_from_last(x, 0);
    qnn_status status = check_alike(check);
    for (uint32_t i = 1; status == QNN_OK && i < check->op->num_inputs; i++) {
        const qnn_tensor *weight = &check->config->inputs[i];
        const char *name = check->op->inputs[i].name;
        status = same_family(check, name, weight, "x", x);
        if (status == QNN_OK && weight->dims[0] != width) {
            status = QNN_REFUSE(check, name, "has %u elements, expected %u as the last dimension of `x`", weight->dims[0], width);
        }
    }
    return status == QNN_OK ? check_epsilon(check, epsilon) : status;
}

static qnn_status check_rms_norm(const qnn_check *check) { return check_norm(check, RMSNorm_PARAM_epsilon); }

static qnn_status check_layer_norm(const qnn_check *check) { return check_norm(check, LayerNorm_PARAM_epsilon); }

static qnn_status check_rope(const qnn_check *check) {
    const qnn_tensor *x = &check->config->inputs[RoPE_IN_x];
    const qnn_tensor *sin = &check->config->inputs[RoPE_IN_sin], *cos = &check->config->inputs[RoPE_IN_cos];
    const qnn_scalar *interleaved = qnn_config_param(check, RoPE_PARAM_interleaved);
    uint32_t width = qnn_dim_from_last(x, 0), positions = qnn_dim_from_last(x, 2);
    qnn_status status = check_alike(check);
    if (status == QNN_OK) status = same_family(check, "sin", sin, "x", x);
    if (status == QNN_OK) status = same_dtype(check, "cos", cos, "sin", sin);
    if (status == QNN_OK) status = qnn_same_dims(check, "cos", cos, "sin", sin);
    if (status != QNN_OK) return status;
    if (x->rank < 3) return QNN_REFUSE(check, "x", "has rank %u, expected 3 or 4: positions, heads, width", x->rank);
    if (sin->dims[0] != positions) {
        return QNN_REFUSE(check, "sin", "has %u rows, expected %u as the positions of `x`", sin->dims[0], positions);
    }
    if (sin->dims[1] > width / 2) {
        return QNN_REFUSE(check, "sin", "has %u pairs, expected %u at most, half the width of `x`", sin->dims[1], width / 2);
    }
    if (interleaved && interleaved->u32 > 1) {
        return QNN_REFUSE(check, "interleaved", "is %u, expected 0 or 1", interleaved->u32);
    }
    return QNN_OK;
}

static qnn_status check_one_index(const qnn_check *check, const char *name, const qnn_tensor *tensor) {
    if (tensor->dims[0] == 1) return QNN_OK;
    return QNN_REFUSE(check, name, "has %u elements, expected 1", tensor->dims[0]);
}

static qnn_status check_causal_mask(const qnn_check *check) {
    const qnn_tensor *scores = &check->config->inputs[CausalMask_IN_scores], *y = &check->config->outputs[CausalMask_OUT_y];
    const qnn_scalar *value = qnn_config_param(check, CausalMask_PARAM_mask_value);
    qnn_status status = check_alike(check);
    if (status == QNN_OK) status = same_encoding(check, "y", y, "scores", scores);
    if (status == QNN_OK) status = check_one_index(check, "position", &check->config->inputs[CausalMask_IN_position]);
    if (status != QNN_OK) return status;
    if (scores->rank < 2) return QNN_REFUSE(check, "scores", "has rank 1, expected 2 or more: queries, keys");
    if (value && value->f32 != value->f32) return QNN_REFUSE(check, "mask_value", "is not a number");
    return QNN_OK;
}

// The explicit scale and offset are those of the encoding that HTP knows.
static qnn_status check_explicit(const qnn_check *check, const char *name, const qnn_tensor *tensor, uint32_t scale_index,
                                 uint32_t offset_index) {
    const qnn_scalar *scale = qnn_config_param(check, scale_index), *offset = qnn_config_param(check, offset_index);
    int32_t offset_value = offset ? offset->i32 : check->op->params[offset_index].fallback.i32;
    float encoded = tensor->quantization.scale_offset.scale;
    int32_t encoded_offset = tensor->quantization.scale_offset.offset;
    if (scale->f32 != encoded) {
        return QNN_REFUSE(check, "scale", "is %g, expected %g as in the encoding of `%s`", (double)scale->f32, (double)encoded,
                          name);
    }
    if (offset_value != encoded_offset) {
        return QNN_REFUSE(check, "offset", "is %d, expected %d as in the encoding of `%s`", offset_value, encoded_offset, name);
    }
    return QNN_OK;
}

static qnn_status check_quantize(const qnn_check *check) {
    const qnn_tensor *x = &check->config->inputs[Quantize_IN_x], *y = &check->config->outputs[Quantize_OUT_y];
    qnn_status status = check_encodings(check);
    if (status == QNN_OK) status = qnn_same_dims(check, "y", y, "x", x);
    if (status == QNN_OK) status = check_explicit(check, "y", y, Quantize_PARAM_scale, Quantize_PARAM_offset);
    return status;
}

static qnn_status check_dequantize(const qnn_check *check) {
    const qnn_tensor *x = &check->config->inputs[Dequantize_IN_x], *y = &check->config->outputs[Dequantize_OUT_y];
    qnn_status status = check_encodings(check);
    if (status == QNN_OK) status = qnn_same_dims(check, "y", y, "x", x);
    if (status == QNN_OK) status = check_explicit(check, "x", x, Dequantize_PARAM_scale, Dequantize_PARAM_offset);
    return status;
}

static qnn_status check_dequantize_add(const qnn_check *check) {
    const qnn_tensor *x = &check->config->inputs[DequantizeAdd_IN_x], *bias = &check->config->inputs[DequantizeAdd_IN_bias];
    const qnn_tensor *y = &check->config->outputs[DequantizeAdd_OUT_y];
    qnn_status status = check_encodings(check);
    if (status == QNN_OK) status = qnn_same_dims(check, "y", y, "x", x);
    if (status == QNN_OK) status = check_explicit(check, "x", x, DequantizeAdd_PARAM_scale, DequantizeAdd_PARAM_offset);
    if (status != QNN_OK) return status;
    if (bias->rank != 1) return qnn_same_dims(check, "bias", bias, "x", x);
    if (bias->dims[0] != qnn_dim_from_last(x, 0)) {
        return QNN_REFUSE(check, "bias", "has %u elements, expected %u as the last dimension of `x`", bias->dims[0],
                          qnn_dim_from_last(x, 0));
    }
    return QNN_OK;
}

static qnn_status check_kv_cache(const qnn_check *check) {
    const qnn_tensor *cache = &check->config->inputs[KVCache_IN_cache], *added = &check->config->inputs[KVCache_IN_added];
    const qnn_scalar *param = qnn_config_param(check, KVCache_PARAM_axis);
    int32_t axis = param ? param->i32 : check->op->params[KVCache_PARAM_axis].fallback.i32;
    qnn_status status = check_alike(check);
    if (status == QNN_OK) status = same_encoding(check, "y", &check->config->outputs[KVCache_OUT_y], "cache", cache);
    if (status == QNN_OK) status = same_dtype(check, "added", added, "cache", cache);
    if (status == QNN_OK) status = same_encoding(check, "added", added, "cache", cache);
    if (status == QNN_OK) status = check_one_index(check, "position", &check->config->inputs[KVCache_IN_position]);
    if (status != QNN_OK) return status;
    if ((axis != -2 && axis != -3) || -axis > (int32_t)cache->rank) {
        return QNN_REFUSE(check, "axis", "is %d, expected -2%s", axis, cache->rank > 2 ? " or -3" : "");
    }
    if (added->rank != cache->rank) {
        return QNN_REFUSE(check, "added", "has rank %u, expected %u as `cache`", added->rank, cache->rank);
    }
    for (uint32_t i = 0; i < cache->rank; i++) {
        int is_axis = i == (uint32_t)((int32_t)cache->rank + axis);
        if (is_axis ? added->dims[i] > cache->dims[i] : added->dims[i] != cache->dims[i]) {
            return QNN_REFUSE(check, "added", "has %u at dimension %u, expected %u%s as `cache`", added->dims[i], i,
                              cache->dims[i], is_axis ? " at most" : "");
        }
    }
    return QNN_OK;
}

// Axes that do not matter to a kernel: all to those that go element by element, all but the last to those that go row by row.
#define ALL_AXES (ROW_AXES | QNN_AXIS(3))
#define ROW_AXES (QNN_AXIS(0) | QNN_AXIS(1) | QNN_AXIS(2))

static const qnn_kernel_def KERNELS[QNN_PACKAGE_NUM_OPS] = {
    [OP_SiLU] = {.run = run_silu, .check = check_alike, .tiled_axes = ALL_AXES, .tiled_inputs = QNN_INPUT(SiLU_IN_x)},
    [OP_SiluMul] = {.run = run_silu_mul,
                    .check = check_silu_mul,
                    .tiled_axes = ALL_AXES,
                    .tiled_inputs = QNN_INPUT(SiluMul_IN_gate) | QNN_INPUT(SiluMul_IN_up)},
    [OP_RMSNorm] = {.run = run_rms_norm,
                    .check = check_rms_norm,
                    .tiled_axes = ROW_AXES,
                    .tiled_inputs = QNN_INPUT(RMSNorm_IN_x)},
    [OP_LayerNorm] = {.run = run_layer_norm,
                      .check = check_layer_norm,
                      .tiled_axes = ROW_AXES,
                      .tiled_inputs = QNN_INPUT(LayerNorm_IN_x)},
    // Not positions: a part of them would need that part of the tables, which have them elsewhere.
    [OP_RoPE] = {.run = run_rope,
                 .check = check_rope,
                 .tiled_axes = QNN_AXIS(0) | QNN_AXIS(2),
                 .tiled_inputs = QNN_INPUT(RoPE_IN_x),
                 .whole_inputs = QNN_INPUT(RoPE_IN_sin) | QNN_INPUT(RoPE_IN_cos)},
    // Not queries and keys: their numbers count.
    [OP_CausalMask] = {.run = run_causal_mask,
                       .check = check_causal_mask,
                       .tiled_axes = QNN_AXIS(0) | QNN_AXIS(1),
                       .tiled_inputs = QNN_INPUT(CausalMask_IN_scores)},
    [OP_Quantize] = {.run = run_quantize,
                     .check = check_quantize,
                     .tiled_axes = ALL_AXES,
                     .tiled_inputs = QNN_INPUT(Quantize_IN_x)},
    [OP_Dequantize] = {.run = run_dequantize,
                       .check = check_dequantize,
                       .tiled_axes = ALL_AXES,
                       .tiled_inputs = QNN_INPUT(Dequantize_IN_x)},
    [OP_DequantizeAdd] = {.run = run_dequantize_add,
                          .check = check_dequantize_add,
                          .tiled_axes = ROW_AXES,
                          .tiled_inputs = QNN_INPUT(DequantizeAdd_IN_x) | QNN_INPUT(DequantizeAdd_IN_bias)},
    // Not where rows may be.
    [OP_KVCache] = {.run = run_kv_cache,
                    .check = check_kv_cache,
                    .tiled_axes = QNN_AXIS(0) | QNN_AXIS(3),
                    .tiled_inputs = QNN_INPUT(KVCache_IN_cache) | QNN_INPUT(KVCache_IN_added)},
};

QNN_OP_PACKAGE(KERNELS)
