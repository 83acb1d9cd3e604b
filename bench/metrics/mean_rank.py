"""Mean rank over time: who is ahead at each moment, whatever the losses are."""

from typing import TYPE_CHECKING

import pandas as pd
from numpy.typing import NDArray

from bench.metrics import _anytime as anytime
from bench.metrics import _bootstrap as bootstrap
from bench.metrics._table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = anytime.FIGURES
READING = (
    "Lower is better: 1 means the best of all algorithms, on each objective and with each seed. "
    "Where bands overlap, do not pick a winner."
)
COLUMNS = anytime.COLUMNS


def compute(table: Table) -> pd.DataFrame:
    """Mean rank (`value`) of the incumbents at points x over `n` (objective, seed), with interval.

    Ranked are the algorithms of each (objective, seed) that all of them searched at this GPU
    count; equals share the mean of their ranks. `left_out` counts the other searches. One without
    a result, yet or any more, has the worst loss and so the last rank.
    """
    rows = []
    for panel in anytime.panels(table):
        together = anytime.blocks(panel.cells)
        if together.empty or together.shape[1] < 2:
            continue
        positions = together.to_numpy(int)
        ranks = ranked(panel.regret[positions])
        sizes = anytime.strata(together.index.get_level_values("objective"))
        for index, name in enumerate(together.columns):
            estimate = bootstrap.mean(ranks[:, index], sizes)
            left_out = len(panel.cells) - positions.size
            rows.append(panel.rows(name, left_out, estimate, len(together)))
    return table.frame(pd.concat(rows, ignore_index=True) if rows else [], COLUMNS)


def ranked(values: NDArray) -> NDArray:
    """Ranks over the second axis, from 1; equal values share the mean of theirs."""
    from scipy.stats import rankdata

    return rankdata(values, axis=1)


def notes(frame: pd.DataFrame) -> list[str]:
    """Nothing that the figure does not say."""
    return []


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each GPU count."""
    top = frame["algorithm"].nunique() / frame["clock"].nunique()

    def scale(axes: "Axes") -> None:
        axes.set_ylim(0.9, max(top, frame["value"].max()) + 0.1)

    return anytime.draw(frame, "Mean rank", "mean rank", ["mean"], scale)
