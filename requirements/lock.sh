#!/usr/bin/env bash
# Compile the locks from bench.in and overrides.txt; `make lock` runs this with an installed uv.
#   requirements/lock.sh UV [--upgrade]
# Pins that still fit are kept; --upgrade takes the newest. Each package is in one file only.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=requirements/wheels.sh
. ./wheels.sh
uv=$1
shift

compile() {
  "$uv" pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
    --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" "$@" >/dev/null
}

except_locked() { # options that leave out what lock.txt has
  sed -nE 's/^([a-z0-9._-]+)(\[[a-z,]+\])?==.*/--no-emit-package=\1/p' lock.txt
}

version=$(sed -nE 's/^torch==([0-9.]+).*/\1/p' bench.in)
mapfile -t torch_source < <(torch_source "$version")
compile "$@" "${torch_source[@]}" --override overrides.txt --no-emit-package torch bench.in -o lock.txt
mapfile -t locked < <(except_locked)
echo "torch==$version+cpu" |
  compile "${torch_source[@]}" --constraint lock.txt "${locked[@]}" - -o torch-cpu.txt
echo "torch==$version" | compile --constraint lock.txt "${locked[@]}" - -o torch-cuda.txt
echo uv | compile --constraint lock.txt --no-deps - -o uv.txt
# Only `make microbench` installs it, in an environment of its own; huggingface_hub: it imports that.
printf 'syne-tune==0.16.0\nhuggingface_hub\n' | compile - -o syne-tune.txt
