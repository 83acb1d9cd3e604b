"""`hyperband`: random search with Hyperband's brackets of successive halving.

Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization, JMLR 18 (2018).
"""

from typing import TYPE_CHECKING

from bench.algorithm import Algorithm, Problem
from bench.algorithms._hyperband import HyperbandOptions, hyperband_scheduler

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Hyperband(HyperbandOptions, Algorithm):
    """`bohb` without its model: the same scheduler, configurations at random."""

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from bench.algorithms._random import RandomSearcher

        return RandomSearcher(problem), hyperband_scheduler(self, problem)

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import HyperbandPruner
        from optuna.samplers import RandomSampler

        from bench.algorithms._quiet import quiet

        with quiet():
            pruner = HyperbandPruner(
                min_resource=1,
                max_resource=problem.max_steps,
                reduction_factor=self.reduction_factor,
                bootstrap_count=0,
            )
        return RandomSampler(seed), pruner
