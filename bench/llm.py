#!/usr/bin/env python3
"""Compiles a language model and prints what it takes. Nothing is asserted.

Without a file the model has the sizes of DeepSeek-R1-Distill-Qwen-1.5B and random weights in Q4_0: `xtask llm-synthetic`
writes it. Everything that is made is under target/bench/llm.
"""

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path

import measure

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench" / "llm"


def cargo(*args):
    subprocess.run(["cargo", *args], cwd=ROOT, check=True)


def synthetic():
    """The file of the synthetic model; written once."""
    file = WORK / "synthetic-1.5b-q4_0.gguf"
    if not file.exists():
        cargo("run", "--release", "--locked", "--quiet", "-p", "xtask", "--", "llm-synthetic", str(file))
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="a .gguf file or a Hugging Face folder")
    parser.add_argument("--soc", default="SM8650")
    parser.add_argument("options", nargs="*", help="options of `cargo qnn compile`, after --")
    args = parser.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    file = (args.file or synthetic()).resolve()
    cargo("build", "--release", "--locked", "--quiet", "-p", "cargo-qnn")
    out, cache = WORK / "out", WORK / "cache"
    for folder in (out, cache):
        shutil.rmtree(folder, ignore_errors=True)
    command = [ROOT / "target/release/cargo-qnn", "qnn", "compile", file, "--soc", args.soc, "-o", out, *args.options]
    run = measure.run(command, env={"QNN_CACHE_DIR": str(cache)})

    (report,) = [json.loads(path.read_text()) for path in out.glob("*.report.json")]
    parts = report["parts"]
    print(f"## {file.name}, {args.soc}, {os.cpu_count()} processors, {report['build-id']}\n")
    print("| part | MB | ops | s | in the QNN library | peak GB |")
    print("|---|---|---|---|---|---|")
    for part in parts:
        share = part["vendor-ms"] / max(part["compile-ms"], 1e-9)
        print(
            f"| {part['part']} | {part['bytes'] / 1e6:.1f} | {part['ops']} | {part['compile-ms'] / 1e3:.1f} "
            f"| {share:.1%} | {part['peak-rss'] / 1e9:.2f} |"
        )
    total = sum(part["compile-ms"] for part in parts)
    vendor = sum(part["vendor-ms"] for part in parts)
    source = report["source"]["bytes"]
    own = (total - vendor) / 1e3
    print(f"\n- wall {run.wall:.1f} s, processor {run.user + run.system:.1f} s")
    print(f"- peak memory of all processes together {run.peak / 2**30:.2f} GiB (pages of the mapped model count for each)")
    print(f"- {report['bytes'] / 1e6:.1f} MB of context binaries from {source / 1e6:.1f} MB")
    print(f"- {vendor / total:.1%} of the workers' time in the QNN library")
    print(f"- everything else takes {own:.1f} s: {source / 1e6 / own:.0f} MB of the model a second")


if __name__ == "__main__":
    main()
