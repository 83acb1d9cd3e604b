"""A user's objective: cheap, deterministic, and broken in the way that `fault` says."""

import os
import signal
import time
from typing import Any, ClassVar, Literal

from bench.objective import Objective

Fault = Literal["", "raise", "nan", "inf", "huge", "hang", "kill", "gpu memory", "always raise"]

OUT_OF_GPU_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB of "
    "which 9.00 GiB is free. 1.58 GiB allowed; Of the allocated memory 1.20 GiB is allocated by "
    "PyTorch, and 10.00 MiB is reserved by PyTorch but unallocated. If reserved but unallocated "
    "memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True"
)
"""What torch says of it."""


class OutOfMemoryError(RuntimeError):
    """As torch's, whose import takes longer than a trial may."""

    __module__ = "torch"


class Toy(Objective):
    """loss = (x - 0.3)² + 1/step; trials with x > `from_x` meet the fault at their second step."""

    max_steps: int = 4
    seconds: float = 0.0
    """A step takes this long."""
    fault: Fault = ""
    from_x: float = 0.6
    log: str = ""
    """A file that says which steps were trained, a line each: x, step, process."""
    worst_loss = 10.0
    optimum = 0.25
    metrics: ClassVar = {"accuracy": "share"}

    def space(self) -> Any:
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        kind = cs.Categorical("kind", ["plain", "shifted"])
        shift = cs.Float("shift", (1e-3, 1e-1), log=True)
        space.add(cs.Float("x", (0.0, 1.0)), cs.Integer("n", (1, 8)), kind, shift)
        space.add(cs.EqualsCondition(shift, kind, "shifted"))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "ToyTraining":
        return ToyTraining(self, configuration)


class ToyTraining:
    def __init__(self, toy: Toy, configuration: dict[str, Any]) -> None:
        self.toy, self.configuration, self.steps = toy, configuration, 0

    def step(self) -> dict[str, float]:
        self.steps += 1
        if self.toy.log:
            with open(self.toy.log, "a") as file:
                file.write(f"{self.configuration['x']!r} {self.steps} {os.getpid()}\n")
        time.sleep(self.toy.seconds)
        if self.toy.fault == "always raise":
            raise ValueError("broken on purpose")
        meets_the_fault = self.steps == 2 and self.configuration["x"] > self.toy.from_x
        if meets_the_fault and (loss := self._fail()) is not None:
            return {"loss": loss, "accuracy": 0.0}
        loss = (self.configuration["x"] - 0.3) ** 2 + 1 / self.steps
        return {"loss": loss, "accuracy": 1 - loss / 10}

    def _fail(self) -> float | None:
        match self.toy.fault:
            case "raise":
                raise ValueError("broken on purpose")
            case "gpu memory":
                raise OutOfMemoryError(OUT_OF_GPU_MEMORY)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
        return {"nan": float("nan"), "inf": float("inf"), "huge": 1e6}.get(self.toy.fault)

    def state(self) -> bytes:
        return str(self.steps).encode()

    def load(self, state: bytes) -> None:
        self.steps = int(state)
