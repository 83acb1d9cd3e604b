"""A deterministic objective whose steps end in the order of their virtual times, wherever it runs.

Each step writes when it would end into `folder`, and waits there until the conductor of
tests/test_conformance.py lets it go on. Without a folder it waits for nothing.
"""

import json
import time
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from bench.objective import Objective
from bench.seeds import derive


class Conducted(Objective):
    """Loss (x - 0.3)² + 1/step, or 1/step² where n is even, so that curves cross."""

    max_steps: int = 9
    folder: str = ""
    fails_from: float = 2.0
    """Trials of an x from here on fail at their second step."""
    worst_loss = 10.0
    optimum: ClassVar[float | None] = None

    def space(self) -> Any:
        import ConfigSpace as cs

        space = cs.ConfigurationSpace()
        kind = cs.Categorical("kind", ["plain", "shifted"])
        shift = cs.Float("shift", (1e-3, 1e-1), log=True)
        space.add(cs.Float("x", (0.0, 1.0)), cs.Integer("n", (1, 8)), kind, shift)
        space.add(cs.EqualsCondition(shift, kind, "shifted"))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "Training":
        return Training(self, configuration)


def seconds(configuration: dict[str, Any], step: int) -> float:
    """Of a step: between 1 and 2, another for each configuration and step."""
    return 1 + derive("seconds", configuration, step) / 2**32


class Training:
    def __init__(self, objective: Conducted, configuration: dict[str, Any]) -> None:
        self.objective, self.configuration, self.steps = objective, configuration, 0

    def step(self) -> dict[str, float]:
        self.steps += 1
        if self.objective.folder:
            wait(Path(self.objective.folder), seconds(self.configuration, self.steps))
        if self.steps == 2 and self.configuration["x"] >= self.objective.fails_from:
            raise RuntimeError("as it shall")
        speed = 2 if self.configuration["n"] % 2 == 0 else 1
        return {"loss": (self.configuration["x"] - 0.3) ** 2 + self.steps**-speed}

    def state(self) -> bytes:
        return str(self.steps).encode()

    def load(self, state: bytes) -> None:
        self.steps = int(state)


def wait(folder: Path, taken: float) -> None:
    name = uuid4().hex
    written = folder / f"{name}.part"
    written.write_text(json.dumps(taken))
    written.rename(folder / f"{name}.waits")
    while not (folder / f"{name}.go").exists():
        time.sleep(0.002)
