"""`bohb`: Hyperband whose configurations come from a kernel density model, Ray's TuneBOHB.

Falkner, Klein, Hutter, BOHB: Robust and Efficient Hyperparameter Optimization at Scale, ICML 2018;
the model is that of the authors' hpbandster.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from bench.algorithm import Algorithm, Problem
from bench.algorithms._hyperband import HyperbandOptions, brackets, hyperband_scheduler
from bench.algorithms._unseen import varying
from bench.objective import Objective

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Bohb(HyperbandOptions, Algorithm):
    """The model's settings that matter, at the paper's values; those of the brackets besides."""

    random_fraction: float = Field(1 / 3, ge=0, le=1)
    """Share of configurations that are drawn at random, for the guarantees of Hyperband."""
    top_n_percent: int = Field(15, ge=1, le=99)
    """Share of the results at a rung whose density is that of the good ones."""
    num_samples: int = Field(64, ge=1)
    """Draws from the good density, of which the best ratio is suggested."""

    def refuse(self, objective: Objective, budget: int) -> str | None:
        """The model knows no ordered categories; and there must be a rung to stop at."""
        from ConfigSpace import OrdinalHyperparameter

        for parameter in objective.space().values():
            if isinstance(parameter, OrdinalHyperparameter):
                return f"{parameter.name} is ordinal, which hpbandster's model does not know"
        return super().refuse(objective, budget)

    def remark(self, objective: Objective, budget: int) -> str | None:
        """From when on it has a model: until then it is `hyperband`."""
        needed = 2 * (len(varying(objective.space())) + 1)
        trainings = self.trainings_before_model(objective.max_steps, needed)
        when = f"models once {needed} results are at one rung: after {trainings:.1f} full trainings"
        if trainings >= budget:
            return f"{when}, which is more than the budget: it is hyperband"
        return f"{when} or so; until then it is hyperband"

    def trainings_before_model(self, max_steps: int, needed: int) -> float:
        """Full trainings' worth of steps until one rung has as many results as are needed.

        hpbandster wants d + 1 good and d + 1 other results in d dimensions. Brackets are run one
        after the other here, as they are at one slot.
        """
        results: dict[int, int] = {}
        steps = 0
        while True:
            for bracket in brackets(max_steps, self.reduction_factor):
                before = 0
                for places, rung in bracket:
                    missing = needed - results.get(rung, 0)
                    steps += min(places, missing) * (rung - before)
                    if places >= missing:
                        return steps / max_steps
                    results[rung] = results.get(rung, 0) + places
                    before = rung

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from bench.algorithms._bohb import BohbSearcher

        plan = brackets(problem.max_steps, self.reduction_factor)
        settings = {
            "random_fraction": self.random_fraction,
            "top_n_percent": self.top_n_percent,
            "num_samples": self.num_samples,
            "bandwidth_factor": 3,
            "min_bandwidth": 1e-3,
        }
        rungs = {rung for bracket in plan for _, rung in bracket}
        return BohbSearcher(problem, rungs, settings), hyperband_scheduler(self, problem)
