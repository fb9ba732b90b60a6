// What attention does without arithmetic.
#include "chunk.h"

void causal_mask(const buffer *y, const buffer *x, float value, size_t position, size_t queries, size_t keys, size_t begin,
                 size_t end) {
    size_t size = stored_size(y->stored);
    uint32_t blocked = 0;
    chunk number;
    number.at[0] = value;
    buffer one = *y;
    one.data = &blocked;
    chunk_store(&one, 0, &number, 1);
    for (size_t row = begin; row < end; row++) {
        size_t seen = row % queries + 1;
        // Without overflow for any position.
        seen = position >= keys || seen > keys - position ? keys : position + seen;
        char *to = (char *)y->data + row * keys * size;
        hvx_copy(to, (const char *)x->data + row * keys * size, seen * size);
        hvx_fill(to + seen * size, blocked, size, keys - seen);
    }
}

void kv_append(const buffer *out, const buffer *cache, const buffer *added, size_t rows, size_t added_rows, size_t inner,
               size_t position, size_t begin, size_t end) {
    size_t row = inner * stored_size(out->stored), before = position * row, between = added_rows * row;
    for (size_t part = begin; part < end; part++) {
        char *to = (char *)out->data + part * rows * row;
        const char *from = (const char *)cache->data + part * rows * row;
        if (to != from) {
            hvx_copy(to, from, before);
            hvx_copy(to + before + between, from + before + between, rows * row - before - between);
        }
        hvx_copy(to + before, (const char *)added->data + part * between, between);
    }
}
