"""Writes blocks.bin: random blocks of every tensor type, and the numbers that gguf-py makes of them.

usage: blocks.py OUT    (needs the packages gguf and numpy)

For each type: its name in 8 bytes (zeros behind), the number of bytes and of elements (u32), the bytes, the numbers (f32).
"""

import struct
import sys

import gguf
import numpy

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where half floats lie in a block: scales and minimums.
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
# Among usual scales: zeros of both signs, the least and the largest half float, a negative one.
SCALES = numpy.array([0.0, -0.0, 2.0**-24, 65504.0, -0.0173, 0.0042, 0.0371, 1.5], numpy.float16)


def main(out):
    random = numpy.random.default_rng(7)
    with open(out, "wb") as file:
        for name in TYPES:
            kind = gguf.GGMLQuantizationType[name]
            elements, size = gguf.GGML_QUANT_SIZES[kind]
            if elements == 1:
                numbers = random.normal(0, 0.02, 64).astype(numpy.float32)
                numbers[:4] = [0.0, -0.0, 2.0**-24, -65504.0]
                blocks = gguf.quants.quantize(numbers, kind).view(numpy.uint8).reshape(64, size)
            else:
                blocks = random.integers(0, 256, (len(SCALES), size), numpy.uint8)
                for index, at in enumerate(HALVES[name]):
                    blocks[:, at : at + 2] = numpy.roll(SCALES, index)[:, None].view(numpy.uint8)
            raw = blocks.reshape(-1)
            typed = {"F32": numpy.float32, "F16": numpy.float16}.get(name)
            numbers = gguf.quants.dequantize(raw.view(typed) if typed else raw, kind).astype(numpy.float32).reshape(-1)
            file.write(struct.pack("<8sII", name.encode(), raw.nbytes, numbers.size))
            file.write(raw.tobytes() + numbers.tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
