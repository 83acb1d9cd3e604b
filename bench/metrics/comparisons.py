"""Comparisons: whether one algorithm is better than another, and what would settle it."""

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics import _paired as paired
from bench.metrics._reference import normalised_final
from bench.metrics._table import ACROSS, ACROSS_SETTING, Table, groups, spanned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = ACROSS
READING = (
    "To the right of the dashed line the first of two algorithms is the better one. Large, filled "
    "with colour: shown, p < 0.05 after correction for all pairs. Small and grey: cannot tell."
)
ALL = "all"
"""`at`, where all GPU counts are taken together."""
UNKNOWN = "cannot tell"
COLUMNS = [
    *[*ACROSS_SETTING, "objective", "error", "at", "algorithm", "other", "objectives", "n"],
    *["unpaired", "failed", "difference", "superiority", "low", "high", "p", "p_holm", "verdict"],
    *["least_difference", "more_seeds"],
]


def compute(table: Table) -> pd.DataFrame:
    """Two algorithms in each row, the one ahead first; `at` each GPU count, and at all together.

    Cells are paired by (objective, seed, GPU count); a search that is not complete has the
    objective's worst loss, and how many did is `failed`. Searches of one seed at several GPU counts
    are not independent, so their mean difference is one of the `n` differences. `unpaired` counts
    cells without a partner, e.g. of another number of seeds.

    `difference` (Hodges-Lehmann, in normalised regret) and `p` (Wilcoxon) are of these; `p_holm` is
    corrected over all pairs of algorithms (Holm, Scand. J. Stat. 6 (1979) 65). `superiority` is
    A12, the chance that a search of `algorithm` ends better than one of `other`, with its interval.
    `least_difference`: what n differences of this spread show with 80 % chance, after correction;
    `more_seeds`: how many seeds more would show the difference there was. Both may be infinite.
    """
    rows: list[dict[str, Any]] = []
    for setting, cells in groups(normalised_final(table), ACROSS_SETTING):
        scopes = [(str(named["gpus"]), part) for named, part in groups(cells, ["gpus"])]
        for at, part in [(ALL, cells), *scopes] if len(scopes) > 1 else scopes:
            fixed = {**setting, **spanned(part), "at": at}
            rows += [{**fixed, **row} for row in _corrected(_pairs(part))]
    return table.frame(rows, COLUMNS)


def _pairs(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each two algorithms, without what depends on the other rows."""
    names, regrets, lost, objective = _arrays(cells)
    rows = []
    for first, other in combinations(range(len(names)), 2):
        ahead = regrets[other] - regrets[first]
        there = np.isfinite(ahead)
        paired_runs = there.any(axis=1)
        if not paired_runs.any():
            continue
        d, of = np.nanmean(ahead[paired_runs], axis=1), objective[paired_runs]
        if paired.walsh(d)[1] < 0.5:
            first, other, d = other, first, -d  # noqa: PLW2901
        mine, others = (np.where(there, regrets[each], np.nan) for each in (first, other))
        difference, share = paired.walsh(d)
        wins = [_wins(mine[paired_runs][of == each], others[paired_runs][of == each])
                for each in np.unique(of)]  # fmt: skip
        middle, low, high = paired.superiority(wins)
        rows.append(
            {
                "algorithm": names[first],
                "other": names[other],
                "objectives": len(wins),
                "n": len(d),
                "unpaired": int(np.isfinite(regrets[[first, other]]).sum() - 2 * there.sum()),
                "failed": int(lost[[first, other]][:, there].sum()),
                "difference": difference,
                "superiority": middle,
                "low": low,
                "high": high,
                "p": paired.signed_rank(d),
                "share": share,
                "spread": float(np.std(d, ddof=1)) if len(d) > 1 else np.nan,
            }
        )
    return rows


def _arrays(cells: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Algorithms, their regret and failures (algorithm, run, GPU count), and each run's objective.

    A run is an (objective, seed); the regret is NaN where there is no cell.
    """
    algorithm, names = pd.factorize(cells["algorithm"].astype(str), sort=True)
    run, runs = pd.factorize(pd.MultiIndex.from_frame(cells[["objective", "seed"]]), sort=True)
    count, counts = pd.factorize(cells["gpus"], sort=True)
    regrets = np.full((len(names), len(runs), len(counts)), np.nan)
    regrets[algorithm, run, count] = cells["regret"]
    lost = np.zeros(regrets.shape, dtype=bool)
    lost[algorithm, run, count] = ~cells["complete"].astype(bool)
    return list(names), regrets, lost, np.asarray(runs.get_level_values(0).astype(str))


def _wins(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each two seeds of an objective, the share of GPU counts at which the first's was better.

    Both are (seeds, GPU counts); NaN where no count has both seeds.
    """
    won = (np.sign(others[None, :, :] - mine[:, None, :]) + 1) / 2
    there = np.isfinite(won).sum(axis=2)
    return np.where(there, np.nansum(won, axis=2) / np.maximum(there, 1), np.nan)


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from statsmodels.stats.multitest import multipletests

    if not rows:
        return rows
    alpha = paired.ALPHA / len(rows)
    corrected = multipletests([row["p"] for row in rows], method="holm")[1]
    for row, p in zip(rows, corrected, strict=True):
        share, n = row.pop("share"), row["n"]
        shown = p < paired.ALPHA
        needed = np.ceil(paired.pairs_needed(share, n, alpha) / row["objectives"])
        row |= {
            "p_holm": float(p),
            "verdict": f"{row['algorithm']} is better" if shown else UNKNOWN,
            "least_difference": paired.least_difference(n, alpha) * row.pop("spread"),
            "more_seeds": 0.0 if shown else max(needed - n // row["objectives"], 1.0),
        }
    return rows


def notes(frame: pd.DataFrame) -> list[str]:
    """What could be shown, and what could not and how many seeds would do it."""
    said = []
    for setting, rows in groups(_together(frame), ACROSS_SETTING):
        n, first = _range(rows["n"]), rows.iloc[0]
        where = f"{first['objective']}, {setting['clock']} clock, n = {n}"
        shown = [
            f"{row.algorithm} than {row.other} (p = {row.p_holm:.2g})"
            for row in rows[rows["verdict"] != UNKNOWN].itertuples()
        ]
        unknown = rows[rows["verdict"] == UNKNOWN]
        open_ = [
            f"{first} and {other} ({settles(more)})"
            for first, other, more in zip(
                unknown["algorithm"], unknown["other"], unknown["more_seeds"], strict=True
            )
        ]
        said.append(
            f"Comparisons ({where} pairs): better, after Holm's correction for {len(rows)} pairs "
            f"of algorithms: {', '.join(shown) or 'none'}."
        )
        if open_:
            said.append(f"Comparisons ({where} pairs): cannot tell between {', '.join(open_)}.")
        least = paired.least_pairs(paired.ALPHA / len(rows))
        if rows["n"].max() < least:
            said.append(
                f"Comparisons ({where} pairs): no difference, however large, can be shown with so "
                f"few; {least} pairs are the least for {len(rows)} pairs of algorithms."
            )
    return said


def settles(more_seeds: float) -> str:
    """How many more seeds would probably show the difference there was."""
    if np.isinf(more_seeds):
        return "no difference to show"
    return f"{more_seeds:.0f} more seed{'s' if more_seeds > 1 else ''}"


def _together(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows over all GPU counts of each setting; where there is one count only, of that one."""
    alone = frame.groupby(ACROSS_SETTING, observed=True)["at"].transform("nunique") == 1
    return frame[(frame["at"] == ALL) | alone]


def _range(values: "pd.Series[Any]") -> str:
    low, high = values.min(), values.max()
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def draw(frame: pd.DataFrame) -> "Figure":
    """A line for each two algorithms, over all counts: A12 with its interval, and the verdict."""
    from bench.metrics import _style as style

    rows = _together(frame).sort_values("superiority", kind="stable").reset_index(drop=True)
    made, (axes,) = style.figure(1, sharey=False)
    made.set_size_inches(9.5, 1.3 + 0.27 * len(rows))
    looks = style.look(rows)
    names, verdicts = [], []
    for y, (_, row) in enumerate(rows.iterrows()):
        label = str(row["algorithm"])
        kind, shown = dict(looks[label]), row["verdict"] != UNKNOWN
        kind |= {"markersize": 7} if shown else {"markersize": 4.5, "color": "0.6"}
        ends = [[row["superiority"] - row["low"]], [row["high"] - row["superiority"]]]
        xerr = np.nan_to_num(ends).clip(min=0)
        bars = axes.errorbar(row["superiority"], y, xerr=xerr, capsize=2.5, **kind)
        bars.lines[2][0].set_linestyle(kind["linestyle"] if label.endswith(style.VIRTUAL) else "-")
        virtual = style.VIRTUAL if label.endswith(style.VIRTUAL) else ""
        names.append(style.plain(f"{label.removesuffix(virtual)} over {row['other']}{virtual}"))
        end = "better" if shown else f"{UNKNOWN}: {settles(row['more_seeds'])}"
        verdicts.append(f"p = {row['p_holm']:.2g}, {end}")
    axes.axvline(0.5, color="0.3", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xlim(min(0.45, float(rows[["low", "superiority"]].min().min()) - 0.02), 1.02)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(rows)), verdicts)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    axes.set_xlabel("chance that the first ends with the lower loss (A12)")
    return style.finish(made, rows, "Comparisons", _caption(rows, style.unit(rows, 1)))


def _caption(rows: pd.DataFrame, unit: str) -> list[str]:
    objectives = int(rows["objectives"].max())
    what = "seeds" if objectives == 1 else f"pairs (seed and objective; {objectives} objectives)"
    at = sorted(set(rows["at"]))
    counts = f"all {unit} counts" if ALL in at else f"{unit} count {', '.join(at)}"
    pairs = rows.groupby(ACROSS_SETTING, observed=True).size().max()
    least = rows["least_difference"]
    known = least[np.isfinite(least)]
    power = (
        f"differences that so many show with 80 % chance: {_range(known)} in normalised regret"
        if len(known) and len(known) == len(least)
        else "so few could show no difference, however large, between some or all"
    )
    failed = int(rows["failed"].sum())
    return [
        f"A12 and its 95 % bootstrap interval over n = {_range(rows['n'])} {what}, {counts}",
        f"p: Wilcoxon's signed-rank test, paired by objective, seed and {unit} count, Holm's "
        f"correction for {pairs} pairs of algorithms",
        "more seeds: as many as show the difference there was with 80 % chance",
        power,
        *([f"searches that failed count as the worst loss: {failed} times"] if failed else []),
    ]
