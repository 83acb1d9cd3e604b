"""Normal scores: each column of a table as ranks on the scale of a normal distribution."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TINY = 1e-9
"""Of two scores that must differ: by how much at least."""
TAIL = 0.05
"""The share of the least losses that says how fast losses fall."""
REACH = 1.0
"""By how much a score may be below that of the least loss; those beyond it count as there."""
GRID = 2048
"""Scores for which a column's value is known at once; others lie between two of them."""


class Scores:
    """Columns by van der Waerden's scores, Φ⁻¹((rank - ½) / n), and back.

    Whatever a column's distribution, its scores are normal; values that tie share the score in
    their middle. Back, between two scores lies what is between their values; around the score of
    several that tie, halfway to the next ones, is their value. Beyond the greatest there is
    nothing, nor beyond the least, but for the first `losses` columns: they fall on for a score of
    REACH as they did over the least TAIL of their values, on a logarithmic scale if all are
    positive. Otherwise all that search well would end with the same loss.

    >>> scores = Scores(np.array([[3.0], [1.0], [2.0]]))
    >>> scores.there.round(2).ravel().tolist()
    [0.97, -0.97, 0.0]
    >>> [scores.back(np.array([score])).round(2).item() for score in (-9.0, 0.0, 0.5)]
    [1.0, 2.0, 2.52]
    """

    def __init__(self, values: Array, losses: int = 0) -> None:
        from scipy.stats import norm, rankdata

        self._columns = np.arange(values.shape[1])
        self.there: Array = norm.ppf((rankdata(values, axis=0) - 0.5) / len(values))
        """(n, columns)."""
        self._most = max(float(np.abs(self.there).max()), TINY) + REACH
        grid = np.linspace(-self._most, self._most, GRID)
        corners = [_steps(*column) for column in zip(values.T, self.there.T, strict=True)]
        corners[:losses] = [_falling(*each) for each in corners[:losses]]
        self._table = np.array([np.interp(grid, *each) for each in corners])

    def back(self, scores: Array) -> Array:
        """The values, (…, columns), that have these scores."""
        places = (scores / self._most + 1) * ((GRID - 1) / 2)
        places = np.minimum(np.maximum(places, 0.0), GRID - 1.001)
        below = places.astype(np.intp)
        low, high = self._table[self._columns, below], self._table[self._columns, below + 1]
        values: Array = low + (high - low) * (places - below)
        return values


def _steps(values: Array, scores: Array) -> tuple[Array, Array]:
    """The corners, by score, of the function from scores back to values."""
    known, first, counts = np.unique(values, return_index=True, return_counts=True)
    at = scores[first]
    halfway = (at[1:] + at[:-1]) / 2
    alone = counts == 1
    lows = np.where(alone, at, np.concatenate([at[:1], halfway + TINY]))
    highs = np.where(alone, at, np.concatenate([halfway, at[-1:]]))
    return np.stack([lows, highs], axis=1).ravel(), np.repeat(known, 2)


def _falling(scores: Array, values: Array) -> tuple[Array, Array]:
    """The same corners, and one before the first."""
    from scipy.stats import norm

    along = np.log(values) if values[0] > 0 else values
    above = max(float(norm.ppf(TAIL)), scores[0] + TINY)
    slope = (np.interp(above, scores, along) - along[0]) / (above - scores[0])
    beyond = along[0] - slope * REACH
    first = np.exp(beyond) if values[0] > 0 else beyond
    return np.append(scores[0] - REACH, scores), np.append(first, values)
