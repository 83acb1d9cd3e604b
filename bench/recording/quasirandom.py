"""The algorithm that `bench record` runs: the corners of a space, then a Sobol sequence over it.

A cell trains a part of that list, so that a recording that was killed goes on with the next part.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench.algorithm import Algorithm, Problem

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher


class Quasirandom(Algorithm):
    """Full trainings of the list's configurations, from the one of number `first` on.

    The sequence (Sobol, scrambled with seed 0) does not depend on the cell's seed: that is the
    seed of the trainings alone.
    """

    first: int = Field(default=0, ge=0)
    count: int = Field(default=1, ge=1)
    """So many configurations; then it has no more."""

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from itertools import islice

        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search import Searcher

        from bench.recording.sequence import configurations

        class ListSearcher(Searcher):
            def __init__(self, first: int, count: int) -> None:
                super().__init__(metric="loss", mode="min")
                self.first, self.count = first, count
                self._configurations = islice(configurations(problem.space, first), count)

            def suggest(self, trial_id: str) -> dict[str, Any] | str:
                return next(self._configurations, Searcher.FINISHED)

            def on_trial_complete(
                self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
            ) -> None:
                """It learns nothing."""

        return ListSearcher(self.first, self.count), FIFOScheduler()
