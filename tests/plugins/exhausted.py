"""A user's algorithm that has nothing to suggest after `suggestions`, or breaks then."""

from typing import Any

from bench.algorithm import Algorithm, Problem


class Exhausted(Algorithm):
    suggestions: int = 3
    breaks: bool = False

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search import Searcher

        from bench.algorithms._random import RandomSearcher

        limit, breaks = self.suggestions, self.breaks

        class Limited(RandomSearcher):
            given = 0

            def suggest(self, trial_id: str) -> Any:
                if self.given == limit:
                    if breaks:
                        raise RuntimeError("no more ideas")
                    return Searcher.FINISHED
                self.given += 1
                return super().suggest(trial_id)

        return Limited(problem), FIFOScheduler()
