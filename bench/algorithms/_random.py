"""Random search as a Ray Tune Searcher."""

from typing import Any

import numpy as np
from ray.tune.search import Searcher

from bench.algorithm import Problem
from bench.space import to_ray


class RandomSearcher(Searcher):
    """Draw every configuration independently from Ray Tune's own domains.

    Ray's BasicVariantGenerator draws from the same domains; it is not a Searcher, so it cannot be
    driven one suggestion at a time. This one has a generator of its own and never ends.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(metric="loss", mode="min")
        self.seed = problem.seed
        self._domains = to_ray(problem.space)
        self._generator = np.random.default_rng(problem.seed)

    def suggest(self, trial_id: str) -> dict[str, Any]:
        return {
            name: domain.sample(random_state=self._generator)
            for name, domain in self._domains.items()
        }

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Random search learns nothing."""
