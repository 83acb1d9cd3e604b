"""`tpe_asha`: configurations from `tpe`, trials stopped early by `asha`."""

from typing import TYPE_CHECKING, ClassVar

from bench.algorithm import Algorithm, Problem
from bench.algorithms._asha import AshaOptions, asha_pruner, asha_scheduler
from bench.algorithms._tpe import TpeOptions, tpe_sampler, tpe_searcher

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class TpeAsha(TpeOptions, AshaOptions, Algorithm):
    """TPE learns from the trials that were stopped early too, as Optuna ranks them.

    First the full trainings, by their loss; then the stopped ones, the longest first, and those of
    one length by their loss; failed ones last.
    """

    beats_random: ClassVar[dict[str, int]] = {"branin": 30, "sphere": 30}

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        return tpe_searcher(self, problem), asha_scheduler(self, problem)

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        return tpe_sampler(self, seed), asha_pruner(self)
