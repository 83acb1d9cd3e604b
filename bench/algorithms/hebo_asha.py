"""`hebo_asha`: configurations from `hebo`, trials stopped early by `asha`."""

from typing import TYPE_CHECKING

from bench.algorithm import Algorithm, Problem
from bench.algorithms._asha import AshaOptions, asha_scheduler
from bench.algorithms._hebo import HeboOptions, hebo_searcher

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class HeboAsha(HeboOptions, AshaOptions, Algorithm):
    """HEBO learns from the trials that were stopped early too, by their last loss.

    It counts as no better than that of the best full training.
    """

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        return hebo_searcher(self, problem), asha_scheduler(self, problem)
