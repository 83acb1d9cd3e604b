"""Grid search as a Ray Tune Searcher."""

import random
from typing import Any

from ray.tune.search import Searcher

from bench.algorithms._grid import GridPoints


class GridSearcher(Searcher):
    """The points of a grid in random order, none twice; finished when all have been."""

    def __init__(self, points: GridPoints, seed: int) -> None:
        super().__init__(metric="loss", mode="min")
        self.count = points.count
        self.seed = seed
        self._points = points
        self._given = 0
        self._moved: dict[int, int] = {}
        self._generator = random.Random(seed)

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """Shuffle one step further (Fisher and Yates), keeping only the places that changed."""
        if self._given == self.count:
            return Searcher.FINISHED
        place = self._generator.randrange(self._given, self.count)
        number = self._moved.get(place, place)
        self._moved[place] = self._moved.pop(self._given, self._given)
        self._given += 1
        return self._points.point(number)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Grid search learns nothing."""
