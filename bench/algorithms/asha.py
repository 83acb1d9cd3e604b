"""`asha`: random search with asynchronous successive halving, Ray's AsyncHyperBandScheduler.

Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020. Ray implements the
*stopping* variant: at a rung a trial goes on if it is among the best 1/reduction_factor of those
that came there so far, and is stopped for good otherwise; nothing is paused.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.objective import Objective

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Asha(Algorithm):
    """Rungs at grace_period · reduction_factorᵏ steps; the longest trial has `max_steps`."""

    reduction_factor: int = Field(3, ge=2)
    """η: one in so many goes on at each rung."""
    grace_period: int = Field(1, ge=1)
    """Steps before the first rung."""

    def refuse(self, objective: Objective) -> str | None:
        if self.grace_period <= objective.max_steps:
            return None
        most = objective.max_steps
        return f"grace_period = {self.grace_period} is more than a full training's {most} steps"

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import AsyncHyperBandScheduler

        from bench.algorithms._random import RandomSearcher

        scheduler = AsyncHyperBandScheduler(
            time_attr="training_iteration",
            metric="loss",
            mode="min",
            max_t=problem.max_steps,
            grace_period=self.grace_period,
            reduction_factor=self.reduction_factor,
            brackets=1,  # with more, Ray draws a trial's bracket from numpy's global generator
            stop_last_trials=True,
        )
        return RandomSearcher(problem), scheduler
