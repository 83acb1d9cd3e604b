"""Random search as a Ray Tune Searcher."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from ray.tune.search import Searcher

from bench.algorithm import Problem
from bench.space import to_ray

BLOCK = 256
"""Configurations that are drawn at a time: most of a draw's time does not depend on the number."""


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
        self._drawn = self._draw()

    def suggest(self, trial_id: str) -> dict[str, Any]:
        return next(self._drawn)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Random search learns nothing."""

    def _draw(self) -> Iterator[dict[str, Any]]:
        names = [*self._domains]
        while True:
            columns = [
                plain(domain.sample(size=BLOCK, random_state=self._generator))
                for domain in self._domains.values()
            ]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))


def plain(values: Any) -> list[Any]:
    """What a domain has sampled: an array, or a list of choices; without numpy's own types."""
    if isinstance(values, np.ndarray):
        return values.tolist()
    return [each.item() if isinstance(each, np.generic) else each for each in values]
