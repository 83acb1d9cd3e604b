"""Recorded learning curves, and the Parquet tables they come from.

`bench record` writes such a table; a user's own may come from anywhere (docs/curves.md).
bench/curve_table.py reads it.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.cell import PlugIn
from bench.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    from ConfigSpace import ConfigurationSpace

Array = NDArray[np.float64]
FOLDERS = [Path("suites/curves"), Path(__file__).parent.parent / "suites" / "curves"]
"""Where tables are looked for: the current folder's first, then this checkout's."""

METADATA: dict[str, Any] = {
    "space": dict,
    "objective": dict,
    "metrics": dict,
    "device": str,
    "provenance": list,
    "worst_loss": (int, float),
    "optimum": (int, float),
    "round_trip_seconds": (int, float),
}
"""Types of what the metadata may hold."""
KEY = b"searchbench"
"""Of the file's metadata, where `bench record` says what it did."""


@dataclass(frozen=True)
class Curves:
    """Trainings, one of each (configuration, seed), all of as many steps."""

    about: dict[str, Any]
    """The file's metadata."""
    space: "ConfigurationSpace"
    configurations: list[dict[str, Any]]
    """Of each training: the active parameters."""
    seeds: list[int]
    losses: Array
    """(n, steps)."""
    metrics: dict[str, Array]
    """By name, each (n, steps)."""
    step_seconds: Array
    """(n, steps)."""
    start_seconds: Array
    """(n,): from the suggestion to the begin of the first step."""
    setup_seconds: Array
    """(n,): of those, how many were spent in building the training."""
    cold: NDArray[np.bool_]
    """(n,): whether the process that trained it was started for it."""
    ends: NDArray[np.int64]
    """(n,): steps that it came to; fewer than all if its loss was no number at the last of them."""


def find(objective: PlugIn, device: str) -> Path | None:
    """The table that was recorded of an objective, with its options, on a device.

    Raises UserError if there are several in one folder.
    """
    for folder in FOLDERS:
        of = [path for path in sorted(folder.glob("*.parquet")) if is_of(path, objective, device)]
        if len(of) > 1:
            raise UserError(
                f"{folder} has several tables of {objective.name} with the same options on "
                f"{device}: keep one of {', '.join(path.name for path in of)}"
            )
        if of:
            return of[0]
    return None


def is_of(path: Path, objective: PlugIn, device: str) -> bool:
    """Whether a table was recorded of an objective, with its options, on a device."""
    about = _about(path, path.stat().st_mtime_ns)
    of = about.get("objective")
    known = isinstance(of, dict) and {"source": None, **of} == objective.identity
    return known and about.get("device") == device


def digest(path: Path) -> str:
    """SHA-256 of a table; UserError if it cannot be read."""
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


@cache
def _digest(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _about(path: Path, changed: int) -> dict[str, Any]:
    """What a table's metadata says; nothing of a file that is no table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return metadata(pq.read_schema(path))
    except (OSError, pa.ArrowException, ValueError):
        return {}


def metadata(schema: "pa.Schema") -> dict[str, Any]:
    """What is under the key; ValueError if it is not as docs/curves.md says."""
    about = json.loads((schema.metadata or {}).get(KEY, b"{}"))
    if not isinstance(about, dict):
        raise ValueError(f"metadata {KEY.decode()}: must be a JSON object")
    for name, kinds in METADATA.items():
        if about.get(name) is not None and not isinstance(about[name], kinds):
            raise ValueError(f"metadata {name}: {about[name]!r} is not what docs/curves.md says")
    return about
