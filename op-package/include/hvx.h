// The only file that knows which processor it is compiled for.
//
// Kernels are written once, on values of HVX_LANES 32-bit numbers: 32 where the compiler targets HVX, 1 everywhere else, so that
// the same source is vector code on Hexagon and ordinary scalar C on any processor. `vf` is floats, `vi` integers.
//
// Floats on HVX have three forms here, and nowhere else:
//   default           qf32 and conversions from it; IEEE arithmetic where the architecture has it (v79 on, with hvx_ieee_fp)
//   HVX_FLOAT_SHIM    each float operation by a scalar loop over the lanes, IEEE. For QEMU, which does not execute HVX floats:
//                     loads, permutes, integer work and predicates still run as HVX
//   HVX_FLOAT_COUNT   an integer instruction in the place of each float instruction. Computes nonsense in as many instructions
//                     as the default, for counting them in QEMU
#ifndef HVX_H
#define HVX_H

#include <stddef.h>
#include <stdint.h>

#define HVX_INLINE static inline __attribute__((always_inline, unused))

// Elements that the storage conversions below take at a time. Buffers of floats are padded to it.
#if defined(__HVX__)
enum { HVX_LANES = 32, HVX_GROUP = 128, HVX_ALIGN = 128 };
#else
enum { HVX_LANES = 1, HVX_GROUP = 1, HVX_ALIGN = 16 };
#endif

// ---- Scalars that need bits ----------------------------------------------------------------------------------------

HVX_INLINE int32_t f32_bits(float value) {
    union {
        float f;
        int32_t i;
    } bits = {.f = value};
    return bits.i;
}

HVX_INLINE float f32_of_bits(int32_t value) {
    union {
        int32_t i;
        float f;
    } bits = {.i = value};
    return bits.f;
}

// Exact, subnormals and infinities included.
HVX_INLINE float f32_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
    if (exponent == 0) {  // a multiple of 2^-24
        float value = (float)(int32_t)mantissa * 0x1p-24f;
        return f32_of_bits((int32_t)((uint32_t)f32_bits(value) | sign));
    }
    exponent = exponent == 0x1f ? 0xff : exponent + 112;
    return f32_of_bits((int32_t)(sign | exponent << 23 | mantissa << 13));
}

// To nearest, ties to even; too large becomes infinity.
HVX_INLINE uint16_t half_of_f32(float value) {
    uint32_t bits = (uint32_t)f32_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) {  // below 2^-14: adding 0.5 leaves the multiple of 2^-24 in the low bits, rounded
        return (uint16_t)(sign | (uint32_t)(f32_bits(f32_of_bits((int32_t)magnitude) + 0.5f) - f32_bits(0.5f)));
    }
    return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}

// ---- HVX ------------------------------------------------------------------------------------------------------------

#if defined(__HVX__)

#if !defined(__HVX_LENGTH__) || __HVX_LENGTH__ != 128
#error "compile for 128-byte vectors: -mhvx-length=128B"
#endif

#include <hexagon_types.h>
#include <hexagon_protos.h>
#include <hvx_hexagon_protos.h>

typedef HVX_Vector vf;
typedef HVX_Vector vi;

typedef HVX_Vector hvx_anywhere __attribute__((aligned(1), may_alias));
typedef HVX_Vector hvx_aligned __attribute__((may_alias));

HVX_INLINE HVX_Vector hvx_load(const void *from) { return *(const hvx_anywhere *)from; }
HVX_INLINE void hvx_store(void *to, HVX_Vector value) { *(hvx_anywhere *)to = value; }

// The first `bytes`, 1 to 128, of a vector. Only aligned vectors that hold some of them are touched, which cannot leave their page.
HVX_INLINE HVX_Vector hvx_load_part(const void *from, size_t bytes) {
    uintptr_t at = (uintptr_t)from, last = at + bytes - 1;
    return Q6_V_valign_VVR(*(const hvx_aligned *)(last & ~(uintptr_t)127), *(const hvx_aligned *)(at & ~(uintptr_t)127),
                           (int32_t)at);
}
HVX_INLINE void hvx_store_part(void *to, size_t bytes, HVX_Vector value) {
    uintptr_t at = (uintptr_t)to, end = (at & 127) + bytes;
    hvx_aligned *first = (hvx_aligned *)(at & ~(uintptr_t)127);
    HVX_VectorPred before = Q6_Q_vsetq_R((int32_t)at);
    value = Q6_V_vlalign_VVR(value, value, (int32_t)at);
    if (end > 128) {
        Q6_vmem_QnRIV(before, first, value);
        Q6_vmem_QRIV(Q6_Q_vsetq_R((int32_t)end), first + 1, value);
    } else {
        Q6_vmem_QRIV(Q6_Q_and_QQn(Q6_Q_vsetq2_R((int32_t)end), before), first, value);
    }
}

HVX_INLINE vf vf_load(const float *from) { return hvx_load(from); }
HVX_INLINE void vf_store(float *to, vf value) { hvx_store(to, value); }
HVX_INLINE vi vi_load(const int32_t *from) { return hvx_load(from); }
HVX_INLINE void vi_store(int32_t *to, vi value) { hvx_store(to, value); }
HVX_INLINE vi vi_splat(int32_t value) { return Q6_V_vsplat_R(value); }
HVX_INLINE vf vf_splat(float value) { return Q6_V_vsplat_R(f32_bits(value)); }
HVX_INLINE vi vi_bits(vf value) { return value; }
HVX_INLINE vf vf_of_bits(vi value) { return value; }
HVX_INLINE vi vi_add(vi a, vi b) { return Q6_Vw_vadd_VwVw(a, b); }
HVX_INLINE vi vi_sub(vi a, vi b) { return Q6_Vw_vsub_VwVw(a, b); }
HVX_INLINE vi vi_and(vi a, vi b) { return Q6_V_vand_VV(a, b); }
HVX_INLINE vi vi_xor(vi a, vi b) { return Q6_V_vxor_VV(a, b); }
HVX_INLINE vi vi_shl(vi a, int32_t by) { return Q6_Vw_vasl_VwR(a, by); }
HVX_INLINE vi vi_sra(vi a, int32_t by) { return Q6_Vw_vasr_VwR(a, by); }
HVX_INLINE vi vi_max(vi a, vi b) { return Q6_Vw_vmax_VwVw(a, b); }
HVX_INLINE vi vi_min(vi a, vi b) { return Q6_Vw_vmin_VwVw(a, b); }

#if defined(HVX_FLOAT_SHIM)

typedef union {
    HVX_Vector v;
    float f[32];
    uint16_t h[64];
} hvx_lanes;
// Not unrolled: the loops are what runs, not what is measured.
#define HVX_LANEWISE(NAME, OPERATOR)                                     \
    HVX_INLINE vf NAME(vf a, vf b) {                                     \
        hvx_lanes x = {.v = a}, y = {.v = b};                            \
        for (int i = 0; i < 32; i++) x.f[i] = x.f[i] OPERATOR y.f[i];    \
        return x.v;                                                      \
    }
HVX_LANEWISE(vf_add, +)
HVX_LANEWISE(vf_sub, -)
HVX_LANEWISE(vf_mul, *)
HVX_INLINE HVX_VectorPair hvx_floats_of_halves(HVX_Vector halves) {  // even lanes, odd lanes
    hvx_lanes x = {.v = halves}, even, odd;
    for (int i = 0; i < 32; i++) {
        even.f[i] = f32_of_half(x.h[2 * i]);
        odd.f[i] = f32_of_half(x.h[2 * i + 1]);
    }
    return Q6_W_vcombine_VV(odd.v, even.v);
}
HVX_INLINE HVX_Vector hvx_halves_of_floats(HVX_VectorPair floats) {
    hvx_lanes even = {.v = Q6_V_lo_W(floats)}, odd = {.v = Q6_V_hi_W(floats)}, x;
    for (int i = 0; i < 32; i++) {
        x.h[2 * i] = half_of_f32(even.f[i]);
        x.h[2 * i + 1] = half_of_f32(odd.f[i]);
    }
    return x.v;
}

#elif defined(HVX_FLOAT_COUNT)

HVX_INLINE vf hvx_one_more(vf a) { return Q6_Vw_vabs_Vw(a); }
HVX_INLINE vf vf_add(vf a, vf b) { return hvx_one_more(Q6_Vh_vadd_VhVh(a, b)); }
HVX_INLINE vf vf_sub(vf a, vf b) { return hvx_one_more(Q6_Vh_vsub_VhVh(a, b)); }
HVX_INLINE vf vf_mul(vf a, vf b) { return hvx_one_more(Q6_Vh_vmpyi_VhVh(a, b)); }
HVX_INLINE HVX_VectorPair hvx_floats_of_halves(HVX_Vector halves) {
    HVX_VectorPair both = Q6_Ww_vmpy_VhVh(halves, Q6_V_vsplat_R(0x3c003c00));
    return Q6_W_vcombine_VV(hvx_one_more(Q6_V_hi_W(both)), hvx_one_more(Q6_V_lo_W(both)));
}
HVX_INLINE HVX_Vector hvx_halves_of_floats(HVX_VectorPair floats) {
    HVX_Vector zero = Q6_V_vzero();
    return Q6_Vh_vpacke_VwVw(Q6_Vh_vadd_VhVh(Q6_V_hi_W(floats), zero), Q6_Vh_vadd_VhVh(Q6_V_lo_W(floats), zero));
}

#else

#if __HVX_ARCH__ >= 79 && defined(__HVX_IEEE_FP__)
HVX_INLINE vf vf_add(vf a, vf b) { return Q6_Vsf_vadd_VsfVsf(a, b); }
HVX_INLINE vf vf_sub(vf a, vf b) { return Q6_Vsf_vsub_VsfVsf(a, b); }
HVX_INLINE vf vf_mul(vf a, vf b) { return Q6_Vsf_vmpy_VsfVsf(a, b); }
#else
HVX_INLINE vf vf_add(vf a, vf b) { return Q6_Vsf_equals_Vqf32(Q6_Vqf32_vadd_VsfVsf(a, b)); }
HVX_INLINE vf vf_sub(vf a, vf b) { return Q6_Vsf_equals_Vqf32(Q6_Vqf32_vsub_VsfVsf(a, b)); }
HVX_INLINE vf vf_mul(vf a, vf b) { return Q6_Vsf_equals_Vqf32(Q6_Vqf32_vmpy_VsfVsf(a, b)); }
#endif
HVX_INLINE HVX_VectorPair hvx_floats_of_halves(HVX_Vector halves) {
    HVX_VectorPair both = Q6_Wqf32_vmpy_VhfVhf(halves, Q6_V_vsplat_R(0x3c003c00));  // times 1
    return Q6_W_vcombine_VV(Q6_Vsf_equals_Vqf32(Q6_V_hi_W(both)), Q6_Vsf_equals_Vqf32(Q6_V_lo_W(both)));
}
HVX_INLINE HVX_Vector hvx_halves_of_floats(HVX_VectorPair floats) {
    HVX_Vector zero = Q6_V_vzero();
    return Q6_Vhf_equals_Wqf32(Q6_W_vcombine_VV(Q6_Vqf32_vadd_VsfVsf(Q6_V_hi_W(floats), zero),
                                                Q6_Vqf32_vadd_VsfVsf(Q6_V_lo_W(floats), zero)));
}

#endif

HVX_INLINE float vf_sum(vf value) {
    for (int32_t bytes = 64; bytes >= 4; bytes /= 2) value = vf_add(value, Q6_V_vror_VR(value, bytes));
    union {
        HVX_Vector v;
        float f[32];
    } lanes = {.v = value};
    return lanes.f[0];
}

// 2 * HVX_LANES neighbours into those of even and of odd places, and back.
HVX_INLINE void vf_deal(vf a, vf b, vf *even, vf *odd) {
    HVX_VectorPair pair = Q6_W_vdeal_VVR(b, a, -4);
    *even = Q6_V_lo_W(pair);
    *odd = Q6_V_hi_W(pair);
}
HVX_INLINE void vf_shuffle(vf even, vf odd, vf *a, vf *b) {
    HVX_VectorPair pair = Q6_W_vshuff_VVR(odd, even, -4);
    *a = Q6_V_lo_W(pair);
    *b = Q6_V_hi_W(pair);
}

// HVX_GROUP elements of a storage type to 32-bit ones and back. Integers that do not fit are saturated.
HVX_INLINE void hvx_unpack_u16(const uint16_t *from, int32_t *to) {
    for (int i = 0; i < 2; i++) {
        HVX_VectorPair words = Q6_Wuw_vunpack_Vuh(hvx_load(from + 64 * i));
        hvx_store(to + 64 * i, Q6_V_lo_W(words));
        hvx_store(to + 64 * i + 32, Q6_V_hi_W(words));
    }
}
HVX_INLINE void hvx_unpack_s16(const int16_t *from, int32_t *to) {
    for (int i = 0; i < 2; i++) {
        HVX_VectorPair words = Q6_Ww_vunpack_Vh(hvx_load(from + 64 * i));
        hvx_store(to + 64 * i, Q6_V_lo_W(words));
        hvx_store(to + 64 * i + 32, Q6_V_hi_W(words));
    }
}
HVX_INLINE void hvx_unpack_u8(const uint8_t *from, int32_t *to) {
    HVX_VectorPair halves = Q6_Wuh_vunpack_Vub(hvx_load(from));
    HVX_VectorPair low = Q6_Wuw_vunpack_Vuh(Q6_V_lo_W(halves)), high = Q6_Wuw_vunpack_Vuh(Q6_V_hi_W(halves));
    hvx_store(to, Q6_V_lo_W(low));
    hvx_store(to + 32, Q6_V_hi_W(low));
    hvx_store(to + 64, Q6_V_lo_W(high));
    hvx_store(to + 96, Q6_V_hi_W(high));
}
HVX_INLINE void hvx_unpack_s8(const int8_t *from, int32_t *to) {
    HVX_VectorPair halves = Q6_Wh_vunpack_Vb(hvx_load(from));
    HVX_VectorPair low = Q6_Ww_vunpack_Vh(Q6_V_lo_W(halves)), high = Q6_Ww_vunpack_Vh(Q6_V_hi_W(halves));
    hvx_store(to, Q6_V_lo_W(low));
    hvx_store(to + 32, Q6_V_hi_W(low));
    hvx_store(to + 64, Q6_V_lo_W(high));
    hvx_store(to + 96, Q6_V_hi_W(high));
}
HVX_INLINE void hvx_pack_u16(const int32_t *from, uint16_t *to) {
    for (int i = 0; i < 128; i += 64) {
        hvx_store(to + i, Q6_Vuh_vpack_VwVw_sat(hvx_load(from + i + 32), hvx_load(from + i)));
    }
}
HVX_INLINE void hvx_pack_s16(const int32_t *from, int16_t *to) {
    for (int i = 0; i < 128; i += 64) {
        hvx_store(to + i, Q6_Vh_vpack_VwVw_sat(hvx_load(from + i + 32), hvx_load(from + i)));
    }
}
HVX_INLINE void hvx_pack_u8(const int32_t *from, uint8_t *to) {
    hvx_store(to, Q6_Vub_vpack_VhVh_sat(Q6_Vh_vpack_VwVw_sat(hvx_load(from + 96), hvx_load(from + 64)),
                                        Q6_Vh_vpack_VwVw_sat(hvx_load(from + 32), hvx_load(from))));
}
HVX_INLINE void hvx_pack_s8(const int32_t *from, int8_t *to) {
    hvx_store(to, Q6_Vb_vpack_VhVh_sat(Q6_Vh_vpack_VwVw_sat(hvx_load(from + 96), hvx_load(from + 64)),
                                       Q6_Vh_vpack_VwVw_sat(hvx_load(from + 32), hvx_load(from))));
}
HVX_INLINE void hvx_unpack_half(const uint16_t *from, float *to) {
    for (int i = 0; i < 128; i += 64) {
        HVX_VectorPair dealt = hvx_floats_of_halves(hvx_load(from + i));
        HVX_VectorPair floats = Q6_W_vshuff_VVR(Q6_V_hi_W(dealt), Q6_V_lo_W(dealt), -4);
        hvx_store(to + i, Q6_V_lo_W(floats));
        hvx_store(to + i + 32, Q6_V_hi_W(floats));
    }
}
HVX_INLINE void hvx_pack_half(const float *from, uint16_t *to) {
    for (int i = 0; i < 128; i += 64) {
        hvx_store(to + i, hvx_halves_of_floats(Q6_W_vdeal_VVR(hvx_load(from + i + 32), hvx_load(from + i), -4)));
    }
}

// Each byte replaced by its entry in a table of 256, of which `low` has the first half and `high` the second, see below.
HVX_INLINE HVX_Vector hvx_look_up_bytes(HVX_Vector index, HVX_Vector low, HVX_Vector high) {
    HVX_Vector value = Q6_Vb_vlut32_VbVbI(index, low, 0);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, low, 1);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, low, 2);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, low, 3);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, high, 4);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, high, 5);
    value = Q6_Vb_vlut32or_VbVbVbI(value, index, high, 6);
    return Q6_Vb_vlut32or_VbVbVbI(value, index, high, 7);
}
HVX_INLINE void hvx_look_up(uint8_t *to, const uint8_t *from, size_t count, const uint8_t *table) {
    // A lookup takes the low or the high bytes of the table's 16-bit lanes: entries 0 to 63 go low, 64 to 127 high.
    HVX_Vector low = Q6_Vb_vshuff_Vb(hvx_load(table)), high = Q6_Vb_vshuff_Vb(hvx_load(table + 128));
    size_t i = 0;
    for (; i + 128 <= count; i += 128) hvx_store(to + i, hvx_look_up_bytes(hvx_load(from + i), low, high));
    if (i == count) return;
    hvx_store_part(to + i, count - i, hvx_look_up_bytes(hvx_load_part(from + i, count - i), low, high));
}

// Bytes that do not overlap.
HVX_INLINE void hvx_copy(void *to, const void *from, size_t bytes) {
    char *out = to;
    const char *in = from;
    size_t i = 0;
    for (; i + 128 <= bytes; i += 128) {
        hvx_store(out + i, hvx_load(in + i));
        __asm__("" : : : "memory");  // or the loop becomes a call of memcpy
    }
    if (i < bytes) hvx_store_part(out + i, bytes - i, hvx_load_part(in + i, bytes - i));
}

// `count` times an element of 1, 2 or 4 bytes.
HVX_INLINE void hvx_fill(void *to, uint32_t element, size_t size, size_t count) {
    uint32_t word = size == 1 ? (element & 0xff) * 0x01010101u : size == 2 ? (element & 0xffff) * 0x00010001u : element;
    char *out = to;
    size_t bytes = count * size, i = 0;
    HVX_Vector value = Q6_V_vsplat_R((int32_t)word);
    for (; i + 128 <= bytes; i += 128) hvx_store(out + i, value);
    if (i < bytes) hvx_store_part(out + i, bytes - i, value);
}

// ---- Any other processor ----------------------------------------------------------------------------------------------

#else

typedef float vf;
typedef int32_t vi;

HVX_INLINE vf vf_load(const float *from) { return *from; }
HVX_INLINE void vf_store(float *to, vf value) { *to = value; }
HVX_INLINE vi vi_load(const int32_t *from) { return *from; }
HVX_INLINE void vi_store(int32_t *to, vi value) { *to = value; }
HVX_INLINE vi vi_splat(int32_t value) { return value; }
HVX_INLINE vf vf_splat(float value) { return value; }
HVX_INLINE vi vi_bits(vf value) { return f32_bits(value); }
HVX_INLINE vf vf_of_bits(vi value) { return f32_of_bits(value); }
// Integers wrap.
HVX_INLINE vi vi_add(vi a, vi b) { return (vi)((uint32_t)a + (uint32_t)b); }
HVX_INLINE vi vi_sub(vi a, vi b) { return (vi)((uint32_t)a - (uint32_t)b); }
HVX_INLINE vi vi_and(vi a, vi b) { return a & b; }
HVX_INLINE vi vi_xor(vi a, vi b) { return a ^ b; }
HVX_INLINE vi vi_shl(vi a, int32_t by) { return (vi)((uint32_t)a << by); }
HVX_INLINE vi vi_sra(vi a, int32_t by) { return a >> by; }
HVX_INLINE vi vi_max(vi a, vi b) { return a > b ? a : b; }
HVX_INLINE vi vi_min(vi a, vi b) { return a < b ? a : b; }
HVX_INLINE vf vf_add(vf a, vf b) { return a + b; }
HVX_INLINE vf vf_sub(vf a, vf b) { return a - b; }
HVX_INLINE vf vf_mul(vf a, vf b) { return a * b; }
HVX_INLINE float vf_sum(vf value) { return value; }

HVX_INLINE void vf_deal(vf a, vf b, vf *even, vf *odd) {
    *even = a;
    *odd = b;
}
HVX_INLINE void vf_shuffle(vf even, vf odd, vf *a, vf *b) {
    *a = even;
    *b = odd;
}

HVX_INLINE int32_t hvx_saturate(int32_t value, int32_t low, int32_t high) { return vi_min(vi_max(value, low), high); }
HVX_INLINE void hvx_unpack_u16(const uint16_t *from, int32_t *to) { *to = *from; }
HVX_INLINE void hvx_unpack_s16(const int16_t *from, int32_t *to) { *to = *from; }
HVX_INLINE void hvx_unpack_u8(const uint8_t *from, int32_t *to) { *to = *from; }
HVX_INLINE void hvx_unpack_s8(const int8_t *from, int32_t *to) { *to = *from; }
HVX_INLINE void hvx_pack_u16(const int32_t *from, uint16_t *to) { *to = (uint16_t)hvx_saturate(*from, 0, 65535); }
HVX_INLINE void hvx_pack_s16(const int32_t *from, int16_t *to) { *to = (int16_t)hvx_saturate(*from, -32768, 32767); }
HVX_INLINE void hvx_pack_u8(const int32_t *from, uint8_t *to) { *to = (uint8_t)hvx_saturate(*from, 0, 255); }
HVX_INLINE void hvx_pack_s8(const int32_t *from, int8_t *to) { *to = (int8_t)hvx_saturate(*from, -128, 127); }
HVX_INLINE void hvx_unpack_half(const uint16_t *from, float *to) { *to = f32_of_half(*from); }
HVX_INLINE void hvx_pack_half(const float *from, uint16_t *to) { *to = half_of_f32(*from); }

HVX_INLINE void hvx_look_up(uint8_t *to, const uint8_t *from, size_t count, const uint8_t *table) {
    for (size_t i = 0; i < count; i++) to[i] = table[from[i]];
}
HVX_INLINE void hvx_copy(void *to, const void *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
}
HVX_INLINE void hvx_fill(void *to, uint32_t element, size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (size == 1) ((uint8_t *)to)[i] = (uint8_t)element;
        if (size == 2) ((uint16_t *)to)[i] = (uint16_t)element;
        if (size == 4) ((uint32_t *)to)[i] = element;
    }
}

#endif

#endif
