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

# Regions of the picture: left, top, right, bottom.
PICTURE = [(0, 0, 640, 480), (0, 96, 400, 396)]
LINES = [(76, 20, 566, 72), (58, 122, 362, 168), (58, 182, 364, 228)]
# Name, file in the package, shape, regions of the picture it is tried on.
MODELS = [
    ("det", "ch_PP-OCRv4_det_infer.onnx", (1, 3, 320, 320), PICTURE),
    ("rec", "ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 320), LINES),
    ("cls", "ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192), LINES),
]


def prepare(package, picture, out):
    """Writes NAME.onnx with its shape fixed, and for each kind of input NAME.KIND.in.npz and NAME.KIND.ref.npz: batches."""
    picture = Image.open(picture).convert("RGB")
    random = numpy.random.default_rng(1)
    for name, file, shape, regions in MODELS:
        model = onnx.load(os.path.join(package, file))
        for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
            dim.dim_value = size
        path = os.path.join(out, f"{name}.onnx")
        onnx.save(model, path)

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (source,) = session.get_inputs()
        names = [output.name for output in session.get_outputs()]
        kinds = {
            "picture": [pixels(picture, region, shape) for region in regions],
            "noise": [random.uniform(-1, 1, shape).astype(numpy.float32) for _ in regions],
        }
        for kind, samples in kinds.items():
            outputs = zip(*(session.run(names, {source.name: sample}) for sample in samples))
            stem = os.path.join(out, f"{name}.{kind}")
            numpy.savez(f"{stem}.in.npz", **{source.name: numpy.stack(samples)})
            numpy.savez(f"{stem}.ref.npz", **{key: numpy.stack(value) for key, value in zip(names, outputs)})


def pixels(picture, region, shape):
    """A region of the picture as the networks take it: planes from -1 to 1, blue first."""
    image = picture.crop(region).resize((shape[3], shape[2]), Image.Resampling.BILINEAR)
    planes = numpy.asarray(image, numpy.float32)[:, :, ::-1].transpose(2, 0, 1) / 127.5 - 1
    return numpy.ascontiguousarray(planes[None], numpy.float32)


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
