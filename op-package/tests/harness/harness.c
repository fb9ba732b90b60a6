// Runs kernels on cases that it reads from standard input, and writes their outputs to standard output. The same program is built
// for this machine and, without any library, for Hexagon under QEMU.
//
// A case is, in little-endian 32-bit words: kernel, repetitions, begin, end, eight arguments, number of buffers; then for each buffer: storage type,
// zero, step, bytes, and the bytes themselves. Buffer 0 is the output, which starts with the bytes that it is given. The answer is
// the output's bytes and three words: 0 when nothing beside the output was written, and the packets and the instructions that the
// repetitions took, which QEMU counts.
#include "kernels/kernels.h"
#include "qnn_op_runtime.h"

#if defined(__hexagon__)

enum { SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT_GROUP = 94, SYS_MPROTECT = 226 };

static int32_t system_call(int32_t number, int32_t a, int32_t b, int32_t c) {
    register int32_t r0 __asm__("r0") = a;
    register int32_t r1 __asm__("r1") = b;
    register int32_t r2 __asm__("r2") = c;
    register int32_t r6 __asm__("r6") = number;
    __asm__ volatile("trap0(#1)" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r6) : "memory");
    return r0;
}
static int32_t read_some(void *to, size_t bytes) { return system_call(SYS_READ, 0, (int32_t)(uintptr_t)to, (int32_t)bytes); }
static int32_t write_some(const void *from, size_t bytes) {
    return system_call(SYS_WRITE, 1, (int32_t)(uintptr_t)from, (int32_t)bytes);
}
static void forbid(void *page, size_t bytes) { system_call(SYS_MPROTECT, (int32_t)(uintptr_t)page, (int32_t)bytes, 0); }
static void end(int status) {
    system_call(SYS_EXIT_GROUP, status, 0, 0);
    __builtin_unreachable();
}

// Two control registers that processors reserve and QEMU counts in. Their names are not in the assembler: these are the words of
// "r0 = c20" and "r0 = c21".
static uint32_t packets(void) {
    register uint32_t r0 __asm__("r0");
    __asm__ volatile(".word 0x6a14c000" : "=r"(r0) : : "memory");
    return r0;
}
static uint32_t instructions(void) {
    register uint32_t r0 __asm__("r0");
    __asm__ volatile(".word 0x6a15c000" : "=r"(r0) : : "memory");
    return r0;
}

#else

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int32_t read_some(void *to, size_t bytes) { return (int32_t)read(0, to, bytes); }
static int32_t write_some(const void *from, size_t bytes) { return (int32_t)write(1, from, bytes); }
static void forbid(void *page, size_t bytes) {
    if (mprotect(page, bytes, PROT_NONE) != 0) exit(3);
}
static void end(int status) { exit(status); }
static uint32_t packets(void) { return 0; }
static uint32_t instructions(void) { return 0; }

#endif

enum { BUFFERS = 6, PAGE = 1 << 16, ROOM = 16 * PAGE, UNTOUCHED = 0x5a };

// Buffers end where their memory does, so that a byte too far ends the program, whether it is read or written.
static struct {
    uint8_t bytes[ROOM];
    uint8_t forbidden[PAGE];
} memory[BUFFERS] __attribute__((aligned(PAGE)));

typedef struct {
    uint32_t kernel, repetitions, begin, end, arguments[8], num_buffers;
} header;

typedef struct {
    uint32_t stored;
    int32_t zero;
    float step;
    uint32_t bytes;
} description;

// Returns whether all of it came.
static int take(void *to, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        int32_t count = read_some((char *)to + done, bytes - done);
        if (count <= 0) return 0;
        done += (size_t)count;
    }
    return 1;
}

static void give(const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        int32_t count = write_some((const char *)from + done, bytes - done);
        if (count <= 0) end(4);
        done += (size_t)count;
    }
}

static float float_of(uint32_t bits) {
    union {
        uint32_t u;
        float f;
    } value = {.u = bits};
    return value.f;
}

static void run(const header *h, const buffer *b) {
    const uint32_t *a = h->arguments;
    rope_shape shape = {a[0], a[1], a[2], a[3], (int)a[4]};
    switch (h->kernel) {
        case 0: convert(&b[0], &b[1], h->begin, h->end); break;
        case 1: add_bias(&b[0], &b[1], &b[2], a[0], h->begin, h->end); break;
        case 2: silu(&b[0], &b[1], h->begin, h->end); break;
        case 3: silu_mul(&b[0], &b[1], &b[2], h->begin, h->end); break;
        case 4: rms_norm(&b[0], &b[1], &b[2], float_of(a[1]), a[0], h->begin, h->end); break;
        case 5: layer_norm(&b[0], &b[1], &b[2], &b[3], float_of(a[1]), a[0], h->begin, h->end); break;
        case 6: rope(&b[0], &b[1], &b[2], &b[3], &shape, h->begin, h->end); break;
        case 7: causal_mask(&b[0], &b[1], float_of(a[0]), a[1], a[2], a[3], h->begin, h->end); break;
        case 8: kv_append(&b[0], &b[1], &b[2], a[0], a[1], a[2], a[3], h->begin, h->end); break;
        case 9: kv_append(&b[0], &b[0], &b[1], a[0], a[1], a[2], a[3], h->begin, h->end); break;
        default: end(5);
    }
}

static void run_cases(void) {
    header h;
    for (int i = 0; i < BUFFERS; i++) forbid(memory[i].forbidden, PAGE);
    while (take(&h, sizeof h)) {
        buffer buffers[BUFFERS] = {{0}};
        size_t output = 0;
        if (h.num_buffers > BUFFERS) end(6);
        for (uint32_t i = 0; i < h.num_buffers; i++) {
            description d;
            if (!take(&d, sizeof d) || d.bytes > ROOM) end(7);
            uint8_t *at = memory[i].bytes + (ROOM - d.bytes);
            if (!take(at, d.bytes)) end(8);
            buffers[i] = (buffer){at, d.stored, d.zero, d.step};
            if (i == 0) output = d.bytes;
        }
        size_t before = ROOM - output < 4096 ? ROOM - output : 4096;
        uint8_t *edge = memory[0].bytes + (ROOM - output - before);
        for (size_t i = 0; i < before; i++) edge[i] = UNTOUCHED;
        uint32_t first_packet = packets(), first_instruction = instructions();
        for (uint32_t i = 0; i < h.repetitions; i++) run(&h, buffers);
        uint32_t answer[] = {0, packets() - first_packet, instructions() - first_instruction};
        for (size_t i = 0; i < before; i++) answer[0] += edge[i] != UNTOUCHED;
        give(buffers[0].data, output);
        give(answer, sizeof answer);
    }
    end(0);
}

#if defined(__hexagon__)

__attribute__((used)) static void begin(void) { run_cases(); }

// Vectors on the stack want it aligned to them.
__attribute__((naked)) void _start(void) {
    __asm__("r29 = and(r29, #-128)\n\tjump %0" : : "i"(begin));
}

#else

int main(void) {
    run_cases();
    return 0;
}

#endif
