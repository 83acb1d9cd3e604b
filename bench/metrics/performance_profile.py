"""Performance profiles: how often an algorithm is within a factor of the fastest."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.metrics import _anytime as anytime
from bench.metrics import _bootstrap as bootstrap
from bench.metrics._table import ACROSS, ACROSS_SETTING, Table, groups, spanned
from bench.metrics._target import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = ACROSS
READING = (
    "Higher is better. At 1: how often the algorithm was the first to reach the target; at 4: how "
    "often it took at most four times as long as the first; at the right end: how often it did."
)
COLUMNS = anytime.COLUMNS


def compute(table: Table) -> pd.DataFrame:
    """The share (`value`) of `n` problems that are solved within x times the fastest's seconds.

    Dolan and Moré, Math. Program. 91 (2002) 201, equations 2.1 and 2.2: a problem is an (objective,
    seed) that all algorithms searched at this GPU count, solved when the target (see the metric
    `target`) is reached. What was never reached has an infinite ratio, whoever else did.
    """
    rows = []
    for setting, cells in groups(times(table), ACROSS_SETTING):
        worst = 2.0
        made = []
        for counted, here in groups(cells, ["gpus"]):
            together = anytime.blocks(here)
            if together.empty or together.shape[1] < 2:
                continue
            positions = together.to_numpy(int)
            seconds = here["target_seconds"].where(here["reached"], np.inf).to_numpy(float)
            ratio = ratios(seconds[positions])
            worst = max(worst, np.max(ratio, where=np.isfinite(ratio), initial=1.0))
            fixed = {**setting, **spanned(here), **counted, "axis": "ratio"}
            fixed["objectives"] = here["objective"].nunique()
            made.append((fixed, here, together, ratio))
        x = np.geomspace(1, worst, anytime.POINTS)
        for fixed, here, together, ratio in made:
            panel = anytime.Panel(fixed, here, x, ratio)
            sizes = anytime.strata(together.index.get_level_values("objective"))
            for index, name in enumerate(together.columns):
                within = (ratio[:, index, None] <= x * (1 + 1e-9)).astype(float)
                left_out = len(here) - ratio.size
                estimate = bootstrap.mean(within, sizes)
                rows.append(panel.rows(name, left_out, estimate, len(together)))
    return table.frame(pd.concat(rows, ignore_index=True) if rows else [], COLUMNS)


def ratios(seconds: np.ndarray) -> np.ndarray:
    """Each of (problems, algorithms) over the least of its problem; infinite where not reached.

    >>> ratios(np.array([[2.0, 6.0, np.inf], [np.inf, np.inf, np.inf]])).tolist()
    [[1.0, 3.0, inf], [inf, inf, inf]]
    """
    least = seconds.min(axis=1, keepdims=True)
    both = np.maximum(seconds, 1e-9), np.maximum(least, 1e-9)  # at once: all are as fast
    return np.where(
        np.isfinite(seconds), both[0] / np.where(np.isfinite(least), both[1], 1), np.inf
    )


def notes(frame: pd.DataFrame) -> list[str]:
    """Nothing that the figure does not say."""
    return []


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each GPU count."""
    return anytime.draw(
        frame, "Performance profile", "share of problems solved",
        ["share", "a problem: to reach the target, one objective with one seed"],
        anytime.share_axis,
    )  # fmt: skip
