# Recipes of this repository; `just` lists them. Each is a few ordinary commands that work without `just` as well.

_default:
    @just --list

# What CI runs: all steps, or those that are named (`just ci format lint test`)
ci *STEPS:
    .ci/run {{ STEPS }}

# Rewrite the pages of docs/ that are generated from tables in the code
docs:
    cargo run --release --locked --quiet -p xtask -- docs

# Known vulnerabilities of the dependencies, by the database that cargo-deny fetches from the network
advisories:
    .ci/cargo-deny check advisories

# All tests
test:
    cargo test --workspace --release --locked

# The op package's kernels as Hexagon code under QEMU, and its device libraries; gets the compiler and QEMU first
hexagon:
    op-package/tests/tools.sh
    cargo test --workspace --release --locked --features op-package-tests/hexagon --test hexagon

# The ONNX project's operator tests in the emulator; records the verdicts, which `just test` holds later runs against
conformance *ARGS="--update":
    cargo test --release --locked -q -p qnn-compiler --test conformance -- {{ ARGS }}

# Compile every ONNX file below folders three times, in fresh processes; without a folder the conformance cases
reproducible FOLDER="":
    cargo build --release --locked -p cargo-qnn
    folder={{ quote(FOLDER) }}; \
    [ -n "$folder" ] || folder="$(cargo test --release --locked -q -p qnn-compiler --test conformance -- --folder)"; \
    cargo run --release --locked -q -p xtask -- reproducible target/release/cargo-qnn SM8650 "$folder"

# The tests of the runtime crate over a fake library under Miri; needs a nightly toolchain with the component `miri`
miri:
    cargo +nightly miri test -p qnn --lib -- fake pinned

# Write the public interface of the crate `qnn` into qnn/public-api.txt; `just public-api --check` shows what has changed
public-api *ARGS:
    cargo run --release --locked --quiet -p xtask -- public-api {{ ARGS }}

# What a call of the runtime crate costs beside the library's work
overhead:
    cargo test --release --locked -q -p qnn --lib -- --ignored --nocapture overhead

# The digits example in the emulator
digits:
    cargo qnn run --manifest-path examples/digits/Cargo.toml

# Time, memory, size and accuracy of compiling, against onnxruntime-qnn; `just bench --help` lists the parts
bench *ARGS:
    python3 bench/bench.py {{ ARGS }}

# Simulated cycles of an execution, against onnxruntime-qnn; `--model FILE` adds models
bench-sim *ARGS:
    python3 bench/bench.py sim {{ ARGS }}

# Time, memory and size of compiling a language model of 1.5 billion weights: minutes, and gigabytes of memory
bench-llm *ARGS:
    python3 bench/llm.py {{ ARGS }}

# Any bytes into the readers (onnx, facts, encodings, gguf, safetensors) and the passes (graph) for some time:
# `just fuzz onnx 600`; needs cargo-fuzz, and python3 for the corpus, with onnx for onnx and facts
fuzz TARGET="onnx" SECONDS="600":
    {{ if TARGET =~ '^(gguf|safetensors)$' { "cargo run --release -p xtask -- llm-corpus fuzz/corpus" } else { "python3 fuzz/corpus.py fuzz/corpus/" + TARGET } }}
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{ TARGET }} -- -max_total_time={{ SECONDS }} -timeout=20 -rss_limit_mb=4096
