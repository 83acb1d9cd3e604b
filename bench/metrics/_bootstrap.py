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
