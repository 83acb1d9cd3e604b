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

    def ray(self, problem: Problem) -> "tuple[Searcher, TrialScheduler]":
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search import Searcher

        from bench.recording.sequence import configurations

        class ListSearcher(Searcher):
            def __init__(self, first: int) -> None:
                super().__init__(metric="loss", mode="min")
                self.first = first
                self._configurations = configurations(problem.space, first)

            def suggest(self, trial_id: str) -> dict[str, Any]:
                return next(self._configurations)

            def on_trial_complete(
                self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
            ) -> None:
                """It learns nothing."""

        return ListSearcher(self.first), FIFOScheduler()
