"""Functions are drawn from just the process that scikit-learn's regression finds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bench.field import Field, Kernel, fitted
from bench.scores import Scores

Array = NDArray[np.float64]
KERNEL = Kernel(variance=1.7, length_scales=(0.4, 1.5), noise=0.05)


def observed(count: int = 12) -> tuple[Array, Array]:
    generator = np.random.default_rng(3)
    points = generator.uniform(size=(count, 2))
    values = np.stack([np.sin(6 * points[:, 0]), points[:, 1] - points[:, 0]], axis=1)
    return points, values


def theirs(points: Array, values: Array) -> Any:
    """Scikit-learn's regression with this kernel."""
    function = ConstantKernel(KERNEL.variance) * Matern(KERNEL.length_scales, nu=1.5)
    kernel = function + WhiteKernel(KERNEL.noise)
    return GaussianProcessRegressor(kernel, optimizer=None).fit(points, values)


def test_drawn_functions_have_the_mean_and_the_deviation_of_the_process() -> None:
    points, values = observed()
    field = Field(KERNEL, points, values)
    asked = np.vstack([points[:3], [[0.1, 0.9], [0.5, 0.5], [3.0, -2.0]]])
    draws = np.array([[draw(each) for each in asked] for draw in map(field.draw, range(1500))])
    mean, covariance = theirs(points, values[:, 0]).predict(asked, return_cov=True)
    deviation = np.sqrt(np.diag(covariance) - KERNEL.noise)  # of the function, not of a new value
    spread = np.sqrt((values**2).mean(axis=0))  # outputs vary as the values do
    assert draws[..., 0].mean(axis=0) == pytest.approx(mean, abs=0.1)
    assert draws[..., 0].std(axis=0) == pytest.approx(deviation * spread[0], rel=0.2)
    assert draws[..., 1].std(axis=0) == pytest.approx(deviation * spread[1], rel=0.2)


def test_a_drawn_function_is_the_same_for_the_same_seed_and_only_then() -> None:
    field = Field(KERNEL, *observed())
    asked = np.array([0.3, 0.8])
    one, again, other = (field.draw(seed)(asked).tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_neighbours_of_a_drawn_function_are_alike() -> None:
    """Errors of their own would make the best of many neighbours better than any for real."""
    field = Field(KERNEL, *observed())
    one, other = np.array([3.0, -2.0]), np.array([3.005, -2.0])
    draws = np.array([[draw(one)[0], draw(other)[0]] for draw in map(field.draw, range(200))])
    assert np.std(draws[:, 0] - draws[:, 1]) < np.std(draws[:, 0]) / 20


def test_noise_varies_together_as_the_values_do() -> None:
    points, values = observed(200)
    drawn = Field(KERNEL, points, values).noise(0, 5000)
    expected = KERNEL.noise * values.T @ values / len(values)
    assert np.cov(drawn.T) == pytest.approx(expected, rel=0.1, abs=1e-3)


def test_what_is_expected_without_a_group_is_what_a_regression_on_the_rest_says() -> None:
    points, values = observed()
    groups = [[0, 5, 7], [1], [2, 3], [4, 6, 8, 9, 10, 11]]
    expected = Field(KERNEL, points, values).without(groups)
    for group in groups:
        rest = [row for row in range(len(points)) if row not in group]
        told = theirs(points[rest], values[rest]).predict(points[group])
        assert expected[group] == pytest.approx(told, abs=1e-9)


def test_a_fitted_kernel_finds_which_coordinate_matters() -> None:
    generator = np.random.default_rng(0)
    points = generator.uniform(size=(80, 2))
    values = np.sin(9 * points[:, 1]) + 0.1 * generator.standard_normal(80)
    kernel = fitted(points, values)
    assert kernel.length_scales[1] < 1 < 5 < kernel.length_scales[0]
    assert 0.003 < kernel.noise < 0.03  # 0.1 squared


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_scores_rise_with_the_values_and_go_back_to_them(column: list[float]) -> None:
    values = np.array(column)[:, None]
    scores = Scores(values)
    order = np.argsort(values[:, 0], kind="stable")
    assert (np.diff(scores.there[order, 0]) >= 0).all()
    ends = [scores.back(np.array([end])).item() for end in (-99.0, 99.0)]
    assert ends == pytest.approx([values.min(), values.max()], abs=1e-2 * np.ptp(values) + 1e-9)


def test_a_loss_may_be_a_little_better_than_the_best_that_was_recorded() -> None:
    """For one score more, as they fell over the least twentieth; and none worse than the worst."""
    losses = np.exp(np.linspace(0.0, 2.0, 101))[:, None]
    scores = Scores(losses, losses=1)
    at = [
        scores.back(np.array([score])).item() for score in (-99.0, scores.there[0, 0] - 0.5, 99.0)
    ]
    slope = 0.1 / (scores.there[5, 0] - scores.there[0, 0])  # the twentieth: 0.1 of the logarithm
    assert np.log(at[:2]) == pytest.approx([-slope, -slope / 2], rel=0.1)
    assert at[2] == pytest.approx(np.exp(2.0))
    below_zero = Scores(losses - 3.0, losses=1)
    assert -3.0 < below_zero.back(np.array([-99.0])).item() < -2.0
    assert Scores(np.ones((5, 1)), losses=1).back(np.array([-9.0])).item() == 1.0


def test_values_that_tie_come_back_as_often_as_they_were() -> None:
    scores = Scores(np.array([[1.0], [2.0], [2.0], [2.0]]))
    drawn = np.random.default_rng(0).standard_normal(4000) * scores.there.std()
    back = np.array([scores.back(np.array([score])).item() for score in drawn])
    assert scores.back(scores.there[1]).item() == 2.0
    assert (back == 2.0).mean() == pytest.approx(0.75, abs=0.05)
