"""Writes quantize.json: what ONNX Runtime's QuantizeLinear and DequantizeLinear make of random numbers, halves and numbers beyond
the range, and what the product of two DequantizeLinear makes of block expansion. Needs numpy, onnx and onnxruntime."""
import json
import numpy as np
import onnxruntime as ort
from onnx import TensorProto as T, helper as h, numpy_helper as nh

TYPES = {(4, False): T.UINT4, (4, True): T.INT4, (8, False): T.UINT8, (8, True): T.INT8, (16, False): T.UINT16, (16, True): T.INT16}
r = np.random.default_rng(20261201)


def run(nodes, inits, feeds):
    ins = [h.make_tensor_value_info(k, T.FLOAT, v.shape) for k, v in feeds.items()]
    outs = [h.make_tensor_value_info(n, t, None) for n, t in (('q', T.INT32), ('y', T.FLOAT))]
    m = h.make_model(h.make_graph(nodes, 'g', ins, outs, inits), opset_imports=[h.make_opsetid('', 21)], ir_version=10)
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(m.SerializeToString(), o, providers=['CPUExecutionProvider']).run(None, feeds)


def case(bits, signed, shape, axis, block, centred):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if axis is None:
        parts = []
    elif block == 0:
        parts = [shape[axis]]
    else:
        parts = [-(-s // block) if i == axis else s for i, s in enumerate(shape)]
    scale = np.asarray(np.exp(r.uniform(-6, 2, parts)), 'f')
    zero = np.zeros(parts, int) if centred else np.asarray(r.integers(low, high + 1, parts))
    spread = scale
    if axis is not None:
        spread = scale.reshape([-1 if i == axis else 1 for i in range(len(shape))]) if block == 0 else np.repeat(scale, block, axis).take(range(shape[axis]), axis)
    steps = r.uniform(1.3 * (low - high), 1.3 * (high - low), shape)
    half = r.random(shape) < 0.4  # exact halves where the scale allows it
    steps = np.where(half, np.floor(steps) + 0.5, steps)
    x = np.asarray(steps.astype('f') * spread, 'f')
    attrs = {} if axis is None else {'axis': axis, **({'block_size': block} if block else {})}
    zp = h.make_tensor('z', TYPES[bits, signed], parts, zero.reshape(-1).tolist())
    nodes = [h.make_node('QuantizeLinear', ['x', 's', 'z'], ['i'], **attrs), h.make_node('Cast', ['i'], ['q'], to=T.INT32),
             h.make_node('DequantizeLinear', ['i', 's', 'z'], ['y'], **attrs)]
    q, y = run(nodes, [nh.from_array(scale, 's'), zp], {'x': x})
    kind = {'granularity': 'per-tensor', 'scale': float(scale), 'zero-point': int(zero)} if axis is None else \
        {'granularity': 'per-block' if block else 'per-axis', 'axis': axis, **({'block': block} if block else {}),
         'scales': scale.reshape(-1).tolist(), 'zero-points': zero.reshape(-1).tolist()}
    return {'encoding': {'bits': bits, 'signed': signed, **kind}, 'shape': list(shape), 'reals': x.reshape(-1).tolist(),
            'stored': q.reshape(-1).tolist(), 'back': y.reshape(-1).tolist()}


def expansion(channel, axis, shape, block):
    parts = [s // block if i == axis else s for i, s in enumerate(shape)]
    scale = np.exp(r.uniform(-6, 0, shape[channel])).astype('f')
    factors = r.integers(1, 16, parts)
    x = r.uniform(-20, 20, shape).astype('f')
    nodes = [h.make_node('DequantizeLinear', ['f', 's'], ['ps'], axis=channel), h.make_node('QuantizeLinear', ['x', 'ps', 'z'], ['i'], axis=axis, block_size=block),
             h.make_node('Cast', ['i'], ['q'], to=T.INT32), h.make_node('DequantizeLinear', ['i', 'ps'], ['y'], axis=axis, block_size=block)]
    zero = h.make_tensor('z', T.INT4, parts, [0] * factors.size)
    q, y = run(nodes, [nh.from_array(scale, 's'), nh.from_array(factors.astype(np.uint8), 'f'), zero], {'x': x})
    return {'encoding': {'bits': 4, 'signed': True, 'granularity': 'block-expansion', 'channel-axis': channel, 'axis': axis, 'block': block,
                         'scales': scale.tolist(), 'block-scale-bits': 4, 'block-scales': factors.reshape(-1).tolist()},
            'shape': list(shape), 'reals': x.reshape(-1).tolist(), 'stored': q.reshape(-1).tolist(), 'back': y.reshape(-1).tolist()}


cases = []
for (bits, signed) in TYPES:
    for centred in (False, True):
        cases.append(case(bits, signed, (16,), None, 0, centred))
        cases.append(case(bits, signed, (2, 3, 4), 1, 0, centred))
        cases.append(case(bits, signed, (2, 6, 2), 1, 3, centred))
cases += [expansion(0, 1, (3, 8), 4), expansion(1, 0, (8, 3), 2), expansion(3, 2, (1, 1, 8, 2), 4)]
with open('quantize.json', 'w') as out:
    out.write('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]\n')
