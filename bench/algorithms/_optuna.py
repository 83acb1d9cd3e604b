"""Optuna's samplers as Ray Tune Searchers: Ray's OptunaSearch, told the truth about each trial."""

from typing import Any

from optuna.samplers import BaseSampler
from optuna.trial import TrialState
from ray.tune.search.optuna import OptunaSearch

from bench.algorithm import Problem
from bench.space import to_optuna


class OptunaSearcher(OptunaSearch):
    """Ray's OptunaSearch, but for what it tells Optuna of a trial.

    Ray's own tells a trial that a scheduler stopped early as COMPLETE, as if its loss were that of
    a full training, and goes on with a mere log line where Optuna does not take a result. Here an
    early-stopped trial is PRUNED with its last loss at its last step, which is Optuna's own way,
    and a result that is not taken is an error.
    """

    def __init__(self, sampler: BaseSampler, problem: Problem, ranks_pruned: bool) -> None:
        super().__init__(space=to_optuna(problem.space), metric="loss", mode="min", sampler=sampler)
        self._max_steps = problem.max_steps
        self._ranks_pruned = ranks_pruned
        self._last: dict[str, dict[str, Any]] = {}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Kept until the trial ends: no sampler looks at the losses of one that still runs."""
        self._last[trial_id] = result

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """`result` is None for a paused trial that is stopped: its last result counts.

        A failed trial is COMPLETE with the worst loss, which it brings with it. Where pruned
        trials are ranked, it would come before all of them: there it is PRUNED without a loss,
        which is the last of the ranking.
        """
        last = self._last.pop(trial_id, None)
        result = last if result is None else result
        trial = self._ot_trials[trial_id]
        failed = result is not None and result.get("failed", False)
        if result is None or (failed and self._ranks_pruned):
            self._ot_study.tell(trial, state=TrialState.PRUNED)
        elif failed or result["training_iteration"] >= self._max_steps:
            self._ot_study.tell(trial, result["loss"], state=TrialState.COMPLETE)
        else:
            trial.report(result["loss"], result["training_iteration"])
            self._ot_study.tell(trial, state=TrialState.PRUNED)


def optuna_searcher(
    sampler: BaseSampler, problem: Problem, ranks_pruned: bool = False
) -> OptunaSearcher:
    """The Searcher that asks this sampler.

    `ranks_pruned`: the sampler learns from pruned trials. TPE does, it ranks them after the
    complete ones, by step and then by loss (`_split_trials` in optuna/samplers/_tpe/sampler.py);
    Optuna's other samplers do not look at them.
    """
    return OptunaSearcher(sampler, problem, ranks_pruned)
