#!/usr/bin/env bash
# Gets what the tests of Hexagon code need: the compiler of the ziglang wheel (100 MB; clang 22 with HVX for v68 to v81) into
# target/hexagon-tools, and qemu-hexagon (Debian's qemu-user, 12 MB), unless `PATH` has it. Quick when both are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The first release whose compiler knows v75, v79 and v81 is 0.17.0.
version=0.17.1
tools=target/hexagon-tools
if [ ! -x "$tools/zig" ] || [ "$("$tools/zig" version)" != "$version" ]; then
  rm -rf "$tools"
  mkdir -p "$tools"
  if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --target "$tools/wheel" "ziglang==$version"
  else
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$tools/wheel" "ziglang==$version"
  fi
  ln -s wheel/ziglang/zig "$tools/zig"
fi

if ! command -v qemu-hexagon >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -q
    apt-get install -qy --no-install-recommends qemu-user
  else
    echo 'qemu-hexagon is not in PATH; install your distribution'\''s package with it (Debian: qemu-user)' >&2
    exit 1
  fi
fi
