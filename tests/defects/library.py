"""Ray's schedulers and BOHB's searcher as they are, to show what is wrong with them."""

from typing import Any, Literal

from conftest import PLUGINS
from ray.tune.schedulers import HyperBandForBOHB, HyperBandScheduler
from ray.tune.search.bohb import TuneBOHB

from bench import plugins
from bench.algorithm import Algorithm, Problem
from bench.algorithms._random import RandomSearcher
from bench.engines._simulation import Events, events_of, search_of
from bench.objective import Objective

TABLE_1 = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(27, 3), (9, 9), (3, 27), (1, 81)],
    [(9, 9), (3, 27), (1, 81)],
    [(6, 27), (2, 81)],
    [(5, 81)],
]
"""Li et al. 2018, Table 1: (nᵢ, rᵢ) for R = 81, η = 3."""


class Library(Algorithm):
    """A scheduler of Ray's as it is; under TuneBOHB, or with random configurations."""

    scheduler: Literal["HyperBandScheduler", "HyperBandForBOHB"] = "HyperBandForBOHB"
    model: bool = False

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        kinds = {"HyperBandScheduler": HyperBandScheduler, "HyperBandForBOHB": HyperBandForBOHB}
        scheduler = kinds[self.scheduler](
            time_attr="training_iteration", metric="loss", mode="min", max_t=problem.max_steps
        )
        if not self.model:
            return RandomSearcher(problem), scheduler
        return TuneBOHB(problem.space, metric="loss", mode="min", seed=problem.seed), scheduler


def toy(max_steps: int, **options: Any) -> Objective:
    kind = plugins.load_class("objectives", "toy", str(PLUGINS / "toy.py"))
    made: Any = kind(**{"max_steps": max_steps, **options})
    assert isinstance(made, Objective)
    return made


def run(
    algorithm: Algorithm, budget: int, slots: int = 1, max_steps: int = 81, **options: Any
) -> Events:
    return events_of(search_of(toy(max_steps, **options), algorithm, budget, slots))


def lengths(events: Events) -> list[int]:
    """Steps that each trial came to, in the order of their suggestion."""
    ends = {e["trial"]: e["step"] for e in events if e["event"] == "finish"}
    return [ends[trial] for trial in sorted(ends)]
