"""Which slot was whose, and when: a journal says when trials begin, report and end, not where."""

from bisect import bisect_right, insort
from typing import NamedTuple

import numpy as np

from bench.report.events import FINISH, PAUSE, REPORT, SUGGEST, Floats, Integers, Timeline

ROUNDING_SECONDS = 1e-6
"""A sum of seconds is that well known."""


class Holdings(NamedTuple):
    """When trials had a slot: from a start, or from going on after a pause, to a pause or an end.

    Events `rows`, trial by trial, happened in the holding `of`.
    """

    rows: Integers
    of: Integers
    begin: Floats
    end: Floats
    """Of a holding that no event ends: the end of the search."""


def holdings(events: Timeline, slots: int, wall: float) -> Holdings:
    """Whoever trained (from the begin of its first step to its end) has had a slot.

    A new trial asks for one when the algorithm has made the last of the suggestions that it made
    in one go: trials are started then. One that was paused asks at the last event after which it
    could have built its first step and trained it. No slot is ever two trials'.
    """
    rows = np.flatnonzero(events.trial >= 0)
    rows = rows[np.argsort(events.trial[rows], kind="stable")]
    again = events.trial[rows][1:] == events.trial[rows][:-1]
    left = np.zeros(len(rows), dtype=bool)  # it had no slot before this event
    left[1:] = again & np.isin(events.kind[rows][:-1], (PAUSE, FINISH))
    starts = left | ~np.append(False, again)[: len(rows)]
    here = ~(left & (events.kind[rows] == FINISH))  # a paused trial ends: in no holding
    since = np.where(left, np.roll(events.seconds[rows], 1), 0.0)[starts & here]
    rows, starts = rows[here], starts[here]
    of = np.cumsum(starts) - 1
    first = rows[starts]
    last = rows[np.append(starts[1:], True)[: len(rows)]]
    end = np.where(np.isin(events.kind[last], (PAUSE, FINISH)), events.seconds[last], wall)
    latest = end.copy()
    reports = np.flatnonzero(events.kind[rows] == REPORT)
    holding, index = np.unique(of[reports], return_index=True)
    report = rows[reports[index]]
    spent = events.step_seconds[report] + events.setup_seconds[report]
    latest[holding] = np.maximum(events.seconds[report] - spent, 0.0)
    earliest = _asked(events, first, latest, since)
    return Holdings(rows, of, _begins(earliest, np.maximum(latest, earliest), end, slots), end)


def _asked(events: Timeline, first: Integers, latest: Floats, since: Floats) -> Floats:
    """When each asked for a slot; one that was paused not before `since`."""
    other = np.flatnonzero(np.append(events.kind != SUGGEST, True))
    last_of_run = other[np.searchsorted(other, first)] - 1
    begun = events.seconds[first]
    asked = np.clip(
        latest, begun, np.maximum(events.seconds[np.maximum(last_of_run, first)], begun)
    )
    before = np.searchsorted(events.seconds, latest + ROUNDING_SECONDS, side="right") - 1
    went_on = np.where(before >= 0, events.seconds[np.maximum(before, 0)], 0.0)
    return np.where(events.kind[first] == SUGGEST, asked, np.maximum(went_on, since))


def _begins(earliest: Floats, latest: Floats, end: Floats, slots: int) -> Floats:
    """When each gets a slot: those that must have it first choose first, the one just left."""
    begin = end.copy()
    free = [0.0] * slots
    for each in np.lexsort((end, latest)) if slots else ():
        at = free.pop(max(bisect_right(free, earliest[each]) - 1, 0))
        begin[each] = min(max(earliest[each], at), end[each])
        insort(free, max(at, end[each]))
    return begin
