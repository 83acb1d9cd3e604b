"""A user's algorithm for Optuna's workers whose sampler dies with its process, or gives up."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Literal

from bench.algorithm import Algorithm, NoMoreSuggestions, Problem


class Mortal(Algorithm):
    log: str
    """A file that says which trials were begun, a number each."""
    dies: Literal["asked once", "built", "raises", "gives up"] = "asked once"

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        raise NotImplementedError

    def optuna(self, problem: Problem, seed: int) -> tuple[Any, Any]:
        from optuna.pruners import NopPruner
        from optuna.samplers import RandomSampler

        in_worker = "_worker" in sys.argv[0]
        if self.dies == "built" and in_worker:
            print("no room", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        dies, log = self.dies, Path(self.log)

        class Sampler(RandomSampler):
            def before_trial(self, study: Any, trial: Any) -> None:
                known = log.read_text().split() if log.exists() else []
                with log.open("a") as file:
                    file.write(f"{trial.number}\n")
                if trial.number == 2 and dies == "raises":
                    raise RuntimeError("no more ideas")
                if trial.number == 2 and dies == "gives up":
                    raise NoMoreSuggestions
                if trial.number == 2 and dies == "asked once" and "2" not in known:
                    os.kill(os.getpid(), signal.SIGKILL)

        return Sampler(seed), NopPruner()
