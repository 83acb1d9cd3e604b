"""What every objective must do, found by its file: the rules are those of bench.check."""

import statistics
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PLUGINS

from bench import plugins
from bench.check._training import configurations, numbers
from bench.check.objectives import CHECKS
from bench.objective import Objective

SMALL: dict[str, dict[str, Any]] = {
    "cifar10_cnn": {"max_steps": 5, "train_images": 160, "validation_images": 64},
    "fashion_mnist_resnet18": {
        "max_steps": 4,
        "train_images": 256,
        "validation_images": 32,
        "width": 8,
    },
    "mnist_cnn": {
        "max_steps": 5,
        "train_images": 48,
        "validation_images": 32,
        "max_channels": 16,
    },
    "tiny_t5": {
        "max_steps": 5,
        "train_words": 48,
        "validation_words": 16,
        "max_hidden": 32,
        "max_layers": 2,
    },
    "toy": {},
}
"""Options that make a training cheap; without an entry, the defaults must be."""

OBJECTIVES = [*plugins.names("objectives"), "toy"]

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sphere of all types": ("sphere", {"dimensions": 1, "integers": 1, "logs": 1, "choices": 2}),
    "sphere of choices": ("sphere", {"dimensions": 0, "choices": 3}),
}
"""Options that make it another objective."""

WITHOUT_CHANCE = {"branin", "hartmann6", "sphere", "toy"}
"""Their trainings draw nothing, so that all seeds give the same."""

UNBIASED = {"counting_ones"}
"""Their steps estimate the same value ever better: the loss neither falls nor rises."""


@pytest.fixture(params=[*OBJECTIVES, *VARIANTS])
def objective(request: pytest.FixtureRequest, everywhere: None) -> Objective:
    """Built with small options."""
    name, options = VARIANTS.get(request.param, (request.param, SMALL.get(request.param, {})))
    path = str(PLUGINS / "toy.py") if name == "toy" else None
    made = plugins.load_class("objectives", name, path)(**options)
    assert isinstance(made, Objective)
    made.prepare()
    return made


def named(objective: Objective) -> str:
    return type(objective).__module__.rpartition(".")[2].removeprefix("bench_user_")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rule(objective: Objective, check: Callable[[Objective], None]) -> None:
    check(objective)


def test_another_seed_gives_other_numbers_unless_nothing_is_drawn(objective: Objective) -> None:
    for configuration in configurations(objective, 3):
        one, two = (numbers(objective, configuration, seed, 2) for seed in (0, 1))
        assert (one == two) == (named(objective) in WITHOUT_CHANCE)


def test_the_median_loss_falls_from_the_first_step_to_the_last(objective: Objective) -> None:
    if named(objective) in UNBIASED:
        pytest.skip("its steps estimate the same value")
    curves = [
        numbers(objective, configuration, 0, objective.max_steps)
        for configuration in configurations(objective, 5)
    ]
    first, last = (statistics.median(curve[at]["loss"] for curve in curves) for at in (0, -1))
    assert last < first
