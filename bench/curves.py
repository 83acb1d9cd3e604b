"""Recorded learning curves: a Parquet table, found, read and checked.

docs/curves.md has the columns. `bench record` writes such a table; a user's own may come from
anywhere.
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
from bench.seeds import canonical

if TYPE_CHECKING:
    import pyarrow as pa
    from ConfigSpace import ConfigurationSpace

Array = NDArray[np.float64]
COLUMNS = ("configuration", "seed", "step", "loss", "step_seconds", "start_seconds")
FOLDERS = [Path("suites/curves"), Path(__file__).parent.parent / "suites" / "curves"]
"""Where tables are looked for: the current folder's first, then this checkout's."""

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
    cold: NDArray[np.bool_]
    """(n,): whether the process that trained it was started for it."""


def find(objective: PlugIn, device: str) -> Path | None:
    """The table that was recorded of an objective, with its options, on a device."""
    of = (path for path in files("*.parquet") if is_of(path, objective, device))
    return next(of, None)


def files(pattern: str) -> list[Path]:
    """The files of such a name in FOLDERS, by name."""
    return [path for folder in FOLDERS for path in sorted(folder.glob(pattern))]


def is_of(path: Path, objective: PlugIn, device: str) -> bool:
    """Whether a table was recorded of an objective, with its options, on a device."""
    about = _about(path, path.stat().st_mtime_ns)
    wanted = {"name": objective.name, "options": objective.options}
    return (about.get("objective"), about.get("device")) == (wanted, device)


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
        return json.loads((pq.read_schema(path).metadata or {}).get(KEY, b"{}"))  # type: ignore[no-any-return]
    except (OSError, pa.ArrowException, ValueError):
        return {}


def read(path: Path) -> Curves:
    """Read a table; UserError is one line that says which column and which row is wrong.

    Rows are counted from 1. Trainings may be in any order; the steps of each follow one another.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read as Parquet: {error}") from None
    try:
        _check_columns(table)
        trainings = _trainings(table)
        about = json.loads((table.schema.metadata or {}).get(KEY, b"{}"))
        return _curves(trainings, about)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def _check_columns(table: "pa.Table") -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise ValueError(f"no column {missing[0]}; there must be: {', '.join(COLUMNS)}")
    if not table.num_rows:
        raise ValueError("has no rows")
    if not pa.types.is_struct(table.schema.field("configuration").type):
        raise ValueError("column configuration: must be a struct, a field for each parameter")
    for field in table.schema:
        if field.name == "configuration":
            continue
        whole = field.name in ("seed", "step")
        legal, kind = pa.types.is_floating, "floating-point numbers"
        if field.name == "cold":
            legal, kind = pa.types.is_boolean, "true or false"
        elif whole:
            legal, kind = pa.types.is_integer, "whole numbers"
        if not legal(field.type):
            raise ValueError(f"column {field.name}: must be {kind}, not {field.type}")
        if field.name not in COLUMNS:
            continue  # a metric may lack a value
        column = table[field.name].combine_chunks()
        wrong = column.is_null() if whole else pc.invert(pc.fill_null(pc.is_finite(column), False))
        if (row := pc.index(wrong, True).as_py()) >= 0:
            raise ValueError(f"column {field.name}, row {row + 1}: {column[row].as_py()}")
        least = 1 if field.name == "step" else 0
        if field.name != "loss" and (row := pc.index(pc.less(column, least), True).as_py()) >= 0:
            raise ValueError(
                f"column {field.name}, row {row + 1}: {column[row].as_py()} is less than {least}"
            )


def _trainings(table: "pa.Table") -> list[list[dict[str, Any]]]:
    """The rows of each training, in the order of its steps."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, row in enumerate(table.to_pylist(), start=1):
        row["configuration"] = {
            name: value for name, value in row["configuration"].items() if value is not None
        }
        rows = found.setdefault(canonical([row["configuration"], row["seed"]]), [])
        if row["step"] != len(rows) + 1:
            relation = "comes twice" if row["step"] <= len(rows) else f"follows step {len(rows)}"
            raise ValueError(
                f"column step, row {number}: step {row['step']} of this configuration and seed "
                f"{relation}; its steps must be 1, 2, 3, … in this order"
            )
        rows.append({**row, "number": number})
    return [*found.values()]


def _curves(trainings: list[list[dict[str, Any]]], about: dict[str, Any]) -> Curves:
    steps = max(map(len, trainings))
    configurations = [rows[0]["configuration"] for rows in trainings]
    if len({canonical(each) for each in configurations}) < 2:
        raise ValueError(
            "column configuration: all rows have the same one; at least two are needed"
        )
    worst = about.get("worst_loss")
    for rows in trainings:
        if len(rows) < steps and rows[-1]["loss"] != worst:
            raise ValueError(
                f"column step, row {rows[-1]['number']}: this training ends at step {len(rows)}, "
                f"others at {steps}"
            )
        rows += [{**rows[-1], "step": step + 1} for step in range(len(rows), steps)]

    def values(name: str) -> Array:
        return np.array([[row[name] for row in rows] for rows in trainings], float)

    metrics = [name for name in trainings[0][0] if name not in (*COLUMNS, "cold", "number")]
    return Curves(
        about=about,
        space=_space(configurations, about),
        configurations=configurations,
        seeds=[rows[0]["seed"] for rows in trainings],
        losses=values("loss"),
        metrics={name: values(name) for name in metrics},
        step_seconds=values("step_seconds"),
        start_seconds=values("start_seconds")[:, 0],
        cold=np.array([rows[0].get("cold") is True for rows in trainings]),
    )


def _space(configurations: list[dict[str, Any]], about: dict[str, Any]) -> "ConfigurationSpace":
    """The space that was recorded; of a table that does not say, that of the values it has."""
    from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer

    if "space" in about:
        return ConfigurationSpace.from_serialized_dict(about["space"])
    names = dict.fromkeys(name for each in configurations for name in each)
    space = ConfigurationSpace()
    for name in names:
        values = [each[name] for each in configurations if name in each]
        if len(values) < len(configurations):
            raise ValueError(
                f"column configuration, field {name}: not in all rows; a space with conditions "
                "must be in the file's metadata (docs/curves.md)"
            )
        kinds = {type(value) for value in values}
        if kinds == {float} and min(values) < max(values):
            space.add(Float(name, (min(values), max(values))))
        elif kinds == {int} and min(values) < max(values):
            space.add(Integer(name, (min(values), max(values))))
        else:
            space.add(Categorical(name, sorted(set(values), key=str)))
    return space
