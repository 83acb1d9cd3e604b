"""Draw docs/img/suggestion-latency.png from its figures in bench/engines/, and print tables.

    python tests/benchmarks/plot_suggestion_latency.py

The tables are Markdown, for docs/suggestion-latency.md. `make microbench` measures the figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.metrics._style import figure, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).parent.parent.parent / "docs"
FIGURES = DOCS.parent / "bench" / "engines" / "suggestion-latency.csv"
PICTURE = DOCS / "img" / "suggestion-latency.png"
FEW = 20
"""Of fewer measurements the 95th percentile is the greatest."""


def read(path: Path) -> pd.DataFrame:
    """The figures; an algorithm is named with those that ask the same searcher."""
    frame = pd.read_csv(path, keep_default_na=False)
    also = frame["also"].str.replace(" ", ", ")
    named = frame["algorithm"] + also.map(lambda others: f" ({others})" if others else "")
    return frame.assign(algorithm=named.astype("category"))


def draw(frame: pd.DataFrame) -> Figure:
    made, (suggest, observe) = figure(2, sharey=True)
    made.set_size_inches(10, 4.4)
    looks = look(frame)
    for axes, what in ((suggest, "suggest"), (observe, "observe")):
        for index, (algorithm, kind) in enumerate(looks.items()):
            shift = 1.03 ** (index - (len(looks) - 1) / 2)  # so that the bars stand side by side
            line(axes, frame[frame["algorithm"] == algorithm], what, shift, kind)
        ticks = sorted(set(frame["observations"]))
        axes.set_xscale("symlog", linthresh=10, linscale=0.4)
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.10g}"))
        axes.set_xlabel("full trainings observed")
        axes.set_title(f"to {what}")
    suggest.set_ylabel("milliseconds")
    made.suptitle(
        "How long an algorithm thinks, on the space of mnist_cnn", fontsize=12, fontweight="bold"
    )
    made.supxlabel("\n".join(caption(frame)), fontsize=8, color="0.4")
    last = frame[frame["observations"] == frame["observations"].max()]
    slowest_first = last.sort_values("suggest_median_ms", ascending=False)["algorithm"]
    handles = [Line2D([], [], label=each, **looks[each]) for each in slowest_first]
    made.legend(handles=handles, loc="outside right center", frameon=False, handlelength=3)
    return made


def line(axes: "Axes", rows: pd.DataFrame, what: str, shift: float, kind: dict[str, Any]) -> None:
    """Medians, each with a bar up to the 95th percentile; hollow where few were measured."""
    x, middle = rows["observations"] * shift, rows[f"{what}_median_ms"]
    above = rows[f"{what}_p95_ms"] - middle
    axes.errorbar(x, middle, yerr=[0 * above, above], elinewidth=0.8, markersize=5, **kind)
    few = rows["measurements"] < FEW
    hollow = {**kind, "linestyle": "none", "markerfacecolor": "white"}
    axes.plot(x[few], middle[few], markersize=5, zorder=3, **hollow)


def caption(frame: pd.DataFrame) -> list[str]:
    least, most = frame["measurements"].min(), frame["measurements"].max()
    few = (
        f"; hollow: fewer than {FEW}, and the bar ends at the greatest"
        if (frame["measurements"] < FEW).any()
        else ""
    )
    counts = f"{most}" if least == most else f"{least} to {most}"
    lines = [f"median of n = {counts} measurements, bar up to the 95th percentile{few}"]
    for machine, of_machine in frame.groupby("machine", sort=False):
        names = ", ".join(dict.fromkeys(of_machine["algorithm"]))
        lines.append(f"on {machine}: {names}")
    return lines + list(dict.fromkeys(frame["versions"]))


def table(frame: pd.DataFrame, what: str) -> str:
    """Median (95th percentile) in milliseconds, algorithms down, observations across."""
    counts = sorted(set(frame["observations"]))
    lines = [
        f"| to {what}, ms | {' | '.join(map(str, counts))} |",
        "|---" * (len(counts) + 1) + "|",
    ]
    for algorithm, rows in frame.groupby("algorithm", observed=True):
        by_count = rows.set_index("observations")
        cells = [
            cell(by_count.loc[each], what) if each in by_count.index else "-" for each in counts
        ]
        lines.append(f"| {algorithm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(row: "pd.Series[Any]", what: str) -> str:
    median, high = (number(row[f"{what}_{each}_ms"]) for each in ("median", "p95"))
    count = row["measurements"]
    if count == 1:
        return f"{median} (n = 1)"
    return f"{median} ({high}{f'; n = {count}' if count < FEW else ''})"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


if __name__ == "__main__":
    figures = read(FIGURES)
    draw(figures).savefig(PICTURE)
    print(table(figures, "suggest"), table(figures, "observe"), sep="\n\n")
    print(f"\n{PICTURE}")
