"""How figures look: an algorithm has its own colour, line and marker in all of them."""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

DPI = 160
_LINES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]
_MARKERS = ["o", "s", "D", "v", "P", "X", "<", ">", "p", "h"]
_GREY = "0.4"
PART_COLOURS = [seaborn.color_palette("colorblind", 10)[index] for index in (0, 1, 4, 7, 3)]
"""Of the parts of a whole; no algorithm's meaning."""
CHARACTER = 0.06
"""Inches of a caption's character, roughly."""
LINE = 0.14
"""Inches of a caption's line."""
VIRTUAL = " (virtual)"
"""Ends the label of what is on the virtual clock."""


def figure(panels: int, sharey: bool) -> "tuple[Figure, list[Axes]]":
    """Panels, four in a row; a figure of its own, without the state of pyplot."""
    style = {
        **seaborn.axes_style("ticks", {"axes.grid": True, "grid.color": "0.92"}),
        **seaborn.plotting_context("paper", font_scale=1.1),
        "lines.linewidth": 1.6,
    }
    with rc_context(style):
        columns, rows = min(panels, 4), -(-panels // 4)
        size = 2.0 + 3.1 * columns, 0.7 + 2.7 * rows
        made = Figure(figsize=size, dpi=DPI, layout="constrained")
        axes = list(made.subplots(rows, columns, sharey=sharey, squeeze=False).flat)
    for unused in axes[panels:]:
        unused.remove()
    seaborn.despine(made)
    return made, axes[:panels]


def look(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Colour, line style and marker of each algorithm in the frame, by its label.

    They follow from all labels of the table, which the column's categories keep. When the colours
    begin again, the markers do so one later: no two of a hundred labels look the same. What is
    virtual (see `side_by_side`) is dotted, with hollow markers; what is real beside it is solid.
    """
    labels = list(frame["algorithm"].cat.categories)
    colours = seaborn.color_palette("colorblind", 10)
    present = set(frame["algorithm"])
    looks: dict[str, dict[str, Any]] = {}
    names = [label for label in labels if not label.endswith(VIRTUAL)]
    for label in labels:
        index = names.index(label.removesuffix(VIRTUAL))
        kind: dict[str, Any] = {
            "color": colours[index % len(colours)],
            "linestyle": _LINES[index % len(_LINES)],
            "marker": _MARKERS[(index + index // len(colours)) % len(_MARKERS)],
        }
        if label.endswith(VIRTUAL):
            kind |= {"linestyle": ":", "markerfacecolor": "white"}
        elif len(names) < len(labels):
            kind["linestyle"] = "-"
        if label in present:
            looks[label] = kind
    return looks


def by_engine(frame: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """The same rows; where `whole` has several engines of one clock, labels name theirs."""
    counts = whole.groupby("clock", observed=True)["engine"].nunique()
    if counts.max() < 2:
        return frame

    def ends(rows: pd.DataFrame) -> "pd.Series[str]":
        several = rows["clock"].astype(str).map(counts) > 1
        return (" (" + rows["engine"].astype(str) + ")").where(several, "")

    known = [
        name + end for name in frame["algorithm"].cat.categories for end in sorted(set(ends(whole)))
    ]
    labels = frame["algorithm"].astype(str) + ends(frame)
    return frame.assign(algorithm=labels.astype(pd.CategoricalDtype(known)))


def side_by_side(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows for a figure: another engine or clock under labels of their own."""
    named = by_engine(frame, frame)
    virtual = named["clock"] == "virtual"
    if not virtual.any():
        return named
    names = list(named["algorithm"].cat.categories)
    labels: pd.Series[str] = named["algorithm"].astype(str) + np.where(virtual, VIRTUAL, "")
    known = pd.CategoricalDtype([*names, *(name + VIRTUAL for name in names)])
    return named.assign(algorithm=labels.astype(known))


def plain(text: object) -> str:
    """Text that matplotlib does not take for mathematics."""
    return str(text).replace("$", r"\$")


def unit(frame: pd.DataFrame, count: int = 2) -> str:
    """What `gpus` counts on this frame's device."""
    name = "CPU core" if frame["device"].iloc[0] == "cpu" else "GPU"
    return name if count == 1 else f"{name}s"


def clock(frame: pd.DataFrame) -> str:
    """What clock this frame's seconds are on."""
    names = sorted(set(frame["clock"].astype(str)), reverse=True)
    said = [f"{each} (simulated)" if each == "virtual" else each for each in names]
    return plain(" and ".join(said))


def seeds(counts: "pd.Series[int]") -> str:
    """Says n, and what the interval is."""
    low, high = int(counts.min()), int(counts.max())
    if high <= 1:
        return "n = 1 seed, so no interval"
    span = f"{low}" if low == high else f"{low} to {high}"
    return f"median and 95 % bootstrap interval over n = {span} seeds"


def finish(
    made: Figure,
    frame: pd.DataFrame,
    title: str,
    lines: Iterable[str],
    order: Iterable[str] | None = None,
    handles: "Sequence[Artist] | None" = None,
) -> Figure:
    """Set the title, what the figure shows and on what, and the legend beside the panels.

    The legend has the labels in `order`; by default in the table's; or `handles` in their place.
    """
    row = frame.iloc[0]
    engines = " and ".join(sorted(set(frame["engine"].astype(str))))
    shares = set(frame["gpus_per_trial"])
    trial = "" if len(shares) > 1 or shares == {1} else f", {min(shares):g} {unit(frame)} a trial"
    where = [
        f"engine {engines}, {clock(frame)} clock, on {unit(frame)}{trial}, "
        f"budget of {row['budget']} full trainings a search"
    ]
    if errors := sorted(set(frame["error"].astype(str)) - {""}):
        where += ["dotted, hollow: virtual, simulated from recorded trainings", *errors]
    made.suptitle(f"{plain(title)} on {plain(row['objective'])}", fontsize=12, fontweight="bold")
    looks = look(frame)
    handles = handles or [
        Line2D([], [], label=plain(name), **looks[name]) for name in order or looks
    ]
    made.legend(handles=handles, loc="outside right center", frameon=False, handlelength=3)
    width, height = made.get_size_inches()
    made.set_size_inches(width, max(height, 1.2 + 0.24 * len(handles)))
    caption(made, [*lines, *where])
    return made


def caption(made: Figure, lines: Iterable[str]) -> None:
    """Write below the panels, in lines as long as the figure is wide; it grows by their height."""
    width, height = made.get_size_inches()
    text = "\n".join(fill(plain(line), int(width / CHARACTER)) for line in lines)
    made.supxlabel(text, fontsize=8, color=_GREY)
    made.set_size_inches(width, height + LINE * (text.count("\n") + 1))


def gpu_axis(axes: "Axes", frame: pd.DataFrame) -> None:
    """A logarithmic axis with a tick at each GPU count."""
    count_axis(axes, frame["gpus"], f"{unit(frame)} held")


def count_axis(axes: "Axes", values: "pd.Series[Any]", label: str) -> None:
    """A logarithmic axis with a tick at each of the values."""
    counts = sorted(set(values))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(counts, [f"{count:g}" for count in counts])
    if len(counts) > 7:
        axes.tick_params(axis="x", labelsize=7)
    axes.set_xlim(counts[0] / 1.35, counts[-1] * 1.35)
    axes.set_xlabel(label)


def points(
    axes: "Axes", frame: pd.DataFrame, middle: str, low: str, high: str, at: str = "gpus"
) -> "dict[str, pd.Series[float]]":
    """Medians with intervals by GPU count (or `at`), the algorithms side by side; their x."""
    looks, places = look(frame), {}
    middle_index = (len(looks) - 1) / 2
    apart = min(1.06, 1.25 ** (1 / max(middle_index, 1)))  # within the axis, clear of other counts
    for index, (label, kind) in enumerate(looks.items()):
        rows = frame[frame["algorithm"] == label].sort_values(at)
        x = rows[at] * apart ** (index - middle_index)
        y = rows[middle].where(np.isfinite(rows[middle]))
        below, above = (y - rows[low]).clip(lower=0), (rows[high] - y).clip(lower=0)
        ends = np.nan_to_num(np.array([below, above]), posinf=0.0)
        axes.errorbar(x, y, yerr=ends, capsize=2.5, elinewidth=1, markersize=5.5, **kind)
        places[label] = x
    return places
