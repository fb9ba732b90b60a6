#!/usr/bin/env python3
"""Measures this project and prints Markdown tables. Nothing is asserted.

Needs Rust and python3 with venv and pip on x86-64 Linux. Everything it makes or downloads is under target/bench.
"""

import argparse
import csv
import json
import math
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
# SoCs that the QNN library simulates, their ids, and architectures: the chips are those of SM8550 and SM8850.
SIMULATED = [("SA8255", 52, 73), ("SA8797", 72, 81)]

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
    parts = {"compile": compile_models, "sim": simulate_models, "rebuild": rebuild, "cold": cold_build}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="compile: models, against onnxruntime-qnn; sim: simulated cycles of both; rebuild: `cargo qnn build` with nothing to do; "
        "cold: what the crates cost an app; all by default",
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each compile (default 5)")
    parser.add_argument("--models", default="", metavar="NAME,…", help="compile only these")
    parser.add_argument(
        "--model", action="append", default=[], metavar="FILE", help="compile this ONNX file of fixed shapes too"
    )
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
    """Models for one SoC in fp16: this project against onnxruntime-qnn, the same files, run by run in turn."""
    models = prepare_models(args.model)
    if args.models:
        models = {name: models[name] for name in args.models.split(",")}
    runs = {(name, who): [] for name in models for who in ("ours", "peer")}
    for name in models:
        for number in range(-1, args.runs):
            say(f"{name}: " + (f"run {number + 1} of {args.runs}" if number >= 0 else "warming up"))
            for who in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                run = compile_ours(name) if who == "ours" else compile_peer(name, args.peer_option)
                # The first round reads everything into the page cache and is not counted.
                if number >= 0 and run:
                    runs[name, who].append(run)
    reports = {name: [json.loads(run.stdout)[0]["report"] for run in runs[name, "ours"]] for name in models}
    ops = {(name, "ours"): reports[name][0]["ops"] for name in models}
    ops.update({(name, "peer"): peer_ops(name) for name in models if runs[name, "peer"]})
    accuracy = {(name, who): measure_accuracy(name, who, models[name]) for name, who in runs if runs[name, who]}

    heading(
        f"Compiling for {SOC}, fp16",
        f"`cargo qnn compile` against {PEER[1].replace('==', ' ')} on {PEER[0].replace('==', ' ')}"
        + (f" with {', '.join(args.peer_option)}" if args.peer_option else "")
        + f": the same ONNX file, in turn, {args.runs} runs each, medians. Wall time is from the start of the process to its end "
        "(for the peer this includes Python and its imports). Memory is the peak of the process tree, ops are those of the QNN graph. "
        "det, rec and cls are trained; the others have random weights.",
    )
    rows, ratios = [], []
    for name, kinds in models.items():
        mine, theirs = runs[name, "ours"], runs[name, "peer"]
        for who, label in (("ours", "cargo qnn"), ("peer", "onnxruntime-qnn")):
            these = runs[name, who]
            first = name if who == "ours" else ""
            if not these:
                rows.append([first, label, "cannot", *[""] * 6])
                continue
            rows.append(
                [
                    first,
                    label,
                    f"{median(these, 'wall'):.2f} s",
                    f"{median(these, 'user'):.2f} s",
                    mib(max(run.peak for run in these)),
                    mib(binary(name, who).stat().st_size),
                    str(ops[name, who]),
                    *(decibels(accuracy[name, who].get(kind)) for kind in ("picture", "noise")),
                ]
            )
        if not theirs:
            continue
        ratios.append(median(mine, "wall") / median(theirs, "wall"))
        better = {kind: accuracy[name, "ours"][kind] - accuracy[name, "peer"][kind] for kind in kinds}
        rows.append(
            [
                "",
                "ratio",
                f"**{ratios[-1]:.2f}**",
                f"{median(mine, 'user') / median(theirs, 'user'):.2f}",
                f"{max(run.peak for run in mine) / max(run.peak for run in theirs):.2f}",
                f"{binary(name, 'ours').stat().st_size / binary(name, 'peer').stat().st_size:.2f}",
                f"{ops[name, 'ours'] / ops[name, 'peer']:.2f}",
                *(decibels(better.get(kind), "+") for kind in ("picture", "noise")),
            ]
        )
    table(["model", "", "wall", "user", "memory", "binary", "ops", "SQNR, picture", "SQNR, noise"], rows)
    if ratios:
        print(f"\nGeometric mean of the wall time ratios: **{statistics.geometric_mean(ratios):.2f}**")

    heading(
        "Where the time of a cold compile goes",
        "Medians of the same runs. Vendor is the time inside calls of the QNN library, loading it included.",
    )
    stages = list(dict(next(iter(reports.values()))[0]["stage_ms"]))
    rows = []
    for name in models:
        walls = [run.wall * 1000 for run in runs[name, "ours"]]
        vendor = [report["vendor_ms"] for report in reports[name]]
        outside = [1 - inside / wall for inside, wall in zip(vendor, walls)]
        times = [dict(report["stage_ms"]) for report in reports[name]]
        rows.append(
            [name, f"{statistics.median(walls):.0f} ms", f"{statistics.median(vendor):.0f} ms"]
            + [f"**{statistics.median(outside):.1%}**"]
            + [f"{statistics.median(time[stage] for time in times):.0f}" for stage in stages]
        )
    table(["model", "wall", "vendor", "outside vendor", *(f"{stage}, ms" for stage in stages)], rows)


def simulate_models(args):
    """Cycles of an execution in the simulation that the QNN library holds, of both sides' graphs of the same file, in fp16."""
    models = prepare_models(args.model)
    if args.models:
        models = {name: models[name] for name in args.models.split(",")}
    heading(
        "Simulated cycles of an execution, fp16",
        f"`cargo qnn compile` with its defaults against {PEER[1].replace('==', ' ')} at level 3 (its default is 2): what the QNN library estimates while it "
        f"compiles for {', '.join(f'{soc} (v{arch})' for soc, _, arch in SIMULATED)}. A simulation, no device. SQNR is that of the binaries for {SOC} in the emulator, over "
        "all inputs; time is one compile for it. `+N`: ops that the simulation has no cost of, so that the cycles are too low.",
    )
    rows, ratios = [], {soc: [] for soc, _, _ in SIMULATED}
    level = ["htp_graph_finalization_optimization_mode=3"]
    for name, kinds in models.items():
        runs = {"ours": compile_ours(name), "peer": compile_peer(name, level)}
        worst = {
            who: min(measure_accuracy(name, who, kinds).values(), default=None) if run else None for who, run in runs.items()
        }
        cells = []
        for soc, model, _ in SIMULATED:
            say(f"{name}: simulating {soc}")
            ours, theirs = cycles_of_ours(name, soc), cycles_of_peer(name, model) if runs["peer"] else None
            if theirs:
                ratios[soc].append((ours[0] / theirs[0], name))
            cells += [priced(ours), priced(theirs), f"**{ratios[soc][-1][0]:.2f}**" if theirs else ""]
        times = [f"{run.wall:.2f} s" if run else "cannot" for run in runs.values()]
        rows.append([name, *cells, *(decibels(worst[who]) for who in runs), *times])
    head = ["model"]
    for _, _, arch in SIMULATED:
        head += [f"v{arch}, ours", "peer", "ratio"]
    table([*head, "SQNR, ours", "peer", "time, ours", "peer"], rows)
    for soc, found in ratios.items():
        if found:
            mean, (worst, name) = statistics.geometric_mean(ratio for ratio, _ in found), max(found)
            print(f"\n{soc}: geometric mean **{mean:.2f}**, worst {worst:.2f} ({name})")


def cycles_of_ours(name, soc):
    """Cycles, and ops without a cost."""
    out = WORK / "sim.bin"
    command = [cargo_qnn(), "qnn", "compile", WORK / "models" / f"{name}.onnx", "--soc", soc, "-o", out, "--json"]
    run = measure.run(command, {**libraries(), "QNN_CACHE_DIR": str(WORK / "store")})
    found = json.loads(run.stdout)[0]["report"]["estimates"]
    return sum(graph["cycles"] for graph in found), sum(graph["ops_without_cost"] for graph in found)


def cycles_of_peer(name, soc_model):
    """The same, from the events that the provider writes down."""
    out, events = WORK / "peer" / f"{name}.onnx", WORK / "events.csv"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir()
    events.unlink(missing_ok=True)
    options = [
        f"soc_model={soc_model}",
        "htp_graph_finalization_optimization_mode=3",
        "profiling_level=basic",
        f"profiling_file_path={events}",
    ]
    measure.run([PYTHON, HERE / "peer.py", WORK / "models" / f"{name}.onnx", out, *options])
    with open(events, newline="") as file:
        rows = [(row["Event Identifier"], int(row["Time"])) for row in csv.DictReader(file)]
    cycles = sum(value for name, value in rows if name == "Simulated (Accelerator exec cycles)")
    return cycles, sum(value for name, value in rows if name.startswith("Missing Ops"))


def priced(found):
    if not found:
        return "cannot"
    cycles, missing = found
    return f"{cycles / 1e6:.3f} M" + (f" +{missing}" if missing else "")


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
    """One run, or None where the peer cannot compile the model whole."""
    out = WORK / "peer" / f"{name}.onnx"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir()
    try:
        run = measure.run([PYTHON, HERE / "peer.py", WORK / "models" / f"{name}.onnx", out, *options])
    except measure.Failed as failed:
        say(f"{name}: onnxruntime-qnn: {failed}")
        return None
    (made,) = out.parent.glob("*.bin")
    made.replace(binary(name, "peer"))
    return run


def peer_ops(name):
    """Ops of the QNN graph that the peer makes."""
    out = WORK / "peer" / f"{name}.onnx"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir()
    dump = ["dump_json_qnn_graph=1", f"json_qnn_graph_dir={out.parent}"]
    measure.run([PYTHON, HERE / "peer.py", WORK / "models" / f"{name}.onnx", out, *dump])
    dumps = [json.loads(path.read_text()) for path in out.parent.glob("*.json")]
    return sum(len(dump["graph"]["nodes"]) for dump in dumps if "graph" in dump)


def measure_accuracy(name, who, kinds):
    """SQNR of the binary's outputs in the emulator against ONNX Runtime, by kind of input; the worst output counts."""
    result = {}
    for kind in kinds:
        say(f"{name}: executing the binary of {'cargo qnn' if who == 'ours' else 'onnxruntime-qnn'} on {kind}")
        inputs, reference = (WORK / "models" / f"{name}.{kind}.{part}.npz" for part in ("in", "ref"))
        outputs = WORK / "out.npz"
        outputs.unlink(missing_ok=True)
        command = [cargo_qnn(), "qnn", "exec", binary(name, who), "--inputs", inputs, "--outputs", outputs]
        try:
            measure.run(command, libraries())
        except measure.Failed as failed:
            # Some of the peer's binaries end the emulator.
            say(str(failed))
            result[kind] = math.nan
            continue
        text = measure.run([PYTHON, HERE / "oracle.py", "sqnr", reference, outputs]).stdout
        result[kind] = min(json.loads(text))
    return result


def install_peer():
    """A Python environment of its own for the peer and the oracle."""
    stamp = WORK / "venv" / "installed"
    wanted = " ".join([*PEER, "onnx==1.23.2", "numpy", "pillow"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {wanted}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", WORK / "venv"], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *wanted.split()], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)


def prepare_models(more):
    """Fetches and writes the models and their inputs; kinds of input by name of model."""
    models = WORK / "models"
    listed = models / "models.json"
    newest = max(path.stat().st_mtime for path in [HERE / "oracle.py", *map(Path, more)])
    wanted = {Path(path).stem for path in more}
    if listed.exists() and listed.stat().st_mtime > newest and wanted <= json.loads(listed.read_text()).keys():
        return json.loads(listed.read_text())
    say(f"fetching the models in {MODELS_PACKAGE}")
    package = WORK / "package"
    pip = [PYTHON, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", package, MODELS_PACKAGE]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    (wheel,) = package.glob("*.whl")
    shutil.unpack_archive(wheel, package, "zip")
    models.mkdir(exist_ok=True)
    picture = ROOT / "examples" / "ocr" / "pictures" / "sign.png"
    source = package / "rapidocr_onnxruntime" / "models"
    say("making weights, inputs and reference outputs")
    subprocess.run([PYTHON, HERE / "oracle.py", "prepare", source, picture, models, *more], check=True)
    return json.loads(listed.read_text())


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


def decibels(value, sign=""):
    """Nothing where the model has no such input, and "crash" where the binary cannot be executed."""
    if value is None:
        return ""
    return "crash" if math.isnan(value) else f"{value:{sign}.1f} dB"


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
