"""How long an algorithm thinks on the virtual clock."""

import csv
import time
from bisect import bisect_right
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bench.cell import PlugIn
from bench.engines._asked import Costs, Kind
from bench.errors import UserError

LATENCIES = Path(__file__).parent / "suggestion-latency.csv"
"""Median milliseconds of a suggestion and of an observation, by algorithm and number of
observations; `make microbench` measures them (docs/suggestion-latency.md)."""

Points = list[tuple[int, float]]
"""(observations, seconds), by observations."""


Thinking = Literal["charged", "measured", "none"]


def costs(thinking: Thinking, algorithm: PlugIn) -> Costs | None:
    """What an algorithm's thinking costs; None if nothing, or if it is charged and not known."""
    if thinking == "measured":
        return AsMeasured()
    if thinking == "none" or not is_charged(algorithm):
        return None
    return AsCharged(*latencies()[algorithm.name])


def is_charged(algorithm: PlugIn) -> bool:
    """Whether it is in the table; a user's own is not, whatever its name."""
    return algorithm.path is None and algorithm.name in latencies()


class AsMeasured:
    """As long as each call takes."""

    free: Collection[Kind] = ()

    def of(self, kind: Kind, call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        returned = call(*arguments)
        return returned, time.perf_counter() - began


class AsCharged:
    """A suggestion, and the observation of a trial's end, take as long as they were measured to.

    By the number of trials that have ended, linearly between the numbers that were measured, but
    until the second of them as at 0: the algorithm's random phase. All else is quick and free.
    """

    free: Collection[Kind] = ("observe", "decide")

    def __init__(self, suggesting: Points, observing: Points) -> None:
        self._points = {"suggest": suggesting, "complete": observing}
        self._ended = 0

    def of(self, kind: Kind, call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
        returned = call(*arguments)
        if kind == "complete":
            self._ended += 1
        elif not isinstance(returned, dict):  # no suggestion: there is none now, or none any more
            return returned, 0.0
        return returned, between(self._points[kind], self._ended)


def between(points: Points, observations: int) -> float:
    """Linear interpolation; before the first, after the last point, and from 0 on as there.

    >>> [between([(0, 0.5), (10, 1.0), (50, 5.0)], n) for n in (0, 9, 10, 30, 99)]
    [0.5, 0.5, 1.0, 3.0, 5.0]
    """
    after = bisect_right(points, (observations, float("inf")))
    if after == 0:
        return points[0][1]
    if after == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[after - 1], points[after]
    if left == 0:
        return low
    return low + (high - low) * (observations - left) / (right - left)


@cache
def latencies() -> dict[str, tuple[Points, Points]]:
    """The measured seconds of suggestions and observations of each algorithm."""
    found: dict[str, tuple[Points, Points]] = {}
    try:
        with LATENCIES.open(newline="") as file:
            for row in csv.DictReader(file):
                for name in [row["algorithm"], *row["also"].split()]:
                    suggesting, observing = found.setdefault(name, ([], []))
                    observations = int(row["observations"])
                    suggesting.append((observations, float(row["suggest_median_ms"]) / 1000))
                    observing.append((observations, float(row["observe_median_ms"]) / 1000))
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{LATENCIES}: cannot be read: {error}") from None
    for suggesting, observing in found.values():
        suggesting.sort()
        observing.sort()
    return found
