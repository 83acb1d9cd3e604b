"""A deterministic objective whose steps end in the order that they are told, wherever it runs.

A step says in `folder` that it waits, and goes on when tests/test_conformance.py lets it. Without a
folder it waits for nothing.
"""

import time
from pathlib import Path
from typing import Any, ClassVar

from bench.objective import Objective
from bench.seeds import derive, digest


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


def waiting(folder: Path, configuration: dict[str, Any], step: int) -> Path:
    """The file that is there while a step waits; when it is gone, the step goes on."""
    return folder / f"{digest(configuration, step)[:20]}.waits"


class Training:
    def __init__(self, objective: Conducted, configuration: dict[str, Any]) -> None:
        self.objective, self.configuration, self.steps = objective, configuration, 0

    def step(self) -> dict[str, float]:
        self.steps += 1
        if self.objective.folder:
            file = waiting(Path(self.objective.folder), self.configuration, self.steps)
            file.touch()
            while file.exists():
                time.sleep(0.002)
        if self.steps == 2 and self.configuration["x"] >= self.objective.fails_from:
            raise RuntimeError("as it shall")
        speed = 2 if self.configuration["n"] % 2 == 0 else 1
        return {"loss": (self.configuration["x"] - 0.3) ** 2 + self.steps**-speed}

    def state(self) -> bytes:
        return str(self.steps).encode()

    def load(self, state: bytes) -> None:
        self.steps = int(state)
