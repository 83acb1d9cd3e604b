"""`asha`: random search with asynchronous successive halving, Ray's AsyncHyperBandScheduler.

Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020. Ray implements the
*stopping* variant: at a rung a trial goes on if it is among the best 1/reduction_factor of those
that came there so far, and is stopped for good otherwise; nothing is paused. How it differs from
the paper in detail: bench/algorithms/_asha_scheduler.py.
"""

from typing import TYPE_CHECKING, ClassVar

from bench.algorithm import Algorithm, Problem
from bench.algorithms._asha import AshaOptions, asha_pruner, asha_scheduler

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Asha(AshaOptions, Algorithm):
    """Configurations at random; what is bad early is stopped early."""

    beats_random: ClassVar[dict[str, int]] = {"sphere": 60}

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from bench.algorithms._random import RandomSearcher

        return RandomSearcher(problem), asha_scheduler(self, problem)

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.samplers import RandomSampler

        return RandomSampler(seed), asha_pruner(self)
