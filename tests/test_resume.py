"""A search that was interrupted goes on from its journal, wherever that ends.

The interruption is a journal cut off after some event, as a power cut leaves it; tests that kill
running processes are in test_faults.py and, many times over, in test_kill.py.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import PLUGINS, WriteSuite, of_kind, records, run_bench, suite_text
from runs import cut

from bench.engines._past import comparable
from bench.journal import FORMAT, Record, read

ALGORITHMS: list[dict[str, Any]] = [
    {"name": "random"},
    {"name": "grid", "resolution": 6},
    {"name": "tpe", "startup_trials": 3},
    {"name": "cmaes", "population_size": 3},
    {"name": "asha"},
    {"name": "hyperband"},
    {"name": "bohb"},
    {"path": str(PLUGINS / "pausing.py")},
]
CUTS = (0.0, 0.2, 0.45, 0.8, 0.999)
"""Shares of a journal's events after which it is cut off."""


def undisturbed(folder: Path, gpus: int, **toy: Any) -> list[Record]:
    options = {"max_steps": 9, "fault": "raise", "from_x": 0.8, **toy}
    text = suite_text(ALGORITHMS, [options], budget=7, gpus=[gpus])
    (folder / "suite.toml").write_text(text)
    ran = run_bench(folder, "run", "suite.toml", "--device", "cpu")
    assert ran.returncode == 0, ran.stderr
    return records(folder)


@pytest.mark.minutes
def test_at_one_slot_a_resumed_search_is_the_undisturbed_one(tmp_path: Path) -> None:
    """Event for event: whatever the algorithm, wherever it was cut off, with failing trials."""
    whole = undisturbed(tmp_path, gpus=1)
    for index, record in enumerate(whole):
        share = CUTS[index % len(CUTS)]
        cut(record.path, int(share * len(record.events)), b'{"event":"repo')
    again = run_bench(tmp_path, "run", "suite.toml", "--device", "cpu")
    assert again.returncode == 0, again.stderr
    for before, after in zip(whole, records(tmp_path), strict=True):
        assert after.finished and len(of_kind(after, "resume")) == 1
        events = [each for each in after.events if each["event"] != "resume"]
        assert [*map(comparable, events)] == [*map(comparable, before.events)], after.path.name
    assert not list(tmp_path.glob("results/suite/attempts/*")), "nothing was begun anew"
    assert not list(tmp_path.glob("results/suite/states/*")), "no state is left of what is over"


@pytest.mark.minutes
def test_at_several_slots_what_was_stays_and_each_step_is_reported_once(tmp_path: Path) -> None:
    whole = undisturbed(tmp_path, gpus=2, seconds=0.02)
    for index, record in enumerate(whole):
        share = CUTS[(index + 2) % len(CUTS)]
        cut(record.path, int(share * len(record.events)))
    kept = {record.path: record.path.read_bytes() for record in whole}
    again = run_bench(tmp_path, "run", "suite.toml", "--device", "cpu")
    assert again.returncode == 0, again.stderr
    for after in records(tmp_path):
        assert after.finished and len(of_kind(after, "resume")) == 1
        assert after.path.read_bytes().startswith(kept[after.path])
        steps = Counter((e["trial"], e["step"]) for e in of_kind(after, "report"))
        assert set(steps.values()) == {1}
        failed = sum(e["status"] == "failed" for e in of_kind(after, "finish"))
        assert len(steps) + failed >= 7 * 9, "the budget is spent"


@pytest.mark.minutes
def test_a_finished_trial_is_not_trained_again(tmp_path: Path, write_suite: WriteSuite) -> None:
    log = tmp_path / "log"
    suite = write_suite(["random"], [{"log": str(log)}], budget=4, gpus=[2])
    run_bench(tmp_path, "run", suite, "--device", "cpu")
    (record,) = records(tmp_path)
    third = [i for i, e in enumerate(record.events) if e["event"] == "finish"][2]
    cut(record.path, third + 1)
    finished = {e["trial"] for e in of_kind(read(record.path), "finish")}
    x = {e["trial"]: e["configuration"]["x"] for e in of_kind(record, "suggest")}
    log.unlink()
    again = run_bench(tmp_path, "run", suite, "--device", "cpu")
    assert again.returncode == 0, again.stderr
    trained = {float(line.split()[0]) for line in log.read_text().splitlines()}
    assert trained and not trained & {x[trial] for trial in finished}


def test_a_trial_in_flight_goes_on_from_its_last_state(
    tmp_path: Path, write_suite: WriteSuite
) -> None:
    """Its state is that of step 3: of the five steps in the journal two are trained again."""
    from bench.engines._states import State, States

    log = tmp_path / "log"
    suite = write_suite(["random"], [{"log": str(log), "max_steps": 9}], budget=1)
    run_bench(tmp_path, "run", suite, "--device", "cpu")
    (record,) = records(tmp_path)
    fifth = [i for i, e in enumerate(record.events) if e.get("decision")][4]
    cut(record.path, fifth + 1)
    configuration = record.events[0]["configuration"]
    states = States(tmp_path / "results/suite/states" / record.path.stem)
    states.keep(configuration, State(3, 0.0, b"3"))
    log.unlink()
    again = run_bench(tmp_path, "run", suite, "--device", "cpu")
    assert again.returncode == 0, again.stderr
    assert [int(line.split()[1]) for line in log.read_text().splitlines()] == [4, 5, 6, 7, 8, 9]
    (after,) = records(tmp_path)
    (resume,) = of_kind(after, "resume")
    assert resume["retrained_steps"] == 2
    losses = [e["loss"] for e in of_kind(record, "report")]
    assert [e["loss"] for e in of_kind(after, "report")] == losses


@pytest.mark.minutes
def test_the_clock_stands_still_between_the_runs(tmp_path: Path, write_suite: WriteSuite) -> None:
    suite = write_suite(["random"], [{"seconds": 0.1}], budget=6)
    run_bench(tmp_path, "run", suite, "--device", "cpu")
    (record,) = records(tmp_path)
    path = record.path
    lines = path.read_bytes().splitlines()
    moved = []
    for line in lines[:12]:  # as if the first run had been a day long
        event = json.loads(line)
        if "seconds" in event:
            event["seconds"] += 86_400
        moved.append(json.dumps(event).encode() + b"\n")
    path.write_bytes(b"".join(moved))
    assert run_bench(tmp_path, "run", suite, "--device", "cpu").returncode == 0
    (after,) = records(tmp_path)
    seconds = [event["seconds"] for event in after.events]
    assert seconds == sorted(seconds)
    (resume,) = of_kind(after, "resume")
    assert resume["seconds"] == after.events[10]["seconds"]
    assert resume["provenance"]["machine"] and resume["resumed"]


@pytest.mark.minutes
def test_a_search_that_does_otherwise_than_it_did_is_refused_and_its_journal_kept(
    tmp_path: Path, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random", "asha"], budget=4)
    run_bench(tmp_path, "run", suite, "--device", "cpu")
    other, header = records(tmp_path)
    cut(other.path, 9)
    text = other.path.read_text()
    x = str(other.events[0]["configuration"]["x"])
    other.path.write_text(text.replace(x, "0.123"))
    cut(header.path, 9)
    header.path.write_text(header.path.read_text().replace('"worst_loss":10.0', '"worst_loss":9.0'))
    kept = [each.path.read_bytes() for each in (other, header)]

    again = run_bench(tmp_path, "run", suite, "--device", "cpu")
    assert again.returncode == 1
    assert "cannot be resumed: event 1 was " in again.stderr and "Traceback" not in again.stderr
    assert "`worst_loss` in its journal's header is not what it would be now" in again.stderr
    assert "or run it anew with --anew" in again.stderr
    assert [each.path.read_bytes() for each in (other, header)] == kept

    anew = run_bench(tmp_path, "run", suite, "--device", "cpu", "--anew")
    assert anew.returncode == 0 and "2 ran now" in anew.stdout
    aside = sorted(tmp_path.glob("results/suite/attempts/*.jsonl"))
    assert [path.read_bytes() for path in aside] == kept


def test_a_journal_of_an_older_form_is_set_aside(tmp_path: Path, write_suite: WriteSuite) -> None:
    suite = write_suite()
    run_bench(tmp_path, "run", suite, "--device", "cpu")
    (record,) = records(tmp_path)
    cut(record.path, 5)
    record.path.write_text(record.path.read_text().replace(f'"format":{FORMAT}', '"format":1'))
    status = run_bench(tmp_path, "status", suite, "--device", "cpu").stdout
    assert "the next `bench run` starts it anew" in status
    assert run_bench(tmp_path, "run", suite, "--device", "cpu").returncode == 0
    assert len(list(tmp_path.glob("results/suite/attempts/*.jsonl"))) == 1
