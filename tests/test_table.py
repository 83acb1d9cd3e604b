"""Journals as one table: what counts, and what is named instead."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from journals import SMALL, cell, end, finish, report, results, search, write

from bench.cell import PlugIn
from bench.journal import Record
from bench.report.journal import of_record
from bench.report.record import report_columns
from bench.report.table import load


def test_variants_of_an_algorithm_are_told_apart_by_the_options_that_differ(tmp_path: Path) -> None:
    for eta in (3, 4):
        asha = PlugIn("asha", {"reduction_factor": eta, "grace_period": 1})
        search(tmp_path, cell(asha, **SMALL))
    search(tmp_path, cell("tpe", **SMALL))
    labels = set(load(tmp_path).cells["algorithm"])
    assert labels == {"asha reduction_factor=3", "asha reduction_factor=4", "tpe"}


def test_a_renamed_journal_and_a_second_one_of_the_same_search_are_not_counted(
    tmp_path: Path,
) -> None:
    found = (1.0, 0.5), (2.0, 0.5), (3.0, 0.5)
    path = results(tmp_path, cell(), *found, wall=3)
    (tmp_path / "copy.jsonl").write_bytes(path.read_bytes())
    again = cell(max_seconds=60)
    results(tmp_path, again, *found, wall=3, started="2027-01-01")
    table = load(tmp_path)
    assert table.cells["key"].tolist() == [again.key], "the later of the two"
    assert set(table.problems["what"]) == {"misnamed", "repeated"}


def test_a_failed_trial_spends_a_step_and_counts_as_the_worst_loss(tmp_path: Path) -> None:
    events = [
        finish(0, 1.0, "failed", error="it raised"),
        report(1, 2.0, 2.0, raw_loss="nan"),
        finish(1, 2.0, "failed", error="the loss was nan at step 1"),
        report(2, 3.0, 0.5),
        end(3),
    ]
    write(tmp_path, cell(), events)
    table = load(tmp_path)
    # a trial that diverged has reported its step: it is not counted again
    assert table.reports["steps"].tolist() == [1, 2, 3]
    assert table.reports["trials"].tolist() == [1, 2, 3]
    assert table.reports["incumbent"].tolist() == [2.0, 2.0, 0.5]
    assert table.reports["failed"].tolist() == [True, False, False]
    assert table.cells[["trials", "steps", "failed_trials"]].iloc[0].tolist() == [0, 3, 2]
    assert table.cells["complete"].all()


LOSSES = st.lists(st.tuples(st.integers(0, 5), st.floats(0, 2), st.floats(0, 9)), max_size=20)


@given(LOSSES)
def test_the_incumbent_never_rises_and_time_never_runs_back(
    found: list[tuple[int, float, float]],
) -> None:
    events = [report(trial, seconds, loss) for trial, loss, seconds in found]
    columns = report_columns(of_record(Record(Path("x"), {"worst_loss": 2.0}, events)))
    losses = [loss for _, loss, _ in found]
    assert columns["incumbent"].tolist() == [min(losses[: i + 1]) for i in range(len(found))]
    assert (np.diff(columns["seconds"]) >= 0).all()
    trials = [trial for trial, _, _ in found]
    assert columns["trials"].tolist() == [len(set(trials[: i + 1])) for i in range(len(found))]
