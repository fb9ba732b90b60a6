#include "chunk.h"
#include "math.h"

// Sum of (x - centre)^2 over a row.
static float sum_of_squares(const buffer *x, size_t from, size_t width, float centre) {
    chunk in;
    vf sum = vf_splat(0), middle = vf_splat(centre);
    for (size_t at = 0; at < width; at += CHUNK) {
        size_t count = chunk_size(at, width);
        const float *values = chunk_load(&in, x, from + at, count, centre);
        for (size_t i = 0; i < count; i += HVX_LANES) {
            vf distance = vf_sub(vf_load(values + i), middle);
            sum = vf_add(sum, vf_mul(distance, distance));
        }
    }
    return vf_sum(sum);
}

static float sum_of(const buffer *x, size_t from, size_t width) {
    chunk in;
    vf sum = vf_splat(0);
    for (size_t at = 0; at < width; at += CHUNK) {
        size_t count = chunk_size(at, width);
        const float *values = chunk_load(&in, x, from + at, count, 0);
        for (size_t i = 0; i < count; i += HVX_LANES) sum = vf_add(sum, vf_load(values + i));
    }
    return vf_sum(sum);
}

// y = (x - centre) * factor * weight [+ bias]
static void scale_row(const buffer *y, const buffer *x, const buffer *weight, const buffer *bias, float centre, float factor,
                      size_t from, size_t width) {
    chunk in, weights, biases, out;
    vf middle = vf_splat(centre), factors = vf_splat(factor);
    for (size_t at = 0; at < width; at += CHUNK) {
        size_t count = chunk_size(at, width);
        const float *values = chunk_load(&in, x, from + at, count, 0), *w = chunk_load(&weights, weight, at, count, 0);
        const float *b = bias ? chunk_load(&biases, bias, at, count, 0) : NULL;
        for (size_t i = 0; i < count; i += HVX_LANES) {
            vf value = vf_mul(vf_mul(vf_sub(vf_load(values + i), middle), factors), vf_load(w + i));
            vf_store(out.at + i, b ? vf_add(value, vf_load(b + i)) : value);
        }
        chunk_store(y, from + at, &out, count);
    }
}

void rms_norm(const buffer *y, const buffer *x, const buffer *weight, float epsilon, size_t width, size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
        float mean = sum_of_squares(x, row * width, width, 0) / (float)(int32_t)width;
        scale_row(y, x, weight, NULL, 0, f32_rsqrt(mean + epsilon), row * width, width);
    }
}

void layer_norm(const buffer *y, const buffer *x, const buffer *weight, const buffer *bias, float epsilon, size_t width,
                size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
        float mean = sum_of(x, row * width, width) / (float)(int32_t)width;
        float variance = sum_of_squares(x, row * width, width, mean) / (float)(int32_t)width;
        scale_row(y, x, weight, bias, mean, f32_rsqrt(variance + epsilon), row * width, width);
    }
}
