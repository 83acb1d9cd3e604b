"""`bayesopt`: Bayesian optimisation by a Gaussian process, Ray's BayesOptSearch; full trainings.

Snoek, Larochelle, Adams, Practical Bayesian Optimization of Machine Learning Algorithms, NeurIPS
2012. The model is that of the package bayesian-optimization: a Matérn kernel (ν = 5/2) with one
length scale for all parameters, and the upper confidence bound. It knows real numbers only: mixed
spaces are encoded, see bench/algorithms/_encoding.py.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.algorithms._unseen import until
from bench.objective import Objective

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Bayesopt(Algorithm):
    """The settings that matter, at the library's values."""

    beats_random: ClassVar[dict[str, int]] = {"sphere": 30}

    startup_trials: int = Field(10, ge=1)
    """Random trials before the first that comes from the model."""
    kappa: float = Field(2.576, ge=0)
    """Standard deviations that the bound is away from the mean: with more it explores more."""

    def remark(self, objective: Objective, budget: int) -> str | None:
        from bench.space import parameters

        space = objective.space()
        choices = [each.name for each in parameters(space) if len(each.choices) > 1]
        conditional = [name for name in space if space.parent_conditions_of[name]]
        then = ["its model does not know of running trials"]
        if choices:
            then.append(f"choices ({', '.join(choices)}) are one coordinate per value")
        if conditional:
            then.append(f"inactive parameters (of {', '.join(conditional)}) have a fixed value")
        start = "configurations are random"
        return until(start, self.startup_trials, budget, "; ".join(then))

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._bayesopt import BayesOptSearcher

        return BayesOptSearcher(problem, self.startup_trials, self.kappa), FIFOScheduler()
