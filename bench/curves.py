"""Recorded learning curves, and the Parquet tables they come from.

`bench record` writes such a table; a user's own may come from anywhere (docs/curves.md).
bench/curve_table.py reads it.
"""

import hashlib
import json
import shlex
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.cell import PlugIn
from bench.errors import UserError
from bench.overrides import form_of, in_words
from bench.space import parameters

if TYPE_CHECKING:
    import pyarrow as pa
    from ConfigSpace import ConfigurationSpace

Array = NDArray[np.float64]
FOLDERS = [Path("suites/curves"), Path(__file__).parent.parent / "suites" / "curves"]
"""Where tables are looked for: the current folder's first, then this checkout's."""

PREDICTIONS = 3
"""Version of what is predicted of a table: raised with each change that makes it otherwise."""

METADATA: dict[str, Any] = {
    "space": dict,
    "objective": dict,
    "metrics": dict,
    "device": str,
    "provenance": list,
    "worst_loss": (int, float),
    "optimum": (int, float),
    "round_trip_seconds": (int, float),
    "kernels": dict,
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

    One of just its search space goes before one of a wider space. Raises UserError if there are
    several in one folder, and if all are of a space that does not hold the objective's.
    """
    beyond = None
    for folder in FOLDERS:
        paths = sorted(folder.glob("*.parquet"))
        of = [path for path in paths if is_of(path, objective, device)]
        if not of:
            wider = {p: _beyond(p, objective) for p in paths if _is_alike(p, objective, device)}
            of = [path for path, reason in wider.items() if reason is None]
            beyond = beyond or next(filter(None, wider.values()), None)
        if len(of) > 1:
            raise UserError(
                f"{folder} has several tables of {objective.name} with the same options on "
                f"{device}: keep one of {', '.join(path.name for path in of)}"
            )
        if of:
            return of[0]
    if objective.space and beyond:
        again = command(objective)
        raise UserError(
            f"{beyond}, and curves are not extrapolated: narrow it, or record it: {again} --to FILE"
        )
    return None


def command(objective: PlugIn) -> str:
    """What records an objective's curves."""
    options = [f"{name}={value}" for name, value in objective.options.items()]
    options += [
        shlex.quote(f"space.{name}={{{in_words(each)}}}") for name, each in objective.space.items()
    ]
    return " ".join(["bench record", objective.path or objective.name, *options])


def is_of(path: Path, objective: PlugIn, device: str) -> bool:
    """Whether a table was recorded of an objective, with its options and space, on a device."""
    of, on = _of(path)
    return of == objective.identity and on == device


def _is_alike(path: Path, objective: PlugIn, device: str) -> bool:
    """Likewise, but the search space may be another."""
    of, on = _of(path)
    plain = replace(objective, space={}).identity
    return {k: v for k, v in of.items() if k != "space"} == plain and on == device


def _of(path: Path) -> tuple[dict[str, Any], str | None]:
    """The identity of what a table was recorded of, and the device."""
    about = _about(path, path.stat().st_mtime_ns)
    of = about.get("objective")
    return {"source": None, **of} if isinstance(of, dict) else {}, about.get("device")


def _beyond(path: Path, objective: PlugIn) -> str | None:
    """Where an objective's search space goes beyond the one that was recorded; None: nowhere."""
    from ConfigSpace import ConfigurationSpace

    from bench import plugins

    try:
        about = deepcopy(_about(path, path.stat().st_mtime_ns)["space"])  # of which it takes parts
        recorded = parameters(ConfigurationSpace.from_serialized_dict(about))
    except Exception:  # whatever ConfigSpace makes of a stranger's dictionary
        return f"{path} does not say which search space was recorded"
    known = {each.name: each for each in recorded}
    for each in parameters(plugins.make("objectives", objective).space()):
        if each.name not in known or not each.lies_in(known[each.name]):
            was = in_words(form_of(known[each.name])) if each.name in known else "nothing of it"
            has = in_words(form_of(each))
            return f"space.{each.name}: {has} goes beyond what {path} has recorded ({was})"
    return None


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
