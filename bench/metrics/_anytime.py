"""What all searches had found at each moment, on all objectives at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics._curves import Curve
from bench.metrics._reference import normalise, references, units
from bench.metrics._statistics import Floats
from bench.metrics._table import ACROSS, ACROSS_SETTING, Table, groups, spanned
from bench.metrics._target import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 60
AXES = ["steps", "seconds"]
"""At one GPU count, trials say what steps say, and GPU-seconds what seconds do."""
FIGURES = [*ACROSS, "axis"]
COLUMNS = [
    *[*ACROSS_SETTING, "objective", "error", "algorithm", "gpus", "axis", "x", "value"],
    *["low", "high", "n", "objectives", "left_out"],
]


@dataclass
class Panel:
    """All searches of one setting and GPU count, against one axis."""

    fixed: dict[str, Any]
    """What its rows of the small table have in common."""
    cells: pd.DataFrame
    x: Floats
    """Logarithmic from the first result to the last end. Steps are in full trainings' worth;
    seconds are relative to what random's searches take in all on the fewest GPUs (median)."""
    regret: Floats
    """(cells, x): normalised regret; without a result, yet or any more, that of the worst loss."""

    def rows(self, name: object, left_out: int, estimate: tuple[Floats, ...], n: int) -> Any:
        """Rows of the small table: one algorithm's value and interval at each x."""
        columns = dict(zip(("value", "low", "high"), estimate, strict=True))
        extra: dict[str, Any] = {"algorithm": name, "n": n, "left_out": left_out}
        return pd.DataFrame({"x": self.x, **columns}).assign(**self.fixed, **extra)


@lru_cache(maxsize=1)
def panels(table: Table) -> list[Panel]:
    """Every setting, GPU count and axis."""
    return [*_panels(table)]


def _panels(table: Table) -> Iterator[Panel]:
    names = table.cells["objective"].astype(str)
    cells = table.cells.assign(
        best=names.map({name: best for name, (best, _) in references(table).items()}),
        unit=names.map({name: unit for name, (unit, _) in units(table).items()}),
        worst=normalise(table, table.cells["objective"], table.cells["worst_loss"]),
    )
    cells = cells[cells["worst"].notna()]  # of an objective without any result there is no regret
    curves = table.curves
    for setting, whole in groups(cells, ACROSS_SETTING):
        times = {names["objective"]: _seconds(each) for names, each in groups(whole, ["objective"])}
        seconds = whole["objective"].map(times).astype(float)
        of = whole.assign(per_seconds=seconds, per_steps=whole["max_steps"])
        for counted, part in groups(of, ["gpus"]):
            here = part.sort_values(["objective", "seed"], kind="stable")
            fixed = {**setting, **spanned(here), **counted}
            fixed["objectives"] = here["objective"].nunique()
            for axis in AXES:
                x, regret = _regret(here, curves, axis)
                yield Panel({**fixed, "axis": axis}, here, x, regret)


def _regret(cells: pd.DataFrame, curves: dict[str, pd.DataFrame], axis: str) -> tuple[Floats, ...]:
    """A common grid x, and the cells' normalised regret there: (cells, x)."""
    found: list[tuple[Curve | None, Any]] = [
        (Curve(cell, curves[cell.key], axis) if cell.key in curves else None, cell)
        for cell in list[Any](cells.itertuples())
    ]
    known = [(curve, getattr(cell, f"per_{axis}")) for curve, cell in found if curve is not None]
    if not known:
        return np.array([1.0]), cells[["worst"]].to_numpy(float)
    last = max(curve.end / scale for curve, scale in known)
    first = min(curve.x[0] / scale for curve, scale in known)
    x = np.geomspace(max(first, last / 1e6), last, POINTS) if last > 0 else np.array([1.0])
    regret = np.full((len(cells), len(x)), np.nan)
    for row, (curve, cell) in enumerate(found):
        if curve is not None:
            regret[row] = (curve.at(x * getattr(cell, f"per_{axis}")) - cell.best) / cell.unit
    return x, np.where(np.isfinite(regret), regret, cells[["worst"]].to_numpy(float))


def _seconds(cells: pd.DataFrame) -> float:
    """How long a search of random takes on the fewest GPUs; of whichever there is, without it."""
    for wanted in (cells["algorithm_name"] == BASELINE) & cells["complete"], cells["complete"]:
        if wanted.any():
            cells = cells[wanted]
            break
    return float(max(cells.loc[cells["gpus"] == cells["gpus"].min(), "wall"].median(), 1e-9))


def blocks(cells: pd.DataFrame) -> pd.DataFrame:
    """Positions of the cells: a row for each (objective, seed) that all algorithms searched."""
    placed = cells.assign(position=np.arange(len(cells)))
    return placed.pivot_table(
        index=["objective", "seed"], columns="algorithm", values="position", observed=True
    ).dropna()


def strata(objectives: Any) -> tuple[int, ...]:
    """How many runs each objective has, in the order of the objectives."""
    return tuple(pd.Series(list(objectives)).groupby(list(objectives), sort=False).size())


def draw(
    frame: pd.DataFrame, title: str, label: str, caption: list[str], scale: Callable[[Any], None]
) -> "Figure":
    """A panel for each GPU count, the value and its interval against a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from bench.metrics import _style as style

    counts = sorted(set(frame["gpus"]))
    made, axes = style.figure(len(counts), sharey=True)
    looks = style.look(frame)
    for panel, count in zip(axes, counts, strict=True):
        for name, kind in looks.items():
            rows = frame[(frame["gpus"] == count) & (frame["algorithm"] == name)]
            if rows.empty:
                continue
            step = {**kind, "drawstyle": "steps-post", "marker": None}
            panel.plot(rows["x"], rows["value"], **step)
            panel.plot(*rows[["x", "value"]].iloc[-1:].to_numpy().T, **kind, clip_on=False)
            panel.fill_between(
                rows["x"], rows["low"], rows["high"], color=kind["color"], step="post",
                alpha=min(0.15, 0.9 / len(looks)), linewidth=0,
            )  # fmt: skip
        panel.set_xscale("log")
        near = frame["x"].max() < 100 * frame["x"].min()
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,)))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_title(f"{count} {style.unit(frame, count)}")
        panel.set_xlabel(_label(frame, style.unit(frame, 1)))
        scale(panel)
    axes[0].set_ylabel(label)
    left_out = int(frame.groupby(["gpus", "engine"], observed=True)["left_out"].first().sum())
    lines = [f"{caption[0]} and 95 % bootstrap interval over {_n(frame)}", *caption[1:]]
    if left_out:
        lines.append(f"{left_out} searches left out: not all algorithms have their seed")
    return style.finish(made, frame, title, lines)


def _label(frame: pd.DataFrame, unit: str) -> str:
    axis = frame["axis"].iloc[0]
    if axis == "steps":
        return "full trainings' worth of steps"
    if axis == "ratio":
        return "times the fastest's seconds"
    return f"seconds ÷ those of a search\nof {BASELINE} on the fewest {unit}s"


def _n(frame: pd.DataFrame) -> str:
    low, high, objectives = frame["n"].min(), frame["n"].max(), frame["objectives"].max()
    span = f"{low}" if low == high else f"{low} to {high}"
    return f"n = {span} seeds" if objectives == 1 else f"n = {span} (seed, objective)"


def share_axis(axes: "Axes") -> None:
    """Let y be a share: 0 to 1."""
    axes.set_ylim(0, 1.02)
