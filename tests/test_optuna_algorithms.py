"""Optuna's algorithms do what their names, their options and their remarks say."""

import random
import re
from functools import cache
from typing import Any

import ConfigSpace as cs
import numpy as np
import pytest
import torch
from optuna.samplers._tpe.sampler import _split_trials
from optuna.trial import FrozenTrial, Trial, TrialState

from bench import plugins
from bench.algorithm import Algorithm, Problem
from bench.engines._simulation import events_of, search_of
from bench.objective import Training
from bench.objectives.mnist_cnn import MnistCnn


class Bowl(MnistCnn):
    """The space of mnist_cnn; the loss is a simple function of it, and 1/step."""

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        return BowlTraining(configuration)

    def prepare(self) -> None:
        pass


class BowlTraining:
    def __init__(self, configuration: dict[str, Any]) -> None:
        self.configuration, self.steps = configuration, 0

    def step(self) -> dict[str, float]:
        self.steps += 1
        loss = self.configuration["dropout"] + (self.configuration["optimizer"] != "adam")
        return {"loss": loss + 1 / self.steps, "accuracy": 0.0}

    def state(self) -> bytes:
        raise NotImplementedError

    def load(self, state: bytes) -> None:
        raise NotImplementedError


class Small(Bowl):
    """Some parameters, one of them conditional; the kinds tell what to keep."""

    kinds: str = "float int choice"

    def space(self) -> cs.ConfigurationSpace:
        kind, shift = cs.Categorical("kind", ["a", "b"]), cs.Float("shift", (0.0, 1.0))
        space = cs.ConfigurationSpace()
        space.add(kind, shift, cs.InCondition(shift, kind, ["b"]))
        if "float" in self.kinds:
            space.add(cs.Float("dropout", (0.0, 1.0)))
        if "int" in self.kinds:
            space.add(cs.Integer("depth", (1, 9)))
        space.add(cs.Constant("optimizer", "adam"))
        return space


def built(name: str, **options: Any) -> Algorithm:
    algorithm = plugins.load_class("algorithms", name)(**options)
    assert isinstance(algorithm, Algorithm)
    return algorithm


@cache
def trials(algorithm: Algorithm, budget: int) -> list[Trial]:
    """Optuna's trials of a search of the bowl, in the order of their suggestion."""
    return searched(Bowl(max_steps=3), algorithm, budget)


def searched(objective: Bowl, algorithm: Algorithm, budget: int, slots: int = 1) -> list[Trial]:
    search = search_of(objective, algorithm, budget, slots)
    events_of(search)
    found: list[Trial] = list(search.searcher._ot_trials.values())  # type: ignore[attr-defined]
    return found


def frozen(trial: Trial) -> FrozenTrial:
    """What Optuna has kept of it."""
    return trial.study.trials[trial.number]


def remark(algorithm: Algorithm, budget: int = 100) -> str:
    said = algorithm.remark(Bowl(max_steps=3), budget)
    assert said is not None
    return said


def named_as_random(words: str) -> set[str]:
    groups = re.findall(r"\(([^)]*)\)", words)
    return {name for group in groups for name in group.split(", ")}


@pytest.mark.parametrize(("name", "budget"), [("cmaes", 25), ("nsga2", 25), ("gp", 11)])
def test_the_remark_names_what_the_model_does_not_see(name: str, budget: int) -> None:
    """Read off the last trial: what Optuna does not take from the model, it draws at random."""
    last = trials(built(name), budget)[budget - 1]
    seen_by_model = set(last.relative_search_space or ())
    assert seen_by_model == set(MnistCnn().space()) - named_as_random(remark(built(name)))
    assert {"gamma", "kernel3", "step_size"} <= named_as_random(remark(built(name)))


def test_tpe_sees_all_parameters_and_so_names_none() -> None:
    last = trials(built("tpe"), 40)[39]
    assert set(last.relative_params or ()) == set(MnistCnn().space())
    assert remark(built("tpe")) == "configurations are random until 10 trials have ended"


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("tpe", {}, 10),
        ("tpe", {"startup_trials": 4}, 4),
        ("nsga2", {}, 10),
        ("nsga2", {"population_size": 6}, 6),
        ("gp", {}, 10),
    ],
)
def test_the_remark_says_how_long_the_random_start_lasts(
    name: str, options: dict[str, Any], start: int
) -> None:
    from_model = [bool(each.relative_params) for each in trials(built(name, **options), start + 1)]
    assert from_model[: start + 1] == [False] * start + [True]
    words = f"configurations are random until {start} trials have ended"
    assert remark(built(name, **options)).startswith(words)


def test_the_remark_says_so_if_the_budget_ends_with_the_random_start() -> None:
    words = "until 10 trials have ended, and the budget is 10 full trainings"
    assert words in remark(built("nsga2"), budget=10)
    assert words not in remark(built("nsga2"), budget=11)


@pytest.mark.parametrize(("population_size", "generation"), [(None, 9), (4, 4)])
def test_the_first_trial_of_cmaes_is_random_and_then_it_goes_by_generations(
    population_size: int | None, generation: int
) -> None:
    """Six numbers: 4 + ⌊3 ln 6⌋ = 9."""
    algorithm = built("cmaes", population_size=population_size)
    first = trials(algorithm, generation + 2)[: generation + 2]
    found = [frozen(each).system_attrs.get("cma:generation") for each in first]
    assert found == [None] + [0] * generation + [1]
    assert f"until {generation + 1} trials have ended" in remark(algorithm)


@pytest.mark.parametrize(
    ("kinds", "refused"), [("", True), ("float", False), ("int", False), ("float int", False)]
)
def test_cmaes_is_refused_without_a_number_that_is_always_there(kinds: str, refused: bool) -> None:
    """One is enough: then it searches on a line."""
    objective = Small(max_steps=3, kinds=kinds)
    assert (built("cmaes").refuse(objective, 10) is not None) == refused
    if kinds == "float":
        found = searched(objective, built("cmaes"), 50)
        assert {tuple(each.relative_params or ()) for each in found[1:]} == {("dropout",)}
        assert np.mean([each.params["dropout"] for each in found[-10:]]) < 0.3, "random: 0.5"


def told(name: str, *ends: dict[str, Any] | None) -> list[FrozenTrial]:
    """What Optuna knows of trials that reported 0.7 after one of 9 steps and then ended so."""
    problem = Problem(Small(max_steps=9).space(), max_steps=9, slots=1, seed=0)
    searcher: Any = built(name).ray(problem)[0]
    for number, end in enumerate(ends):
        searcher.suggest(str(number))
        searcher.on_trial_result(str(number), {"loss": 0.7, "training_iteration": 1})
        searcher.on_trial_complete(str(number), end)
    found: list[FrozenTrial] = searcher._ot_study.trials
    return found


FULL = {"loss": 0.9, "training_iteration": 9}
STOPPED_AT_3 = {"loss": 0.5, "training_iteration": 3}
FAILED_AT_5 = {"loss": 2.3, "training_iteration": 5, "failed": True}


@pytest.mark.parametrize("name", ["cmaes", "gp", "nsga2"])
def test_a_failed_trial_is_complete_with_the_worst_loss(name: str) -> None:
    """They look at complete trials only: anything else would be forgotten and tried again."""
    (failed,) = told(name, FAILED_AT_5)
    assert (failed.state, failed.value) == (TrialState.COMPLETE, 2.3)


@pytest.mark.parametrize("name", ["tpe", "tpe_asha"])
def test_tpe_ranks_full_trainings_first_then_the_longest_and_failed_ones_last(name: str) -> None:
    stopped_at_1 = {"loss": 0.1, "training_iteration": 1}
    found = told(name, FAILED_AT_5, stopped_at_1, STOPPED_AT_3, FULL)
    searcher: Any = built(name).ray(Problem(Small().space(), 9, 1, 0))[0]
    best_first = [
        {each.number for each in _split_trials(searcher._ot_study, found, count)[0]}
        for count in (1, 2, 3, 4)
    ]
    assert best_first == [{3}, {3, 2}, {3, 2, 1}, {3, 2, 1, 0}]


def test_a_paused_trial_that_is_stopped_counts_with_its_last_result() -> None:
    (stopped,) = told("tpe", None)
    assert (stopped.state, stopped.last_step, stopped.value) == (TrialState.PRUNED, 1, 0.7)


def test_tpe_asha_stops_trials_early_and_its_model_learns_from_them() -> None:
    found = searched(Small(max_steps=9), built("tpe_asha", startup_trials=4), 20)
    states = [frozen(each).state for each in found[:-1]]
    assert set(states) == {TrialState.COMPLETE, TrialState.PRUNED}
    dropouts = [each.params["dropout"] for each in found]
    assert np.mean(dropouts[len(dropouts) // 2 :]) < 0.25, "the mean of random ones is 0.5"


@pytest.mark.parametrize("name", ["tpe", "cmaes", "gp", "nsga2"])
def test_with_two_slots_nothing_is_drawn_from_a_global_generator(name: str) -> None:
    def states() -> list[str]:
        own = [random.getstate(), np.random.get_state(), torch.get_rng_state().tolist()]
        return [repr(each) for each in own]

    before = states()
    found = searched(Small(max_steps=3), built(name), 12, slots=2)
    assert any(each.relative_params for each in found)
    assert states() == before


def test_the_options_of_tpe_are_part_of_the_identity_of_cells_that_are_there() -> None:
    assert built("tpe").model_dump() == {
        "startup_trials": 10,
        "ei_candidates": 24,
        "multivariate": True,
        "group": True,
        "constant_liar": True,
    }
    asha = {"reduction_factor": 3, "grace_period": 1}
    assert built("asha").model_dump() == asha
    assert built("tpe_asha").model_dump() == {**built("tpe").model_dump(), **asha}


def test_asha_is_refused_where_there_is_no_rung_to_stop_at() -> None:
    for name in ("asha", "tpe_asha"):
        reasons = [built(name, grace_period=3).refuse(Bowl(max_steps=n), 10) for n in (2, 3, 4)]
        assert reasons == [
            "grace_period = 3 is more than a full training's 2 steps: there is no rung to stop at",
            "grace_period = 3 is as long as a full training's 3 steps: there is no rung to stop at",
            None,
        ]
