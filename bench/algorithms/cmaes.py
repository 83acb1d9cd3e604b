"""`cmaes`: CMA-ES, Optuna's CmaEsSampler (of the package `cmaes`); full trainings.

Hansen, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772.
"""

import math
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.algorithms._unseen import seen, unseen, until
from bench.objective import Objective

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Cmaes(Algorithm):
    """A normal distribution over the numbers that every configuration has, adapted by generation.

    It starts at the middle of their ranges (of their logarithms, where those are searched) with a
    standard deviation of a sixth of the range. Categorical and conditional parameters are drawn at
    random, as Optuna documents it.
    """

    beats_random: ClassVar[dict[str, int]] = {"sphere": 30}

    population_size: int | None = Field(None, ge=2)
    """Trials in a generation; default: 4 + ⌊3 ln d⌋ for d numbers (equation 48 of the tutorial)."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        if seen(objective.space(), categoricals=False):
            return None
        return "no number that every configuration has, and CMA-ES searches nothing else"

    def remark(self, objective: Objective, budget: int) -> str | None:
        space = objective.space()
        first = 1 + self._generation(space)  # the first trial is random
        rest = unseen(space, categoricals=False)
        return until("its distribution stays at its start", first, budget, rest)

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._optuna import optuna_searcher

        return optuna_searcher(self._sampler(problem, problem.seed), problem), FIFOScheduler()

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner

        return self._sampler(problem, seed), NopPruner()

    def _sampler(self, problem: Problem, seed: int) -> "BaseSampler":
        from bench.algorithms._cmaes import FixedCmaEs
        from bench.algorithms._quiet import quiet

        with quiet():
            return FixedCmaEs(
                seen(problem.space, categoricals=False),
                n_startup_trials=1,
                popsize=self._generation(problem.space),
                warn_independent_sampling=False,  # our `remark` says it
                consider_pruned_trials=False,
                use_separable_cma=False,
                with_margin=False,
                lr_adapt=False,
                seed=seed,
            )

    def _generation(self, space: "ConfigurationSpace") -> int:
        dimensions = len(seen(space, categoricals=False))
        return self.population_size or 4 + math.floor(3 * math.log(dimensions))
