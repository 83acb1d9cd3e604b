"""Time to target: seconds until a search first is as good as the target loss."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import FIGURE, GROUP, Table, groups
from bench.metrics._target import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = (
    "Lower is faster. A large arrow is a lower bound: at most half of the "
    "searches reached the target before they ended."
)
LONG = 20
"""Times of which one is so many times another need a logarithmic axis."""
COLUMNS = [
    *[*GROUP, "target", "target_from", "seconds", "low", "high", "n", "reached", "followed"],
]


def compute(table: Table) -> pd.DataFrame:
    """Kaplan-Meier median of the seconds to the target, with its interval, over `n` cells.

    A cell that never reached it is censored at its end; `seconds` is infinite where the median
    is not reached, and then at least `followed`, the longest time that a cell was watched.
    """
    rows: list[dict[str, Any]] = []
    for group, cells in groups(times(table), GROUP):
        median, low, high = statistics.survival(cells["target_seconds"], cells["reached"])
        rows.append(
            {
                **group,
                "target": cells["target"].iloc[0],
                "target_from": cells["target_from"].iloc[0],
                "seconds": float(median),
                "low": float(low),
                "high": float(high),
                "n": len(cells),
                "reached": int(cells["reached"].sum()),
                "followed": cells["target_seconds"].max(),
            }
        )
    return table.frame(rows, COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """What the target of each objective is."""
    sources = frame[[*FIGURE, "target", "target_from"]].drop_duplicates()
    return [
        f"The target on {row.objective} ({row.device}, budget {row.budget}) "
        f"is a loss of {row.target:.6g}, {row.target_from}."
        for row in sources.itertuples()
    ]


def draw(frame: pd.DataFrame) -> "Figure":
    """Seconds against GPU count, the algorithms side by side."""
    from matplotlib.ticker import FuncFormatter

    from bench.metrics import _style as style

    made, (axes,) = style.figure(1, sharey=False)
    shown = frame.assign(high=frame[["high", "followed"]].min(axis=1))
    for label, x in style.points(axes, shown, "seconds", "low", "high").items():
        rows, colour = frame.loc[x.index], style.look(frame)[label]["color"]
        for bound, size in (("high", 5), ("seconds", 9)):
            never = np.isinf(rows[bound])
            arrow = "2" if label.endswith(style.VIRTUAL) else "^"  # thin: no area to be hollow
            axes.plot(
                x[never], rows["followed"][never], arrow, color=colour, markersize=size,
                linestyle="none",
            )  # fmt: skip
    style.gpu_axis(axes, frame)
    known = shown["followed"][shown["followed"] > 0]
    if len(known) and known.max() > LONG * known.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    else:
        axes.set_ylim(bottom=0)
    axes.set_ylabel(f"seconds to target\n({style.clock(frame)} clock)")
    row, missed = frame.iloc[0], int((frame["n"] - frame["reached"]).sum())
    return style.finish(
        made,
        frame,
        "Time to target",
        [
            f"target: loss {row['target']:.4g}, {row['target_from']}",
            style.seeds(frame["n"]),
            f"{missed} of {frame['n'].sum()} searches never reached it (censored)"
            + ("; arrow: a lower bound, longer than was watched" if missed else ""),
        ],
    )
