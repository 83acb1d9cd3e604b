"""An objective for measuring engines: trials of a fixed length that say who trained them."""

import os
import time
from typing import Any, ClassVar

from pydantic import Field

from bench.objective import Objective


class Fixed(Objective):
    """One step, that sleeps; four parameters."""

    max_steps: int = 1
    seconds: float = Field(0, ge=0)
    worst_loss = 10.0
    optimum = 0.0
    metrics: ClassVar = {"process": "number"}

    def space(self) -> Any:
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        space.add([cs.Float(name, (0.0, 1.0)) for name in "abcd"])
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "FixedTraining":
        return FixedTraining(self.seconds, configuration)


class FixedTraining:
    def __init__(self, seconds: float, configuration: dict[str, Any]) -> None:
        self._seconds = seconds
        self._loss = sum((value - 0.3) ** 2 for value in configuration.values())

    def step(self) -> dict[str, float]:
        time.sleep(self._seconds)
        return {"loss": self._loss, "process": os.getpid()}

    def state(self) -> bytes:
        return b""

    def load(self, state: bytes) -> None:
        """There is nothing to keep."""
