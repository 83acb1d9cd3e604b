"""A table of recorded learning curves is read as it is, or refused in one line."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import STEPS, rows, write

from bench import curve_table, curves
from bench.audit.landscape import MnistSpace
from bench.cell import PlugIn
from bench.errors import UserError
from bench.recording.sequence import configurations


def test_a_table_holds_one_training_for_each_configuration_and_seed(tmp_path: Path) -> None:
    table = curve_table.read(write(tmp_path / "t.parquet", rows(10, seeds=2)))
    assert table.losses.shape == table.step_seconds.shape == (20, STEPS)
    assert table.seeds == [0, 1] * 10
    assert list(table.metrics) == ["accuracy"]
    assert not table.cold.any()


def test_a_table_without_metadata_gets_the_space_of_its_values(tmp_path: Path) -> None:
    space = curve_table.read(write(tmp_path / "t.parquet", rows(10))).space
    lr, n = space["lr"], space["n"]
    values = [row["configuration"]["lr"] for row in rows(10)]
    assert (lr.lower, lr.upper) == pytest.approx((min(values), max(values)), rel=1e-4)
    assert type(n).__name__ == "UniformIntegerHyperparameter"


def test_conditions_are_read_from_the_metadata(tmp_path: Path) -> None:
    space = MnistSpace().space()
    of = rows(4)
    drawn = islice(configurations(space), 4)
    for row, configuration in zip(of[::STEPS], drawn, strict=True):
        for step in of[of.index(row) :][:STEPS]:
            step["configuration"] = configuration
    about = {"space": space.to_serialized_dict()}
    read = curve_table.read(write(tmp_path / "t.parquet", of, about))
    assert read.space == space


def test_a_training_that_diverged_stays_at_the_worst_loss(tmp_path: Path) -> None:
    of = rows(3)
    of[1]["loss"] = 9.0
    del of[2:STEPS]
    read = curve_table.read(write(tmp_path / "t.parquet", of, {"worst_loss": 9.0}))
    assert read.losses[0].tolist() == [of[0]["loss"], 9.0, 9.0, 9.0]


def changed(row: int, column: str, value: Any) -> list[dict[str, Any]]:
    of = rows(5)
    of[row][column] = value
    return of


def without(column: str) -> list[dict[str, Any]]:
    return [{name: each for name, each in row.items() if name != column} for row in rows(5)]


def moved(row: int, to: int) -> list[dict[str, Any]]:
    of = rows(5)
    of.insert(to, of.pop(row))
    return of


BAD = [
    (without("loss"), "no column loss; there must be: configuration, seed, step, loss"),
    (without("configuration"), "no column configuration"),
    (changed(6, "loss", float("nan")), "column loss, row 7: nan"),
    (changed(6, "loss", float("inf")), "column loss, row 7: inf"),
    (changed(6, "loss", None), "column loss, row 7: None"),
    (changed(2, "step_seconds", -1.0), "column step_seconds, row 3: -1.0 is less than 0"),
    (
        changed(2, "step", 2),
        "column step, row 3: step 2 of this configuration and seed comes twice",
    ),
    (changed(2, "step", 9), "column step, row 3: step 9 of this configuration and seed follows"),
    (changed(4, "step", 0), "column step, row 5: 0 is less than 1"),
    (moved(1, 2), "column step, row 2: step 3 of this configuration and seed follows step 1"),
    (rows(5)[:-1], "column step, row 19: this training ends at step 3, others at 4"),
    (rows(1), "column configuration: all rows have the same one"),
    ([{**row, "loss": str(row["loss"])} for row in rows(5)], "column loss: must be floating-point"),
    (
        [{**row, "step": float(row["step"])} for row in rows(5)],
        "column step: must be whole numbers",
    ),
    ([{**row, "configuration": "a"} for row in rows(5)], "column configuration: must be a struct"),
    ([{**row, "accuracy": "high"} for row in rows(5)], "column accuracy: must be floating-point"),
    ([{**row, "seconds": 1.0} for row in rows(5)], "column seconds: a metric must have another"),
    (
        changed(0, "configuration", {"lr": float("nan"), "n": 1}),
        "column configuration, row 1: lr = nan; legal: numbers, texts",
    ),
    (changed(3, "configuration", None), "column configuration, row 4: there is none"),
    ([{**row, "cold": 1} for row in rows(5)], "column cold: must be true or false, not int64"),
    (
        [
            {
                **row,
                "configuration": {"lr": row["configuration"]["lr"], "n": 1 if index > 3 else None},
            }
            for index, row in enumerate(rows(5))
        ],
        "column configuration, field n: not in all rows; a space with conditions",
    ),
]


@pytest.mark.parametrize(("of", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_table_is_one_line_with_its_column_and_row(
    of: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "t.parquet", of)
    with pytest.raises(UserError) as caught:
        curve_table.read(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for content in (b"", b"PAR1", b"not a table"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"t\.parquet: cannot be read as Parquet"):
            curve_table.read(path)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    schema = pa.Table.from_pylist(rows(2)).schema
    pq.write_table(schema.empty_table(), tmp_path / "t.parquet")
    with pytest.raises(UserError, match="has no rows"):
        curve_table.read(tmp_path / "t.parquet")


@settings(max_examples=60, deadline=None)
@given(
    row=st.integers(0, 19), column=st.sampled_from(["step", "loss", "step_seconds"]), data=st.data()
)
def test_no_damage_goes_unseen(
    row: int, column: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever number is put where another was: it is refused, or read as it stands."""
    kinds = st.integers(-3, 9) if column == "step" else st.floats(width=64)
    value = data.draw(kinds)
    path = write(tmp_path_factory.mktemp("table") / "t.parquet", changed(row, column, value))
    legal = value == row % STEPS + 1 if column == "step" else np.isfinite(value)
    if not legal or (column == "step_seconds" and value < 0):
        with pytest.raises(UserError, match=f"column {column}"):
            curve_table.read(path)
        return
    read = curve_table.read(path)
    values = {"loss": read.losses, "step_seconds": read.step_seconds}.get(column)
    assert values is None or values[row // STEPS, row % STEPS] == value


def test_the_metadata_says_which_objective_and_device_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "FOLDERS", [tmp_path])
    about = {"objective": {"name": "toy", "options": {"max_steps": 4}}, "device": "cpu"}
    path = write(tmp_path / "t.parquet", rows(3), about)
    (tmp_path / "broken.parquet").write_text(json.dumps(about))
    assert curves.find(PlugIn("toy", {"max_steps": 4}), "cpu") == path
    assert curves.find(PlugIn("toy", {"max_steps": 5}), "cpu") is None
    assert curves.find(PlugIn("toy", {"max_steps": 4}), "cuda") is None


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ([1], "metadata searchbench: must be a JSON object"),
        ({"worst_loss": "high"}, "metadata worst_loss: 'high' is not what docs/curves.md says"),
        ({"space": {"format_version": 0.4, "hyperparameters": 3}}, "metadata space: "),
    ],
)
def test_bad_metadata_is_one_line(about: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", rows(5), about)
    with pytest.raises(UserError, match=message) as caught:
        curve_table.read(path)
    assert "\n" not in str(caught.value)


def test_two_tables_of_the_same_are_one_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "FOLDERS", [tmp_path])
    about = {"objective": {"name": "toy", "options": {}}, "device": "cpu"}
    for name in ("a", "b"):
        write(tmp_path / f"{name}.parquet", rows(3), about)
    with pytest.raises(UserError, match=r"keep one of a\.parquet, b\.parquet"):
        curves.find(PlugIn("toy"), "cpu")
    assert curves.find(PlugIn("toy", source="of a user's file"), "cpu") is None
