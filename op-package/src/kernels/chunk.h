// Pieces of a buffer as floats, whatever the buffer stores.
#ifndef CHUNK_H
#define CHUNK_H

#include "hvx.h"
#include "kernels.h"

// Elements of a piece at most; a multiple of HVX_GROUP.
enum { CHUNK = 256 };

typedef struct {
    float at[CHUNK] __attribute__((aligned(HVX_ALIGN)));
} chunk;

// The elements `from` to `from + count` (at most CHUNK) as floats: in `scratch`, or where they are. They may be read up to the next
// multiple of HVX_LANES; what is behind `count` is `fill`.
const float *chunk_load(chunk *scratch, const buffer *x, size_t from, size_t count, float fill);

// Stores `count` floats of `values` as the elements from `to` on. `values` is overwritten.
void chunk_store(const buffer *y, size_t to, chunk *values, size_t count);

HVX_INLINE size_t chunk_size(size_t at, size_t end) { return end - at < CHUNK ? end - at : CHUNK; }

#endif
