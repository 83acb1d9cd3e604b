"""What is compared of a search, read off its events."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cell import Cell

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """How a search went: its incumbent as a step function of seconds."""

    seconds: Array
    """When each result arrived, ascending."""
    incumbent: Array
    """The best loss from then on."""
    end: float
    """When the search was over, in seconds."""
    utilisation: float
    """GPU-seconds training / GPU-seconds held."""

    def reaches(self, target: float) -> float:
        """Seconds until the incumbent is at most the target; infinite if it never is."""
        hits = np.flatnonzero(self.incumbent <= target)
        return float(self.seconds[hits[0]]) if len(hits) else np.inf


def course(cell: Cell, events: list[dict[str, Any]], end: float) -> Course:
    """Of a cell's events, at least one of them a result."""
    reports = [event for event in events if event["event"] == "report"]
    training = sum(float(event["step_seconds"]) for event in reports)
    return Course(
        seconds=np.maximum.accumulate([float(event["seconds"]) for event in reports]),
        incumbent=np.minimum.accumulate([float(event["loss"]) for event in reports]),
        end=end,
        utilisation=training * cell.gpus_per_trial / (cell.gpus * end),
    )


def relative_error(real: float, virtual: float) -> float:
    """(virtual - real) / real; infinite if one never came, nothing (NaN) if both did not.

    >>> relative_error(10.0, 12.0), relative_error(10.0, float("inf"))
    (0.2, inf)
    """
    if np.isinf(real) and np.isinf(virtual):
        return np.nan
    return float("inf") if np.isinf(real) or np.isinf(virtual) else (virtual - real) / real


def area_between(real: Course, virtual: Course, best: float) -> float:
    """∫ |virtual - real| dt / ∫ (real - best) dt of the two incumbents.

    From when both have a result until the first of the two searches is over: the area between the
    two regret curves, as a share of that under the real one. `best` is the least loss known.

    >>> one = Course(np.array([1.0, 3.0]), np.array([2.0, 1.0]), 5.0, 1.0)
    >>> two = Course(np.array([1.0, 2.0]), np.array([2.0, 1.0]), 5.0, 1.0)
    >>> area_between(one, two, best=0.0)  # 1 s of |1 - 2|, of 2 s · 2 + 2 s · 1
    0.16666666666666666
    """
    begin = max(real.seconds[0], virtual.seconds[0])
    end = min(real.end, virtual.end)
    times = np.unique([begin, *real.seconds, *virtual.seconds, end])
    times = times[(times >= begin) & (times <= end)]
    if len(times) < 2:
        return np.nan
    lengths = np.diff(times)
    of_real, of_virtual = (_at(each, times[:-1]) for each in (real, virtual))
    under = float(((of_real - best) * lengths).sum())
    return float((np.abs(of_virtual - of_real) * lengths).sum()) / under if under > 0 else np.nan


def _at(course: Course, times: Array) -> Array:
    index = np.searchsorted(course.seconds, times, side="right") - 1
    return course.incumbent[index]
