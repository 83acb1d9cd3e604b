"""The cheap objectives: their formulas, their known optima, and the curves that lead there."""

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import minimize

from bench.check._training import configurations, numbers
from bench.corners import corners
from bench.objective import Objective
from bench.objectives import branin, hartmann6
from bench.objectives._curve import remaining
from bench.objectives.branin import Branin
from bench.objectives.counting_ones import CountingOnes
from bench.objectives.hartmann6 import Hartmann6
from bench.objectives.sphere import Sphere

MIXED = Sphere(dimensions=2, integers=1, logs=1, choices=1)
DETERMINISTIC = [Branin(), Hartmann6(), Sphere(), MIXED, Sphere(dimensions=0, choices=3)]
ALL: list[Objective] = [*DETERMINISTIC, CountingOnes(), CountingOnes(max_steps=81)]

MINIMISERS: dict[str, tuple[Objective, dict[str, Any]]] = {
    "branin, left": (Branin(), {"x1": -math.pi, "x2": 12.275}),
    "branin, middle": (Branin(), {"x1": math.pi, "x2": 2.275}),
    "branin, right": (Branin(), {"x1": 3 * math.pi, "x2": 2.475}),
    "hartmann6": (
        Hartmann6(),
        dict(
            zip(
                [f"x{n}" for n in range(1, 7)],
                [0.20168951, 0.15001069, 0.47687397, 0.27533243, 0.31165162, 0.65730053],
                strict=True,
            )
        ),
    ),
    "sphere": (Sphere(), {f"x{n}": 0.37 for n in range(1, 5)}),
    "sphere, mixed": (MIXED, {"x1": 0.37, "x2": 0.37, "n1": 3, "s1": 1e-4, "c1": "c"}),
    "counting_ones": (
        CountingOnes(),
        dict.fromkeys([f"{kind}{n}" for kind in "cp" for n in range(1, 5)], 1),
    ),
}


def losses(objective: Objective, configuration: dict[str, Any], seed: int = 0) -> list[float]:
    """Of a full training."""
    return [v["loss"] for v in numbers(objective, configuration, seed, objective.max_steps)]


def of(x: np.ndarray) -> dict[str, float]:
    return {f"x{n}": float(value) for n, value in enumerate(x, start=1)}


# The optimum and the worst


@pytest.mark.parametrize(("objective", "best"), MINIMISERS.values(), ids=MINIMISERS)
def test_the_known_minimiser_trains_to_the_optimum(
    objective: Objective, best: dict[str, Any]
) -> None:
    assert losses(objective, best)[-1] == pytest.approx(objective.optimum, abs=1e-12)


@pytest.mark.parametrize(
    "objective", [Branin(max_steps=1), Hartmann6(max_steps=1), Sphere(max_steps=1)]
)
def test_nothing_below_the_optimum_is_found_from_many_starts(objective: Objective) -> None:
    space = objective.space()
    bounds = [(space[name].lower, space[name].upper) for name in space]
    lower, upper = np.array(bounds).T
    generator = np.random.default_rng(0)
    found = []
    for _ in range(12):
        start = lower + (upper - lower) * generator.random(len(bounds))
        found.append(minimize(lambda x: losses(objective, of(x))[-1], start, bounds=bounds).fun)
    assert objective.optimum is not None
    assert min(found) == pytest.approx(objective.optimum, abs=1e-6)
    assert min(found) >= objective.optimum


def test_branin_has_its_greatest_value_in_the_corner_and_its_three_minima_nowhere_else() -> None:
    grid = [
        (branin.value(-5 + 15 * i / 300, 15 * j / 300), -5 + 15 * i / 300)
        for i, j in itertools.product(range(301), repeat=2)
    ]
    greatest, x1 = max(grid)
    assert x1 == -5 and 308.129 < greatest <= Branin.worst_loss
    near = sorted({round(x1 / math.pi) for value, x1 in grid if value < 0.45})
    assert near == [-1, 1, 3]


def test_spheres_distance_is_a_mean_over_parameters_of_all_types() -> None:
    worst = {"x1": 1.0, "x2": 1.0, "n1": 10, "s1": 1e-1, "c1": "b"}
    assert losses(MIXED, worst)[-1] == pytest.approx(1)
    point = {"x1": 0.37, "x2": 0.37 + 0.63 / 2, "n1": 10, "s1": 1e-1, "c1": "d"}
    assert losses(MIXED, point)[-1] == pytest.approx((0 + 0.25 + 1 + 1 + 0.7) / 5)


@pytest.mark.parametrize(("objective", "best"), MINIMISERS.values(), ids=MINIMISERS)
def test_the_optimum_is_neither_the_centre_nor_at_a_bound_of_all(
    objective: Objective, best: dict[str, Any]
) -> None:
    """But for counting_ones, whose ones are its definition."""
    if isinstance(objective, CountingOnes):
        assert best in corners(objective.space())
        return
    assert best not in corners(objective.space())
    centre = dict(objective.space().get_default_configuration())
    assert losses(objective, centre)[-1] > losses(objective, best)[-1] + 0.01


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_no_report_is_below_the_optimum_or_above_the_worst(objective: Objective) -> None:
    assert objective.optimum is not None
    for configuration in [*configurations(objective, 100), *corners(objective.space())]:
        for loss in losses(objective, configuration):
            assert objective.optimum <= loss <= objective.worst_loss


# The curves


def test_the_share_that_is_left_follows_the_power_law() -> None:
    """(2⁻² - 4⁻²) / (1 - 4⁻²) = (1/4 - 1/16) / (15/16) = 1/5; (1/9 - 1/16) / (15/16) = 7/135."""
    shares = [remaining(step, 3, 2.0) for step in range(5)]
    assert shares == pytest.approx([1, 1 / 5, 7 / 135, 0, 0])
    assert shares[3] == 0


@pytest.mark.parametrize("objective", DETERMINISTIC, ids=str)
def test_the_loss_falls_with_every_step_to_exactly_the_functions_value(
    objective: Objective,
) -> None:
    for configuration in configurations(objective, 20):
        curve = losses(objective, configuration)
        assert all(before > after for before, after in itertools.pairwise(curve))
        assert (
            curve[-1]
            == losses(type(objective)(**{**objective.model_dump(), "max_steps": 1}), configuration)[
                -1
            ]
        )


def test_the_last_loss_is_the_function() -> None:
    assert losses(Branin(), {"x1": 2.0, "x2": 3.0})[-1] == branin.value(2.0, 3.0)
    assert losses(Hartmann6(), of(np.full(6, 0.4)))[-1] == hartmann6.value([0.4] * 6)


@pytest.mark.parametrize("objective", [Branin(), Hartmann6(), Sphere(), MIXED], ids=str)
def test_curves_cross_so_that_stopping_early_mostly_helps_and_can_be_wrong(
    objective: Objective,
) -> None:
    curves = [losses(objective, configuration) for configuration in configurations(objective, 100)]
    pairs = [*itertools.combinations(curves, 2)]
    wrong = sum((one[0] < two[0]) != (one[-1] < two[-1]) for one, two in pairs) / len(pairs)
    assert 0.005 < wrong < 0.4


def test_the_minimum_of_branin_that_is_far_left_trains_the_slowest() -> None:
    left, middle, right = ([*MINIMISERS.values()][index][1] for index in range(3))
    assert losses(Branin(), left)[0] > losses(Branin(), middle)[0] > losses(Branin(), right)[0]


# Counting ones


def test_counting_ones_is_the_papers_function_scaled_to_0_and_1() -> None:
    """Two ones of four, a sure 0 and a sure 1: f = -3, and (f + d) / d = 3 / 6."""
    objective = CountingOnes(categoricals=4, continuous=2)
    configuration = {"c1": 1, "c2": 0, "c3": 1, "c4": 0, "p1": 0.0, "p2": 1.0}
    assert losses(objective, configuration) == [0.5] * 9


def test_a_steps_loss_is_the_mean_of_all_samples_so_far_which_grow_linearly() -> None:
    objective = CountingOnes(categoricals=0, continuous=1, samples=6, max_steps=3)
    curve = losses(objective, {"p1": 0.5})
    ones = [round((1 - loss) * samples) for loss, samples in zip(curve, (2, 4, 6), strict=True)]
    assert curve == pytest.approx([1 - count / (2 * k) for k, count in enumerate(ones, start=1)])
    assert all(0 <= more - less <= 2 for less, more in itertools.pairwise([0, *ones]))


def test_samples_that_do_not_divide_evenly_are_all_drawn_by_the_end() -> None:
    objective = CountingOnes(categoricals=0, continuous=1, samples=10, max_steps=4)
    training = objective.train({"p1": 1.0}, 0, "cpu")
    drawn = []
    for _ in range(4):
        training.step()
        drawn.append(json.loads(training.state())["ones"][0])
    assert drawn == [2, 5, 7, 10]


def test_the_noise_is_that_of_so_many_bernoulli_samples() -> None:
    """Standard deviation √(p (1 - p) / b) with p = 0.25: 0.0481 for b = 81, 0.0160 for 729."""
    objective = CountingOnes(categoricals=0, continuous=1)
    curves = np.array([losses(objective, {"p1": 0.25}, seed) for seed in range(1000)])
    assert curves.mean(axis=0) == pytest.approx(0.75, abs=0.005)
    assert curves[:, 0].std() == pytest.approx(0.0481, rel=0.07)
    assert curves[:, -1].std() == pytest.approx(0.0160, rel=0.07)


def test_continuous_parameters_have_samples_of_their_own() -> None:
    objective = CountingOnes(categoricals=0, continuous=2, samples=200, max_steps=1)
    training = objective.train({"p1": 0.5, "p2": 0.5}, 0, "cpu")
    training.step()
    one, two = json.loads(training.state())["ones"]
    assert one != two


# Options


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Sphere, {"dimensions": 0}, "are all 0: set one of them"),
        (CountingOnes, {"categoricals": 0, "continuous": 0}, "both 0: set one of them"),
        (CountingOnes, {"samples": 8}, "samples = 8 is less than one for each of max_steps"),
        (Branin, {"max_steps": 0}, "max_steps"),
        (Hartmann6, {"dimensions": 6}, "dimensions"),
    ],
)
def test_options_that_make_no_objective_are_refused(
    kind: type[Objective], options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        kind(**options)


def test_one_step_is_a_full_training() -> None:
    assert losses(Branin(max_steps=1), {"x1": 2.0, "x2": 3.0}) == [branin.value(2.0, 3.0)]
