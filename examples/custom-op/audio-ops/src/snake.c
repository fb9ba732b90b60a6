// Snake: x + sin(alpha x)^2 / alpha.
#include "AudioOps_ops.h"

// sin(v)^2, of period pi. The NPU's side of a package is linked against no math library.
static float sin_squared(float v) {
    float turns = v * 0.31830988618f;
    turns -= (float)(int)turns;  // -1 to 1
    if (turns > 0.5f) turns -= 1.0f;
    if (turns < -0.5f) turns += 1.0f;
    float w = turns * 3.14159265359f, w2 = w * w;  // -pi/2 to pi/2
    float sine = w * (1.0f + w2 * (-1.0f / 6 + w2 * (1.0f / 120 + w2 * (-1.0f / 5040 + w2 * (1.0f / 362880)))));
    return sine * sine;
}

// The kernel: a plain function on buffers, which can be tested without any library of Qualcomm's.
void snake(float *y, const float *x, size_t begin, size_t end, float alpha) {
    for (size_t i = begin; i < end; i++) y[i] = x[i] + sin_squared(alpha * x[i]) / alpha;
}

static const char *run_snake(const qnn_kernel_args *args) {
    qhpi_shape shape = qhpi_tensor_shape(args->outputs[Snake_OUT_y]);
    size_t count = 1;
    for (uint32_t i = 0; i < shape.rank; i++) count *= shape.dims[i];
    qnn_range part = qnn_my_part(args, count);
    snake(qhpi_tensor_raw_data(args->outputs[Snake_OUT_y]), qhpi_tensor_raw_data(args->inputs[Snake_IN_x]), part.begin,
          part.end, qnn_param_f32(args, Snake_PARAM_alpha));
    return NULL;
}

// What the definition cannot say: the output has the input's shape, and alpha divides.
static qnn_status check_snake(const qnn_check *check) {
    const qnn_scalar *alpha = qnn_config_param(check, Snake_PARAM_alpha);
    if (alpha && alpha->f32 == 0.0f) return QNN_REFUSE(check, "alpha", "is 0");
    return qnn_same_dims(check, "y", &check->config->outputs[Snake_OUT_y], "x", &check->config->inputs[Snake_IN_x]);
}

static const qnn_kernel_def KERNELS[QNN_PACKAGE_NUM_OPS] = {
    [OP_Snake] = {.run = run_snake, .check = check_snake},
};

QNN_OP_PACKAGE(KERNELS)
