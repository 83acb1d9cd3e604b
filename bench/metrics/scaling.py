"""Scaling efficiency and utilisation: what becomes of the GPUs that are added."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import FIGURE, GROUP, SETTING, Table, groups
from bench.metrics._target import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = (
    "Left: 1 means that twice the GPUs reach the target in half the time; a thick bar between "
    "small markers is the range that censored runs leave open. Right: GPU-seconds training ÷ held."
)
UTILISATION = ["utilisation", "utilisation_low", "utilisation_high", "utilisation_n"]
COLUMNS = [
    *[*GROUP, "base_gpus", "target", "efficiency", "at_least", "at_most", "low", "high"],
    *["n", "censored", *UTILISATION],
]


def compute(table: Table) -> pd.DataFrame:
    """E(G) = T(g0) g0 / (T(G) G), paired by seed, and the utilisation, over the seeds.

    g0 (`base_gpus`) is the fewest GPUs of the algorithm. A pair with a censored time bounds its
    E from one side only, one with two not at all: the median over the `n` pairs then lies between
    `at_least` and `at_most`, and `efficiency` is empty; `censored` counts such pairs.
    `low` and `high` are the bootstrap interval's ends for these two bounds.
    Utilisation is of all `utilisation_n` cells, complete or not, each up to its end.
    """
    rows: list[dict[str, Any]] = []
    for names, cells in groups(times(table), [*SETTING, "algorithm"]):
        base = cells[cells["gpus"] == cells["gpus"].min()]
        for counted, members in groups(cells, ["gpus"]):
            shares = members["utilisation"].dropna().to_numpy(float)
            used = [float(part) for part in statistics.median(shares)]
            rows.append(
                {
                    **names,
                    **counted,
                    "base_gpus": base["gpus"].iloc[0],
                    "target": cells["target"].iloc[0],
                    **_efficiency(base, members),
                    **dict(zip(UTILISATION, [*used, len(shares)], strict=True)),
                }
            )
    return table.frame(rows, COLUMNS)


def _efficiency(base: pd.DataFrame, members: pd.DataFrame) -> dict[str, Any]:
    pairs = base.merge(members, on="seed", suffixes=("_base", ""))
    if base["gpus"].iloc[0] == members["gpus"].iloc[0]:  # 1 by definition, reached or not
        one = dict.fromkeys(("efficiency", "at_least", "at_most", "low", "high"), 1.0)
        return {**one, "n": len(pairs), "censored": 0}
    spent = pairs["target_seconds"] * pairs["gpus"]
    ratio = pairs["target_seconds_base"] * pairs["gpus_base"] / spent
    least = statistics.median(ratio.where(pairs["reached"], 0.0))
    most = statistics.median(ratio.where(pairs["reached_base"], np.inf))
    known = least.median == most.median
    return {
        "efficiency": float(least.median) if known else np.nan,
        "at_least": float(least.median),
        "at_most": float(most.median),
        "low": float(least.low),
        "high": float(most.high),
        "n": len(pairs),
        "censored": int((~(pairs["reached"] & pairs["reached_base"])).sum()),
    }


def notes(frame: pd.DataFrame) -> list[str]:
    """How many pairs of seeds are known from one side only; nothing where there are no pairs."""
    pairs = frame[frame["gpus"] != frame["base_gpus"]]
    if not pairs["n"].sum():
        return []
    return [
        f"Scaling efficiency: in {pairs['censored'].sum()} of {pairs['n'].sum()} pairs of seeds "
        "one search or both never reached the target; these bound it, and are not dropped."
    ]


def draw(frame: pd.DataFrame) -> "Figure":
    """Two panels against the GPU count: efficiency and utilisation."""
    from bench.metrics import _style as style

    made, (left, right) = style.figure(2, sharey=False)
    values = frame[["at_least", "low", "high"]].to_numpy(float)
    top = 1.08 * float(np.max(values, where=np.isfinite(values), initial=1.0))
    bounded = frame.assign(high=frame["high"].clip(upper=top))
    for label, x in style.points(left, bounded, "efficiency", "low", "high").items():
        rows, kind = bounded.loc[x.index], style.look(frame)[label]
        least, most = rows["at_least"], rows["at_most"]
        open_ = rows["efficiency"].isna() & ((least > 0) | (most < np.inf))
        ends = least[open_], most[open_].clip(upper=top)
        dotted = ":" if label.endswith(style.VIRTUAL) else "-"
        left.vlines(x[open_], *ends, color=kind["color"], linestyle=dotted, linewidth=4, alpha=0.35)
        small = {**kind, "linestyle": "none", "markersize": 4}
        for bound, known in ((least, open_ & (least > 0)), (most, open_ & (most < np.inf))):
            left.plot(x[known], bound[known], **small)
    left.set_ylim(0, top)
    left.set_ylabel("scaling efficiency to target")
    style.points(right, frame, "utilisation", "utilisation_low", "utilisation_high")
    right.set_ylim(0, 1.08)
    right.set_ylabel("utilisation")
    for axes in (left, right):
        axes.axhline(1, color="0.3", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        style.gpu_axis(axes, frame)
    caption = [
        f"utilisation: {style.unit(frame, 1)}-seconds training ÷ held",
        f"{style.seeds(frame['utilisation_n'])}, paired; dashed: ideal",
    ]
    pairs = frame[frame["gpus"] != frame["base_gpus"]]
    if count := pairs["n"].sum():
        censored = pairs["censored"].sum()
        open_range = " (thick bar: the range they leave open)" if censored else ""
        caption.append(f"{censored} of {count} pairs censored{open_range}")
    return style.finish(made, frame, "Scaling", caption)
