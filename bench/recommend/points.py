"""What could be chosen, and what each choice gave: pure functions of a table of journals.

A search that is cut at some moment has what its incumbent was then: budgets only cut. So each
recorded search says what every smaller budget would have given, and nothing of a greater one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics._curves import Curve
from bench.metrics._statistics import Floats
from bench.metrics._table import groups

HALVINGS = 12
"""Of the greatest budget, as points; fewer where no search had a result by then."""


@dataclass(frozen=True)
class Question:
    """What may be spent; `target` is a loss, None: the least loss is wanted."""

    gpu_hours: float = np.inf
    seconds: float = np.inf
    target: float | None = None
    gpus: frozenset[int] | None = None
    """Only these counts; None: all that were recorded."""


@dataclass(frozen=True, eq=False)
class Option:
    """An algorithm on a number of GPUs: its searches, one for each seed."""

    algorithm: str
    gpus: int
    keys: tuple[str, ...]
    seeds: tuple[int, ...]
    curves: tuple[Curve | None, ...]
    """None: nothing was ever reported."""
    worst: float
    """What a search has that has no result yet, or has failed before."""
    end: float
    """Seconds that are recorded: of the complete searches, the least."""
    max_steps: int

    def __str__(self) -> str:
        return f"{self.algorithm} on {self.gpus}"

    def losses(self, seconds: Floats) -> Floats:
        """The incumbents (seeds, points) at each moment."""
        found = np.full((len(self.seeds), len(seconds)), np.nan)
        for row, curve in zip(found, self.curves, strict=True):
            row[:] = np.nan if curve is None else curve.at(seconds)
        return np.where(np.isnan(found), self.worst, found)

    def trainings(self, seconds: Floats) -> float:
        """Full trainings' worth of steps that had been spent; mean over seeds, each at its own."""
        pairs = zip(self.curves, seconds, strict=True)
        steps = [0 if c is None else np.searchsorted(c.x, s, side="right") for c, s in pairs]
        return float(np.mean(steps)) / self.max_steps

    def first_below(self, target: float) -> Floats:
        """When each seed's incumbent first was at most the target; infinite if it never was."""
        found = []
        for curve in self.curves:
            hits = np.array([]) if curve is None else curve.x[curve.incumbent <= target]
            found.append(hits.min(initial=np.inf))
        return np.array(found)

    @cached_property
    def first_result(self) -> float:
        return min((curve.x[0] for curve in self.curves if curve is not None), default=np.inf)

    def allowed(self, question: Question) -> float:
        """Seconds that the question leaves it."""
        return min(question.seconds, question.gpu_hours * 3600 / self.gpus)


@dataclass(frozen=True, eq=False)
class Point:
    """An option with a budget; a row for each seed in `scores` and `costs`."""

    option: Option
    cut: float
    """Seconds after which it is ended, if not before."""
    spent: Floats
    """Seconds: the cut, or until the target was reached."""
    scores: Floats
    """Losses; with a target, 1 where it was not reached, else 0."""
    losses: Floats
    reference: "Point | None" = None
    """The best point of an option with more seeds, which says what the seeds missing here are."""

    @property
    def seconds(self) -> float:
        return float(self.spent.mean())

    @property
    def costs(self) -> Floats:
        """GPU-hours."""
        return self.spent * self.option.gpus / 3600

    @property
    def gpu_hours(self) -> float:
        return float(self.costs.mean())

    @cached_property
    def score(self) -> float:
        """Expected loss, or the share that misses the target.

        With a reference, the mean plus what its own mean is more over all of its seeds than over
        those that both have: the difference estimator (Cochran, Sampling Techniques, 3rd ed. 1977,
        section 7.3, b = 1). The difference to the reference is thus that of the pairs.
        """
        of = self.reference
        more = 0.0 if of is None else of.scores.mean() - of.scores[self.shared].mean()
        return float(rounded(self.scores.mean() + more))

    @property
    def loss(self) -> float:
        """Expected, also where the score is another."""
        return self.score if self.scores is self.losses else float(self.losses.mean())

    @property
    def shared(self) -> NDArray[np.bool_]:
        """Which of the reference's seeds are this option's, too."""
        seeds = self.option.seeds if self.reference is None else self.reference.option.seeds
        return np.isin(seeds, self.option.seeds)

    @cached_property
    def order(self) -> tuple[float, float, float]:
        """The best is the least: expected loss (or misses), then GPU-hours, then wall time."""
        return self.score, rounded(self.gpu_hours), rounded(self.seconds)

    @property
    def trainings(self) -> float:
        return self.option.trainings(self.spent)


def rounded(value: Any) -> Any:
    """Without the last digits, which depend on the order of sums."""
    return np.round(value, 12)


def options(cells: pd.DataFrame, curves: Mapping[str, pd.DataFrame]) -> list[Option]:
    """The algorithms and counts of cells that agree in all else but their seeds.

    `curves` are each cell's reports, by its key.
    """
    found = []
    for names, members in groups(cells, ["algorithm", "gpus"]):
        members = members.sort_values("seed")  # noqa: PLW2901
        rows = list(members[["key", "gpus", "wall", "complete"]].itertuples())
        complete = members[members["complete"].astype(bool)]
        found.append(
            Option(
                algorithm=str(names["algorithm"]),
                gpus=int(names["gpus"]),
                keys=tuple(members["key"].astype(str)),
                seeds=tuple(members["seed"].astype(int)),
                curves=tuple(
                    Curve(row, curves[str(row.key)], "seconds") if str(row.key) in curves else None
                    for row in rows
                ),
                worst=float(members["worst_loss"].max()),
                end=float((members if complete.empty else complete)["wall"].min()),
                max_steps=int(members["max_steps"].iloc[0]),
            )
        )
    return found


def points(option: Option, question: Question) -> list[Point]:
    """What the option gave within the question's limits, as far as it is recorded.

    Without a target: at the limit and its halvings, and where the record ends before the limit.
    With one: a single point, each search being ended when it reaches the target.
    """
    allowed = option.allowed(question)
    last = min(allowed, option.end)
    if question.target is not None:
        reached = option.first_below(question.target)
        spent = np.minimum(reached, last)
        losses = np.diagonal(option.losses(spent))
        return [Point(option, last, spent, (reached > last).astype(float), losses)]
    base = allowed if np.isfinite(allowed) else last
    halves = base / 2.0 ** np.arange(HALVINGS + 1)
    cuts = np.unique([*halves[halves <= last], last])
    cuts = cuts[cuts >= option.first_result]
    n = len(option.seeds)
    return [
        Point(option, float(cut), np.full(n, cut), losses, losses)
        for cut, losses in zip(cuts, option.losses(cuts).T, strict=True)
    ]
