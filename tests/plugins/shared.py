"""A user's objective that several processes share: each does its part, and one of them fails."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Literal

from bench.objective import Objective, Rank

Fault = Literal["", "raise", "all raise", "kill", "hang", "kill when built", "main"]


class Shared(Objective):
    """loss = x + 1/step; from the second trial on, a rank meets the fault at its second step.

    At each step rank 0 waits for the others in a pipe of the file system, where nobody would tell
    it that they are gone; and they wait for it.
    """

    max_steps: int = 3
    fault: Fault = ""
    failing: int = 1
    """The rank that meets the fault."""
    seconds: float = 0.0
    folder: str = ""
    """Where the ranks say who they are: a line for each training, of its rank and its process."""
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
            file.write(f"{rank.number} {os.getpid()} {self.x}\n")
        self.fails = self.x > 0.5 and rank.number == objective.failing
        if rank.count > 1:
            meeting = f"{self.x}"
            if rank.number == 0:
                os.mkfifo(self.folder / meeting)
                rank.agree(meeting)
            self.pipe = self.folder / (meeting if rank.number == 0 else rank.agree(None))
        if self.fails and objective.fault == "kill when built":
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self) -> dict[str, float]:
        self.steps += 1
        time.sleep(self.objective.seconds)
        if self.steps == 2 and self.x > 0.5:
            self._fail()
        if self.rank.count > 1:
            self._meet()
        return {"loss": self.x + 1 / self.steps}

    def _fail(self) -> None:
        fault = self.objective.fault
        if fault == "all raise" or (self.fails and fault == "raise"):
            raise ValueError("broken on purpose")
        if self.fails and fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fails and fault == "hang":
            time.sleep(3600)

    def _meet(self) -> None:
        """Opening a pipe waits for the other end."""
        self.pipe.open("w" if self.rank.number == 0 else "r").close()

    def state(self) -> bytes:
        return str(self.steps).encode()

    def load(self, state: bytes) -> None:
        self.steps = int(state)
