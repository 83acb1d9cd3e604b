"""Engine `ray`, seen through the journals that it writes."""

import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    PLUGINS,
    WriteSuite,
    cell_of,
    of_kind,
    records,
)
from consistent import consistent
from runs import Run, most_at_once

from bench import machine

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four algorithms on a sound objective, one slot."""
    algorithms = ["random", "tpe", "asha", {"path": str(PLUGINS / "pausing.py")}]
    return Run(
        tmp_path_factory.mktemp("t"), {"name": "ray"}, algorithms, [{"max_steps": 9}], budget=6
    )


@pytest.fixture(scope="module")
def gives_up(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four algorithms that give up, and one that does not."""
    mine: list[dict[str, Any]] = [
        {"path": str(PLUGINS / "exhausted.py"), "suggestions": 2, "fails": fails}
        for fails in ("", "when asked", "when built", "when told")
    ]
    return Run(tmp_path_factory.mktemp("t"), {"name": "ray"}, [*mine, "random"])


def test_all_is_done_and_every_journal_is_consistent(sound: Run) -> None:
    assert sound.printed.returncode == 0, sound.printed.stderr
    assert "4 done; 4 ran now" in sound.printed.stdout
    for record in sound.records:
        consistent(record)


def test_stopping_early_buys_more_configurations_and_the_draws_are_paired(sound: Run) -> None:
    random, asha, tpe = (sound.of(name) for name in ("random", "asha", "tpe"))
    assert len(of_kind(random, "suggest")) == len(of_kind(tpe, "suggest")) == 6
    assert len(of_kind(asha, "suggest")) > 6
    drawn = [[event["configuration"] for event in of_kind(r, "suggest")] for r in (random, asha)]
    assert drawn[0] == drawn[1][:6], "random and asha draw the same configurations"


def test_asha_stops_at_the_rungs_of_its_paper(sound: Run) -> None:
    """η = 3, R = 9: rungs after 1 and 3 steps; at each, the best third so far goes on."""
    record = sound.of("asha")
    decisions = of_kind(record, "decide")
    assert {e["step"] for e in decisions if e["decision"] == "stop"} <= {1, 3}
    losses = {(e["trial"], e["step"]): e["loss"] for e in of_kind(record, "report")}
    rungs: dict[int, list[float]] = {1: [], 3: []}
    for event in decisions:
        if event["step"] in rungs:
            loss, seen = losses[event["trial"], event["step"]], rungs[event["step"]]
            cutoff = percentile([-each for each in seen], 1 - 1 / 3) if seen else -math.inf
            assert (event["decision"] == "stop") == (-loss < cutoff)
            seen.append(loss)
    assert any(e["decision"] == "stop" for e in decisions)


def percentile(values: list[float], share: float) -> float:
    """Linear interpolation between the order statistics."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_trials_pause_and_resume_from_their_checkpoints(sound: Run) -> None:
    record = sound.of("pausing")
    assert any(e["decision"] == "pause" for e in of_kind(record, "decide"))
    configurations = {e["trial"]: e["configuration"] for e in of_kind(record, "suggest")}
    resumed = 0
    for event in of_kind(record, "report"):
        x = configurations[event["trial"]]["x"]
        assert event["loss"] == pytest.approx((x - 0.3) ** 2 + 1 / event["step"])
        resumed += "setup_seconds" in event and event["step"] > 1
    assert resumed > 0


def test_as_many_trials_run_as_there_are_slots_and_no_more(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random"], [{"seconds": 0.02}], gpus_per_trial=0.5, budget=6)
    printed = bench("run", suite, "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    (record,) = records(tmp_path)
    consistent(record)
    assert most_at_once(record) == cell_of(record).slots == 2


def test_an_algorithm_that_gives_up_fails_its_cell_and_not_the_suite(gives_up: Run) -> None:
    assert gives_up.printed.returncode == 1 and "4 failed, 1 done" in gives_up.printed.stdout
    assert "failed: RuntimeError: cannot be built" in gives_up.printed.stderr
    reasons = {
        str(record.end["reason"])
        for record in gives_up.records
        if record.end is not None and record.end["status"] == "failed"
    }
    assert reasons == {
        "RuntimeError: no more ideas",
        "RuntimeError: does not understand",
        "the algorithm made no more suggestions",
    }


def test_a_cell_past_max_seconds_fails_and_is_not_run_again_unless_asked(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    suite = write_suite(["random"], [{"fault": "hang", "from_x": -1.0}], max_seconds=12.0)
    printed = bench("run", suite, "--device", "cpu")
    assert printed.returncode == 1
    assert "failed: ran past max_seconds = 12" in printed.stderr
    (record,) = records(tmp_path)
    assert record.end is not None and record.end["status"] == "failed"
    assert [e["status"] for e in of_kind(record, "finish")] == ["cut"]

    again = bench("run", suite, "--device", "cpu")
    assert again.returncode == 1 and "0 ran now" in again.stdout
    retried = bench("run", suite, "--device", "cpu", "--retry-failed")
    assert "1 ran now" in retried.stdout
    assert len(list((tmp_path / "results/suite/attempts").glob("*.1.jsonl"))) == 1


def test_the_header_says_what_a_reader_needs_to_trust_it(sound: Run) -> None:
    record = sound.of("asha")
    header = record.header
    assert header["key"] == cell_of(record).key == record.path.stem
    scheduler = header["effective"]["scheduler"]
    assert scheduler["corrects"].endswith("AsyncHyperBandScheduler")
    assert (scheduler["_max_t"], scheduler["_reduction_factor"]) == (9, 3)
    assert scheduler["_time_attr"] == "training_iteration"
    (bracket,) = scheduler["_brackets"]
    assert [rung[0] for rung in bracket["_rungs"]] == [9, 3, 1]
    sampler = sound.of("tpe").header["effective"]["searcher"]["_sampler"]
    assert sampler["_n_startup_trials"] == 10 and sampler["_constant_liar"] is True
    provenance = header["provenance"]
    assert {"ray", "optuna", "torch", "ConfigSpace"} <= set(provenance["packages"])
    assert all(provenance["packages"].values())
    assert provenance["machine"]["cores"] == machine.cores() and provenance["machine"]["cpu_model"]
    assert "driver" in provenance["machine"] and "commit" in provenance and "dirty" in provenance
    assert (header["clock"], header["optimum"], header["worst_loss"]) == ("wall", 0.25, 10.0)


def test_nothing_is_left_behind(sound: Run) -> None:
    sound.leaves_nothing()
