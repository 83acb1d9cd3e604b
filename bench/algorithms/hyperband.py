"""`hyperband`: random search with Hyperband's brackets of successive halving.

Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization, JMLR 18 (2018).
"""

from typing import TYPE_CHECKING

from bench.algorithm import Algorithm, Problem
from bench.algorithms._hyperband import HyperbandOptions, hyperband_scheduler

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Hyperband(HyperbandOptions, Algorithm):
    """`bohb` without its model: the same scheduler, configurations at random."""

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from bench.algorithms._random import RandomSearcher

        return RandomSearcher(problem), hyperband_scheduler(self, problem)
