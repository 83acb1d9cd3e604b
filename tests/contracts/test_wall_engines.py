"""What every engine on the wall clock does about trials that fail."""

from typing import Any

import pytest
from conftest import cell_of, of_kind
from consistent import consistent
from runs import Run

FAULTS = ["raise", "nan", "inf", "huge", "kill", "hang", "gpu memory", "always raise"]
DIED = {
    "ray": "The actor died unexpectedly",
    "optuna": "its worker process died: killed by SIGKILL",
}


@pytest.fixture(scope="module", params=DIED)
def faulty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An objective for each fault."""
    toys = [{"fault": f, "max_steps": 1 if f == "always raise" else 4} for f in FAULTS]
    engine, keys = {"name": request.param}, {"budget": 4, "max_trial_seconds": 5.0}
    return Run(tmp_path_factory.mktemp("t"), engine, ["tpe"], toys, **keys)


def test_all_cells_are_done_and_every_journal_is_consistent(faulty: Run) -> None:
    assert faulty.printed.returncode == 0, faulty.printed.stderr
    assert f"{len(FAULTS)} done; {len(FAULTS)} ran now" in faulty.printed.stdout
    for record in faulty.records:
        consistent(record)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("raise", "ValueError: broken on purpose"),
        ("nan", "the loss was nan at step 2"),
        ("inf", "the loss was inf at step 2"),
        ("kill", DIED),
        ("hang", "trained longer than max_trial_seconds = 5; hung at File"),
        (
            "gpu memory",
            "out of GPU memory: tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 "
            "GiB of which 9.00 GiB is free. 1.58 GiB allowed",
        ),
    ],
    ids=["raise", "nan", "inf", "kill", "hang", "gpu memory"],
)
def test_a_failed_trial_counts_as_the_worst_and_the_cell_goes_on(
    faulty: Run, fault: str, error: Any
) -> None:
    record = faulty.of("tpe", fault)
    said = error[cell_of(record).engine] if error is DIED else error
    assert record.end is not None and record.end["status"] == "completed"
    configurations = {e["trial"]: e["configuration"] for e in of_kind(record, "suggest")}
    failed = [e for e in of_kind(record, "finish") if e["status"] == "failed"]
    assert failed and all(said in e["error"] for e in failed)
    assert all(configurations[e["trial"]]["x"] > 0.6 for e in failed)
    assert any(e["status"] == "completed" for e in of_kind(record, "finish"))
    worst = [e for e in of_kind(record, "report") if "raw_loss" in e]
    assert [e["raw_loss"] for e in worst] == [fault] * len(failed) * (fault in ("nan", "inf"))
    assert all(e["loss"] == 10.0 for e in worst)


def test_a_loss_worse_than_the_worst_counts_as_the_worst_and_training_goes_on(
    faulty: Run,
) -> None:
    record = faulty.of("tpe", "huge")
    clipped = [e for e in of_kind(record, "report") if "raw_loss" in e]
    assert clipped and all((e["loss"], e["raw_loss"]) == (10.0, 1e6) for e in clipped)
    assert all(e["status"] != "failed" for e in of_kind(record, "finish"))


def test_a_search_whose_every_trial_fails_ends_when_its_budget_is_spent(faulty: Run) -> None:
    record = faulty.of("tpe", "always raise")
    assert {e["status"] for e in of_kind(record, "finish")} == {"failed"}
    assert len(of_kind(record, "finish")) == cell_of(record).budget_steps
    assert not of_kind(record, "report")


def test_nothing_is_left_behind(faulty: Run) -> None:
    faulty.leaves_nothing()
