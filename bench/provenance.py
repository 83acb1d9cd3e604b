"""Where a result comes from: versions, commit, machine. All that a journal's header says of it."""

import json
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import __version__, machine

PACKAGES = (
    "ray",
    "optuna",
    "cmaes",
    "HEBO",
    "hpbandster",
    "ConfigSpace",
    "bayesian-optimization",
    "torch",
    "transformers",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
)
"""Packages that can change a result."""

CHECKOUT = Path(__file__).parent.parent
"""The folder of this code: a git checkout, or the copy of one in the image."""


@cache
def provenance() -> dict[str, Any]:
    """Read once per process: a run's journals all say the same."""
    at, dirty = commit()
    return {
        "searchbench": __version__,
        "commit": at,
        "dirty": dirty,
        "image": image(),
        "python": platform.python_version(),
        "packages": packages(),
        "machine": machine.describe(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }


def packages() -> dict[str, str | None]:
    """The versions of PACKAGES; None of one that is not installed."""
    return {name: _version(name) for name in PACKAGES}


def image() -> dict[str, Any] | None:
    """What the image that this runs in was built from, and its SHA-256; None outside an image.

    The digest is None where the image was not started by slurm/bench, which tells it.
    """
    try:
        built = json.loads((CHECKOUT / "image.json").read_text())
    except OSError:
        return None
    return {"sha256": os.environ.get("BENCH_IMAGE_SHA256"), **built}


def commit() -> tuple[str | None, bool | None]:
    """The code's commit, and whether files differ from it; None without git and image."""
    if built := image():
        return built["commit"], built["dirty"]
    if not (CHECKOUT / ".git").exists():
        return None, None
    try:
        at = _git("rev-parse", "HEAD").strip()
        return at, bool(_git("status", "--porcelain").strip())
    except (OSError, subprocess.SubprocessError):
        return None, None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
