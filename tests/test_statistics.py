"""Medians and their intervals: against exact probabilities, and against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from bench.metrics import _statistics as statistics


def test_the_bootstrap_interval_of_a_median_is_the_exact_one() -> None:
    # Of 5 values 1..5, a resample's median is at most 1 with P(Binomial(5, 1/5) >= 3) = 5.8 %:
    # more than 2.5 %, so the interval is the range
    found = statistics.median([3.0, 1.0, 5.0, 2.0, 4.0])
    assert tuple(map(float, found)) == (3.0, 1.0, 5.0)
    # Of 9 values 1..9: at most 2 with P(Binomial(9, 2/9) >= 5) = 2.8 %, at most 1 with 0.1 %
    nine = statistics.median(np.arange(1.0, 10.0))
    assert tuple(map(float, nine)) == (5.0, 2.0, 8.0)


def test_intervals_are_the_same_in_every_run_and_for_every_order() -> None:
    values = np.random.default_rng(0).normal(size=7)
    assert statistics.median(values) == statistics.median(values[::-1])
    drawn = statistics.resamples(7)
    statistics.resamples.cache_clear()
    np.random.seed(1)
    assert (statistics.resamples(7) == drawn).all()


def test_one_value_has_no_interval_and_equal_values_have_none_to_speak_of() -> None:
    one = statistics.median([2.0])
    assert one.median == 2.0
    assert np.isnan([one.low, one.high]).all()
    assert tuple(map(float, statistics.median([2.0] * 4))) == (2.0, 2.0, 2.0)
    assert np.isnan(statistics.median([])).all()


def test_coverage_of_the_range_of_three_values_is_three_quarters() -> None:
    # all three are on one side of the true median with 2 · (1/2)^3
    assert statistics.coverage(3) == 0.75


FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.lists(FINITE, min_size=2, max_size=12))
def test_an_interval_holds_the_median_and_lies_in_the_range(values: list[float]) -> None:
    middle, low, high = map(float, statistics.median(values))
    assert min(values) <= low <= middle <= high <= max(values)
    assert middle == pytest.approx(float(np.median(values)))


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=12))
def test_the_survival_median_is_that_of_statsmodels(pairs: list[tuple[int, bool]]) -> None:
    time, reached = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs])
    found = float(statistics.survival_median(time, reached))
    if not reached.any():
        assert found == np.inf
        return
    curve = SurvfuncRight(time, reached.astype(int))
    below = curve.surv_times[curve.surv_prob < 0.5 - 1e-9]
    to_half = curve.surv_times[curve.surv_prob < 0.5 + 1e-9]
    expected = np.inf if not len(below) else (below[0] + to_half[0]) / 2
    assert found == expected


@given(st.lists(FINITE, min_size=1, max_size=12))
def test_without_censoring_the_survival_median_is_the_median(times_: list[float]) -> None:
    found = statistics.survival_median(times_, [True] * len(times_))
    assert float(found) == pytest.approx(float(np.median(times_)))
