"""Paired comparisons: a test, an effect size, and what so many pairs could have shown.

Differences d are the other's loss minus the first's, pair by pair: positive where the first is
better.
"""

import numpy as np
from numpy.typing import ArrayLike

from bench.metrics import _bootstrap as bootstrap
from bench.metrics._statistics import LEVEL, Floats

ALPHA = 1 - LEVEL
POWER = 0.8
"""The chance of showing a difference that is there, for what is said about seeds."""
EFFICIENCY = 3 / np.pi
"""Pairs that a t-test needs for the signed-rank test's one, if differences are normal: Hodges and
Lehmann, Ann. Math. Stat. 27 (1956) 324."""


def signed_rank(differences: ArrayLike) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; 1 where there is no difference at all.

    Zeros are ranked, without a sign (Pratt, J. Am. Stat. Assoc. 54 (1959) 655). Exact to 50 pairs
    without ties and to 13 with; else the normal approximation.
    """
    from scipy.stats import wilcoxon

    d = np.asarray(differences, dtype=float)
    return float(wilcoxon(d, zero_method="pratt").pvalue) if d.any() else 1.0


def walsh(differences: ArrayLike) -> tuple[float, float]:
    """The median of the Walsh averages (d_i + d_j)/2, i ≤ j, and the share that is positive.

    The first is the Hodges-Lehmann estimate of the difference (Ann. Math. Stat. 34 (1963) 598); the
    second, where a zero counts half, is the signed-rank statistic over its maximum.
    """
    d = np.asarray(differences, dtype=float)
    upper = np.triu_indices(len(d))
    averages = (d[upper[0]] + d[upper[1]]) / 2
    return float(np.median(averages)), float(np.mean((np.sign(averages) + 1) / 2))


def superiority(wins: list[Floats]) -> tuple[float, float, float]:
    """A12 = P(first better) + P(equal)/2 of two searches, with its bootstrap interval.

    Vargha and Delaney, J. Educ. Behav. Stat. 25 (2000) 101; Cliff's delta is 2·A12 − 1. For each
    objective, `wins` has the (seed, seed) matrix of 1, 1/2 and 0 (NaN: no such two searches), of
    the first's seed in rows; objectives weigh the same. The seeds of an objective are resampled
    together for both, as they are paired; without two seeds there is no interval.
    """
    sizes = tuple(len(each) for each in wins)
    drawn = np.split(bootstrap.counts(sizes), np.cumsum(sizes)[:-1], axis=1)
    resampled = []
    for matrix, weights in zip(wins, drawn, strict=True):
        there = np.isfinite(matrix)
        total = np.einsum("ri,ij,rj->r", weights, np.where(there, matrix, 0.0), weights)
        resampled.append(total / np.einsum("ri,ij,rj->r", weights, there, weights))
    middle = float(np.mean([np.nanmean(each) for each in wins]))
    if max(sizes) < 2:
        return middle, np.nan, np.nan
    low, high = bootstrap.interval(np.mean(resampled, axis=0))
    return middle, float(low), float(high)


def least_pairs(alpha: float) -> int:
    """The fewest pairs whose p can be alpha or less: all n of one sign have p = 2^(1−n).

    >>> least_pairs(0.05)
    6
    """
    return 1 + int(np.ceil(-np.log2(alpha)))


def least_difference(pairs: int, alpha: float) -> float:
    """The mean difference, in standard deviations, that so many pairs show with chance POWER.

    By the t-test's power at EFFICIENCY times the pairs; infinite where no p can be alpha or less.
    """
    if pairs < least_pairs(alpha):
        return np.inf
    return _solve(nobs=pairs * EFFICIENCY, alpha=alpha)


def pairs_needed(share: float, pairs: int, alpha: float) -> float:
    """Pairs that would show, with chance POWER, the difference that `pairs` pairs had.

    `share` is the share of positive Walsh averages; for normal differences it is Φ(√2·d), d being
    the mean in standard deviations. Infinite if it is 1/2; a share of 0 or 1 counts as half a
    Walsh average less extreme.
    """
    from scipy.stats import norm

    margin = 1 / (pairs * (pairs + 1))
    d = abs(norm.ppf(np.clip(share, margin, 1 - margin))) / np.sqrt(2)
    if d < 1e-3:
        return np.inf
    needed = np.ceil(_solve(effect_size=d, alpha=alpha) / EFFICIENCY)
    return float(max(needed, least_pairs(alpha)))


def _solve(**known: float) -> float:
    from statsmodels.stats.power import TTestPower

    return float(np.squeeze(TTestPower().solve_power(**known, power=POWER)))
