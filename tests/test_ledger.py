"""The ledger: every GPU-second is in it once; against hand-computed searches and random ones."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from journals import at, cell, end, finish, report, suggest, write
from random_search import Simulated

from bench.cell import Cell
from bench.metrics import ledger as metric
from bench.report.events import KINDS, arrays
from bench.report.ledger import PARTS, ledger
from bench.report.table import load

Events = list[dict[str, Any]]


def books(
    events: Events, wall: float, slots: int = 1, gpus: int | None = None, share: float = 1.0
) -> dict[str, float]:
    """The parts of a search's GPU-seconds."""
    row = {"wall": wall, "slots": slots, "gpus": gpus or slots, "gpus_per_trial": share}
    parts, _ = ledger(arrays(events), row, np.zeros(0))
    return {part: parts[f"{part}_gpu_seconds"] for part in PARTS}


def decide(trial: int, seconds: float, decision: str = "continue", **more: Any) -> dict[str, Any]:
    return {"event": "decide", "trial": trial, "seconds": seconds, "decision": decision, **more}


def pause(trial: int, seconds: float) -> dict[str, Any]:
    return {"event": "pause", "trial": trial, "seconds": seconds}


def test_every_second_of_a_slot_by_hand() -> None:
    events = [
        suggest(0, 1.0, suggest_seconds=1.0),  # 0-1: the slot waits for a suggestion
        # 1-6: process 2, building 1, step 2
        report(0, 6.0, 0.5, setup_seconds=1.0, step_seconds=2.0),
        decide(0, 6.5, decide_seconds=0.5),  # 6-6.5: waits for the scheduler
        report(0, 10.0, 0.5, 2, step_seconds=3.0),  # 6.5-9.5: step; then 0.5 on its way
        finish(0, 10.25, "completed", observe_seconds=0.25),
        suggest(1, 12.0, suggest_seconds=0.75),  # 1 s nothing, then 0.75 for a suggestion
        finish(1, 14.0, "cut"),  # 2 s in vain
    ]
    assert books(events, wall=15.0) == pytest.approx(
        {
            "training": 2 + 3,
            "start_up": 2 + 1,
            "optimiser": 1 + 0.5 + 0.25 + 0.75,
            "idle": 0.5 + 1 + 1,
            "lost": 2,
        }
    )


@pytest.mark.parametrize(
    ("last", "training", "lost"),
    [
        ([finish(0, 9.0, "failed", error="it raised")], 2, 7),
        (
            [report(0, 9.0, 2.0, 2, step_seconds=3.0, raw_loss="nan"), finish(0, 9.0, "failed")],
            2,
            7,
        ),
        ([finish(0, 9.0, "stopped")], 2, 7),
        ([finish(0, 9.0, "cut")], 2, 7),
        ([], 2, 7),
        ([report(0, 9.0, 2.0, 2, step_seconds=3.0, raw_loss=9.5), finish(0, 9.0, "cut")], 5, 0),
        ([report(0, 9.0, 0.1, 2, step_seconds=3.0), finish(0, 9.0, "completed")], 5, 0),
    ],
    ids=["failed", "NaN", "stopped in flight", "cut", "crashed", "too great", "useful"],
)
def test_what_came_to_no_useful_report_is_lost_and_what_was_reported_before_is_not(
    last: Events, training: float, lost: float
) -> None:
    events = [suggest(0), report(0, 2.0, 0.5, step_seconds=2.0), decide(0, 2.0), *last]
    found = books(events, wall=9.0)
    assert (found["training"], found["lost"]) == pytest.approx((training, lost))


def test_a_barrier_and_a_paused_trial_hold_no_slot() -> None:
    events = [
        suggest(0),
        suggest(1),
        report(0, 2.0, 0.5, step_seconds=2.0),
        decide(0, 2.0, "pause"),
        pause(0, 2.5),  # 0.5 for its state; its slot has nothing until the other is there: 2.5-6
        report(1, 6.0, 0.4, step_seconds=6.0),
        decide(1, 6.0, "pause"),
        pause(1, 6.0),  # this slot has nothing any more: 6-11
        report(0, 11.0, 0.3, 2, setup_seconds=1.0, step_seconds=3.0),  # 6-7: process
        finish(0, 11.0, "completed"),
        finish(1, 11.0, "cut"),
    ]
    assert books(events, wall=11.0, slots=2) == pytest.approx(
        {"training": 2 + 6 + 3, "start_up": 0.5 + 1 + 1, "optimiser": 0, "idle": 3.5 + 5, "lost": 0}
    )


def test_all_free_slots_wait_while_one_suggestion_is_made() -> None:
    # three suggestions of 1 s each for three slots; trials start when the last is made
    events = [suggest(trial, trial + 1.0, suggest_seconds=1.0) for trial in range(3)]
    for trial in range(3):
        events += [report(trial, 5.0, 0.5, step_seconds=2.0), finish(trial, 5.0, "completed")]
    found = books(events, wall=5.0, slots=3)
    assert found == {"training": 6, "start_up": 0, "optimiser": 9, "idle": 0, "lost": 0}


def test_a_result_that_waits_while_the_algorithm_thinks_for_another_slot_waits_for_it() -> None:
    events = [
        suggest(0, 0.0),
        suggest(1, 0.0),
        report(0, 2.0, 0.5, step_seconds=2.0),
        finish(0, 2.0, "completed"),
        suggest(2, 6.0, suggest_seconds=4.0),
        report(1, 6.0, 0.5, step_seconds=3.0),  # was there at 3
        decide(1, 6.0),
        finish(1, 6.0, "cut"),
        finish(2, 6.0, "cut"),
    ]
    found = books(events, wall=6.0, slots=2)
    assert found == {"training": 5, "start_up": 0, "optimiser": 4 + 3, "idle": 0, "lost": 0}


def test_a_suggested_trial_that_waits_for_a_slot_is_charged_none() -> None:
    # HyperBand goes on with trial 0 on the only slot; trial 1, suggested before, starts after it
    events = [
        suggest(0),
        report(0, 1.0, 0.5, step_seconds=1.0),
        decide(0, 1.0, "pause"),
        pause(0, 1.0),
        suggest(1, 1.0),
        report(0, 4.0, 0.5, 2, step_seconds=3.0),
        finish(0, 4.0, "completed"),
        report(1, 6.0, 0.5, step_seconds=2.0),
        finish(1, 6.0, "completed"),
    ]
    assert books(events, wall=6.0)["training"] == 6


def test_what_an_interruption_undid_is_lost() -> None:
    events = [
        suggest(0),
        suggest(1),
        report(1, 3.0, 0.5, step_seconds=3.0),
        decide(1, 3.0),
        # trial 0 has trained for 3 s when the run is killed; both then train again
        {"event": "resume", "seconds": 3.0, "replay_seconds": 60.0},
        report(1, 5.0, 0.5, 2, step_seconds=2.0),
        finish(1, 5.0, "completed"),
        report(0, 8.0, 0.5, step_seconds=5.0),
        finish(0, 8.0, "completed"),
    ]
    found = books(events, wall=8.0, slots=2)
    assert found == {"training": 10, "start_up": 0, "optimiser": 0, "idle": 3, "lost": 3}


def test_gpus_are_counted_not_slots_and_one_that_no_trial_fits_on_is_idle() -> None:
    events = [suggest(0), report(0, 4.0, 0.5, step_seconds=3.0), finish(0, 4.0, "completed")]
    halves = books(events, wall=4.0, slots=4, gpus=2, share=0.5)
    assert (halves["training"], halves["start_up"], halves["idle"]) == (1.5, 0.5, 6.0)
    pairs = books(events, wall=4.0, slots=1, gpus=3, share=2.0)
    assert (pairs["training"], pairs["start_up"], pairs["idle"]) == (6.0, 2.0, 4.0)


def test_what_had_been_trained_by_then_counts_the_steps_in_flight() -> None:
    events = [
        suggest(0),
        suggest(1),
        report(0, 2.0, 0.5, step_seconds=2.0),
        decide(0, 2.0),
        report(1, 6.0, 0.5, setup_seconds=1.0, step_seconds=5.0),
        finish(1, 6.0, "completed"),
        finish(0, 6.0, "cut"),
    ]
    row = {"wall": 6.0, "slots": 2, "gpus": 2, "gpus_per_trial": 1.0}
    _, trained = ledger(arrays(events), row, np.array([0.0, 2.0, 6.0]))
    # at 2: trial 0 its 2 s, trial 1 1 s of its step; at 6: 5 more, and the 4 s that the end cut
    assert trained.tolist() == [0, 2 + 1, 2 + 5 + 4]


SEEDS = st.integers(0, 2**32)


@settings(max_examples=300)
@given(SEEDS, st.integers(1, 9), st.integers(1, 80))
@example(2168, 5, 27)  # rounding made its idle seconds -1e-16
def test_the_ledger_of_a_random_search_is_what_really_happened(
    seed: int, slots: int, length: int
) -> None:
    made = Simulated(random.Random(seed), slots, length)
    found = books(made.events, made.now, slots)
    assert sum(found.values()) == pytest.approx(slots * made.now)
    assert min(found.values()) >= 0
    assert found["training"] == pytest.approx(made.training)
    if not made.unknowable:
        assert found["lost"] == pytest.approx(made.lost)


JITTER = st.floats(0, 0.2)


@given(SEEDS, st.integers(1, 9), st.integers(0, 80), JITTER, st.sampled_from([0.3, 0.5, 1.0, 2.0]))
def test_the_parts_add_up_and_none_is_negative_on_a_clock_that_is_off(
    seed: int, slots: int, length: int, jitter: float, share: float
) -> None:
    chance = random.Random(seed)
    made = Simulated(chance, slots, length) if length else None
    events = made.events if made else []
    for event in events:  # what the wall's clock and two processes' clocks do
        for name in ("seconds", "step_seconds", "suggest_seconds", "decide_seconds"):
            if name in event:
                event[name] = max(event[name] + jitter * chance.uniform(-1, 1), 0.0)
    wall = max((event["seconds"] for event in events), default=0.0) + chance.choice([-0.5, 0, 1])
    wall, gpus = max(wall, 0.0), int(np.ceil(slots * share)) + chance.choice([0, 1])
    found = books(events, wall, slots, gpus, share)
    assert sum(found.values()) == pytest.approx(gpus * wall, abs=1e-9)
    assert min(found.values()) >= 0


SECONDS = st.one_of(st.none(), st.floats(0, 20))
ANY_EVENT = st.fixed_dictionaries(
    {"event": st.sampled_from(KINDS), "seconds": SECONDS, "trial": st.integers(-1, 4)},
    optional={
        "step_seconds": SECONDS,
        "setup_seconds": SECONDS,
        "suggest_seconds": SECONDS,
        "observe_seconds": SECONDS,
        "decision": st.sampled_from(["continue", "pause", "stop"]),
        "status": st.sampled_from(["completed", "stopped", "failed", "cut"]),
        "raw_loss": st.sampled_from(["nan", 9.0]),
    },
)


@settings(max_examples=300)
@given(st.lists(ANY_EVENT, max_size=40), st.integers(0, 4), st.floats(0, 20))
def test_even_of_a_journal_that_makes_no_sense_every_second_is_counted_once(
    events: Events, slots: int, wall: float
) -> None:
    found = books(events, wall, slots, gpus=max(slots, 1))
    assert sum(found.values()) == pytest.approx(max(slots, 1) * wall, abs=1e-9)
    assert min(found.values()) >= 0


def test_the_shares_of_all_seeds_together_add_up_and_clocks_are_apart(tmp_path: Path) -> None:
    # seed 0: 3 s of 5 trained, seed 1: 3 s of 15, 2 s of each started: 6 / 20 and 4 / 20
    def search(of: Cell, wall: float, clock: str) -> None:
        events = [suggest(0), report(0, 5.0, 0.5, step_seconds=3.0)]
        write(tmp_path, of, [*events, finish(0, 5.0, "completed"), end(wall)], clock=clock)

    for seed, wall in enumerate((5.0, 15.0)):
        search(cell(seed=seed), wall, "wall")
    search(cell(engine="virtual"), 10.0, "virtual")
    table = load(tmp_path)
    frame = metric.compute(table)
    real, virtual = at(frame, clock="wall"), at(frame, clock="virtual")
    assert (real["n"], real["gpu_seconds"]) == (2, 10)
    assert [real[part] for part in PARTS] == pytest.approx([0.3, 0.2, 0, 0.5, 0])
    assert (real["training_low"], real["training_high"]) == pytest.approx((0.2, 0.6))
    assert [virtual[part] for part in PARTS] == pytest.approx([0.3, 0.2, 0, 0.5, 0])
    assert np.isnan(virtual["training_low"]), "one seed gives no interval"
    assert metric.notes(frame)[1] == (
        "Of 0.00556 core-hours on the wall clock: training 30.0%, start-up 20.0%, optimiser 0.0%, "
        "idle 50.0%, lost 0.0%."
    )
    cells = table.cells
    parts = cells[[f"{part}_gpu_seconds" for part in PARTS]].sum(axis=1)
    assert parts.tolist() == pytest.approx((cells["gpus"] * cells["wall"]).tolist())


def test_a_search_that_held_nothing_has_no_shares(tmp_path: Path) -> None:
    write(tmp_path, cell(), [end(0.0, "failed", "it crashed")])
    frame = metric.compute(load(tmp_path))
    assert frame[list(PARTS)].isna().all(axis=None)
    assert metric.notes(frame) == []
    metric.draw(frame)
