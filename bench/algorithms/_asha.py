"""ASHA as a Ray Tune scheduler: what `asha` and its combinations share."""

from typing import TYPE_CHECKING

from pydantic import Field

from bench.objective import Objective
from bench.options import Options

if TYPE_CHECKING:
    from optuna.pruners import SuccessiveHalvingPruner
    from ray.tune.schedulers import TrialScheduler

    from bench.algorithm import Problem


class AshaOptions(Options):
    """Rungs at grace_period · reduction_factorᵏ steps; the longest trial has `max_steps`."""

    reduction_factor: int = Field(3, ge=2)
    """η: one in so many goes on at each rung."""
    grace_period: int = Field(1, ge=1)
    """Steps before the first rung."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        """Why it cannot search this objective."""
        steps, most = self.grace_period, objective.max_steps
        if steps < most:
            return None
        relation = "more than" if steps > most else "as long as"
        return (
            f"grace_period = {steps} is {relation} a full training's {most} steps: there is no "
            "rung to stop at"
        )


def asha_scheduler(options: AshaOptions, problem: "Problem") -> "TrialScheduler":
    """Ray's AsyncHyperBandScheduler with one bracket: see bench/algorithms/_asha_scheduler.py."""
    from bench.algorithms._asha_scheduler import Asha

    return Asha(
        time_attr="training_iteration",
        metric="loss",
        mode="min",
        max_t=problem.max_steps,
        grace_period=options.grace_period,
        reduction_factor=options.reduction_factor,
        brackets=1,
        stop_last_trials=True,
    )


def asha_pruner(options: AshaOptions) -> "SuccessiveHalvingPruner":
    """Optuna's own: at a rung a trial goes on if it is among the best of those that were there.

    It counts itself among them, so that fewer than reduction_factor trials let only the best go
    on; Ray's asks only those that came before.
    """
    from optuna.pruners import SuccessiveHalvingPruner

    return SuccessiveHalvingPruner(
        min_resource=options.grace_period,
        reduction_factor=options.reduction_factor,
        min_early_stopping_rate=0,
        bootstrap_count=0,
    )
