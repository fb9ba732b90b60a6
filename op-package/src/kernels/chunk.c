#include "chunk.h"

#include "math.h"

size_t stored_size(uint32_t stored) {
    static const uint8_t SIZES[] = {[STORED_U8] = 1,  [STORED_U16] = 2, [STORED_S16] = 2,
                                    [STORED_F32] = 4, [STORED_S8] = 1,  [STORED_F16] = 2};
    return stored < sizeof SIZES ? SIZES[stored] : 0;
}

static const void *element(const buffer *x, size_t index) {
    return (const char *)x->data + index * stored_size(x->stored);
}

// One group of stored elements to 32-bit numbers, in place of floats: integers for integer types.
static void unpack(uint32_t stored, const void *from, float *to) {
    int32_t *words = (int32_t *)to;
    switch (stored) {
        case STORED_F32: hvx_copy(to, from, HVX_GROUP * sizeof(float)); break;
        case STORED_F16: hvx_unpack_half(from, to); break;
        case STORED_U8: hvx_unpack_u8(from, words); break;
        case STORED_S8: hvx_unpack_s8(from, words); break;
        case STORED_U16: hvx_unpack_u16(from, words); break;
        case STORED_S16: hvx_unpack_s16(from, words); break;
    }
}

static void pack(uint32_t stored, const float *from, void *to) {
    const int32_t *words = (const int32_t *)from;
    switch (stored) {
        case STORED_F32: hvx_copy(to, from, HVX_GROUP * sizeof(float)); break;
        case STORED_F16: hvx_pack_half(from, to); break;
        case STORED_U8: hvx_pack_u8(words, to); break;
        case STORED_S8: hvx_pack_s8(words, to); break;
        case STORED_U16: hvx_pack_u16(words, to); break;
        case STORED_S16: hvx_pack_s16(words, to); break;
    }
}

static int is_float(uint32_t stored) { return stored == STORED_F32 || stored == STORED_F16; }

const float *chunk_load(chunk *scratch, const buffer *x, size_t from, size_t count, float fill) {
    size_t size = stored_size(x->stored), whole = count - count % HVX_GROUP;
    if (x->stored == STORED_F32 && count % HVX_LANES == 0) return element(x, from);
    for (size_t i = 0; i < whole; i += HVX_GROUP) unpack(x->stored, element(x, from + i), scratch->at + i);
    if (whole < count) {
        // Nothing behind the buffer's end is read: it may be the end of a page.
        float last[HVX_GROUP] __attribute__((aligned(HVX_ALIGN)));
        hvx_copy(last, element(x, from + whole), (count - whole) * size);
        unpack(x->stored, last, scratch->at + whole);
    }
    if (!is_float(x->stored)) {
        vi zero = vi_splat(x->zero);
        vf step = vf_splat(x->step);
        for (size_t i = 0; i < count; i += HVX_LANES) {
            vi centred = vi_sub(vi_load((const int32_t *)(scratch->at + i)), zero);
            vf_store(scratch->at + i, vf_mul(vf_of_small(centred), step));
        }
    }
    for (size_t i = count; i % HVX_LANES != 0; i++) scratch->at[i] = fill;
    return scratch->at;
}

void chunk_store(const buffer *y, size_t to, chunk *values, size_t count) {
    size_t whole = count - count % HVX_GROUP;
    if (!is_float(y->stored)) {
        vi zero = vi_splat(y->zero);
        vf steps = vf_splat(1.0f / y->step);
        for (size_t i = 0; i < count; i += HVX_LANES) {
            vi rounded = vi_nearest(vf_mul(vf_load(values->at + i), steps));
            vi_store((int32_t *)(values->at + i), vi_add(rounded, zero));
        }
    }
    for (size_t i = 0; i < whole; i += HVX_GROUP) {
        pack(y->stored, values->at + i, (void *)element(y, to + i));
    }
    if (whole < count) {
        float last[HVX_GROUP] __attribute__((aligned(HVX_ALIGN)));
        pack(y->stored, values->at + whole, last);
        hvx_copy((void *)element(y, to + whole), last, (count - whole) * stored_size(y->stored));
    }
}

void convert(const buffer *y, const buffer *x, size_t begin, size_t end) {
    chunk in, out;
    for (size_t at = begin; at < end; at += CHUNK) {
        size_t count = chunk_size(at, end);
        const float *from = chunk_load(&in, x, at, count, 0);
        for (size_t i = 0; i < count; i += HVX_LANES) vf_store(out.at + i, vf_load(from + i));
        chunk_store(y, at, &out, count);
    }
}

void add_bias(const buffer *y, const buffer *x, const buffer *bias, size_t width, size_t begin, size_t end) {
    chunk in, more, out;
    for (size_t at = begin, count; at < end; at += count) {
        size_t column = at % width;
        count = chunk_size(column, width);
        if (count > end - at) count = end - at;
        const float *a = chunk_load(&in, x, at, count, 0), *b = chunk_load(&more, bias, column, count, 0);
        for (size_t i = 0; i < count; i += HVX_LANES) vf_store(out.at + i, vf_add(vf_load(a + i), vf_load(b + i)));
        chunk_store(y, at, &out, count);
    }
}
