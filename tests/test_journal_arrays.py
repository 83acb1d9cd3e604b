"""A journal's events as arrays: Arrow reads what is read line by line, or leaves it to that."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import SMALL, cell, end, finish, report, search, suggest, write
from random_search import Simulated

from bench.journal import read
from bench.report.events import Events
from bench.report.journal import Journal, by_arrow, of_record

Event = dict[str, Any]
SEEDS = st.integers(0, 2**32)


def same(one: Journal, other: Journal) -> None:
    assert (one.path, one.header, one.end) == (other.path, other.header, other.end)
    mine, theirs = (columns(of.events) for of in (one, other))
    assert list(mine) == list(theirs)
    for name, column in mine.items():
        assert column.dtype == theirs[name].dtype, name
        np.testing.assert_array_equal(column, theirs[name], name)
    for index in np.flatnonzero(one.events.kind == 0).tolist():
        assert one.configuration(index) == other.configuration(index)


def columns(events: Events) -> dict[str, Any]:
    fields = events._asdict()
    return {**fields.pop("numbers"), **fields}


def found(path: Path) -> Journal:
    journal = by_arrow(path)
    assert journal is not None, "left to the slow way"
    same(journal, of_record(read(path)))
    return journal


@pytest.mark.parametrize("stops", [False, True])
def test_a_search_is_read_the_same_both_ways(tmp_path: Path, stops: bool) -> None:
    journal = found(search(tmp_path, cell("asha", gpus=2, **SMALL), stops))
    assert (journal.events.kind == 1).sum() == 9


def test_so_is_one_with_every_kind_of_event_and_without_any(tmp_path: Path) -> None:
    events = [
        suggest(0, configuration={"lr": 0.1, "name": "näïve", "deep": {"trial": 7}}),
        report(0, 1.0, 0.5, step_seconds=1, setup_seconds=0.25, accuracy=None),
        {"event": "decide", "trial": 0, "seconds": 1.0, "decision": "pause", "decide_seconds": 0.1},
        {"event": "pause", "trial": 0, "step": 1, "seconds": 1.5},
        {"event": "resume", "seconds": 1.5, "machine": {"seconds": "x"}},
        report(0, 2.0, 2.0, 2, raw_loss="nan"),
        finish(0, 2.0, "failed", error="ünwell", observe_seconds=0.5),
        suggest(1, 2.0),
        finish(1, 3.0, "cut"),
    ]
    assert found(write(tmp_path / "some", cell(), [*events, end(4.0)])).events.broken.sum() == 1
    assert len(found(write(tmp_path / "none", cell(), [end(0.0)])).events.kind) == 0


def test_a_loss_that_was_worse_than_the_worst_is_not_one_that_was_not_finite(
    tmp_path: Path,
) -> None:
    events = [suggest(0), report(0, 1.0, 2.0, raw_loss=9.5)]
    assert not found(write(tmp_path, cell(), [*events, end(2.0)])).events.broken.any()


def test_journals_with_losses_of_both_kinds_are_left_to_the_slow_way(tmp_path: Path) -> None:
    raw = [report(0, 1.0, 2.0, raw_loss=9.5), report(0, 2.0, 2.0, 2, raw_loss="nan")]
    assert by_arrow(write(tmp_path, cell(), [suggest(0), *raw, end(2.0)])) is None


@given(SEEDS, st.integers(1, 9), st.integers(1, 40))
def test_so_is_any_search(
    tmp_path_factory: pytest.TempPathFactory, seed: int, slots: int, length: int
) -> None:
    made = Simulated(random.Random(seed), slots, length)
    found(write(tmp_path_factory.mktemp("any"), cell(), [*made.events, end(made.now)]))


@pytest.mark.parametrize(
    "event",
    [
        {**report(0, 1.0, 0.5), "loss": "0.5"},
        {**report(0, 1.0, 0.5), "loss": None},
        {**report(0, 1.0, 0.5), "trial": 0.0},
        {**report(0, 1.0, 0.5), "trial": True},
        {**report(0, 1.0, 0.5), "step_seconds": "1"},
        {"event": "report", "trial": 0, "loss": 0.5},
        {"event": "report", "seconds": 1.0, "loss": 0.5},
        {"event": "finish", "trial": 0, "status": "failed"},
        {"event": "invented", "trial": 0, "seconds": 1.0},
        {"event": "end", "seconds": 1.0, "status": "completed"},
        {"event": "start", "format": 2, "cell": {}},
        {"seconds": 1.0},
        ["report"],
        "report",
        7,
    ],
    ids=json.dumps,
)
def test_what_is_unusual_is_left_to_the_slow_way_which_says_what_is_wrong(
    tmp_path: Path, event: Any
) -> None:
    path = write(tmp_path, cell(), [suggest(0), end(2.0)])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], json.dumps(event), lines[2], ""]))
    assert by_arrow(path) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data.replace(b"\n", b"\n\n", 2),
        lambda data: data.replace(b"0.5", b"NaN"),
        lambda data: data.replace(b"0.5", b"1e999"),
        lambda data: data[data.index(b"\n") + 1 :],
        lambda data: b"",
        lambda data: b"\n",
        lambda data: b"\x00\xff\n\n",
    ],
)
def test_what_is_damaged_too(tmp_path: Path, damage: Any) -> None:
    path = write(tmp_path, cell(), [suggest(0), report(0, 1.0, 0.5), end(2.0)])
    path.write_bytes(damage(path.read_bytes()))
    assert by_arrow(path) is None
    assert by_arrow(tmp_path / "not there") is None
