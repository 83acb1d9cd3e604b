#!/usr/bin/env bash
# Build .venv from the locks alone; `make setup` runs this when something changed.
#   requirements/setup.sh PYTHON cpu|cuda STAMP
# STAMP (a file in .venv) is made last: a .venv without one is of an interrupted set-up and is built anew.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=requirements/wheels.sh
. requirements/wheels.sh
python=$1 torch=$2 stamp=$3

fail() {
  echo "make setup: $1" >&2
  exit 2
}

[[ $torch == cpu || $torch == cuda ]] || fail "TORCH=$torch: legal: cpu, cuda"
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
  fail "$python is not Python 3.11; install it, or name it: make setup PYTHON=/path/to/python3.11"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python has no venv; install it (Debian: apt-get install python3-venv)"
[[ $(uname -sm) == "Linux x86_64" ]] ||
  fail "the locks are for Linux x86_64, this is $(uname -sm); use the container"

# One set-up at a time; what a killed one left running still holds this lock.
exec 9<requirements
flock --nonblock 9 || {
  echo "setup: waits for another make setup to end"
  flock 9 || true # (a file system without locks)
}
[[ ! -e $stamp ]] || exit 0

# uv takes torch 2.13.0+cpu for torch 2.13.0: a change of build starts anew, too.
if ! compgen -G ".venv/.lock-*-$torch" >/dev/null; then
  rm -rf .venv
  echo "setup: .venv with $("$python" -V)"
  "$python" -m venv .venv
fi
rm -f .venv/.lock-*

# uv does not read pip's settings: pass on those that say where packages come from.
[[ -z ${PIP_INDEX_URL-} ]] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX-$PIP_INDEX_URL}
[[ -z ${PIP_CERT-} ]] || export SSL_CERT_FILE=${SSL_CERT_FILE-$PIP_CERT}

.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
  -r requirements/uv.txt
torch_source=()
if [[ $torch == cpu ]]; then
  version=$(sed -nE 's/^torch==([0-9.]+)\+cpu.*/\1/p' requirements/torch-cpu.txt)
  mapfile -t torch_source < <(torch_source "$version")
fi
echo "setup: packages of requirements/lock.txt and torch-$torch.txt"
uv=(.venv/bin/uv --quiet pip)
export VIRTUAL_ENV=$PWD/.venv
# What is built from source (hpbandster) is built with the lock's setuptools, hash and all.
"${uv[@]}" sync --require-hashes --build-constraints requirements/lock.txt "${torch_source[@]}" \
  requirements/lock.txt "requirements/torch-$torch.txt"
"${uv[@]}" install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
# Import the heavy ones once: it shows that they work, and leaves their bytecode for fast starts
# also where Python is told to write none.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -W ignore -c \
  'import bayes_opt, cmaes, ConfigSpace, hebo.optimizers.hebo, optuna, pandas, pytest, ray.tune
import rich.markdown, seaborn, torch, torch._dynamo, transformers.models.t5.modeling_t5, typer.rich_utils
from ray.tune.search import bayesopt, bohb, hebo, optuna' >/dev/null
echo "$torch" >.venv/.torch
touch "$stamp"
