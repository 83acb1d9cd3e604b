"""Incumbent curves on a common grid, and their median over seeds."""

from typing import Any

import numpy as np
import pandas as pd

from bench.metrics import _bootstrap as bootstrap
from bench.metrics import _statistics as statistics
from bench.metrics._statistics import Floats

POINTS = 200
"""Points on each axis, beside the ends of the curves."""

IQM = ["iqm", "iqm_low", "iqm_high"]
"""Columns of the interquartile mean and its interval."""


class Curve:
    """One cell's incumbent as a step function of one axis; it has at least one result."""

    def __init__(self, cell: Any, reports: pd.DataFrame, axis: str) -> None:
        scale = cell.gpus if axis == "gpu_seconds" else 1
        column = "seconds" if axis == "gpu_seconds" else axis
        last = cell.wall if column == "seconds" else reports[column].iloc[-1]
        self.x: Floats = reports[column].to_numpy(float) * scale
        self.incumbent: Floats = reports["incumbent"].to_numpy(float)
        self.end = float(last * scale)
        self.complete = bool(cell.complete)

    def at(self, grid: Floats) -> Floats:
        """The incumbent at each x: of the results that had arrived by then, the last."""
        index = np.searchsorted(self.x, grid, side="right") - 1
        values = np.where(index >= 0, self.incumbent[np.maximum(index, 0)], np.nan)
        return values if self.complete else np.where(grid > self.end, np.nan, values)


def common_grid(curves: list[Curve], axis: str) -> Floats:
    """Points x from the first result of any curve to the last end."""
    first = min(curve.x[0] for curve in curves)
    grid = np.linspace(first, max(curve.end for curve in curves), POINTS)
    return np.unique(np.round(grid) if axis in ("trials", "steps") else grid)


def middle_curve(curves: list[Curve], grid: Floats) -> pd.DataFrame:
    """Median and IQM of the incumbents at points x, with intervals, and the `n` curves seen there.

    From where all curves have a result to the last end.
    """
    begin, end = max(curve.x[0] for curve in curves), max(curve.end for curve in curves)
    x = np.unique([begin, *grid[(grid > begin) & (grid < end)], end])
    values = np.array([curve.at(x) for curve in curves])
    n = np.isfinite(values).sum(axis=0)
    parts = []
    for count in np.unique(n):  # where as many curves are seen, the same ones are
        here = values[:, n == count]
        seen = here[np.isfinite(here[:, 0])]
        columns = statistics.median(seen)._asdict()
        columns |= dict(zip(IQM, bootstrap.iqm(seen, (len(seen),)), strict=True))
        parts.append(pd.DataFrame({"x": x[n == count], **columns, "n": count}))
    return pd.concat(parts).sort_values("x")
