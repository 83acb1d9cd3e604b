"""A mixed space as a unit cube: what goes in comes out, and what is the same is one point."""

from typing import Any

import ConfigSpace as cs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.encoding import INACTIVE, CubeEncoding
from bench.objectives.mnist_cnn import MnistCnn
from bench.space import active


def toy() -> cs.ConfigurationSpace:
    """Every kind, a chain of conditions, a numeric parent, and choices of unlike types."""
    space = cs.ConfigurationSpace()
    kind = cs.Categorical("kind", ["plain", 3, (4, 4)])
    depth = cs.Integer("depth", (1, 5))
    width = cs.Integer("width", (1, 300), log=True)
    rate = cs.Float("rate", (1e-6, 1.0), log=True)
    order = cs.OrdinalHyperparameter("order", ["low", "middle", "high"])
    space.add(kind, depth, width, rate, order, cs.Constant("fixed", "same"))
    space.add(cs.Float("x", (-2.0, 3.0)), cs.Categorical("on", [True, False]))
    space.add(cs.GreaterThanCondition(width, depth, 2))
    space.add(cs.NotEqualsCondition(rate, kind, "plain"))
    space.add(cs.EqualsCondition(order, width, 7))
    return space


SPACES = {"mnist_cnn": MnistCnn().space(), "toy": toy()}
CUBES = {name: CubeEncoding(space) for name, space in SPACES.items()}
names = st.sampled_from(sorted(SPACES))


def points(name: str) -> st.SearchStrategy[Any]:
    """Points of the closed cube, its corners and the borders between cells among them."""
    coordinate = st.floats(0, 1) | st.sampled_from([0.0, 0.2, 0.25, 0.5, 1.0])
    return arrays(float, CUBES[name].dimensions, elements=coordinate)


@given(names, st.integers(0, 2**31))
@settings(max_examples=200, deadline=None)
def test_a_configuration_survives_the_round_trip(name: str, seed: int) -> None:
    space, cube = SPACES[name], CUBES[name]
    space.seed(seed)
    configuration = active(space, dict(space.sample_configuration()))
    back = cube.decode(cube.encode(configuration))
    for key, value in configuration.items():
        is_float = isinstance(value, float)
        assert back[key] == (pytest.approx(value, rel=1e-12, abs=1e-15) if is_float else value)
        assert type(back[key]) is type(value)
    assert set(back) == set(configuration)


@given(st.data(), names)
@settings(max_examples=200, deadline=None)
def test_every_point_of_the_cube_is_a_legal_configuration(data: Any, name: str) -> None:
    configuration = CUBES[name].decode(data.draw(points(name)))
    cs.Configuration(SPACES[name], values=configuration).check_valid_configuration()


@given(st.data(), names)
@settings(max_examples=200, deadline=None)
def test_snapping_is_decoding_and_encoding_again_and_happens_once(data: Any, name: str) -> None:
    cube, rows = CUBES[name], np.array([data.draw(points(name)) for _ in range(3)])
    snapped = cube.snap(rows)
    again = np.array([cube.encode(cube.decode(row)) for row in rows])
    assert snapped == pytest.approx(again, abs=1e-9)
    assert cube.snap(snapped) == pytest.approx(snapped, abs=1e-9)
    assert ((snapped >= 0) & (snapped <= 1 + 1e-12)).all()


def one(parameter: Any) -> CubeEncoding:
    return CubeEncoding(cs.ConfigurationSpace({parameter.name: parameter}))


def values(cube: CubeEncoding, name: str, coordinates: list[float]) -> list[Any]:
    return [cube.decode(np.array([coordinate]))[name] for coordinate in coordinates]


def test_each_integer_has_a_cell_of_the_same_width_also_the_first_and_the_last() -> None:
    cube = one(cs.Integer("n", (1, 4)))
    assert values(cube, "n", [0.0, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 1.0]) == [
        1, 1, 2, 2, 3, 3, 4, 4,
    ]  # fmt: skip
    assert [cube.encode({"n": n}).tolist() for n in (1, 2, 3, 4)] == [
        [0.125], [0.375], [0.625], [0.875],
    ]  # fmt: skip


def test_a_logarithmic_scale_halves_the_cube_at_the_geometric_mean() -> None:
    lr = one(cs.Float("lr", (1e-4, 1.0), log=True))
    assert values(lr, "lr", [0.0, 0.5, 1.0]) == pytest.approx([1e-4, 1e-2, 1.0])
    # Cells end half-way between integers: log 0.5, log 1.5, …, log 8.5.
    border = np.log(1.5 / 0.5) / np.log(8.5 / 0.5)
    n = one(cs.Integer("n", (1, 8), log=True))
    assert values(n, "n", [0.0, border - 1e-6, border + 1e-6, 1.0]) == [1, 1, 2, 8]


def test_a_choice_is_one_coordinate_per_value_and_a_constant_is_none() -> None:
    cube = one(cs.Categorical("act", ["relu", "gelu", "silu"]))
    assert cube.dimensions == 3
    assert cube.decode(np.array([0.2, 0.9, 0.8])) == {"act": "gelu"}
    assert cube.snap(np.array([[0.2, 0.9, 0.8]])).tolist() == [[0.0, 1.0, 0.0]]
    assert one(cs.Constant("fixed", "same")).dimensions == 0


def test_points_that_differ_only_in_an_inactive_parameter_are_the_same_point() -> None:
    cube = CUBES["mnist_cnn"]
    space = SPACES["mnist_cnn"]
    space.seed(0)
    configuration = active(space, dict(space.sample_configuration()))
    point = cube.encode({**configuration, "schedule": "cosine"} | {"gamma": 0.2, "step_size": 3})
    other = cube.encode({**configuration, "schedule": "cosine"} | {"gamma": 0.8, "step_size": 5})
    assert (point != other).sum() == 2
    snapped = cube.snap(np.array([point, other]))
    assert snapped[0].tolist() == snapped[1].tolist()
    assert (snapped[0][point != other] == INACTIVE).all()
