"""`random`: random search; every trial is a full training.

Bergstra & Bengio, Random Search for Hyper-Parameter Optimization, JMLR 13 (2012).
"""

from typing import TYPE_CHECKING

from bench.algorithm import Algorithm, Problem

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Random(Algorithm):
    """Independent draws, first in first out."""

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._random import RandomSearcher

        return RandomSearcher(problem), FIFOScheduler()

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner
        from optuna.samplers import RandomSampler

        return RandomSampler(seed), NopPruner()
