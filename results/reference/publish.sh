#!/usr/bin/env bash
# Runs what is not finished of the published suites, for an hour, and puts their reports here.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ -n $(git status --porcelain) ]]; then
  echo "publish: the checkout has changes, and journals would not say which; commit them first" >&2
  exit 2
fi

smaller() { # FOLDER: what git can keep; bench report has the rest again
  find "$1" -name '*.csv' ! -name cells.csv -size +500k -delete # a curve's every point
  # Of 256 colours a figure has a third of its size, and looks the same.
  find "$1" -name '*.png' -print0 | xargs -0 .venv/bin/python -c '
import sys
from PIL import Image
for path in sys.argv[1:]:
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)'
}

suites=("quick --gpus 8" "synthetic --gpus 1" "scaling --gpus 256")
for suite in "${suites[@]}"; do
  read -ra words <<<"$suite"
  .venv/bin/bench run "${words[@]}"
done
for suite in "${suites[@]}"; do
  read -ra words <<<"$suite"
  .venv/bin/bench report "${words[@]}"
  from=results/${words[0]}/report to=results/reference/${words[0]}
  rm -rf "$to"
  cp -r "$from" "$to"
  smaller "$to"
done
cp results/reference/quick/regret-real-and-virtual-mnist_cnn-seconds.png docs/img/quick-regret-seconds.png
