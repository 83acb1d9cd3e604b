"""Simple regret: the incumbent minus the best loss known, against four budgets."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.metrics._curves import IQM, Curve, common_grid, middle_curve
from bench.metrics._reference import references
from bench.metrics._table import FIGURE, GROUP, SETTING, Table, groups

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXES = ["trials", "steps", "seconds", "gpu_seconds"]
FIGURES = [*FIGURE, "axis"]
READING = (
    "Lower is better: of two curves the lower one found better configurations for the same x. "
    "A curve begins where every seed has its first result; it is faint where runs that failed "
    "are no longer counted. The legend has the best at the end first."
)
COLUMNS = [
    *[*GROUP, "axis", "x", "regret", "low", "high", *IQM, "n", "cells"],
    *["reference", "reference_from"],
]


def compute(table: Table) -> pd.DataFrame:
    """Median and IQM of regret at points x of each axis, with intervals, over `n` seeds seen there.

    A result counts from the moment it arrived. There is no point where a seed has no result yet.
    A complete cell keeps its final regret; one that is not complete is censored after its end.
    `cells` is how many there are, also those that never had a result.
    """
    curves, best = table.curves, references(table)
    rows: list[pd.DataFrame] = []
    for setting, cells in groups(table.cells, SETTING):
        reference, source = best[setting["objective"]]
        known = [cell for cell in cells.itertuples() if cell.key in curves]
        for axis in AXES if known else []:
            by_cell = {cell.key: Curve(cell, curves[str(cell.key)], axis) for cell in known}
            grid = common_grid(list(by_cell.values()), axis)
            for names, group in groups(cells, ["algorithm", "gpus"]):
                if members := [by_cell[key] for key in group["key"] if key in by_cell]:
                    points = middle_curve(members, grid)
                    points = points.rename(columns={"median": "regret"})
                    points[["regret", "low", "high", *IQM]] -= reference
                    fixed = {**setting, **names, "axis": axis, "cells": len(group)}
                    fixed |= {"reference": reference, "reference_from": source}
                    rows.append(points.assign(**fixed))
    return table.frame(pd.concat(rows, ignore_index=True) if rows else [], COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """What the regret of each objective is measured from."""
    sources = frame[["objective", "reference", "reference_from"]].drop_duplicates()
    return [
        f"Regret on {row.objective} is the loss above {row.reference:.6g}, {row.reference_from}."
        for row in sources.itertuples()
    ]


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each GPU count; regret on a logarithmic axis that is linear near zero."""
    from bench.metrics import _style as style

    counts = sorted(set(frame["gpus"]))
    made, panels = style.figure(len(counts), sharey=True)
    linear, looks = _linear_below(frame["regret"]), style.look(frame)
    for axes, count in zip(panels, counts, strict=True):
        for label, kind in looks.items():
            rows = frame[(frame["gpus"] == count) & (frame["algorithm"] == label)]
            if rows.empty:  # a line of nothing would still take its place, at the figure's corner
                continue
            part = rows["n"] < rows["n"].max()
            faint = part | part.shift(-1, fill_value=False)
            line = {**kind, "drawstyle": "steps-post", "marker": None}
            axes.plot(rows["x"], rows["regret"].where(faint), **line, linewidth=1, alpha=0.6)
            axes.plot(rows["x"], rows["regret"].where(~part), **line, linewidth=1.8)
            axes.plot(rows["x"], rows["iqm"], **line, linewidth=0.7, alpha=0.8)
            axes.plot(
                *rows.loc[~part, ["x", "regret"]].iloc[-1:].to_numpy().T, **kind, clip_on=False
            )
            axes.fill_between(
                rows["x"], rows["low"], rows["high"], color=kind["color"], step="post",
                alpha=min(0.15, 0.9 / len(looks)), linewidth=0,
            )  # fmt: skip
        axes.set_yscale("symlog", linthresh=linear, linscale=0.3)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_title(f"{count} {style.unit(frame, count)}")
    clock = f"({style.clock(frame)} clock)"
    labels = {
        "trials": "trials with a result",
        "steps": "steps trained,\nall trials together",
        "seconds": f"seconds\n{clock}",
        "gpu_seconds": f"{style.unit(frame, 1)}-seconds held\n{clock}",
    }
    for axes in panels:
        axes.set_xlabel(labels[frame["axis"].iloc[0]])
    panels[0].set_ylabel("simple regret (loss)")
    reference, source = frame[["reference", "reference_from"]].iloc[0]
    caption = [
        style.seeds(frame["n"]) + "; thin: interquartile mean (its interval: regret.csv)",
        f"loss above {reference:.4g}, {source}; axis linear below {linear:.0e}",
    ]
    if (frame["n"] < frame["cells"]).any():
        caption.append("faint: without searches that had failed by then")
    return style.finish(made, frame, "Simple regret", caption, _best_first(frame))


def _best_first(frame: pd.DataFrame) -> list[str]:
    """The algorithms by their regret at the end, the mean over the GPU counts."""
    ends = frame.sort_values("x").groupby(["algorithm", "gpus"], observed=True)["regret"].last()
    return [*ends.groupby("algorithm", observed=True).mean().sort_values(kind="stable").index]


def _linear_below(regret: "pd.Series[float]") -> float:
    """The power of ten below which the axis is linear: no positive median is less, or few are."""
    positive = regret[regret > 0]
    least = max(positive.min(), positive.max() / 1e5) if len(positive) else 1.0
    return float(10.0 ** np.floor(np.log10(least)))
