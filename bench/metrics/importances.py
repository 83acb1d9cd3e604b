"""Parameter importances: which parameters set the best trials apart from the others."""

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.metrics._table import FIGURE, SETTING, Table, groups
from bench.space import distributions, within

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure

FIGURES = FIGURE
READING = (
    "How much of what sets the best tenth of the trials apart lies in each parameter (shares, they "
    "add up to 1). It does not say which values are good, nor how parameters act together; it is "
    "of the trials that were made, within the space's bounds: a parameter that all searches soon "
    "set alike, or that had no room, looks unimportant. Where intervals overlap, the order is open."
)
BEST = 0.1
"""The part of the trials that is set against all of them."""
FEWEST = 50
"""Trials that are needed: of fewer, the best tenth is less than five."""
MOST = 400
"""Trials that are used, evenly of all cells."""
PARTS = 8
"""The seeds are left out in so many parts at most."""
ALL = "all algorithms"
COLUMNS = [
    *[*SETTING, "algorithm", "parameter", "importance", "low", "high", "active"],
    *["n", "trials", "of"],
]


def compute(table: Table) -> pd.DataFrame:
    """PED-ANOVA's share of each parameter, over trials pooled over algorithms, GPUs and seeds.

    Conditional PED-ANOVA (https://arxiv.org/abs/2601.20800, theorem 4.2; Watanabe et al., IJCAI
    2023) as Optuna has it: the Pearson divergence of a parameter's density in the best tenth from
    that in all `trials`, so that what searchers prefer anyhow counts for little; where a condition
    switches it off, that is no value of it. `active` is the share of the trials that have it. The
    trials were trained in full, or failed (as the worst loss); searches of one seed may meet the
    same training, which counts once. There were `of` such trials, `trials` of them were used.
    `low` and `high`: 95 % interval by the jackknife over the `n` seeds (Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993, equation 11.5, with Student's t): a resample would hold
    trials twice, which a density takes for a peak. NaN where there are too few.
    """
    rows: list[dict[str, Any]] = []
    trained = table.configurations.merge(table.cells[["key", "seed", *SETTING]], on="key")
    for setting, each in groups(trained, SETTING):
        if setting["objective"] not in table.spaces:
            continue
        known = distributions(table.spaces[setting["objective"]])
        of = each.drop_duplicates(["seed", "configuration"])
        some = of.iloc[:: -(-len(of) // MOST)]
        used = some[[_legal(text, known) for text in some["configuration"]]]
        rows += [
            {**setting, "algorithm": ALL, **row, "trials": len(used), "of": len(of)}
            for row in _importances(used, known)
        ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"algorithm": pd.CategoricalDtype([ALL])})


def _legal(configuration: str, known: dict[str, Any]) -> bool:
    """Whether it lies in the space: a stranger's journal may say anything."""
    try:
        _trial(json.loads(configuration), 0.0, known)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _importances(used: pd.DataFrame, known: dict[str, Any]) -> list[dict[str, Any]]:
    names = [name for name, each in known.items() if not each.single()]  # what is fixed sets none
    configurations = [json.loads(each) for each in used["configuration"]]
    trials = [
        _trial(values, loss, known)
        for values, loss in zip(configurations, used["loss"], strict=True)
    ]
    seeds = used["seed"].to_numpy()
    distinct = np.unique(seeds)
    whole = low = high = np.full(len(names), np.nan)
    if len(trials) >= FEWEST:
        whole = _shares(trials, names)
    if len(trials) >= FEWEST and len(distinct) > 1:
        part = np.searchsorted(distinct, seeds) % PARTS
        without = [
            _shares([each for each, of in zip(trials, part, strict=True) if of != left], names)
            for left in np.unique(part)
        ]
        low, high = jackknife(whole, np.array(without))
    return [
        {
            "parameter": name,
            "importance": float(whole[index]),
            "low": float(low[index]),
            "high": float(high[index]),
            "active": float(np.mean([name in values for values in configurations])),
            "n": len(distinct),
        }
        for index, name in enumerate(names)
    ]


def jackknife(
    whole: np.ndarray[Any, Any], without: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """95 % interval of shares, from those `without` each of g parts in turn, of shape (g, k)."""
    from scipy import stats

    count = len(without)
    error = np.sqrt((count - 1) / count * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    width = stats.t.ppf(0.975, count - 1) * error
    return np.clip(whole - width, 0, 1), np.clip(whole + width, 0, 1)


def _trial(
    values: dict[str, Any], loss: float, known: dict[str, Any]
) -> "optuna.trial.FrozenTrial":
    import optuna

    return optuna.trial.create_trial(
        params={name: within(known[name], value) for name, value in values.items()},
        distributions={name: known[name] for name in values},
        value=loss,
    )


def _shares(trials: "list[optuna.trial.FrozenTrial]", names: list[str]) -> np.ndarray[Any, Any]:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few trials under a condition: the interval shows it
        level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study()
            study.add_trials(trials)
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        finally:
            optuna.logging.set_verbosity(level)
    return np.array([found.get(name, 0.0) for name in names])


def notes(frame: pd.DataFrame) -> list[str]:
    """Of which trials the importances are, and where there were too few."""
    found = []
    for row in frame.drop_duplicates([*SETTING]).itertuples():
        where = f"{row.objective} ({row.clock} clock, {row.device}, budget {row.budget})"
        if np.isnan(float(row.importance)):  # type: ignore[arg-type]
            found.append(
                f"Importances on {where}: {row.of} trainings came to their end or failed, "
                f"{FEWEST} are needed."
            )
        else:
            found.append(
                f"Importances on {where} are of {row.trials} of the {row.of} trainings "
                "that came to their end or failed; those stopped early are not among them, and one "
                "that several searches of a seed made counts once."
            )
    return found


def draw(frame: pd.DataFrame) -> "Figure":
    """The parameters from the most important down, with their intervals."""
    from bench.metrics import _style as style

    order = frame.sort_values("clock", ascending=False).drop_duplicates("parameter")
    names = list(order.sort_values("importance", ascending=False)["parameter"])
    made, (axes,) = style.figure(1, sharey=False)
    made.set_size_inches(7.0, 1.4 + 0.27 * len(names))
    looks = style.look(frame)
    for index, (label, kind) in enumerate(looks.items()):
        rows = frame[frame["algorithm"] == label].set_index("parameter").reindex(names)
        y = np.arange(len(names)) + 0.3 * (index - (len(looks) - 1) / 2)
        ends = np.nan_to_num([rows["importance"] - rows["low"], rows["high"] - rows["importance"]])
        shown = {**kind, "linestyle": "none"}
        bars = axes.errorbar(
            rows["importance"], y, xerr=ends, capsize=2.5, elinewidth=1, markersize=5.5, **shown
        )
        for line in bars.lines[2]:
            line.set_linestyle(kind["linestyle"])
    conditional = set(frame.loc[frame["active"] < 1, "parameter"])
    axes.set_yticks(
        range(len(names)),
        [style.plain(f"{name} *" if name in conditional else name) for name in names],
    )
    axes.invert_yaxis()
    axes.axvline(1 / len(names), color="0.3", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("importance (share)")
    n = sorted(set(frame["n"]))
    over = f"n = {' and '.join(map(str, n))} seed{'s' * (max(n) > 1)}"
    trials = " and ".join(f"{each:,}" for each in sorted(set(frame["trials"])))
    caption = [
        f"PED-ANOVA for the best tenth, over {trials} trials of all searches, "
        "trained in full or failed",
        f"95 % jackknife interval over {over}" if max(n) > 1 else f"{over}, so no interval",
        "dashed: equal shares" + ("; *: active under a condition only" if conditional else ""),
    ]
    if frame["importance"].isna().any():
        caption.append(f"missing: fewer than {FEWEST} such trials")
    return style.finish(made, frame, "Parameter importances", caption)
