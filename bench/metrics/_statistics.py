"""Medians over seeds with percentile bootstrap intervals, also of censored times.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. The resamples depend on
the sample's size alone: the same table gives the same numbers, everywhere and in any order.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.seeds import derive

LEVEL = 0.95
RESAMPLES = 2000

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A median and its bootstrap interval; NaN bounds where one value cannot give any."""

    median: Floats
    low: Floats
    high: Floats


@cache
def resamples(n: int) -> NDArray[np.int64]:
    """Ranks of resampled values, ascending within each resample: (RESAMPLES, n), in [0, n)."""
    generator = np.random.default_rng(derive("bootstrap", "median", n))
    return np.sort(generator.integers(n, size=(RESAMPLES, n)), axis=1)


def median(values: ArrayLike) -> Interval:
    """Median over the first axis (seeds) with its interval; values may be infinite, not NaN.

    A resample's median is the mean of two of the sorted values, so that only their ranks are
    resampled, once for all columns.
    """
    ordered = np.sort(np.asarray(values, dtype=float), axis=0)
    n = len(ordered)
    if n == 0:
        return _nothing(ordered.shape[1:])
    lower, upper = (n - 1) // 2, n // 2
    ranks = resamples(n)
    drawn = (ordered[ranks[:, lower]] + ordered[ranks[:, upper]]) / 2
    return _interval((ordered[lower] + ordered[upper]) / 2, drawn, n)


def share(parts: ArrayLike, wholes: ArrayLike) -> Interval:
    """What share of all wholes the parts are, and its interval: (n,) of each, resampled together.

    A ratio of sums, so that the shares of several parts add up; NaN where there is no whole.
    """
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    if not whole.sum() > 0:
        return _nothing(())
    drawn = resamples(len(whole))
    held = whole[drawn].sum(axis=1)
    some = held > 0
    return _interval(
        part.sum() / whole.sum(), part[drawn].sum(axis=1)[some] / held[some], len(whole)
    )


def survival_median(times: ArrayLike, reached: ArrayLike) -> Floats:
    """Kaplan-Meier median over the last axis: when half have reached; infinite if they did not.

    `times` (..., n) is when each reached it or, where not `reached`, when watching it ended.
    Where the curve is exactly 1/2 for a while, the middle of that while, as for any median.
    Kaplan and Meier, J. Am. Stat. Assoc. 53 (1958) 457.
    """
    time, hit = np.asarray(times, dtype=float), np.asarray(reached, dtype=bool)
    order = np.lexsort((~hit, time), axis=-1)  # at equal times the reached come first
    time, hit = (np.take_along_axis(each, order, axis=-1) for each in (time, hit))
    at_risk = np.arange(time.shape[-1], 0, -1)
    surviving = np.cumprod(1 - hit / at_risk, axis=-1)
    first, after = (
        np.min(np.where(hit & (surviving < bound), time, np.inf), axis=-1, initial=np.inf)
        for bound in (0.5 + 1e-9, 0.5 - 1e-9)
    )
    return (first + after) / 2


def survival(times: ArrayLike, reached: ArrayLike) -> Interval:
    """`survival_median` of (n,) censored times with its interval, whose ends may be infinite."""
    time, hit = np.asarray(times, dtype=float), np.asarray(reached, dtype=bool)
    if len(time) == 0:
        return _nothing(())
    drawn = resamples(len(time))
    return _interval(
        survival_median(time, hit), survival_median(time[drawn], hit[drawn]), len(time)
    )


def _nothing(shape: tuple[int, ...]) -> Interval:
    return Interval(*(np.full(shape, np.nan) for _ in range(3)))


def _interval(middle: Floats, drawn: Floats, n: int) -> Interval:
    if n == 1:
        return Interval(middle, *_nothing(np.shape(middle))[1:])
    tail = (1 - LEVEL) / 2
    low = np.quantile(drawn, tail, axis=0, method="lower")  # no mean of finite and infinite
    high = np.quantile(drawn, 1 - tail, axis=0, method="higher")
    return Interval(middle, low, high)


def coverage(n: int) -> float:
    """How often the range of n values holds the true median: 1 - 2**(1-n), less than LEVEL if n<6.

    The bootstrap interval of a median is never wider than that range.
    """
    return 1 - 2.0 ** (1 - n)
