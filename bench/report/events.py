"""A journal's events as arrays, and when the algorithm was thinking."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report.fields import numbers

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

KINDS = ("suggest", "report", "decide", "pause", "finish", "resume")
NUMBER = {kind: number for number, kind in enumerate(KINDS)}
SUGGEST, REPORT, DECIDE, PAUSE, FINISH, RESUME = range(len(KINDS))


class Timeline(NamedTuple):
    """One element for each event, in the journal's order; seconds on its clock, never falling."""

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


def timeline(events: list[dict[str, Any]], wall: float) -> Timeline:
    """The events; none is before the start or after the end. TypeError if a time is not one."""
    kind = np.array([NUMBER[event["event"]] for event in events], dtype=np.int64)
    where = {number: np.flatnonzero(kind == number) for number in NUMBER.values()}
    of = {number: [events[index] for index in at] for number, at in where.items()}

    def seconds(name: str, *kinds: int) -> Floats:
        found = np.zeros(len(events))
        for each in kinds:  # a field is looked for only where there may be one
            found[where[each]] = numbers(name, [event.get(name) for event in of[each]])
        return np.clip(np.nan_to_num(found, posinf=0.0, neginf=0.0), 0.0, None)

    def those(name: str, kind: int, *values: str) -> Booleans:
        found = np.zeros(len(events), dtype=bool)
        found[where[kind]] = [event.get(name) in values for event in of[kind]]
        return found

    broken = np.zeros(len(events), dtype=bool)
    broken[where[REPORT]] = [isinstance(event.get("raw_loss"), str) for event in of[REPORT]]
    trials = [event.get("trial") for event in events]
    at = numbers("seconds", [event.get("seconds") for event in events])
    at = np.clip(np.nan_to_num(at, posinf=0.0, neginf=0.0), 0.0, wall)
    return Timeline(
        kind=kind,
        seconds=np.maximum.accumulate(at),
        trial=np.array([t if type(t) is int and t >= 0 else -1 for t in trials], np.int64),
        step_seconds=seconds("step_seconds", REPORT),
        setup_seconds=seconds("setup_seconds", REPORT),
        thinking_seconds=seconds("suggest_seconds", SUGGEST)
        + seconds("decide_seconds", DECIDE)
        + seconds("observe_seconds", DECIDE, FINISH),
        broken=broken,
        held_back=those("decision", DECIDE, "pause", "stop"),
        cut=those("status", FINISH, "cut"),
        failed=those("status", FINISH, "failed"),
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
