#!/usr/bin/env bash
# make test-cluster: provide Apptainer, build the image of this checkout, run the tests on a SLURM that
# they bring up. What this machine cannot have is skipped, and said.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=$(tests/cluster/apptainer.sh .venv/apptainer) || {
  status=$?
  ((status == 3)) || exit "$status"
  echo "SKIPPED make test-cluster: there is no Apptainer to test with (see above)"
  exit 0
}
export PATH=$bin:$PATH
make container
# A SLURM that cannot be had is seen by the tests: each says SKIPPED, and why.
.venv/bin/python -m pytest -m cluster --timeout=0 --durations=10 -s tests/cluster
