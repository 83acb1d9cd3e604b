"""A user's algorithm that breaks one rule, which `fault` names."""

import os
from typing import Any, ClassVar, Literal

from bench.algorithm import Algorithm, Problem

Fault = Literal[
    "",
    "not seeded",
    "seeded by hash()",
    "the same for all seeds",
    "draws from numpy's generator",
    "draws from python's generator",
    "out of bounds",
    "of another type",
    "not in the space",
    "fails when a trial fails",
    "fails when nothing is better",
    "gives up",
    "one at a time",
    "never in full",
    "settings of chance",
    "its workers are not seeded",
    "its workers draw the same",
    "refuses",
]


class Broken(Algorithm):
    """Random search but for its fault, and for its claim to be better than that."""

    fault: Fault = ""
    beats_random: ClassVar[dict[str, int]] = {"sphere": 5}

    def refuse(self, objective: Any, budget: int) -> str | None:
        return "does not like it" if self.fault == "refuses" else None

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        import random

        import numpy as np
        from ray.tune.schedulers import FIFOScheduler
        from ray.tune.search import Searcher

        from bench.algorithms._random import RandomSearcher

        fault = self.fault

        class BrokenSearcher(RandomSearcher):
            def __init__(self) -> None:
                super().__init__(problem)
                self.given, self.losses, self.running = 0, list[float](), 0
                self.mark = os.urandom(4).hex() if fault == "settings of chance" else ""
                chance = {"not seeded": None, "the same for all seeds": 0}
                if fault in chance:
                    self._generator = np.random.default_rng(chance[fault])
                if fault == "seeded by hash()":
                    self._generator = np.random.default_rng(abs(hash(str(problem.seed))))

            def suggest(self, trial_id: str) -> Any:
                if fault == "gives up" and self.given == 2:
                    return Searcher.FINISHED
                if fault == "one at a time" and self.running:
                    return None
                self.given += 1
                self.running += 1
                if fault == "draws from numpy's generator":
                    np.random.random()
                if fault == "draws from python's generator":
                    random.random()
                values = super().suggest(trial_id)
                name = next(iter(values))
                if fault == "out of bounds":
                    values[name] = 1e9
                if fault == "of another type":
                    values[name] = "0.5"
                if fault == "not in the space":
                    values["z"] = 0.5
                return values

            def on_trial_complete(
                self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
            ) -> None:
                self.running -= 1
                assert result is not None
                if fault == "fails when a trial fails":
                    assert "failed" not in result
                self.losses.append(result["loss"])
                if fault == "fails when nothing is better" and len(self.losses) > 3:
                    _ = 1 / (max(self.losses) - min(self.losses))

        class Impatient(FIFOScheduler):
            def on_trial_result(self, tune_controller: Any, trial: Any, result: Any) -> str:
                stop = fault == "never in full" and result["training_iteration"] == 3
                return self.STOP if stop else self.CONTINUE

        return BrokenSearcher(), Impatient()

    def optuna(self, problem: Problem, seed: int) -> tuple[Any, Any]:
        from optuna.pruners import NopPruner
        from optuna.samplers import RandomSampler

        seeds = {"its workers are not seeded": None, "its workers draw the same": problem.seed}
        return RandomSampler(seed=seeds.get(self.fault, seed)), NopPruner()
