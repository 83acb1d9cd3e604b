"""What losses are measured from: the best known, and, to compare objectives, in which unit."""

from functools import lru_cache

import numpy as np
import pandas as pd

from bench.metrics._table import Table
from bench.metrics._target import BASELINE


def references(table: Table) -> dict[str, tuple[float, str]]:
    """The best loss known for each objective, and where it is from."""
    found = {}
    for objective, cells in table.cells.groupby("objective", observed=True):
        best, optimum = cells["final_loss"].min(), cells["optimum"].min()
        if not np.isnan(optimum) and not best < optimum:
            found[str(objective)] = optimum, "the objective's known optimum"
        else:
            also = " (virtual, too)" if (cells["clock"] == "virtual").any() else ""
            found[str(objective)] = (
                best,
                f"the best loss in all journals{also} of this objective",
            )
    return found


def normalised_final(table: Table) -> pd.DataFrame:
    """The cells with `regret`: the normalised regret of their final loss.

    A search that is not complete counts as having found nothing: the objective's worst loss.
    Where no search of an objective has any result, all are equal.
    """
    cells = table.cells
    loss = cells["final_loss"].where(cells["complete"], cells["worst_loss"])
    regret = normalise(table, cells["objective"], loss)
    return cells.assign(regret=regret.fillna(regret.max()).fillna(0.0))


def normalise(
    table: Table, objectives: "pd.Series[str]", losses: "pd.Series[float]"
) -> "pd.Series[float]":
    """Losses as normalised regret: 0 at the best known, 1 at random search's first trial."""
    best = {objective: reference for objective, (reference, _) in references(table).items()}
    scale = {objective: unit for objective, (unit, _) in units(table).items()}
    names = objectives.astype(str)
    return (losses - names.map(best)) / names.map(scale)


@lru_cache(maxsize=1)
def units(table: Table) -> dict[str, tuple[float, str]]:
    """What normalised regret counts as 1 on each objective, above its reference, and its origin.

    It is the median, over the searches of random, of the best loss of the first trial, above the
    reference; where that is no more than the reference, losses stay as they are.
    """
    best, first = references(table), table.reports[table.reports["trial"] == 0]
    losses = table.cells["key"].map(first.groupby("key", observed=True)["loss"].min())
    found = {}
    for objective, cells in table.cells.assign(first=losses).groupby("objective", observed=True):
        known = cells[cells["first"].notna()]
        baseline = known[known["algorithm_name"] == BASELINE]
        who = BASELINE if len(baseline) else f"all algorithms ({BASELINE} has none)"
        unit = (known if baseline.empty else baseline)["first"].median() - best[str(objective)][0]
        if unit > 0:
            found[str(objective)] = float(unit), f"the median first trial of {who}"
        else:
            found[str(objective)] = 1.0, "one unit of loss: first trials are no worse than the best"
    return found
