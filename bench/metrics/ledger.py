"""The GPU-hour ledger: what became of every GPU-second held."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import FIGURE, GROUP, Table, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = (
    "Each bar is all that was held: training, and what was paid for beside it. Lost is what came "
    "to no useful report: failed, NaN, timed out, killed, or in flight when its search was over."
)
PARTS = {
    "training": "training",
    "start_up": "start-up",
    "optimiser": "optimiser",
    "idle": "idle",
    "lost": "lost",
}
"""The parts of what was held (bench.report.ledger says what is which), and how they are called."""
TITLE = 34
"""Characters of a panel's title in a line."""
COLUMNS = [
    *[*GROUP, "n", "gpu_seconds"],
    *(f"{part}{end}" for part in PARTS for end in ("", "_low", "_high")),
]


def compute(table: Table) -> pd.DataFrame:
    """Each part's share of the GPU-seconds that the `n` cells held together, with its interval.

    The shares of a row add up to 1. `gpu_seconds` is what a cell held, on average; every cell
    counts, complete or not, up to its end. A cell that held nothing has no shares.
    """
    rows: list[dict[str, Any]] = []
    for group, cells in groups(table.cells, GROUP):
        held = (cells["gpus"] * cells["wall"]).to_numpy(float)
        row: dict[str, Any] = {**group, "n": len(cells), "gpu_seconds": held.mean()}
        for part in PARTS:
            spent = cells[f"{part}_gpu_seconds"].to_numpy(float)
            share, low, high = statistics.share(spent, held)
            row |= {part: float(share), f"{part}_low": float(low), f"{part}_high": float(high)}
        rows.append(row)
    return table.frame(rows, COLUMNS)


def notes(frame: pd.DataFrame) -> list[str]:
    """What of all GPU-hours was training, by clock: simulated ones are no cost."""
    said = []
    for clock, rows in frame.groupby(frame["clock"].astype(str), sort=True):
        held = rows["gpu_seconds"] * rows["n"]
        if not held.sum():
            continue
        shares = {part: (rows[part] * held).sum() / held.sum() for part in PARTS}
        unit = "core" if set(rows["device"]) == {"cpu"} else "GPU"
        what = ", ".join(f"{PARTS[part]} {share:.1%}" for part, share in shares.items())
        said.append(f"Of {held.sum() / 3600:.3g} {unit}-hours on the {clock} clock: {what}.")
    return said


def draw(frame: pd.DataFrame) -> "Figure":
    """A panel for each algorithm: a stacked bar for each GPU count."""
    from matplotlib.patches import Patch

    from bench.metrics import _style as style

    labels = list(style.look(frame))
    made, panels = style.figure(len(labels), sharey=True)
    counts = sorted(set(frame["gpus"]))
    colours = dict(zip(PARTS, style.PART_COLOURS, strict=True))
    for axes, label in zip(panels, labels, strict=True):
        rows = frame[frame["algorithm"] == label].sort_values("gpus")
        x = np.array([counts.index(count) for count in rows["gpus"]], dtype=float)
        _stack(axes, rows, x, colours, hollow=label.endswith(style.VIRTUAL))
        axes.set_title(fill(style.plain(label), TITLE), fontsize=10)
        axes.set_xticks(range(len(counts)), [str(count) for count in counts])
        if len(counts) > 7:
            axes.tick_params(axis="x", labelsize=7)
        axes.set_xlim(-0.6, len(counts) - 0.4)
        axes.set_ylim(0, 1)
        axes.grid(visible=False)
        axes.set_xlabel(f"{style.unit(frame)} held")
    for axes in panels[::4]:
        axes.set_ylabel(f"share of {style.unit(frame, 1)}-seconds held")
    low, high = int(frame["n"].min()), int(frame["n"].max())
    span = f"{low}" if low == high else f"{low} to {high}"
    caption = (
        "n = 1 seed, so no interval"
        if high == 1
        else f"shares of what n = {span} seeds held together; whisker: 95 % bootstrap interval of "
        "the share that was training"
    )
    handles = [Patch(facecolor=colours[part], label=name) for part, name in reversed(PARTS.items())]
    return style.finish(
        made, frame, f"Ledger of {style.unit(frame, 1)}-seconds", [caption], handles=handles
    )


def _stack(axes: "Axes", rows: pd.DataFrame, x: Any, colours: dict[str, Any], hollow: bool) -> None:
    """Bars from the bottom up; hollow ones have a dotted outline in their colour."""
    bottom = np.zeros(len(rows))
    for part, colour in colours.items():
        kind: dict[str, Any] = {"color": colour, "edgecolor": "white", "linewidth": 0.4}
        if hollow:
            kind = {"facecolor": (*colour, 0.25), "edgecolor": colour, "linestyle": ":"}
        height = rows[part].fillna(0.0).to_numpy(float)
        axes.bar(x, height, width=0.8, bottom=bottom, **kind)
        bottom += height
    top = rows["training"]
    ends = np.array([top - rows["training_low"], rows["training_high"] - top]).clip(min=0)
    axes.errorbar(
        x, top, yerr=np.nan_to_num(ends), linestyle="none", color="0.15", capsize=2, elinewidth=1
    )
