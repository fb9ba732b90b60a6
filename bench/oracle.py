"""Prepares the models and their inputs, and holds outputs against ONNX Runtime on the CPU.

usage: oracle.py prepare PACKAGE_MODELS PICTURE OUT_DIR
       oracle.py sqnr REFERENCE.npz OUTPUTS.npz
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime
from PIL import Image

# Name, file in the package, shape, region of the picture (left, top, right, bottom; None is all of it).
MODELS = [
    ("det", "ch_PP-OCRv4_det_infer.onnx", (1, 3, 320, 320), None),
    ("rec", "ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 320), (58, 182, 364, 228)),
    ("cls", "ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192), (58, 182, 364, 228)),
]


def prepare(package, picture, out):
    """Writes NAME.onnx with its shape fixed, and for each kind of input NAME.KIND.in.npz and NAME.KIND.ref.npz."""
    picture = Image.open(picture).convert("RGB")
    for name, file, shape, region in MODELS:
        model = onnx.load(os.path.join(package, file))
        for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
            dim.dim_value = size
        path = os.path.join(out, f"{name}.onnx")
        onnx.save(model, path)

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (source,) = session.get_inputs()
        image = picture.crop(region).resize((shape[3], shape[2]), Image.Resampling.BILINEAR)
        pixels = numpy.asarray(image, numpy.float32)[:, :, ::-1] / 127.5 - 1
        inputs = {
            "picture": pixels.transpose(2, 0, 1)[None],
            "noise": numpy.random.default_rng(1).uniform(-1, 1, shape),
        }
        for kind, value in inputs.items():
            value = numpy.ascontiguousarray(value, numpy.float32)
            outputs = session.run(None, {source.name: value})
            names = [output.name for output in session.get_outputs()]
            numpy.savez(os.path.join(out, f"{name}.{kind}.in.npz"), **{source.name: value})
            numpy.savez(os.path.join(out, f"{name}.{kind}.ref.npz"), **dict(zip(names, outputs)))


def sqnr(reference, outputs):
    """Prints the signal-to-quantization-noise ratio of each output, dB, as JSON. Outputs are matched by their order."""
    with numpy.load(reference) as wanted, numpy.load(outputs) as given:
        result = []
        for name, other in zip(wanted.files, given.files, strict=True):
            signal = wanted[name].astype(numpy.float64)
            noise = given[other].astype(numpy.float64).reshape(signal.shape) - signal
            result.append(float(10 * numpy.log10((signal**2).sum() / max((noise**2).sum(), 1e-300))))
    print(json.dumps(result))


if __name__ == "__main__":
    {"prepare": prepare, "sqnr": sqnr}[sys.argv[1]](*sys.argv[2:])
