"""A user's objective that breaks the rule which `defect` names; without one it is sound."""

import json
import mmap
import random
from itertools import count
from typing import Any, ClassVar, Literal

from bench.objective import Objective, Rank
from bench.seeds import derive

Defect = Literal[
    "",
    "another space each time",
    "weighted choices",
    "no loss",
    "undeclared metric",
    "integer loss",
    "noise from the global generator",
    "noise from hash()",
    "global generator seeded once",
    "state without the steps",
    "state is text",
    "state changes the training",
    "state of this process",
    "a part is left out",
    "a rank fails",
    "loss rises",
    "nothing changes",
    "below the optimum",
    "an upper bound",
    "a choice in the middle",
    "a child's lower bound",
    "a limit",
    "training kept",
    "list kept",
    "memory outside Python kept",
]

kept: list[Any] = []
spaces = count(2)


class Broken(Objective):
    """loss = x² + (n + 2 · chance) / step, in [0, 12]."""

    max_steps: int = 4
    defect: Defect = ""
    worst_loss = 12.0
    optimum = 0.0
    metrics: ClassVar = {"chance": "a number in [0, 1]"}
    limits: ClassVar = {"n": (0, 20)}

    def space(self) -> Any:
        import ConfigSpace as cs

        widest = next(spaces) if self.defect == "another space each time" else 1.0
        space = cs.ConfigurationSpace()
        weights = [1, 2, 3] if self.defect == "weighted choices" else None
        kind = cs.Categorical("kind", ["plain", "middle", "deep"], weights=weights)
        depth = cs.Integer("depth", (2, 9))
        space.add(cs.Float("x", (0.0, widest)), cs.Integer("n", (1, 9)), kind, depth)
        space.add(cs.EqualsCondition(depth, kind, "deep"))
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> "BrokenTraining":
        if configuration["n"] == 9 and self.defect == "an upper bound":
            raise ValueError("too wide")
        if configuration["n"] == 20 and self.defect == "a limit":
            raise ValueError("much too wide")
        return BrokenTraining(self.defect, configuration, seed)

    def train_part(
        self, configuration: dict[str, Any], seed: int, device: str, rank: Rank
    ) -> "BrokenTraining":
        if rank.number == 1 and self.defect == "a rank fails":
            raise ValueError("no other GPU")
        left_out = self.defect == "a part is left out"
        return self.train({**configuration, "x": 1.0} if left_out else configuration, seed, device)


class BrokenTraining:
    def __init__(self, defect: str, configuration: dict[str, Any], seed: int) -> None:
        self.defect, self.configuration, self.seed, self.steps = defect, configuration, seed, 0
        match defect:
            case "global generator seeded once":
                random.seed(seed)
            case "training kept":
                kept.append((self, [0.0] * 2_000))
            case "list kept":
                kept.append([0.0] * 2_000)
            case "memory outside Python kept":
                kept.append(mmap.mmap(-1, 2**20))
                kept[-1].write(bytes(2**20))

    def step(self) -> dict[str, float]:
        self.steps += 1
        chance = self._chance()
        loss = self.configuration["x"] ** 2 + (self.configuration["n"] + 2 * chance) / self.steps
        middle, lowest = (
            self.configuration["kind"] == "middle",
            self.configuration.get("depth") == 2,
        )
        match self.defect:
            case "no loss":
                return {"chance": chance}
            case "undeclared metric":
                return {"loss": loss, "chance": chance, "accuracy": 1 - loss}
            case "integer loss":
                loss = int(loss)
            case "loss rises":
                loss = 12 - loss
            case "nothing changes":
                loss = self.configuration["x"]
            case "below the optimum":
                loss -= 12
            case "a choice in the middle" if middle:
                raise ValueError("too plain")
            case "a child's lower bound" if lowest:
                raise ValueError("too deep")
        return {"loss": loss, "chance": chance}

    def _chance(self) -> float:
        if self.defect in ("noise from the global generator", "global generator seeded once"):
            return random.random()
        salt = hash("salt") if self.defect == "noise from hash()" else 0
        return derive(self.seed, self.steps, salt) / 2**32

    def state(self) -> Any:
        saved = {"steps": self.steps, "place": id(kept)}
        self.steps += self.defect == "state changes the training"
        text = json.dumps(saved)
        return text if self.defect == "state is text" else text.encode()

    def load(self, state: bytes) -> None:
        saved = json.loads(state)
        if self.defect == "state of this process" and saved["place"] != id(kept):
            raise ValueError("not here")
        self.steps = 0 if self.defect == "state without the steps" else saved["steps"]
