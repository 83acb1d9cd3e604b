"""Hyperband as a Ray Tune scheduler: what `hyperband` and `bohb` share."""

from typing import TYPE_CHECKING

from pydantic import Field

from bench.objective import Objective
from bench.options import Options

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler

    from bench.algorithm import Problem


class HyperbandOptions(Options):
    """How trials are stopped: brackets of successive halving, the most aggressive first."""

    reduction_factor: int = Field(3, ge=2)
    """η: one in so many goes on at each rung."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        """Why it cannot search this objective."""
        if objective.max_steps >= self.reduction_factor:
            return None
        return (
            f"a full training has {objective.max_steps} steps, fewer than reduction_factor = "
            f"{self.reduction_factor}: there is no rung to stop at"
        )


def brackets(max_steps: int, reduction_factor: int) -> list[list[tuple[int, int]]]:
    """The rungs (trials, steps of each trial so far) of each bracket, in the order of their start.

    Table 1 of Li et al., Hyperband, JMLR 18 (2018), for R = max_steps and η = reduction_factor:
    bracket s = s_max, …, 0 starts ⌊(s_max + 1) / (s + 1)⌋ · ηˢ trials of R / ηˢ steps; at each
    rung one in η goes on to η times as many. Where R / ηˢ is no whole number it is rounded up, and
    the last rung is at R all the same.

    >>> brackets(9, 3)
    [[(9, 1), (3, 3), (1, 9)], [(3, 3), (1, 9)], [(3, 9)]]
    """
    eta, most = reduction_factor, 0
    while eta ** (most + 1) <= max_steps:
        most += 1
    found = []
    for s in range(most, -1, -1):
        places, first = (most + 1) // (s + 1) * eta**s, -(-max_steps // eta**s)
        found.append([(places // eta**i, min(first * eta**i, max_steps)) for i in range(s + 1)])
    return found


def hyperband_scheduler(options: HyperbandOptions, problem: "Problem") -> "TrialScheduler":
    """Ray's HyperBandForBOHB, corrected: see bench/algorithms/_hyperband_scheduler.py."""
    from bench.algorithms._hyperband_scheduler import Hyperband

    return Hyperband(
        time_attr="training_iteration",
        metric="loss",
        mode="min",
        max_t=problem.max_steps,
        reduction_factor=options.reduction_factor,
        stop_last_trials=True,
    )
