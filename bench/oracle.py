"""Prepares the models and their inputs, and holds outputs against ONNX Runtime on the CPU.

usage: oracle.py prepare PACKAGE_MODELS PICTURE OUT_DIR [MODEL.onnx ...]
       oracle.py sqnr REFERENCE.npz OUTPUTS.npz
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image

# Regions of the picture: left, top, right, bottom.
PICTURE = [(0, 0, 640, 480), (0, 96, 400, 396)]
LINES = [(76, 20, 566, 72), (58, 122, 362, 168), (58, 182, 364, 228)]
# Name, file in the package, shape, regions of the picture it is tried on.
OCR = [
    ("det", "ch_PP-OCRv4_det_infer.onnx", (1, 3, 320, 320), PICTURE),
    ("rec", "ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 320), LINES),
    ("cls", "ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192), LINES),
]
# Architectures that the onnx package has without their weights.
LIGHT = [
    "bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19",
    "zfnet512",
]  # fmt: skip
NOISES = 2


def prepare(package, picture, out, *more):
    """Writes NAME.onnx with its shape fixed, and for each kind of input NAME.KIND.in.npz and NAME.KIND.ref.npz: batches.

    `models.json` lists the names, each with its kinds of input.
    """
    picture = Image.open(picture).convert("RGB")
    random = numpy.random.default_rng(1)
    kinds = {}
    for name, file, shape, regions in OCR:
        model = onnx.load(os.path.join(package, file))
        for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
            dim.dim_value = size
        pictures = [{model.graph.input[0].name: pixels(picture, region, shape)} for region in regions]
        samples = {"picture": pictures, "noise": noise(model, random, len(regions))}
        kinds[name] = write(name, model, samples, out)
    light = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
    for name in LIGHT:
        model = with_weights(onnx.load(os.path.join(light, f"light_{name}.onnx")), random)
        kinds[name] = write(name, model, {"noise": noise(model, random, NOISES)}, out)
    for path in more:
        name = os.path.splitext(os.path.basename(path))[0]
        model = onnx.load(path)
        kinds[name] = write(name, model, {"noise": noise(model, random, NOISES)}, out)
    with open(os.path.join(out, "models.json"), "w") as file:
        json.dump(kinds, file)


def write(name, model, samples, out):
    """Writes a model, its inputs and what ONNX Runtime makes of them; the kinds of input."""
    path = os.path.join(out, f"{name}.onnx")
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for kind, inputs in samples.items():
        outputs = zip(*(session.run(names, sample) for sample in inputs))
        stem = os.path.join(out, f"{name}.{kind}")
        numpy.savez(f"{stem}.in.npz", **{key: numpy.stack([sample[key] for sample in inputs]) for key in inputs[0]})
        numpy.savez(f"{stem}.ref.npz", **{key: numpy.stack(value) for key, value in zip(names, outputs)})
    return list(samples)


def noise(model, random, count):
    """Inputs of a model: floats from -1 to 1, integers from 0 to 99, masks of ones, types of tokens of zeros."""
    constant = {tensor.name for tensor in model.graph.initializer}
    samples = [{} for _ in range(count)]
    for value in model.graph.input:
        if value.name in constant:
            continue
        tensor = value.type.tensor_type
        shape = [dim.dim_value for dim in tensor.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        for sample in samples:
            if dtype.kind == "f":
                sample[value.name] = random.uniform(-1, 1, shape).astype(dtype)
            elif "mask" in value.name:
                sample[value.name] = numpy.ones(shape, dtype)
            elif "type" in value.name:
                sample[value.name] = numpy.zeros(shape, dtype)
            else:
                sample[value.name] = random.integers(0, 100, shape).astype(dtype)
    return samples


def with_weights(model, random):
    """A model whose weights are random, of a size that keeps the activations' size, in place of its constant fills."""
    graph = model.graph
    known = {tensor.name: tensor for tensor in graph.initializer}
    fills = {node.output[0]: node for node in graph.node if node.op_type == "ConstantOfShape"}
    weights = {}

    def fill(name, make):
        if name in fills and name not in weights:
            shape = numpy_helper.to_array(known[fills[name].input[0]])
            weights[name] = make(tuple(int(size) for size in shape)).astype(numpy.float32)

    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def gain(node):
        """2 before a ReLU, which halves the power, and less elsewhere: sums of branches would grow."""
        following = readers.get(node.output[0], [])
        while len(following) == 1 and following[0].op_type in ("BatchNormalization", "Mul", "Add"):
            following = readers.get(following[0].output[0], [])
        return 2 if any(node.op_type == "Relu" for node in following) else 0.25

    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            power = gain(node)
            fill(
                node.input[1],
                lambda shape: random.normal(0, (power / max(1, numpy.prod(shape[1:]))) ** 0.5, shape),
            )
        if node.op_type == "BatchNormalization":
            for position in (1, 4):
                fill(node.input[position], lambda shape: random.uniform(0.5, 1.5, shape))
    for name in fills:
        fill(name, lambda shape: random.normal(0, 0.1, shape))
    nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    del graph.node[:]
    graph.node.extend(nodes)
    shapes = {node.input[0] for node in fills.values()}
    for field in (graph.initializer, graph.input):
        kept = [item for item in field if item.name not in shapes]
        del field[:]
        field.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return model


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
