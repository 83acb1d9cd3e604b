"""The summary: what each algorithm found, at what cost, on each GPU count."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import FIGURE, GROUP, Table, groups
from bench.metrics._target import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = "Lower is better: the best loss that a search has found when its budget is spent."
MEDIANS = {
    "final_accuracy": "accuracy",
    "trials": "trials",
    "steps": "steps",
    "wall": "wall_seconds",
    "utilisation": "utilisation",
    "optimiser_share": "optimiser_share",
}
COLUMNS = [
    *[*GROUP, "n", "complete", "final_loss", "low", "high", *MEDIANS.values()],
    *["seconds_to_target", "reached_target", "failed_trials"],
]


def compute(table: Table) -> pd.DataFrame:
    """Medians over the `complete` ones of the `n` cells; time to target and failures over all.

    `accuracy` is the incumbent's; `optimiser_share` is the part of the wall seconds spent in
    suggesting, deciding and observing; `seconds_to_target` is as in the metric `target`, infinite
    where its median is not reached; `failed_trials` is the sum over the cells.
    """
    rows: list[dict[str, Any]] = []
    for group, cells in groups(times(table), GROUP):
        done = cells[cells["complete"]]
        loss = statistics.median(done["final_loss"].dropna())
        reached = statistics.survival(cells["target_seconds"], cells["reached"])
        rows.append(
            {
                **group,
                "n": len(cells),
                "complete": len(done),
                "final_loss": float(loss.median),
                "low": float(loss.low),
                "high": float(loss.high),
                **{new: done[old].median() for old, new in MEDIANS.items()},
                "seconds_to_target": float(reached.median),
                "reached_target": int(cells["reached"].sum()),
                "failed_trials": int(cells["failed_trials"].sum()),
            }
        )
    return table.frame(rows, COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """What small numbers of seeds allow."""
    counts = frame.loc[frame["complete"] > 0, "complete"]
    if counts.empty or counts.min() >= 6:
        return []
    least = int(counts.min())
    if least == 1:
        return ["There is a row with a single complete cell: it has no interval."]
    return [
        f"Few seeds: the bootstrap interval of a median is never wider than the range of its "
        f"values, and the range of n = {least} holds the true median in only "
        f"{statistics.coverage(least):.0%} of cases (6 seeds are needed for 95 %)."
    ]


def draw(frame: pd.DataFrame) -> "Figure":
    """Final loss against GPU count, the algorithms side by side."""
    from bench.metrics import _style as style

    made, (axes,) = style.figure(1, sharey=False)
    style.points(axes, frame, "final_loss", "low", "high")
    style.gpu_axis(axes, frame)
    axes.set_ylabel("final loss of the incumbent")
    missing, total = int((frame["n"] - frame["complete"]).sum()), frame["n"].sum()
    left_out = [f"left out: {missing} of {total} searches, which failed"] if missing else []
    caption = [style.seeds(frame["complete"]), *left_out]
    return style.finish(made, frame, "Final loss", caption)
