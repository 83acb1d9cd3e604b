"""A user's objective that several processes share: each does its part, and one of them fails."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Literal

from bench.objective import Objective, Rank

Fault = Literal["", "raise", "kill", "kill when built", "hang"]
FROM_X = 0.77


class Shared(Objective):
    """loss = x + 1/step; of trials with x > 0.77 a rank meets the fault at the second step.

    At each step two ranks wait for each other where nobody would tell them that the other is gone.
    """

    max_steps: int = 3
    fault: Fault = ""
    failing: int = 1
    """The rank that meets the fault."""
    seconds: float = 0.0
    folder: str = ""
    """Where the ranks say who they are: a line for each training, of its rank, its process, that
    process's parent, x, and where the others reach it."""
    worst_loss = 10.0

    def space(self) -> Any:
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        space.add(cs.Float("x", (0.0, 1.0)))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "SharedTraining":
        return self.train_part(configuration, seed, device, Rank(0, 1, "", str))

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> "SharedTraining":
        return SharedTraining(self, configuration, rank)


class SharedTraining:
    def __init__(self, objective: Shared, configuration: dict[str, Any], rank: Rank) -> None:
        self.objective, self.rank, self.steps = objective, rank, 0
        self.x = configuration["x"]
        self.folder = Path(objective.folder)
        with (self.folder / "log").open("a") as file:
            file.write(f"{rank.number} {os.getpid()} {os.getppid()} {self.x} {rank.host}\n")
        self.fails = self.x > FROM_X and rank.number == objective.failing
        self.pipe = self.folder / f"{self.x}.pipe"
        if rank.number == 0:
            self.pipe.unlink(missing_ok=True)
            os.mkfifo(self.pipe)
        if rank.count > 1:
            rank.agree("it is there" if rank.number == 0 else None)
        if self.fails and objective.fault == "kill when built":
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self) -> dict[str, float]:
        self.steps += 1
        time.sleep(self.objective.seconds)
        if self.steps == 2 and self.x > FROM_X:
            self._fail()
        if self.rank.count > 1:  # to open a pipe is to wait until its other end is opened
            self.pipe.open("w" if self.rank.number == 0 else "r").close()
        return {"loss": self.x + 1 / self.steps}

    def _fail(self) -> None:
        fault = self.objective.fault
        if self.fails and fault == "raise":
            raise ValueError("broken on purpose")
        if self.fails and fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fails and fault == "hang":
            time.sleep(3600)

    def state(self) -> bytes:
        return str(self.steps).encode()

    def load(self, state: bytes) -> None:
        self.steps = int(state)
