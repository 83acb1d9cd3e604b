#!/usr/bin/env bash
# Runs what is not finished of the published suites, for some hours, and puts their reports here.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ -n $(git status --porcelain) ]]; then
  echo "publish: the checkout has changes, and journals would not say which; commit them first" >&2
  exit 2
fi

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
  find "$to" -name '*.csv' -size +2M -delete # a curve's every point: bench report has them again
done
cp results/reference/quick/regret-real-and-virtual-mnist_cnn-seconds.png docs/img/quick-regret-seconds.png
