"""Writes a corpus for a fuzz target: small models, from the cases of the conformance suite, encodings files of every version, or the
graphs of the file tests.

usage: corpus.py FOLDER    (for example fuzz/corpus/onnx; the folder's name tells the target)
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

LARGEST = 20_000

# Tensors of the model in fuzz_targets/encodings.rs: activations, and weights with their output channels.
ACTIVATIONS = ["x", "a", "r", "k", "s", "c", "p", "q", "z", "f", "d", "e", "n", "y"]
WEIGHTS = {"w": 8, "b": 1, "depthwise": 8, "t": 4, "m": 6, "g": 5, "h": 1, "one": 1}


def models(folder):
    generate = pathlib.Path(__file__).resolve().parent.parent / "conformance" / "generate.py"
    with tempfile.TemporaryDirectory() as cases:
        subprocess.run([sys.executable, generate, cases], check=True)
        found = [m for m in pathlib.Path(cases).glob("*/model.onnx") if m.stat().st_size <= LARGEST]
        for model in found:
            shutil.copy(model, folder / f"{model.parent.name}.onnx")


def aimet_0_6_1(bits, symmetric):
    def one(step):
        least = -(2 ** (bits - 1))
        return {
            "bitwidth": bits, "dtype": "int", "is_symmetric": str(symmetric), "offset": least, "scale": step,
            "min": least * step, "max": -(least + 1) * step,
        }

    return {
        "version": "0.6.1",
        "activation_encodings": {name: [one(0.02)] for name in ACTIVATIONS},
        "param_encodings": {
            name: [one(0.01 + 0.001 * i) for i in range(channels)] for name, channels in WEIGHTS.items()
        },
        "quantizer_args": {"activation_bitwidth": bits, "param_bitwidth": bits, "quant_scheme": "tf"},
    }


def aimet_1_0_0(bits, symmetric):
    def one(name, channels):
        return {
            "name": name, "bw": bits, "dtype": "INT", "is_sym": symmetric,
            "enc_type": "PER_TENSOR" if channels == 1 else "PER_CHANNEL",
            "scale": [0.02] * channels, "offset": [-(2 ** (bits - 1))] * channels,
        }

    return {
        "version": "1.0.0",
        "activation_encodings": [one(name, 1) for name in ACTIVATIONS],
        "param_encodings": [one(name, channels) for name, channels in WEIGHTS.items()],
    }


def aimet_2_0_0(bits, symmetric):
    kind = f"int{bits}" if symmetric else f"uint{bits}"

    def one(name, channels):
        entry = {"name": name, "output_dtype": kind, "y_scale": 0.02 if channels == 1 else [0.02] * channels}
        if not symmetric:
            entry["y_zero_point"] = 2 ** (bits - 1)
        if channels > 1:
            entry["axis"] = {"t": 1, "m": 1, "g": 1}.get(name, 0)
        return entry

    both = [(name, 1) for name in ACTIVATIONS] + list(WEIGHTS.items())
    return {"version": "2.0.0", "encodings": [one(*pair) for pair in both]}


def qairt_overrides(bits, symmetric):
    def one(step):
        return {"bitwidth": bits, "min": -step * 2 ** (bits - 1), "max": step * 2 ** (bits - 1), "is_symmetric": symmetric}

    return {
        "activation_encodings": {name: [one(0.02)] for name in ACTIVATIONS[::2]},
        "param_encodings": {name: [one(0.01)] * channels for name, channels in WEIGHTS.items()},
    }


def encodings(folder):
    for form in (aimet_0_6_1, aimet_1_0_0, aimet_2_0_0, qairt_overrides):
        for bits in (4, 8, 16):
            for symmetric in (True, False):
                name = f"{form.__name__}-{bits}-{'symmetric' if symmetric else 'asymmetric'}.json"
                (folder / name).write_text(json.dumps(form(bits, symmetric)))


def graphs(folder):
    tests = pathlib.Path(__file__).resolve().parent.parent / "qnn-compiler" / "tests" / "filetests"
    for test in tests.glob("**/*.graph"):
        # The input, without what is expected of it.
        text = test.read_text().split("\n; expect\n")[0]
        (folder / f"{test.parent.name}-{test.name}").write_text(text)


TARGETS = {"encodings": encodings, "graph": graphs}


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    TARGETS.get(folder.name, models)(folder)
    print(f"{sum(1 for _ in folder.iterdir())} files in {folder}")


if __name__ == "__main__":
    main(sys.argv[1])
