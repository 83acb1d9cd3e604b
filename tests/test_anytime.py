"""What was found at each moment, over all objectives, against numbers worked out by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from journals import cell, end, plan_of, report, results, suggest, write
from scipy.stats import trim_mean

from bench.cell import PlugIn
from bench.metrics import _bootstrap as bootstrap
from bench.metrics import ecdf, mean_rank, normalised_regret, performance_profile, regret
from bench.report.table import load

ALL = [ecdf, mean_rank, normalised_regret, performance_profile]


def bowl(name: str = "bowl") -> PlugIn:
    return PlugIn(name, {"max_steps": 1})


def two_objectives(folder: Path) -> Path:
    """Each search of 3 s has its results after 1, 2 and 3 s; the optimum is 0.

    | objective | random: first trial, final | tpe: first, final |
    | bowl      | 1.0, 0.8                   | 1.0, 0.5          |
    | hill      | 2.0, 0.4                   | 2.0, 0.5          |
    """
    for name, first, finals in (("bowl", 1.0, (0.8, 0.5)), ("hill", 2.0, (0.4, 0.5))):
        for algorithm, last in zip(("random", "tpe"), finals, strict=True):
            of = cell(algorithm, objective=bowl(name))
            results(folder, of, (1, first), (2, first), (3, last), wall=3, optimum=0.0)
    return folder


def last(frame: pd.DataFrame, algorithm: str, axis: str = "seconds") -> Any:
    return frame[(frame["algorithm"] == algorithm) & (frame["axis"] == axis)].iloc[-1]


def value(frame: pd.DataFrame, algorithm: str, x: float, axis: str = "seconds") -> float:
    """The value at x: of the points up to it, the last."""
    rows = frame[(frame["algorithm"] == algorithm) & (frame["axis"] == axis)]
    return float(rows.loc[rows["x"] <= x * (1 + 1e-9), "value"].iloc[-1])


def test_the_interquartile_mean_leaves_out_the_best_and_the_worst_quarter() -> None:
    eight = np.array([[1.0], [2], [3], [4], [5], [6], [7], [80]])
    assert bootstrap.iqm(eight, (8,))[0] == pytest.approx(4.5), "of 3, 4, 5 and 6"
    five = np.array([[1.0], [2], [3], [4], [50]])
    assert bootstrap.iqm(five, (5,))[0] == pytest.approx(3), "a quarter of 5, rounded down: 1"
    three = np.array([[1.0], [2], [9]])
    assert bootstrap.iqm(three, (3,))[0] == pytest.approx(4), "the mean: nothing to leave out"


def test_its_interval_is_that_of_trimmed_means_of_resamples_within_each_stratum() -> None:
    values = np.random.default_rng(0).exponential(size=(9, 5))
    values[:, 1] = values[:, 0]
    _, low, high = bootstrap.iqm(values, (5, 4))
    drawn = bootstrap.counts((5, 4)).astype(int)
    assert (drawn[:, :5].sum(axis=1) == 5).all() and (drawn[:, 5:].sum(axis=1) == 4).all()
    expected = [trim_mean(np.repeat(values, each, axis=0), 0.25, axis=0) for each in drawn]
    assert low == pytest.approx(np.quantile(expected, 0.025, axis=0))
    assert high == pytest.approx(np.quantile(expected, 0.975, axis=0))
    assert np.isnan(bootstrap.iqm(values[:2], (1, 1))[1]).all(), "one run of each: no interval"


def test_regret_has_the_interquartile_mean_beside_the_median(tmp_path: Path) -> None:
    for seed, loss in enumerate((0.1, 0.2, 0.9)):
        results(tmp_path, cell(seed=seed), (1, 1), (2, 1), (3, loss), wall=3, optimum=0.0)
    row = regret.compute(load(tmp_path)).iloc[-1]
    assert (row["regret"], row["iqm"]) == (pytest.approx(0.2), pytest.approx(0.4))
    assert (row["iqm_low"], row["iqm_high"]) == (pytest.approx(0.1), pytest.approx(0.9))


def test_normalised_regret_puts_objectives_on_one_scale(tmp_path: Path) -> None:
    frame = normalised_regret.compute(load(two_objectives(tmp_path)))
    # tpe: 0.5 of 1.0 and 0.5 of 2.0; random 0.8 of 1.0 and 0.4 of 2.0
    assert last(frame, "tpe")["value"] == pytest.approx((0.5 + 0.25) / 2)
    assert last(frame, "random")["value"] == pytest.approx((0.8 + 0.2) / 2)
    # seconds are relative to random's 3; nothing has changed before all three have arrived
    assert last(frame, "tpe")["x"] == pytest.approx(1)
    assert value(frame, "tpe", 0.99) == pytest.approx(1)
    assert last(frame, "tpe", "steps")["x"] == pytest.approx(3), "trainings of one step"
    row = last(frame, "tpe")
    assert (row["objective"], row["objectives"], row["n"]) == ("bowl, hill", 2, 2)


def test_a_search_without_a_result_yet_or_any_more_counts_as_the_worst_loss(
    tmp_path: Path,
) -> None:
    results(tmp_path, cell(), (1, 1.0), (2, 1.0), (6, 0.5), wall=6, optimum=0.0)
    events = [suggest(0), report(0, 2.0, 0.2), end(4.0, "failed", "RuntimeError: no")]
    write(tmp_path, cell("tpe"), events, optimum=0.0, worst_loss=3.0)
    frame = normalised_regret.compute(load(tmp_path))
    # of random's 6 seconds: its first result after 1, the only one of tpe after 2, its end after 4
    assert value(frame, "tpe", 1.5 / 6) == pytest.approx(3.0)
    assert value(frame, "tpe", 3 / 6) == pytest.approx(0.2)
    assert value(frame, "tpe", 5 / 6) == pytest.approx(3.0)
    ranks = mean_rank.compute(load(tmp_path))
    assert [value(ranks, "tpe", x / 6) for x in (1.5, 3, 5)] == [2, 1, 2]


def test_mean_rank_is_over_objectives_and_equals_share_theirs(tmp_path: Path) -> None:
    frame = mean_rank.compute(load(two_objectives(tmp_path)))
    assert value(frame, "tpe", 0.5) == 1.5, "first trials are equal"
    assert last(frame, "tpe")["value"] == 1.5, "first on one objective, second on the other"
    assert mean_rank.ranked(np.array([[3.0, 1.0, 3.0]])).tolist() == [[2.5, 1, 2.5]]


def test_ranks_are_of_the_seeds_that_all_algorithms_have(tmp_path: Path) -> None:
    for seed in range(3):
        results(tmp_path, cell(seed=seed), (1, 1), (2, 1), (3, 0.5), wall=3)
    results(tmp_path, cell("tpe", seed=1), (1, 1), (2, 1), (3, 0.4), wall=3)
    row = last(mean_rank.compute(load(tmp_path)), "tpe")
    assert (row["value"], row["n"], row["left_out"]) == (1, 1, 2)


def test_the_share_of_targets_counts_those_that_a_search_has_reached(tmp_path: Path) -> None:
    results(tmp_path, cell(), (1, 1.0), (2, 1.0), (3, 0.1), wall=3, optimum=0.0)
    frame = ecdf.compute(load(tmp_path))
    # targets 10^0, 10^-0.06, ..., 10^-3: of 51 one is at least 1, and 17, to 10^-0.96, at least 0.1
    assert value(frame, "random", 0.5) == pytest.approx(1 / 51)
    assert last(frame, "random")["value"] == pytest.approx(17 / 51)


def test_a_performance_profile_is_that_of_dolan_and_more(tmp_path: Path) -> None:
    # the target: random's median final loss, of 0.5 and 0.7: 0.6
    results(tmp_path, cell(seed=0), (2, 0.5), (5, 1.0), (9, 1.0), wall=9)
    results(tmp_path, cell(seed=1), (2, 0.7), (5, 1.0), (9, 1.0), wall=9)
    results(tmp_path, cell("tpe", seed=0), (4, 0.6), (5, 1.0), (9, 1.0), wall=9)
    results(tmp_path, cell("tpe", seed=1), (3, 0.1), (5, 1.0), (9, 1.0), wall=9)
    frame = performance_profile.compute(load(tmp_path))
    # seed 0: 2 s and 4 s, ratios 1 and 2; seed 1: never and 3 s, ratios infinite and 1
    share = {
        name: [value(frame, name, x, "ratio") for x in (1, 1.9, 2)] for name in ("random", "tpe")
    }
    assert share == {"random": [0.5, 0.5, 0.5], "tpe": [0.5, 0.5, 1.0]}
    assert set(frame["n"]) == {2}


@pytest.mark.parametrize("metric", ALL)
def test_devices_and_budgets_are_never_mixed_and_intervals_hold_the_value(
    metric: Any, tmp_path: Path
) -> None:
    plan_of(tmp_path)
    plan_of(tmp_path, device="cuda")
    plan_of(tmp_path, budget=4)
    frame = metric.compute(load(tmp_path))
    assert set(frame["n"]) == {3}
    assert len(frame.drop_duplicates(["device", "budget"])) == 3
    assert (frame["low"] <= frame["value"] + 1e-9).all()
    assert (frame["value"] <= frame["high"] + 1e-9).all()


@pytest.mark.parametrize("metric", ALL)
def test_searches_that_never_had_a_result_are_not_an_error(metric: Any, tmp_path: Path) -> None:
    for algorithm in ("random", "tpe"):
        write(tmp_path, cell(algorithm), [suggest(0), end(1.0, "failed", "RuntimeError: no")])
    metric.compute(load(tmp_path))
