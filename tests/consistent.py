"""What holds for every journal of every finished cell on the wall clock."""

import math

from conftest import cell_of

from bench.journal import Record


def consistent(record: Record) -> None:
    """Times, trials, steps and the budget are what docs/journal.md says."""
    cell = cell_of(record)
    assert record.finished and record.header["clock"] == "wall"
    seconds = [event["seconds"] for event in record.events]
    assert seconds == sorted(seconds) and seconds[0] >= 0
    open_trials: set[int] = set()
    steps: dict[int, int] = {}
    spent = 0
    for event in record.events:
        if event["event"] in ("resume", "utilisation"):
            continue
        trial = event["trial"]
        if event["event"] == "suggest":
            assert trial == len(steps), "trials are numbered as they come"
            open_trials.add(trial)
            steps[trial] = 0
        elif event["event"] == "report":
            assert trial in open_trials and event["step"] == steps[trial] + 1
            assert math.isfinite(event["loss"]) and event["loss"] <= record.header["worst_loss"]
            steps[trial] += 1
            spent += 1
        elif event["event"] == "finish":
            open_trials.remove(trial)
            failed_step = event["status"] == "failed" and "the loss was" not in event["error"]
            spent += failed_step
    assert not open_trials, "every trial comes to an end"
    if record.end is not None and record.end["status"] == "completed":
        assert spent == cell.budget_steps, "the budget is spent to the step"
