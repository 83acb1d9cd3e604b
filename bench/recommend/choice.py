"""Which point is best, how sure that is, and between which nobody can tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from bench.metrics import _bootstrap as bootstrap
from bench.metrics import _paired as paired
from bench.metrics._statistics import RESAMPLES, Floats
from bench.recommend.points import Option, Point, rounded
from bench.seeds import derive


@dataclass(frozen=True)
class Rival:
    """The best point of another option, beside the best of all.

    Differences are the rival's less the best's, of `what`: "loss", "misses" of the target or, where
    neither ever missed it, "GPU-hours" to it.
    """

    point: Point
    chance: float
    """That one of the option's points is the best."""
    what: str
    difference: float
    low: float
    high: float
    pairs: int
    """Seeds that both have."""
    more_seeds: float
    """How many more would probably show the difference; 0: it is shown, infinite: there is none."""

    equal: bool
    """Both have the same seeds, and on each the same."""

    @property
    def cannot_tell(self) -> bool:
        return self.more_seeds > 0


def ordered(found: Sequence[Point]) -> list[Point]:
    """Cheaper ones first."""
    return sorted(found, key=lambda p: (rounded(p.gpu_hours), rounded(p.seconds), str(p.option)))


def front(found: Sequence[Point]) -> list[Point]:
    """The points that no other beats or equals in wall time, GPU-hours and score at once.

    Of equal ones the first is kept.
    """
    costs = np.array([[rounded(p.seconds), *p.order[:2]] for p in found])
    kept = []
    for index, mine in enumerate(costs):
        as_good = (costs <= mine).all(axis=1)
        better = as_good & (costs < mine).any(axis=1)
        if not better.any() and not as_good[:index].any():
            kept.append(found[index])
    return kept


@cache
def _weights(seed: int) -> Floats:
    generator = np.random.default_rng(derive("bootstrap", "bayesian", seed))
    return generator.exponential(size=RESAMPLES)


def weights(seeds: Sequence[int]) -> Floats:
    """(RESAMPLES, seeds) of the Bayesian bootstrap: Rubin, Ann. Stat. 9 (1981) 130.

    A seed's weights are its own, so that searches of one seed are resampled together, also where
    options have different seeds; normalised, they are Dirichlet's for each set of seeds.
    """
    weighted = np.stack([_weights(seed) for seed in seeds], axis=1)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def referenced(found: Sequence[Point]) -> list[Point]:
    """The points, those with fewer seeds than others paired with one that has the most.

    Only losses are: misses of a target are counted as they are.
    """
    most = max(len(point.option.seeds) for point in found)
    by = min((p for p in found if len(p.option.seeds) == most), key=lambda point: point.order)
    return [
        replace(p, reference=by)
        if p.scores is p.losses and set(p.option.seeds) < set(by.option.seeds)
        else p
        for p in found
    ]


def drawn(point: Point) -> Floats:
    """The resampled scores."""
    scores = weights(point.option.seeds) @ point.scores
    if (of := point.reference) is not None:
        shared = weights(np.array(of.option.seeds)[point.shared].tolist())
        scores += weights(of.option.seeds) @ of.scores - shared @ of.scores[point.shared]
    return np.asarray(scores)


def interval(point: Point) -> tuple[float, float]:
    """Of the score; none without two seeds."""
    if len(point.option.seeds) < 2:
        return np.nan, np.nan
    low, high = bootstrap.interval(drawn(point))
    return float(low), float(high)


def chances(found: Sequence[Point]) -> Floats:
    """The share of resamples in which each point is the best, by `Point.order`; they add up to 1.

    `found` must be ordered.
    """
    scores = rounded(np.stack([drawn(p) for p in found], axis=1))
    costs = rounded(np.stack([weights(p.option.seeds) @ p.costs for p in found], axis=1))
    costs = np.where(scores == scores.min(axis=1, keepdims=True), costs, np.inf)
    return np.bincount(costs.argmin(axis=1), minlength=len(found)) / RESAMPLES


def rivals(found: Sequence[Point], chance: Floats, best: Point) -> list[Rival]:
    """Every other option against the best point, the likeliest first."""
    by_option: dict[Option, list[int]] = {}
    for index, point in enumerate(found):
        by_option.setdefault(point.option, []).append(index)
    against = []
    for option, indices in by_option.items():
        if option is not best.option:
            other = min((found[index] for index in indices), key=lambda point: point.order)
            against.append(_rival(best, other, float(chance[indices].sum())))
    return sorted(against, key=lambda each: (-each.chance, each.point.order))


def _rival(best: Point, other: Point, chance: float) -> Rival:
    """Shown is what the interval of the difference says, and enough pairs to say anything."""
    targeted = best.scores is not best.losses
    same = targeted and not (best.scores.any() or other.scores.any())
    mine, others = (p.costs if same else p.scores for p in (best, other))
    resampled = drawn(other) - drawn(best)
    if same:
        resampled = weights(other.option.seeds) @ others - weights(best.option.seeds) @ mine
    low, high = map(float, bootstrap.interval(resampled))
    common, own, its = np.intersect1d(best.option.seeds, other.option.seeds, return_indices=True)
    pairs, d = len(common), others[its] - mine[own]
    shown = low > 0 and pairs >= paired.least_pairs(paired.ALPHA)
    equal = pairs == len(others) == len(mine) and not rounded(d).any()
    needed = float(paired.least_pairs(paired.ALPHA))
    if pairs:
        needed = paired.pairs_needed(paired.walsh(d)[1], pairs, paired.ALPHA) if d.any() else np.inf
    return Rival(
        point=other,
        chance=chance,
        what="GPU-hours" if same else "misses" if targeted else "loss",
        difference=float(others.mean() - mine.mean()) if same else other.score - best.score,
        low=low,
        high=high,
        pairs=pairs,
        equal=equal,
        more_seeds=0.0 if shown or equal else max(needed - pairs, 1.0),
    )
