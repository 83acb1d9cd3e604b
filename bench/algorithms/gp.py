"""`gp`: Bayesian optimisation by a Gaussian process, Optuna's GPSampler; full trainings.

Matérn kernel (ν = 5/2) with a length scale for each parameter, and the logarithm of the expected
improvement: Ament et al., Unexpected Improvements to Expected Improvement for Bayesian
Optimization, NeurIPS 2023. Categorical parameters enter by their Hamming distance.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.algorithms._unseen import unseen, until
from bench.objective import Objective

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Gp(Algorithm):
    """With several slots, running trials are integrated out (qLogEI).

    What a suggestion costs: docs/suggestion-latency.md.
    """

    beats_random: ClassVar[dict[str, int]] = {"branin": 30, "sphere": 30}

    startup_trials: int = Field(10, ge=1)
    """Random trials before the first that comes from the model."""
    deterministic_objective: bool = False
    """Take losses as exact: fix the model's noise at its least instead of fitting it."""

    def remark(self, objective: Objective, budget: int) -> str | None:
        rest = unseen(objective.space(), categoricals=True)
        return until("configurations are random", self.startup_trials, budget, rest)

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._gp import GpSearcher

        searcher = GpSearcher(self._sampler(problem.seed), problem, ranks_pruned=False)
        return searcher, FIFOScheduler()

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner

        return self._sampler(seed), NopPruner()

    def _sampler(self, seed: int) -> "BaseSampler":
        from optuna.samplers import GPSampler

        from bench.algorithms._quiet import quiet

        with quiet():
            return GPSampler(
                n_startup_trials=self.startup_trials,
                deterministic_objective=self.deterministic_objective,
                warn_independent_sampling=False,  # our `remark` says it
                seed=seed,
            )
