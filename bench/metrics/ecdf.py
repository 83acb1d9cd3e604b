"""Targets reached: the share of (objective, target) pairs that were reached by each moment."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.metrics import _anytime as anytime
from bench.metrics import _bootstrap as bootstrap
from bench.metrics._table import Table, groups

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = anytime.FIGURES
READING = (
    "Higher is better: the share of all targets, from easy to hard, that a search has reached by "
    "then; the further left a curve rises, the sooner."
)
TARGETS = np.logspace(0, -3, 51)
"""Of normalised regret. COCO has 51 as well, 10^2 to 10^-8 above the optimum, where that is known
and functions can be had for nothing."""
COLUMNS = anytime.COLUMNS


def compute(table: Table) -> pd.DataFrame:
    """The share (`value`) at points x of (objective, target) pairs reached, over `n` searches.

    The empirical distribution of runtimes of Hansen et al., COCO: Performance Assessment (2016),
    arXiv:1605.03560, section 5, without simulated restarts: what a search did not reach before
    its end it did not reach. Objectives weigh by their searches. A search that failed has reached
    nothing from then on.
    """
    rows = []
    for panel in anytime.panels(table):
        shares = reached(panel.regret)
        for named, of in groups(panel.cells, ["algorithm"]):
            values = shares[panel.cells.index.get_indexer(of.index)]
            estimate = bootstrap.mean(values, anytime.strata(of["objective"]))
            rows.append(panel.rows(named["algorithm"], 0, estimate, len(of)))
    return table.frame(pd.concat(rows, ignore_index=True) if rows else [], COLUMNS)


def reached(regret: np.ndarray) -> np.ndarray:
    """The share of TARGETS that are at least the regret.

    >>> reached(np.array([2.0, 1.0, 0.001])).round(3).tolist()
    [0.0, 0.02, 1.0]
    """
    ascending = np.sort(TARGETS) * (1 + 1e-9)  # 1 and what is 1 but for rounding are reached
    return 1 - np.searchsorted(ascending, regret, side="left") / len(TARGETS)


def notes(frame: pd.DataFrame) -> list[str]:
    """Nothing that the figure does not say."""
    return []


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each GPU count."""
    return anytime.draw(
        frame, "Targets reached", "share of (objective, target)",
        ["mean", f"{len(TARGETS)} targets of normalised regret, 1 to 0.001; no simulated restarts"],
        anytime.share_axis,
    )  # fmt: skip
