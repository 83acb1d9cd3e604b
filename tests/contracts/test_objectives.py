"""What every objective must do, found by its file."""

import json
from typing import Any

import pytest
from conftest import PLUGINS

from bench import plugins
from bench.objective import Objective
from bench.space import active, to_ray

SMALL: dict[str, dict[str, Any]] = {
    "mnist_cnn": {
        "max_steps": 5,
        "train_images": 48,
        "validation_images": 32,
        "max_channels": 16,
    },
    "toy": {},
}
"""Options that make a training cheap; without an entry, the defaults must be."""

OBJECTIVES = [*plugins.names("objectives"), "toy"]


@pytest.fixture(params=OBJECTIVES)
def objective(request: pytest.FixtureRequest, checksums: dict[str, str]) -> Objective:
    """Built with small options, on synthetic digits in MNIST's place."""
    name = request.param
    path = str(PLUGINS / "toy.py") if name == "toy" else None
    made = plugins.load_class("objectives", name, path)(**SMALL.get(name, {}))
    assert isinstance(made, Objective)
    made.prepare()
    return made


def configurations(objective: Objective, count: int) -> list[dict[str, Any]]:
    import numpy as np

    space, generator = objective.space(), np.random.default_rng(1)
    return [
        active(space, {k: d.sample(random_state=generator) for k, d in to_ray(space).items()})
        for _ in range(count)
    ]


def test_its_space_is_the_same_each_time_and_its_values_are_json(objective: Objective) -> None:
    assert objective.space() == objective.space()
    for configuration in configurations(objective, 20):
        assert json.loads(json.dumps(configuration)) == configuration


def test_a_step_returns_the_loss_and_the_metrics_it_declares(objective: Objective) -> None:
    values = objective.train(configurations(objective, 1)[0], 0, "cpu").step()
    assert set(values) == {"loss", *objective.metrics}
    assert all(isinstance(value, float) for value in values.values())


def test_paused_and_resumed_elsewhere_it_gives_what_it_would_have_given(
    objective: Objective,
) -> None:
    for configuration in configurations(objective, 3):
        whole = objective.train(configuration, 7, "cpu")
        expected = [whole.step() for _ in range(4)]
        first = objective.train(configuration, 7, "cpu")
        losses = [first.step(), first.step()]
        second = objective.train(configuration, 7, "cpu")
        second.load(first.state())
        assert [*losses, second.step(), second.step()] == expected


def test_the_worst_loss_is_finite_and_no_better_than_the_optimum(objective: Objective) -> None:
    assert abs(objective.worst_loss) < float("inf")
    assert objective.optimum is None or objective.optimum < objective.worst_loss
