// What compilers call without being asked: copies of structs, and 32-bit division, which Hexagon has no instruction for. A library that
// is linked against nothing would leave these to whatever the device's loader finds. Hidden, so that they are this library's only, and
// weak, so that a toolchain's own take their place.
//
// Included once in a library or program, by the glue. For doubles and 64-bit division link the compiler's own runtime library.
#ifndef QNN_OP_RUNTIME_H
#define QNN_OP_RUNTIME_H

#if defined(__hexagon__)

#include <stddef.h>
#include <stdint.h>

// Without no_builtin the loops become calls of themselves.
#define QNN_RUNTIME __attribute__((weak, visibility("hidden"), no_builtin, used))

typedef uint64_t qnn_eight_bytes __attribute__((may_alias));

QNN_RUNTIME void *memcpy(void *to, const void *from, size_t count) {
    size_t i = 0;
    if ((((uintptr_t)to | (uintptr_t)from) & 7) == 0) {
        for (; i + 8 <= count; i += 8) *(qnn_eight_bytes *)((char *)to + i) = *(const qnn_eight_bytes *)((const char *)from + i);
    }
    for (; i < count; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

QNN_RUNTIME void *memmove(void *to, const void *from, size_t count) {
    if ((uintptr_t)to - (uintptr_t)from >= count) return memcpy(to, from, count);
    for (size_t i = count; i-- > 0;) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

QNN_RUNTIME void *memset(void *to, int value, size_t count) {
    for (size_t i = 0; i < count; i++) ((char *)to)[i] = (char)value;
    return to;
}

// The compiler's own name for copies of aligned structs.
QNN_RUNTIME void __hexagon_memcpy_likely_aligned_min32bytes_mult8bytes(void *to, const void *from, size_t count) {
    memcpy(to, from, count);
}

QNN_RUNTIME uint32_t __hexagon_udivsi3(uint32_t a, uint32_t b) {
    uint32_t quotient = 0;
    for (int shift = b ? __builtin_clz(b) : -1; shift >= 0; shift--) {
        if (a >> shift >= b) {
            a -= b << shift;
            quotient |= 1u << shift;
        }
    }
    return quotient;
}

QNN_RUNTIME uint32_t __hexagon_umodsi3(uint32_t a, uint32_t b) { return a - __hexagon_udivsi3(a, b) * b; }

QNN_RUNTIME int32_t __hexagon_divsi3(int32_t a, int32_t b) {
    uint32_t quotient = __hexagon_udivsi3(a < 0 ? -(uint32_t)a : (uint32_t)a, b < 0 ? -(uint32_t)b : (uint32_t)b);
    return (int32_t)((a < 0) != (b < 0) ? -quotient : quotient);
}

QNN_RUNTIME int32_t __hexagon_modsi3(int32_t a, int32_t b) { return a - __hexagon_divsi3(a, b) * b; }

#endif

#endif
