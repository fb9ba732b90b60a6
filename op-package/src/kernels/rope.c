#include "chunk.h"

typedef struct {
    vf a, b;
} pair;

static pair rotate(vf a, vf b, vf sin, vf cos) {
    pair turned = {vf_sub(vf_mul(a, cos), vf_mul(b, sin)), vf_add(vf_mul(b, cos), vf_mul(a, sin))};
    return turned;
}

// A piece of `count` pairs that are `pairs` apart.
static void rotate_halves(const buffer *y, const buffer *x, size_t at, size_t pairs, const float *sin, const float *cos,
                          size_t count) {
    chunk left, right, first, second;
    const float *a = chunk_load(&left, x, at, count, 0), *b = chunk_load(&right, x, at + pairs, count, 0);
    for (size_t i = 0; i < count; i += HVX_LANES) {
        pair turned = rotate(vf_load(a + i), vf_load(b + i), vf_load(sin + i), vf_load(cos + i));
        vf_store(first.at + i, turned.a);
        vf_store(second.at + i, turned.b);
    }
    chunk_store(y, at, &first, count);
    chunk_store(y, at + pairs, &second, count);
}

// A piece of `count` pairs of neighbours.
static void rotate_neighbours(const buffer *y, const buffer *x, size_t at, const float *sin, const float *cos, size_t count) {
    chunk in, out;
    const float *from = chunk_load(&in, x, at, 2 * count, 0);
    for (size_t i = 0; i < count; i += HVX_LANES) {
        size_t second = 2 * i + HVX_LANES;
        vf even, odd, a, b;
        // The second vector of the last pairs may be behind what was loaded.
        vf_deal(vf_load(from + 2 * i), second < 2 * count ? vf_load(from + second) : vf_splat(0), &even, &odd);
        pair turned = rotate(even, odd, vf_load(sin + i), vf_load(cos + i));
        vf_shuffle(turned.a, turned.b, &a, &b);
        vf_store(out.at + 2 * i, a);
        vf_store(out.at + second, b);
    }
    chunk_store(y, at, &out, 2 * count);
}

void rope(const buffer *y, const buffer *x, const buffer *sin, const buffer *cos, const rope_shape *shape, size_t begin,
          size_t end) {
    chunk sines, cosines;
    // A piece of neighbours is two elements a pair.
    const size_t most = CHUNK / 2;
    for (size_t row = begin; row < end; row++) {
        size_t start = row * shape->width, angle = row / shape->heads % shape->positions * shape->pairs;
        for (size_t at = 0; at < shape->pairs; at += most) {
            size_t count = shape->pairs - at < most ? shape->pairs - at : most;
            const float *s = chunk_load(&sines, sin, angle + at, count, 0), *c = chunk_load(&cosines, cos, angle + at, count, 0);
            if (shape->interleaved) {
                rotate_neighbours(y, x, start + 2 * at, s, c, count);
            } else {
                rotate_halves(y, x, start + at, shape->pairs, s, c, count);
            }
        }
        convert(y, x, start + 2 * shape->pairs, start + shape->width);
    }
}
