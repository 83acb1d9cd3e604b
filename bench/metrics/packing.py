"""Packing: what several trials on one GPU, or on one core, are worth."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import SETTING, Table, groups

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ONLY_IF_SEVERAL = "gpus_per_trial"
FIGURES = ["objective", "device", "gpus", "budget"]
READING = (
    "Higher is better: how much is trained in an hour of what is held, by how many trials share "
    "it. Efficiency above 1: packing pays; below 1: trials keep each other from training."
)
PACKED = [*(name for name in SETTING if name != "gpus_per_trial"), "algorithm", "gpus"]
"""Cells that agree in these, and in their seed, differ by their packing alone."""
MEASURED = {
    "throughput": "full trainings per {unit}-hour",
    "efficiency": "efficiency against\none trial per {unit}",
    "whole_efficiency": "the same,\nprocesses' start included",
    "gpu_utilisation": "share of the time in which\na kernel ran (NVML)",
}
"""Columns, each with its interval NAME_low to NAME_high; what a panel is called."""
COLUMNS = [
    *[*PACKED, "gpus_per_trial", "trials_per_gpu"],
    *(f"{name}{end}" for name in MEASURED for end in ("", "_low", "_high")),
    *["n", "pairs", "failed_trials"],
]


def compute(table: Table) -> pd.DataFrame:
    """Medians over the `n` complete cells, where there are several numbers of GPUs a trial.

    `throughput`: full trainings' worth of steps per GPU-hour, from when the first trial of each
    slot has brought a result (its process has been started by then) to the end. `efficiency`: that
    of the same seed with one trial per GPU is 1; medians over `pairs`. `whole_efficiency`: the
    same of all steps in all of the time. A failed step is none. `gpu_utilisation` is sampled,
    and missing where nothing was.
    """
    cells = table.cells[table.cells["complete"]]
    rows: list[dict[str, Any]] = []
    for names, of in groups(cells, PACKED):
        if of["gpus_per_trial"].nunique() < 2:
            continue
        measured = _with_rates(of, table.reports)
        alone = measured[measured["gpus_per_trial"] == 1].set_index("seed")
        for shared, members in groups(measured, ["gpus_per_trial"]):
            paired = members.assign(
                efficiency=members["throughput"] / members["seed"].map(alone["throughput"]),
                whole_efficiency=members["whole"] / members["seed"].map(alone["whole"]),
            )
            row: dict[str, Any] = {
                **names,
                **shared,
                "trials_per_gpu": members["slots"].iloc[0] / names["gpus"],
                "n": int(members["throughput"].notna().sum()),
                "pairs": int(paired["efficiency"].notna().sum()),
                "failed_trials": int(members["failed_trials"].sum()),
            }
            for name in MEASURED:
                found = statistics.median(paired[name].dropna())
                row |= {name: float(found.median)}
                row |= {f"{name}_low": float(found.low), f"{name}_high": float(found.high)}
            rows.append(row)
    return table.frame(rows, COLUMNS)


def _with_rates(cells: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """These cells, with full trainings per GPU-hour: `throughput`, and `whole` of all the time."""
    cells = cells.set_index("key")
    reports = reports[reports["key"].isin(cells.index)]
    key = reports["key"].astype(str)
    first = reports.groupby([key, "trial"])["seconds"].min().reset_index()
    first = first[first["trial"] < first["key"].map(cells["slots"])]
    started = first.groupby("key")["seconds"].agg(["max", "size"])
    all_train = started["max"].where(started["size"] == cells["slots"])
    trained = ~reports["failed"].astype(bool)
    later = trained & (reports["seconds"] > key.map(all_train))
    hours = cells["gpus"] / 3600
    full = cells["max_steps"]
    steps, steps_later = (some.groupby(key).sum().reindex(cells.index) for some in (trained, later))
    rest = cells["wall"] - all_train
    throughput = (steps_later / full) / (rest * hours)
    return cells.assign(
        throughput=throughput.where((rest > 0) & (steps_later > 0)),
        whole=((steps / full) / (cells["wall"] * hours)).where(cells["wall"] > 0),
    ).reset_index()


def notes(frame: pd.DataFrame) -> list[str]:
    """How many trials a GPU trains the most, by algorithm; and what fails there."""
    said = []
    for of, rows in groups(frame[frame["throughput"].notna()], PACKED):
        unit = "core" if of["device"] == "cpu" else "GPU"
        best = rows.sort_values("throughput").iloc[-1]
        where = f"{of['objective']}, {of['gpus']} {unit}{'s' * (of['gpus'] > 1)}, {of['engine']}"
        what = "fractions of cores" if unit == "core" else "fractions of GPUs"
        text = (
            f"Packing ({where}; {what}): {of['algorithm']} trains most with "
            f"{best['trials_per_gpu']:g} trials per {unit}, {best['throughput']:.4g} full "
            f"trainings per {unit}-hour"
        )
        if best["trials_per_gpu"] != 1 and not np.isnan(best["efficiency"]):
            ends = [f"{best[f'efficiency_{end}']:.2f}" for end in ("low", "high")]
            interval = f"; interval {' to '.join(ends)}" if best["pairs"] > 1 else ""
            text += f", {best['efficiency']:.2f} times that of one{interval}, n = {best['pairs']}"
        said.append(f"{text}.")
        if failed := int(rows["failed_trials"].sum()):
            said.append(f"Packing ({where}): {failed} trials of {of['algorithm']} failed.")
    return said


def draw(frame: pd.DataFrame) -> "Figure":
    """Against trials per GPU: throughput, efficiency, and how busy the GPU was, where sampled."""
    from bench.metrics import _style as style

    unit = style.unit(frame, 1)
    shown = [name for name in MEASURED if frame[name].notna().any()]
    made, panels = style.figure(len(shown), sharey=False)
    for axes, name in zip(panels, shown, strict=True):
        style.points(axes, frame, name, f"{name}_low", f"{name}_high", at="trials_per_gpu")
        style.count_axis(axes, frame["trials_per_gpu"], f"trials per {unit}")
        axes.set_title(MEASURED[name].format(unit=unit), fontsize=10)
        axes.set_ylim(bottom=0)
        if "efficiency" in name:
            axes.axhline(1, color="0.3", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    shares = (
        "fractions of cores: the trials of a search take turns on its cores; on a machine with "
        "other work more trials also get more of it, and packing looks better than it is"
    )
    if unit == "GPU":
        shares = "trials share a GPU, each with its part of the memory"
    caption = [
        "dashed: one trial alone; counted from when the first trial of each slot has a result"
        + ("" if len(shown) < 3 else ", but in the third panel from the start"),
        shares,
        f"{style.seeds(frame['n'])}, efficiency paired by seed",
    ]
    held = f"{frame['gpus'].iloc[0]} {style.unit(frame, int(frame['gpus'].iloc[0]))} held"
    if failed := int(frame["failed_trials"].sum()):
        caption.append(f"{failed} trials failed; a failed step is none")
    return style.finish(made, frame, f"Packing ({held})", caption)
