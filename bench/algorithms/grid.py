"""`grid`: grid search in random order; every trial is a full training."""

from math import prod
from typing import TYPE_CHECKING

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.algorithms._grid import GridPoints, axis
from bench.objective import Objective

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


MOST_LISTED = 100_000
"""Points of a grid that Optuna's workers search: each of them has the whole list."""


class Grid(Algorithm):
    """All combinations of the axes' values, each once, inactive parameters left out.

    The order is a random one of the seed: a grid is hardly ever searched to its end, and in the
    usual order the first axis would not move.

    Failed trials spend fewer steps. Where there are some, the grid needs more points than the
    budget has trainings: a search that ends before its budget is spent counts as failed.
    """

    resolution: int | None = Field(None, ge=2)
    """Points of an axis of numbers, evenly spaced, bounds included, on the scale (linear or log)
    that the space gives it; an axis of fewer integers has them all. None: integers have all of
    their values, and continuous parameters are refused."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        from bench.space import parameters

        space = objective.space()
        continuous = [each.name for each in parameters(space) if each.kind == "float"]
        if self.resolution is None and continuous:
            return (
                f"a grid needs a number of points for {', '.join(continuous)}: "
                "give resolution, e.g. resolution = 5"
            )
        points = GridPoints(space, self.resolution).count
        if points >= budget:
            return None
        raised = " or raise resolution" if self.resolution is not None else ""
        return (
            f"the grid has {points} points, fewer than the budget's {budget} full trainings: "
            f"lower the budget{raised}"
        )

    def remark(self, objective: Objective, budget: int) -> str | None:
        points = GridPoints(objective.space(), self.resolution).count
        return f"the grid has {points:,} points; the budget covers {budget} of them"

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._grid_searcher import GridSearcher

        searcher = GridSearcher(GridPoints(problem.space, self.resolution), problem.seed)
        return searcher, FIFOScheduler()

    def refuse_optuna(self, objective: Objective) -> str | None:
        from bench.space import parameters

        space = objective.space()
        if space.conditions:
            return "Optuna's GridSampler knows no conditions, and would train some points twice"
        points = prod(len(axis(each, self.resolution)) for each in parameters(space))
        if points > MOST_LISTED:
            return f"Optuna's GridSampler lists all points, and {points:,} are too many to list"
        return None

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner

        from bench.algorithms._grid_sampler import ListedGrid

        return ListedGrid(problem, self.resolution), NopPruner()
