// Functions on lanes, made of additions, multiplications and integer operations only: that is what HVX of every architecture has,
// and it makes all builds but those with qf32 agree to the bit.
#ifndef KERNEL_MATH_H
#define KERNEL_MATH_H

#include "hvx.h"

// Around 1.5 * 2^23 floats are the integers: their low bits are the number.
#define MATH_MAGIC 0x1.8p23f

// Integers of less than 23 bits and a sign, as floats. Exact.
HVX_INLINE vf vf_of_small(vi value) {
    return vf_sub(vf_of_bits(vi_add(value, vi_splat(f32_bits(MATH_MAGIC)))), vf_splat(MATH_MAGIC));
}

// Integers that are ordered as the floats are; its own inverse.
HVX_INLINE vi vi_ordered(vi bits) { return vi_xor(bits, vi_and(vi_sra(bits, 31), vi_splat(0x7fffffff))); }

// What is outside `low` to `high` becomes the nearer of them, and NaN either.
HVX_INLINE vf vf_clamp(vf value, float low, float high) {
    vi ordered = vi_ordered(vi_bits(value));
    ordered = vi_max(ordered, vi_ordered(vi_bits(vf_splat(low))));
    ordered = vi_min(ordered, vi_ordered(vi_bits(vf_splat(high))));
    return vf_of_bits(vi_ordered(ordered));
}

// The nearest integer, the even one of two; saturated at 2^22.
HVX_INLINE vi vi_nearest(vf value) {
    vf shifted = vf_add(vf_clamp(value, -0x1p22f, 0x1p22f), vf_splat(MATH_MAGIC));
    return vi_sub(vi_bits(shifted), vi_splat(f32_bits(MATH_MAGIC)));
}

// exp for -87 to 87: 2^n * exp(r) with |r| <= ln(2) / 2, the latter by its series up to r^7.
HVX_INLINE vf vf_exp(vf x) {
    vf shifted = vf_add(vf_mul(x, vf_splat(0x1.715476p0f)), vf_splat(MATH_MAGIC));
    vf n = vf_sub(shifted, vf_splat(MATH_MAGIC));
    // ln(2) in two parts, of which the first has few enough bits that its product with n is exact.
    vf r = vf_sub(vf_sub(x, vf_mul(n, vf_splat(0x1.62e4p-1f))), vf_mul(n, vf_splat(0x1.7f7d1cp-20f)));
    static const float SERIES[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
    vf sum = vf_splat(1.0f / 5040);
    for (size_t i = 0; i < sizeof SERIES / sizeof *SERIES; i++) sum = vf_add(vf_mul(sum, r), vf_splat(SERIES[i]));
    vi exponent = vi_shl(vi_sub(vi_bits(shifted), vi_splat(f32_bits(MATH_MAGIC))), 23);
    return vf_of_bits(vi_add(vi_bits(sum), exponent));
}

// 1 / x for positive x below 2^126: a guess from the bits, then Newton's method, which squares the error each time.
HVX_INLINE vf vf_reciprocal(vf x) {
    vf y = vf_of_bits(vi_sub(vi_splat(0x7ef311c7), vi_bits(x)));
    for (int i = 0; i < 3; i++) y = vf_mul(y, vf_sub(vf_splat(2.0f), vf_mul(x, y)));
    return y;
}

// x / (1 + exp(-x)). Below -87, where it is -0 to 36 digits, it is x * exp(-87).
HVX_INLINE vf vf_silu(vf x) {
    vf negative = vf_clamp(vf_sub(vf_splat(0), x), -87.0f, 87.0f);
    return vf_mul(x, vf_reciprocal(vf_add(vf_exp(negative), vf_splat(1.0f))));
}

// 1 / sqrt(x) of one positive number, in the same way.
HVX_INLINE float f32_rsqrt(float x) {
    float y = f32_of_bits(0x5f375a86 - (f32_bits(x) >> 1));
    for (int i = 0; i < 4; i++) y = y * (1.5f - 0.5f * x * y * y);
    return y;
}

#endif
