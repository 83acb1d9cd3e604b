"""`tpe`: Optuna's tree-structured Parzen estimator through Ray's OptunaSearch; full trainings.

Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; Watanabe,
Tree-Structured Parzen Estimator, arXiv:2304.11127.
"""

from typing import TYPE_CHECKING, ClassVar

from bench.algorithm import Algorithm, Problem
from bench.algorithms._tpe import TpeOptions, tpe_sampler, tpe_searcher

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Tpe(TpeOptions, Algorithm):
    """Categorical and conditional parameters are modelled too."""

    beats_random: ClassVar[dict[str, int]] = {"branin": 60, "sphere": 30}

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        return tpe_searcher(self, problem), FIFOScheduler()

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner

        return tpe_sampler(self, seed), NopPruner()
