"""Panels of bounded medians on a logarithmic axis, for the figure of scaling."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bench.metrics import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Columns(NamedTuple):
    """A median, the bounds that it has if it is not known, and its interval."""

    middle: str
    least: str
    most: str
    low: str
    high: str


_EFFICIENCY = Columns("efficiency", "at_least", "at_most", "low", "high")
_UTILISATION = Columns(
    "utilisation_ratio", "utilisation_ratio", "utilisation_ratio", "utilisation_low",
    "utilisation_high",
)  # fmt: skip
_SAMPLE = Columns(
    "sample_efficiency", "sample_at_least", "sample_at_most", "sample_low", "sample_high"
)
SPEED_UP = Columns(
    "speed_up", "speed_up_at_least", "speed_up_at_most", "speed_up_low", "speed_up_high"
)
FACTORS: Sequence[tuple[Columns, str]] = [
    (SPEED_UP, "speed-up to target"),
    (_EFFICIENCY, "scaling efficiency"),
    (_UTILISATION, "= utilisation ratio\n(below 1: the engine wastes)"),
    (_SAMPLE, "× sample efficiency\n(below 1: the algorithm wastes)"),
]
LEAST, MOST = 1 / 64, 4.0
"""Efficiencies beyond are drawn at the axis' end."""


def limits(frame: pd.DataFrame, columns: Columns) -> tuple[float, float]:
    """An axis' ends: the speed-up has its own, the efficiency and its factors have one."""
    shown = [columns] if columns is SPEED_UP else [each for each, _ in FACTORS[1:]]
    values = np.concatenate([frame[list(each)].to_numpy(float).ravel() for each in shown])
    values = values[np.isfinite(values) & (values > 0)]
    low, high = min(values.min(initial=1.0), 0.5), values.max(initial=1.0)
    if columns is not SPEED_UP:
        low, high = max(low, LEAST), min(max(high, 1.0), MOST)
    return low / 1.25, high * 1.25


def panel(
    axes: "Axes", frame: pd.DataFrame, columns: Columns, ends: tuple[float, float]
) -> "dict[str, pd.Series[float]]":
    """Medians with intervals by GPU count, and their x positions by label.

    A thick bar is the range in which a median lies.
    """
    bottom, top = ends
    clipped = frame.assign(
        **{name: frame[name].clip(bottom, top) for name in (columns.low, columns.high)}
    )
    looks = style.look(frame)
    drawn = style.points(axes, clipped, columns.middle, columns.low, columns.high)
    for label, x in drawn.items():
        rows, kind = frame.loc[x.index], looks[label]
        least, most = rows[columns.least], rows[columns.most]
        open_ = rows[columns.middle].isna() & ((least > 0) | (most < np.inf))
        dotted = ":" if label.endswith(style.VIRTUAL) else "-"
        axes.vlines(
            x[open_], least[open_].clip(lower=bottom), most[open_].clip(upper=top),
            color=kind["color"], linestyle=dotted, linewidth=4, alpha=0.35,
        )  # fmt: skip
        small = {**kind, "linestyle": "none", "markersize": 4}
        for bound, known in ((least, open_ & (least > 0)), (most, open_ & (most < np.inf))):
            axes.plot(x[known], bound[known], **small)
    axes.set_yscale("log", base=2)
    axes.set_ylim(bottom, top)
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}" if y >= 1 else f"1/{1 / y:.3g}")
    return drawn
