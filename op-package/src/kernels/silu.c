#include "chunk.h"
#include "math.h"

// Fewer elements are sooner computed than a table of 256 is.
enum { TABLE_PAYS = 1024 };

static void silu_floats(const buffer *y, const buffer *x, size_t begin, size_t end) {
    chunk in, out;
    for (size_t at = begin; at < end; at += CHUNK) {
        size_t count = chunk_size(at, end);
        const float *from = chunk_load(&in, x, at, count, 0);
        for (size_t i = 0; i < count; i += HVX_LANES) vf_store(out.at + i, vf_silu(vf_load(from + i)));
        chunk_store(y, at, &out, count);
    }
}

static int is_byte(const buffer *x) { return stored_size(x->stored) == 1; }

void silu(const buffer *y, const buffer *x, size_t begin, size_t end) {
    if (!is_byte(x) || !is_byte(y) || end <= begin || end - begin < TABLE_PAYS) {
        silu_floats(y, x, begin, end);
        return;
    }
    uint8_t bytes[256], table[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    buffer inputs = *x, outputs = *y;
    inputs.data = bytes;
    outputs.data = table;
    silu_floats(&outputs, &inputs, 0, 256);
    hvx_look_up((uint8_t *)y->data + begin, (const uint8_t *)x->data + begin, end - begin, table);
}

void silu_mul(const buffer *y, const buffer *gate, const buffer *up, size_t begin, size_t end) {
    chunk left, right, out;
    for (size_t at = begin; at < end; at += CHUNK) {
        size_t count = chunk_size(at, end);
        const float *a = chunk_load(&left, gate, at, count, 0), *b = chunk_load(&right, up, at, count, 0);
        for (size_t i = 0; i < count; i += HVX_LANES) {
            vf_store(out.at + i, vf_mul(vf_silu(vf_load(a + i)), vf_load(b + i)));
        }
        chunk_store(y, at, &out, count);
    }
}
