"""A journal's events as arrays, and when the algorithm was thinking."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report.fields import numbers

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

KINDS = ("suggest", "report", "decide", "pause", "finish", "resume", "utilisation")
SUGGEST, REPORT, DECIDE, PAUSE, FINISH, RESUME, UTILISATION = range(len(KINDS))
DECISIONS = ("continue", "pause", "stop")
STATUSES = ("completed", "stopped", "failed", "cut")
COMPLETED, STOPPED, FAILED, CUT = range(len(STATUSES))

FIELDS = {
    "step": (REPORT, FINISH),
    "loss": (REPORT,),
    "accuracy": (REPORT,),
    "step_seconds": (REPORT, FINISH),
    "setup_seconds": (REPORT, FINISH),
    "suggest_seconds": (SUGGEST,),
    "decide_seconds": (DECIDE,),
    "observe_seconds": (DECIDE, FINISH),
    "interval_seconds": (UTILISATION,),
    "gpu_utilisation": (UTILISATION,),
    "memory_bytes": (UTILISATION,),
}
"""Numbers, and the kinds of events that may have one."""


class Events(NamedTuple):
    """One element for each event, in the journal's order; NaN or -1 where it has no such field."""

    kind: Integers
    trial: Integers
    seconds: Floats
    numbers: dict[str, Floats]
    """Of each of FIELDS."""
    decision: Integers
    status: Integers
    broken: Booleans
    """A report of a loss that is not finite: its trial has failed."""

    def at(self, kept: Booleans) -> "Events":
        """Some of them."""
        if kept.all():
            return self
        numbers = {name: values[kept] for name, values in self.numbers.items()}
        others = {name: getattr(self, name)[kept] for name in self._fields if name != "numbers"}
        return Events(numbers=numbers, **others)

    @property
    def failed(self) -> Booleans:
        """The end of a trial that failed."""
        return (self.kind == FINISH) & (self.status == FAILED)


def arrays(events: list[dict[str, Any]]) -> Events:
    """The events of a Record. Raises TypeError where a number is something else."""
    kind = np.array([KINDS.index(event["event"]) for event in events], dtype=np.int64)
    where = [np.flatnonzero(kind == number) for number in range(len(KINDS))]
    of = [[events[index] for index in at] for at in where]

    def coded(name: str, kind: int, values: tuple[str, ...]) -> Integers:
        found = np.full(len(events), -1)
        codes = {value: code for code, value in enumerate(values)}
        said = [event.get(name) for event in of[kind]]
        found[where[kind]] = [codes.get(each, -1) if isinstance(each, str) else -1 for each in said]
        return found

    def field(name: str, kinds: tuple[int, ...]) -> Floats:
        found = np.full(len(events), np.nan)
        for each in kinds:
            found[where[each]] = numbers(name, [event.get(name) for event in of[each]])
        return found

    trials = [event.get("trial") for event in events]
    broken = np.zeros(len(events), dtype=bool)
    broken[where[REPORT]] = [isinstance(event.get("raw_loss"), str) for event in of[REPORT]]
    return Events(
        kind=kind,
        trial=np.array([trial if type(trial) is int else -1 for trial in trials], np.int64),
        seconds=numbers("seconds", [event.get("seconds") for event in events]),
        numbers={name: field(name, kinds) for name, kinds in FIELDS.items()},
        decision=coded("decision", DECIDE, DECISIONS),
        status=coded("status", FINISH, STATUSES),
        broken=broken,
    )


class Timeline(NamedTuple):
    """One element for each event of the search, in the journal's order; samples are none.

    Seconds are on its clock, and never fall.
    """

    kind: Integers
    seconds: Floats
    trial: Integers
    """-1 where an event is not of a trial."""
    step_seconds: Floats
    setup_seconds: Floats
    thinking_seconds: Floats
    """The algorithm has thought for so long, up to this event."""
    broken: Booleans
    """A report of a loss that is not finite: its trial has failed."""
    held_back: Booleans
    """A decision to pause or to stop."""
    cut: Booleans
    """The end of a trial that was in flight when the search was over."""
    failed: Booleans
    """The end of a trial that failed."""


def timeline(events: Events, wall: float) -> Timeline:
    """The events on a clock on which none is before the start or after the end."""
    events = events.at(events.kind != UTILISATION)

    def seconds(name: str) -> Floats:
        found = np.nan_to_num(events.numbers[name], posinf=0.0, neginf=0.0)
        return np.clip(found, 0.0, None)

    at = np.clip(np.nan_to_num(events.seconds, posinf=0.0, neginf=0.0), 0.0, wall)
    reported = events.kind == REPORT
    return Timeline(
        kind=events.kind,
        seconds=np.maximum.accumulate(at),
        trial=np.maximum(events.trial, -1),
        step_seconds=np.where(reported, seconds("step_seconds"), 0.0),
        setup_seconds=np.where(reported, seconds("setup_seconds"), 0.0),
        thinking_seconds=seconds("suggest_seconds")
        + seconds("decide_seconds")
        + seconds("observe_seconds"),
        broken=events.broken,
        held_back=events.decision > 0,
        cut=(events.kind == FINISH) & (events.status == CUT),
        failed=events.failed,
    )


class Thinking:
    """When the algorithm was thinking: suggesting, deciding, or taking note of a result."""

    def __init__(self, events: Timeline) -> None:
        some = events.thinking_seconds > 0
        ends = events.seconds[some]
        begins = np.maximum(ends - events.thinking_seconds[some], 0.0)
        order = np.argsort(begins, kind="stable")
        begins, ends = begins[order], np.maximum.accumulate(ends[order])
        apart = begins[1:] > ends[:-1]  # nothing is counted twice
        begins = begins[np.append(True, apart)] if len(begins) else begins
        ends = ends[np.append(apart, True)] if len(ends) else ends
        self._at = np.ravel([begins, ends], order="F")
        self._sum = np.cumsum(np.ravel([np.zeros(len(begins)), ends - begins], order="F"))

    def until(self, seconds: Floats) -> Floats:
        """How much of the time up to there was thinking."""
        if len(self._at) == 0:
            return np.zeros_like(seconds)
        return np.interp(seconds, self._at, self._sum)

    def within(self, begin: Floats, end: Floats) -> Floats:
        """How much of the time from one to the other was thinking."""
        return np.clip(self.until(end) - self.until(begin), 0.0, end - begin)
