"""What every algorithm must do, found by its file; no Ray cluster is needed to ask it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import plugins
from bench.algorithm import Algorithm, Problem, effective_settings
from bench.objectives.mnist_cnn import MnistCnn
from bench.space import active

ALGORITHMS = plugins.names("algorithms")


def built(name: str) -> Algorithm:
    algorithm = plugins.load_class("algorithms", name)()
    assert isinstance(algorithm, Algorithm)
    return algorithm


def problem(seed: int) -> Problem:
    space = MnistCnn(max_steps=9).space()
    return Problem(space, max_steps=9, slots=1, seed=seed)


def suggestions(name: str, seed: int, count: int = 25) -> list[dict[str, Any]]:
    """Ask and tell `count` times; the loss is a fixed function of the configuration."""
    asked = problem(seed)
    searcher, _ = built(name).ray(asked)
    found = []
    for index in range(count):
        configuration = active(asked.space, searcher.suggest(f"trial{index}"))
        loss = abs(configuration["lr"] - 1e-3) * 100 + configuration["dropout"]
        result = {"loss": loss, "training_iteration": 9}
        searcher.on_trial_result(f"trial{index}", result)
        searcher.on_trial_complete(f"trial{index}", result)
        found.append(configuration)
    return found


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_seed_suggests_the_same_in_another_process_with_another_hash_seed(
    name: str,
) -> None:
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        "from test_algorithms import suggestions; print(json.dumps(suggestions(sys.argv[2], 5)))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent), name]
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    printed = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout.splitlines()[-1]) == suggestions(name, 5)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_another_seed_suggests_something_else(name: str) -> None:
    assert suggestions(name, 0, 1) != suggestions(name, 1, 1)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_nothing_is_drawn_from_numpys_or_pythons_global_generator(name: str) -> None:
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), repr(np.random.get_state())
    suggestions(name, 0, 12)
    assert (random.getstate(), repr(np.random.get_state())) == before


@pytest.mark.parametrize("name", ALGORITHMS)
def test_its_effective_settings_are_json_and_the_same_for_every_run(name: str) -> None:
    read = [
        [effective_settings(part) for part in built(name).ray(each)]
        for each in (problem(3), problem(3))
    ]
    assert read[0] == read[1]
    assert json.loads(json.dumps(read[0], allow_nan=False)) == read[0]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_its_scheduler_knows_how_long_a_full_training_is(name: str) -> None:
    """A scheduler left at its default of 100 steps never stops a trial of 9."""
    _, scheduler = built(name).ray(problem(0))
    settings = effective_settings(scheduler)
    if not settings["class"].endswith(".FIFOScheduler"):
        assert 9 in settings.values(), settings


def test_tpes_suggestions_come_from_its_model_after_the_random_ones() -> None:
    """Near the optimum of a simple function more often than random search is."""
    near = {
        name: sum(c["dropout"] < 0.15 for c in suggestions(name, 1, 60)[20:])
        for name in ("random", "tpe")
    }
    assert near["tpe"] > 2 * near["random"], near
