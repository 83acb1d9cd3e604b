"""`nsga2`: Optuna's NSGAIISampler, a genetic algorithm; full trainings.

Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE Transactions on
Evolutionary Computation 6 (2002). With one loss its ranks and crowding come down to the loss: the
best `population_size` of parents and children are the next parents, each chosen as the better of
two.
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


class Nsga2(Algorithm):
    """Uniform crossover; a mutated parameter is drawn anew (one per child, on average)."""

    beats_random: ClassVar[dict[str, int]] = {"sphere": 100}

    population_size: int = Field(10, ge=2)
    """Trials in a generation, the first of which is random. Optuna's default of 50 is made for
    hundreds of trials: with budgets up to 50 it is nothing but random search."""

    def remark(self, objective: Objective, budget: int) -> str | None:
        rest = unseen(objective.space(), categoricals=True)
        return until("configurations are random", self.population_size, budget, rest)

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._optuna import optuna_searcher

        return optuna_searcher(self._sampler(problem.seed), problem), FIFOScheduler()

    def optuna(self, problem: Problem, seed: int) -> "tuple[BaseSampler, BasePruner]":
        from optuna.pruners import NopPruner

        return self._sampler(seed), NopPruner()

    def _sampler(self, seed: int) -> "BaseSampler":
        from optuna.samplers import NSGAIISampler

        from bench.algorithms._quiet import quiet

        with quiet():
            return NSGAIISampler(
                population_size=self.population_size,
                mutation_prob=None,  # 1 / number of parameters
                crossover_prob=0.9,
                swapping_prob=0.5,
                seed=seed,
            )
