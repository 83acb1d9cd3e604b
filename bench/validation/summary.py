"""Errors of virtual searches, summed up: what a report says of all its virtual figures."""

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.validation.errors import ERRORS, TARGETS
from bench.validation.search import Array

CHANCE = "chance"


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """For each part and error: the median of its size over the `n` groups, with its interval.

    A group is an algorithm at a GPU count; only seeds that all groups have are used. A group's time
    to target is the Kaplan-Meier median over its seeds, for real and virtually, as in the report;
    its other errors are the medians of its pairs'. Where only one clock's median is finite, the
    group is infinitely wrong, and counts as `missed`; where neither is, there is nothing to
    compare. `bias` is the signed median. The interval is that of a bootstrap of seeds, so that
    what few seeds leave open of the real medians is in it, too.

    The part CHANCE is the real searches against themselves with other seeds (pairs of resamples):
    no simulation of so many seeds can be expected to be nearer.
    """
    real = _grids(frame[frame["part"] == frame["part"].iloc[0]])
    rows = [_chance(name, real) for name in TARGETS]
    for part, of_part in frame.groupby("part", sort=False):
        grids = _grids(of_part)
        seeds = grids["wall"].shape[1]
        ranks = np.vstack([np.arange(seeds)[None, :], statistics.resamples(seeds)])
        for name in ERRORS:
            errors = _of_groups(name, grids, ranks)
            known = errors[:, 0][~np.isnan(errors[:, 0])]
            sizes = np.sort([_middle(np.abs(each)) for each in errors.T[1:]])
            low, high = _ends(sizes[~np.isnan(sizes)]) if seeds > 1 else (np.nan, np.nan)
            rows.append(
                {
                    "part": part,
                    "error": name,
                    "median": _middle(np.abs(known)),
                    "low": low,
                    "high": high,
                    "bias": _middle(known),
                    "n": len(known),
                    "missed": int(np.isinf(known).sum()),
                    "seeds": seeds,
                }
            )
    return pd.DataFrame(rows)


def _grids(of_part: pd.DataFrame) -> dict[str, Array]:
    """Each column as an array (groups, seeds)."""
    found = {
        str(name): of_part.pivot(index=["algorithm", "gpus"], columns="seed", values=str(name))
        for name in of_part.select_dtypes("number").columns.difference(["gpus", "seed"])
    }
    seeds = found["wall"].dropna(axis=1).columns
    return {name: grid[seeds].to_numpy(float) for name, grid in found.items()}


def _of_groups(name: str, grids: dict[str, Array], ranks: np.ndarray) -> Array:
    """The error of each group in each resample of seeds: (groups, resamples)."""
    target = name.removeprefix("time_to_")
    if target not in TARGETS:
        return np.median(grids[name][:, ranks], axis=-1)  # type: ignore[no-any-return]
    return _relative(_times("real", target, grids, ranks), _times("virtual", target, grids, ranks))


def _chance(target: str, grids: dict[str, Array]) -> dict[str, object]:
    """How far the times to target of two sets of real searches are apart that differ in seeds."""
    seeds = grids["wall"].shape[1]
    times = _times("real", target, grids, statistics.resamples(seeds))
    one, other = np.split(times, 2, axis=1)
    sizes = np.sort([_middle(np.abs(each)) for each in _relative(one, other).T])
    sizes = sizes[~np.isnan(sizes)]
    low, high = _ends(sizes) if seeds > 1 else (np.nan, np.nan)
    return {
        "part": CHANCE,
        "error": f"time_to_{target}",
        "median": _middle(sizes) if seeds > 1 else np.nan,
        "low": low,
        "high": high,
        "bias": 0.0,
        "n": len(times),
        "missed": 0,
        "seeds": seeds,
    }


def _times(clock: str, target: str, grids: dict[str, Array], ranks: np.ndarray) -> Array:
    """Median seconds to target of each group in each resample of seeds: (groups, resamples)."""
    reached, end = grids[f"{clock}_seconds_to_{target}"], grids[f"{clock}_seconds"]
    return statistics.survival_median(
        np.minimum(reached, end)[:, ranks], np.isfinite(reached)[:, ranks]
    )


def _relative(real: Array, virtual: Array) -> Array:
    neither, one = np.isinf(real) & np.isinf(virtual), np.isinf(real) | np.isinf(virtual)
    with np.errstate(invalid="ignore"):
        return np.where(neither, np.nan, np.where(one, np.inf, virtual / real - 1))


def _middle(values: Array) -> float:
    """The median of those that are known."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.nan
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    return float(low if low == high else (low + high) / 2)


def _ends(sizes: Array) -> tuple[float, float]:
    if not len(sizes):
        return np.nan, np.nan
    tail = (1 - statistics.LEVEL) / 2
    low = np.quantile(sizes, tail, method="lower")  # no mean of finite and infinite
    high = np.quantile(sizes, 1 - tail, method="higher")
    return float(low), float(high)
