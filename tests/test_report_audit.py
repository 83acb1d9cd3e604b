"""The report's audit: what the journals show that each algorithm did."""

import math
from pathlib import Path

from journals import at, cell, end, finish, report, results, suggest, write

from bench.report.audit import audit, audit_rows
from bench.report.table import load


def one_of_each(folder: Path) -> None:
    """Eight steps: trials 0 and 3 of three steps each, alike; 1 is stopped, 2 fails at its first.

    Another cell fails with one step spent, and was resumed before.
    """
    events = [suggest(n, configuration={"x": x}) for n, x in enumerate((1, 2, 3, 1))]
    events += [report(0, 1.0, 0.9, 1), report(1, 1.0, 0.8, 1), finish(1, 1.0, "stopped")]
    events += [report(0, 2.0, 0.7, 2), report(0, 3.0, 0.6, 3), finish(0, 3.0, "completed")]
    events += [finish(2, 4.0, "failed")]
    events += [report(3, 4.0 + step, 0.5, step) for step in (1, 2, 3)]
    events += [finish(3, 7.0, "completed")]
    write(folder, cell(budget=8, max_steps=1), [])  # unfinished: not used
    write(folder, cell(budget=2, max_steps=3), [*events, end(7.0)])
    lost = [suggest(0), report(0, 1.0, 0.9, 1), {"event": "resume", "seconds": 1.0}]
    write(folder, cell(budget=2, max_steps=3, seed=1), [*lost, end(2.0, "failed", "no")])


def test_trials_steps_and_repeats_are_counted(tmp_path: Path) -> None:
    """Of nine steps six were of the two trials that came to their last.

    Three configurations are kept: of trials 0, 2 and 3; the last is the first again.
    """
    one_of_each(tmp_path)
    row = at(audit(load(tmp_path)), algorithm="random", gpus=1)
    counts = ["cells", "complete", "failed", "resumed", "trials", "trained_in_full"]
    assert row[counts].tolist() == [2, 1, 1, 1, 5, 2]
    assert row["failed_trials"] == 1
    assert row["steps_in_full"] == 6 / 9
    assert (row["kept_configurations"], row["repeated"]) == (3, 1)


def test_each_algorithm_and_count_has_a_row(tmp_path: Path) -> None:
    for name, gpus in [("random", 1), ("tpe", 1), ("tpe", 2)]:
        results(tmp_path, cell(name, gpus), (1, 0.5), (2, 0.5), (3, 0.5), wall=4)
    frame = audit(load(tmp_path))
    assert [(row.algorithm, row.gpus) for row in frame.itertuples()] == [
        *[("random", 1), ("tpe", 1), ("tpe", 2)]
    ]
    assert (frame["steps_in_full"] == 1).all(), "trainings of one step"
    head, rows = audit_rows(frame)
    assert head[:2] == ["algorithm", "cores"] and "engine" not in head
    assert rows[0] == ["random", "1", "1 complete", "3", "3", "100 %", "0", "-"]


def test_without_a_step_there_is_no_share(tmp_path: Path) -> None:
    write(tmp_path, cell(), [end(9, "failed", "no")])
    frame = audit(load(tmp_path))
    assert math.isnan(frame["steps_in_full"].iloc[0])
    assert audit_rows(frame)[1][0][2:] == ["0 complete, 1 failed", "0", "0", "-", "0", "-"]
