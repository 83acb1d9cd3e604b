"""A study, and what becomes of a trial in it."""

from typing import TYPE_CHECKING, Any

import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from bench.engines._training import diverged
from bench.space import to_optuna

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


def made(name: str, storage: BaseStorage, sampler: BaseSampler, pruner: BasePruner) -> Study:
    """A new study, which minimises."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # the journal says what happens
    return optuna.create_study(
        study_name=name, storage=storage, sampler=sampler, pruner=pruner, direction="minimize"
    )


def tell(study: Study, number: int, status: str, loss: float | None, worst_loss: float) -> None:
    """Tell a study how a trial ended: completed, stopped or failed; `number` is the study's.

    A failed one is COMPLETE with the worst loss: Optuna forgets trials that FAIL. Where trials are
    stopped early TPE would rank that before all of those, so there a PRUNED trial without a loss
    stands for it, which is the last of the ranking.
    """
    if status == "completed":
        study.tell(number, loss)
    elif status == "stopped":
        study.tell(number, state=TrialState.PRUNED)
    elif isinstance(study.pruner, NopPruner):
        study.tell(number, worst_loss)
    else:
        failed = study.tell(number, state=TrialState.FAIL)
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED, params=failed.params, distributions=failed.distributions
            )
        )


def rebuild(
    study: Study, space: "ConfigurationSpace", events: list[dict[str, Any]], worst_loss: float
) -> dict[int, int]:
    """Do again in a new study what a journal says; the ids of the trials, by the journal's number.

    Sampler and pruner are asked as they were, so that they leave again in the storage what they
    keep there (CMA-ES its distribution, NSGA-II the generations, successive halving the rungs).
    What they answer is not what counts: that is in the journal.
    """
    suggest = to_optuna(space)
    trials: dict[int, Trial] = {}
    losses: dict[int, float] = {}
    for event in events:
        kind, number = event["event"], event.get("trial", -1)
        if kind == "suggest":
            study.enqueue_trial(event["configuration"])
            trials[number] = study.ask()
            suggest(trials[number])
            _ = trials[number].relative_params  # not asked for when all values are given
        elif kind == "report" and not diverged(event):
            losses[number] = event["loss"]
            trials[number].report(event["loss"], event["step"])
        elif kind == "decide":
            trials[number].should_prune()
        elif kind == "finish" and event["status"] != "cut":  # the search was over
            loss = losses.get(number)
            tell(study, trials[number].number, event["status"], loss, worst_loss)
    return {number: trial._trial_id for number, trial in trials.items()}
