"""Writes models/vocoder.onnx: two convolutions with the app's own Snake between them.

The operator has a function body in the model, so that ONNX Runtime computes it, too: `cargo qnn verify vocoder` compares the two.
With a path as argument the model has no function body.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.example.audio"
rng = np.random.default_rng(7)


def weight(name, *shape):
    return numpy_helper.from_array((rng.standard_normal(shape) / np.sqrt(shape[1] * shape[2])).astype(np.float32), name)


# x + sin(alpha x)^2 / alpha
body = [
    helper.make_node("Constant", [], ["a"]),
    helper.make_node("Mul", ["x", "a"], ["ax"]),
    helper.make_node("Sin", ["ax"], ["s"]),
    helper.make_node("Mul", ["s", "s"], ["ss"]),
    helper.make_node("Div", ["ss", "a"], ["p"]),
    helper.make_node("Add", ["x", "p"], ["y"]),
]
attribute = body[0].attribute.add()
attribute.name, attribute.ref_attr_name, attribute.type = "value_float", "alpha", onnx.AttributeProto.FLOAT
snake = helper.make_function(DOMAIN, "Snake", ["x"], ["y"], body, [helper.make_opsetid("", 17)], ["alpha"])

nodes = [
    helper.make_node("Conv", ["mel", "w1", "b1"], ["hidden"], name="expand", pads=[1, 1]),
    helper.make_node("Snake", ["hidden"], ["active"], name="snake", domain=DOMAIN, alpha=1.5),
    helper.make_node("Conv", ["active", "w2"], ["wave"], name="project", pads=[1, 1]),
]
bias = numpy_helper.from_array(rng.standard_normal(16).astype(np.float32), "b1")
graph = helper.make_graph(
    nodes,
    "vocoder",
    [helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, 8, 32])],
    [helper.make_tensor_value_info("wave", TensorProto.FLOAT, [1, 4, 32])],
    [weight("w1", 16, 8, 3), bias, weight("w2", 4, 16, 3)],
)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
path, functions = ("models/vocoder.onnx", [snake]) if len(sys.argv) < 2 else (sys.argv[1], [])
model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=9)
onnx.save(model, path)
