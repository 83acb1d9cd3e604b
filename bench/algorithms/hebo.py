"""`hebo`: Heteroscedastic Evolutionary Bayesian Optimisation, Ray's HEBOSearch; full trainings.

Cowen-Rivers et al., HEBO: Pushing The Limits of Sample-Efficient Hyper-parameter Optimisation,
JAIR 74 (2022), https://arxiv.org/abs/2012.03826: a Gaussian process of the power-transformed
losses, and a Pareto front of three acquisition functions found by NSGA-II (MACE), of which a
random member is suggested.

The surrogate is the package's default, `gp` (gpytorch, Matérn 3/2, embeddings of the choices). It
lacks the paper's input warping: the package's warped one, `gpy`, is not among those it can build.
"""

from typing import TYPE_CHECKING, ClassVar

from bench.algorithm import Algorithm, Problem
from bench.algorithms._hebo import HeboOptions, hebo_searcher

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Hebo(HeboOptions, Algorithm):
    """A suggestion takes seconds: docs/suggestion-latency.md."""

    beats_random: ClassVar[dict[str, int]] = {"branin": 20}

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        return hebo_searcher(self, problem), FIFOScheduler()
