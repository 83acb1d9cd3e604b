"""Defects of Optuna 5.0 and of Ray 2.60's OptunaSearch, and that ours does not have them."""

import math
from typing import Any

import ConfigSpace as cs
import optuna
import pytest
from optuna.samplers import CmaEsSampler, RandomSampler
from optuna.trial import TrialState
from ray.tune.search.optuna import OptunaSearch

from bench.algorithm import Problem
from bench.algorithms._cmaes import FixedCmaEs
from bench.algorithms._optuna import optuna_searcher
from bench.algorithms._unseen import seen
from bench.space import to_optuna


def line() -> Problem:
    space = cs.ConfigurationSpace()
    space.add(cs.Float("x", (0.0, 1.0)))
    return Problem(space, max_steps=9, slots=1, seed=0)


def rays_own() -> OptunaSearch:
    sampler = RandomSampler(seed=0)
    return OptunaSearch(space=to_optuna(line().space), metric="loss", mode="min", sampler=sampler)


def ours() -> OptunaSearch:
    return optuna_searcher(RandomSampler(seed=0), line())


def one_stopped_early_and_one_full(searcher: OptunaSearch) -> list[optuna.trial.FrozenTrial]:
    """What Optuna then knows: 0.1 after 3 of 9 steps, where a scheduler stopped it; and 0.5."""
    for trial_id, losses in (("stopped", [0.9, 0.4, 0.1]), ("full", [0.9] * 8 + [0.5])):
        searcher.suggest(trial_id)
        results = [{"loss": v, "training_iteration": k} for k, v in enumerate(losses, start=1)]
        for result in results[:-1]:  # Ray does not tell of the last one but at the end
            searcher.on_trial_result(trial_id, result)
        searcher.on_trial_complete(trial_id, results[-1])
    trials: list[optuna.trial.FrozenTrial] = searcher._ot_study.trials
    return trials


def test_ray_tells_optuna_that_an_early_stopped_trial_is_complete() -> None:
    """If this fails, `OptunaSearcher.on_trial_complete` may be Ray's own again."""
    stopped, full = one_stopped_early_and_one_full(searcher := rays_own())
    assert [stopped.state, full.state] == [TrialState.COMPLETE, TrialState.COMPLETE]
    assert searcher._ot_study.best_trial == stopped, "a third of a training is the best of all"


def test_here_it_is_pruned_with_its_last_loss_at_its_last_step() -> None:
    stopped, full = one_stopped_early_and_one_full(searcher := ours())
    assert [stopped.state, full.state] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert (stopped.last_step, stopped.value) == (3, 0.1)
    assert searcher._ot_study.best_trial == full and full.value == 0.5


def test_ray_goes_on_when_optuna_does_not_take_a_result() -> None:
    """If this fails, there is one reason less for `OptunaSearcher.on_trial_complete`."""
    searcher = rays_own()
    searcher.suggest("lost")
    searcher.on_trial_complete("lost", {"loss": math.nan, "training_iteration": 9})
    (trial,) = searcher._ot_study.trials
    assert trial.state == TrialState.RUNNING, "for the sampler it runs for ever"


def test_here_that_is_an_error() -> None:
    searcher = ours()
    searcher.suggest("lost")
    with pytest.raises(ValueError, match="nan is not acceptable"):
        searcher.on_trial_complete("lost", {"loss": math.nan, "training_iteration": 9})


def test_ray_has_optuna_forget_a_failed_trial() -> None:
    """If this fails, `OptunaSearcher.on_trial_complete` need not make up a result."""
    searcher = rays_own()
    searcher.suggest("failed")
    searcher.on_trial_complete("failed", error=True)
    (trial,) = searcher._ot_study.trials
    assert trial.state == TrialState.FAIL, "which samplers do not look at"


@pytest.mark.parametrize(
    ("ranks_pruned", "state", "value"),
    [(False, TrialState.COMPLETE, 10.0), (True, TrialState.PRUNED, None)],
)
def test_here_it_is_a_bad_result(
    ranks_pruned: bool, state: TrialState, value: float | None
) -> None:
    searcher = optuna_searcher(RandomSampler(seed=0), line(), ranks_pruned)
    searcher.suggest("failed")
    worst = {"loss": 10.0, "training_iteration": 2, "failed": True}
    searcher.on_trial_complete("failed", worst)
    (trial,) = searcher._ot_study.trials
    assert (trial.state, trial.value) == (state, value)


def mostly_with_c() -> cs.ConfigurationSpace:
    """Always x and y, and c unless kind = 'without'."""
    space = cs.ConfigurationSpace()
    kind, c = cs.Categorical("kind", ["with", "without"]), cs.Float("c", (0.0, 1.0))
    space.add(kind, c, cs.Float("x", (0.0, 1.0)), cs.Float("y", (0.0, 1.0)))
    space.add(cs.EqualsCondition(c, kind, "with"))
    return space


def modelled(sampler: Any) -> list[list[str]]:
    """The parameters that came from the model in each of 30 trials; the first 9 have a c."""
    study = optuna.create_study(sampler=sampler)
    define = to_optuna(mostly_with_c())
    for kind in ["with"] * 9 + ["without"]:
        study.enqueue_trial({"kind": kind})
    names = []
    for _ in range(30):
        trial = study.ask()
        define(trial)
        names.append(sorted(trial.relative_params))
        study.tell(trial, (trial.params["x"] - 0.3) ** 2 + (trial.params["y"] - 0.3) ** 2)
    return names


def test_optunas_cmaes_is_random_search_after_a_conditional_number_went_missing() -> None:
    """If this fails, `FixedCmaEs` may go; `cmaes` can use Optuna's CmaEsSampler."""
    names = modelled(CmaEsSampler(seed=0, warn_independent_sampling=False))
    assert names[:10] == [[], *[["c", "x", "y"]] * 9]
    assert names[10:] == [[]] * 20, "and so it stays"


def test_here_it_models_the_same_numbers_all_the_time() -> None:
    numbers = seen(mostly_with_c(), categoricals=False)
    names = modelled(FixedCmaEs(numbers, seed=0, warn_independent_sampling=False))
    assert names == [[], *[["x", "y"]] * 29]
