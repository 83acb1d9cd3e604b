"""Grid search: which points it has, and in which order they come."""

from itertools import islice, product
from typing import Any

import ConfigSpace as cs
import pytest
from conftest import PLUGINS
from hypothesis import HealthCheck, given, settings
from ray.tune.search import Searcher
from test_space import spaces

from bench import plugins
from bench.algorithm import Problem
from bench.algorithms._grid import GridPoints, axis
from bench.algorithms.grid import Grid
from bench.engines._simulation import events_of, search_of
from bench.objective import Objective
from bench.objectives.mnist_cnn import MnistCnn
from bench.space import Parameter, active, parameters


def pet() -> cs.ConfigurationSpace:
    """A cat has lives, a dog may have a kennel; a kennel has a size. Legs are for both."""
    space = cs.ConfigurationSpace()
    kind = cs.Categorical("kind", ["cat", "dog"])
    lives, kennel = cs.Integer("lives", (7, 9)), cs.Categorical("kennel", ["no", "yes"])
    size, legs = cs.Float("size", (0.0, 2.0)), cs.Integer("legs", (3, 4))
    space.add(kind, lives, kennel, size, legs)
    space.add(cs.EqualsCondition(lives, kind, "cat"), cs.EqualsCondition(kennel, kind, "dog"))
    space.add(cs.EqualsCondition(size, kennel, "yes"))
    return space


PETS: list[dict[str, Any]] = [
    {"legs": legs, **rest}
    for legs in (3, 4)
    for rest in (
        {"kind": "cat", "lives": 7},
        {"kind": "cat", "lives": 8},
        {"kind": "cat", "lives": 9},
        {"kind": "dog", "kennel": "no"},
        {"kind": "dog", "kennel": "yes", "size": 0.0},
        {"kind": "dog", "kennel": "yes", "size": 1.0},
        {"kind": "dog", "kennel": "yes", "size": 2.0},
    )
]
"""All points with a resolution of 3."""


def suggestions(space: cs.ConfigurationSpace, seed: int = 0, resolution: int = 3) -> list[Any]:
    """The first hundred, or all up to the word that there are no more."""
    searcher, _ = Grid(resolution=resolution).ray(Problem(space, 9, 1, seed))
    found: list[Any] = [searcher.suggest(str(number)) for number in range(100)]
    assert Searcher.FINISHED not in found[: found.index(Searcher.FINISHED)]
    return found


def text(points: list[Any]) -> list[str]:
    return [str(sorted(each.items())) for each in points]


def test_every_point_comes_once_without_inactive_parameters_and_then_it_is_finished() -> None:
    found = suggestions(pet())
    assert found[14:] == [Searcher.FINISHED] * 86
    assert sorted(text(found[:14])) == sorted(text(PETS))


def test_the_order_is_random_and_that_of_the_seed() -> None:
    assert suggestions(pet(), seed=1) == suggestions(pet(), seed=1)
    assert suggestions(pet(), seed=1) != suggestions(pet(), seed=2)
    first = [text(suggestions(pet(), seed)[:1])[0] for seed in range(300)]
    counts = [first.count(point) for point in text(PETS)]
    assert sum(counts) == 300 and min(counts) >= 5 and max(counts) <= 45, "each 21 on average"


@given(spaces())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_points_are_all_distinct_configurations_of_the_axes(
    drawn: cs.ConfigurationSpace,
) -> None:
    """Against the list of all combinations, with the inactive parameters dropped."""
    axes = {each.name: axis(each, 2) for each in parameters(drawn)}
    combinations = islice(product(*axes.values()), 3000)
    listed = {
        str(sorted(active(drawn, dict(zip(axes, values, strict=True))).items()))
        for values in combinations
    }
    points = GridPoints(drawn, 2)
    found = [points.point(number) for number in range(points.count)]
    assert len(set(text(found))) == len(found)
    assert set(text(found)) >= listed
    assert all(active(drawn, each) == each for each in found)
    assert all(value in axes[name] for each in found for name, value in each.items())


def test_a_grid_of_billions_is_not_listed() -> None:
    """Conv3 with kernel3 makes 1 + 4 · 3 points, the schedule with its numbers 3 + 5 · 5."""
    points = GridPoints(MnistCnn().space(), 5)
    assert points.count == 5**6 * 4 * 3**4 * 13 * 28 == 1_842_750_000
    last = points.point(points.count - 1)
    assert active(MnistCnn().space(), last) == last


@pytest.mark.parametrize(
    ("parameter", "resolution", "expected"),
    [
        (Parameter("x", "float", 0.0, 1.0), 2, [0.0, 1.0]),
        (Parameter("x", "float", 0.0, 1.0), 5, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (Parameter("x", "float", 1e-5, 1e-3, log=True), 3, [1e-5, pytest.approx(1e-4), 1e-3]),
        (Parameter("n", "int", 1, 4), None, [1, 2, 3, 4]),
        (Parameter("n", "int", 1, 4), 4, [1, 2, 3, 4]),
        (Parameter("n", "int", 0, 10), 3, [0, 5, 10]),
        (Parameter("n", "int", 8, 64, log=True), 4, [8, 16, 32, 64]),
        (Parameter("n", "int", 1, 8, log=True), 7, [1, 2, 3, 4, 5, 6, 8]),
        (Parameter("c", "choice", choices=("a", "b", "c")), 2, ["a", "b", "c"]),
    ],
)
def test_an_axis_has_evenly_spaced_values_with_its_bounds(
    parameter: Parameter, resolution: int | None, expected: list[Any]
) -> None:
    found = axis(parameter, resolution)
    assert found == expected
    assert {type(each) for each in found} == {type(found[0])}


def test_integers_stay_distinct_and_as_many_as_asked_for() -> None:
    for lower, upper, count, log in product((1, 3), (9, 40, 97), (2, 5, 8, 13), (False, True)):
        found = axis(Parameter("n", "int", lower, upper, log=log), count)
        assert len(found) == min(count, upper - lower + 1)
        assert found == sorted(set(found)) and (found[0], found[-1]) == (lower, upper)


class Pet(MnistCnn):
    def space(self) -> cs.ConfigurationSpace:
        return pet()


@pytest.mark.parametrize(
    ("resolution", "budget", "reason"),
    [
        (None, 5, "a grid needs a number of points for size: give resolution, e.g. resolution = 5"),
        (3, 14, None),
        (
            3,
            15,
            "the grid has 14 points, fewer than the budget's 15 full trainings: "
            "lower the budget or raise resolution",
        ),
    ],
)
def test_a_grid_that_is_not_defined_or_too_small_is_refused(
    resolution: int | None, budget: int, reason: str | None
) -> None:
    assert Grid(resolution=resolution).refuse(Pet(), budget) == reason


def test_its_remark_is_how_much_of_it_is_searched() -> None:
    words = "the grid has 1,842,750,000 points; the budget covers 50 of them"
    assert Grid(resolution=5).remark(MnistCnn(), 50) == words
    assert not Grid.beats_random


def test_a_search_of_a_whole_grid_ends_when_its_budget_is_spent() -> None:
    kind = plugins.load_class("objectives", "toy", str(PLUGINS / "toy.py"))
    toy = kind()
    assert isinstance(toy, Objective)
    points = 2 * 2 * (1 + 2)  # x, n, and plain or one of two shifts
    events = events_of(search_of(toy, Grid(resolution=2), points))
    tried = [each["configuration"] for each in events if each["event"] == "suggest"]
    assert len(set(text(tried))) == len(tried) == points
    assert events[-1]["status"] == "completed"
