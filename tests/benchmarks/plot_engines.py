"""Draw docs/img/engines.png from docs/engines.csv, and print its tables in Markdown.

    python tests/benchmarks/plot_engines.py

tests/benchmarks/engines.py measures the figures.
"""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from bench.metrics._style import figure, look

DOCS = Path(__file__).parent.parent.parent / "docs"
FIGURES, PICTURE = DOCS / "engines.csv", DOCS / "img" / "engines.png"

NAMES = {
    "": "Ray Tune",
    "journal": "Optuna, journal file",
    "sqlite": "Optuna, SQLite",
    "postgresql": "Optuna, PostgreSQL",
}
OVERHEAD = "overhead_ms_per_trial"


def read(path: Path) -> pd.DataFrame:
    """The figures; what is compared is called `algorithm`, as in all tables that are drawn."""
    frame = pd.read_csv(path, keep_default_na=False, na_values={OVERHEAD: ""})
    who = frame["storage"].map(NAMES).astype(pd.CategoricalDtype([*NAMES.values()]))
    return frame.rename(columns={"algorithm": "searcher"}).assign(algorithm=who)


def draw(frame: pd.DataFrame) -> Figure:
    lengths, searchers = sorted(set(frame["trial_seconds"])), sorted(set(frame["searcher"]))
    panels = [(searcher, seconds) for searcher in searchers for seconds in [*lengths, None]]
    made, all_axes = figure(len(panels), sharey=False)
    looks, slots = look(frame), sorted(set(frame["slots"]))
    for (searcher, seconds), axes in zip(panels, all_axes, strict=True):
        of = frame[frame["searcher"] == searcher]
        if seconds is not None:
            of = of[of["trial_seconds"] == seconds]
        else:
            of = of[of["processes"] == of["slots"]]
        y = "up_after_seconds" if seconds is None else OVERHEAD
        for who, rows in of.groupby("algorithm", observed=True):
            grouped = rows.groupby("slots")[y]
            middle = grouped.median().reindex(slots)
            low, high = middle - grouped.min(), grouped.max() - middle
            axes.errorbar(slots, middle, yerr=[low, high], elinewidth=0.8, **looks[str(who)])
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(FixedLocator(slots))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.set_xlabel("slots")
        length = "start" if seconds is None else f"trials of {seconds:g} s"
        axes.set_title(f"{searcher}: {length}")
        axes.set_ylabel("s until all slots are up" if seconds is None else "ms beside training")
    made.suptitle("What a trial costs beside its training", fontsize=12, fontweight="bold")
    most = frame.groupby(["searcher", "algorithm", "trial_seconds", "slots"], observed=True).size()
    seeds = " to ".join(map(str, sorted({most.min(), most.max()})))
    made.supxlabel(
        "milliseconds of its slot per trial, once all slots are up; no point where the trials were "
        f"over before all slots were up\nmedian of n = {seeds} searches, bars from the least to "
        "the greatest; on two CPU cores, where trials sleep; wall clock",
        fontsize=8,
        color="0.4",
    )
    handles = [Line2D([], [], label=who, **looks[who]) for who in NAMES.values()]
    made.legend(handles=handles, loc="outside right center", frameon=False, handlelength=3)
    return made


def table(frame: pd.DataFrame, of: str, form: str) -> str:
    """Medians: engines down, trials' lengths and slots across."""
    slots = sorted(set(frame["slots"]))
    lines = [
        f"| | trials of | {' | '.join(f'{n} slots' if n > 1 else '1 slot' for n in slots)} |",
        "|---" * (len(slots) + 2) + "|",
    ]
    for (who, seconds), rows in frame.groupby(["algorithm", "trial_seconds"], observed=True):
        medians = rows.groupby("slots")[of].median().reindex(slots)
        cells = ["-" if pd.isna(value) else format(value, form) for value in medians]
        lines.append(f"| {who} | {seconds:g} s | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    figures = read(FIGURES)
    draw(figures).savefig(PICTURE)
    for searcher, rows in figures.groupby("searcher"):
        print(f"\n{searcher}: milliseconds beside training per trial, once all slots are up\n")
        print(table(rows, OVERHEAD, ",.0f"))
        print(f"\n{searcher}: utilisation of the whole search, its start included\n")
        print(table(rows, "utilisation", ".0%"))
    print(f"\n{PICTURE}")
