"""Normalised regret: how good at each moment, on all objectives together."""

from typing import TYPE_CHECKING

import pandas as pd

from bench.metrics import _anytime as anytime
from bench.metrics import _bootstrap as bootstrap
from bench.metrics._reference import units
from bench.metrics._table import Table, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = anytime.FIGURES
READING = (
    "Lower is better: 0 is the best loss known of each objective, 1 what the first trial of random "
    "search finds. The interquartile mean leaves out the best and the worst quarter of searches."
)
COLUMNS = [*anytime.COLUMNS, "unit_from"]


def compute(table: Table) -> pd.DataFrame:
    """Interquartile mean (`value`) over `n` searches of all objectives at points x, with interval.

    Normalised regret is (incumbent − best loss known) / (median first trial of random − best).
    A search that has no result, yet or any more because it failed, counts as the worst loss.
    """
    sources = {name: f"1 is {source}" for name, (_, source) in units(table).items()}
    rows = []
    for panel in anytime.panels(table):
        said = "; ".join(sorted({sources[str(each)] for each in panel.cells["objective"]}))
        for named, of in groups(panel.cells, ["algorithm"]):
            values = panel.regret[panel.cells.index.get_indexer(of.index)]
            estimate = bootstrap.iqm(values, anytime.strata(of["objective"]))
            rows.append(panel.rows(named["algorithm"], 0, estimate, len(of)).assign(unit_from=said))
    return table.frame(pd.concat(rows, ignore_index=True) if rows else [], COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """What counts as 1."""
    return [f"Normalised regret: {each}; 0 the best known." for each in frame["unit_from"].unique()]


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each GPU count."""
    top = min(2.0, max(0.01, 1.05 * float(frame["value"].max())))

    def scale(axes: "Axes") -> None:
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.3)
        axes.set_ylim(0, top)

    return anytime.draw(
        frame, "Normalised regret", "normalised regret",
        ["interquartile mean", f"0: best known; {frame['unit_from'].iloc[0]}; linear below 0.01"],
        scale,
    )  # fmt: skip
