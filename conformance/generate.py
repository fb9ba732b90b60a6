"""Writes the backend node cases of the `onnx` package, one folder each, for the conformance suite.

Each folder has `model.onnx` and, unless the case cannot be expressed in NumPy's number types, `inputs.npz` and
`expected.npz`. `cases.tsv` lists name, operator, and, where a case has no arrays, the reason.

Inputs that a model in the field has as constants (shapes, axes, weights ...) become initializers: `CONSTANT` names them.
Nothing else of a case is changed. The expected values are the package's own.
"""

import pathlib
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

warnings.filterwarnings("ignore")
import onnx.backend.test.case.node as node_cases  # noqa: E402

# Formal parameters, as the operators' schemas name them.
CONSTANT = {
    # Shapes, places and counts
    "shape", "axes", "axis", "pads", "repeats", "sizes", "scales", "roi", "starts", "ends", "steps", "K", "k", "split",
    "depth", "values", "constant_value", "min", "max", "size", "start", "limit", "delta", "output_shape", "block_shape",
    "image_shape", "sequence_lens", "M", "cond",
    "max_output_boxes_per_class", "iou_threshold", "score_threshold",
    # Weights and statistics
    "W", "w", "R", "P", "scale", "Scale", "bias", "input_mean", "input_var", "slope", "weight", "weights",
    # Quantization
    "x_scale", "x_zero_point", "w_scale", "w_zero_point", "y_scale", "y_zero_point", "a_scale", "a_zero_point",
    "b_scale", "b_zero_point",
    # Signals
    "dft_length", "frame_length", "frame_step", "window", "num_mel_bins", "sample_rate", "lower_edge_hertz",
    "upper_edge_hertz",
    # Dropout
    "ratio", "training_mode",
}  # fmt: skip

# `B` is a bias or weight here, and an operand elsewhere; `input` of ConstantOfShape is a shape.
ALSO = {
    ("BatchNormalization", "B"), ("Conv", "B"), ("ConvTranspose", "B"), ("DeformConv", "B"), ("GRU", "B"),
    ("InstanceNormalization", "B"), ("LSTM", "B"), ("LayerNormalization", "B"), ("RNN", "B"),
    ("ConstantOfShape", "input"), ("Compress", "condition"), ("If", "cond"),
}  # fmt: skip

# Here the name of a parameter means an operand.
EXCEPT = {
    ("Adagrad", "R"), ("Adam", "R"), ("Momentum", "R"), ("Max", "max"), ("Min", "min"), ("OptionalHasElement", "shape"),
}  # fmt: skip


def constants(case):
    """Names of the graph inputs that are constants, or None where the model is no single operator."""
    graph = case.model.graph
    if len(graph.node) != 1:
        return None
    node = graph.node[0]
    formal = onnx.defs.get_schema(node.op_type, domain=node.domain).inputs
    names = set()
    for position, name in enumerate(node.input):
        if not name or not formal:
            continue
        key = (node.op_type, formal[min(position, len(formal) - 1)].name)
        if (key[1] in CONSTANT and key not in EXCEPT) or key in ALSO:
            names.add(name)
    return names


def array(value):
    """As an array of a type that NumPy stores, or the reason why not."""
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    if not isinstance(value, np.ndarray):
        if isinstance(value, (np.generic, float, int, bool)):
            value = np.asarray(value)
        else:
            return f"a value is a {type(value).__name__}"
    if value.dtype.kind in "OSU":
        return "strings"
    if value.dtype.kind == "c":
        return "complex numbers"
    if value.dtype.name == "bfloat16":
        return value.astype(np.float32)
    if value.dtype.name in ("int4", "int2"):
        return value.astype(np.int8)
    if value.dtype.name in ("uint4", "uint2"):
        return value.astype(np.uint8)
    if value.dtype.kind == "V" or value.dtype.name.startswith("float") and value.dtype.itemsize == 1:
        return f"numbers of type {value.dtype.name}"
    return value


def write(case, frozen, folder):
    """Writes one case; returns why it has no arrays, or an empty string."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs, expected = case.data_sets[0]
    named = dict(zip([i.name for i in model.graph.input], inputs))
    reason = ""
    for name in sorted(frozen & named.keys()):
        value = named[name]
        if isinstance(value, onnx.TensorProto):
            value = numpy_helper.to_array(value)
        if not isinstance(value, (np.ndarray, np.generic)):
            continue
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        kept = [i for i in model.graph.input if i.name != name]
        del model.graph.input[:]
        model.graph.input.extend(kept)
        del named[name]
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    outputs = dict(zip([o.name for o in model.graph.output], expected))
    for file, arrays in (("inputs.npz", named), ("expected.npz", outputs)):
        ready = {name: array(value) for name, value in arrays.items()}
        reasons = [value for value in ready.values() if isinstance(value, str)]
        if reasons:
            reason = reasons[0]
        else:
            with open(folder / file, "wb") as stream:
                np.savez(stream, **ready)
    return reason


def main(target):
    target = pathlib.Path(target)
    cases = sorted(node_cases.collect_testcases(None), key=lambda case: case.name)
    by_name = {case.name: case for case in cases}
    lines = []
    for case in cases:
        base = case.name.split("_expanded")[0]
        owner = by_name.get(base, case)
        frozen = constants(owner)
        if owner is not case and frozen is not None:
            # An operator's function body keeps the names of its inputs.
            frozen = frozen & {i.name for i in case.model.graph.input}
        single = len(owner.model.graph.node) == 1
        operator = owner.model.graph.node[0].op_type if single else "(several)"
        reason = write(case, frozen or set(), target / case.name)
        lines.append(f"{case.name}\t{operator}\t{reason}\n")
    (target / "cases.tsv").write_text("".join(lines))
    print(f"{len(lines)} cases of onnx {onnx.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
