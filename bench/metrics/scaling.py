"""Scaling: how much sooner more GPUs reach the target, and who wastes what is added."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _efficiency as efficiency
from bench.metrics._table import FIGURE, GROUP, SETTING, Table, groups
from bench.metrics._target import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = (
    "Efficiency is what is left of each GPU that was added; it is the product of the panels to "
    "its right: if the third falls, the engine leaves GPUs without training; if the fourth does, "
    "the algorithm trains what does not help. A thick bar between small markers is "
    "the range that censored runs leave open; a ring marks the count beyond which another "
    "doubling is not worth it: the interval of its speed-up includes 1."
)
SPEED_UP = ["speed_up", "speed_up_at_least", "speed_up_at_most", "speed_up_low", "speed_up_high"]
EFFICIENCY = ["efficiency", "at_least", "at_most", "low", "high"]
UTILISATION = ["utilisation_ratio", "utilisation_low", "utilisation_high"]
COLUMNS = [
    *[*GROUP, "base_gpus", "target", *SPEED_UP, *EFFICIENCY, *UTILISATION, *efficiency.SAMPLE],
    *["wasted_by", "n", "censored", *efficiency.DOUBLING, "enough_gpus"],
]


def compute(table: Table) -> pd.DataFrame:
    """E(G), its factors and the speed-up T(g0) / T(G), paired by seed; see `_efficiency`.

    g0 (`base_gpus`) is the fewest GPUs of the algorithm. `enough_gpus`: beyond it, another
    doubling is not shown to help (missing: all that were measured help, or nothing can be told).
    """
    rows: list[dict[str, Any]] = []
    for names, cells in groups(times(table), [*SETTING, "algorithm"]):
        base = cells[cells["gpus"] == cells["gpus"].min()]
        doubled = efficiency.doublings(cells)
        enough = efficiency.enough(doubled)
        for counted, members in groups(cells, ["gpus"]):
            base_gpus, gpus = base["gpus"].iloc[0], counted["gpus"]
            found = efficiency.summary(efficiency.pairs(base, members))
            found["wasted_by"] = efficiency.wasted_by(found)
            if gpus == base_gpus:  # 1 by definition, reached or not
                ones = [*EFFICIENCY, *UTILISATION, *efficiency.SAMPLE]
                found |= {**dict.fromkeys(ones, 1.0), "wasted_by": "", "censored": 0}
            more = gpus / base_gpus
            rows.append(
                {
                    **names,
                    **counted,
                    "base_gpus": base_gpus,
                    "target": cells["target"].iloc[0],
                    **found,
                    **{s: more * found[e] for s, e in zip(SPEED_UP, EFFICIENCY, strict=True)},
                    **doubled[gpus],
                    "enough_gpus": enough,
                }
            )
    return table.frame(rows, COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """How far more GPUs help each algorithm, and how many pairs are known from one side only."""
    pairs = frame[frame["gpus"] != frame["base_gpus"]]
    if not pairs["n"].sum():
        return []
    said = []
    for setting, rows in groups(frame[frame["worth_it"] != ""], SETTING):
        unit = "cores" if setting["device"] == "cpu" else "GPUs"
        each = [f"{of['algorithm']}: {_worth(own)}" for of, own in groups(rows, ["algorithm"])]
        said.append(
            f"Another doubling of {unit} on {setting['objective']} (budget {setting['budget']}, "
            f"{setting['clock']} clock) for {'; '.join(each)}."
        )
    return [
        *said,
        f"Scaling efficiency: in {pairs['censored'].sum()} of {pairs['n'].sum()} pairs of seeds "
        "one search or both never reached the target; these bound it, and are not dropped.",
    ]


def _worth(rows: pd.DataFrame) -> str:
    """Up to where another doubling helps, and how it stands with the first that may not."""
    rows = rows.sort_values("gpus")
    other = rows[rows["worth_it"] != "yes"]
    if other.empty:
        return f"worth it each time, up to {2 * rows['gpus'].max()}, the most measured"
    row = other.iloc[0]
    n, ends = row["doubling_n"], [f"{row[f'doubling_{end}']:.2f}" for end in ("low", "high")]
    median = "" if np.isnan(row["doubling"]) else f"speed-up {row['doubling']:.2f}, "
    interval = f"interval {' to '.join(ends)}".replace("inf", "∞") if n > 1 else "no interval"
    verdict = "not worth it" if row["worth_it"] == "no" else "cannot tell"
    return f"{verdict} beyond {row['gpus']} ({median}{interval}, n = {n})"


def draw(frame: pd.DataFrame) -> "Figure":
    """Against the GPU count: speed-up, then efficiency and its two factors on one scale."""
    from bench.metrics import _style as style
    from bench.metrics._factors import FACTORS, limits, panel

    made, axes = style.figure(4, sharey=False)
    places: dict[str, pd.Series[float]] = {}
    for each, (columns, title) in zip(axes, FACTORS, strict=True):
        drawn = panel(each, frame, columns, limits(frame, columns))
        places = places or drawn
        each.set_title(title, fontsize=10)
        style.gpu_axis(each, frame)
    counts = np.array(sorted(set(frame["gpus"])), dtype=float)
    ideal: dict[str, Any] = {"color": "0.3", "linewidth": 0.9, "linestyle": (0, (4, 3))}
    axes[0].plot(counts, counts / frame["base_gpus"].min(), zorder=1, **ideal)
    for each in axes[1:]:
        each.axhline(1, zorder=1, **ideal)
    ring: dict[str, Any] = {"marker": "o", "markersize": 12, "fillstyle": "none"}
    ends = frame[(frame["gpus"] == frame["enough_gpus"]) & (frame["worth_it"] == "no")]
    for label, kind in style.look(ends).items():
        rows = ends[ends["algorithm"] == label]
        speed_up = rows["speed_up"].fillna(rows["speed_up_at_least"])
        x = places[label][rows.index]
        axes[0].plot(x, speed_up, color=kind["color"], linestyle="none", **ring)
    caption = [
        "efficiency = utilisation ratio × sample efficiency for each pair of seeds (not of their "
        "medians); dashed: ideal"
        + ("; ring: another doubling is not worth it" if len(ends) else ""),
        f"{style.seeds(frame['n'])}, paired",
    ]
    pairs = frame[frame["gpus"] != frame["base_gpus"]]
    if count := pairs["n"].sum():
        censored = pairs["censored"].sum()
        open_range = " (thick bar: the range they leave open)" if censored else ""
        caption.append(f"{censored} of {count} pairs censored{open_range}")
    return style.finish(made, frame, "Scaling", caption)
