"""The target loss, and when each cell first reached it."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics._table import FIGURE, Table, groups

BASELINE = "random"
"""The algorithm whose median final loss, at the fewest GPUs, is the target."""


@lru_cache(maxsize=1)
def times(table: Table) -> pd.DataFrame:
    """The cells with `target`, `target_from`, `reached`, `target_seconds` and `target_trained`.

    `target_seconds` is when the incumbent first was at most the target; where it never was, the
    cell's end: its time is censored there. `target_trained` is the GPU-seconds trained by then.
    """
    targets = pd.DataFrame(
        [{**setting, **_target(cells)} for setting, cells in groups(table.cells, FIGURE)],
        columns=[*FIGURE, "target", "target_from"],
    )
    cells = table.cells.merge(targets, on=FIGURE, how="left", validate="many_to_one")
    keys = table.reports["key"].cat
    target = cells.set_index("key")["target"].reindex(keys.categories).to_numpy(float)
    hit = table.reports["incumbent"].to_numpy(float) <= target[keys.codes]
    hits = table.reports.loc[hit, ["key", "seconds", "trained"]]
    first = hits.groupby("key", observed=True)[["seconds", "trained"]].first()
    seconds, trained = (cells["key"].map(first[column]) for column in first.columns)
    return cells.assign(
        reached=seconds.notna(),
        target_seconds=seconds.fillna(cells["wall"]),
        target_trained=trained.fillna(cells["trained_gpu_seconds"]),
    )


def _target(cells: pd.DataFrame) -> dict[str, Any]:
    """The target of the cells of one figure, and a sentence's part that says what it is.

    Where some cells ran for real, it is theirs.
    """
    real = cells[cells["clock"] != "virtual"]
    cells, clock = (cells, ", virtual") if real.empty else (real, "")
    baseline = cells[cells["algorithm_name"] == BASELINE]
    found = baseline[baseline["complete"]]
    who = BASELINE
    if found.empty:
        found = cells[cells["complete"]]
        missing = "is not in the suite" if baseline.empty else "has no complete cell"
        who = f"all algorithms ({BASELINE} {missing})"
    found = found[found["gpus"] == found["gpus"].min()]
    losses = found["final_loss"].dropna()
    if losses.empty:
        return {"target": np.nan, "target_from": "no complete cell to take it from"}
    return {
        "target": losses.median(),
        "target_from": f"the median final loss of {who} at gpus = {found['gpus'].min()}, "
        f"n = {len(losses)}{clock}",
    }
