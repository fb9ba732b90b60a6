// The kernels: plain functions on buffers, which know nothing of QNN.
//
// All of them compute in float32 whatever the storage types, which may differ between operands of a call, and round once when
// they store. Work is split by the caller: a kernel does the elements or rows `begin` to `end` of its output, and calls for different
// ones may run at the same time. Outputs do not overlap inputs, unless said otherwise.
#ifndef KERNELS_H
#define KERNELS_H

#include <stddef.h>
#include <stdint.h>

// How elements are stored. The numbers are HTP's.
enum { STORED_U8 = 1, STORED_U16 = 2, STORED_S16 = 3, STORED_F32 = 4, STORED_S8 = 7, STORED_F16 = 8 };

// Elements in row-major order. A stored integer q means (q - zero) * step; floats leave these at 0.
typedef struct {
    void *data;
    uint32_t stored;
    int32_t zero;
    float step;
} buffer;

// Bytes of an element, 0 for what is no storage type.
size_t stored_size(uint32_t stored);

// y = x, from one storage type to another: quantizes and dequantizes.
void convert(const buffer *y, const buffer *x, size_t begin, size_t end);

// y = x + bias, where the bias has `width` elements that repeat.
void add_bias(const buffer *y, const buffer *x, const buffer *bias, size_t width, size_t begin, size_t end);

// y = x / (1 + exp(-x))
void silu(const buffer *y, const buffer *x, size_t begin, size_t end);

// y = silu(gate) * up
void silu_mul(const buffer *y, const buffer *gate, const buffer *up, size_t begin, size_t end);

// Rows of `width`: y = x / sqrt(mean(x^2) + epsilon) * weight
void rms_norm(const buffer *y, const buffer *x, const buffer *weight, float epsilon, size_t width, size_t begin, size_t end);

// Rows of `width`: y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias
void layer_norm(const buffer *y, const buffer *x, const buffer *weight, const buffer *bias, float epsilon, size_t width,
                size_t begin, size_t end);

typedef struct {
    size_t width;      // of a row
    size_t pairs;      // of elements that are rotated, the first 2 * pairs of the row; the rest is passed on
    size_t heads;      // neighbouring rows at one position
    size_t positions;  // rows of `sin` and `cos`, each of `pairs`
    int interleaved;   // whether pairs are neighbours, or `pairs` apart
} rope_shape;

// Rows [.., positions, heads, width]: each pair (a, b) becomes (a cos - b sin, b cos + a sin).
void rope(const buffer *y, const buffer *x, const buffer *sin, const buffer *cos, const rope_shape *shape, size_t begin,
          size_t end);

// Rows [.., queries, keys]: y = x where key <= query + position, else `value`. Encodings of x and y are the same.
void causal_mask(const buffer *y, const buffer *x, float value, size_t position, size_t queries, size_t keys, size_t begin,
                 size_t end);

// Both [outer, rows, inner]: out = cache, with the rows of `added` from row `position` on. Does the outer parts `begin` to `end`.
// All are stored alike. `out` may be `cache`.
void kv_append(const buffer *out, const buffer *cache, const buffer *added, size_t rows, size_t added_rows, size_t inner,
               size_t position, size_t begin, size_t end);

#endif
