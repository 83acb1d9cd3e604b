"""Scaling efficiency of pairs of searches, its two factors, and what another doubling is worth.

With T the seconds to the target on G GPUs and N the GPU-seconds that trials had trained by then:

    E = T(g0) g0 / (T(G) G)                        scaling efficiency
    U = (N(G) / (T(G) G)) / (N(g0) / (T(g0) g0))   utilisation ratio: less than 1 is the engine's
    S = N(g0) / N(G)                               sample efficiency: less than 1, the algorithm's

so that E = U S for each pair: a GPU that is held either does not train, or trains what does not
help. (The efficiency of parallel runs as in Amdahl, AFIPS 1967, of the time to a solution.)
"""

from typing import Any

import numpy as np
import pandas as pd

from bench.metrics import _statistics as statistics
from bench.metrics._table import groups

SAMPLE = (
    "sample_efficiency",
    *("sample_at_least", "sample_at_most", "sample_low", "sample_high"),
)
DOUBLING = ("doubling", "doubling_low", "doubling_high", "doubling_n", "worth_it")


def pairs(base: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """One row for each seed of both; the columns efficiency, utilisation and sample are E, U, S.

    A search that never reached the target bounds E and S from one side only (`_least`, `_most`:
    0 or infinite where nothing is known); its utilisation is that up to its end. Where it is not
    known how long trials trained, U and S are missing.
    """
    both = base.merge(members, on="seed", suffixes=("_base", ""))
    held_base, held = (both[f"target_seconds{of}"] * both[f"gpus{of}"] for of in ("_base", ""))
    trained_base, trained = (
        both[f"target_trained{of}"].where(both[f"target_trained{of}"] > 0) for of in ("_base", "")
    )
    found = both.assign(
        efficiency=held_base / held,
        utilisation=(trained / held) / (trained_base / held_base),
        sample=trained_base / trained,
    )
    for name in ("efficiency", "sample"):
        known = found[name].notna()
        found[f"{name}_least"] = found[name].where(found["reached"] | ~known, 0.0)
        found[f"{name}_most"] = found[name].where(found["reached_base"] | ~known, np.inf)
    return found


def summary(found: pd.DataFrame) -> dict[str, Any]:
    """Medians over the `n` pairs with intervals, of which `censored` bound E and S.

    The median then lies between `at_least` and `at_most`, and is empty if these differ; `low` and
    `high` are the bootstrap interval's ends for these two bounds.
    """
    used = statistics.median(found["utilisation"])
    return {
        **_bounded(found, "efficiency", ("efficiency", "at_least", "at_most", "low", "high")),
        "utilisation_ratio": float(used.median),
        "utilisation_low": float(used.low),
        "utilisation_high": float(used.high),
        **_bounded(found, "sample", SAMPLE),
        "n": len(found),
        "censored": int((~(found["reached"] & found["reached_base"])).sum()),
    }


def _bounded(found: pd.DataFrame, of: str, names: tuple[str, ...]) -> dict[str, float]:
    least = statistics.median(found[f"{of}_least"])
    most = statistics.median(found[f"{of}_most"])
    value = float(least.median) if least.median == most.median else np.nan
    ends = (least.median, most.median, least.low, most.high)
    return dict(zip(names, [value, *map(float, ends)], strict=True))


def wasted_by(row: dict[str, Any]) -> str:
    """Which of the two factors is shown to be less than 1: its interval lies below."""
    by = [
        who
        for who, high in (("engine", "utilisation_high"), ("algorithm", "sample_high"))
        if row[high] < 1
    ]
    return " and ".join(by) or "not shown"


def doublings(cells: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """For each GPU count G of an algorithm, the speed-up T(G) / T(2G) of another doubling.

    `doubling` with its interval `doubling_low` to `doubling_high` over `doubling_n` pairs, and
    `worth_it` (see `_verdict`); empty where 2G was not measured.
    """
    by = {counted["gpus"]: members for counted, members in groups(cells, ["gpus"])}
    nothing = {**dict.fromkeys(DOUBLING, np.nan), "doubling_n": 0, "worth_it": ""}
    found: dict[int, dict[str, Any]] = dict.fromkeys(by, nothing)
    for count in by:
        if 2 * count in by and (twice := summary(pairs(by[count], by[2 * count])))["n"]:
            low, high = 2 * twice["low"], 2 * twice["high"]
            values = 2 * twice["efficiency"], low, high, twice["n"], _verdict(low, high)
            found[count] = dict(zip(DOUBLING, values, strict=True))
    return found


def _verdict(low: float, high: float) -> str:
    """An interval of speed-ups above 1 is "yes", one that includes 1 is "no".

    It is "cannot tell" if it includes 2 as well: as fast as can be, or useless.
    """
    if low > 1:
        return "yes"
    return "no" if high < 2 else "cannot tell"


def enough(doubled: dict[int, dict[str, Any]]) -> float:
    """The fewest GPUs of which another doubling is not shown to help: its interval includes 1.

    Missing where all that were measured help, or the first that does not has no interval.
    """
    count = min(doubled)
    while count in doubled and doubled[count]["worth_it"] == "yes":
        count *= 2
    known = count in doubled and not np.isnan(doubled[count]["doubling_low"])
    return float(count) if known else np.nan
