"""A user's algorithm that has nothing to suggest after `suggestions`, or fails."""

from typing import Any, Literal

from bench.algorithm import Algorithm, Problem


class Exhausted(Algorithm):
    suggestions: int = 3
    fails: Literal["", "when asked", "when built", "when told"] = ""

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search import Searcher

        from bench.algorithms._random import RandomSearcher

        if self.fails == "when built":
            raise RuntimeError("cannot be built")
        limit, fails = self.suggestions, self.fails

        class Limited(RandomSearcher):
            given = 0

            def suggest(self, trial_id: str) -> Any:
                if self.given == limit:
                    if fails:
                        raise RuntimeError("no more ideas")
                    return Searcher.FINISHED
                self.given += 1
                return super().suggest(trial_id)

            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                if fails == "when told":
                    raise RuntimeError("does not understand")

        return Limited(problem), FIFOScheduler()
