#!/usr/bin/env python3
"""Measures this project and prints Markdown tables. Nothing is asserted.

Needs Rust and python3 with venv and pip on x86-64 Linux. Everything it makes or downloads is under target/bench.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import measure

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
WORK = ROOT / "target" / "bench"
PYTHON = WORK / "venv" / "bin" / "python"

PEER = ["onnxruntime==1.31.1", "onnxruntime-qnn==2.7.0"]
MODELS_PACKAGE = "rapidocr-onnxruntime==1.4.4"
SOC = "SM8650"
NAMES = ["det", "rec", "cls"]
KINDS = ["picture", "noise"]

APP_MANIFEST = """\
[package]
name = "app"
version = "0.1.0"
edition = "2024"

[dependencies]
qnn = {{ path = "{root}/qnn" }}

[build-dependencies]
qnn-build = {{ path = "{root}/qnn-build" }}

[package.metadata.qnn]
soc = ["SM8650"]

[package.metadata.qnn.models.digits]
source = "{root}/examples/digits/models/digits.onnx"

[workspace]
"""
BUILD_RS = "fn main() {\n    qnn_build::compile().unwrap_or_exit();\n}\n"
MAIN_RS = """\
qnn::include_models!();

fn main() {
    let backend = qnn::Backend::htp().unwrap();
    let model = digits::Model::load(&backend).unwrap();
    println!("{:?}", model.run(digits::Inputs { image: &[0.0; 64] }).unwrap().logits);
}
"""


def main():
    parts = {"compile": compile_models, "rebuild": rebuild, "cold": cold_build}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="compile: three models, against onnxruntime-qnn; rebuild: `cargo qnn build` with nothing to do; "
        "cold: what the crates cost an app; all by default",
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each compile (default 5)")
    parser.add_argument("--rebuilds", type=int, default=15, help="timed rebuilds (default 15)")
    parser.add_argument("--colds", type=int, default=3, help="timed cold builds (default 3)")
    parser.add_argument(
        "--peer-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="provider option for onnxruntime-qnn, for example htp_graph_finalization_optimization_mode=3",
    )
    args = parser.parse_args()
    unknown = set(args.parts) - set(parts)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")

    WORK.mkdir(parents=True, exist_ok=True)
    install_peer()
    say("building cargo-qnn")
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--quiet", "-p", "cargo-qnn"], cwd=ROOT, check=True
    )
    print(f"# Bench\n\n{machine()}")
    for name in args.parts or parts:
        parts[name](args)


def compile_models(args):
    """The three PP-OCR models for one SoC in fp16: this project against onnxruntime-qnn, the same files, run by run in turn."""
    prepare_models()
    runs = {(name, who): [] for name in NAMES for who in ("ours", "peer")}
    reports = {name: [] for name in NAMES}
    for number in range(-1, args.runs):
        for name in NAMES:
            say(f"{name}: " + (f"run {number + 1} of {args.runs}" if number >= 0 else "warming up"))
            for who in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                run = compile_ours(name) if who == "ours" else compile_peer(name, args.peer_option)
                # The first round reads everything into the page cache and is not counted.
                if number >= 0:
                    runs[name, who].append(run)
                    if who == "ours":
                        reports[name].append((run, json.loads(run.stdout)[0]["report"]))
    accuracy = {key: measure_accuracy(*key) for key in runs}

    heading(
        f"Compiling for {SOC}, fp16",
        f"`cargo qnn compile` against {PEER[1].replace('==', ' ')} on {PEER[0].replace('==', ' ')}"
        + (f" with {', '.join(args.peer_option)}" if args.peer_option else "")
        + f": the same ONNX file, in turn, {args.runs} runs each, medians. Wall time is from the start of the process to its end "
        "(for the peer this includes Python and its imports). Memory is the peak of the process tree.",
    )
    rows = []
    for name in NAMES:
        mine, theirs = runs[name, "ours"], runs[name, "peer"]
        for who, label in (("ours", "cargo qnn"), ("peer", "onnxruntime-qnn")):
            these = runs[name, who]
            rows.append(
                [
                    name if who == "ours" else "",
                    label,
                    f"{median(these, 'wall'):.2f} s",
                    f"{median(these, 'user'):.2f} s",
                    mib(max(run.peak for run in these)),
                    mib(binary(name, who).stat().st_size),
                    *(f"{accuracy[name, who][kind]:.1f} dB" for kind in KINDS),
                ]
            )
        rows.append(
            [
                "",
                "ratio",
                f"**{median(mine, 'wall') / median(theirs, 'wall'):.2f}**",
                f"{median(mine, 'user') / median(theirs, 'user'):.2f}",
                f"{max(run.peak for run in mine) / max(run.peak for run in theirs):.2f}",
                f"{binary(name, 'ours').stat().st_size / binary(name, 'peer').stat().st_size:.2f}",
                *(f"{accuracy[name, 'ours'][kind] - accuracy[name, 'peer'][kind]:+.1f} dB" for kind in KINDS),
            ]
        )
    table(["model", "", "wall", "user", "memory", "binary", "SQNR, picture", "SQNR, noise"], rows)

    heading(
        "Where the time of a cold compile goes",
        "Medians of the same runs. Vendor is the time inside calls of the QNN library, loading it included.",
    )
    stages = list(dict(reports[NAMES[0]][0][1]["stage_ms"]))
    rows = []
    for name in NAMES:
        walls = [run.wall * 1000 for run, _ in reports[name]]
        vendor = [report["vendor_ms"] for _, report in reports[name]]
        outside = [1 - inside / wall for inside, wall in zip(vendor, walls)]
        times = [dict(report["stage_ms"]) for _, report in reports[name]]
        rows.append(
            [name, f"{statistics.median(walls):.0f} ms", f"{statistics.median(vendor):.0f} ms"]
            + [f"**{statistics.median(outside):.1%}**"]
            + [f"{statistics.median(time[stage] for time in times):.0f}" for stage in stages]
        )
    table(["model", "wall", "vendor", "outside vendor", *(f"{stage}, ms" for stage in stages)], rows)


def rebuild(args):
    """`cargo qnn build` with nothing changed against `cargo build` with nothing changed."""
    environment = {**libraries(), "CARGO_TARGET_DIR": str(WORK / "digits"), "CARGO_QNN": str(cargo_qnn())}
    manifest = ["--manifest-path", str(ROOT / "examples" / "digits" / "Cargo.toml")]
    commands = {
        "cargo build": ["cargo", "build", *manifest],
        "cargo qnn build": [cargo_qnn(), "qnn", "build", *manifest],
    }
    say("building examples/digits")
    times = {name: [] for name in commands}
    for number in range(-2, args.rebuilds):
        for name, command in commands.items():
            wall = measure.run(command, environment).wall * 1000
            # The first two rounds compile what is not compiled yet.
            if number >= 0:
                times[name].append(wall)
    plain, ours = (statistics.median(times[name]) for name in commands)
    heading("Building again with nothing changed", f"examples/digits, in turn, medians of {args.rebuilds} runs.")
    table(
        ["command", "wall", "on top"],
        [["cargo build", f"{plain:.0f} ms", ""], ["cargo qnn build", f"{ours:.0f} ms", f"**{ours - plain:+.0f} ms**"]],
    )


def cold_build(args):
    """What qnn and qnn-build cost an app in a cold debug build; no model is compiled."""
    app = WORK / "app"
    (app / "src").mkdir(parents=True, exist_ok=True)
    (app / "Cargo.toml").write_text(APP_MANIFEST.format(root=ROOT))
    (app / "build.rs").write_text(BUILD_RS)
    (app / "src" / "main.rs").write_text(MAIN_RS)
    environment = {"QNN_BUILD": "stub", "CARGO_TARGET_DIR": str(app / "target")}
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=app, check=True)
    times = []
    for number in range(args.colds):
        say(f"cold build {number + 1} of {args.colds}")
        shutil.rmtree(app / "target", ignore_errors=True)
        run = measure.run(["cargo", "build", "--message-format", "json"], environment, app)
        times.append(run)
    messages = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    artifacts = [message for message in messages if message["reason"] == "compiler-artifact"]
    crates = {artifact["package_id"] for artifact in artifacts if not artifact["package_id"].endswith("#app@0.1.0")}
    heading(
        "Cold debug build of an app with qnn and qnn-build",
        f"Everything but the app's own model, medians of {args.colds} runs on {os.cpu_count()} cores.",
    )
    table(
        ["crates", "wall", "user"],
        [[f"**{len(crates)}**", f"**{median(times, 'wall'):.1f} s**", f"{median(times, 'user'):.1f} s"]],
    )


def compile_ours(name):
    """Compiles with an empty store, so that nothing can be taken from it."""
    store = WORK / "store"
    shutil.rmtree(store, ignore_errors=True)
    out = binary(name, "ours")
    out.unlink(missing_ok=True)
    command = [cargo_qnn(), "qnn", "compile", WORK / "models" / f"{name}.onnx", "--soc", SOC, "-o", out, "--json"]
    return measure.run(command, {**libraries(), "QNN_CACHE_DIR": str(store)})


def compile_peer(name, options):
    out = WORK / "peer" / f"{name}.onnx"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir()
    run = measure.run([PYTHON, HERE / "peer.py", WORK / "models" / f"{name}.onnx", out, *options])
    (made,) = out.parent.glob("*.bin")
    made.replace(binary(name, "peer"))
    return run


def measure_accuracy(name, who):
    """SQNR of the binary's outputs in the emulator against ONNX Runtime, by kind of input; the worst output counts."""
    result = {}
    for kind in KINDS:
        say(f"{name}: executing the binary of {'cargo qnn' if who == 'ours' else 'onnxruntime-qnn'} on {kind}")
        inputs, reference = (WORK / "models" / f"{name}.{kind}.{part}.npz" for part in ("in", "ref"))
        outputs = WORK / "out.npz"
        outputs.unlink(missing_ok=True)
        command = [cargo_qnn(), "qnn", "exec", binary(name, who), "--inputs", inputs, "--outputs", outputs]
        measure.run(command, libraries())
        text = measure.run([PYTHON, HERE / "oracle.py", "sqnr", reference, outputs]).stdout
        result[kind] = min(json.loads(text))
    return result


def install_peer():
    """A Python environment of its own for the peer and the oracle."""
    stamp = WORK / "venv" / "installed"
    wanted = " ".join([*PEER, "onnx", "numpy", "pillow"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {wanted}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", WORK / "venv"], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *wanted.split()], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)


def prepare_models():
    models = WORK / "models"
    last = models / "cls.noise.ref.npz"
    if last.exists() and last.stat().st_mtime > (HERE / "oracle.py").stat().st_mtime:
        return
    say(f"fetching the models in {MODELS_PACKAGE}")
    package = WORK / "package"
    pip = [PYTHON, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", package, MODELS_PACKAGE]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    (wheel,) = package.glob("*.whl")
    shutil.unpack_archive(wheel, package, "zip")
    models.mkdir(exist_ok=True)
    picture = ROOT / "examples" / "ocr" / "pictures" / "sign.png"
    source = package / "rapidocr_onnxruntime" / "models"
    subprocess.run([PYTHON, HERE / "oracle.py", "prepare", source, picture, models], check=True)


def libraries():
    """Both sides use the very same QNN libraries."""
    (folder,) = (WORK / "venv" / "lib").glob("python*/site-packages/onnxruntime_qnn")
    return {"QNN_LIB_DIR": str(folder)}


def binary(name, who):
    return WORK / f"{name}.{who}.bin"


def cargo_qnn():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "cargo-qnn"


def median(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def mib(size):
    return f"{size / 2**20:.1f} MiB"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True, capture_output=True
    ).stdout.strip()
    return f"{os.cpu_count()} cores, {model}, {platform.platform(terse=True)}, commit {commit or 'unknown'}"


def heading(title, about):
    print(f"\n## {title}\n\n{about}\n")


def table(head, rows):
    """A Markdown table whose columns also line up as plain text."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    line = lambda cells: "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    print(line(head))
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        print(line(row))
    sys.stdout.flush()


def say(text):
    print(f"bench: {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
