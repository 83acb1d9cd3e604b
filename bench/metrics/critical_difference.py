"""Mean ranks over objectives, and the difference of mean ranks that is more than chance."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics._paired import ALPHA
from bench.metrics._reference import normalised_final
from bench.metrics._table import ACROSS_SETTING, Table, groups, spanned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = ACROSS_SETTING
READING = (
    "Further left is better. Algorithms that a thick bar joins cannot be told apart: their mean "
    "ranks over the objectives differ by less than the critical difference."
)
COLUMNS = [
    *[*ACROSS_SETTING, "objective", "error", "algorithm", "mean_rank", "n", "searches"],
    *["p", "critical_difference"],
]


def compute(table: Table) -> pd.DataFrame:
    """Mean rank of each algorithm over the `n` objectives, with Friedman's p.

    On each objective the algorithms are ranked by their mean normalised regret at the end, over
    the (seed, GPU count) that all have: `searches` of each, over all objectives; one that is not
    complete has the worst loss. Objectives that not all algorithms searched are left out.

    Empty where there are too few algorithms or objectives: fewer than three, or so few that the
    critical difference is more than two mean ranks can differ by. Demšar, J. Mach. Learn. Res. 7
    (2006) 1.
    """
    rows: list[dict[str, Any]] = []
    for setting, cells in groups(normalised_final(table), ACROSS_SETTING):
        wide = cells.pivot_table(
            index=["objective", "seed", "gpus"], columns="algorithm", values="regret", observed=True
        ).dropna()
        means = wide.groupby("objective", observed=True).mean()
        n, k = means.shape
        if k < 3 or n < 2 or not (critical := critical_difference(k, n)) < k - 1:
            continue
        ranks = means.rank(axis=1).mean()
        fixed = {**setting, **spanned(cells[cells["objective"].isin(means.index)])}
        fixed |= {"n": n, "searches": len(wide), "p": friedman(means.to_numpy())}
        rows += [
            {**fixed, "algorithm": name, "mean_rank": rank, "critical_difference": critical}
            for name, rank in ranks.sort_values(kind="stable").items()
        ]
    return table.frame(rows, COLUMNS)


def critical_difference(algorithms: int, objectives: int) -> float:
    """Nemenyi's: q·√(k(k+1)/6N), q being the studentised range's quantile over √2.

    Demšar 2006, section 3.2.2, table 5: q = 2.343 for 3 algorithms, 3.164 for 10.

    >>> round(critical_difference(5, 30), 3)
    1.114
    """
    from scipy.stats import studentized_range

    k = algorithms
    q = studentized_range.ppf(1 - ALPHA, k, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(k * (k + 1) / (6 * objectives)))


def friedman(values: np.ndarray) -> float:
    """The p of Friedman's test of (objectives, algorithms); 1 where all are equal everywhere.

    Friedman, J. Am. Stat. Assoc. 32 (1937) 675.
    """
    from scipy.stats import friedmanchisquare

    if (values == values[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*values.T).pvalue)


def notes(frame: pd.DataFrame) -> list[str]:
    """Whether any algorithms differ over the objectives."""
    said = []
    for setting, rows in groups(frame, ACROSS_SETTING):
        first = rows.iloc[0]
        answer = (
            f"mean ranks that differ by {first['critical_difference']:.2f} are told apart"
            if first["p"] < ALPHA
            else "cannot tell any two algorithms apart"
        )
        said.append(
            f"Ranks over n = {first['n']} objectives, {setting['clock']} clock: Friedman's "
            f"p = {first['p']:.2g}: {answer}."
        )
    return said


def draw(frame: pd.DataFrame) -> "Figure":
    """The critical-difference diagram; where Friedman's p is not small, one bar joins all."""
    from scikit_posthocs import critical_difference_diagram

    from bench.metrics import _style as style

    ranks = pd.Series(frame["mean_rank"].to_numpy(), index=[*map(str, frame["algorithm"])])
    first = frame.iloc[0]
    apart = np.abs(np.subtract.outer(ranks.to_numpy(), ranks.to_numpy()))
    differ = (apart > first["critical_difference"]) & (first["p"] < ALPHA)
    made, (axes,) = style.figure(1, sharey=False)
    made.set_size_inches(8, 1.1 + 0.16 * len(ranks))
    axes.grid(visible=False)
    looks, linestyle = style.look(frame), ":" if first["clock"] == "virtual" else "-"
    critical_difference_diagram(
        ranks, pd.DataFrame(np.where(differ, 0.0, 1.0), ranks.index, ranks.index),
        ax=axes, elbow_props={"linestyle": linestyle},
        label_fmt_left="{label}  {rank:.2f} ", label_fmt_right=" {rank:.2f}  {label}",
        color_palette={name: kind["color"] for name, kind in looks.items()},
        crossbar_props={"color": "0.3", "linewidth": 3, "marker": None},
    )  # fmt: skip
    for dot in axes.collections if linestyle == ":" else []:
        dot.set_facecolor("white")
    caption = [
        f"mean rank over n = {first['n']} objectives, {first['searches']} searches of each "
        "algorithm; failed ones count as the worst loss",
        f"Friedman's p = {first['p']:.2g}"
        + ("" if first["p"] < ALPHA else ": cannot tell any two apart")
        + f"; critical difference {first['critical_difference']:.2f} (Nemenyi, 0.05)",
    ]
    return style.finish(made, frame, "Mean ranks", caption)
