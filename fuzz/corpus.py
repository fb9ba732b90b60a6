"""Writes a corpus for the fuzz targets from the cases of the conformance suite: one small model a file.

usage: corpus.py FOLDER    (for example fuzz/corpus/onnx)
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

LARGEST = 20_000


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generate = pathlib.Path(__file__).resolve().parent.parent / "conformance" / "generate.py"
    with tempfile.TemporaryDirectory() as cases:
        subprocess.run([sys.executable, generate, cases], check=True)
        models = [m for m in pathlib.Path(cases).glob("*/model.onnx") if m.stat().st_size <= LARGEST]
        for model in models:
            shutil.copy(model, folder / f"{model.parent.name}.onnx")
    print(f"{len(models)} models in {folder}")


if __name__ == "__main__":
    main(sys.argv[1])
