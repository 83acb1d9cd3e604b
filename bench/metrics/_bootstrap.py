"""Stratified bootstrap of means over runs: seeds are resampled within each stratum.

Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021,
section 4. As in `_statistics`, the resamples depend on the sizes alone.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from bench.metrics._statistics import LEVEL, RESAMPLES, Floats
from bench.seeds import derive


@cache
def counts(sizes: tuple[int, ...]) -> Floats:
    """How often each run is in each resample: (RESAMPLES, runs), runs in the order of strata."""
    parts = []
    for stratum, n in enumerate(sizes):
        generator = np.random.default_rng(derive("bootstrap", "stratum", stratum, n))
        parts.append(generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES))
    return np.concatenate(parts, axis=1).astype(float)


def interval(drawn: ArrayLike) -> tuple[Floats, Floats]:
    """The percentile interval of a statistic's resampled values, over the first axis."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.asarray(drawn, dtype=float), [tail, 1 - tail], axis=0)
    return low, high


def mean(values: Floats, sizes: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
    """Mean over the first axis (runs, by stratum) with its interval; none without two runs."""
    n = len(values)
    return _with_interval(values.mean(axis=0), counts(sizes) @ values / n, sizes)


def iqm(values: Floats, sizes: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
    """Interquartile mean over the first axis (runs, by stratum), with its interval.

    The mean of all runs of all strata but the least and the greatest quarter of them (rounded
    down, each), as Agarwal et al. define and rliable computes it. `values` is (runs, points).
    """
    n = len(values)
    cut = n // 4
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    drawn = np.empty((RESAMPLES, values.shape[1]))
    if len(sizes) == 1:  # runs are alike: their ranks are resampled, once for all points
        order = np.broadcast_to(np.arange(n)[:, None], values.shape)
    orders, which = np.unique(order, axis=1, return_inverse=True)
    for index, ranks in enumerate(orders.T):  # few: between two results the order is the same
        upto = np.cumsum(counts(sizes)[:, ranks], axis=1).clip(cut, n - cut)
        kept = np.diff(upto, axis=1, prepend=cut)
        columns = which.ravel() == index
        drawn[:, columns] = kept @ ordered[:, columns]
    return _with_interval(ordered[cut : n - cut].mean(axis=0), drawn / (n - 2 * cut), sizes)


def _with_interval(
    middle: Floats, drawn: Floats, sizes: tuple[int, ...]
) -> tuple[Floats, Floats, Floats]:
    if max(sizes) < 2:
        return middle, np.full(middle.shape, np.nan), np.full(middle.shape, np.nan)
    return middle, *interval(drawn)
