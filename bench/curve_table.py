"""Reads a table of learning curves, and checks it: what docs/curves.md says of its columns."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.curves import Array, Curves, metadata
from bench.errors import UserError
from bench.seeds import canonical
from bench.space import active

if TYPE_CHECKING:
    import pyarrow as pa
    from ConfigSpace import ConfigurationSpace

COLUMNS = ("configuration", "seed", "step", "loss", "step_seconds", "start_seconds")
OPTIONAL = ("setup_seconds", "cold")
RESERVED = ("event", "seconds", "trial", "raw_loss")
"""What a metric must not be called: journals have fields of these names."""


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
        return _curves(_trainings(table), metadata(table.schema))
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
        if field.name in RESERVED:
            raise ValueError(f"column {field.name}: a metric must have another name")
        whole = field.name in ("seed", "step")
        legal, kind = pa.types.is_floating, "floating-point numbers"
        if field.name == "cold":
            legal, kind = pa.types.is_boolean, "true or false"
        elif whole:
            legal, kind = pa.types.is_integer, "whole numbers"
        if not legal(field.type):
            raise ValueError(f"column {field.name}: must be {kind}, not {field.type}")
        if field.name not in (*COLUMNS, "setup_seconds"):
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
        row["configuration"] = _configuration(row["configuration"], number)
        rows = found.setdefault(canonical([row["configuration"], row["seed"]]), [])
        if row["step"] != len(rows) + 1:
            relation = "comes twice" if row["step"] <= len(rows) else f"follows step {len(rows)}"
            raise ValueError(
                f"column step, row {number}: step {row['step']} of this configuration and seed "
                f"{relation}; its steps must be 1, 2, 3, … in this order"
            )
        rows.append({**row, "number": number})
    return [*found.values()]


def _configuration(values: dict[str, Any] | None, number: int) -> dict[str, Any]:
    """The active values of a row."""
    place = f"column configuration, row {number}"
    if values is None:
        raise ValueError(f"{place}: there is none")
    active = {name: value for name, value in values.items() if value is not None}
    for name, value in active.items():
        plain = isinstance(value, bool | int | str) or (
            isinstance(value, float) and math.isfinite(value)
        )
        if not plain:
            raise ValueError(f"{place}: {name} = {value!r}; legal: numbers, texts, true and false")
    return active


def _curves(trainings: list[list[dict[str, Any]]], about: dict[str, Any]) -> Curves:
    steps = max(map(len, trainings))
    configurations = [rows[0]["configuration"] for rows in trainings]
    if len({canonical(each) for each in configurations}) < 2:
        raise ValueError(
            "column configuration: all rows have the same one; at least two are needed"
        )
    space = _space(configurations, about)
    for rows in trainings:
        try:
            legal = active(space, rows[0]["configuration"]) == rows[0]["configuration"]
            why = "a value is there for what is not active"
        except ValueError as error:
            legal, why = False, str(error)
        if not legal:
            raise ValueError(f"column configuration, row {rows[0]['number']}: {why}")
    worst = about.get("worst_loss")
    ends = np.array([len(rows) for rows in trainings])
    for rows in trainings:
        if len(rows) < steps and rows[-1]["loss"] != worst:
            raise ValueError(
                f"column step, row {rows[-1]['number']}: this training ends at step {len(rows)}, "
                f"others at {steps}"
            )
        rows += [{**rows[-1], "step": step + 1} for step in range(len(rows), steps)]

    def values(name: str) -> Array:
        return np.array([[row[name] for row in rows] for rows in trainings], float)

    known = (*COLUMNS, *OPTIONAL, "number")
    metrics = [name for name in trainings[0][0] if name not in known]
    starts = values("start_seconds")[:, 0]
    has_setup = "setup_seconds" in trainings[0][0]
    return Curves(
        about=about,
        space=space,
        configurations=configurations,
        seeds=[rows[0]["seed"] for rows in trainings],
        losses=values("loss"),
        metrics={name: values(name) for name in metrics},
        step_seconds=values("step_seconds"),
        start_seconds=starts,
        setup_seconds=values("setup_seconds")[:, 0] if has_setup else starts,
        ends=ends,
        cold=np.array([rows[0].get("cold") is True for rows in trainings]),
    )


def _space(configurations: list[dict[str, Any]], about: dict[str, Any]) -> "ConfigurationSpace":
    """The space that was recorded; of a table that does not say, that of the values it has."""
    from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer

    if "space" in about:
        try:
            return ConfigurationSpace.from_serialized_dict(about["space"])
        except Exception as error:  # whatever a stranger's dictionary makes of it
            raise ValueError(f"metadata space: {type(error).__name__}: {error}") from None
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
            margin = 1e-6 * (max(values) - min(values))  # ConfigSpace rounds bounds
            space.add(Float(name, (min(values) - margin, max(values) + margin)))
        elif kinds == {int} and min(values) < max(values):
            space.add(Integer(name, (min(values), max(values))))
        else:
            space.add(Categorical(name, sorted(set(values), key=str)))
    return space
