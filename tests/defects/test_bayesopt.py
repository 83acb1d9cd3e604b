"""Ray 2.60's BayesOptSearch over bayesian-optimization 1.5.1: what is wrong, and that ours is not.

A test that shows a defect fails when the library has mended it; its docstring says what can go.
"""

import inspect
from typing import Any

import ConfigSpace as cs
import numpy as np
import pytest
from bayes_opt.util import NotUniqueError
from ray import tune
from ray.tune.search import Searcher
from ray.tune.search.bayesopt import BayesOptSearch

from bench.algorithm import Problem
from bench.algorithms.bayesopt import Bayesopt

LINE = cs.ConfigurationSpace({"x": (0.0, 1.0)})


def theirs(bounds: dict[str, Any] | None = None, **settings: Any) -> BayesOptSearch:
    space = {"x": (0.0, 1.0)} if bounds is None else bounds
    return BayesOptSearch(space, metric="loss", mode="min", random_state=1, **settings)


def ours(space: cs.ConfigurationSpace = LINE, seed: int = 1, **options: Any) -> Any:
    return Bayesopt(**options).ray(Problem(space, max_steps=1, slots=1, seed=seed))[0]


def told(loss: float) -> dict[str, Any]:
    return {"loss": loss, "training_iteration": 1}


def search(searcher: Any, trials: int, loss: str = "x") -> list[Any]:
    """Ask and tell; the loss is one parameter's value, so that the best is a corner."""
    found = []
    for index in range(trials):
        found.append(searcher.suggest(str(index)))
        if isinstance(found[-1], dict):
            searcher.on_trial_complete(str(index), told(found[-1][loss]))
    return found


def test_ray_refuses_integers_and_choices() -> None:
    """When it takes them: compare its encoding with bench/algorithms/_encoding.py."""
    for domain in (tune.randint(1, 9), tune.choice(["a", "b"])):
        with pytest.raises(ValueError, match="does not support parameters of type"):
            BayesOptSearch.convert_search_space({"n": domain})


def test_ours_searches_integers_choices_and_conditions() -> None:
    space = cs.ConfigurationSpace({"n": (1, 9), "kind": ["a", "b"], "x": (0.0, 1.0)})
    space.add(cs.EqualsCondition(space["x"], space["kind"], "b"))
    for configuration in search(ours(space, startup_trials=4), 7, "n"):
        cs.Configuration(space, values=configuration).check_valid_configuration()
        assert type(configuration["n"]) is int


def test_ray_draws_a_logarithmic_parameter_uniformly() -> None:
    """When it does not: CubeEncoding still has to."""
    bounds = BayesOptSearch.convert_search_space({"lr": tune.loguniform(1e-4, 1.0)})
    searcher = theirs(bounds, random_search_steps=200)
    small = [searcher.suggest(str(index))["lr"] < 1e-2 for index in range(200)]
    assert np.mean(small) < 0.05, "half of them should be"


def test_ours_draws_a_logarithmic_parameter_by_its_logarithm() -> None:
    searcher = ours(cs.ConfigurationSpace({"lr": cs.Float("lr", (1e-4, 1.0), log=True)}))
    small = [searcher.suggest(str(index))["lr"] < 1e-2 for index in range(200)]
    assert np.mean(small) == pytest.approx(0.5, abs=0.12)


def test_rays_model_does_not_see_a_parameter_of_small_range() -> None:
    """One length scale for all, in their own units. When not: floats need no CubeEncoding."""
    searcher = theirs({"x": (0.0, 1e-3), "y": (0.0, 1.0)})
    search(searcher, 13)
    assert influence_of_x(searcher.optimizer, 1e-3) < 0.05 * 1e-3


def test_ours_sees_it() -> None:
    space = cs.ConfigurationSpace({"x": (0.0, 1e-3), "y": (0.0, 1.0)})
    searcher = ours(space)
    search(searcher, 13)
    assert influence_of_x(searcher.optimizer, 1.0) > 0.5 * 1e-3


def influence_of_x(optimizer: Any, upper: float) -> float:
    """What the model says that x = upper costs more than x = 0; the truth is 1e-3."""
    good, bad = optimizer._gp.predict(np.array([[0.0, 0.5], [upper, 0.5]]))
    return float(good - bad)


def test_ray_gives_no_suggestion_and_then_stops_once_its_model_repeats_itself() -> None:
    """When it goes on: remove `patience` and `skip_duplicate` from BayesOptSearcher."""
    found = search(theirs(random_search_steps=2), 12)
    assert None in found, "nothing runs and nothing is suggested: Ray Tune waits"
    assert found[-1] == Searcher.FINISHED


def test_rays_optimiser_refuses_a_result_of_a_configuration_that_it_knows() -> None:
    """When it does not raise: remove `_setup_optimizer` from BayesOptSearcher."""
    searcher = theirs(random_search_steps=2, skip_duplicate=False, patience=10**6)
    with pytest.raises(NotUniqueError):
        search(searcher, 12)


def test_ours_goes_on_when_its_model_repeats_itself(capfd: pytest.CaptureFixture[str]) -> None:
    found = search(ours(startup_trials=2), 12)
    assert len({configuration["x"] for configuration in found}) < 12, "it never repeated itself"
    assert capfd.readouterr() == ("", ""), "bayes_opt prints that a point is not unique"


def test_rays_random_phase_ends_with_a_barrier_and_hides_its_results_until_then() -> None:
    """When it suggests: pass `random_search_steps`, and remove `suggest`'s own random phase."""
    searcher = theirs(random_search_steps=2)
    search_a, search_b = searcher.suggest("a"), searcher.suggest("b")
    assert search_a is not None and search_b is not None
    searcher.on_trial_complete("a", told(0.5))
    assert searcher.suggest("c") is None, "a slot is free, but it waits for b"
    assert len(searcher.optimizer.space) == 0, "the result of a is not known to the model"


def test_ours_suggests_whenever_it_is_asked_and_knows_every_result_at_once() -> None:
    searcher = ours(startup_trials=2)
    assert None not in [searcher.suggest(name) for name in "abcd"]
    searcher.on_trial_complete("a", told(0.5))
    assert searcher.suggest("e") is not None
    assert len(searcher.optimizer.space) == 1


def test_rays_search_has_the_same_seed_every_time_unless_told() -> None:
    """A default of 42: ten repetitions would be one. When it is None, this test can go."""
    assert inspect.signature(BayesOptSearch).parameters["random_state"].default == 42


def test_the_model_is_told_of_configurations_and_asked_for_them_not_for_points() -> None:
    """So the bound is the same all over a cell, and it is not led back to what it knows."""
    searcher = ours(cs.ConfigurationSpace({"n": (1, 4), "kind": ["a", "b", "c"]}))
    search(searcher, 11, "n")
    optimizer, encoding = searcher.optimizer, searcher._encoding
    known = optimizer.space.params
    assert (encoding.snap(known) == known).all()
    cell = np.array([[0.1, 0.9, 0.2, 0.26], [0.0, 0.6, 0.5, 0.49], [0.0, 1.0, 0.0, 0.375]])
    bound = searcher.utility.utility(cell, optimizer._gp, y_max=0.0)
    assert bound == pytest.approx(np.full(3, bound[0]), rel=1e-9)
    next_cell = np.array([[0.1, 0.9, 0.2, 0.51]])
    assert abs(searcher.utility.utility(next_cell, optimizer._gp, y_max=0.0) - bound[0]) > 0.01


def test_what_the_remark_says_it_does_not_know_of_running_trials() -> None:
    searcher = ours(startup_trials=5)
    search(searcher, 5)
    running = [searcher.suggest(f"running{index}")["x"] for index in range(2)]
    assert running[0] == pytest.approx(running[1], abs=1e-3)
