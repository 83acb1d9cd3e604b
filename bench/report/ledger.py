"""What became of every GPU-second that a cell held: one journal's ledger.

A slot that no trial has is *idle* (no work, a barrier), or *optimiser* while the algorithm thinks.
A trial that has one is at first *start-up* (its process, building or loading the training), then
*training*, as it was measured. Between two steps it waits for the scheduler's word and for the
controller: optimiser while the algorithm thinks, else idle. Saving a paused trial's state is
start-up. *Lost* is what led to no useful report: a step that failed, hung or gave a loss that is
not finite, and one in flight when its trial was stopped, or the search interrupted or over. GPUs
that are too few for another slot are idle.

Before a first report nothing says when the process was there: what was neither training nor
building is optimiser so far as the algorithm thought right before the report, else start-up. And
nothing says that a trial went on after a pause if it came to no report: its slot counts as free.
"""

from typing import Any, NamedTuple

import numpy as np

from bench.report.events import (
    DECIDE,
    FINISH,
    PAUSE,
    REPORT,
    RESUME,
    SUGGEST,
    Booleans,
    Events,
    Floats,
    Thinking,
    Timeline,
    timeline,
)
from bench.report.slots import Holdings, holdings

PARTS = ("training", "start_up", "optimiser", "idle", "lost")


class Ledger(NamedTuple):
    """`parts`: GPU-seconds of the columns PART_gpu_seconds; they add up to gpus × wall.

    `trained`: at each arrival, the GPU-seconds trained by then, in steps that were reported,
    useful or not, or cut by the search's end; those in flight up to there.
    """

    parts: dict[str, float]
    trained: Floats


class _Spans(NamedTuple):
    """The time before each event of a trial that has a slot, since the one before it."""

    kind: np.ndarray
    begin: Floats
    """Where the search was interrupted in it: when it went on."""
    end: Floats
    lost: Floats
    """Seconds before `begin`, lost in the interruption."""
    in_flight: Booleans
    """A step was being trained, or was to be."""
    fresh: Booleans
    """Nothing has been reported yet since the trial got its slot."""


def ledger(of: Events, row: dict[str, Any], arrivals: Floats) -> Ledger:
    """The ledger of the events of a row of `cells`; `arrivals` are its reports' seconds."""
    wall, slots, share = float(row["wall"]), int(row["slots"]), float(row["gpus_per_trial"])
    events = timeline(of, wall)
    thinking, held = Thinking(events), holdings(events, slots, wall)
    spans = _spans(events, held)
    rows = held.rows
    reported = spans.kind == REPORT
    length = spans.end - spans.begin
    training = np.minimum(events.step_seconds[rows], length)
    setup = np.minimum(events.setup_seconds[rows], length - training)
    # What rounding leaves below 0, or the algorithm's thinking above the whole, is nothing.
    rest = (length - training - setup).clip(min=0)
    waited = thinking.within(spans.end - rest, spans.end).clip(0, rest)
    lost = events.broken[rows] | ((spans.kind == FINISH) & spans.in_flight)
    step = reported & ~lost
    starting = step & spans.fresh | (spans.kind == PAUSE)
    tails = held.end - _last(spans.end, held)
    sums = {
        "training": training[step].sum(),
        "start_up": setup[step].sum() + (rest - waited)[~lost & starting].sum(),
        "optimiser": waited[~lost].sum(),
        "idle": (rest - waited)[~lost & ~starting].sum(),
        "lost": length[lost].sum() + spans.lost.sum() + tails.sum(),
    }
    free = max(slots * wall - (held.end - held.begin).sum(), 0.0)
    thought = slots * thinking.until(np.array([wall]))[0]
    thought -= thinking.within(held.begin, held.end).sum()
    sums["optimiser"] += (waiting := min(max(thought, 0.0), free))
    sums["idle"] += free - waiting
    parts = {f"{part}_gpu_seconds": float(seconds) * share for part, seconds in sums.items()}
    parts["idle_gpu_seconds"] += max(row["gpus"] - slots * share, 0.0) * wall
    cut = events.cut[rows] & spans.in_flight & ~spans.fresh
    ended = np.where(spans.fresh, spans.end - waited, spans.begin + setup + training)
    begins = np.concatenate([(ended - training)[reported], spans.begin[cut]])
    ends = np.concatenate([ended[reported], spans.end[cut]])
    return Ledger(parts, (_past(begins, arrivals) - _past(ends, arrivals)) * share)


def _spans(events: Timeline, held: Holdings) -> _Spans:
    rows, of = held.rows, held.of
    kind = events.kind[rows]
    first = np.append(True, of[1:] != of[:-1])[: len(of)]
    before = np.append(-1, rows[:-1])[: len(rows)]
    end = np.clip(events.seconds[rows], held.begin[of], held.end[of])
    begin = np.where(first, held.begin[of], np.roll(end, 1))
    resumes = np.append(-1, np.flatnonzero(events.kind == RESUME))
    resume = resumes[np.searchsorted(resumes, rows) - 1]
    interrupted = (resume >= 0) & (first | (resume > before))
    went_on = np.where(interrupted, np.clip(events.seconds[resume], begin, end), begin)
    unfinished = events.cut[rows] | events.failed[rows]
    was = np.where(first, SUGGEST, events.kind[before])
    in_flight = (was == SUGGEST) | ((was == DECIDE) & ~events.held_back[before])
    in_flight |= (was == REPORT) & ~events.broken[before] & unfinished
    reports = np.cumsum(kind == REPORT)
    so_far = reports - (kind == REPORT)
    fresh = so_far == so_far[first][of]
    return _Spans(kind, went_on, end, went_on - begin, in_flight, fresh)


def _last(ends: Floats, held: Holdings) -> Floats:
    """When the last event of each holding was."""
    return ends[np.append(held.of[1:] != held.of[:-1], True)[: len(ends)]]


def _past(begins: Floats, seconds: Floats) -> Floats:
    """At each time, how long ago all of the `begins` that were before it are, in sum."""
    ordered = np.sort(begins)
    count = np.searchsorted(ordered, seconds)
    return count * seconds - np.append(0.0, np.cumsum(ordered))[count]
