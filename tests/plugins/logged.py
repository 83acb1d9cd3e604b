"""An objective that logs each step it trains: which, where, when."""

import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench.objective import Objective

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class Logged(Objective):
    """The loss falls as steps are trained, to a limit that x sets."""

    max_steps: int = Field(4, ge=1)
    seconds: float = Field(0.1, ge=0)
    """Of each step."""
    log: str
    """JSON lines, appended to by all trainings, on all nodes."""
    processes: int = Field(1, ge=1)
    """No training goes on before trainings have begun in so many processes."""
    worst_loss = 10.0
    optimum = 0.0

    def space(self) -> "ConfigurationSpace":
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        space.add(cs.Float("x", (0.0, 1.0)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "LoggedTraining":
        return LoggedTraining(self, configuration["x"])


class LoggedTraining:
    """Its state is the number of steps that were trained."""

    def __init__(self, objective: Logged, x: float) -> None:
        self._objective, self._x, self._steps = objective, x, 0

    def _wait_for_others(self) -> None:
        folder = Path(f"{self._objective.log}.processes")
        folder.mkdir(exist_ok=True)
        (folder / f"{socket.gethostname()}-{os.getpid()}").touch()
        while len(list(folder.iterdir())) < self._objective.processes:
            time.sleep(0.1)

    def step(self) -> dict[str, float]:
        self._wait_for_others()
        time.sleep(self._objective.seconds)
        self._steps += 1
        entry = {
            "x": self._x,
            "step": self._steps,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "job": os.environ.get("SLURM_JOB_ID"),
            "time": time.time(),
        }
        with open(self._objective.log, "a") as file:  # one write: lines stay whole
            file.write(json.dumps(entry) + "\n")
        return {"loss": self._x + 1 / self._steps}

    def state(self) -> bytes:
        return str(self._steps).encode()

    def load(self, state: bytes) -> None:
        self._steps = int(state)
